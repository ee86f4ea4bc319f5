//! Promise: the same store and config give the same bytes; a file changes only when its content does; and
//! nothing that is published is emptied or lost (RULES 2.2, 3.1, 4).

#![expect(clippy::unwrap_used, reason = "a sample that is not there ends the test")]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::samples::{RssItem, feed_source, rss};
use common::{Broken, Mill, Tree, Upstream, at, changed_paths};
use feedmill::model::Timestamp;
use feedmill::publish::{PublishScope, Publisher};
use feedmill::sink::PROBED;
use feedmill::store::{Change, Tombstone, WithdrawnBy};

const SITE: &str = "https://news.example.org/";

fn noon() -> Timestamp {
    at("2026-05-01T04:00:00Z")
}

/// Returns a main config; `output` is the text of `[output]` and its tables.
fn main_config(output: &str) -> String {
    format!(
        "[site]\ntitle = \"样报汇\"\nurl = \"{SITE}\"\nid_authority = \"news.example.org,2026\"\n[output]\n{output}\n"
    )
}

/// Returns an item of a made-up newspaper, `minutes` before noon.
fn record(paper: &str, number: usize, minutes: i64, title: &str, html: &str) -> [String; 5] {
    let date = noon().plus(-60 * minutes).rfc822();
    let title = if title.is_empty() { format!("{paper}第{number}条") } else { title.to_owned() };
    [
        format!("{paper}-{number}"),
        format!("https://{paper}.example.org/a/{number}"),
        title,
        html.to_owned(),
        date,
    ]
}

fn document(paper: &str, records: &[[String; 5]]) -> String {
    let items: Vec<RssItem<'_>> = records
        .iter()
        .map(|[guid, link, title, html, date]| RssItem { guid, link, title, html, date })
        .collect();
    rss(&format!("https://{paper}.example.org/"), &items)
}

/// Returns `count` items, a minute apart, the newest first.
fn records(paper: &str, count: usize) -> Vec<[String; 5]> {
    (0..count)
        .map(|number| record(paper, number, i64::try_from(number).unwrap(), "", "<p>样本正文。</p>"))
        .collect()
}

/// Serves two newspapers with a category each: `jia` with `count` items, `yi` with three.
async fn two_papers(count: usize) -> (Upstream, String) {
    let upstream = Upstream::start().await;
    upstream.rss("/jia.xml", document("jia", &records("jia", count)));
    upstream.rss("/yi.xml", document("yi", &records("yi", 3)));
    let sources = feed_source("jia", "甲城日报", &upstream, "/jia.xml")
        + &feed_source("yi", "乙城晚报", &upstream, "/yi.xml");
    (upstream, sources)
}

/// Article pages, history pages and Jekyll posts as files, and a file to copy.
const ALL_FILES: &str =
    "articles = \"files\"\nstatic = \"static\"\n[output.jekyll]\npath = \"../data/jekyll\"\n";

async fn all_files(count: usize) -> (Upstream, String, Mill) {
    let (upstream, sources) = two_papers(count).await;
    let mut mill = Mill::open(noon(), &main_config(""), &sources).await;
    fs::create_dir_all(mill.path("config/static/img")).unwrap();
    fs::write(mill.path("config/static/img/logo.svg"), "<svg xmlns=\"http://www.w3.org/2000/svg\"/>")
        .unwrap();
    mill.reopen(&main_config(ALL_FILES), &sources).await;
    mill.round().await;
    mill.publish().await;
    (upstream, sources, mill)
}

#[tokio::test]
async fn a_year_later_the_same_bytes() {
    let (_upstream, sources, mut mill) = all_files(120).await;
    let (site, jekyll) = (mill.outputs(), mill.files("data/jekyll"));
    assert!(site.len() > 140 && jekyll.len() > 120, "{} and {} files", site.len(), jekyll.len());
    mill.pass(365 * 86_400);
    let elsewhere = ALL_FILES.replace("data/jekyll", "other/jekyll") + "\n";
    let output = elsewhere.replacen("articles", "path = \"../other/public\"\narticles", 1);
    mill.reopen(&main_config(&output), &sources).await;
    mill.publish().await;
    assert_eq!(changed_paths(&site, &mill.files("other/public")), BTreeSet::new());
    assert_eq!(changed_paths(&jekyll, &mill.files("other/jekyll")), BTreeSet::new());
    for path in ["index.html", "feed.xml", "feed/jiachengribao.rss", "category/yichengwanbao.html"] {
        let modified = |folder: &str| fs::metadata(mill.path(folder).join(path)).unwrap().modified().unwrap();
        assert_eq!(modified("data/public"), modified("other/public"), "{path}");
    }
}

#[tokio::test]
async fn every_deleted_file_comes_back() {
    let (_upstream, _, mill) = all_files(120).await;
    for folder in ["data/public", "data/jekyll"] {
        let before = mill.files(folder);
        let kinds: BTreeSet<&String> = one_of_each_kind(&before);
        assert!(kinds.len() > if folder == "data/public" { 12 } else { 1 }, "{kinds:?}");
        for path in kinds {
            fs::remove_file(mill.path(folder).join(path)).unwrap();
            let report = mill.publish().await;
            let after = mill.files(folder);
            assert_eq!(changed_paths(&before, &after), BTreeSet::new(), "after {path} was deleted");
            assert_eq!((report.written, report.removed), (1, 0), "after {path} was deleted");
        }
    }
}

/// Returns the first path of every folder and extension, without records.
fn one_of_each_kind(tree: &Tree) -> BTreeSet<&String> {
    let mut seen = BTreeSet::new();
    let kind = |path: &String| {
        let shape: String = path.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        match shape.rsplit_once('/') {
            Some((folder, name)) => (folder.to_owned(), name.rsplit_once('.').map(|(_, end)| end.to_owned())),
            None => (shape, None),
        }
    };
    tree.keys().filter(|path| !path.starts_with(".feedmill/") && seen.insert(kind(path))).collect()
}

#[tokio::test]
async fn an_emptied_folder_comes_back_whole() {
    let (_upstream, _, mill) = all_files(30).await;
    for keep_records in [false, true] {
        for folder in ["data/public", "data/jekyll"] {
            let before = mill.files(folder);
            for entry in fs::read_dir(mill.path(folder)).unwrap() {
                let path = entry.unwrap().path();
                if path.is_file() {
                    fs::remove_file(path).unwrap();
                } else if !(keep_records && path.ends_with(".feedmill")) {
                    fs::remove_dir_all(path).unwrap();
                }
            }
            mill.publish().await;
            let lost = changed_paths(&before, &mill.files(folder));
            assert_eq!(lost, BTreeSet::new(), "{folder}, records kept: {keep_records}");
        }
    }
}

/// One line for an article, one file for a day; only the days of changed articles are rewritten.
#[tokio::test]
async fn json_lines_follow_what_is_stored() {
    let (upstream, sources) = two_papers(3).await;
    let config = main_config("[output.json_lines]\npath = \"../data/lines\"\n");
    let mill = Mill::open(noon(), &config, &sources).await;
    upstream.rss("/yi.xml", document("yi", &[record("yi", 0, 60 * 24, "昨天的", "<p>昨</p>")]));
    mill.round().await;
    mill.publish().await;
    let lines = |day: &str| -> Vec<serde_json::Value> {
        let text = fs::read_to_string(mill.path("data/lines").join(day)).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let titles = |day: &str| -> Vec<String> {
        lines(day).iter().map(|line| line["title"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(titles("2026/04/30.jsonl"), ["昨天的"]);
    assert_eq!(titles("2026/05/01.jsonl"), ["jia第2条", "jia第1条", "jia第0条"]);
    let line = &lines("2026/04/30.jsonl")[0];
    assert_eq!((line["html"].as_str(), line["source"].as_str()), (Some("<p>昨</p>"), Some("yi")));
    assert_eq!(line["categories"], serde_json::json!(["yichengwanbao"]));

    let before = mill.files("data/lines");
    let code = mill.items().into_iter().find(|item| item.title == "昨天的").unwrap().code.text(None);
    mill.ask(feedmill::control::Query::Withdraw {
        names: vec![code],
        why: "asked".to_owned(),
        erase: false,
        copies: false,
        exports: false,
        dry_run: false,
    })
    .await;
    let differ = changed_paths(&before, &mill.files("data/lines"));
    let want = [".feedmill/_lines.json", ".feedmill/_lines/2-1.json", "2026/04/30.jsonl"].map(str::to_owned);
    assert_eq!(differ, BTreeSet::from(want));
    assert!(titles("2026/04/30.jsonl").is_empty());
}

#[tokio::test]
async fn foreign_files_stay() {
    let (upstream, sources, mut mill) = all_files(12).await;
    let foreign =
        ["CNAME", ".git/HEAD", "feed/own.xml", "category/own.html", "verify-1234.html", "assets/own.css"];
    for path in foreign {
        let full = mill.path("data/public").join(path);
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        fs::write(full, "手写的文件").unwrap();
    }
    mill.publish().await;
    mill.pass(60);
    upstream.rss("/jia.xml", document("jia", &records("jia", 3)));
    mill.round().await;
    mill.publish().await;
    mill.reopen(&main_config(ALL_FILES).replace("样报汇", "另一个名字"), &sources).await;
    mill.publish().await;
    for path in foreign {
        assert_eq!(mill.output(path), "手写的文件", "{path}");
    }
}

#[tokio::test]
async fn an_edit_changes_no_file_of_another_category() {
    let (upstream, _, mill) = all_files(120).await;
    let (before, posts) = (mill.outputs(), mill.files("data/jekyll"));
    mill.pass(60);
    let mut changed = records("jia", 120);
    changed[5][2] = "甲城大桥合龙".to_owned();
    upstream.rss("/jia.xml", document("jia", &changed));
    mill.round().await;
    mill.publish().await;
    let differ = changed_paths(&before, &mill.outputs());
    let site = [
        "index.html",
        "feed.xml",
        "rss.xml",
        "feed.json",
        ".feedmill/index.json",
        ".feedmill/_articles.json",
    ];
    let foreign: Vec<&String> = differ
        .iter()
        .filter(|path| !path.contains("jiachengribao") && !site.contains(&path.as_str()))
        .filter(|path| PROBED.iter().all(|(copy, _)| path != copy))
        .collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    for path in [
        "feed/jiachengribao.xml",
        "feed/jiachengribao.rss",
        "feed/jiachengribao.json",
        "category/jiachengribao.html",
    ] {
        assert!(differ.contains(path), "{path}");
    }
    let articles = differ.iter().filter(|path| path.contains("/2026/")).count();
    assert_eq!(articles, 3, "the article and its two neighbours: {differ:?}");
    let differ = changed_paths(&posts, &mill.files("data/jekyll"));
    let posts = differ.iter().filter(|path| path.starts_with("_posts/")).count();
    assert_eq!((posts, differ.len()), (1, 2), "the post and the record: {differ:?}");
}

/// Static hosts have every page: every link between pages has its file.
#[tokio::test]
async fn with_files_every_link_leads_to_a_file() {
    let (upstream, _, mill) = all_files(230).await;
    let tree = mill.outputs();
    for page in [
        "category/jiachengribao/1.html",
        "category/jiachengribao/2.html",
        "category/jiachengribao/3.html",
        "category/yichengwanbao/1.html",
    ] {
        assert!(tree.contains_key(page), "{page}");
    }
    let articles = tree.keys().filter(|path| path.starts_with("jiachengribao/2026/05/01/")).count();
    assert_eq!(articles, 230);
    let mut links = 0;
    for (path, bytes) in tree.iter().filter(|(path, _)| Path::new(path).extension() == Some("html".as_ref()))
    {
        let html = String::from_utf8_lossy(bytes);
        for link in html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let Some(local) = link.strip_prefix(SITE) else { continue };
            let local = local.split('#').next().unwrap_or_default();
            let file = if local.is_empty() || local.ends_with('/') {
                format!("{local}index.html")
            } else {
                local.to_owned()
            };
            assert!(tree.contains_key(&file), "{path} links to {link}");
            links += 1;
        }
    }
    assert!(links > 1_000, "{links}");

    // A full page of the history does not change when more arrives.
    mill.pass(60);
    upstream.rss("/jia.xml", document("jia", &[record("jia", 900, -1, "甲城新增一条", "<p>新。</p>")]));
    mill.round().await;
    mill.publish().await;
    let differ = changed_paths(&tree, &mill.outputs());
    assert!(!differ.contains("category/jiachengribao/1.html"), "{differ:?}");
    // Items that went directly to the archive have filled the third page.
    assert!(!differ.contains("category/jiachengribao/3.html"), "{differ:?}");
    assert!(differ.contains("category/jiachengribao/4.html"), "{differ:?}");
}

/// A static host has all names that the server answers: feeds as copies, pages as redirects.
#[tokio::test]
async fn static_hosts_have_every_name() {
    let (upstream, sources, mut mill) = all_files(30).await;
    let named = "[[category]]\nname = \"甲城日报\"\naliases = [\"jia-old\"]\n";
    let main = main_config(ALL_FILES) + named;
    mill.reopen(&main, &sources).await;
    let code = mill.items()[0].code.clone();
    let moved = Change {
        paths: vec!["2020/05/old.html".to_owned(), "2020/05/bare/".to_owned(), "x/y.php".to_owned()],
        item: Some(mill.items()[0].clone()),
        ..Change::on(code.clone(), mill.store().basis(&code).unwrap())
    };
    let permalink = mill.items()[0].permalink.clone();
    mill.store().commit(vec![moved], mill.now()).unwrap();
    mill.publish().await;
    let same = |tree: &Tree, copy: &str, of: &str| {
        assert!(tree.contains_key(of) && tree.get(copy) == tree.get(of), "{copy} is no copy of {of}");
    };
    for _ in 0..2 {
        let tree = mill.outputs();
        for (name, ending) in [("atom.xml", "xml"), ("rss/feed.xml", "rss"), ("index.json", "json")] {
            same(&tree, &format!("jiachengribao/{name}"), &format!("feed/jiachengribao.{ending}"));
            same(&tree, &format!("feed/jia-old.{ending}"), &format!("feed/jiachengribao.{ending}"));
        }
        same(&tree, "atom.xml", "feed.xml");
        same(&tree, "index.rss", "rss.xml");
        let leads = |from: &str, to: &str| {
            let to = format!("content=\"0;url={SITE}{to}\"");
            assert!(String::from_utf8_lossy(&tree[from]).contains(&to), "{from} does not lead to {to}");
        };
        for from in ["category/jia-old.html", "jia-old/index.html", "jiachengribao/index.html"] {
            leads(from, "category/jiachengribao.html");
        }
        leads("2020/05/old.html", &permalink);
        leads("2020/05/bare/index.html", &permalink);
        assert!(!tree.contains_key("x/y.php"));
        // Later items are in the copies too, without a check of all files.
        upstream.rss("/jia.xml", document("jia", &[record("jia", 900, -1, "甲城新增一条", "<p>新。</p>")]));
        mill.round().await;
        mill.own().publish(PublishScope::Changed, |_, _| {}).await.unwrap();
    }
    assert!(mill.output("jiachengribao/feed.rss").contains("甲城新增一条"));
    assert_eq!(mill.publish().await.written, 0);
    mill.reopen(&main_config(""), &sources).await;
    mill.publish().await;
    let tree = mill.outputs();
    assert!(!tree.contains_key("atom.xml") && !tree.contains_key("category/jia-old.html"));
}

/// Each text file has its compressed variants, which are removed when they are no longer wanted.
#[tokio::test]
async fn compressed_variants_stand_beside_their_files() {
    let (upstream, sources, mut mill) = all_files(30).await;
    let plain = mill.outputs();
    let foreign = mill.path("data/public/feed/own.xml.gz");
    fs::write(&foreign, "x").unwrap();
    mill.reopen(&main_config(&format!("precompress = true\n{ALL_FILES}")), &sources).await;
    mill.publish().await;
    let packed = |tree: &Tree| {
        let texts = ["html", "xml", "rss", "json", "css"];
        let text = |path: &&String| {
            let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
            texts.contains(&ending) && !path.starts_with(".feedmill/")
        };
        let mut found = 0;
        for path in tree.keys().filter(text) {
            let mut out = Vec::new();
            let gz = tree.get(&format!("{path}.gz")).unwrap_or_else(|| panic!("{path} has no .gz"));
            std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&gz[..]), &mut out).unwrap();
            assert_eq!(&out, &tree[path], "{path}.gz");
            out.clear();
            let br = tree.get(&format!("{path}.br")).unwrap_or_else(|| panic!("{path} has no .br"));
            brotli::BrotliDecompress(&mut &br[..], &mut out).unwrap();
            assert_eq!(&out, &tree[path], "{path}.br");
            found += 1;
        }
        found
    };
    let before = mill.outputs();
    assert!(packed(&before) > 60, "{}", packed(&before));
    assert!(!before.contains_key("img/logo.svg.gz"), "static files are copied as they are");
    for path in ["feed/jiachengribao.xml.br", "category/index.html.gz"] {
        fs::remove_file(mill.path("data/public").join(path)).unwrap();
    }
    let variant = |path: &&String| path.rsplit_once('.').is_some_and(|(_, end)| end == "gz" || end == "br");
    let article = before.keys().filter(variant).find(|path| path.starts_with("jiachengribao/2026/"));
    fs::remove_file(mill.path("data/public").join(article.unwrap())).unwrap();
    mill.publish().await;
    assert_eq!(changed_paths(&before, &mill.outputs()), BTreeSet::new());

    mill.pass(60);
    upstream.rss("/jia.xml", document("jia", &[record("jia", 900, -1, "甲城新增一条", "<p>新。</p>")]));
    mill.round().await;
    mill.own().publish(PublishScope::Changed, |_, _| {}).await.unwrap();
    assert!(packed(&mill.outputs()) > packed(&before));

    mill.reopen(&main_config(ALL_FILES), &sources).await;
    mill.publish().await;
    let after = mill.outputs();
    let variants = after.keys().filter(variant);
    assert_eq!(variants.collect::<Vec<_>>(), ["feed/own.xml.gz"]);
    assert!(after.len() > plain.len());
}

/// A running mill rewrites the lists of all categories only where they differ; checking all files finds
/// nothing to add.
#[tokio::test]
async fn what_changed_is_all_that_differs() {
    let (upstream, sources, mill) = all_files(3).await;
    let publish = async || mill.own().publish(PublishScope::Changed, |_, _| {}).await.unwrap();
    let mut lists = Vec::new();
    for day in 0..3_i64 {
        for minute in 0..3 {
            let (number, at) =
                (usize::try_from(day * 10 + minute).unwrap() + 50, -(day * 1_440 + minute + 1));
            mill.pass(60);
            upstream.rss("/jia.xml", document("jia", &[record("jia", number, at, "", "<p>新。</p>")]));
            mill.round().await;
            let report = publish().await;
            assert!(report.rendered == 2 && report.written > 8, "{report:?}");
            lists.push(mill.output("category/index.html"));
        }
        mill.pass(86_400);
    }
    // They contain the day of the newest article, not the minute.
    assert!(lists[0] == lists[2] && lists[3] == lists[5] && lists[2] != lists[3] && lists[5] != lists[6]);
    mill.store().ensure_category("丙城时报", None, mill.now()).unwrap();
    publish().await;
    for path in ["category/index.html", "opml.xml", "subscribe.html"] {
        assert!(mill.output(path).contains("丙城时报"), "{path}");
    }
    let running = mill.outputs();
    assert_eq!(mill.publish().await.written, 0);
    fs::remove_dir_all(mill.path("data/public")).unwrap();
    mill.publish().await;
    assert_eq!(changed_paths(&running, &mill.outputs()), BTreeSet::new(), "{sources}");
}

/// With another version of the renderers, or another theme, everything is rendered once, and written where
/// its bytes differ.
#[tokio::test]
async fn a_new_theme_or_renderer_renders_everything_once() {
    let (_upstream, sources, mut mill) = all_files(120).await;
    let before = mill.outputs();
    assert!(before.contains_key("feed/jiachengribao/archive/1.xml"));
    assert_eq!(mill.publish().await.rendered, 0);
    // Replaces the version in the records, as another version of the program would have left them.
    let is_record = |path: &str| path.starts_with(".feedmill/") && path != ".feedmill/turn";
    for (path, bytes) in before.iter().filter(|(path, _)| is_record(path)) {
        let mut record: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        if record["fingerprint"].as_str().is_some_and(|print| !print.is_empty()) {
            record["fingerprint"] = "0123456789abcdef".into();
        }
        fs::write(mill.path("data/public").join(path), serde_json::to_vec(&record).unwrap()).unwrap();
    }
    let again = mill.publish().await;
    assert_eq!((again.rendered, again.clean, again.written), (3, 0, 0), "{again:?}");
    assert!(again.kept > 140, "{again:?}");
    assert_eq!(changed_paths(&before, &mill.outputs()), BTreeSet::new());
    assert_eq!(mill.publish().await.rendered, 0);

    let english = main_config(ALL_FILES).replacen("[site]", "[site]\nlanguage = \"en\"", 1);
    mill.reopen(&english, &sources).await;
    let other = mill.publish().await;
    assert_eq!((other.rendered, other.clean), (3, 0), "{other:?}");
    let differ = changed_paths(&before, &mill.outputs());
    let pages = before.keys().filter(|path| Path::new(path).extension() == Some("html".as_ref()));
    assert!(pages.clone().count() > 120 && pages.clone().all(|page| differ.contains(page)), "{differ:?}");
    assert!(differ.contains("feed/jiachengribao/archive/1.xml") && !differ.contains("assets/style.css"));
    assert_eq!(mill.publish().await.rendered, 0);
}

/// Returns a mill whose one newspaper has an old item already, so that later items are not a new source's.
async fn running(window: &str) -> (Upstream, Mill) {
    let upstream = Upstream::start().await;
    upstream.rss("/jia.xml", document("jia", &[record("jia", 999, 60 * 24 * 30, "一个月前的一条", "")]));
    let sources = feed_source("jia", "甲城日报", &upstream, "/jia.xml");
    let mill = Mill::open(noon(), &main_config(&format!("[output.window]\n{window}")), &sources).await;
    mill.round().await;
    (upstream, mill)
}

/// Returns the titles in the category's feed after items from that many minutes before noon.
async fn shown(window: &str, minutes: &[i64]) -> Vec<String> {
    let (upstream, mill) = running(window).await;
    mill.pass(60);
    let records: Vec<[String; 5]> =
        minutes.iter().enumerate().map(|(number, before)| record("jia", number, *before, "", "")).collect();
    upstream.rss("/jia.xml", document("jia", &records));
    mill.round().await;
    mill.publish().await;
    let titles = mill.feed_titles("jiachengribao");
    // The window depends on the newest item, not on the clock.
    mill.pass(90 * 86_400);
    fs::remove_dir_all(mill.path("data/public")).unwrap();
    mill.publish().await;
    assert_eq!(mill.feed_titles("jiachengribao"), titles);
    titles
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| format!("jia第{number}条")).collect()
}

#[tokio::test]
async fn a_feed_holds_the_newest_n_and_all_within_t_of_the_newest() {
    // Three hours apart: the count decides.
    assert_eq!(shown("items = 4\nage = \"2h\"", &[0, 180, 360, 540, 720, 900]).await, numbers(0..4));
    // Half an hour apart: all within two hours of the newest.
    assert_eq!(shown("items = 4\nage = \"2h\"", &[10, 40, 70, 100, 130, 131, 160]).await, numbers(0..5));
    // But never more than `most`.
    assert_eq!(shown("items = 4\nage = \"2h\"\nmost = 6", &[0, 1, 2, 3, 4, 5, 6, 7, 8]).await, numbers(0..6));
    // Fewer than N: all there are.
    let mut all = numbers(0..2);
    all.push("一个月前的一条".to_owned());
    assert_eq!(shown("items = 4\nage = \"2h\"", &[0, 1]).await, all);
}

#[tokio::test]
async fn a_new_source_enters_with_half_a_window() {
    let (upstream, _) = two_papers(30).await;
    let jia = feed_source("jia", "甲城日报", &upstream, "/jia.xml");
    let window = "[output.window]\nitems = 8\nage = \"48h\"\nsite_items = 20";
    let mut mill = Mill::open(noon(), &main_config(window), &jia).await;
    mill.round().await;
    mill.publish().await;
    assert_eq!(mill.feed_titles("jiachengribao"), numbers(0..4));
    assert_eq!(mill.feed_items("feed.json").len(), 10);
    assert_eq!(mill.items().len(), 30, "the others are in the archive");

    // Another new source in the category gets half a window again, and pushes no other items out.
    upstream.rss("/bing.xml", document("bing", &records("bing", 30)));
    mill.reopen(&main_config(window), &(jia + &feed_source("bing", "甲城日报", &upstream, "/bing.xml")))
        .await;
    mill.pass(60);
    mill.round().await;
    mill.publish().await;
    let titles = mill.feed_titles("jiachengribao");
    let of = |paper: &str| titles.iter().filter(|title| title.starts_with(paper)).count();
    assert_eq!((of("jia"), of("bing")), (4, 4), "{titles:?}");

    // Later items are not a new source's any more.
    let mut more: Vec<[String; 5]> = (100..110).map(|number| record("jia", number, -1, "", "")).collect();
    more.extend(records("jia", 30));
    upstream.rss("/jia.xml", document("jia", &more));
    mill.pass(60);
    mill.round().await;
    mill.publish().await;
    let titles = mill.feed_titles("jiachengribao");
    assert_eq!(titles.iter().filter(|title| title.starts_with("jia第10")).count(), 10, "{titles:?}");
}

#[tokio::test]
async fn beyond_full_size_entries_become_summaries() {
    let html = format!("<p>{}</p>", "长文样本一句。".repeat(48));
    let put = |count: usize| {
        let records: Vec<[String; 5]> = (0..count)
            .map(|number| record("jia", number, i64::try_from(number).unwrap(), "", &html))
            .collect();
        document("jia", &records)
    };
    let (upstream, mill) = running("full_size = \"4KB\"\nmax_size = \"20KB\"").await;
    mill.pass(60);
    upstream.rss("/jia.xml", put(6));
    mill.round().await;
    mill.publish().await;
    let items = mill.feed_items("feed/jiachengribao.json");
    let full: Vec<bool> = items.iter().map(|item| item.get("content_html").is_some()).collect();
    assert_eq!(full, [true, true, true, false, false, false, false], "a text has {} bytes", html.len());
    for item in &items[3..6] {
        let text = item["content_text"].as_str().unwrap();
        assert!(text.starts_with("长文样本一句。") && text.chars().count() <= 201, "{text}");
    }
    for (path, element) in
        [("feed/jiachengribao.xml", "<content"), ("feed/jiachengribao.rss", "<content:encoded>")]
    {
        assert_eq!(mill.output(path).matches(element).count(), 3, "{path}");
    }
    // And the window is bounded; items that are not sealed yet are included without their text.
    mill.pass(60);
    upstream.rss("/jia.xml", put(40));
    mill.round().await;
    mill.publish().await;
    let titles = mill.feed_titles("jiachengribao");
    assert!((6..20).contains(&titles.len()), "{}", titles.len());
    let size = mill.output("feed/jiachengribao.rss").len();
    assert!(size < 25_000, "{size} bytes");
    let items = mill.feed_items("feed/jiachengribao.json");
    assert_eq!(items.len(), 41);
    assert!(items[titles.len()..].iter().all(|item| item.get("content_html").is_none()));
}

#[tokio::test]
async fn a_failing_source_empties_nothing() {
    let (upstream, _, mill) = all_files(12).await;
    let before = mill.outputs();
    for answer in [
        "",
        "<rss version=\"2.0\"><channel>",
        "<html><body>维护中</body></html>",
        "<rss version=\"2.0\"><channel><title>空</title></channel></rss>",
    ] {
        mill.pass(60);
        upstream.rss("/jia.xml", answer.to_owned());
        upstream.fail("/yi.xml", 503);
        mill.round().await;
        let report = mill.publish().await;
        assert_eq!((report.written, report.removed), (0, 0), "{answer}");
    }
    assert_eq!(changed_paths(&before, &mill.outputs()), BTreeSet::new());
}

/// A store that is lost, or a wrong `store.path`, must not empty the site.
#[tokio::test]
async fn an_empty_store_empties_nothing() {
    let (_upstream, sources, mut mill) = all_files(12).await;
    let (before, posts) = (mill.outputs(), mill.files("data/jekyll"));
    for category in ["", "[[category]]\nname = \"丙城早报\"\n"] {
        let lost = format!(
            "{}[store]\npath = \"../data/lost{}\"\n{category}",
            main_config(ALL_FILES),
            category.len()
        );
        mill.reopen(&lost, &sources).await;
        assert_eq!(mill.items().len(), 0);
        mill.publish().await;
        assert_eq!(changed_paths(&before, &mill.outputs()), BTreeSet::new(), "{category}");
        assert_eq!(changed_paths(&posts, &mill.files("data/jekyll")), BTreeSet::new(), "{category}");
    }
    // With the right store, nothing has to be written.
    mill.reopen(&main_config(ALL_FILES), &sources).await;
    assert_eq!(mill.publish().await.written, 0);
}

/// Wherever the store fails, each file is complete, old or new, and the next publish completes the rest.
#[tokio::test]
async fn a_store_that_fails_empties_nothing() {
    let (upstream, _, mill) = all_files(12).await;
    let before = mill.outputs();
    mill.pass(60);
    let mut changed = records("jia", 12);
    changed[3][2] = "甲城大桥合龙".to_owned();
    upstream.rss("/jia.xml", document("jia", &changed));
    mill.round().await;
    let publisher = Publisher::new(Arc::clone(&mill.own().pages));
    let mut seen: Vec<Tree> = Vec::new();
    for reads in 0.. {
        let broken = Broken::after(reads, mill.store());
        if publisher.publish(&broken, PublishScope::Whole, Timestamp::EPOCH, &|_, _| {}).is_ok() {
            break;
        }
        seen.push(mill.outputs());
    }
    let after = mill.outputs();
    assert!(seen.len() > 10, "{} failures", seen.len());
    assert!(!changed_paths(&before, &after).is_empty());
    for tree in &seen {
        for (path, bytes) in tree {
            assert!(
                before.get(path) == Some(bytes) || after.get(path) == Some(bytes),
                "{path} is neither old nor new"
            );
        }
        assert!(before.keys().all(|path| tree.contains_key(path)), "a file is gone");
    }
}

/// A publisher, also one of another process, does not overwrite what another has published meanwhile, which
/// is newer than what it read.
#[tokio::test]
async fn of_two_publishers_the_older_never_writes_over_the_newer() {
    let (_upstream, _, mill) = all_files(6).await;
    let gone = mill.items().into_iter().next().unwrap();
    let title = gone.title.clone();
    assert!(mill.output("feed.json").contains(&title));
    // A change in another category makes the first publisher render all lists.
    let pages = &mill.own().pages;
    let [first, second] = [(); 2].map(|()| Publisher::new(Arc::clone(pages)));
    fs::remove_file(mill.path("data/public/feed.json")).unwrap();
    let turn = mill.path("data/public/.feedmill/turn");
    let (store, now) = (mill.store(), mill.now());
    let stone = Tombstone::new(now, WithdrawnBy::Admin, "asked", true);
    let begun = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Called a last time when everything is rendered and nothing is written yet.
        let beside = |done, all| {
            if done < all || begun.swap(true, Ordering::SeqCst) {
                return;
            }
            assert!(store.withdraw(&gone.code, &stone).unwrap());
            let other = scope.spawn(|| second.publish(store, PublishScope::Whole, now, &|_, _| {}).unwrap());
            // The other one waits for its turn, or has to end before this one continues.
            if fs::File::open(&turn).is_ok_and(|file| file.try_lock().is_err()) {
                return;
            }
            assert!(other.join().unwrap().written > 0);
        };
        first.publish(store, PublishScope::Whole, now, &beside).unwrap();
    });
    for path in ["feed.json", "feed.xml", "index.html"] {
        assert!(!mill.output(path).contains(&title), "{path}");
    }
}

/// The empty site is complete too: no source, no item.
#[tokio::test]
async fn without_any_source_there_is_a_page() {
    let mill = Mill::open(noon(), &main_config(""), "").await;
    mill.publish().await;
    assert!(mill.output("index.html").contains("样报汇"));
    assert_eq!(mill.feed_items("feed.json").len(), 0);
}
