//! Promise: `preview --json` shows the parser's result for a document, in a neutral form that other parsers
//! can be compared with, and reports clearly when there is nothing to show.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const RSS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel><title>西海 &amp; 都市报</title><link>https://paper.example/</link><description>d</description><language>zh-CN</language>
<item><title>一 &lt;b&gt;二&lt;/b&gt;</title><link>/news/1</link><guid isPermaLink="false">n-1</guid>
<pubDate>Tue, 21 Dec 2021 13:55:07 +0800</pubDate><dc:creator>记者甲</dc:creator><category>财经</category>
<description>&lt;p&gt;摘要&lt;/p&gt;</description><content:encoded><![CDATA[<p onclick="x()">全文</p><script>y()</script>]]></content:encoded>
<enclosure url="https://paper.example/1.mp3" type="audio/mpeg" length="123"/></item>
<item><guid isPermaLink="false">n-2</guid></item>
</channel></rss>"#;

const ATOM: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><title type="html">A &amp;amp; B</title><id>urn:feed</id><subtitle>s</subtitle>
<updated>2021-12-21T06:00:00Z</updated><link rel="self" href="https://paper.example/atom"/><link href="https://paper.example/"/>
<author><name>Editor</name><email>e@paper.example</email><uri>https://paper.example/e</uri></author>
<entry><id>urn:1</id><title>One</title><link href="news/1"/><published>2021-12-21T13:55:07+08:00</published>
<updated>2021-12-21T14:00:00+08:00</updated><summary>S</summary><content type="html">&lt;p&gt;C&lt;/p&gt;</content></entry></feed>"#;

const JSON_FEED: &str = r#"{"version":"https://jsonfeed.org/version/1.1","title":"J","home_page_url":"https://paper.example/","language":"en",
"items":[{"id":7,"url":"https://paper.example/7","title":"Seven","content_html":"<p>C</p>","summary":"S",
"date_published":"2021-12-21T13:55:07+08:00","authors":[{"name":"A"}],"tags":["t"],
"attachments":[{"url":"https://paper.example/7.mp3","mime_type":"audio/mpeg","size_in_bytes":9}]}]}"#;

/// Runs `preview` with `bytes` on its standard input.
fn preview(arguments: &[&str], bytes: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_feedmill"))
        .arg("preview")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It does not read its input if its arguments are invalid.
    let _ = child.stdin.take().unwrap().write_all(bytes);
    child.wait_with_output().unwrap()
}

/// Returns the output of `preview --json` for a document.
fn parsed(bytes: &[u8], more: &[&str]) -> Value {
    let ended = preview(&[&["--json", "-"], more].concat(), bytes);
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    serde_json::from_slice(&ended.stdout).unwrap()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn every_format_has_the_same_keys() {
    let feed = [
        "format", "title", "link", "language", "encoding", "id", "subtitle", "updated", "authors", "entries",
    ];
    let entry = [
        "id",
        "title",
        "link",
        "published",
        "updated",
        "authors",
        "categories",
        "summary",
        "content",
        "enclosures",
    ];
    for (text, format) in [(RSS, "rss"), (ATOM, "atom"), (JSON_FEED, "json_feed")] {
        let document = parsed(text.as_bytes(), &[]);
        assert_eq!(keys(&document), feed, "{format}");
        assert!(document["format"].as_str().unwrap().starts_with(format), "{document:#}");
        assert_eq!(document["encoding"], "UTF-8", "{format}");
        for one in document["entries"].as_array().unwrap() {
            assert_eq!(keys(one), entry, "{format}");
        }
        assert_eq!(document["entries"][0]["published"], "2021-12-21T05:55:07Z", "{format}: in UTC");
    }
}

#[test]
fn rss_is_shown_as_it_was_read() {
    let document = parsed(RSS.as_bytes(), &["--base", "https://paper.example/feed.xml"]);
    assert_eq!(document["title"], "西海 & 都市报");
    assert_eq!(document["language"], "zh-CN");
    let first = &document["entries"][0];
    assert_eq!(first["id"], "n-1");
    assert_eq!(first["title"], "一 <b>二</b>", "titles are shown as sent");
    let plain = parsed(RSS.as_bytes(), &["--titles", "plain"]);
    assert_eq!(plain["entries"][0]["title"], "一 二", "and as they will be published");
    assert_eq!(first["link"], "https://paper.example/news/1", "links are absolute");
    assert_eq!(first["summary"], "<p>摘要</p>");
    assert_eq!(
        first["content"], "<p onclick=\"x()\">全文</p><script>y()</script>",
        "nothing is cleaned here"
    );
    assert_eq!(first["categories"], json!(["财经"]));
    assert_eq!(first["authors"][0]["name"], "记者甲");
    assert_eq!(
        first["enclosures"],
        json!([{ "url": "https://paper.example/1.mp3", "type": "audio/mpeg", "length": 123 }])
    );
    let second = &document["entries"][1];
    assert_eq!((&second["id"], &second["title"]), (&json!("n-2"), &json!("")), "nothing is held back");
    assert_eq!(
        (&second["published"], &second["link"], &second["content"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
}

#[test]
fn atom_and_json_feed_are_shown_as_they_were_read() {
    let document = parsed(ATOM.as_bytes(), &["--base", "https://paper.example/atom"]);
    assert_eq!((&document["title"], &document["id"]), (&json!("A &amp; B"), &json!("urn:feed")));
    assert_eq!(
        (&document["link"], &document["updated"]),
        (&json!("https://paper.example/"), &json!("2021-12-21T06:00:00Z"))
    );
    assert_eq!(
        document["authors"],
        json!([{ "name": "Editor", "email": "e@paper.example", "uri": "https://paper.example/e" }])
    );
    let entry = &document["entries"][0];
    assert_eq!(entry["link"], "https://paper.example/news/1");
    assert_eq!((&entry["updated"], &entry["content"]), (&json!("2021-12-21T06:00:00Z"), &json!("<p>C</p>")));

    let document = parsed(JSON_FEED.as_bytes(), &[]);
    let entry = &document["entries"][0];
    assert_eq!(
        (&entry["id"], &entry["title"], &entry["summary"]),
        (&json!("7"), &json!("Seven"), &json!("S"))
    );
    assert_eq!(entry["enclosures"][0]["length"], 9);
    assert_eq!(entry["categories"], json!(["t"]));
}

#[test]
fn encodings_are_found() {
    let declared = RSS.replace("UTF-8", "GBK");
    let (bytes, _, bad) = encoding_rs::GBK.encode(&declared);
    assert!(!bad);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gbk.xml");
    fs::write(&file, &bytes).unwrap();
    let ended = preview(&["--json", file.to_str().unwrap()], b"");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let document: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(document["title"], "西海 & 都市报");
    // GB18030 includes all characters of GBK.
    assert_eq!(document["encoding"], "gb18030");
    // The server's encoding counts if the document declares none.
    let silent = RSS.replace(" encoding=\"UTF-8\"", "");
    let (bytes, _, _) = encoding_rs::BIG5.encode("");
    assert!(bytes.is_empty());
    let (bytes, _, _) = encoding_rs::GBK.encode(&silent);
    let document = parsed(&bytes, &["--content-type", "application/rss+xml; charset=gbk"]);
    assert_eq!(document["title"], "西海 & 都市报");
}

#[test]
fn people_see_the_cleaned_items() {
    let ended = preview(&["-", "--base", "https://paper.example/"], RSS.as_bytes());
    let text = String::from_utf8(ended.stdout).unwrap();
    assert!(ended.status.success());
    assert!(
        text.contains("西海 & 都市报 (rss") && text.contains("2 items") && text.contains("<p>全文</p>"),
        "{text}"
    );
    assert!(!text.contains("script") && !text.contains("onclick"), "{text}");
    // A feed cannot command the terminal.
    let evil = JSON_FEED.replace("Seven", "Se\\u001b[31mven");
    let ended = preview(&["-"], evil.as_bytes());
    assert!(!ended.stdout.contains(&0x1b));
}

#[test]
fn what_is_no_feed_is_refused_with_a_word() {
    for (text, word) in [
        ("", "empty"),
        (" \n\t", "empty"),
        ("<!doctype html><html><body>x</body></html>", "web page"),
        ("hello", "not a feed"),
        ("<opml version=\"2.0\"><body/></opml>", "not a feed"),
        ("{\"version\":", "broken"),
        ("{\"a\":1}", "JSON"),
    ] {
        let ended = preview(&["--json", "-"], text.as_bytes());
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(1), "{text:?}: {said}");
        assert!(ended.stdout.is_empty(), "{text:?}");
        assert!(said.starts_with("error: ") && said.contains(word), "{text:?}: {said}");
    }
    let ended = preview(&["--json", "no-such-file.xml"], b"");
    assert_eq!(ended.status.code(), Some(1));
    assert!(String::from_utf8(ended.stderr).unwrap().contains("cannot open `no-such-file.xml`"));
    // Invalid arguments have another exit code.
    assert_eq!(preview(&["--base", "nowhere", "-"], b"").status.code(), Some(2));
}
