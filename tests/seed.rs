//! Promise: the first upstream's real articles are published as on the first site, and its newspapers keep
//! their slugs. The real articles are not in this repository: without the folder `$FEEDMILL_CORPUS` (default
//! `../shared/data`) the tests with them print a message and pass; `the_shape_of_a_jekyll_post` and
//! `tests/once.rs` show the same on samples of our own.

#![expect(clippy::unwrap_used, reason = "a sample that is not there ends the test")]

mod common;

use std::fs;
use std::path::Path;

use common::samples::{
    LIST_45, LIST_102, MARKETS, eastmoney_main, eastmoney_sources, only, paper, paper_text, put_lists,
    reversed, text_path,
};
use common::{Mill, Upstream, at, corpus};
use feedmill::model::{Slug, Timestamp};
use feedmill::parse::{Context, parse_feed};
use serde_json::{Value, json};

const SEED: &str = "NW202112212221043837";
/// Articles that are in the newspapers' list and in the rolling list.
const PAIRS: [&str; 2] = ["NW202204212352227421", "NW202201072239307540"];
/// Jekyll output as on the first site.
const JEKYLL: &str = "[output.jekyll]\npath = \"../data/jekyll\"\ntag_suffix = \"新闻\"\n\
    footer = \"[返回{tag}](//finews.withounder.com/category/{slug}.html)｜[返回首页](//finews.withounder.com/)\"\n";

/// Returns a time after the newest article.
fn now() -> Timestamp {
    at("2022-07-01T00:00:00Z")
}

/// Serves the answers of the corpus, each at its path on the real upstream.
async fn upstream(corpus: &Path) -> Upstream {
    let upstream = Upstream::start().await;
    let read = |path: &Path| -> Value { serde_json::from_slice(&fs::read(path).unwrap()).unwrap() };
    let folder = corpus.join("upstream");
    let [market37, market38, market39] = MARKETS;
    for (path, file) in [(LIST_45, "type45.json"), (LIST_102, "type102.json"), (market37, "market37.json")] {
        upstream.json(path, &read(&folder.join(file)));
    }
    for market in [market38, market39] {
        upstream.json(market, &json!({ "record": [] }));
    }
    for entry in fs::read_dir(folder.join("text")).unwrap() {
        let path = entry.unwrap().path();
        upstream.json(&text_path(path.file_stem().unwrap().to_str().unwrap()), &read(&path));
    }
    upstream
}

async fn mill(sources: &str) -> Mill {
    let mill = Mill::open(now(), &eastmoney_main(JEKYLL), sources).await;
    let reports = mill.round().await;
    assert!(reports.iter().all(|report| report.error.is_none()), "{reports:?}");
    mill
}

#[tokio::test]
async fn the_seed_post_comes_out_byte_for_byte() {
    let Some(corpus) = corpus() else { return };
    let mill = mill(&eastmoney_sources(&upstream(&corpus).await)).await;
    mill.publish().await;
    let name = format!("2021-12-21-{SEED}.md");
    let made = fs::read_to_string(mill.path("data/jekyll/_posts").join(&name)).unwrap();
    let seed = fs::read_to_string(corpus.join("seed").join(&name)).unwrap();
    assert_eq!(made, seed);
}

#[tokio::test]
async fn the_seed_stands_in_all_three_feeds() {
    let Some(corpus) = corpus() else { return };
    let mill = mill(&eastmoney_sources(&upstream(&corpus).await)).await;
    mill.publish().await;
    assert_feeds_hold(
        &mill,
        "xihaidushibao",
        "数字金融赋能高质量发展",
        "2021-12-21T05:55:07Z",
        &format!("http://finews.zning.xyz/html_News/NewsShare.html?infoCode={SEED}"),
        &mill.body(SEED).html,
    );
    let html = mill.body(SEED).html;
    assert!(
        html.contains("近年来，随着我国科技发展进入“智能+”时代") && html.contains("（文章来源：西海都市报）")
    );
    assert!(html.chars().count() > 3_000, "{} characters", html.chars().count());
}

/// Checks that each of a category's three feeds contains an article.
fn assert_feeds_hold(mill: &Mill, slug: &str, title: &str, instant: &str, link: &str, html: &str) {
    let mut ids = Vec::new();
    for ending in ["rss", "xml", "json"] {
        let path = format!("feed/{slug}.{ending}");
        let feed = parse_feed(mill.output(&path).as_bytes(), &Context::default()).unwrap();
        let found: Vec<_> = feed.entries.iter().filter(|entry| entry.title == title).collect();
        assert_eq!(found.len(), 1, "{path}");
        let entry = found[0];
        assert_eq!(entry.published, Some(at(instant)), "{path}");
        assert_eq!(entry.link.as_deref(), Some(link), "{path}");
        assert_eq!(entry.content.as_deref(), Some(html), "{path}");
        ids.push(entry.guid.clone().unwrap());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
}

#[tokio::test]
async fn fifty_items_none_without_title() {
    let Some(corpus) = corpus() else { return };
    let upstream = upstream(&corpus).await;
    let mill = mill(&eastmoney_sources(&upstream)).await;
    let items = mill.items();
    let listed_rolling = |code: &str| {
        let listings = mill.store().listings(&mill.code(code)).unwrap();
        listings.iter().any(|(source, _)| source.as_str() == "eastmoney-102")
    };
    let rolling = items.iter().filter(|item| listed_rolling(item.code.code())).count();
    assert_eq!((items.len(), rolling), (50, 47));
    for item in &items {
        assert!(!item.title.trim().is_empty(), "{}", item.code);
        assert!(item.code.code().starts_with("NW"), "{}", item.code);
        assert!(item.published < now() && item.published > at("2021-12-01T00:00:00Z"), "{}", item.code);
    }
    // The record without title and date is held back; its complete twin is stored.
    assert_eq!(mill.item("NW202205262391921712").published, at("2022-05-25T16:19:55Z"));
    let held = mill.state("eastmoney-102").held;
    assert!(held.len() == 1 && held[0].contains("202205262391921712"), "{held:?}");

    mill.publish().await;
    let before = mill.outputs();
    upstream.take_asked();
    mill.pass(60);
    let reports = mill.round().await;
    assert!(reports.iter().all(|report| !report.changed() && report.details == 0), "{reports:?}");
    assert_eq!(upstream.take_asked().len(), 5);
    assert_eq!(mill.publish().await.written, 0);
    assert_eq!(mill.outputs(), before);
}

#[tokio::test]
async fn both_copies_of_a_pair_have_one_text() {
    let Some(corpus) = corpus() else { return };
    let upstream = upstream(&corpus).await;
    let sources = eastmoney_sources(&upstream);
    let whole = mill(&sources).await;
    let papers = mill(&only(&sources, "eastmoney-45")).await;
    let rolling = mill(&only(&sources, "eastmoney-102")).await;
    for code in PAIRS {
        let published = whole.body(code).html;
        assert!(!published.is_empty());
        assert_eq!(papers.body(code).html, published, "{code}");
        assert_eq!(rolling.body(code).html, published, "{code}");
        let item = whole.item(code);
        assert_eq!(item.categories.len(), 2, "{code}");
        assert_eq!(rolling.item(code).media_name, item.media_name, "{code}");
    }
}

#[tokio::test]
async fn the_order_of_the_real_lists_does_not_show_in_the_feeds() {
    let Some(corpus) = corpus() else { return };
    let upstream = upstream(&corpus).await;
    let sources = eastmoney_sources(&upstream);
    let mut trees = Vec::new();
    for sources in [sources.clone(), reversed(&sources)] {
        let mill = mill(&sources).await;
        mill.publish().await;
        let mut tree = mill.outputs();
        tree.retain(|path, _| path.starts_with("feed") || path == "rss.xml");
        trees.push(tree);
    }
    let differ = common::changed_paths(&trees[0], &trees[1]);
    assert!(differ.is_empty() && trees[0].len() > 9, "{differ:?}");
}

#[test]
fn every_slug_is_the_one_a_person_expects() {
    let Some(corpus) = corpus() else { return };
    let table = fs::read_to_string(corpus.join("slugs.tsv")).unwrap();
    let mut lines = table.lines();
    let columns: Vec<&str> = lines.next().unwrap().split('\t').collect();
    assert_eq!(columns, ["name", "old_slug", "pinyin"]);
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split('\t').collect()).collect();
    assert!(rows.len() > 50, "{} rows", rows.len());
    let wrong: Vec<String> = rows
        .iter()
        .filter(|row| Slug::from_name(row[0]).as_str() != row[2])
        .map(|row| format!("{}: {} instead of {}", row[0], Slug::from_name(row[0]), row[2]))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Made-up names whose readings distinguish a phrase-aware table from a plain one.
#[test]
fn slugs_of_our_own_names() {
    for (name, slug) in [
        ("重庆样报", "chongqingyangbao"),
        ("厦门样报", "xiamenyangbao"),
        ("西藏样报", "xizangyangbao"),
        ("银行样刊", "yinhangyangkan"),
        ("旅游样报", "lvyouyangbao"),
        ("Ｗｅｂ样报·周刊", "webyangbaozhoukan"),
    ] {
        assert_eq!(Slug::from_name(name).as_str(), slug, "{name}");
    }
}

/// The bytes of a post and its position in the feeds, on a sample.
#[tokio::test]
async fn the_shape_of_a_jekyll_post() {
    let upstream = Upstream::start().await;
    let code = "NW202203052700000009";
    let title = "湖畔集市重开 三十家小店迎客";
    put_lists(&upstream, &[paper(code, "湖畔都市报", "2022-03-05 07:20:11", title)], &[]);
    let text = paper_text(
        "湖畔都市报",
        &["停了两年的湖畔集市周末重开，三十家小店迎客。", "摊主说，“人气比预想的旺”。"],
    );
    upstream.json(&text_path(code), &text);
    let mill = mill(&eastmoney_sources(&upstream)).await;
    mill.publish().await;
    let post = fs::read_to_string(mill.path(&format!("data/jekyll/_posts/2022-03-05-{code}.md"))).unwrap();
    let link = format!("http://finews.zning.xyz/html_News/NewsShare.html?infoCode={code}");
    let html = "<p>停了两年的湖畔集市周末重开，三十家小店迎客。</p>\n \
                <p>摊主说，“人气比预想的旺”。</p>\n <p class=\"em_media\">（文章来源：湖畔都市报）</p>";
    assert_eq!(
        post.trim_end(),
        format!(
            "---\nlayout: post\ntitle: \"{title}\"\ndate: 2022-03-05 07:20:11 +0800\n\
             categories: hupandushibao\ntags: 湖畔都市报新闻\n---\n{html}\n\n<{link}>\n\n\
             [返回湖畔都市报新闻](//finews.withounder.com/category/hupandushibao.html)｜[返回首页](//finews.withounder.com/)"
        )
    );
    assert_feeds_hold(&mill, "hupandushibao", title, "2022-03-04T23:20:11Z", &link, html);
}
