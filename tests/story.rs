//! Promise: an item can be withdrawn and restored, a withdrawn one never comes back by itself, and its whole
//! history can be shown.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a sample that is not there ends the test")]

mod common;

use common::samples::{eastmoney_main, eastmoney_sources, paper, paper_text, put_lists, rolling, text_path};
use common::{Mill, Upstream, at};
use feedmill::control::{Event as Said, Query};
use feedmill::store::EventKind::{Inserted, Joined, Refused, Restored, Revised, Withdrawn};
use feedmill::store::{Event, EventKind};
use serde_json::Value;

const CODE: &str = "NW202605012700000001";
const DIGITS: &str = "202605012700000001";
const OTHER: &str = "NW202605012700000002";
const DATE: &str = "2026-05-01 09:30:00";

fn list(upstream: &Upstream, title: &str, text: &str, rolling_too: bool) {
    let papers = [paper(CODE, "河湾证券报", DATE, title), paper(OTHER, "河湾证券报", DATE, "另一篇")];
    let more = [rolling(DIGITS, DATE, title, "启用。")];
    put_lists(upstream, &papers, if rolling_too { &more } else { &[] });
    for code in [CODE, OTHER] {
        upstream.json(&text_path(code), &paper_text("河湾证券报", &[text]));
    }
}

async fn mill(upstream: &Upstream) -> Mill {
    Mill::open(at("2026-05-01T04:00:00Z"), &eastmoney_main(""), &eastmoney_sources(upstream)).await
}

async fn turn(mill: &Mill) {
    mill.pass(120);
    mill.round().await;
    mill.publish().await;
}

fn steps(mill: &Mill) -> Vec<(EventKind, Option<String>)> {
    let story: Vec<Event> = mill.store().past(&mill.code(CODE)).unwrap().history;
    story.into_iter().map(|event| (event.what, event.source.map(|source| source.to_string()))).collect()
}

#[tokio::test]
async fn the_whole_story_is_told() {
    let upstream = Upstream::start().await;
    list(&upstream, "农机站启用", "第一版。", false);
    let mill = mill(&upstream).await;
    turn(&mill).await;
    list(&upstream, "农机站启用", "第一版。", true);
    turn(&mill).await;
    list(&upstream, "农机站启用（改）", "第一版。", true);
    turn(&mill).await;
    list(&upstream, "农机站启用（再改）", "第三版。", true);
    turn(&mill).await;
    withdraw(&mill, false).await;
    turn(&mill).await;
    list(&upstream, "农机站启用（又改）", "第四版。", true);
    turn(&mill).await;
    let (papers, wires) = (Some("eastmoney-45".to_owned()), Some("eastmoney-102".to_owned()));
    let told = steps(&mill);
    let want = [
        (Inserted, papers.clone()),
        (Joined, wires.clone()),
        (Revised, papers.clone()),
        (Revised, papers.clone()),
        (Withdrawn, None),
    ];
    assert_eq!(told[..want.len()], want, "{told:?}");
    let after = &told[want.len()..];
    assert!(!after.is_empty() && after.iter().all(|(what, _)| *what == Refused), "{told:?}");
    assert!(after.iter().all(|(_, source)| [&papers, &wires].contains(&source)), "{told:?}");

    let story = explain(&mill).await;
    assert_eq!(story["tombstone"]["why"], "asked by the paper");
    assert_eq!(story["revisions"].as_array().unwrap().len(), 2);
    assert_eq!(story["published_at"], "2026-05-01T04:02:00Z");
    assert_eq!(story["events"][0]["known_by"], "code");
    assert!(story["events"][0]["answer"][1].as_u64().unwrap() > 0, "{story}");
    assert_eq!(story["places"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn withdrawn_is_out_everywhere_and_stays_out() {
    let upstream = Upstream::start().await;
    list(&upstream, "农机站启用", "第一版。", true);
    let main =
        eastmoney_main("\n[output]\narticles = \"files\"\n[output.jekyll]\npath = \"../data/jekyll\"\n");
    let mut mill = Mill::open(at("2026-05-01T04:00:00Z"), &main, &eastmoney_sources(&upstream)).await;
    turn(&mill).await;
    let page = mill.item(CODE).permalink;
    let shows = |mill: &Mill| {
        let trees = [mill.outputs(), mill.files("data/jekyll")];
        // Its removal is announced, by its id alone (RFC 6721).
        let holds = |bytes: &Vec<u8>| {
            let text = String::from_utf8_lossy(bytes);
            text.lines().any(|line| line.contains(CODE) && !line.contains("<at:deleted-entry"))
        };
        let all = trees.into_iter().flatten().filter(|(path, bytes)| path.contains(CODE) || holds(bytes));
        all.map(|(path, _)| path).collect::<Vec<_>>()
    };
    assert!(shows(&mill).contains(&page), "{:?}", shows(&mill));
    withdraw(&mill, false).await;
    assert_eq!(shows(&mill), [""; 0]);
    turn(&mill).await;
    mill.reopen(&main, &eastmoney_sources(&upstream)).await;
    turn(&mill).await;
    assert_eq!(shows(&mill), [""; 0]);
    assert_eq!(mill.items().len(), 1);

    let before = mill.item(CODE);
    ask(&mill, Query::Restore { code: CODE.to_owned(), why: "a mistake".to_owned() }).await;
    assert!(shows(&mill).contains(&page), "{:?}", shows(&mill));
    assert_eq!((mill.item(CODE).published, mill.item(CODE).updated), (before.published, before.updated));
    assert_eq!(steps(&mill).last().unwrap().0, Restored);
}

#[tokio::test]
async fn erased_leaves_only_its_tombstone() {
    let upstream = Upstream::start().await;
    list(&upstream, "农机站启用", "第一版。", true);
    let mill = mill(&upstream).await;
    turn(&mill).await;
    withdraw(&mill, true).await;
    let code = mill.code(CODE);
    assert!(mill.store().item(&code).unwrap().is_none());
    assert_eq!(mill.body(CODE), feedmill::model::Body::default());
    turn(&mill).await;
    assert!(mill.store().item(&code).unwrap().is_none());
    assert!(mill.store().tombstone(&code).unwrap().unwrap().erased);
    let story = explain(&mill).await;
    assert!(story["title"].is_null() && story["events"].as_array().unwrap().len() >= 3, "{story}");
    let restored = ask(&mill, Query::Restore { code: CODE.to_owned(), why: String::new() }).await;
    assert_eq!(restored["changed"], false);
}

async fn withdraw(mill: &Mill, erase: bool) {
    let why = "asked by the paper".to_owned();
    let done = ask(
        mill,
        Query::Withdraw {
            names: vec![CODE.to_owned()],
            why,
            erase,
            copies: false,
            exports: false,
            dry_run: false,
        },
    )
    .await;
    assert_eq!(done["changed"], true);
}

async fn explain(mill: &Mill) -> Value {
    ask(mill, Query::Explain { code: CODE.to_owned() }).await
}

async fn ask(mill: &Mill, query: Query) -> Value {
    match mill.ask(query).await {
        Said::Done(value) => value,
        other => panic!("{other:?}"),
    }
}
