//! Promise: webhooks receive signed notifications of what was published, after the publish; a failed
//! delivery is repeated later, and undoes nothing.

#![expect(clippy::unwrap_used, reason = "a sample that is not there ends the test")]

mod common;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use common::samples::{RssItem, feed_source, rss};
use common::{Mill, Upstream, at};
use feedmill::notify::{SIGNATURE, signature};
use serde_json::Value;

/// The requests that a receiver got: signature and body. It fails while `broken`.
#[derive(Clone, Default)]
struct Receiver {
    got: Arc<Mutex<Vec<(String, Bytes)>>>,
    broken: Arc<Mutex<bool>>,
}

impl Receiver {
    async fn start(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/hook", post(receive)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}/hook")
    }

    /// Returns the requests since the last call.
    fn take(&self) -> Vec<(String, Value, Bytes)> {
        let got = std::mem::take(&mut *self.got.lock().unwrap());
        got.into_iter().map(|(sign, body)| (sign, serde_json::from_slice(&body).unwrap(), body)).collect()
    }
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let sign = headers.get(SIGNATURE).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    if *receiver.broken.lock().unwrap() {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    receiver.got.lock().unwrap().push((sign, body));
    StatusCode::OK
}

fn list(upstream: &Upstream, path: &str, titles: &[&str]) {
    let guids: Vec<String> = (0..titles.len()).map(|n| format!("{path}-{n}")).collect();
    let items: Vec<RssItem<'_>> = titles
        .iter()
        .zip(&guids)
        .map(|(title, guid)| RssItem {
            guid,
            title,
            html: "<p>文</p>",
            date: "Thu, 30 Apr 2026 08:00:00 GMT",
            ..RssItem::default()
        })
        .collect();
    upstream.rss(path, rss("https://paper.example/", &items));
}

async fn turn(mill: &Mill) -> bool {
    mill.pass(60);
    mill.round().await;
    mill.publish().await;
    mill.own().notifier.deliver(&mill.own().store, &mill.own().pages).await.unwrap()
}

/// Returns (category, [(change, title)]) of each message.
fn news(got: &[(String, Value, Bytes)]) -> Vec<(String, Vec<(String, String)>)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    got.iter()
        .map(|(_, message, _)| {
            let items = message["items"].as_array().unwrap().iter();
            (
                text(&message["category"]["slug"]),
                items.map(|i| (text(&i["change"]), text(&i["title"]))).collect(),
            )
        })
        .collect()
}

fn one(slug: &str, change: &str, title: &str) -> (String, Vec<(String, String)>) {
    (slug.to_owned(), vec![(change.to_owned(), title.to_owned())])
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_are_told_what_is_new_changed_and_withdrawn() {
    let (upstream, receiver) = (Upstream::start().await, Receiver::default());
    let hook = receiver.start().await;
    let sources = feed_source("jia", "甲城日报", &upstream, "/a.xml")
        + &feed_source("yi", "乙城晚报", &upstream, "/b.xml");
    let main = format!(
        "[site]\nurl = \"https://news.example.org/\"\nid_authority = \"news.example.org,2026\"\n\
         [[webhook]]\nurl = \"{hook}\"\nsecret_file = \"sources.d/key\"\ncategories = [\"甲城日报\"]\n"
    );
    let mut mill = Mill::open(at("2026-05-01T04:00:00Z"), "", "").await;
    std::fs::write(mill.path("config/sources.d/key"), "s3cret\n").unwrap();
    mill.reopen(&main, &sources).await;
    list(&upstream, "/a.xml", &["旧的"]);
    list(&upstream, "/b.xml", &["别处"]);
    // A new hook is not notified of what was published before.
    assert!(turn(&mill).await);
    assert_eq!(receiver.take().len(), 0);

    list(&upstream, "/a.xml", &["旧的", "新的"]);
    list(&upstream, "/b.xml", &["别处", "别处的新的"]);
    assert!(turn(&mill).await);
    let got = receiver.take();
    assert_eq!(news(&got), [one("jiachengribao", "new", "新的")]);
    assert_eq!(got[0].0, signature("s3cret", &got[0].2));
    assert_eq!(got[0].1["category"]["feed"], "https://news.example.org/feed/jiachengribao.xml");
    assert!(turn(&mill).await);
    assert_eq!(receiver.take().len(), 0, "told once");

    // The delivery fails: the publish stays, and all of it is delivered later.
    *receiver.broken.lock().unwrap() = true;
    list(&upstream, "/a.xml", &["旧的，改过", "新的"]);
    assert!(!turn(&mill).await);
    assert!(mill.output("feed/jiachengribao.xml").contains("旧的，改过"));
    mill.reopen(&main, &sources).await;
    *receiver.broken.lock().unwrap() = false;
    let code = mill.items().into_iter().find(|item| item.title == "新的").unwrap().code.text(None);
    mill.ask(feedmill::control::Query::Withdraw {
        names: vec![code],
        why: "asked".to_owned(),
        erase: false,
        copies: false,
        exports: false,
        dry_run: false,
    })
    .await;
    assert!(turn(&mill).await);
    let want =
        vec![("changed".to_owned(), "旧的，改过".to_owned()), ("withdrawn".to_owned(), "新的".to_owned())];
    assert_eq!(news(&receiver.take()), [("jiachengribao".to_owned(), want)]);
}
