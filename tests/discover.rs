//! Promise: from any address of a newspaper its feeds are found, with config that is ready to save.

mod common;

use std::process::Command;

use common::Upstream;

const HTML: &str = "text/html; charset=utf-8";
const RSS: &str = "<rss version='2.0'><channel><title>河湾日报</title><link>http://127.0.0.1/</link>\
    <description>d</description><item><title>第一条</title><guid>1</guid></item></channel></rss>";

#[expect(clippy::unwrap_used, reason = "a command that cannot run ends the test")]
async fn discover(url: String) -> (Option<i32>, String, String) {
    let ask = move || Command::new(env!("CARGO_BIN_EXE_feedmill")).args(["discover", &url]).output().unwrap();
    let done = feedmill::blocking::run_long(ask).await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (done.status.code(), text(done.stdout), text(done.stderr))
}

#[tokio::test]
async fn a_page_that_names_its_feed() {
    let upstream = Upstream::start().await;
    let page = "<link rel=alternate type='application/rss+xml' href='/rss/all.xml'><p>首页</p>";
    upstream.put("/news/1.html", 200, HTML, page.to_owned());
    upstream.rss("/rss/all.xml", RSS.to_owned());
    let (code, out, err) = discover(format!("{}/news/1.html", upstream.base())).await;
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("第一条") && out.contains("save as config/sources.d/hewanribao.toml"), "{out}");
    let config: String = out.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
    let read: toml::Table = config.parse().unwrap();
    let source = &read["source"].as_array().unwrap()[0];
    assert_eq!(source["url"].as_str(), Some(format!("{}/rss/all.xml", upstream.base()).as_str()));
    assert_eq!(source["category"].as_str(), Some("河湾日报"));
}

#[tokio::test]
async fn usual_names_then_sitemaps_then_words() {
    let upstream = Upstream::start().await;
    upstream.put("/", 200, HTML, "<p>首页</p>".to_owned());
    let home = format!("{}/", upstream.base());
    let (code, _, err) = discover(home.clone()).await;
    assert_eq!(code, Some(1));
    assert!(err.contains("kind `html`"), "{err}");
    upstream.put("/robots.txt", 200, "text/plain", format!("Sitemap: {home}maps/news.xml\n"));
    let map = format!("<urlset><url><loc>{home}a/1.html</loc></url></urlset>");
    upstream.put("/maps/news.xml", 200, "application/xml", map);
    let (_, out, _) = discover(home.clone()).await;
    assert!(out.contains("kind = \"sitemap\"") && out.contains("maps/news.xml"), "{out}");
    upstream.rss("/feed.xml", RSS.to_owned());
    let (_, out, _) = discover(home).await;
    assert!(out.contains("/feed.xml") && !out.contains("sitemap"), "{out}");
}
