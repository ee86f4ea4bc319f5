//! Promise: a new source does not flood the windows (RULES 3.1), however many polls its first items take;
//! and corrections are found although its list stays the same (RULES 1.11).

mod common;

use common::samples::{eastmoney_main, eastmoney_sources, only, paper, paper_text, put_lists, text_path};
use common::{Mill, Upstream, at};

const SOURCE: &str = "eastmoney-45";
const SLUG: &str = "yangbenwanbao";

fn code(number: usize) -> String {
    format!("NW2026050127{number:08}")
}

/// Serves a list of `count` articles of one newspaper, the newest first, one a minute up to noon.
fn list(upstream: &Upstream, count: usize, text: &str) {
    let records: Vec<_> = (0..count)
        .map(|n| {
            let minute = 719 - n;
            let time = format!("2026-05-01 {:02}:{:02}:00", minute / 60, minute % 60);
            upstream.json(&text_path(&code(n)), &paper_text("样本晚报", &[text]));
            paper(&code(n), "样本晚报", &time, &format!("第{n}号新闻"))
        })
        .collect();
    put_lists(upstream, &records, &[]);
}

async fn mill(upstream: &Upstream) -> Mill {
    let sources = only(&eastmoney_sources(upstream), SOURCE);
    let main = eastmoney_main("[output.window]\nitems = 8\nage = \"48h\"\n");
    Mill::open(at("2026-05-01T05:00:00Z"), &main, &sources).await
}

#[tokio::test]
async fn the_rest_of_a_long_first_list_goes_to_the_archive() {
    let upstream = Upstream::start().await;
    list(&upstream, 100, "正文。");
    let mill = mill(&upstream).await;
    let first = mill.poll(SOURCE).await;
    assert_eq!((first.inserted, first.details, first.held), (50, 50, 50));
    mill.pass(60);
    let second = mill.poll(SOURCE).await;
    assert_eq!((second.inserted, second.held), (50, 0));
    mill.publish().await;
    let newest: Vec<String> = (0..4).map(|n| format!("第{n}号新闻")).collect();
    assert_eq!(mill.feed_titles(SLUG), newest, "half of the window, the newest");
    assert_eq!(mill.items().len(), 100, "the others are kept");

    // Articles from after the source was added are news.
    let mut records = vec![paper(&code(900), "样本晚报", "2026-05-01 13:30:00", "新来的新闻")];
    upstream.json(&text_path(&code(900)), &paper_text("样本晚报", &["新。"]));
    records.push(paper(&code(0), "样本晚报", "2026-05-01 11:59:00", "第0号新闻"));
    put_lists(&upstream, &records, &[]);
    mill.pass(3_600);
    mill.poll(SOURCE).await;
    mill.publish().await;
    assert_eq!(mill.feed_titles(SLUG).len(), 5);
    assert_eq!(mill.feed_titles(SLUG)[0], "新来的新闻");
}

#[tokio::test]
async fn a_correction_is_found_under_an_unchanged_list() {
    let upstream = Upstream::start().await;
    list(&upstream, 3, "旧正文。");
    let mill = mill(&upstream).await;
    mill.poll(SOURCE).await;
    mill.publish().await;
    upstream.json(&text_path(&code(1)), &paper_text("样本晚报", &["改正后的正文。"]));
    mill.pass(1_800);
    assert!(mill.poll(SOURCE).await.not_modified, "nothing is due yet");
    mill.pass(1_800);
    let looked = mill.poll(SOURCE).await;
    assert_eq!((looked.details, looked.updated), (3, 1));
    assert!(mill.body(&code(1)).html.contains("改正后的正文"));
    assert!(mill.item(&code(1)).updated > mill.item(&code(1)).published);
    mill.pass(60);
    assert!(mill.poll(SOURCE).await.not_modified, "the next look is a day after the first listing");
    mill.pass(86_400);
    assert_eq!(mill.poll(SOURCE).await.details, 3);
    mill.pass(86_400);
    assert!(mill.poll(SOURCE).await.not_modified, "there is no third look");
}
