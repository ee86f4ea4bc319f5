//! Promise: the history of a category is complete. A client that walks back from the current document finds
//! exactly the published items, and only a withdrawal changes an archive document (RULES 3.2; RFC 5005, RFC
//! 6721).

#![expect(clippy::unwrap_used, clippy::panic, reason = "a sample that is not there ends the test")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use common::samples::{RssItem, feed_source, rss};
use common::{Mill, Tree, Upstream, at};
use feedmill::control::Query;
use feedmill::model::Timestamp;
use feedmill::parse::{Context, parse_feed};
use feedmill::publish::PublishScope;
use feedmill::store::Window;

const SITE: &str = "https://news.example.org/";
const SLUG: &str = "jiachengribao";
const MAIN: &str = "[site]\nurl = \"https://news.example.org/\"\nid_authority = \"news.example.org,2026\"\n\
    code_space = \"jia\"\n[output]\ncorrections = true\n";
const DAY: i64 = 86_400;

/// A newspaper whose feed lists its latest articles.
struct Paper {
    upstream: Upstream,
    path: &'static str,
    listed: Vec<(u32, Timestamp, String, String)>,
}

impl Paper {
    fn publish(&mut self, number: u32, date: Timestamp, text: &str) {
        self.listed.insert(0, (number, date, format!("第{number}条"), format!("<p>{text}</p>")));
        self.listed.truncate(40);
    }

    fn correct(&mut self, number: u32, title: &str) {
        if let Some(entry) = self.listed.iter_mut().find(|(n, ..)| *n == number) {
            title.clone_into(&mut entry.2);
            entry.3 = format!("<p>改正后的正文：{title}</p>");
        }
    }

    fn put(&self) {
        let texts: Vec<[String; 3]> = self
            .listed
            .iter()
            .map(|(number, date, ..)| {
                let code = format!("{}-{number}", self.path.trim_matches(['/', '.', 'x', 'm', 'l']));
                [code.clone(), format!("https://paper.example.org/{code}"), date.rfc822()]
            })
            .collect();
        let items: Vec<RssItem<'_>> = self
            .listed
            .iter()
            .zip(&texts)
            .map(|((.., title, html), [guid, link, date])| RssItem { guid, link, title, html, date })
            .collect();
        self.upstream.rss(self.path, rss("https://paper.example.org/", &items));
    }
}

/// id → (title, updated) as a client reconstructs them.
type Known = BTreeMap<String, (String, Timestamp)>;

/// Walks back from the current document; later documents, and later times, win.
fn walk(tree: &Tree) -> (Known, BTreeSet<String>, usize) {
    let (mut known, mut gone, mut documents) = (Known::new(), BTreeSet::new(), 0);
    let mut path = Some(format!("feed/{SLUG}.xml"));
    while let Some(here) = path {
        let bytes = tree.get(&here).unwrap_or_else(|| panic!("{here} is not there"));
        let xml = String::from_utf8(bytes.clone()).unwrap();
        let feed = parse_feed(bytes, &Context::default()).unwrap();
        for entry in feed.entries {
            let (id, updated) = (entry.guid.unwrap(), entry.updated.unwrap());
            let newer = known.get(&id).is_none_or(|(_, before)| *before < updated);
            if newer && !gone.contains(&id) {
                known.insert(id, (entry.title, updated));
            }
        }
        for said in xml.split("<at:deleted-entry ref=\"").skip(1) {
            let id = said.split('"').next().unwrap().to_owned();
            if !known.contains_key(&id) {
                gone.insert(id);
            }
        }
        documents += 1;
        path = xml.split("<link rel=\"prev-archive\"").nth(1).map(|rest| {
            let href = rest.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
            href.strip_prefix(SITE).unwrap().to_owned()
        });
    }
    (known, gone, documents)
}

/// Returns what the store publishes in the category.
fn published(mill: &Mill) -> Known {
    let category = mill.store().find_category(SLUG).unwrap().unwrap();
    let all = Window { items: 100_000, age: -1, most: 100_000, archived: true };
    let items = mill.store().items_in(category.id, all).unwrap();
    items
        .into_iter()
        .map(|item| (mill.own().pages.published_id(&item.code), (item.title, item.updated)))
        .collect()
}

fn archives(mill: &Mill) -> Tree {
    let prefix = format!("feed/{SLUG}/archive/");
    mill.outputs().into_iter().filter(|(path, _)| path.starts_with(&prefix)).collect()
}

/// Returns the files of `before` that differ or are missing now.
fn changed(before: &Tree, after: &Tree) -> Vec<String> {
    before
        .iter()
        .filter(|(path, bytes)| after.get(*path) != Some(bytes))
        .map(|(path, _)| path.clone())
        .collect()
}

async fn day(mill: &Mill) {
    mill.pass(DAY);
    mill.round().await;
    mill.own().publish(PublishScope::Changed, |_, _| {}).await.unwrap();
}

/// Writes posts of an old site, for the same category.
fn old_posts(mill: &Mill, count: u32) -> std::path::PathBuf {
    let folder = mill.path("old");
    fs::create_dir_all(&folder).unwrap();
    for number in 0..count {
        let (hour, minute) = (number / 60, number % 60);
        let text = format!(
            "---\ntitle: \"旧闻{number}\"\ndate: 2022-03-01 {hour:02}:{minute:02}:00 +0800\ncategories: {SLUG}\n\
             tags: 甲城日报\n---\n<p>旧文{number}</p>\n"
        );
        fs::write(folder.join(format!("2022-03-01-old-{number:03}.md")), text).unwrap();
    }
    folder
}

#[tokio::test]
async fn a_year_of_daily_publishing_leaves_archives_alone() {
    let upstream = Upstream::start().await;
    let sources = format!(
        "[[category]]\nname = \"甲城日报\"\n{}code_space = \"jia\"\n[source.code]\nfrom = \"guid\"\n",
        feed_source("jia", "甲城日报", &upstream, "/a.xml")
    );
    let start = at("2026-01-01T04:00:00Z");
    let mut mill = Mill::open(start, MAIN, &sources).await;
    let mut paper = Paper { upstream, path: "/a.xml", listed: Vec::new() };
    let mut before = Tree::new();
    let mut next = 0;
    for today in 0..365_i64 {
        for _ in 0..2 + today % 2 {
            // Every ninth is late: it is dated months back.
            let late = if next % 9 == 8 { 100 * DAY } else { 0 };
            paper.publish(next, mill.now().plus(DAY - 3_600 - late), "样本正文。");
            next += 1;
        }
        if today % 5 == 4 {
            let (fresh, late) = (next - 9, u32::saturating_sub(next, 35));
            paper.correct(fresh, &format!("第{fresh}条（改正，第{today}天）"));
            paper.correct(late, &format!("第{late}条（迟来的改正，第{today}天）"));
        }
        paper.put();
        day(&mill).await;
        if today == 120 {
            let folder = old_posts(&mill, 330);
            let report = mill.own().import_jekyll(&folder, false, |_, _| {}).await.unwrap();
            assert_eq!(report.imported, 330, "{report:?}");
            mill.own().publish(PublishScope::Changed, |_, _| {}).await.unwrap();
        }
        let after = archives(&mill);
        assert_eq!(changed(&before, &after), [""; 0], "on day {today}");
        before = after;
    }
    // About 900 polled items and 330 imported ones; each hundred in two formats.
    assert!(before.len() >= 2 * 12, "{} archive files", before.len());
    let (known, gone, documents) = walk(&mill.outputs());
    assert_eq!(known, published(&mill));
    assert!(known.len() > 1_200 && gone.is_empty(), "{} items", known.len());
    assert_eq!(documents, 1 + before.len() / 2);
    let corrected = known.values().filter(|(title, _)| title.contains("改正")).count();
    assert!(corrected > 100, "{corrected}");

    // A withdrawal changes the archive documents that contained the item and no others, and is announced.
    let code = "a-100";
    ask(
        &mill,
        Query::Withdraw {
            names: vec![code.to_owned()],
            why: "asked".to_owned(),
            erase: true,
            copies: false,
            exports: false,
            dry_run: false,
        },
    )
    .await;
    let after = archives(&mill);
    let differ = changed(&before, &after);
    assert!((2..=4).contains(&differ.len()) && differ.len().is_multiple_of(2), "{differ:?}");
    let (known, gone, _) = walk(&mill.outputs());
    assert_eq!(known, published(&mill));
    assert_eq!(gone, BTreeSet::from([format!("tag:news.example.org,2026:{code}")]));
    assert!(after.values().all(|bytes| !String::from_utf8_lossy(bytes).contains("第100条")));

    // After a restore the item is there again.
    let code = "a-200";
    ask(
        &mill,
        Query::Withdraw {
            names: vec![code.to_owned()],
            why: "asked".to_owned(),
            erase: false,
            copies: false,
            exports: false,
            dry_run: false,
        },
    )
    .await;
    assert_eq!(walk(&mill.outputs()).1.len(), 2);
    ask(&mill, Query::Restore { code: code.to_owned(), why: "a mistake".to_owned() }).await;
    let (known, gone, _) = walk(&mill.outputs());
    assert_eq!((known, gone.len()), (published(&mill), 1));

    // The documents do not depend on the run: an emptied folder is restored byte for byte.
    let before = mill.outputs();
    fs::remove_dir_all(mill.path("data/public")).unwrap();
    mill.reopen(MAIN, &sources).await;
    mill.pass(400 * DAY);
    mill.publish().await;
    assert_eq!(changed(&before, &mill.outputs()), [""; 0]);
}

#[tokio::test]
async fn corrections_can_be_read() {
    let upstream = Upstream::start().await;
    let sources = feed_source("jia", "甲城日报", &upstream, "/a.xml");
    let mill =
        Mill::open(at("2026-01-01T04:00:00Z"), MAIN.replace("code_space = \"jia\"\n", "").as_str(), &sources)
            .await;
    let mut paper = Paper { upstream, path: "/a.xml", listed: Vec::new() };
    for number in 0..3 {
        paper.publish(number, mill.now(), "桥上三人受伤。");
    }
    paper.put();
    day(&mill).await;
    let path = format!("feed/{SLUG}/corrections.xml");
    let none = mill.output(&path);
    assert!(!none.contains("<entry"), "{none}");
    paper.listed[1].3 = "<p>桥上两人受伤。</p>".to_owned();
    paper.put();
    day(&mill).await;
    paper.listed[1].2 = "桥上事故".to_owned();
    paper.listed[2].3 = "<div><p> 桥上三人受伤。 </p></div>".to_owned();
    paper.put();
    day(&mill).await;
    let feed = parse_feed(mill.output(&path).as_bytes(), &Context::default()).unwrap();
    let told: Vec<(&str, &str)> =
        feed.entries.iter().map(|e| (e.title.as_str(), e.content.as_deref().unwrap())).collect();
    assert_eq!(
        told,
        [
            ("更正：桥上事故", "<p><strong><del>第1条</del><ins>桥上事故</ins></strong></p>"),
            ("更正：第1条", "<p>桥上<del>三</del><ins>两</ins>人受伤。</p>"),
        ]
    );
    let ids: BTreeSet<_> = feed.entries.iter().map(|entry| entry.guid.clone()).collect();
    assert_eq!(ids.len(), 2);
}

async fn ask(mill: &Mill, query: Query) {
    let said = mill.ask(query).await;
    assert!(matches!(&said, feedmill::control::Event::Done(value) if value["changed"] == true), "{said:?}");
}
