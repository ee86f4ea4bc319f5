//! Promise: a rewritten store that cannot be opened again recovers without a restart as soon as possible;
//! meanwhile the daemon does not report itself as ready. Whenever the process is interrupted, a complete
//! store is found.

#![expect(clippy::unwrap_used, reason = "a sample that is not there ends the test")]

mod common;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::samples::{self, RssItem, feed_source, rss};
use common::{Upstream, at};
use feedmill::control::{Event, Query};
use feedmill::model::{Body, CodeSpace, InfoCode, Timestamp};
use feedmill::store::{
    Change, Changes, Items, Mended, OnDamage, Records, SledStore, StoreError, StoreOptions,
};
use feedmill::{clock, config, daemon};
use tokio_util::sync::CancellationToken;

fn now() -> Timestamp {
    at("2026-05-01T04:00:00Z")
}

fn code(n: u32) -> InfoCode {
    InfoCode::new(CodeSpace::new("s").unwrap(), &n.to_string())
}

fn filled(path: &Path) -> SledStore {
    let store = SledStore::open(path, 1 << 20).unwrap();
    add(&store, 0..20);
    store
}

fn add(store: &SledStore, numbers: std::ops::Range<u32>) {
    let change = |n| {
        let mut change = Change::of(code(n));
        change.body = Some(Body { html: format!("text {n}"), ..Body::default() });
        change.item = Some(samples::item(code(n)));
        change
    };
    store.commit(numbers.map(change).collect(), now()).unwrap();
    store.sync().unwrap();
}

fn is_whole(store: &SledStore, numbers: std::ops::Range<u32>) {
    for n in numbers {
        assert_eq!(store.body(&code(n)).unwrap().html, format!("text {n}"));
    }
}

fn beside(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    let mut names: Vec<String> = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name != ".store.lock");
    names.sort();
    names
}

fn garbage(store: &Path) {
    let length = fs::metadata(store.join("db")).unwrap().len();
    fs::write(store.join("db"), vec![0xA5; usize::try_from(length).unwrap()]).unwrap();
}

/// Prevents any process from opening a database in a folder.
fn block(store: &Path) {
    fs::remove_file(store.join("mark")).unwrap();
    fs::create_dir(store.join("mark")).unwrap();
}

fn unblock(store: &Path) {
    fs::remove_dir(store.join("mark")).unwrap();
}

/// A fault that affects a store and its copy, by their paths.
type Trouble = fn(&Path, &Path);

/// Runs a compaction with a fault at its end.
fn compacted(store: &SledStore, path: &Path, trouble: Trouble) -> Result<(u64, u64), StoreError> {
    let copy = path.with_file_name("store.new");
    store.compact(&mut |done, of, _| {
        if done == of {
            trouble(path, &copy);
        }
    })
}

#[test]
fn a_copy_that_cannot_be_opened_gives_way_to_the_store_before() {
    let troubles: [(&str, Trouble); 2] =
        [("it is damaged", |_, copy| garbage(copy)), ("it may not be opened", |_, copy| block(copy))];
    for (what, trouble) in troubles {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let store = filled(&path);
        compacted(&store, &path, trouble).unwrap_err();
        is_whole(&store, 0..20);
        add(&store, 20..25);
        assert_eq!(store.mend(now()).unwrap(), Mended::Sound, "{what}");
        assert_eq!(beside(folder.path()), ["store"], "{what}: nothing is left beside it");
        drop(store);
        is_whole(&SledStore::open(&path, 1 << 20).unwrap(), 0..25);
    }
}

#[test]
fn a_store_that_could_not_be_opened_again_says_why_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = filled(&path);
    compacted(&store, &path, |path, copy| {
        block(path);
        block(copy);
    })
    .unwrap_err();
    for _ in 0..2 {
        let said = store.cursor().unwrap_err().to_string();
        assert!(said.contains("closed for now") && said.contains("open its mark"), "{said}");
        assert!(store.trouble().is_some());
        store.mend(now()).unwrap_err();
    }
    unblock(&path);
    assert_eq!(store.mend(now()).unwrap(), Mended::Reopened);
    is_whole(&store, 0..20);
    assert_eq!(beside(folder.path()), ["store"]);
}

/// Folders as a crash leaves them, before each step of replacing the store by its copy.
#[test]
fn at_every_cut_a_whole_store_is_found() {
    type Cut = fn(&Path, &Path, &Path);
    let cuts: [(&str, Cut, &[&str]); 9] = [
        ("a copy is half-written", |_, new, _| fs::write(new.join("db"), b"half").unwrap(), &["store"]),
        ("a copy is whole", |_, new, _| note(new, "store.old"), &["store"]),
        ("both changed places", |store, _, _| note(store, "store.old"), &["store"]),
        ("the one before is aside", |_, new, old| fs::rename(new, old).unwrap(), &["store"]),
        (
            "the one before is aside, and the note is there yet",
            |store, new, old| {
                note(store, "store.old");
                fs::rename(new, old).unwrap();
            },
            &["store"],
        ),
        (
            "one was damaged: it is kept",
            |store, _, _| note(store, "store.damaged"),
            &["store", "store.damaged"],
        ),
        (
            "in two steps: the new one is not there yet",
            |store, new, old| {
                note(new, "store.old");
                fs::rename(store, old).unwrap();
            },
            &["store"],
        ),
        ("on the way back", |store, _, old| fs::rename(store, old).unwrap(), &["store"]),
        (
            "the copy in its place is damaged",
            |store, new, old| {
                fs::rename(new, old).unwrap();
                garbage(store);
            },
            &["store"],
        ),
    ];
    for (what, cut, left) in cuts {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        drop(filled(&path));
        let (new, old) = (path.with_file_name("store.new"), path.with_file_name("store.old"));
        copy(&path, &new);
        cut(&path, &new, &old);
        let options = StoreOptions::plain(&path, 1 << 20);
        let (store, _) = SledStore::open_or_mend(options, OnDamage::BeginAnew, now()).unwrap();
        is_whole(&store, 0..20);
        assert_eq!(beside(folder.path()), left, "{what}");
        drop(store);
        is_whole(&SledStore::open(&path, 1 << 20).unwrap(), 0..20);
    }
}

/// An old copy that could not be deleted is not restored.
#[test]
fn what_was_left_behind_does_not_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = filled(&path);
    drop(store);
    copy(&path, &path.with_file_name("store.old"));
    let store = SledStore::open(&path, 1 << 20).unwrap();
    add(&store, 20..40);
    drop(store);
    garbage(&path);
    let options = StoreOptions::plain(&path, 1 << 20);
    let (_, mended) = SledStore::open_or_mend(options, OnDamage::BeginAnew, now()).unwrap();
    assert!(matches!(mended, Mended::Damaged(_)), "{mended:?}");
}

fn note(store: &Path, aside: &str) {
    fs::write(store.join("successor"), aside).unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}

/// A running daemon, with its store's path and the address of its status page.
struct Turning {
    mill: Arc<daemon::Mill>,
    store: PathBuf,
    shown: SocketAddr,
    stop: CancellationToken,
    ended: tokio::task::JoinHandle<Result<(), daemon::DaemonError>>,
}

async fn turning(folder: &Path, upstream: &Upstream) -> Turning {
    let item = RssItem { guid: "n-1", title: "n-1", html: "<p>文</p>", ..RssItem::default() };
    upstream.rss("/feed.xml", rss("https://paper.example/", &[item]));
    let shown = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let main = format!(
        "[site]\nurl = \"https://news.example.org/\"\n[serve]\nlisten = \"127.0.0.1:0\"\n[status]\nlisten = \"{shown}\"\n\
         [store]\npath = \"store\"\n[output]\npath = \"public\"\n[control]\nsocket = \"control.sock\"\n\
         [fetch]\nallow = [\"127.0.0.1\"]\n{}",
        feed_source("paper", "样本日报", upstream, "/feed.xml")
    );
    let file = folder.join("feedmill.toml");
    fs::write(&file, main).unwrap();
    let config = config::load(&file).config.unwrap();
    let store = config.store.path.clone();
    let mill = daemon::Mill::open(config, Arc::new(clock::SystemClock), OnDamage::BeginAnew).await.unwrap();
    let (mill, stop) = (Arc::new(mill), CancellationToken::new());
    let (own, token) = (Arc::clone(&mill), stop.clone());
    let ended = tokio::spawn(async move { daemon::run(own, token, None, |_| {}).await });
    Turning { mill, store, shown, stop, ended }
}

/// Returns the answer of `/readyz` once it contains `word`.
async fn says(shown: SocketAddr, word: &str) -> String {
    let since = Instant::now();
    loop {
        let answer = reqwest::get(format!("http://{shown}/readyz")).await;
        let said = match answer {
            Ok(mut answer) => {
                let told = answer.chunk().await.unwrap().unwrap_or_default();
                String::from_utf8_lossy(&told).into_owned()
            }
            Err(error) => error.to_string(),
        };
        if said.contains(word) {
            return said;
        }
        assert!(since.elapsed() < Duration::from_mins(1), "nobody says {word}: {said}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_says_that_its_store_is_closed_and_goes_on_by_itself() {
    let (upstream, folder) = (Upstream::start().await, tempfile::tempdir().unwrap());
    let Turning { mill, store, shown, stop, ended } = turning(folder.path(), &upstream).await;
    says(shown, "ready\n").await;
    let (own, path) = (Arc::clone(&mill), store.clone());
    let compact = feedmill::blocking::run_long(move || {
        compacted(&own.backend, &path, |path, copy| {
            block(path);
            block(copy);
        })
    });
    compact.await.unwrap().unwrap_err();
    let said = says(shown, "closed for now").await;
    assert!(said.contains("存储不可用") && said.contains("open its mark"), "{said}");
    let (events, mut answers) = tokio::sync::mpsc::channel(10);
    daemon::handle(Arc::clone(&mill), Query::Status, events).await;
    let Some(Event::Done(status)) = answers.recv().await else { panic!("no status") };
    assert_eq!(status["attention"][0]["kind"], "closed", "{status:#}");
    assert!(status["attention"][0]["what"].as_str().unwrap().contains("open its mark"), "{status:#}");
    unblock(&store);
    says(shown, "ready\n").await;
    assert!(!store.with_file_name("store.new").exists() && !store.with_file_name("store.old").exists());
    stop.cancel();
    ended.await.unwrap().unwrap();
}
