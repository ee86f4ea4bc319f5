//! Promise: a removed article stays out when its newspaper gives it another guid, and an address that is
//! reused for another story is not blocked (RULES 1.6).

#![expect(clippy::unwrap_used, reason = "a sample that is not there ends the test")]

mod common;

use common::samples::{RssItem, one_feed, rss};
use common::{Mill, Upstream, at};
use feedmill::control::{Event as Said, Query};
use feedmill::store::Retention;

const TEXT: &str = "<p>The town council decided on Monday evening to close the old bridge for the whole winter, \
    because two of its piers were damaged by the flood in October. Buses go by the new bridge until spring; \
    the school bus leaves ten minutes earlier.</p>";
const DATE: &str = "Fri, 01 May 2026 01:30:00 GMT";

/// The ways in which an article is removed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Out {
    Withdrawn,
    Erased,
    Swept,
}

const BRIDGE: RssItem<'static> = RssItem {
    guid: "g-1",
    link: "https://paper.example/bridge",
    title: "Bridge closed",
    html: TEXT,
    date: DATE,
};
const OTHER: RssItem<'static> = RssItem {
    guid: "g-9",
    link: "https://paper.example/weather",
    title: "Rain",
    html: "<p>It rains.</p>",
    date: "Fri, 01 May 2026 02:00:00 GMT",
};

fn put(upstream: &Upstream, items: &[RssItem<'_>]) {
    upstream.rss("/feed.xml", rss("https://paper.example/", items));
}

async fn poll(mill: &Mill) {
    mill.pass(3_600);
    mill.poll("yangbao").await;
}

/// Returns a mill that has stored both articles and removed the one about the bridge.
async fn after(out: Out, upstream: &Upstream) -> Mill {
    after_of(BRIDGE, out, upstream).await
}

async fn after_of(bridge: RssItem<'_>, out: Out, upstream: &Upstream) -> Mill {
    put(upstream, &[OTHER, bridge]);
    let mill = one_feed(at("2026-05-01T04:00:00Z"), "", upstream).await;
    poll(&mill).await;
    let item = mill.items().into_iter().find(|item| item.title == BRIDGE.title).unwrap();
    if out == Out::Swept {
        let keep = Retention { items: Some(1), age: None };
        assert_eq!(mill.store().sweep(item.home, keep, 10, mill.now()).unwrap(), 1);
        return mill;
    }
    let query = Query::Withdraw {
        names: vec![item.code.text(None)],
        why: "asked".to_owned(),
        erase: out == Out::Erased,
        copies: false,
        exports: false,
        dry_run: false,
    };
    let said = mill.ask(query).await;
    assert!(matches!(said, Said::Done(_)), "{said:?}");
    mill
}

fn titles(mill: &Mill) -> Vec<String> {
    mill.items().into_iter().map(|item| item.title).collect()
}

#[tokio::test]
async fn no_new_guid_brings_it_back() {
    let again = RssItem { guid: "g-2", ..BRIDGE };
    let third = RssItem { guid: "g-3", ..BRIDGE };
    let edited_other = RssItem { html: "<p>It rains less.</p>", ..OTHER };
    let elsewhere = RssItem { guid: "g-4", link: "https://paper.example/2026/bridge", ..BRIDGE };
    let retitled = RssItem { title: "No way over the river", ..again };
    let rewritten = RssItem { html: "<p>Open again from today.</p>", date: "", ..again };
    let cases: [(&str, Vec<Vec<RssItem<'_>>>); 8] = [
        ("a new guid, twice", vec![vec![OTHER, again], vec![OTHER, third]]),
        ("a new guid that stays", vec![vec![OTHER, again], vec![OTHER, again]]),
        ("a new guid, and another article is edited", vec![vec![OTHER, again], vec![edited_other, again]]),
        ("a new guid, away, and back", vec![vec![OTHER, again], vec![OTHER], vec![OTHER, again]]),
        ("away, and back with a new guid", vec![vec![OTHER], vec![OTHER, again]]),
        ("a new guid and a new address", vec![vec![OTHER, elsewhere], vec![edited_other, elsewhere]]),
        ("a new guid and a new title", vec![vec![OTHER, retitled], vec![edited_other, retitled]]),
        ("a new guid and a new text", vec![vec![OTHER, rewritten], vec![edited_other, rewritten]]),
    ];
    for out in [Out::Withdrawn, Out::Erased, Out::Swept] {
        for (name, documents) in &cases {
            let upstream = Upstream::start().await;
            let mill = after(out, &upstream).await;
            for document in documents {
                put(&upstream, document);
                poll(&mill).await;
                assert_eq!(titles(&mill), [OTHER.title], "{out:?}: {name}");
            }
        }
    }
}

/// Edits by its source while it is removed are used to recognize it later.
#[tokio::test]
async fn edits_and_second_guids_bring_nothing_back() {
    let edited = RssItem {
        title: "No way over the river",
        html: "<p>Since Friday all cars have to take the ring road; a ferry is to carry people on foot and on bicycles \
            from the old mill to the market, every ten minutes from six in the morning until midnight.</p>",
        date: "Sat, 02 May 2026 08:00:00 GMT",
        ..BRIDGE
    };
    let old = RssItem { date: "Wed, 01 Apr 2026 08:00:00 GMT", ..BRIDGE };
    let elsewhere = RssItem { guid: "g-2", link: "https://paper.example/2026/bridge", ..old };
    let cases: [(&str, RssItem<'_>, Vec<Vec<RssItem<'_>>>); 4] = [
        (
            "edited, then a new guid",
            BRIDGE,
            vec![vec![OTHER, edited], vec![OTHER, RssItem { guid: "g-2", ..edited }]],
        ),
        (
            "a second guid beside the first",
            BRIDGE,
            vec![vec![OTHER, BRIDGE, RssItem { guid: "g-2", ..BRIDGE }]; 2],
        ),
        ("a month old, a new guid and a new address", old, vec![vec![OTHER, elsewhere]; 2]),
        (
            "away, and edited with a new guid",
            BRIDGE,
            vec![vec![OTHER], vec![OTHER, RssItem { guid: "g-2", html: edited.html, ..BRIDGE }]],
        ),
    ];
    for out in [Out::Withdrawn, Out::Erased, Out::Swept] {
        for (name, first, documents) in &cases {
            let upstream = Upstream::start().await;
            let mill = after_of(*first, out, &upstream).await;
            for document in documents {
                put(&upstream, document);
                poll(&mill).await;
                assert_eq!(titles(&mill), [OTHER.title], "{out:?}: {name}");
            }
        }
    }
}

/// Articles whose link is that of a list, or of an agency's page, are distinguished by their dates.
#[tokio::test]
async fn articles_that_share_a_link_stay_themselves_under_new_guids() {
    let shared =
        |guid, title, html, date| RssItem { guid, link: "https://paper.example/live", title, html, date };
    let first = shared("g-1", "First", TEXT, DATE);
    let second = shared("g-2", "Second", "<p>Something else.</p>", "Fri, 01 May 2026 02:00:00 GMT");
    let upstream = Upstream::start().await;
    put(&upstream, &[second, first]);
    let mill = one_feed(at("2026-05-01T04:00:00Z"), "", &upstream).await;
    poll(&mill).await;
    put(&upstream, &[second, shared("g-9", "First, edited", "<p>All new.</p>", DATE)]);
    poll(&mill).await;
    assert_eq!(titles(&mill), ["Second", "First, edited"]);
}

#[tokio::test]
async fn an_address_that_is_used_for_another_story_is_not_blocked() {
    let story = RssItem {
        guid: "g-2",
        title: "A new bridge is opened",
        html: "<p>After two years of work the mayor cut the ribbon on Friday; a band played, and children from \
            three schools were the first who walked over it, each with a flag in the hand.</p>",
        date: "Fri, 01 May 2026 08:00:00 GMT",
        ..BRIDGE
    };
    for out in [Out::Withdrawn, Out::Erased, Out::Swept] {
        let upstream = Upstream::start().await;
        let mill = after(out, &upstream).await;
        put(&upstream, &[OTHER, story]);
        for _ in 0..2 {
            poll(&mill).await;
            let mut titles = titles(&mill);
            titles.sort();
            assert_eq!(titles, [story.title, OTHER.title], "{out:?}");
        }
    }
}
