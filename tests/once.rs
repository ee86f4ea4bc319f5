//! Promise: an article is stored and published once, with one id for ever, whatever upstream does: lists it
//! twice, changes its title or its guid, sends half of it (RULES 1).

mod common;

use std::collections::BTreeSet;

use common::samples::{
    LIST_45, LIST_102, RssItem, eastmoney_main, eastmoney_sources, feed_source, one_feed, only, paper,
    paper_text, put_lists, reversed, rolling, rolling_text, rss, text_path,
};
use common::{Asked, Mill, Upstream, at, changed_paths};
use feedmill::model::Timestamp;

/// The article that is in both lists; it contains a stock's name and, in its attribution, a board's.
const TWIN: &str = "202605012700000001";
const TWIN_NW: &str = "NW202605012700000001";
const TWIN_TITLE: &str = "河湾镇建成首座共享农机站";
const TWIN_TEXT: [&str; 3] = [
    "河湾镇首座共享农机站昨日启用，周边六个村的农户可以按小时租用收割机。",
    "设备由青禾农机提供，首批共十二台；镇上说，秋收前还会再添六台。",
    "“过去等机器要排三天，现在手机上一约就行。”种粮户老周说。",
];
/// An article in the newspapers' list only.
const PAPER_NW: &str = "NW202605012700000002";
/// An article in the rolling list only.
const ROLLING: &str = "202605012700000003";

fn noon() -> Timestamp {
    at("2026-05-01T04:00:00Z")
}

fn twin_paper() -> serde_json::Value {
    paper(TWIN_NW, "河湾证券报", "2026-05-01 09:30:00", TWIN_TITLE)
}

fn other_paper() -> serde_json::Value {
    paper(PAPER_NW, "样本晚报", "2026-05-01 10:00:00", "老城区三条街巷完成照明改造")
}

fn twin_rolling() -> serde_json::Value {
    rolling(TWIN, "2026-05-01 09:30:00", TWIN_TITLE, "首座共享农机站启用。（河湾证券报）")
}

fn other_rolling() -> serde_json::Value {
    rolling(ROLLING, "2026-05-01 10:30:00", "样本港四月吞吐量增长一成", "港口公布四月数据。")
}

/// Serves two newspapers' articles and two rolling ones, one of which is the same article.
async fn upstream() -> Upstream {
    let upstream = Upstream::start().await;
    put_lists(&upstream, &[twin_paper(), other_paper()], &[other_rolling(), twin_rolling()]);
    upstream.json(&text_path(TWIN_NW), &paper_text("河湾证券报", &TWIN_TEXT));
    upstream.json(&text_path(TWIN), &rolling_text("河湾证券报", &TWIN_TEXT));
    upstream.json(&text_path(PAPER_NW), &paper_text("样本晚报", &["三条街巷换上了新路灯，夜里回家亮堂了。"]));
    upstream.json(&text_path(ROLLING), &rolling_text("样本财讯", &["样本港公布，四月吞吐量同比增长一成。"]));
    upstream
}

async fn eastmoney(upstream: &Upstream) -> Mill {
    Mill::open(noon(), &eastmoney_main(""), &eastmoney_sources(upstream)).await
}

fn details(asked: &[Asked]) -> Vec<&str> {
    let paths = asked.iter().map(|asked| asked.path.as_str());
    paths.filter(|path| path.starts_with("/NewsData/")).collect()
}

#[tokio::test]
async fn two_lists_one_item_both_categories() {
    let upstream = upstream().await;
    let mill = eastmoney(&upstream).await;
    let reports = mill.round().await;
    assert!(reports.iter().all(|report| report.error.is_none() && report.held == 0), "{reports:?}");
    assert_eq!(reports.iter().map(|report| report.inserted).sum::<usize>(), 3);
    assert_eq!(mill.items().len(), 3);
    let twin = mill.item(TWIN_NW);
    assert_eq!(mill.slugs(&twin), ["emnews", "hewanzhengquanbao"]);
    // The newspaper's copy provides the content, and the first copy the address.
    assert_eq!(twin.lead.as_str(), "eastmoney-45");
    assert_eq!(twin.permalink, format!("hewanzhengquanbao/2026/05/01/{TWIN_NW}.html"));
    assert_eq!(twin.published, at("2026-05-01T01:30:00Z"));
    let asked = upstream.take_asked();
    assert!(!details(&asked).contains(&text_path(TWIN).as_str()), "the lower copy's text is not needed");

    mill.publish().await;
    for slug in ["emnews", "hewanzhengquanbao"] {
        let items = mill.feed_items(&format!("feed/{slug}.json"));
        let twins: Vec<_> = items.iter().filter(|item| item["title"] == TWIN_TITLE).collect();
        assert_eq!(twins.len(), 1, "{slug}");
        assert_eq!(twins[0]["id"], format!("tag:news.example.org,2021:{TWIN_NW}"));
        assert_eq!(
            twins[0]["url"],
            format!("http://finews.zning.xyz/html_News/NewsShare.html?infoCode={TWIN_NW}")
        );
    }
}

#[tokio::test]
async fn both_copies_clean_to_the_same_text() {
    let upstream = upstream().await;
    let sources = eastmoney_sources(&upstream);
    let papers = Mill::open(noon(), &eastmoney_main(""), &only(&sources, "eastmoney-45")).await;
    papers.round().await;
    let rolling = Mill::open(noon(), &eastmoney_main(""), &only(&sources, "eastmoney-102")).await;
    rolling.round().await;
    let html = papers.body(TWIN_NW).html;
    assert_eq!(rolling.body(TWIN_NW).html, html);
    assert!(
        html.contains("设备由青禾农机提供")
            && html.contains("<p class=\"em_media\">（文章来源：河湾证券报）</p>")
    );
    for unwanted in ["span", "<a ", "<img", "<!--", "display", "\u{3000}"] {
        assert!(!html.contains(unwanted), "{unwanted} in {html}");
    }
    assert_eq!(rolling.item(TWIN_NW).media_name.as_deref(), Some("河湾证券报"));
}

/// With and without validators: it must not depend on a 304.
#[tokio::test]
async fn a_second_round_changes_nothing() {
    for validators in [true, false] {
        let upstream = upstream().await;
        if !validators {
            upstream.never_the_same();
        }
        let mill = eastmoney(&upstream).await;
        mill.round().await;
        assert!(mill.publish().await.written > 0);
        let before = mill.outputs();
        upstream.take_asked();
        mill.pass(60);
        let reports = mill.round().await;
        assert!(reports.iter().all(|report| report.not_modified == validators), "{reports:?}");
        assert!(reports.iter().all(|report| !report.changed() && report.details == 0), "{reports:?}");
        let asked = upstream.take_asked();
        assert_eq!((asked.len(), details(&asked).len()), (5, 0), "{asked:?}");
        assert_eq!(mill.items().len(), 3);
        let report = mill.publish().await;
        assert_eq!((report.written, report.rendered, report.removed), (0, 0, 0), "{report:?}");
        assert_eq!(mill.outputs(), before);
    }
}

#[tokio::test]
async fn a_new_title_rewrites_only_its_categories() {
    let upstream = upstream().await;
    let mill = eastmoney(&upstream).await;
    mill.round().await;
    mill.publish().await;
    let (before, was) = (mill.outputs(), mill.item(TWIN_NW));
    mill.pass(120);
    let title = "河湾镇建成首座共享农机站 秋收前再添六台";
    let changed = paper(TWIN_NW, "河湾证券报", "2026-05-01 09:30:00", title);
    put_lists(&upstream, &[changed, other_paper()], &[other_rolling(), twin_rolling()]);
    let reports = mill.round().await;
    assert_eq!(reports.iter().map(|report| report.updated).sum::<usize>(), 1, "{reports:?}");
    assert_eq!(reports.iter().map(|report| report.inserted + report.joined).sum::<usize>(), 0);

    let now = mill.item(TWIN_NW);
    assert_eq!((now.title.as_str(), now.updated), (title, mill.now()));
    assert_eq!((now.published, &now.permalink, now.home), (was.published, &was.permalink, was.home));
    let old = mill.store().past(&mill.code(TWIN_NW)).unwrap().revisions;
    assert_eq!(old.iter().map(|old| old.title.as_str()).collect::<Vec<_>>(), [TWIN_TITLE]);

    mill.publish().await;
    let changed = changed_paths(&before, &mill.outputs());
    for slug in ["emnews", "hewanzhengquanbao"] {
        for path in ["feed/SLUG.xml", "feed/SLUG.rss", "feed/SLUG.json", "category/SLUG.html"] {
            assert!(changed.contains(&path.replace("SLUG", slug)), "{path} of {slug}: {changed:?}");
        }
    }
    let own = |path: &&String| {
        let site = ["index.html", "feed.xml", "rss.xml", "feed.json", "opml.xml", ".feedmill/index.json"];
        path.contains("emnews") || path.contains("hewanzhengquanbao") || site.contains(&path.as_str())
    };
    let foreign: Vec<&String> = changed.iter().filter(|path| !own(path)).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    let item = &mill.feed_items("feed/hewanzhengquanbao.json")[0];
    assert_eq!(item["id"], format!("tag:news.example.org,2021:{TWIN_NW}"));
    assert_eq!(
        (&item["date_published"], &item["date_modified"]),
        (&"2026-05-01T01:30:00Z".into(), &"2026-05-01T04:02:00Z".into())
    );
}

/// A copy that does not provide the content has no effect on it.
#[tokio::test]
async fn a_new_title_in_the_lower_copy_changes_nothing() {
    let upstream = upstream().await;
    let mill = eastmoney(&upstream).await;
    mill.round().await;
    mill.publish().await;
    let before = mill.outputs();
    upstream.take_asked();
    mill.pass(60);
    let other = rolling(TWIN, "2026-05-01 09:30:00", "【滚动】农机站启用", "首座共享农机站启用。");
    put_lists(&upstream, &[twin_paper(), other_paper()], &[other_rolling(), other]);
    mill.round().await;
    assert_eq!(mill.item(TWIN_NW).title, TWIN_TITLE);
    assert_eq!(details(&upstream.take_asked()), [""; 0]);
    mill.publish().await;
    assert_eq!(changed_paths(&before, &mill.outputs()), BTreeSet::new());
}

#[tokio::test]
async fn the_order_of_the_lists_does_not_show_in_the_feeds() {
    let upstream = upstream().await;
    let sources = eastmoney_sources(&upstream);
    let one = Mill::open(noon(), &eastmoney_main(""), &sources).await;
    let two = Mill::open(noon(), &eastmoney_main(""), &reversed(&sources)).await;
    for mill in [&one, &two] {
        mill.round().await;
        mill.publish().await;
    }
    // They differ only in what RULES 1.4 derives from the first publication.
    assert_eq!(one.item(TWIN_NW).permalink, format!("hewanzhengquanbao/2026/05/01/{TWIN_NW}.html"));
    assert_eq!(two.item(TWIN_NW).permalink, format!("emnews/2026/05/01/{TWIN_NW}.html"));
    assert_eq!(one.body(TWIN_NW), two.body(TWIN_NW));
    let (one, two) = (one.outputs(), two.outputs());
    assert_eq!(one.keys().collect::<Vec<_>>(), two.keys().collect::<Vec<_>>());
    let feeds: Vec<&String> = one.keys().filter(|path| is_feed(path)).collect();
    assert_eq!(feeds.len(), 3 * 4);
    for path in feeds {
        let [a, b] = [&one[path], &two[path]].map(|bytes| String::from_utf8_lossy(bytes));
        assert_eq!(a, b, "{path}");
    }
}

fn is_feed(path: &str) -> bool {
    path.starts_with("feed/") || matches!(path, "feed.xml" | "rss.xml" | "feed.json")
}

#[tokio::test]
async fn a_blank_record_waits_and_keeps_the_list_open() {
    let upstream = upstream().await;
    let blank = || rolling(ROLLING, "", "", "港口公布四月数据。");
    put_lists(&upstream, &[twin_paper()], &[blank(), twin_rolling()]);
    let mill = eastmoney(&upstream).await;
    let reports = mill.round().await;
    let held = reports.iter().find(|report| report.source == "eastmoney-102").unwrap();
    assert_eq!((held.held, held.listed), (1, 2));
    let said = mill.state("eastmoney-102").held;
    assert!(
        said.len() == 1 && said[0].contains(ROLLING) && said[0].contains("no title, no date"),
        "{said:?}"
    );
    assert_eq!(mill.items().len(), 1);

    // While the record is held back, a 304 must not hide it.
    for _ in 0..2 {
        upstream.take_asked();
        mill.pass(60);
        mill.round().await;
        let asked = upstream.take_asked();
        let list = |path: &str| asked.iter().find(|asked| asked.path == path).unwrap();
        assert_eq!((list(LIST_102).conditional, list(LIST_102).status), (false, 200));
        assert_eq!((list(LIST_45).conditional, list(LIST_45).status), (true, 304));
        assert_eq!(details(&asked), [""; 0]);
    }
    put_lists(&upstream, &[twin_paper()], &[other_rolling(), twin_rolling()]);
    mill.pass(60);
    mill.round().await;
    assert_eq!(mill.item(&format!("NW{ROLLING}")).title, "样本港四月吞吐量增长一成");
    assert_eq!(mill.state("eastmoney-102").held, [""; 0]);
    upstream.take_asked();
    mill.pass(60);
    mill.round().await;
    assert!(upstream.take_asked().iter().all(|asked| asked.status == 304));
}

/// One document contains the blank and the complete record of one code, as the first upstream's once did.
#[tokio::test]
async fn a_blank_record_does_not_stand_for_its_whole_twin() {
    let upstream = upstream().await;
    put_lists(&upstream, &[], &[rolling(ROLLING, "", "", "港口公布四月数据。"), other_rolling()]);
    let mill = eastmoney(&upstream).await;
    mill.round().await;
    let items = mill.items();
    assert_eq!(items.len(), 1);
    assert_eq!(items[0].title, "样本港四月吞吐量增长一成");
}

#[tokio::test]
async fn a_failed_detail_comes_again_alone() {
    let upstream = upstream().await;
    upstream.fail(&text_path(TWIN_NW), 500);
    put_lists(&upstream, &[twin_paper(), other_paper()], &[]);
    let mill = eastmoney(&upstream).await;
    let report = &mill.round().await[0];
    assert_eq!((report.inserted, report.held, report.details, report.error.as_deref()), (1, 1, 2, None));
    assert_eq!(mill.items().len(), 1);
    assert!(mill.state("eastmoney-45").held[0].contains("500"), "{:?}", mill.state("eastmoney-45").held);

    upstream.json(&text_path(TWIN_NW), &paper_text("河湾证券报", &TWIN_TEXT));
    upstream.take_asked();
    mill.pass(60);
    let report = &mill.round().await[0];
    assert_eq!((report.inserted, report.held, report.unchanged), (1, 0, 1));
    assert_eq!(details(&upstream.take_asked()), [text_path(TWIN_NW)]);
    // An article seen later does not become a later article.
    assert_eq!(mill.item(TWIN_NW).published, at("2026-05-01T01:30:00Z"));
}

fn retitled(title: &str) -> RssItem<'_> {
    RssItem {
        guid: "a1",
        link: "https://yangbao.example.org/a1",
        title,
        html: "正文。",
        date: "Fri, 01 May 2026 02:00:00 GMT",
    }
}

#[tokio::test]
async fn after_24_revisions_the_title_changes_once_a_day() {
    let upstream = Upstream::start().await;
    let put =
        |title: &str| upstream.rss("/feed.xml", rss("https://yangbao.example.org/", &[retitled(title)]));
    put("改题零次");
    let mill = one_feed(noon(), "", &upstream).await;
    mill.round().await;
    mill.publish().await;
    for number in 1..=24 {
        mill.pass(60);
        put(&format!("改题{number}次"));
        assert_eq!(mill.round().await[0].updated, 1);
        mill.publish().await;
    }
    let last = mill.items().remove(0);
    assert_eq!((last.title.as_str(), last.revisions), ("改题24次", 24));
    let before = mill.outputs();
    for number in 25..=27 {
        mill.pass(60);
        put(&format!("改题{number}次"));
        assert_eq!(mill.round().await[0].updated, 0);
        mill.publish().await;
    }
    let kept = mill.items().remove(0);
    assert_eq!((&kept.title, kept.revisions, kept.updated), (&last.title, 24, last.updated));
    assert_eq!(mill.store().past(&last.code).unwrap().revisions.len(), 24);
    assert_eq!(changed_paths(&before, &mill.outputs()), BTreeSet::new(), "nothing published has changed");
    // A day after the last change what the newspaper says now is published, also where its document is the same.
    mill.pass(86_400);
    assert_eq!(mill.round().await[0].updated, 1);
    assert_eq!((mill.items().remove(0).title.as_str(), mill.items()[0].revisions), ("改题27次", 25));
}

/// A headline that swings between two is told once a day.
#[tokio::test]
async fn a_swinging_title_is_told_once_a_day() {
    let upstream = Upstream::start().await;
    let titled = |title: &'static str| RssItem {
        guid: "a-1",
        link: "https://yangbao.example.org/a/1",
        title,
        html: "<p>正文。</p>",
        date: "Fri, 01 May 2026 01:30:00 GMT",
    };
    let put = |title| upstream.rss("/feed.xml", rss("https://yangbao.example.org/", &[titled(title)]));
    put("甲题");
    let mill = one_feed(noon(), "", &upstream).await;
    mill.round().await;
    mill.publish().await;
    let mut told = 0;
    for number in 0..47 {
        mill.pass(3_600);
        put(if number % 2 == 0 { "乙题" } else { "甲题" });
        told += mill.round().await[0].updated;
        mill.publish().await;
    }
    assert_eq!((told, mill.items().remove(0).title.as_str()), (2, "甲题"));
}

/// 240 characters of text: enough to recognize an article.
fn long_text(topic: &str) -> String {
    let sentence = format!(
        "关于{topic}，记者走访了样本县的三个乡镇，听农户、商户和干部各说各的打算，也看了今年的账本。"
    );
    sentence.repeat(6)
}

/// Polls `first`, then `second`, and returns the number of items (RULES 1.6).
async fn items_after(days: i64, first: &[RssItem<'_>], second: &[RssItem<'_>]) -> (usize, Mill) {
    let upstream = Upstream::start().await;
    let home = "https://yangbao.example.org/";
    upstream.rss("/feed.xml", rss(home, first));
    let mill = one_feed(noon(), "", &upstream).await;
    mill.round().await;
    mill.publish().await;
    upstream.take_asked();
    mill.pass(days * 86_400);
    upstream.rss("/feed.xml", rss(home, second));
    mill.round().await;
    assert_eq!(upstream.take_asked().len(), 1, "no request is made to find out");
    (mill.items().len(), mill)
}

#[tokio::test]
async fn a_new_guid_with_the_same_link_is_the_same_item() {
    let old = RssItem {
        guid: "g-1",
        link: "https://yangbao.example.org/a/1",
        title: "春茶开采",
        html: "短文。",
        date: "Fri, 01 May 2026 01:00:00 GMT",
    };
    let new = RssItem { guid: "g-2", title: "春茶开采早了五天", ..old };
    let (count, mill) = items_after(1, &[old], &[new]).await;
    assert_eq!(count, 1);
    let item = mill.items().remove(0);
    assert_eq!((item.title.as_str(), item.published), ("春茶开采早了五天", at("2026-05-01T01:00:00Z")));

    // The document still has the old guid: two items.
    assert_eq!(
        items_after(1, &[old], &[RssItem { link: "https://yangbao.example.org/a/2", ..old }, new]).await.0,
        2
    );
    // The link is the channel's own.
    let [old_home, new_home] =
        [old, new].map(|item| RssItem { link: "https://yangbao.example.org/", ..item });
    assert_eq!(items_after(1, &[old_home], &[new_home]).await.0, 2);
    // The document contains the link twice.
    let third = RssItem { guid: "g-3", title: "另一条", ..new };
    assert_eq!(items_after(1, &[old], &[new, third]).await.0, 3);
}

#[tokio::test]
async fn a_new_guid_with_the_same_long_text_is_the_same_item() {
    let text = long_text("春茶");
    let old = RssItem {
        guid: "g-1",
        link: "https://yangbao.example.org/a/1",
        title: "春茶开采",
        html: &text,
        date: "Fri, 01 May 2026 01:00:00 GMT",
    };
    let new = RssItem { guid: "g-2", link: "https://yangbao.example.org/b/77", ..old };
    assert_eq!(items_after(1, &[old], &[new]).await.0, 1);
    // The document still has the old guid.
    assert_eq!(items_after(1, &[old], &[old, new]).await.0, 2);
    // Another title.
    assert_eq!(items_after(1, &[old], &[RssItem { title: "春茶上市", ..new }]).await.0, 2);
    // A text that is too short to distinguish articles.
    let short = RssItem { html: "茶农说，今年早了五天。", ..old };
    assert_eq!(items_after(1, &[short], &[RssItem { html: short.html, ..new }]).await.0, 2);
    // More than seven days apart.
    let late = RssItem { date: "Mon, 11 May 2026 01:00:00 GMT", ..new };
    assert_eq!(items_after(10, &[old], &[late]).await.0, 2);
}

#[tokio::test]
async fn a_guid_of_several_articles_is_void_for_ever() {
    let upstream = Upstream::start().await;
    let home = "https://yangbao.example.org/";
    let item = |number: &'static str, link: &'static str| RssItem {
        guid: "same",
        link,
        title: number,
        html: "",
        date: "Fri, 01 May 2026 01:00:00 GMT",
    };
    let one = item("水库一号闸检修", "https://yangbao.example.org/a/1");
    let two = item("水库二号闸检修", "https://yangbao.example.org/a/2");
    let three = item("水库三号闸检修", "https://yangbao.example.org/a/3");
    // At first it looks like a usable guid.
    upstream.rss("/feed.xml", rss(home, &[one]));
    let mill = one_feed(noon(), "", &upstream).await;
    mill.round().await;
    let first = mill.items().remove(0).code;
    for (document, count) in
        [(vec![one, two], 2), (vec![two], 2), (vec![three], 3), (vec![three, one, two], 3)]
    {
        mill.pass(60);
        upstream.rss("/feed.xml", rss(home, &document));
        mill.round().await;
        assert_eq!(mill.items().len(), count, "{document:?}");
    }
    assert_eq!(mill.store().item(&first).unwrap().unwrap().title, "水库一号闸检修");
}

#[tokio::test]
async fn the_same_text_in_two_sources_stays_two_items() {
    let upstream = Upstream::start().await;
    let text = long_text("防汛");
    for (path, host) in [("/a.xml", "https://a.example.org/"), ("/b.xml", "https://b.example.org/")] {
        let link = format!("{host}1");
        let item = RssItem {
            guid: "wire-1",
            link: &link,
            title: "防汛准备就绪",
            html: &text,
            date: "Fri, 01 May 2026 01:00:00 GMT",
        };
        upstream.rss(path, rss(host, &[item]));
    }
    let sources =
        feed_source("a", "甲报", &upstream, "/a.xml") + &feed_source("b", "乙报", &upstream, "/b.xml");
    let mill = Mill::open(noon(), "", &sources).await;
    mill.round().await;
    let items = mill.items();
    let spaces: BTreeSet<&str> = items.iter().map(|item| item.code.space().as_str()).collect();
    assert_eq!((items.len(), spaces), (2, BTreeSet::from(["a", "b"])));
}

/// The better ranked of two lists has an article later: feeds name it as the source from then on, as those of a
/// publish into an empty folder do.
#[tokio::test]
async fn a_source_that_takes_an_item_over_is_named_in_feeds() {
    let upstream = Upstream::start().await;
    let text = long_text("防汛");
    let link = "https://wire.example.org/1";
    let date = "Fri, 01 May 2026 01:00:00 GMT";
    let item = RssItem { guid: link, link, title: "防汛准备就绪", html: &text, date };
    upstream.rss("/a.xml", rss("https://wire.example.org/", &[]));
    upstream.rss("/b.xml", rss("https://wire.example.org/", &[item]));
    let listed = |id, path| {
        feed_source(id, "甲报", &upstream, path) + "code_space = \"wire\"\nname = \"" + id + "\"\n"
    };
    let mill = Mill::open(noon(), "", &(listed("a", "/a.xml") + &listed("b", "/b.xml"))).await;
    mill.round().await;
    mill.publish().await;
    mill.pass(3_600);
    let item = RssItem { guid: link, link, title: "防汛准备就绪", html: &text, date };
    upstream.rss("/a.xml", rss("https://wire.example.org/", &[item]));
    mill.round().await;
    mill.publish().await;
    assert_eq!(mill.items()[0].lead.as_str(), "a");
    let shown = mill.outputs();
    std::fs::remove_dir_all(mill.path("data/public")).unwrap();
    mill.publish().await;
    let changed = changed_paths(&shown, &mill.outputs());
    assert!(!changed.iter().any(|path| is_feed(path)), "{changed:?}");
}

/// Without a guid, the code is derived from the link, and without a link from title and text; never at
/// random and never from a date (RULES 1.1).
#[tokio::test]
async fn codes_without_guids_are_derived() {
    let upstream = Upstream::start().await;
    let home = "https://yangbao.example.org/";
    let linked = RssItem {
        link: "https://yangbao.example.org/a/1?utm_source=rss",
        title: "有链接",
        html: "甲。",
        date: "Fri, 01 May 2026 01:00:00 GMT",
        ..RssItem::default()
    };
    let bare = RssItem {
        title: "只有正文",
        html: "乙，没有链接的一条。",
        date: "Fri, 01 May 2026 01:00:00 GMT",
        ..RssItem::default()
    };
    upstream.rss("/feed.xml", rss(home, &[linked, bare]));
    let codes =
        |mill: &Mill| -> BTreeSet<String> { mill.items().iter().map(|item| item.code.to_string()).collect() };
    let mill = one_feed(noon(), "", &upstream).await;
    mill.round().await;
    let first = codes(&mill);
    assert_eq!(first.len(), 2);
    for code in &first {
        let (space, code) = code.split_once('~').unwrap();
        assert_eq!((space, code.len()), ("yangbao", 20), "{code}");
        assert!(code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{code}");
    }
    // Other dates, another tracking parameter, another title of the one with a link: the same codes.
    mill.pass(60);
    let date = "Fri, 01 May 2026 03:00:00 GMT";
    let linked = RssItem {
        link: "https://yangbao.example.org/a/1?utm_source=app",
        title: "有链接（更新）",
        date,
        ..linked
    };
    upstream.rss("/feed.xml", rss(home, &[RssItem { date, ..bare }, linked]));
    mill.round().await;
    assert_eq!(codes(&mill), first);
    // Nor do they depend on the store or the time.
    let other = one_feed(noon().plus(400 * 86_400), "", &upstream).await;
    other.round().await;
    assert_eq!(codes(&other), first);
}

/// A round stores many documents together; the result must be the same as one by one, also if they list the
/// same items.
#[tokio::test]
async fn what_a_round_takes_in_together_is_as_taken_in_alone() {
    let upstream = Upstream::start().await;
    let mut sources = "[[category]]\nname = \"样报\"\nslug = \"yangbao\"\n".to_owned();
    for paper in 0..14 {
        let items: Vec<[String; 4]> = (0..40)
            .map(|n| {
                // The last ten items of every third newspaper are the first ones of the next.
                let number = paper * 40 - (paper + 2) / 3 * 10 + n;
                let date = format!("Fri, 01 May 2026 {:02}:{:02}:00 +0000", number / 60 % 3, number % 60);
                [
                    format!("YB{number:04}"),
                    format!("第{number}号"),
                    format!("<p>正文{number}，第{paper}份。</p>"),
                    date,
                ]
            })
            .collect();
        let items: Vec<_> = items
            .iter()
            .map(|[guid, title, html, date]| RssItem { guid, link: "", title, html, date })
            .collect();
        let path = format!("/{paper}.xml");
        upstream.put(&path, 200, "application/rss+xml", rss("https://yangbao.example/", &items));
        sources += &feed_source(&format!("paper-{paper}"), "样报", &upstream, &path);
        sources += "code_space = \"yb\"\n[source.code]\nfrom = \"guid\"\n";
    }
    let together = Mill::open(noon(), "", &sources).await;
    let reports = together.round().await;
    let alone = Mill::open(noon(), "", &sources).await;
    for (paper, report) in reports.iter().enumerate() {
        let own = alone.poll(&format!("paper-{paper}")).await;
        assert_eq!(format!("{report:?}"), format!("{own:?}"));
        assert_eq!((own.inserted, own.unchanged), if paper % 3 == 1 { (30, 10) } else { (40, 0) });
    }
    assert_eq!(together.items().len(), 14 * 40 - 5 * 10);
    for mill in [&together, &alone] {
        mill.publish().await;
    }
    let (together, alone) = (together.outputs(), alone.outputs());
    // The publisher's records contain the identity of the store.
    for path in changed_paths(&together, &alone).iter().filter(|path| !path.starts_with(".feedmill/")) {
        let text = |tree: &common::Tree| tree.get(path).map(|b| String::from_utf8_lossy(b).into_owned());
        assert_eq!(text(&together), text(&alone), "{path}");
    }
}

/// Items of a round are stored while it waits for an upstream that does not answer, and stay if it is cut
/// off.
#[tokio::test]
async fn a_round_keeps_what_it_took_in_while_it_waits() {
    let upstream = Upstream::start().await;
    // It accepts connections and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let item = RssItem { guid: "a", link: "", title: "一", html: "<p>正文</p>", date: "" };
    upstream.rss("/a.xml", rss("https://a.example/", &[item]));
    let source = feed_source("a", "样报", &upstream, "/a.xml");
    let address = silent.local_addr().unwrap();
    let sources =
        format!("{source}[[source]]\nid = \"b\"\nurl = \"http://{address}/b.xml\"\ncategory = \"样报\"\n");
    let mut mill = Mill::open(noon(), "", &sources).await;
    {
        let mut round = std::pin::pin!(mill.round());
        while mill.state("a").last_good.is_none() {
            tokio::select! {
                biased;
                reports = &mut round => panic!("{reports:?}"),
                () = tokio::task::yield_now() => {}
            }
        }
        assert_eq!(mill.items().len(), 1, "a poll ends when what it brought is stored");
    }
    mill.reopen("", &sources).await;
    assert_eq!((mill.items().len(), mill.state("b").last_poll), (1, None));
    assert!(mill.poll("a").await.not_modified, "its end is kept as well");
}
