//! Promise: as little as possible of a damaged store is lost. It is repaired in place, or else its readable
//! parts are kept, and only if there are none it is restored from the last export; losses are reported.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a sample that is not there ends the test")]

mod common;

use std::fs;
use std::path::Path;

use common::samples::{self, RssItem, feed_source, rss};
use common::{Mill, Tree, Upstream, at, changed_paths};
use feedmill::control::{Event, Query, StoreQuery};
use feedmill::model::{Body, CategoryId, CodeSpace, InfoCode, Item, SourceId, Timestamp};
use feedmill::store::backup::{self, Form};
use feedmill::store::{
    Categories, Change, Changes, Items, Loss, Mended, OnDamage, Placement, Records, Remedy, SledStore,
    StoreOptions, Tombstone, WithdrawnBy,
};

const MAIN: &str = "[site]\nurl = \"https://news.example.org/\"\ntitle = \"样本\"\n";
/// A text that occurs only in the damaged article.
const MARKED: &str = "the-text-that-is-hurt";

fn now() -> Timestamp {
    at("2026-05-01T04:00:00Z")
}

/// Returns a mill that has published twelve items of one feed, whose texts do not compress.
async fn published(upstream: &Upstream) -> (Mill, String) {
    let names: Vec<String> = (0..12).map(|n| format!("n-{n}")).collect();
    let texts: Vec<String> =
        names.iter().map(|n| format!("<p>{}</p>", if n == "n-7" { MARKED } else { n })).collect();
    let item = |(name, html)| RssItem {
        guid: name,
        title: name,
        html,
        date: "Thu, 30 Apr 2026 08:00:00 GMT",
        ..RssItem::default()
    };
    let named = names.iter().map(String::as_str).zip(texts.iter().map(String::as_str));
    upstream.rss("/feed.xml", rss("https://paper.example/", &named.map(item).collect::<Vec<_>>()));
    let source = feed_source("paper", "样本日报", upstream, "/feed.xml");
    let mill = Mill::open(now(), MAIN, &source).await;
    mill.round().await;
    mill.publish().await;
    (mill, source)
}

/// Damages that one text.
fn hurt_text(store: &Path) {
    for text in fs::read_dir(store.join("texts")).unwrap().flatten() {
        hurt(&text.path(), MARKED.as_bytes());
    }
}

/// Damages a file wherever it contains `pattern`.
fn hurt(file: &Path, pattern: &[u8]) {
    let mut bytes = fs::read(file).unwrap();
    let found = |bytes: &[u8]| bytes.windows(pattern.len()).position(|window| window == pattern);
    while let Some(at) = found(&bytes) {
        bytes[at..at + pattern.len()].fill(0xA5);
    }
    fs::write(file, bytes).unwrap();
}

fn feeds(mill: &Mill) -> Tree {
    let feed = |(path, _): &(String, Vec<u8>)| path.starts_with("feed/");
    mill.outputs().into_iter().filter(feed).collect()
}

fn texts(mill: &Mill) -> Vec<String> {
    let items = mill.items();
    items.iter().map(|item| mill.store().body(&item.code).unwrap().html).collect()
}

fn export(mill: &Mill) {
    let path = mill.path("data/exports").join(backup::name(mill.now()));
    mill.own().backend.export(&path, Form::Packed, mill.now(), &mut |_, _| {}).unwrap();
}

fn beside(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    let mut names: Vec<String> = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name.starts_with("store"));
    names.sort();
    names
}

async fn attention(mill: &Mill) -> Vec<(String, String)> {
    let Event::Done(status) = mill.ask(Query::Status).await else { panic!("no status") };
    let all = status["attention"].as_array().unwrap();
    let text = |one: &serde_json::Value, key: &str| one[key].as_str().unwrap().to_owned();
    all.iter().map(|one| (text(one, "kind"), text(one, "what"))).collect()
}

#[tokio::test]
async fn one_damaged_text_costs_no_other_article() {
    let upstream = Upstream::start().await;
    let (mut mill, source) = published(&upstream).await;
    export(&mill);
    // Data from after the export which the newspaper no longer has: this test is about it.
    mill.pass(60);
    let late = mill.items()[3].code.clone();
    let stone = Tombstone::new(mill.now(), WithdrawnBy::Admin, "asked", false);
    mill.store().withdraw(&late, &stone).unwrap();
    mill.publish().await;
    let (before, shown) = (feeds(&mill), texts(&mill));
    assert_eq!(shown.len(), 11);

    mill.damage(hurt_text);
    mill.reopen(MAIN, &source).await;
    assert_eq!(texts(&mill), shown, "the export still has the text");
    let left = mill.store().tombstone(&late).unwrap().unwrap();
    assert_eq!(left.at, stone.at, "what was done since stays");
    assert_eq!(beside(&mill.path("data")), ["store"], "nothing is put aside");
    let loss = mill.own().backend.last_loss().unwrap().unwrap();
    assert_eq!((loss.remedy, loss.texts, loss.articles, loss.from_export), (Remedy::InPlace, 0, 0, 1));
    let said = attention(&mill).await;
    assert!(said.iter().any(|(kind, what)| kind == "mended" && what.contains("lost: 0")), "{said:?}");
    mill.publish().await;
    assert_eq!(changed_paths(&before, &feeds(&mill)).len(), 0);
    mill.pass(8 * 86_400);
    let said = attention(&mill).await;
    assert!(said.iter().all(|(kind, _)| kind != "mended"), "it is not said for ever: {said:?}");
}

#[tokio::test]
async fn what_no_export_has_comes_from_what_is_published_or_is_asked_for() {
    for outputs in [true, false] {
        let upstream = Upstream::start().await;
        let (mut mill, source) = published(&upstream).await;
        let shown = texts(&mill);
        mill.damage(hurt_text);
        if !outputs {
            fs::remove_dir_all(mill.path("data/public")).unwrap();
        }
        mill.reopen(MAIN, &source).await;
        let loss = mill.own().backend.last_loss().unwrap().unwrap();
        assert_eq!((loss.remedy, loss.from_export), (Remedy::InPlace, 0));
        assert_eq!((loss.texts, loss.from_outputs), if outputs { (0, 1) } else { (1, 0) });
        assert_eq!(texts(&mill) == shown, outputs);
        let lost = format!("lost: {}", loss.texts);
        assert!(attention(&mill).await.iter().any(|(_, what)| what.contains(&lost)), "{lost}");
        mill.pass(60);
        mill.round().await;
        assert_eq!(texts(&mill), shown, "its newspaper gives it again");
        assert_eq!(beside(&mill.path("data")), ["store"]);
    }
}

#[tokio::test]
async fn a_look_says_what_a_repair_would_lose_and_changes_nothing() {
    let upstream = Upstream::start().await;
    let (mill, _) = published(&upstream).await;
    let asked = async |query| {
        let Event::Done(answer) = mill.ask(Query::Store(query)).await else { panic!("no answer") };
        (
            answer["faults"].as_u64().unwrap(),
            serde_json::from_value::<Option<Loss>>(answer["loss"].clone()).unwrap(),
        )
    };
    assert_eq!(asked(StoreQuery::Check).await, (0, None));
    hurt_text(&mill.path("data/store"));
    let (faults, loss) = asked(StoreQuery::Check).await;
    let loss = loss.unwrap();
    assert_eq!((faults, loss.texts, loss.from_export, loss.export), (1, 1, 0, None));
    let (_, again) = asked(StoreQuery::Check).await;
    assert_eq!(again.unwrap().texts, 1, "a look changes nothing");
    let (faults, loss) = asked(StoreQuery::Repair).await;
    assert_eq!((faults, loss.unwrap().remedy), (1, Remedy::InPlace));
    assert_eq!(asked(StoreQuery::Check).await, (0, None));
}

fn code(n: i64) -> InfoCode {
    InfoCode::new(CodeSpace::new("s").unwrap(), &format!("code-{n:04}"))
}

fn change(n: i64, home: CategoryId) -> Change {
    let mut change = Change::of(code(n));
    let shown = |category| Placement { category, shown: true };
    change.enters = vec![shown(home), shown(CategoryId::SITE)];
    change.body = Some(Body { html: format!("<p>{n}</p>"), ..Body::default() });
    change.item = Some(Item {
        title: format!("title-{n}-of-it"),
        published: Timestamp::from_unix(1_700_000_000 + n),
        home,
        categories: vec![home],
        permalink: format!("jia/2027/{n}.html"),
        lead: SourceId::new("s").unwrap(),
        excerpt: "x".repeat(300),
        ..samples::item(code(n))
    });
    change
}

/// Adds articles to a store, and closes it.
fn add(options: &StoreOptions, numbers: std::ops::Range<i64>) {
    let store = SledStore::open(&options.path, 1 << 20).unwrap();
    let home = store.ensure_category("甲报", None, now()).unwrap().id;
    let changes: Vec<Change> = numbers.map(|n| change(n, home)).collect();
    for some in changes.chunks(50) {
        store.commit(some.to_vec(), now()).unwrap();
    }
    store.sync().unwrap();
}

/// Creates a store with many articles, as a compaction leaves it. An export has those up to `exported`.
fn large(options: &StoreOptions, all: i64, exported: i64) {
    add(options, 0..exported);
    let store = SledStore::open(&options.path, 1 << 20).unwrap();
    let path = options.exports.clone().unwrap().join(backup::name(now()));
    store.export(&path, Form::Packed, now(), &mut |_, _| {}).unwrap();
    drop(store);
    add(options, exported..all - 1);
    SledStore::open(&options.path, 1 << 20).unwrap().compact(&mut |_, _, _| {}).unwrap();
}

fn title(n: i64) -> Vec<u8> {
    format!("title-{n}-of-it").into_bytes()
}

/// Returns an article from `from` on that is not in the part of sled's log that is being written: that part
/// is read whole at each start, and the store cannot be opened if it is damaged.
fn settled(before: &[u8], after: &[u8], from: i64) -> i64 {
    const SEGMENT: usize = 512 << 10;
    let written = |at: usize| {
        let part = at / SEGMENT * SEGMENT..(at / SEGMENT + 1) * SEGMENT;
        before.get(part.start..part.end.min(before.len())) != after.get(part.start..part.end.min(after.len()))
    };
    let is_settled = |n: &i64| {
        let mut places = after.windows(title(*n).len()).enumerate().filter(|(_, bytes)| *bytes == title(*n));
        places.all(|(at, _)| !written(at))
    };
    (from..from + 500).step_by(20).find(is_settled).unwrap()
}

fn mended(options: &StoreOptions) -> (SledStore, Loss) {
    let (store, mended) =
        SledStore::open_or_mend(options.clone(), OnDamage::BeginAnew, now().plus(60)).unwrap();
    let Mended::Damaged(loss) = mended else { panic!("{mended:?}") };
    assert_eq!(store.check(&mut |_, _, _| {}).unwrap().told, Vec::<String>::new());
    (store, *loss)
}

#[test]
fn what_can_be_read_is_kept_and_the_export_adds_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions {
        exports: Some(folder.path().join("exports")),
        ..StoreOptions::plain(&folder.path().join("store"), 1 << 20)
    };
    large(&options, 1_500, 700);
    let db = options.path.join("db");
    drop(SledStore::open(&options.path, 1 << 20).unwrap());
    let before = fs::read(&db).unwrap();
    add(&options, 1_499..1_500);
    drop(SledStore::open(&options.path, 1 << 20).unwrap());
    let after = fs::read(&db).unwrap();
    // Two pages of articles: one that is in the export, one that is not.
    for from in [200, 900] {
        hurt(&db, &title(settled(&before, &after, from)));
    }
    let (store, loss) = mended(&options);
    assert_eq!((loss.remedy, loss.changes), (Remedy::Salvaged, 0), "{loss:?}");
    let there: Vec<i64> = (0..1_500).filter(|n| store.item(&code(*n)).unwrap().is_some()).collect();
    let gone = 1_500 - there.len();
    assert!((1..60).contains(&gone), "{gone} of 1500 are gone");
    assert_eq!(loss.articles, gone as u64, "what is lost is said");
    assert!(loss.from_export > 0 && loss.export == Some(now()));
    assert!((0..700).all(|n| there.contains(&n)), "what the export has is there");
    assert!(there.iter().any(|n| *n > 1_200) && there.iter().any(|n| (700..850).contains(n)));
    for n in there {
        assert_eq!(store.body(&code(n)).unwrap().html, format!("<p>{n}</p>"));
    }
    assert_eq!(beside(folder.path()), ["store", "store.damaged"]);
    assert_eq!(loss.aside, Some(options.path.with_file_name("store.damaged").display().to_string()));
    // New numbers continue the old ones.
    let home = store.find_category("甲报").unwrap().unwrap().id;
    let before = store.cursor().unwrap();
    store.commit(vec![change(9_000, home)], now().plus(90)).unwrap();
    assert!(!before.covers(store.item(&code(9_000)).unwrap().unwrap().touched));
    assert_eq!(store.check(&mut |_, _, _| {}).unwrap().told, Vec::<String>::new());
}

#[test]
fn an_export_that_reaches_further_is_the_smaller_loss() {
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions {
        exports: Some(folder.path().join("exports")),
        ..StoreOptions::plain(&folder.path().join("store"), 1 << 20)
    };
    large(&options, 40, 30);
    fs::write(options.path.join("db"), b"").unwrap();
    let (store, loss) = mended(&options);
    assert_eq!((loss.remedy, loss.export), (Remedy::Exported, Some(now())));
    assert!(loss.changes > 0, "{loss:?}");
    assert_eq!((0..40).filter(|n| store.item(&code(*n)).unwrap().is_some()).count(), 30);
    // The same without an export.
    fs::remove_dir_all(options.exports.as_ref().unwrap()).unwrap();
    drop(store);
    fs::write(options.path.join("db"), b"").unwrap();
    let (store, loss) = mended(&options);
    assert_eq!((loss.remedy, loss.export), (Remedy::Emptied, None));
    assert_eq!(store.items_in(CategoryId::SITE, window()).unwrap(), []);
    assert_eq!(beside(folder.path()), ["store", "store.damaged", "store.damaged.2"], "none is deleted");
}

fn window() -> feedmill::store::Window {
    feedmill::store::Window { items: 99, age: -1, most: 99, archived: true }
}
