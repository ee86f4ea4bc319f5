//! Promise: a store that is damaged or out of space recovers by itself; nothing that was published is lost,
//! and no output is ever overwritten by an emptier one.

#![expect(clippy::unwrap_used, reason = "a sample that is not there ends the test")]

mod common;

use std::fs;
use std::path::Path;

use common::samples::{RssItem, feed_source, rss};
use common::{Mill, Tree, Upstream, at, changed_paths};
use feedmill::control::{Event, Query, StoreQuery};
use feedmill::model::InfoCode;
use feedmill::store::backup::{self, Form};
use feedmill::store::{Mended, OnDamage, Past, SledStore, StoreError, StoreOptions};

const MAIN: &str = "[site]\nurl = \"https://news.example.org/\"\ntitle = \"样本\"\n";

/// Returns a mill that has published twelve items of one feed.
async fn published(upstream: &Upstream) -> Mill {
    let names: Vec<String> = (0..12).map(|n| format!("n-{n}")).collect();
    let item = |name| RssItem {
        guid: name,
        title: name,
        html: "<p>文</p>",
        date: "Thu, 30 Apr 2026 08:00:00 GMT",
        ..RssItem::default()
    };
    let items: Vec<RssItem<'_>> = names.iter().map(|name| item(name)).collect();
    upstream.rss("/feed.xml", rss("https://paper.example/", &items));
    let source = feed_source("paper", "样本日报", upstream, "/feed.xml");
    let mill = Mill::open(at("2026-05-01T04:00:00Z"), MAIN, &source).await;
    mill.round().await;
    mill.publish().await;
    mill
}

fn feeds(tree: Tree) -> Tree {
    tree.into_iter()
        .filter(|(path, _)| path.starts_with("feed/") && Path::new(path).extension() == Some("json".as_ref()))
        .collect()
}

type Damage = fn(&Path);

/// Returns ways to damage a store's files.
fn damages() -> Vec<(&'static str, Damage)> {
    vec![
        ("the database is cut off", |store| cut(&store.join("db"), 3)),
        ("the database is empty", |store| cut(&store.join("db"), 0)),
        ("the database is gone", |store| fs::remove_file(store.join("db")).unwrap()),
        ("its settings are gone", |store| fs::remove_file(store.join("conf")).unwrap()),
        ("its settings are garbage", |store| fs::write(store.join("conf"), b"garbage").unwrap()),
        ("its settings are no text", |store| fs::write(store.join("conf"), [0xff; 60]).unwrap()),
        ("its settings are cut off", |store| cut(&store.join("conf"), 5)),
        ("zeros in the database", |store| zeros(&store.join("db"))),
    ]
}

fn cut(file: &Path, part: u64) {
    let length = fs::metadata(file).unwrap().len();
    fs::File::options().write(true).open(file).unwrap().set_len(length * part / 10).unwrap();
}

fn zeros(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let some = bytes.len() / 8;
    bytes[..some].fill(0);
    fs::write(file, bytes).unwrap();
}

#[tokio::test]
async fn a_damaged_store_begins_anew_and_no_output_is_emptier() {
    for (what, damage) in damages() {
        for exported in [true, false] {
            let upstream = Upstream::start().await;
            let mut mill = published(&upstream).await;
            let before = feeds(mill.outputs());
            if exported {
                let path = mill.path("data/exports").join(backup::name(mill.now()));
                mill.own().backend.export(&path, Form::Packed, mill.now(), &mut |_, _| {}).unwrap();
            }
            let source = feed_source("paper", "样本日报", &upstream, "/feed.xml");
            mill.damage(damage);
            mill.reopen(MAIN, &source).await;
            assert_eq!(mill.items().len(), 12, "{what}, exported: {exported}");
            mill.publish().await;
            mill.pass(60);
            mill.round().await;
            mill.publish().await;
            assert_eq!(mill.items().len(), 12, "{what}, exported: {exported}");
            let after = feeds(mill.outputs());
            let ids = |tree: &Tree| tree.values().map(|bytes| ids(bytes)).collect::<Vec<_>>();
            assert_eq!(ids(&before), ids(&after), "{what}, exported: {exported}");
            if exported {
                assert_eq!(changed_paths(&before, &after).len(), 0, "{what}");
            }
            let aside = fs::read_dir(mill.path("data")).unwrap().flatten();
            let aside = aside.filter(|e| e.file_name().to_string_lossy().contains("damaged")).count();
            // Its settings are always the same.
            let settings = what.contains("settings");
            assert_eq!(aside, usize::from(!settings), "{what}: it is put aside, never deleted");
        }
    }
}

fn ids(feed: &[u8]) -> Vec<(String, String)> {
    let feed: serde_json::Value = serde_json::from_slice(feed).unwrap();
    let text = |item: &serde_json::Value, name: &str| item[name].as_str().unwrap().to_owned();
    feed["items"].as_array().unwrap().iter().map(|item| (text(item, "id"), text(item, "title"))).collect()
}

#[test]
fn what_is_not_damaged_is_not_put_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let options = StoreOptions::plain(&path, 1 << 20);
    let now = at("2026-05-01T04:00:00Z");
    let (store, mended) = SledStore::open_or_mend(options.clone(), OnDamage::BeginAnew, now).unwrap();
    assert_eq!(mended, Mended::Sound);
    assert!(matches!(
        SledStore::open_or_mend(options.clone(), OnDamage::BeginAnew, now),
        Err(StoreError::Locked { .. })
    ));
    assert_eq!(store.mend(now).unwrap(), Mended::Sound);
    drop(store);
    assert_eq!(SledStore::open_or_mend(options, OnDamage::BeginAnew, now).unwrap().1, Mended::Sound);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "it and its lock");
}

#[test]
fn the_ballast_is_there_and_goes_with_the_config() {
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions { ballast: 1 << 20, ..StoreOptions::plain(&folder.path().join("s"), 1 << 20) };
    let now = at("2026-05-01T04:00:00Z");
    drop(SledStore::open_or_mend(options, OnDamage::BeginAnew, now).unwrap());
    assert_eq!(fs::metadata(folder.path().join("s/ballast")).unwrap().len(), 1 << 20);
}

/// Sends a query, and returns the answer.
async fn asked(mill: &Mill, query: StoreQuery) -> Result<serde_json::Value, String> {
    match mill.ask(Query::Store(query)).await {
        Event::Done(answer) => Ok(answer),
        Event::Failed(message) => Err(message),
        Event::Progress { .. } => Err("no end".to_owned()),
    }
}

/// Returns everything that is stored of the items.
fn told(mill: &Mill, codes: &[InfoCode]) -> Vec<String> {
    let store = mill.store();
    let one = |code: &InfoCode| {
        let (item, forms) = (store.item(code).unwrap(), store.versions(code).unwrap());
        let (body, out) = (store.body(code).unwrap(), store.tombstone(code).unwrap());
        let Past { history: story, revisions } = store.past(code).unwrap();
        format!(
            "{item:?} {forms:?} {body:?} {revisions:?} {story:?} {out:?} {:?}",
            store.listings(code).unwrap()
        )
    };
    codes.iter().map(one).collect()
}

#[tokio::test]
async fn what_is_exported_comes_back_either_way() {
    for form in [Form::Packed, Form::Lines] {
        let upstream = Upstream::start().await;
        let mill = published(&upstream).await;
        let codes: Vec<InfoCode> = mill.items().into_iter().map(|item| item.code).collect();
        for (number, erase) in [(3, false), (4, true)] {
            let (code, why) = (codes[number].text(None), "asked".to_owned());
            assert!(matches!(
                mill.ask(Query::Withdraw {
                    names: vec![code],
                    why,
                    erase,
                    copies: false,
                    exports: false,
                    dry_run: false
                })
                .await,
                Event::Done(_)
            ));
        }
        let path = mill.path("export").to_str().unwrap().to_owned();
        asked(&mill, StoreQuery::Export { path: path.clone(), form }).await.unwrap();
        let before = told(&mill, &codes);

        let source = feed_source("paper", "样本日报", &upstream, "/feed.xml");
        let other = Mill::open(at("2026-05-02T04:00:00Z"), MAIN, &source).await;
        let import = |path: String, replace| StoreQuery::Import { path, replace };
        refuse_damaged(&other, &path, &import).await;
        asked(&other, import(path.clone(), false)).await.unwrap();
        assert_eq!(told(&other, &codes), before, "{form:?}");
        assert_eq!(other.items().len(), 10);
        assert_eq!(asked(&other, StoreQuery::Check).await.unwrap()["told"], serde_json::json!([]));
        let report = other.poll("paper").await;
        assert_eq!((report.inserted, report.updated, report.listed), (0, 0, 12), "all of it is known");

        // The second time nothing is missing.
        let taken = asked(&other, import(path.clone(), false)).await.unwrap();
        assert_eq!((&taken["items"], &taken["known"]), (&0.into(), &11.into()));
        let kept = asked(&other, import(path, true)).await.unwrap();
        assert!(Path::new(kept["kept"].as_str().unwrap()).is_dir(), "what was there is kept");
        assert_eq!(other.items().len(), 10);
    }
}

/// An incomplete or damaged export changes nothing.
async fn refuse_damaged(mill: &Mill, path: &str, import: &impl Fn(String, bool) -> StoreQuery) {
    let whole = fs::read(path).unwrap();
    let hurt = format!("{path}.hurt");
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x04;
    for bytes in [&whole[..whole.len() - 5], &whole[..middle], &flipped, b"{}\n", b"nothing"] {
        fs::write(&hurt, bytes).unwrap();
        asked(mill, import(hurt.clone(), true)).await.unwrap_err();
        assert_eq!(mill.items().len(), 0);
    }
}

#[tokio::test]
async fn the_daemon_mends_and_compacts_while_it_turns() {
    let upstream = Upstream::start().await;
    let mill = published(&upstream).await;
    let before = mill.outputs();
    for query in [StoreQuery::Check, StoreQuery::Repair, StoreQuery::Compact, StoreQuery::Stats] {
        let answer = asked(&mill, query.clone()).await.unwrap();
        assert!(answer["faults"].as_u64().unwrap_or(0) == 0, "{query:?}: {answer}");
    }
    assert_eq!(mill.items().len(), 12);
    mill.publish().await;
    assert_eq!(changed_paths(&before, &mill.outputs()).len(), 0);
    assert_eq!(fs::read_dir(mill.path("data")).unwrap().flatten().count(), 3, "only its lock is beside it");
}
