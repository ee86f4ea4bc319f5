//! Writes RSS 2.0 by the RSS profile of the RSS Advisory Board.

use std::borrow::Cow;

use quick_xml::escape::partial_escape;

use super::line::{line, some_line};
use super::markup::{Attribute, Markup};
use super::{OutputEntry, OutputFeed, xml};

/// The root's attributes; namespaces are declared whether used or not, so that the first line is always the
/// same.
const ROOT: [Attribute<'static>; 5] = [
    ("version", "2.0"),
    ("xmlns:atom", "http://www.w3.org/2005/Atom"),
    ("xmlns:content", "http://purl.org/rss/1.0/modules/content/"),
    ("xmlns:dc", "http://purl.org/dc/elements/1.1/"),
    ("xmlns:media", "http://search.yahoo.com/mrss/"),
];

/// Renders the window of the feed as RSS 2.0.
#[must_use]
pub fn render(feed: &OutputFeed) -> Vec<u8> {
    let mut out = Markup::document(&feed.css_url, xml::capacity(feed));
    out.open("rss", &ROOT);
    out.open("channel", &[]);
    out.line("title", &[], &unmistakable(&line(&feed.title)));
    out.line("link", &[], &feed.page_url);
    out.line("description", &[], &unmistakable(&line(xml::or(&feed.description, &feed.title))));
    out.empty("atom:link", &[("rel", "self"), ("type", "application/rss+xml"), ("href", &feed.rss_url)]);
    if let Some(language) = some_line(&feed.language) {
        out.line("language", &[], &language);
    }
    if let Some(rights) = feed.rights.as_deref() {
        out.line("copyright", &[], &unmistakable(&line(rights)));
    }
    out.line("lastBuildDate", &[], &feed.updated.rfc822());
    out.line("generator", &[], "feedmill");
    if feed.ttl_minutes > 0 {
        out.line("ttl", &[], &feed.ttl_minutes.to_string());
    }
    for entry in feed.entries.iter().filter(|entry| entry.in_window) {
        item(&mut out, entry);
    }
    out.finish()
}

/// Writes an item. Names are in `dc:creator`, since `author` takes e-mail addresses, and readers are confused
/// by both together.
fn item(out: &mut Markup, entry: &OutputEntry) {
    out.open("item", &[]);
    out.line("title", &[], &unmistakable(&xml::headline(entry)));
    if !entry.link.trim().is_empty() {
        out.line("link", &[], &entry.link);
    }
    // By the specification a description is HTML, so plain text is escaped once for it.
    if let Some(summary) = some_line(&entry.summary) {
        out.line("description", &[], &partial_escape(&*summary));
    }
    for author in &entry.authors {
        if let Some(name) = xml::author_name(author) {
            out.line("dc:creator", &[], &name);
        }
    }
    for label in xml::labels(entry) {
        out.line("category", &[], label);
    }
    // The profile allows one enclosure in an item, with a length of 0 if unknown. One that plays is preferred,
    // since podcast players look for it.
    let plays = |file| ["audio/", "video/"].iter().any(|top| xml::media_type(file).starts_with(top));
    let played = xml::files(entry).find(|(_, file)| plays(file));
    if let Some((url, file)) = played.or_else(|| xml::files(entry).next()) {
        let length = file.length.unwrap_or(0).to_string();
        out.empty("enclosure", &[("url", url), ("length", &length), ("type", xml::media_type(file))]);
    }
    out.line("guid", &[("isPermaLink", "false")], &entry.id);
    out.line("pubDate", &[], &entry.published.rfc822());
    if let Some((source, url)) = entry.source.as_ref().and_then(|s| Some((s, s.feed_url.as_deref()?))) {
        out.line("source", &[("url", url)], &source.title);
    }
    if let Some(html) = xml::html(entry) {
        out.cdata("content:encoded", html);
    }
    xml::publisher(out, entry);
    if let Some(language) = entry.language.as_deref().and_then(some_line) {
        out.line("dc:language", &[], &language);
    }
    if let Some(rights) = entry.rights.as_deref() {
        out.line("dc:rights", &[], rights);
    }
    xml::media(out, entry);
    out.close();
}
/// Escapes a title that looks like HTML. RSS does not define whether a title is text or HTML, and readers
/// guess; all other text is the same either way and stays as it is.
fn unmistakable(text: &str) -> Cow<'_, str> {
    let tag = text.match_indices('<').any(|(at, _)| {
        text[at + 1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'))
    });
    let reference = text.match_indices('&').any(|(at, _)| {
        text[at + 1..].split_once(';').is_some_and(|(name, _)| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'#')
        })
    });
    if tag || reference { partial_escape(text) } else { Cow::Borrowed(text) }
}
