//! Discovery: the feeds behind an address, as config. Pure: pages in, candidates out; the command line
//! fetches.
//!
//! Owns: which links of a page may be feeds, which well-known names are tried, and the config text. Does not
//! own: fetching, nor whether a candidate is a feed (`parse` decides that).

use std::fmt::Write as _;

use dom_query::Document as Page;
use url::Url;

use crate::model::{Slug, nesting};
use crate::parse::link;
use crate::parse::text;

/// Candidates of one page, at most.
const MAX: usize = 20;
/// Names that are tried if the page names no feed.
const WELL_KNOWN: [&str; 8] =
    ["feed", "feed.xml", "rss.xml", "atom.xml", "index.xml", "rss", "feed.json", "?feed=rss2"];
/// Names of news sitemaps that are tried after those in robots.txt.
const SITEMAPS: [&str; 3] = ["sitemap-news.xml", "news-sitemap.xml", "sitemap.xml"];

/// An address that may be a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The address.
    pub url: Url,
    /// Where the address was found, for people.
    pub why: &'static str,
}

/// Returns the feeds that a page names, in its order: `rel=alternate` first, then links that look like
/// feeds.
#[must_use]
pub fn named(html: &str, base: &Url) -> Vec<Candidate> {
    let page = Page::from(nesting::bounded(html).as_ref());
    let base = page.base_uri().and_then(|own| base.join(&own).ok()).unwrap_or_else(|| base.clone());
    let mut found = Vec::new();
    for node in page.select("link[rel~='alternate'][href]").nodes() {
        let kind = node.attr("type").unwrap_or_default().to_ascii_lowercase();
        let feed = ["rss+xml", "atom+xml", "feed+json", "rdf+xml"].iter().any(|known| kind.contains(known));
        let json =
            kind == "application/json" && node.attr("href").is_none_or(|href| !href.contains("/wp-json/"));
        if feed || json {
            add(&mut found, node.attr("href").as_deref(), &base, "named by the page");
        }
    }
    for node in page.select("a[href]").nodes() {
        let href = node.attr("href").unwrap_or_default().to_string();
        let path = href.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
        let ending = [".rss", "/rss", "rss.xml", "feed.xml", "atom.xml", "/feed", "/feed/", ".atom"];
        if ending.iter().any(|ending| path.ends_with(ending)) {
            add(&mut found, Some(&href), &base, "linked by the page");
        }
    }
    found.truncate(MAX);
    found
}

fn add(found: &mut Vec<Candidate>, href: Option<&str>, base: &Url, why: &'static str) {
    let url = href.and_then(|href| link::absolute(href, Some(base))).and_then(|url| Url::parse(&url).ok());
    if let Some(url) = url.filter(|url| !found.iter().any(|known| known.url == *url)) {
        found.push(Candidate { url, why });
    }
}

/// Returns the well-known names to try if a page names no feed: in its folder, then at the root.
#[must_use]
pub fn well_known(page: &Url) -> Vec<Candidate> {
    let mut found = Vec::new();
    let root = page.join("/").unwrap_or_else(|_| page.clone());
    for base in [page, &root] {
        for name in WELL_KNOWN {
            add(&mut found, Some(name), base, "a usual name");
        }
    }
    found
}

/// Returns the sitemaps that robots.txt names, then the well-known ones.
#[must_use]
pub fn sitemaps(page: &Url, robots: &str) -> Vec<Candidate> {
    let mut found = Vec::new();
    for line in robots.lines().take(5_000) {
        if let Some((key, value)) = line.split_once(':')
            && key.trim().eq_ignore_ascii_case("sitemap")
        {
            add(&mut found, Some(value.trim()), page, "named by robots.txt");
        }
    }
    let root = page.join("/").unwrap_or_else(|_| page.clone());
    for name in SITEMAPS {
        add(&mut found, Some(name), &root, "a usual name");
    }
    found.truncate(MAX);
    found
}

/// Returns the id of a new source, and its config, ready to be saved as `<id>.toml`.
#[must_use]
pub fn config(url: &Url, title: &str, kind: Option<&str>) -> (String, String) {
    let host = url.host_str().unwrap_or("source");
    let name = called(title, host);
    let id = if name == host { host.replace('.', "-") } else { Slug::from_name(&name).to_string() };
    let file = config_as(&id, url, title, kind);
    (id, file)
}

/// Returns the config of a source with a given id.
#[must_use]
pub fn config_as(id: &str, url: &Url, title: &str, kind: Option<&str>) -> String {
    let mut file = format!(
        "[[source]]\nid = {}\nurl = {}\ncategory = {}\n",
        quoted(id),
        quoted(url.as_str()),
        quoted(&called(title, url.host_str().unwrap_or("source")))
    );
    if let Some(kind) = kind {
        let _ = writeln!(file, "kind = {}", quoted(kind));
    }
    file
}

fn called(title: &str, host: &str) -> String {
    let name = text::clip(&text::one_line(title), 60);
    if name.is_empty() { host.to_owned() } else { name }
}

/// Returns a TOML string; upstream text is always quoted.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_names() {
        let base = Url::parse("https://paper.example/a/b.html").unwrap();
        let html = "<head><link rel='alternate' type='application/rss+xml' href='/feed.xml'>\
                    <link rel=alternate type=application/json href='/wp-json/x'>\
                    <link rel='alternate' hreflang=en href='/en/'></head>\
                    <a href='news.rss'>RSS</a><a href='/feed.xml'>again</a><a href='javascript:x/rss'>no</a>";
        let urls: Vec<String> = named(html, &base).into_iter().map(|c| c.url.to_string()).collect();
        assert_eq!(urls, ["https://paper.example/feed.xml", "https://paper.example/a/news.rss"]);
        let based = named("<base href='https://other.example/x/'><a href='rss.xml'>r</a>", &base);
        assert_eq!(based[0].url.as_str(), "https://other.example/x/rss.xml");
    }

    #[test]
    fn names_worth_a_try() {
        let page = Url::parse("https://paper.example/blog/").unwrap();
        let urls: Vec<String> = well_known(&page).into_iter().map(|c| c.url.to_string()).collect();
        assert!(urls.contains(&"https://paper.example/blog/feed".to_owned()));
        assert!(urls.contains(&"https://paper.example/rss.xml".to_owned()));
        let maps = sitemaps(&page, "User-agent: *\nSitemap: https://paper.example/news.xml\n");
        assert_eq!(maps[0].url.as_str(), "https://paper.example/news.xml");
        assert_eq!(maps[0].why, "named by robots.txt");
    }

    #[test]
    fn config_is_ready_whatever_the_title_holds() {
        let url = Url::parse("https://paper.example/feed?a=1").unwrap();
        let (id, file) = config(&url, "西海\"都市报\"\n[x]", Some("sitemap"));
        let read: toml::Table = file.parse().unwrap();
        let source = &read["source"].as_array().unwrap()[0];
        assert_eq!(source["category"].as_str(), Some("西海\"都市报\" [x]"));
        assert_eq!(source["kind"].as_str(), Some("sitemap"));
        assert_eq!(source["id"].as_str(), Some(id.as_str()));
        assert_eq!(config(&url, "", None).0, "paper-example");
    }
}
