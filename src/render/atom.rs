//! Writes Atom 1.0 (RFC 4287) with archives (RFC 5005) and deleted entries (RFC 6721).

use std::borrow::Cow;

use super::line::some_line;
use super::markup::{Attribute, Markup};
use super::{OutputEntry, OutputFeed, OutputSource, xml};
use crate::model::Author;

/// The namespaces, declared whether used or not, so that the first line is the same for all entries.
const NAMESPACES: [Attribute<'static>; 5] = [
    ("xmlns", "http://www.w3.org/2005/Atom"),
    ("xmlns:at", "http://purl.org/atompub/tombstones/1.0"),
    ("xmlns:dc", "http://purl.org/dc/elements/1.1/"),
    ("xmlns:fh", "http://purl.org/syndication/history/1.0"),
    ("xmlns:media", "http://search.yahoo.com/mrss/"),
];

/// Renders the feed as Atom 1.0.
#[must_use]
pub fn render(feed: &OutputFeed) -> Vec<u8> {
    let mut out = Markup::document(&feed.css_url, xml::capacity(feed));
    let lang = some_line(&feed.language);
    let attributes: Vec<Attribute<'_>> =
        NAMESPACES.into_iter().chain(lang.as_deref().map(|lang| ("xml:lang", lang))).collect();
    out.open("feed", &attributes);
    out.line("id", &[], &feed.id);
    out.line("title", &[], &feed.title);
    if !feed.description.trim().is_empty() {
        out.line("subtitle", &[], &feed.description);
    }
    out.line("updated", &[], &feed.updated.rfc3339());
    // RFC 4287, 4.1.1: the feed must have an author unless every entry has one.
    if feed.entries.is_empty() || feed.entries.iter().any(|entry| names(entry).next().is_none()) {
        out.open("author", &[]);
        out.line("name", &[], xml::or(&feed.title, "feedmill"));
        out.close();
    }
    out.empty("link", &[("rel", "alternate"), ("type", "text/html"), ("href", &feed.page_url)]);
    link(&mut out, "self", Some(&feed.atom_url));
    history(&mut out, feed);
    if let Some(rights) = feed.rights.as_deref() {
        out.line("rights", &[], rights);
    }
    out.line("generator", &[], "feedmill");
    for gone in &feed.gone {
        out.empty("at:deleted-entry", &[("ref", &gone.id), ("when", &gone.at.rfc3339())]);
    }
    for entry in &feed.entries {
        write(&mut out, entry);
    }
    out.finish()
}

/// Writes the archive links (RFC 5005, 4). An archive does not link to the next one, since it must not change
/// when that appears.
fn history(out: &mut Markup, feed: &OutputFeed) {
    if let Some(current) = feed.history.current.as_deref() {
        out.empty("fh:archive", &[]);
        link(out, "current", Some(current));
    }
    link(out, "prev-archive", feed.history.earlier_atom.as_deref());
}

fn link(out: &mut Markup, rel: &str, href: Option<&str>) {
    if let Some(href) = href {
        out.empty("link", &[("rel", rel), ("type", "application/atom+xml"), ("href", href)]);
    }
}

fn write(out: &mut Markup, entry: &OutputEntry) {
    let lang = entry.language.as_deref().and_then(some_line);
    let lang: Vec<Attribute<'_>> = lang.as_deref().map(|lang| ("xml:lang", lang)).into_iter().collect();
    out.open("entry", &lang);
    out.line("id", &[], &entry.id);
    out.line("title", &[], &xml::headline(entry));
    if !entry.link.trim().is_empty() {
        out.empty("link", &[("rel", "alternate"), ("href", &entry.link)]);
    }
    for (url, file) in xml::files(entry) {
        let length = file.length.map(|length| length.to_string());
        let media_type = xml::media_type(file);
        let mut attributes = vec![("rel", "enclosure"), ("type", media_type)];
        attributes.extend(length.as_deref().map(|length| ("length", length)));
        attributes.push(("href", url));
        out.empty("link", &attributes);
    }
    out.line("published", &[], &entry.published.rfc3339());
    out.line("updated", &[], &entry.updated.rfc3339());
    for (author, name) in names(entry) {
        person(out, author, &name);
    }
    for label in xml::labels(entry) {
        out.empty("category", &[("term", label)]);
    }
    if let Some(source) = &entry.source {
        origin(out, source);
    }
    if let Some(rights) = entry.rights.as_deref() {
        out.line("rights", &[], rights);
    }
    if !entry.summary.trim().is_empty() {
        out.line("summary", &[], &entry.summary);
    }
    if let Some(html) = xml::html(entry) {
        out.text("content", &[("type", "html")], html);
    }
    xml::publisher(out, entry);
    xml::media(out, entry);
    out.close();
}

/// Writes the feed that the entry comes from (RFC 4287, 4.2.11). Its `updated` is left out, since the time of
/// the newspaper's own feed is not known.
fn origin(out: &mut Markup, source: &OutputSource) {
    out.open("source", &[]);
    if let Some(url) = source.feed_url.as_deref() {
        out.line("id", &[], url);
    }
    out.line("title", &[], &source.title);
    if let Some(url) = source.feed_url.as_deref() {
        out.empty("link", &[("rel", "self"), ("href", url)]);
    }
    if let Some(url) = source.page_url.as_deref() {
        out.empty("link", &[("rel", "alternate"), ("href", url)]);
    }
    out.close();
}

fn names(entry: &OutputEntry) -> impl Iterator<Item = (&Author, Cow<'_, str>)> {
    entry.authors.iter().filter_map(|author| Some((author, xml::author_name(author)?)))
}

fn person(out: &mut Markup, author: &Author, name: &str) {
    out.open("author", &[]);
    out.line("name", &[], name);
    if let Some(uri) = author.uri.as_deref().filter(|uri| !uri.trim().is_empty()) {
        out.line("uri", &[], uri);
    }
    if let Some(email) = xml::author_email(author) {
        out.line("email", &[], &email);
    }
    out.close();
}
