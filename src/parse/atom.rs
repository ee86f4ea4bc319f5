//! Atom 1.0 (RFC 4287), read by the `atom_syndication` crate.

use atom_syndication::{Content, Feed, Link, Person, Text, TextType};
use url::Url;

use super::{Context, ParseError, link, text};
use crate::model::{Author, Document, Enclosure, Entry, Timestamp};

/// Reads an Atom document (UTF-8, no XML declaration).
///
/// # Errors
/// [`ParseError::Broken`] with the crate's reason.
pub fn parse(xml: &str, context: &Context) -> Result<Document, ParseError> {
    let feed = Feed::read_from(xml.as_bytes())
        .map_err(|error| ParseError::Broken { format: "Atom", detail: error.to_string() })?;
    let base = based(context.base.as_ref(), feed.base.as_deref());
    let feed_authors: Vec<Author> = feed.authors.into_iter().map(author).collect();
    let entries = feed.entries.into_iter().map(|e| entry(e, base.as_ref(), &feed_authors)).collect();
    Ok(Document {
        format: "atom".to_owned(),
        title: plain(&feed.title),
        link: alternate(&feed.links, base.as_ref()),
        language: feed.lang,
        id: Some(feed.id.trim().to_owned()).filter(|id| !id.is_empty()),
        subtitle: feed.subtitle.as_ref().map(plain).filter(|s| !s.is_empty()),
        updated: moment(feed.updated.timestamp()),
        authors: feed_authors,
        entries,
        ..Document::default()
    })
}

fn entry(entry: atom_syndication::Entry, base: Option<&Url>, feed_authors: &[Author]) -> Entry {
    let mut authors: Vec<Author> = entry.authors.into_iter().map(author).collect();
    if authors.is_empty() {
        authors = feed_authors.to_vec();
    }
    Entry {
        guid: Some(entry.id.trim().to_owned()).filter(|id| !id.is_empty()),
        title: plain(&entry.title),
        link: alternate(&entry.links, base),
        published: entry.published.and_then(|at| moment(at.timestamp())),
        updated: moment(entry.updated.timestamp()),
        authors,
        categories: entry
            .categories
            .into_iter()
            .map(|c| text::title(c.label.as_deref().unwrap_or(&c.term)))
            .filter(|name| !name.is_empty())
            .collect(),
        summary: entry.summary.as_ref().map(markup).filter(|s| !s.is_empty()),
        content: entry.content.as_ref().and_then(content_markup),
        enclosures: entry
            .links
            .iter()
            .filter(|l| l.rel == "enclosure")
            .filter_map(|l| {
                Some(Enclosure {
                    url: link::absolute(&l.href, base)?,
                    media_type: l.mime_type.clone(),
                    length: l.length.as_deref().and_then(|n| n.parse().ok()),
                })
            })
            .collect(),
        ..Entry::default()
    }
}

fn based(base: Option<&Url>, own: Option<&str>) -> Option<Url> {
    match (base, own) {
        (Some(base), Some(own)) => base.join(own).ok(),
        (None, Some(own)) => Url::parse(own).ok(),
        (base, None) => base.cloned(),
    }
}

/// `rel=alternate`, web pages before other types; RFC 4287, 4.2.7.2.
fn alternate(links: &[Link], base: Option<&Url>) -> Option<String> {
    let candidates = || links.iter().filter(|l| l.rel == "alternate" || l.rel.is_empty());
    candidates()
        .find(|l| l.mime_type.as_deref().is_none_or(|t| t.contains("html")))
        .or_else(|| candidates().next())
        .and_then(|l| link::absolute(&l.href, base))
}

fn author(person: Person) -> Author {
    Author { name: text::one_line(&person.name), email: person.email, uri: person.uri }
}

fn moment(seconds: i64) -> Option<Timestamp> {
    (0..=Timestamp::MAX.unix()).contains(&seconds).then(|| Timestamp::from_unix(seconds))
}

fn plain(construct: &Text) -> String {
    match construct.r#type {
        TextType::Text => text::one_line(&construct.value),
        TextType::Html | TextType::Xhtml => text::html_to_text(&construct.value),
    }
}

fn markup(construct: &Text) -> String {
    match construct.r#type {
        TextType::Text => text::escape(construct.value.trim()),
        TextType::Html | TextType::Xhtml => construct.value.trim().to_owned(),
    }
}

fn content_markup(content: &Content) -> Option<String> {
    let value = content.value.as_deref()?.trim();
    let html = match content.content_type.as_deref() {
        None | Some("text" | "text/plain") => text::escape(value),
        Some(_) => value.to_owned(),
    };
    Some(html).filter(|html| !html.is_empty())
}
