//! Promise: an export is the whole store at one moment, whatever happens while it is written. An import of
//! it gives the same outputs as the exported store, byte for byte; a file that is incomplete or from another
//! site changes nothing.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a sample that is not there ends the test")]

mod common;

use std::cell::Cell;
use std::fs;
use std::path::Path;

use common::samples::{RssItem, feed_source, rss};
use common::{Mill, Tree, Upstream, at};
use feedmill::control::{Event, Query, StoreQuery};
use feedmill::model::{Body, CategoryId, CodeSpace, Cursor, InfoCode, Item, Slug, Timestamp};
use feedmill::store::backup::Form;
use feedmill::store::{
    Categories, Change, Changes, Imported, Items, Move, Mover, Placement, Records, Revision, SledStore,
    StoreError, TakenIn, Tombstone, WithdrawnBy,
};

const MAIN: &str = "[site]\nurl = \"https://news.example.org/\"\ntitle = \"样本\"\n\
    id_authority = \"news.example.org,2026\"\n[output]\narticles = \"files\"\ncorrections = true\n";
const PAPERS: [(&str, &str); 3] = [("jia", "甲城日报"), ("yi", "乙城晚报"), ("bing", "丙城时报")];

/// Serves items `from..to` of each newspaper; those before `edited` with another text.
fn put(upstream: &Upstream, from: u32, to: u32, edited: u32) {
    for (id, _) in PAPERS {
        let texts: Vec<[String; 4]> = (from..to)
            .map(|n| {
                let now = if n < edited { "改正后的" } else { "" };
                let link = format!("https://{id}.example.org/{n}");
                let date = at("2026-04-28T00:00:00Z").plus(i64::from(n) * 600).rfc822();
                [link, format!("{now}第{n}条"), format!("<p>{now}正文 {n}</p>").repeat(20), date]
            })
            .collect();
        let items: Vec<RssItem<'_>> = texts
            .iter()
            .map(|[link, title, html, date]| RssItem { guid: link, link, title, html, date })
            .collect();
        upstream.rss(&format!("/{id}.xml"), rss("https://paper.example/", &items));
    }
}

fn sources(upstream: &Upstream) -> String {
    let source = |(id, name): &(&str, &str)| feed_source(id, name, upstream, &format!("/{id}.xml"));
    PAPERS.iter().map(source).collect::<Vec<_>>().join("\n")
}

async fn asked(mill: &Mill, query: Query) -> serde_json::Value {
    match mill.ask(query).await {
        Event::Done(answer) => answer,
        other => panic!("{other:?}"),
    }
}

/// Returns a mill with sealed archive hundreds, corrections, a move, withdrawals, an erased item, a renamed
/// and a merged category.
async fn lived(upstream: &Upstream) -> Mill {
    let mill = Mill::open(at("2026-05-01T04:00:00Z"), MAIN, &sources(upstream)).await;
    for (from, to, edited) in [(0, 90, 0), (60, 150, 0), (100, 190, 120)] {
        put(upstream, from, to, edited);
        mill.pass(7_200);
        mill.round().await;
        mill.publish().await;
    }
    let code = |n: usize| mill.items()[n].code.text(None);
    for (number, erase) in [(3, false), (9, true)] {
        let names = vec![code(number)];
        let why = "asked".to_owned();
        asked(&mill, Query::Withdraw { names, why, erase, copies: false, exports: false, dry_run: false })
            .await;
    }
    asked(&mill, Query::Move { code: code(20), to: "乙城晚报".to_owned() }).await;
    let (category, name) = ("yichengwanbao".to_owned(), Some("乙城早报".to_owned()));
    asked(&mill, Query::RenameCategory { category, name, slug: Some("zaobao".to_owned()) }).await;
    let (from, into) = ("bingchengshibao".to_owned(), "zaobao".to_owned());
    asked(&mill, Query::MergeCategory { from, into, dry_run: false }).await;
    mill
}

/// Returns what a store publishes into an empty folder, except the publisher's records.
async fn published_anew(mill: &Mill) -> Tree {
    fs::remove_dir_all(mill.path("data/public")).unwrap_or_default();
    mill.publish().await;
    let mut tree = mill.outputs();
    tree.retain(|path, _| !path.starts_with(".feedmill/"));
    tree
}

#[tokio::test]
async fn outputs_of_an_import_are_those_of_the_store_that_was_exported() {
    let upstream = Upstream::start().await;
    let mut mill = lived(&upstream).await;
    let before = published_anew(&mill).await;
    assert!(before.len() > 400, "{}", before.len());
    for form in [Form::Packed, Form::Lines] {
        let path = mill.path("export").display().to_string();
        asked(&mill, Query::Store(StoreQuery::Export { path: path.clone(), form })).await;
        let config = fs::read_to_string(mill.path("config/sources.d/sources.toml")).unwrap();
        let other = Mill::open(mill.now(), MAIN, &config).await;
        let kept = asked(&other, Query::Store(StoreQuery::Import { path, replace: false })).await;
        assert!(kept["kept"].is_string(), "{kept}");
        assert_eq!(asked(&other, Query::Store(StoreQuery::Check)).await["told"], serde_json::json!([]));
        let after = published_anew(&other).await;
        let changed = common::changed_paths(&before, &after);
        assert!(changed.is_empty(), "{form:?}: {changed:?}");
        // The import continues as the original would.
        mill.pass(3_600);
        other.pass(3_600);
        mill = other;
    }
    put(&upstream, 120, 200, 160);
    let report = &mill.round().await[0];
    assert_eq!((report.inserted, report.updated), (10, 40), "all but the news is known");
}

fn noon() -> Timestamp {
    at("2026-05-01T12:00:00Z")
}

fn code(n: usize) -> InfoCode {
    InfoCode::new(CodeSpace::new("s").unwrap(), &format!("nr-{n}"))
}

/// Returns the change that inserts a new item of a category, or that corrects an existing one.
fn change(store: &SledStore, n: usize, home: CategoryId, text: &str) -> Change {
    let code = code(n);
    let mut change = Change::on(code.clone(), store.basis(&code).unwrap());
    change.body = Some(Body { html: format!("<p>{text} {n}</p>"), ..Body::default() });
    let before = store.item(&code).unwrap();
    change.replaces = before.as_ref().map(|item| Revision {
        replaced_at: noon(),
        title: item.title.clone(),
        excerpt: String::new(),
        lead: item.lead.clone(),
    });
    if before.is_none() {
        let shown = |category| Placement { category, shown: true };
        change.enters = vec![shown(home), shown(CategoryId::SITE)];
    }
    let published = noon().plus(i64::try_from(n).unwrap());
    change.item = Some(before.unwrap_or_else(|| Item {
        code: code.clone(),
        title: String::new(),
        link: None,
        excerpt: String::new(),
        media_name: None,
        image: None,
        published,
        updated: published,
        first_seen: published,
        home,
        categories: vec![home],
        permalink: format!("c/{}.html", code.code()),
        lead: feedmill::model::SourceId::new("s").unwrap(),
        rank: 0,
        revisions: 0,
        generation: 0,
        touched: 0,
        imported: false,
    }));
    if let Some(item) = &mut change.item {
        text.clone_into(&mut item.title);
    }
    change
}

/// Creates a store with 250 items of one category.
fn filled(folder: &Path) -> (SledStore, CategoryId) {
    let store = SledStore::open(&folder.join("store"), 4 << 20).unwrap();
    store.fix("site.id_authority", "a.example,2026", true).unwrap();
    let home = store.ensure_category("甲报", None, noon()).unwrap().id;
    let changes: Vec<Change> = (0..250).map(|n| change(&store, n, home, "first")).collect();
    store.commit(changes, noon()).unwrap();
    (store, home)
}

fn imported(folder: &Path, file: &Path) -> SledStore {
    let store = SledStore::open(&folder.join("other"), 4 << 20).unwrap();
    let taken = store.import(file, false, noon(), &mut |_, _| {}).unwrap();
    assert!(matches!(taken, Imported::Replaced(_)), "{taken:?}");
    assert_eq!(store.check(&mut |_, _, _| {}).unwrap().told, Vec::<String>::new());
    store
}

/// Returns what a reader can see of all items and categories.
fn seen(store: &SledStore) -> Vec<String> {
    let mut all = vec![format!("{:?} {:?}", store.categories(), store.slugs())];
    for n in 0..400 {
        let code = code(n);
        all.push(format!(
            "{:?} {:?} {:?} {:?} {:?}",
            store.item(&code),
            store.body(&code),
            store.versions(&code),
            store.past(&code),
            store.tombstone(&code)
        ));
    }
    for id in (0..4).map(CategoryId) {
        all.push(format!("{:?} {:?}", store.category(id), store.open_page(id)));
        all.push(format!("{:?}", (1..4).map(|n| store.sealed_page(id, n)).collect::<Vec<_>>()));
    }
    all
}

#[test]
fn what_happens_while_an_export_is_written_is_in_it_or_comes_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let (store, home) = filled(folder.path());
    let stone = |erased| Tombstone::new(noon(), WithdrawnBy::Admin, "asked", erased);
    let steps = Cell::new(0);
    let file = folder.path().join("export");
    // Changes items that were exported already, and items that were not.
    let mut meanwhile = |_: u64, _: u64| {
        let step = steps.replace(steps.get() + 1);
        if step > 0 {
            return;
        }
        store
            .commit(vec![change(&store, 5, home, "again"), change(&store, 240, home, "again")], noon())
            .unwrap();
        store.commit(vec![change(&store, 300, home, "new")], noon()).unwrap();
        let later = store.ensure_category("乙报", None, noon()).unwrap().id;
        store.commit(vec![change(&store, 301, later, "new")], noon()).unwrap();
        for (n, erased) in [(6, true), (7, false), (241, true), (242, false)] {
            assert!(store.withdraw(&code(n), &stone(erased)).unwrap());
        }
        let decided = Move { from: vec![home], to: vec![later], why: "asked".to_owned(), by: Mover::Admin };
        assert!(store.reroute(&code(8), &decided, noon()).unwrap());
        store.rename_category(home, "甲日报", &Slug::new("jiaribao").unwrap(), noon()).unwrap();
    };
    store.export(&file, Form::Packed, noon(), &mut meanwhile).unwrap();
    assert!(steps.get() > 1);
    let other = imported(folder.path(), &file);
    assert_eq!(seen(&other), seen(&store));
}

#[test]
fn what_is_missing_is_added_to_a_store_that_holds_items() {
    let folder = tempfile::tempdir().unwrap();
    let (store, home) = filled(folder.path());
    let file = folder.path().join("export");
    store.export(&file, Form::Lines, noon(), &mut |_, _| {}).unwrap();
    let other = SledStore::open(&folder.path().join("other"), 4 << 20).unwrap();
    let own = other.ensure_category("乙报", None, noon()).unwrap().id;
    other.commit(vec![change(&other, 3, own, "own"), change(&other, 500, own, "own")], noon()).unwrap();
    let taken = other.import(&file, false, noon(), &mut |_, _| {}).unwrap();
    assert_eq!(taken, Imported::Added(TakenIn { items: 249, known: 1, sources: 0 }));
    assert_eq!(other.body(&code(3)).unwrap().html, "<p>own 3</p>");
    assert_eq!(other.body(&code(4)).unwrap(), store.body(&code(4)).unwrap());
    assert_eq!(other.category(own).unwrap().unwrap().arrivals, 2);
    let theirs = other.find_category("甲报").unwrap().unwrap();
    assert_eq!((theirs.arrivals, store.category(home).unwrap().unwrap().arrivals), (249, 250));
    assert_eq!(other.check(&mut |_, _, _| {}).unwrap().told, Vec::<String>::new());
}

#[test]
fn another_program_may_write_less() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = filled(folder.path());
    let file = folder.path().join("export");
    store.export(&file, Form::Lines, noon(), &mut |_, _| {}).unwrap();
    // As somebody would write it who does not know numbers, revisions and paths.
    let mut lines = Vec::new();
    for line in fs::read_to_string(&file).unwrap().lines() {
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        for (kind, gone) in
            [("head", "complete"), ("category", "numbers"), ("item", "entries"), ("item", "forms")]
        {
            if let Some(fields) = line.get_mut(kind).and_then(|fields| fields.as_object_mut()) {
                fields.remove(gone);
            }
        }
        let told = ["head", "category", "source", "item"].iter().any(|kind| line.get(kind).is_some());
        let site = line["category"]["slug"] == "index";
        if told && !site && !lines.contains(&line) {
            lines.push(line);
        }
    }
    let mut bytes: Vec<u8> = lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect();
    let end = serde_json::json!({ "end": { "lines": lines.len(), "crc32": crc32fast::hash(&bytes) } });
    bytes.extend(format!("{end}\n").into_bytes());
    fs::write(&file, bytes).unwrap();
    for replace in [false, true] {
        let other = SledStore::open(&folder.path().join(format!("other-{replace}")), 4 << 20).unwrap();
        other.import(&file, replace, noon(), &mut |_, _| {}).unwrap();
        assert_eq!(other.find_category("甲报").unwrap().unwrap().arrivals, 250);
        assert_eq!(other.body(&code(4)).unwrap(), store.body(&code(4)).unwrap());
        assert_eq!(other.check(&mut |_, _, _| {}).unwrap().told, Vec::<String>::new());
    }
}

#[test]
fn a_file_that_is_not_whole_or_of_another_site_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = filled(folder.path());
    let file = folder.path().join("export");
    let other = SledStore::open(&folder.path().join("other"), 4 << 20).unwrap();
    for form in [Form::Packed, Form::Lines] {
        store.export(&file, form, noon(), &mut |_, _| {}).unwrap();
        let whole = fs::read(&file).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 0x04;
        for bytes in
            [&whole[..whole.len() - 5], &whole[..whole.len() / 2], &flipped, b"{}\n", b"nothing", b""]
        {
            fs::write(&file, bytes).unwrap();
            for replace in [false, true] {
                let refused = other.import(&file, replace, noon(), &mut |_, _| {}).unwrap_err();
                assert!(matches!(refused, StoreError::Unusable { .. }), "{refused}");
                assert!(refused.to_string().contains("nothing was changed"), "{refused}");
            }
        }
        fs::write(&file, &whole).unwrap();
    }
    other.fix("site.id_authority", "b.example,2026", true).unwrap();
    for replace in [false, true] {
        let refused = other.import(&file, replace, noon(), &mut |_, _| {}).unwrap_err().to_string();
        for part in ["another site", "`a.example,2026`", "`b.example,2026`", "nothing was changed"] {
            assert!(refused.contains(part), "{refused}");
        }
    }
    assert_eq!(other.cursor().unwrap(), Cursor::from_bytes(&1_u64.to_be_bytes()).unwrap());
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().flatten().map(|e| e.file_name()).collect();
    assert_eq!(left.len(), 5, "two stores with their locks, and the file: {left:?}");
}
