//! What the store costs at some size: `cargo bench --bench store_size -- 100000 500000`.
//!
//! Each size is filled in a process of its own that is killed at the end, so that the next opening has
//! a recovery to do; a second one comes after a clean end. All figures of one run belong together.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench that fails may stop, and it reports")]

#[path = "articles.rs"]
mod articles;

/// As the daemon has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::cell::RefCell;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use articles::{Dice, change, code, source};
use feedmill::model::{CategoryId, Slug, Timestamp};
use feedmill::store::{Categories, Change, Items, Name, Records, Retention, SledStore, Window};
use sled::Transactional;

const CACHE: u64 = 64 << 20;
const BATCH: u64 = 30;

fn now() -> Timestamp {
    Timestamp::from_unix(1_790_000_000)
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["fill", folder, items] => fill(Path::new(folder), items.parse().unwrap()),
        ["read", folder, items] => read(Path::new(folder), items.parse().unwrap()),
        ["churn", folder, items] => churn(Path::new(folder), items.parse().unwrap()),
        ref sizes => {
            let sizes: Vec<u64> = sizes.iter().filter_map(|size| size.parse().ok()).collect();
            speeds();
            for size in if sizes.is_empty() { vec![20_000] } else { sizes } {
                one_size(size);
            }
        }
    }
}

fn one_size(items: u64) {
    println!("\n{items} items");
    let folder = tempfile::tempdir().unwrap();
    for step in ["fill", "read", "churn"] {
        let own = std::env::current_exe().unwrap();
        let args = [step, folder.path().to_str().unwrap(), &items.to_string()];
        let ended = Command::new(own).args(args).status().unwrap();
        // The first ends as by `kill -9`.
        assert!(ended.success() || step == "fill", "{step} failed");
    }
}

fn opened(folder: &Path) -> SledStore {
    SledStore::open(&folder.join("store"), CACHE).unwrap()
}

/// Categories with a slug each: the table that names are read by is no part of a store.
fn categories(store: &SledStore) {
    for number in 1..=50 {
        let slug = Slug::new(&format!("bao{number}"));
        store.ensure_category(&format!("报{number}"), slug.as_ref(), now()).unwrap();
    }
}

fn fill(folder: &Path, items: u64) {
    let store = opened(folder);
    categories(&store);
    let begun = Instant::now();
    for first in (0..items).step_by(300) {
        store.commit((first..(first + 300).min(items)).map(change).collect(), now()).unwrap();
        store.sync().unwrap();
        if first == 3_000 {
            store.train().unwrap();
        }
        if first % 30_000 == 0 {
            cared_for(&store);
        }
    }
    println!("  filled in {:.0} s, {} MB resident", begun.elapsed().as_secs_f64(), resident());
    std::process::abort();
}

fn read(folder: &Path, items: u64) {
    let begun = Instant::now();
    let store = opened(folder);
    println!("  opened after a kill in {:.2} s", begun.elapsed().as_secs_f64());
    drop(store);
    std::thread::sleep(Duration::from_secs(1));
    let begun = Instant::now();
    let store = opened(folder);
    println!("  opened after a clean end in {:.2} s", begun.elapsed().as_secs_f64());
    let stats = store.stats(now(), &mut |_, _, _| {}).unwrap();
    let mib = |bytes: u64| bytes >> 20;
    let (live, disk, text) = (mib(stats.live_bytes), mib(stats.disk_bytes), mib(stats.text_bytes));
    println!("  {live} MiB of records, {disk} MiB on disk: {:.2}; {text} MiB of text", stats.ratio);
    let window = Window { items: 50, age: -1, most: 50, archived: true };
    let mut dice = Dice::new(7);
    let (begun, mut turns) = (Instant::now(), 0_u32);
    while begun.elapsed() < Duration::from_secs(3) {
        let category = CategoryId(1 + u32::try_from(dice.roll() % 50).unwrap());
        let found = store.items_in(category, window).unwrap();
        assert_eq!(found.iter().filter(|item| !store.body(&item.code).unwrap().html.is_empty()).count(), 50);
        turns += 1;
    }
    println!("  newest 50 with bodies: {:.0} a second", f64::from(turns) / begun.elapsed().as_secs_f64());
    let (begun, mut known) = (Instant::now(), 0_u32);
    while begun.elapsed() < Duration::from_secs(3) {
        // 30 of every 1,500 are of the first source.
        let first = dice.roll() % (items / 50);
        let codes = (0..50).map(|n| (first + n) % (items / 50)).map(|n| code(n / 30 * 1_500 + n % 30));
        let names: Vec<Name> = codes.map(Name::Code).collect();
        let found = store.known(&source(0), &names).unwrap();
        known += u32::try_from(found.iter().filter(|known| known.sighting.is_some()).count()).unwrap();
    }
    println!(
        "  known articles found known: {:.0} a second",
        f64::from(known) / begun.elapsed().as_secs_f64()
    );
    println!("  {} MB resident", resident());
}

/// A window of a fifth of the items that moves on: retention takes out what new ones push.
fn churn(folder: &Path, items: u64) {
    let store = opened(folder);
    let keep = Retention { items: Some(usize::try_from(items / 50).unwrap()), age: None };
    let more = items.min(100_000);
    for first in (items..items + more).step_by(300) {
        store.commit((first..first + 300).map(change).collect(), now()).unwrap();
        for category in 1..=50 {
            while store.sweep(CategoryId(category), keep, 30, now()).unwrap() > 0 {}
        }
        store.sync().unwrap();
        cared_for(&store);
    }
    let stats = store.stats(now(), &mut |_, _, _| {}).unwrap();
    println!("  after {more} came and {more} went: {:.2} bytes on disk for each of a record", stats.ratio);
    let begun = Instant::now();
    let (before, after) = store.compact(&mut |_, _, _| {}).unwrap();
    let stats = store.stats(now(), &mut |_, _, _| {}).unwrap();
    let took = begun.elapsed().as_secs_f64();
    println!("  compacted from {} to {} MiB in {took:.0} s: {:.2}", before >> 20, after >> 20, stats.ratio);
}

/// What the daemon does every few minutes.
fn cared_for(store: &SledStore) {
    while store.tidy().unwrap() > 0 {}
    let begun = Instant::now();
    let freed = store.shrink().unwrap();
    if freed > 0 {
        let took = begun.elapsed().as_secs_f64();
        println!("  records written anew in {took:.1} s: {} MiB given back", freed >> 20);
    }
}

/// Megabytes of memory of this process.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap_or_default() / 1_000
}

type Packed = (Vec<u8>, Vec<u8>, Vec<u8>);

fn packed(change: &Change) -> Packed {
    let item = postcard::to_stdvec(change.item.as_ref().unwrap()).unwrap();
    let body = postcard::to_stdvec(change.body.as_ref().unwrap()).unwrap();
    (change.code.key(), item, PACKING.with_borrow_mut(|packing| packing.compress(&body)).unwrap())
}

thread_local! {
    /// Kept, as the store keeps its own.
    static PACKING: RefCell<zstd::bulk::Compressor<'static>> =
        RefCell::new(zstd::bulk::Compressor::new(3).unwrap());
}

/// Durable articles a second, turn by turn, so that a disk that gets slower slows all of them.
///
/// All three get the same articles and write them packed alike; what each does to make bytes of them counts.
/// "Packed before" is the time of the two others without that.
fn speeds() {
    const TURNS: u64 = 12;
    /// Batches that are made durable together.
    const GROUP: u64 = 10;
    const BATCHES: u64 = 2 * GROUP;
    let folder = tempfile::tempdir().unwrap();
    let store = opened(folder.path());
    categories(&store);
    let db = sled::open(folder.path().join("bare")).unwrap();
    let trees = (db.open_tree("item").unwrap(), db.open_tree("body").unwrap());
    let mut raw = File::create(folder.path().join("raw")).unwrap();
    let mut spent = [[Duration::ZERO; 4]; 2];
    let mut next = 0;
    for _ in 0..TURNS {
        for (at, together) in [(0, 1), (1, GROUP)] {
            let from = next;
            next += BATCHES * BATCH;
            let groups: Vec<Vec<u64>> = (from..next)
                .step_by(usize::try_from(together * BATCH).unwrap())
                .map(|first| (first..first + together * BATCH).collect())
                .collect();
            let changes = |group: &Vec<u64>| group.iter().copied().map(change).collect::<Vec<_>>();
            let mut all: Vec<Vec<Change>> = groups.iter().map(changes).collect();
            let [own, plain, appended, packing] = &mut spent[at];
            let begun = Instant::now();
            let bytes: Vec<Vec<Packed>> =
                all.iter().map(|changes| changes.iter().map(packed).collect()).collect();
            *packing += begun.elapsed();
            let begun = Instant::now();
            for changes in all.drain(..) {
                store.commit(changes, now()).unwrap();
                store.sync().unwrap();
            }
            *own += begun.elapsed();
            let begun = Instant::now();
            for group in &bytes {
                group.chunks(usize::try_from(BATCH).unwrap()).for_each(|batch| bare(&trees, batch));
                db.flush().unwrap();
            }
            *plain += begun.elapsed();
            let begun = Instant::now();
            for group in &bytes {
                for (key, item, body) in group {
                    raw.write_all(&[&key[..], item, body].concat()).unwrap();
                }
                raw.sync_data().unwrap();
            }
            *appended += begun.elapsed();
        }
    }
    for (name, [own, bare, raw, packing]) in
        ["each batch of 30 durable", "each ten batches durable"].iter().zip(spent)
    {
        let articles = f64::from(u32::try_from(TURNS * BATCHES * BATCH).unwrap());
        println!("{name}: {:.0} articles a second", articles / own.as_secs_f64());
        for (peer, time) in [("bare sled", bare), ("raw append and fdatasync", raw)] {
            println!(
                "  {peer}: {:.0} a second: {:.2} of it; packed before {:.0}: {:.2} of it",
                articles / (time + packing).as_secs_f64(),
                (time + packing).as_secs_f64() / own.as_secs_f64(),
                articles / time.as_secs_f64(),
                time.as_secs_f64() / own.as_secs_f64(),
            );
        }
    }
}

fn bare(trees: &(sled::Tree, sled::Tree), batch: &[Packed]) {
    (&trees.0, &trees.1)
        .transaction(|(items, bodies)| {
            for (key, item, body) in batch {
                items.insert(key.as_slice(), item.as_slice())?;
                bodies.insert(key.as_slice(), body.as_slice())?;
            }
            Ok::<_, sled::transaction::ConflictableTransactionError<()>>(())
        })
        .unwrap();
}
