//! Promise: rules apply to new items and, by `reroute`, to stored ones; what they did is counted and shown
//! (RULES 5.5).

#![expect(clippy::unwrap_used, reason = "a sample that is not there ends the test")]

mod common;

use std::collections::BTreeSet;

use common::samples::{RssItem, feed_source, rss};
use common::{Mill, Upstream, at, every_item};
use feedmill::control::{Event, Query};
use serde_json::Value;

const MAIN: &str = "[site]\nurl = \"https://news.example.org/\"\nid_authority = \"news.example.org,2026\"\n";

const RULES: &str = r#"
[[rule]]
name = "no-lottery"
action = "drop"
contains = ["彩票"]
[[rule]]
name = "sports"
action = "move"
in = ["title"]
matches = '足球|篮球'
to = "体育"
[[rule]]
name = "front"
action = "add"
contains = ["头条"]
to = "头条"
[[rule]]
name = "bracket"
action = "rewrite"
field = "title"
replace = '^【.*?】'
[[category]]
name = "体育"
[[category.rule]]
name = "label"
action = "tag"
to = "赛事"
"#;

const TITLES: [&str; 5] = ["大桥合龙", "彩票开奖", "足球赛开幕", "头条：新学期", "【快讯】降雨"];

async fn upstream() -> Upstream {
    let upstream = Upstream::start().await;
    let guids: Vec<String> = (0..TITLES.len()).map(|n| format!("g-{n}")).collect();
    let items: Vec<RssItem<'_>> = TITLES
        .iter()
        .zip(&guids)
        .map(|(title, guid)| RssItem {
            guid,
            title,
            html: "<p>正文。</p>",
            date: "Thu, 30 Apr 2026 08:00:00 GMT",
            ..RssItem::default()
        })
        .collect();
    upstream.rss("/a.xml", rss("https://paper.example/", &items));
    upstream
}

async fn mill(upstream: &Upstream, rules: &str) -> Mill {
    let sources = feed_source("jia", "甲城日报", upstream, "/a.xml");
    Mill::open(at("2026-05-01T04:00:00Z"), &format!("{MAIN}{rules}"), &sources).await
}

async fn ask(mill: &Mill, query: Query) -> Value {
    match mill.ask(query).await {
        Event::Done(value) => value,
        other => Value::String(format!("{other:?}")),
    }
}

/// Returns (slugs, title) of every published item.
fn placed(mill: &Mill) -> BTreeSet<(String, String)> {
    mill.items().into_iter().map(|item| (mill.slugs(&item).join(" "), item.title)).collect()
}

fn want(pairs: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    pairs.iter().map(|(slugs, title)| ((*slugs).to_owned(), (*title).to_owned())).collect()
}

const RULED: [(&str, &str); 4] = [
    ("jiachengribao", "大桥合龙"),
    ("tiyu", "足球赛开幕"),
    ("jiachengribao toutiao", "头条：新学期"),
    ("jiachengribao", "降雨"),
];

async fn hits(mill: &Mill) -> (Vec<(String, u64)>, [u64; 3]) {
    let answer = ask(mill, Query::Rules).await;
    let rules = answer["rules"].as_array().unwrap().iter();
    let hits = rules.map(|rule| (rule["name"].as_str().unwrap().to_owned(), rule["hits"].as_u64().unwrap()));
    let totals = ["seen", "kept", "dropped"].map(|name| answer[name].as_u64().unwrap());
    (hits.collect(), totals)
}

#[tokio::test]
async fn each_action_is_done_counted_and_told() {
    let upstream = upstream().await;
    let mill = mill(&upstream, RULES).await;
    let reports = mill.round().await;
    assert_eq!((reports[0].inserted, reports[0].dropped), (4, 1), "{reports:?}");
    mill.publish().await;
    assert_eq!(placed(&mill), want(&RULED));
    assert_eq!(mill.feed_titles("tiyu"), ["足球赛开幕"]);
    assert!(mill.output("feed/tiyu.xml").contains("<category term=\"赛事\"/>"));
    let out = mill.outputs();
    assert!(out.values().all(|bytes| !String::from_utf8_lossy(bytes).contains("彩票")));

    let (rules, [seen, kept, dropped]) = hits(&mill).await;
    let counted: Vec<(&str, u64)> = rules.iter().map(|(name, hits)| (name.as_str(), *hits)).collect();
    assert_eq!(counted, [("no-lottery", 1), ("sports", 1), ("front", 1), ("bracket", 1), ("label", 1)]);
    assert_eq!((seen, kept, dropped), (5, 4, 1), "they add up to what was listed: {}", reports[0].listed);

    // A later poll evaluates no rule again, and nothing comes back.
    mill.pass(3_600);
    mill.round().await;
    assert_eq!(hits(&mill).await.1, [5, 4, 1]);
    assert_eq!(placed(&mill), want(&RULED));

    let story = |title: &str| {
        let code = every_item(mill.store()).into_iter().find(|item| item.title == title);
        ask(&mill, Query::Explain { code: code.unwrap().code.text(None) })
    };
    let lottery = story("彩票开奖").await;
    assert_eq!(lottery["events"][0]["what"], "dropped");
    assert!(lottery["events"][0]["why"].as_str().unwrap().ends_with("dropped by the rule `no-lottery`"));
    assert_eq!(lottery["tombstone"]["by"], "rule");
    let why = story("足球赛开幕").await["events"][0]["why"].as_str().unwrap().to_owned();
    assert!(why.ends_with("rules applied: `sports`, `label`"), "{why}");
}

/// The item that was dropped last is found too, with its newspaper's last version, whether it is still
/// listed or not.
#[tokio::test]
async fn what_other_rules_let_in_is_what_its_newspaper_gave_last() {
    let upstream = upstream().await;
    let mut mill = mill(&upstream, RULES).await;
    let ticket = |title| RssItem {
        guid: "g-1",
        title,
        html: "<p>正文。</p>",
        date: "Thu, 30 Apr 2026 08:00:00 GMT",
        ..RssItem::default()
    };
    for title in ["彩票开奖", "彩票开奖：更正"] {
        upstream.rss("/a.xml", rss("https://paper.example/", &[ticket(title)]));
        mill.pass(3_600);
        mill.round().await;
        assert_eq!(placed(&mill), BTreeSet::new());
    }
    upstream.rss("/a.xml", rss("https://paper.example/", &[RssItem { guid: "g-7", ..ticket("彩票停售") }]));
    mill.pass(3_600);
    mill.round().await;
    mill.reopen(MAIN, &feed_source("jia", "甲城日报", &upstream, "/a.xml")).await;
    let done = ask(&mill, Query::Reroute { dry_run: false }).await;
    assert_eq!(done["changed"], 2, "{done}");
    let slug = "jiachengribao";
    assert_eq!(placed(&mill), want(&[(slug, "彩票开奖：更正"), (slug, "彩票停售")]));
}

#[tokio::test]
async fn reroute_applies_changed_rules_to_what_is_stored() {
    let upstream = upstream().await;
    let mut mill = mill(&upstream, "").await;
    mill.round().await;
    mill.publish().await;
    let all: Vec<(&str, &str)> = TITLES.iter().map(|title| ("jiachengribao", *title)).collect();
    assert_eq!(placed(&mill), want(&all));
    let sources = feed_source("jia", "甲城日报", &upstream, "/a.xml");

    mill.reopen(&format!("{MAIN}{RULES}"), &sources).await;
    mill.pass(60);
    let (before, outputs) = (placed(&mill), mill.outputs());
    let said = ask(&mill, Query::Reroute { dry_run: true }).await;
    assert_eq!((said["looked"].as_u64(), said["changed"].as_u64()), (Some(5), Some(4)), "{said}");
    let whats: BTreeSet<&str> =
        said["items"].as_array().unwrap().iter().map(|item| item["what"].as_str().unwrap()).collect();
    assert_eq!(
        whats,
        BTreeSet::from([
            "dropped by the rule `no-lottery`",
            "leaves 甲城日报; enters 体育; its labels is changed",
            "enters 头条 (new)",
            "its title is changed",
        ])
    );
    assert_eq!((placed(&mill), mill.outputs()), (before, outputs), "a dry run changes nothing");
    assert!(mill.store().find_category("头条").unwrap().is_none());

    let done = ask(&mill, Query::Reroute { dry_run: false }).await;
    assert_eq!(done["items"], said["items"]);
    assert_eq!(placed(&mill), want(&RULED));
    assert_eq!(mill.feed_titles("tiyu"), ["足球赛开幕"]);
    // The feeds of the old category announce the removal.
    assert_eq!(mill.output("feed/jiachengribao.xml").matches("<at:deleted-entry").count(), 2);
    let moved = mill.items().into_iter().find(|item| item.title == "足球赛开幕").unwrap();
    assert!(moved.permalink.starts_with("jiachengribao/"), "its address never moves: {}", moved.permalink);
    let again = ask(&mill, Query::Reroute { dry_run: true }).await;
    assert_eq!(again["changed"], 0, "{again}");

    // Without the rules the item comes back; a rewritten title stays.
    mill.reopen(MAIN, &sources).await;
    mill.pass(60);
    ask(&mill, Query::Reroute { dry_run: false }).await;
    let titles = ["大桥合龙", "彩票开奖", "足球赛开幕", "头条：新学期", "降雨"];
    let all: Vec<(&str, &str)> = titles.iter().map(|title| ("jiachengribao", *title)).collect();
    assert_eq!(placed(&mill), want(&all));
    mill.publish().await;
    assert!(mill.feed_titles("jiachengribao").contains(&"彩票开奖".to_owned()));
    assert_eq!(mill.output("feed/jiachengribao.xml").matches("<at:deleted-entry").count(), 0);
}

/// Whether a rule drops an item does not depend on where an admin has moved it.
#[tokio::test]
async fn what_an_admin_moved_while_it_was_dropped_comes_back_where_it_was_put() {
    let upstream = upstream().await;
    let sources = feed_source("jia", "甲城日报", &upstream, "/a.xml");
    let mut mill = mill(&upstream, RULES).await;
    mill.round().await;
    let lottery = every_item(mill.store()).into_iter().find(|item| item.title == "彩票开奖").unwrap();
    let moved = ask(&mill, Query::Move { code: lottery.code.text(None), to: "体育".to_owned() }).await;
    assert_eq!(moved["changed"], true, "{moved}");
    let held = ask(&mill, Query::Reroute { dry_run: false }).await;
    assert_eq!(held["changed"], 0, "the rule drops it still: {held}");

    mill.reopen(MAIN, &sources).await;
    mill.pass(60);
    let said = ask(&mill, Query::Reroute { dry_run: false }).await;
    let of_it = said["items"].as_array().unwrap().iter().find(|item| item["title"] == "彩票开奖");
    assert_eq!(of_it.unwrap()["what"], "let in, for no rule drops it any more", "{said}");
    assert!(placed(&mill).contains(&("tiyu".to_owned(), "彩票开奖".to_owned())), "{:?}", placed(&mill));
    let again = ask(&mill, Query::Reroute { dry_run: true }).await;
    assert_eq!(again["changed"], 0, "{again}");
}

#[tokio::test]
async fn a_source_in_two_categories_and_both_combined() {
    let upstream = upstream().await;
    let sources = feed_source("jia", "甲城日报", &upstream, "/a.xml")
        .replace("category = \"甲城日报\"", "category = [\"甲城日报\", \"河湾各报\"]");
    let other = feed_source("yi", "乙城晚报", &upstream, "/b.xml");
    let items: Vec<String> = (0..3).map(|n| format!("b-{n}")).collect();
    let items: Vec<RssItem<'_>> = items
        .iter()
        .map(|guid| RssItem {
            guid,
            title: guid,
            html: "<p>文</p>",
            date: "Fri, 01 May 2026 01:00:00 GMT",
            ..RssItem::default()
        })
        .collect();
    upstream.rss("/b.xml", rss("https://b.example/", &items));
    let main = format!(
        "{MAIN}[output.window]\nsite_items = 6\nper_source = 2\n[[combined]]\nname = \"全省\"\ncategories = [\"甲城日报\", \"yichengwanbao\"]\n"
    );
    let mill = Mill::open(at("2026-05-01T04:00:00Z"), &main, &(sources + &other)).await;
    mill.round().await;
    mill.publish().await;
    assert!(
        mill.items().iter().filter(|item| item.lead.as_str() == "jia").all(|item| item.categories.len() == 2)
    );
    let titles = mill.feed_titles("quansheng");
    assert_eq!(titles.len(), 6, "{titles:?}");
    assert!(titles.iter().filter(|title| title.starts_with("b-")).count() >= 2, "{titles:?}");
    assert_eq!(mill.feed_titles("hewangebao").len(), 5);
    assert!(mill.output("opml.xml").contains("feed/quansheng.xml"));
    // It changes only with its categories.
    mill.pass(60);
    assert_eq!(mill.publish().await.written, 0);
}

#[tokio::test]
async fn rules_by_language_hear_what_documents_say() {
    let upstream = Upstream::start().await;
    let feed = "<rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/'><channel><title>t</title>\
        <link>https://paper.example/</link><description>d</description><language>de-AT</language>\
        <item><title>Eins</title><guid>1</guid></item>\
        <item><title>Two</title><guid>2</guid><dc:language>en</dc:language></item></channel></rss>";
    upstream.rss("/a.xml", feed.to_owned());
    let atom = "<feed xmlns='http://www.w3.org/2005/Atom' xml:lang='de'><title>t</title><id>i</id>\
        <updated>2026-04-30T08:00:00Z</updated><entry><title>Drei</title><id>3</id><updated>2026-04-30T08:00:00Z</updated></entry></feed>";
    upstream.put("/b.xml", 200, "application/atom+xml", atom.to_owned());
    let page = "<html lang=de><ul class=news><li><a href=/4>Vier</a></li></ul></html>";
    upstream.put("/c", 200, "text/html", page.to_owned());
    let list = "kind = \"html\"\nfull_text = false\n[source.list]\nitem = \"ul.news li\"\n";
    let sources = format!(
        "{}{}{}{list}",
        feed_source("jia", "甲城日报", &upstream, "/a.xml"),
        feed_source("yi", "乙城日报", &upstream, "/b.xml"),
        feed_source("bing", "丙城日报", &upstream, "/c")
    );
    let rule = "[[rule]]\nname = \"german\"\naction = \"move\"\nlanguage = [\"de\"]\nto = \"德语\"\n";
    let mill = Mill::open(at("2026-05-01T04:00:00Z"), &format!("{MAIN}{rule}"), &sources).await;
    mill.round().await;
    let german: BTreeSet<String> =
        placed(&mill).into_iter().filter(|(slugs, _)| slugs == "deyu").map(|(_, title)| title).collect();
    assert_eq!(german.into_iter().collect::<Vec<_>>(), ["Drei", "Eins", "Vier"]);
}
