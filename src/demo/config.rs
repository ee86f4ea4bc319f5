//! The config of a demo, in the form that an admin would write.

use std::fmt::Write as _;
use std::path::Path;

use url::Url;

/// Returns the main file: loopback only, everything below one temporary folder.
#[must_use]
pub fn main_file(port: u16, contact: &str) -> String {
    format!(
        r#"# Made by `feedmill demo`.
[site]
title = "feedmill 演示"
description = "每份报纸一个干净的订阅源"
url = "http://127.0.0.1:{port}/"
language = "zh-CN"
timezone = "Asia/Shanghai"
contact = {contact:?}
id_authority = "demo.example,2026"
code_space = "eastmoney"

[store]
path = "store"
cache = "16MiB"

[output]
path = "public"

[output.jekyll]
path = "jekyll"
tag_suffix = "新闻"

[output.jekyll.tags]
emnews = "滚动新闻"

[serve]
listen = "127.0.0.1:{port}"

[control]
socket = "control.sock"

[fetch]
allow = ["127.0.0.0/8"]
host_spacing = "20ms"
first_spacing = "20ms"
per_host = 4

[poll]
min_interval = "1s"
interval = "2s"

[categories]
auto = "yes"

[[category]]
slug = "emnews"
name = "滚动新闻"
"#
    )
}

/// Returns the sources of the loopback upstream at `base`: the lists of the first real upstream, and feeds
/// in four formats.
#[must_use]
pub fn samples(base: &str) -> String {
    let eastmoney = include_str!("../../config/examples/eastmoney.toml");
    // The shipped example with another address, and a shorter interval.
    let mut text = String::new();
    for line in eastmoney.lines() {
        if line.starts_with("base = ") {
            let _ = writeln!(text, "base = \"{base}\"\nshare = \"{base}\"");
        } else if line.starts_with("interval = ") {
            text.push_str("interval = \"2s\"\n");
        } else if !line.starts_with("share = ") {
            let _ = writeln!(text, "{line}");
        }
    }
    for (id, path, category) in [
        ("demo-rss", "rss.xml", "山城早报示例"),
        ("demo-atom", "atom.xml", "海湾晚报示例"),
        ("demo-gbk", "gbk.xml", "古城日报示例"),
        ("demo-json", "feed.json", "草原新报示例"),
    ] {
        let _ = write!(
            text,
            "\n[[source]]\nid = \"{id}\"\nurl = \"{base}/feeds/{path}\"\ncategory = \"{category}\"\n"
        );
    }
    text
}

/// Returns sources for the user's own addresses: each becomes a category that is named after its host.
#[must_use]
pub fn own(urls: &[Url]) -> String {
    let mut text = String::new();
    for (number, url) in (1..).zip(urls) {
        let host = url.host_str().unwrap_or("feed");
        let again = urls.iter().filter(|other| other.host_str() == url.host_str()).count() > 1;
        let name = if again { format!("{host} {number}") } else { host.to_owned() };
        let _ = write!(
            text,
            "[[source]]\nid = \"feed-{number}\"\nurl = {:?}\ncategory = {name:?}\ninterval = \"5m\"\n\n",
            url.as_str()
        );
    }
    text
}

/// Writes the files below `folder`; the drop-in contains the sources.
///
/// # Errors
/// When the files cannot be written.
pub fn write(folder: &Path, main: &str, sources: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(folder.join("sources.d"))?;
    std::fs::write(folder.join("feedmill.toml"), main)?;
    std::fs::write(folder.join("sources.d/demo.toml"), sources)
}
