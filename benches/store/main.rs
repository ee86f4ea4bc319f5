//! The store's hot paths: `cargo bench --bench store`. Durable batches stand beside a raw append with
//! `fdatasync` and beside bare sled with the same bytes, in one run: disks differ, ratios do not.

#![expect(clippy::unwrap_used, reason = "a bench that fails may stop")]

mod articles;

/// As the daemon has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use articles::{change, code, source};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use feedmill::model::{CategoryId, Slug, Timestamp};
use feedmill::store::{Categories, Items, Name, Records, SledStore, Window};
use sled::Transactional;

const BATCH: u64 = 30;
const CACHE: u64 = 64 << 20;
const ITEMS: u64 = 20_000;

fn now() -> Timestamp {
    Timestamp::from_unix(1_790_000_000)
}

fn opened(folder: &Path) -> SledStore {
    let store = SledStore::open(&folder.join("store"), CACHE).unwrap();
    for number in 1..=50 {
        let slug = Slug::new(&format!("bao{number}"));
        store.ensure_category(&format!("报{number}"), slug.as_ref(), now()).unwrap();
    }
    store
}

/// What an article is on disk at the least: its record and its packed body.
fn packed(number: u64) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let change = change(number);
    let item = postcard::to_stdvec(&change.item.unwrap()).unwrap();
    let body = zstd::bulk::compress(&postcard::to_stdvec(&change.body.unwrap()).unwrap(), 3).unwrap();
    (change.code.key(), item, body)
}

fn ingest(c: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let next = AtomicU64::new(1_000_000);
    let numbers = || {
        let first = next.fetch_add(BATCH, Ordering::Relaxed);
        first..first + BATCH
    };
    let mut group = c.benchmark_group("30 articles, durable");
    group.throughput(Throughput::Elements(BATCH)).sample_size(40);
    let store = opened(folder.path());
    group.bench_function("feedmill", |b| {
        let batch = || numbers().map(change).collect::<Vec<_>>();
        let durable = |batch| {
            store.commit(batch, now()).unwrap();
            store.sync().unwrap();
        };
        b.iter_batched(batch, durable, BatchSize::PerIteration);
    });
    let db = sled::open(folder.path().join("bare")).unwrap();
    let trees = (db.open_tree("item").unwrap(), db.open_tree("body").unwrap());
    group.bench_function("bare sled (its flush, which syncs nothing)", |b| {
        let batch = || numbers().map(packed).collect::<Vec<_>>();
        let flushed = |batch: Vec<(Vec<u8>, Vec<u8>, Vec<u8>)>| {
            let both = (&trees.0, &trees.1);
            both.transaction(|(items, bodies)| {
                for (key, item, body) in &batch {
                    items.insert(key.as_slice(), item.as_slice())?;
                    bodies.insert(key.as_slice(), body.as_slice())?;
                }
                Ok::<_, sled::transaction::ConflictableTransactionError<()>>(())
            })
            .unwrap();
            db.flush().unwrap();
        };
        b.iter_batched(batch, flushed, BatchSize::PerIteration);
    });
    let mut raw = File::create(folder.path().join("raw")).unwrap();
    group.bench_function("raw append and fdatasync", |b| {
        let batch = || numbers().map(packed).collect::<Vec<_>>();
        let synced = |batch: Vec<(Vec<u8>, Vec<u8>, Vec<u8>)>| {
            let bytes: Vec<u8> =
                batch.into_iter().flat_map(|(key, item, body)| [key, item, body].concat()).collect();
            raw.write_all(&bytes).unwrap();
            raw.sync_data().unwrap();
        };
        b.iter_batched(batch, synced, BatchSize::PerIteration);
    });
    group.finish();
}

fn reads(c: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(folder.path());
    for first in (0..ITEMS).step_by(300) {
        store.commit((first..first + 300).map(change).collect(), now()).unwrap();
    }
    store.sync().unwrap();
    let mut group = c.benchmark_group("reads of 20,000 articles");
    group.throughput(Throughput::Elements(1));
    group.bench_function("newest 50 of a category, with bodies", |b| {
        let window = Window { items: 50, age: -1, most: 50, archived: true };
        b.iter(|| {
            let items = store.items_in(CategoryId(7), window).unwrap();
            items.iter().map(|item| store.body(&item.code).unwrap().html.len()).sum::<usize>()
        });
    });
    group.throughput(Throughput::Elements(50));
    group.bench_function("50 known articles found known", |b| {
        let codes: Vec<Name> = (0..50).map(|n| Name::Code(code(n / 30 * 1_500 + n % 30))).collect();
        b.iter(|| {
            store.known(&source(0), &codes).unwrap().iter().filter(|known| known.sighting.is_some()).count()
        });
    });
    group.finish();
}

criterion_group!(benches, ingest, reads);
criterion_main!(benches);
