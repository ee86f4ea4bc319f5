//! Promise: polite and prompt. No request before the upstream allows it, whatever it answers and however
//! often the mill is restarted (RULES 6.5); what it learns of a source (that it moved, is gone, lost or
//! deleted items) is used cautiously and is visible.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

mod common;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::future::IntoFuture as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use common::samples::{RssItem, one_feed, rss};
use common::{Mill, Upstream, at};
use feedmill::control::{Event, Query};
use feedmill::model::{SourceId, SourceState, Timestamp};
use feedmill::schedule::NEVER;
use feedmill::store::PollResult;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

const ID: &str = "yangbao";
const SLUG: &str = "yangbenribao";
const DAY: i64 = 86_400;

fn start() -> Timestamp {
    at("2026-11-02T08:00:00Z")
}

/// Returns a feed of the items `numbers`, an hour apart, the first number the newest.
fn feed(numbers: &[i64], extra: &str) -> String {
    let texts: Vec<[String; 4]> = numbers
        .iter()
        .map(|n| {
            let date = start().plus(n * 3_600).rfc822();
            [format!("g{n}"), format!("https://paper.example/{n}"), format!("第{n}条"), date]
        })
        .collect();
    let items: Vec<RssItem<'_>> = texts
        .iter()
        .map(|[guid, link, title, date]| RssItem { guid, link, title, html: "<p>文</p>", date })
        .collect();
    rss("https://paper.example/", &items).replacen("<item>", &format!("{extra}<item>"), 1)
}

async fn mill(upstream: &Upstream) -> Mill {
    one_feed(start(), "", upstream).await
}

async fn ask(mill: &Mill, query: Query) -> Value {
    match mill.ask(query).await {
        Event::Done(answer) => answer,
        other => panic!("{other:?}"),
    }
}

/// An answer of the random server.
#[derive(Debug, Clone, Copy)]
enum Says {
    /// 200 or 304, with `max-age` and `ttl`.
    Well { fresh: Option<i64>, ttl: Option<i64>, changed: bool },
    /// 429 or 503; the wait in seconds, as a date or as seconds.
    Wait { status: u16, seconds: i64, date: bool },
    /// Any other failure.
    Fails(u16),
    /// A redirect to another path, which answers with 200.
    Leads(u16),
}

fn says() -> impl Strategy<Value = Says> {
    let seconds = prop_oneof![0..200_i64, 0..9_000_i64, 80_000..500_000_i64];
    prop_oneof![
        5 => (proptest::option::of(seconds.clone()), proptest::option::of(0..3_000_i64), any::<bool>())
            .prop_map(|(fresh, ttl, changed)| Says::Well { fresh, ttl, changed }),
        2 => (prop_oneof![Just(429), Just(503)], seconds, any::<bool>())
            .prop_map(|(status, seconds, date)| Says::Wait { status, seconds, date }),
        1 => prop_oneof![Just(500), Just(404), Just(403)].prop_map(Says::Fails),
        1 => prop_oneof![Just(301), Just(302), Just(308)].prop_map(Says::Leads),
    ]
}

/// A server that follows a script, and records when it may be asked again.
#[derive(Debug, Default)]
struct Scripted {
    script: Vec<Says>,
    asked: usize,
    version: u64,
    now: i64,
    allowed: i64,
    early: Vec<String>,
    /// Whether each request was conditional, for requests while nothing had changed.
    conditional: Vec<bool>,
}

impl Scripted {
    fn answer(&mut self, uri: &Uri, headers: &HeaderMap) -> Response {
        let says = self.script[self.asked.min(self.script.len() - 1)];
        let first_hop = uri.path() == "/feed.xml";
        if first_hop {
            if self.now < self.allowed {
                self.early.push(format!(
                    "request {} at {}: {} too early",
                    self.asked,
                    self.now,
                    self.allowed - self.now
                ));
            }
            self.asked += 1;
        }
        let mut answer = self.answer_as(says, first_hop, headers);
        // The server uses the test's clock.
        answer.headers_mut().insert(header::DATE, http_date(self.now).parse().unwrap());
        answer
    }

    fn answer_as(&mut self, says: Says, first_hop: bool, headers: &HeaderMap) -> Response {
        match says {
            Says::Leads(status) if first_hop => {
                (StatusCode::from_u16(status).unwrap(), [(header::LOCATION, "/there.xml")]).into_response()
            }
            Says::Leads(_) => self.well(headers, None, None, false),
            Says::Well { fresh, ttl, changed } => self.well(headers, fresh, ttl, changed),
            Says::Wait { status, seconds, date } => {
                self.allowed = self.now + seconds.min(DAY);
                let value = if date { http_date(self.now + seconds) } else { seconds.to_string() };
                (StatusCode::from_u16(status).unwrap(), [(header::RETRY_AFTER, value)]).into_response()
            }
            Says::Fails(status) => StatusCode::from_u16(status).unwrap().into_response(),
        }
    }

    fn well(&mut self, headers: &HeaderMap, fresh: Option<i64>, ttl: Option<i64>, changed: bool) -> Response {
        let known = headers.get(header::IF_NONE_MATCH).map(|tag| tag.as_bytes().to_vec());
        self.version += u64::from(changed || self.version == 0);
        let tag = format!("\"v{}\"", self.version);
        let same = known.as_deref() == Some(tag.as_bytes());
        if !changed && self.version > 1 {
            self.conditional.push(known.is_some());
        }
        let asked = if same { 0 } else { ttl.unwrap_or(0) * 60 };
        self.allowed = self.now + fresh.unwrap_or(0).max(asked).min(DAY);
        let mut answer = if same {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let ttl = ttl.map_or(String::new(), |minutes| format!("<ttl>{minutes}</ttl>"));
            let version = i64::try_from(self.version).unwrap();
            feed(&[version, version - 1, version - 2], &ttl).into_response()
        };
        let headers = answer.headers_mut();
        headers.insert(header::ETAG, tag.parse().unwrap());
        if let Some(fresh) = fresh {
            headers.insert(header::CACHE_CONTROL, format!("max-age={fresh}").parse().unwrap());
        }
        answer
    }
}

fn http_date(seconds: i64) -> String {
    let since = std::time::Duration::from_secs(seconds.cast_unsigned());
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + since)
}

async fn serve(scripted: &Arc<Mutex<Scripted>>) -> String {
    let listener = tokio::net::TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let own = Arc::clone(scripted);
    let answer = get(move |uri: Uri, headers: HeaderMap| {
        std::future::ready(own.lock().unwrap().answer(&uri, &headers))
    });
    drop(tokio::spawn(axum::serve(listener, answer).into_future()));
    base
}

/// A 429 concerns a whole server, a 503 only what was requested.
#[tokio::test]
async fn a_server_that_wants_a_pause_is_asked_by_none_of_its_sources() {
    for (status, rests) in [(429, true), (503, false)] {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let listener =
            tokio::net::TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let own = Arc::clone(&asked);
        let answer = get(move |uri: Uri| {
            own.lock().unwrap().push(uri.path().to_owned());
            let wait =
                (StatusCode::from_u16(status).unwrap(), [(header::RETRY_AFTER, "600")]).into_response();
            std::future::ready(if uri.path() == "/a" { wait } else { feed(&[1, 2, 3], "").into_response() })
        });
        drop(tokio::spawn(axum::serve(listener, answer).into_future()));
        let source =
            |id: &str| format!("[[source]]\nid = \"{id}\"\nurl = \"{base}/{id}\"\ncategory = \"样本日报\"\n");
        let main = "[site]\nurl = \"https://news.example.org/\"\n";
        let mill = Mill::open(start(), main, &(source("a") + &source("b"))).await;
        mill.poll("b").await;
        mill.poll("a").await;
        asked.lock().unwrap().clear();
        for (passes, all) in [(599, !rests), (1, true)] {
            mill.pass(passes);
            mill.round().await;
            let due = mill.store().claim_due("test", mill.now(), 10, 1).unwrap();
            assert!(due.is_empty() || all, "{status}: {due:?}");
            // The first request may bring another pause before the other source's turn.
            assert_eq!(!asked.lock().unwrap().is_empty(), all, "{status} after {passes} s");
        }
    }
}

/// Nor by sources that were waiting for their turn when it said so: their claims are released unchanged.
#[tokio::test]
async fn who_waits_for_a_server_hears_that_it_wants_a_pause() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let listener = tokio::net::TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let own = Arc::clone(&asked);
    let answer = get(move |uri: Uri| {
        own.lock().unwrap().push(uri.path().to_owned());
        std::future::ready((StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "600")]))
    });
    drop(tokio::spawn(axum::serve(listener, answer).into_future()));
    let source =
        |id: &str| format!("[[source]]\nid = \"{id}\"\nurl = \"{base}/{id}\"\ncategory = \"样本日报\"\n");
    let main = "[site]\nurl = \"https://news.example.org/\"\n";
    let ids: Vec<String> = (0..30).map(|number| format!("s{number}")).collect();
    let mill = Mill::open(start(), main, &ids.iter().map(|id| source(id)).collect::<String>()).await;
    let reports = mill.round().await;
    let asked = asked.lock().unwrap().clone();
    assert!(asked.len() <= 8, "some are asked side by side, and the others hear of it: {asked:?}");
    assert_eq!(reports.len(), asked.len(), "{reports:?}");
    for id in ids {
        let state = mill.store().source(&SourceId::new(&id).unwrap()).unwrap();
        assert!(state.not_before >= mill.now().plus(600) && state.next_poll >= state.not_before, "{state:?}");
        let was = asked.contains(&format!("/{id}"));
        assert_eq!((state.fails, state.last_poll.is_some()), (u32::from(was), was), "{id}");
    }
    let due = mill.store().claim_due("test", mill.now().plus(599), 10, 1).unwrap();
    assert!(due.is_empty(), "{due:?}");
}

/// Runs the mill as its daemon does: claims due sources, polls them, waits for the next due time. `cuts`
/// lists the polls at which the process ends: before the poll (`true`), or after it.
async fn turn(script: Vec<Says>, pace: &str, cuts: &BTreeMap<usize, bool>) -> Scripted {
    let polls = script.len();
    let scripted = Arc::new(Mutex::new(Scripted { script, ..Scripted::default() }));
    let base = serve(&scripted).await;
    let main = "[site]\nurl = \"https://news.example.org/\"\n";
    let source =
        format!("[[source]]\nid = \"{ID}\"\nurl = \"{base}/feed.xml\"\ncategory = \"样本日报\"\n{pace}\n");
    let mut mill = Mill::open(start(), main, &source).await;
    let mut done = 0;
    while done < polls {
        let due = mill.store().next_due().unwrap().unwrap();
        mill.pass(due.since(mill.now()).max(0));
        scripted.lock().unwrap().now = mill.now().unix();
        let now = mill.now();
        for claim in mill.store().claim_due("test", now, 10, 900).unwrap() {
            let cut = cuts.get(&done).copied();
            done += 1;
            if cut == Some(true) {
                // The process ends after the claim and before the poll.
                mill.reopen(main, &source).await;
                break;
            }
            mill.poll_claimed(claim).await;
            if cut == Some(false) {
                mill.reopen(main, &source).await;
                break;
            }
        }
    }
    drop(mill);
    std::mem::take(&mut *scripted.lock().unwrap())
}

#[test]
fn no_request_comes_before_it_is_allowed() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config {
        cases: 16,
        max_shrink_iters: 40,
        failure_persistence: None,
        ..Config::default()
    });
    let cuts = proptest::collection::btree_map(0..40_usize, any::<bool>(), 0..8);
    let pace = prop_oneof![Just("interval = \"1m\""), Just("interval = \"10m\""), Just("")];
    let all = (proptest::collection::vec(says(), 10..40), pace, cuts);
    let outcome = runner.run(&all, |(script, pace, cuts)| {
        let seen = runtime.block_on(turn(script, pace, &cuts));
        prop_assert!(seen.early.is_empty(), "{:?}", seen.early);
        prop_assert!(seen.asked > 0);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_source_is_asked_conditionally() {
    let same = Says::Well { fresh: None, ttl: None, changed: false };
    let mut script = vec![Says::Well { fresh: None, ttl: None, changed: true }; 2];
    script.extend(std::iter::repeat_n(same, 200));
    let cuts = (5..200).step_by(40).map(|poll| (poll, poll % 3 == 0)).collect();
    let seen = turn(script, "", &cuts).await;
    let conditional = seen.conditional.iter().filter(|so| **so).count();
    assert!(seen.conditional.len() > 190, "{}", seen.conditional.len());
    assert!(conditional * 100 >= seen.conditional.len() * 99, "{conditional} of {}", seen.conditional.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_feed_asks_for_counts_behind_a_304_too() {
    let upstream = Upstream::start().await;
    upstream.rss("/feed.xml", feed(&[2, 1], "<ttl>240</ttl>"));
    let mill = mill(&upstream).await;
    for poll in 0..2 {
        let report = mill.poll(ID).await;
        assert_eq!(report.not_modified, poll == 1);
        let state = mill.state(ID);
        assert_eq!(state.next_poll.since(mill.now()), 4 * 3_600, "{}", state.why);
        assert!(state.why.contains("ttl"), "{}", state.why);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_are_no_news() {
    let upstream = Upstream::start().await;
    upstream.without_validators();
    upstream.rss("/feed.xml", feed(&[2, 1], ""));
    let mill = mill(&upstream).await;
    assert_eq!(mill.poll(ID).await.inserted, 2);
    assert!(mill.poll(ID).await.not_modified);
    upstream.rss("/feed.xml", feed(&[3, 2, 1], ""));
    assert_eq!(mill.poll(ID).await.inserted, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_gone_is_asked_no_more() {
    let upstream = Upstream::start().await;
    upstream.rss("/feed.xml", feed(&[1], ""));
    let mut mill = mill(&upstream).await;
    mill.poll(ID).await;
    upstream.fail("/feed.xml", 410);
    mill.poll(ID).await;
    assert_eq!(mill.state(ID).next_poll, NEVER);
    let main = "[site]\nurl = \"https://news.example.org/\"\n";
    let source = |path: &str| common::samples::feed_source(ID, "样本日报", &upstream, path);
    mill.reopen(main, &source("/feed.xml")).await;
    assert_eq!(mill.state(ID).next_poll, NEVER, "a restart asked it again");
    let rows = ask(&mill, Query::Sources).await;
    assert_eq!(rows[0]["next_poll"], Value::Null);
    assert!(rows[0]["why"].as_str().unwrap().contains("410"), "{rows}");
    assert_eq!(rows[0]["error_kind"], "gone");
    assert_eq!(mill.items().len(), 1, "what was published stays");
    mill.reopen(main, &source("/new.xml")).await;
    assert!(mill.state(ID).next_poll <= mill.now(), "a new address waits");
    upstream.rss("/new.xml", feed(&[2, 1], ""));
    assert_eq!(mill.poll(ID).await.inserted, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_back_in_the_config_is_asked_again() {
    let upstream = Upstream::start().await;
    upstream.rss("/feed.xml", feed(&[1], ""));
    let mut mill = mill(&upstream).await;
    mill.poll(ID).await;
    let due = mill.state(ID).next_poll;
    let main = "[site]\nurl = \"https://news.example.org/\"\n";
    let source = common::samples::feed_source(ID, "样本日报", &upstream, "/feed.xml");
    mill.reopen(main, &source).await;
    assert_eq!(mill.state(ID).next_poll, due, "a restart is no reason");
    // As the daemon does with a source that is no longer in the config.
    let state = SourceState { next_poll: Timestamp::MAX, ..mill.state(ID) };
    mill.leave(ID, state);
    mill.reopen(main, &format!("{source}enabled = false\n")).await;
    assert_eq!(mill.state(ID).next_poll, Timestamp::MAX);
    mill.reopen(main, &source).await;
    assert_eq!(mill.state(ID).next_poll, mill.now());
    assert!(mill.poll(ID).await.not_modified, "what is known of it stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_by_hand_makes_no_second_of_one_that_ends_meanwhile() {
    let upstream = Upstream::start().await;
    upstream.rss("/feed.xml", feed(&[1], ""));
    let mill = mill(&upstream).await;
    let mut left = PollResult::of(mill.claim(ID));
    // By the clock of the process that polls.
    left.state.last_poll = Some(mill.now().plus(1));
    left.state.next_poll = mill.now().plus(300);
    let by_hand = ask(&mill, Query::Poll { sources: Vec::new(), dry_run: false, no_publish: true });
    let ends = async { assert_eq!(mill.store().complete(&[left]).unwrap(), []) };
    let (answer, ()) = tokio::join!(by_hand, ends);
    assert_eq!((&answer["busy"], &answer["polls"]), (&json!([]), &json!([])));
    assert_eq!(answer["waiting"][0]["why"], "somebody else polled it a moment ago");
    let state = mill.state(ID);
    assert_eq!((state.next_poll, state.claimed), (mill.now().plus(300), None), "its plan stays");
    assert!(upstream.take_asked().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_leaves_out_who_asked_for_a_pause() {
    let upstream = Upstream::start().await;
    upstream.rss("/feed.xml", feed(&[1], ""));
    let mill = mill(&upstream).await;
    let until = mill.now().plus(600);
    let state = SourceState { not_before: until, why: "busy".to_owned(), ..mill.state(ID) };
    mill.leave(ID, state);
    for dry_run in [true, false] {
        let answer = ask(&mill, Query::Poll { sources: Vec::new(), dry_run, no_publish: true }).await;
        let waiting = json!([{ "source": ID, "not_before": until.rfc3339(), "why": "busy" }]);
        assert_eq!((&answer["waiting"], &answer["polls"]), (&waiting, &json!([])));
    }
    assert!(upstream.take_asked().is_empty());
    mill.pass(600);
    let answer = ask(&mill, Query::Poll { sources: Vec::new(), dry_run: false, no_publish: true }).await;
    assert_eq!((&answer["waiting"], &answer["polls"][0]["inserted"]), (&json!([]), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_is_believed_once_it_has_proved_true() {
    let scripted = Arc::new(Mutex::new(Scripted { script: vec![Says::Leads(301)], ..Scripted::default() }));
    let base = serve(&scripted).await;
    let source = format!("[[source]]\nid = \"{ID}\"\nurl = \"{base}/feed.xml\"\ncategory = \"样本日报\"\n");
    let mill = Mill::open(start(), "[site]\nurl = \"https://news.example.org/\"\n", &source).await;
    let asked = || scripted.lock().unwrap().asked;
    for poll in 1..=6 {
        mill.poll(ID).await;
        assert_eq!(asked(), poll, "the configured address was passed over");
        mill.pass(DAY / 2);
    }
    mill.pass(DAY);
    mill.poll(ID).await;
    assert!(mill.state(ID).memory.moved.unwrap().trusted);
    let before = asked();
    mill.poll(ID).await;
    assert_eq!(asked(), before, "the new address is not asked");
    let undone = ask(&mill, Query::UndoMove { source: ID.to_owned() }).await;
    assert!(undone["forgotten"].as_str().unwrap().ends_with("/there.xml"));
    mill.poll(ID).await;
    assert_eq!(asked(), before + 1, "it was not undone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_ran_over_is_filled_from_the_archive() {
    for (hints, older) in [
        ("<atom:link xmlns:atom='http://www.w3.org/2005/Atom' rel='prev-archive' href='OLD'/>", "/old.xml"),
        ("<generator>https://wordpress.org/?v=6.7</generator>", "/feed.xml?paged=2"),
    ] {
        let upstream = Upstream::start().await;
        let hints = hints.replace("OLD", &format!("{}/old.xml", upstream.base()));
        upstream.rss("/feed.xml", feed(&[5, 4, 3, 2, 1], &hints));
        let mill = mill(&upstream).await;
        mill.poll(ID).await;
        mill.pass(DAY);
        upstream.rss("/feed.xml", feed(&[15, 14, 13, 12, 11], &hints));
        upstream.rss(older, feed(&[10, 9, 8, 7, 6], ""));
        let report = mill.poll(ID).await;
        assert!(report.overrun, "{report:?}");
        assert_eq!((report.inserted, mill.items().len()), (10, 15), "{older}");
        assert_eq!(mill.state(ID).memory.gaps, 1);
        upstream.take_asked();
        mill.pass(DAY);
        mill.poll(ID).await;
        assert_eq!(upstream.take_asked().len(), 1, "{older} was asked more than once");
    }
}

/// Returns a feed whose pages are on the same upstream.
fn here(upstream: &Upstream, numbers: &[i64], extra: &str) -> String {
    feed(numbers, extra).replace("https://paper.example/", &format!("{}/page/", upstream.base()))
}

fn pages(upstream: &Upstream, numbers: std::ops::RangeInclusive<i64>) {
    numbers.for_each(|n| upstream.put(&format!("/page/{n}"), 200, "text/html", "<p>文</p>".to_owned()));
}

const TEN: [i64; 10] = [10, 9, 8, 7, 6, 5, 4, 3, 2, 1];

#[tokio::test(flavor = "multi_thread")]
async fn what_a_source_deletes_is_withdrawn_and_comes_back_with_it() {
    let upstream = Upstream::start().await;
    pages(&upstream, 1..=10);
    upstream.rss("/feed.xml", here(&upstream, &TEN, ""));
    let mill = mill(&upstream).await;
    mill.pass(DAY);
    mill.poll(ID).await;
    // The second item is gone with its page, the third only from the list.
    upstream.fail("/page/9", 404);
    let without: Vec<i64> = TEN.into_iter().filter(|n| ![9, 8].contains(n)).collect();
    upstream.rss("/feed.xml", here(&upstream, &without, ""));
    for poll in 0..4 {
        mill.pass(1_800);
        let report = mill.poll(ID).await;
        assert_eq!(report.withdrawn, usize::from(poll == 2), "poll {poll}");
    }
    let titles = |mill: &Mill| mill.items().iter().map(|item| item.title.clone()).collect::<Vec<_>>();
    assert!(!titles(&mill).contains(&"第9条".to_owned()) && titles(&mill).contains(&"第8条".to_owned()));
    mill.publish().await;
    assert!(!mill.feed_titles(SLUG).contains(&"第9条".to_owned()));
    upstream.rss("/feed.xml", here(&upstream, &TEN, ""));
    mill.pass(7_200);
    assert!(mill.poll(ID).await.changed());
    assert_eq!(titles(&mill).len(), 10, "it did not come back");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_deletions_at_once_withdraw_nothing() {
    let upstream = Upstream::start().await;
    upstream.rss("/feed.xml", here(&upstream, &TEN, ""));
    let mill = mill(&upstream).await;
    mill.pass(DAY);
    mill.poll(ID).await;
    upstream.rss("/feed.xml", here(&upstream, &[10, 3, 2, 1], ""));
    for _ in 0..5 {
        mill.pass(3_600);
        assert_eq!(mill.poll(ID).await.withdrawn, 0);
    }
    assert_eq!(mill.items().len(), 10);
}

/// Deleted entries of RFC 6721.
#[tokio::test(flavor = "multi_thread")]
async fn deleted_entries_are_withdrawn() {
    let deleted = |numbers: &[i64]| {
        numbers.iter().fold(String::new(), |mut text, n| {
            let xmlns = "xmlns:at='http://purl.org/atompub/tombstones/1.0'";
            write!(text, "<at:deleted-entry {xmlns} ref='g{n}' when='2026-11-20T00:00:00Z'/>").unwrap();
            text
        })
    };
    let upstream = Upstream::start().await;
    upstream.rss("/feed.xml", feed(&TEN, ""));
    let mill = mill(&upstream).await;
    mill.pass(DAY);
    mill.poll(ID).await;
    upstream.rss("/feed.xml", feed(&TEN[2..], &deleted(&[10, 9, 8])));
    assert_eq!(mill.poll(ID).await.withdrawn, 2, "the one that is listed stays");
    assert_eq!(mill.items().len(), 8);
    upstream.rss("/feed.xml", feed(&TEN[9..], &deleted(&[8, 7, 6, 5, 4, 3])));
    assert_eq!(mill.poll(ID).await.withdrawn, 0);
    assert_eq!(mill.items().len(), 8);
    assert!(!mill.state(ID).memory.alarm.is_empty(), "nobody is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_stores_nothing() {
    let upstream = Upstream::start().await;
    upstream.rss("/feed.xml", feed(&[2, 1], ""));
    let mill = mill(&upstream).await;
    let before = mill.state(ID);
    let answer = ask(&mill, Query::Poll { sources: Vec::new(), dry_run: true, no_publish: false }).await;
    assert_eq!((&answer["polls"][0]["inserted"], &answer["dry_run"]), (&2.into(), &true.into()));
    assert_eq!((mill.items().len(), mill.state(ID) == before), (0, true));
    mill.poll(ID).await;
    upstream.rss("/feed.xml", feed(&[3, 2, 1], ""));
    let answer =
        ask(&mill, Query::Poll { sources: vec![ID.to_owned()], dry_run: true, no_publish: false }).await;
    assert_eq!((&answer["polls"][0]["inserted"], &answer["polls"][0]["unchanged"]), (&1.into(), &2.into()));
    assert_eq!(mill.items().len(), 2);
    assert!(SourceId::new(ID).is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn walls_are_no_feeds() {
    let upstream = Upstream::start().await;
    let mill = mill(&upstream).await;
    let page = |body: &str| upstream.put("/feed.xml", 200, "text/html", format!("<html>{body}</html>"));
    page("<title>Just a moment...</title>");
    assert_eq!(mill.poll(ID).await.error_kind.as_deref(), Some("challenge"));
    page("<form><input type=\"password\"></form>");
    assert_eq!(mill.poll(ID).await.error_kind.as_deref(), Some("login"));
    page("<p>welcome</p>");
    assert_eq!(mill.poll(ID).await.error_kind.as_deref(), Some("web_page"));
    assert_eq!(mill.state(ID).fails, 3);
}
