//! What the store costs at some size: `cargo bench --bench store_size -- 100000 500000`.
//!
//! Each size is filled in a process of its own that is killed at the end, so that the next opening has
//! a recovery to do; a second one comes after a clean end. All figures of one run belong together.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench that fails may stop, and it reports")]

#[path = "articles.rs"]
mod articles;

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use articles::{Dice, change, code, source};
use feedmill::model::{CategoryId, InfoCode, Timestamp};
use feedmill::store::{Retention, SledStore, Store, Window};
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

fn fill(folder: &Path, items: u64) {
    let store = opened(folder);
    for number in 1..=50 {
        store.ensure_category(&format!("报{number}"), None, now()).unwrap();
    }
    let begun = Instant::now();
    for first in (0..items).step_by(300) {
        store.commit((first..(first + 300).min(items)).map(change).collect(), now()).unwrap();
        store.sync().unwrap();
        if first == 3_000 {
            store.train().unwrap();
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
        let first = dice.roll() % (items / 50);
        let codes: Vec<InfoCode> = (0..50).map(|n| code((first + n) % (items / 50) * 50)).collect();
        known +=
            u32::try_from(store.sightings(&source(0), &codes).unwrap().iter().flatten().count()).unwrap();
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
        while store.tidy().unwrap() > 0 {}
    }
    let stats = store.stats(now(), &mut |_, _, _| {}).unwrap();
    println!("  after {more} came and {more} went: {:.2} bytes on disk for each of a record", stats.ratio);
    let begun = Instant::now();
    let (before, after) = store.compact(&mut |_, _, _| {}).unwrap();
    let stats = store.stats(now(), &mut |_, _, _| {}).unwrap();
    let took = begun.elapsed().as_secs_f64();
    println!("  compacted from {} to {} MiB in {took:.0} s: {:.2}", before >> 20, after >> 20, stats.ratio);
}

/// Megabytes of memory of this process.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap_or_default() / 1_000
}

type Packed = (Vec<u8>, Vec<u8>, Vec<u8>);

fn packed(number: u64) -> Packed {
    let change = change(number);
    let item = postcard::to_stdvec(&change.item.unwrap()).unwrap();
    let body = zstd::bulk::compress(&postcard::to_stdvec(&change.body.unwrap()).unwrap(), 3).unwrap();
    (change.code.key(), item, body)
}

/// Durable articles a second, turn by turn, so that a disk that gets slower slows all of them.
fn speeds() {
    const TURNS: u64 = 12;
    const BATCHES: u64 = 20;
    let folder = tempfile::tempdir().unwrap();
    let store = opened(folder.path());
    for number in 1..=50 {
        store.ensure_category(&format!("报{number}"), None, now()).unwrap();
    }
    let db = sled::open(folder.path().join("bare")).unwrap();
    let trees = (db.open_tree("item").unwrap(), db.open_tree("body").unwrap());
    let mut raw = File::create(folder.path().join("raw")).unwrap();
    let mut spent = [[Duration::ZERO; 3]; 2];
    let mut next = 0;
    for _ in 0..TURNS {
        for (group, every) in [(0, 1), (1, 10)] {
            let from = next;
            next += BATCHES * BATCH;
            let batches: Vec<Vec<u64>> =
                (0..BATCHES).map(|n| (from + n * BATCH..from + (n + 1) * BATCH).collect()).collect();
            let own: Vec<Vec<_>> = batches.iter().map(|b| b.iter().copied().map(change).collect()).collect();
            let bytes: Vec<Vec<Packed>> =
                batches.iter().map(|b| b.iter().copied().map(packed).collect()).collect();
            let begun = Instant::now();
            for (number, batch) in (1..).zip(own) {
                store.commit(batch, now()).unwrap();
                if number % every == 0 {
                    store.sync().unwrap();
                }
            }
            spent[group][0] += begun.elapsed();
            let begun = Instant::now();
            for (number, batch) in (1..).zip(&bytes) {
                bare(&trees, batch);
                if number % every == 0 {
                    db.flush().unwrap();
                }
            }
            spent[group][1] += begun.elapsed();
            let begun = Instant::now();
            for (number, batch) in (1..).zip(&bytes) {
                for (key, item, body) in batch {
                    raw.write_all(&[&key[..], item, body].concat()).unwrap();
                }
                if number % every == 0 {
                    raw.sync_data().unwrap();
                }
            }
            spent[group][2] += begun.elapsed();
        }
    }
    for (name, [own, bare, raw]) in ["each batch of 30 durable", "each ten batches durable"].iter().zip(spent)
    {
        let speed =
            |time: Duration| f64::from(u32::try_from(TURNS * BATCHES * BATCH).unwrap()) / time.as_secs_f64();
        println!(
            "{name}: {:.0} articles a second; bare sled {:.0} ({:.2} of it), raw append and fdatasync {:.0} ({:.2} of it)",
            speed(own),
            speed(bare),
            speed(own) / speed(bare),
            speed(raw),
            speed(own) / speed(raw)
        );
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
