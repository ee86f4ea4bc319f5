//! Atom 1.0 (RFC 4287), written by the `atom_syndication` crate.

use std::collections::BTreeMap;

use atom_syndication::extension::{Extension, ExtensionMap};
use atom_syndication::{
    Category, Content, Entry, Feed, FixedDateTime, Generator, Link, Person, Text, WriteConfig,
};
use quick_xml::escape::escape;

use super::xml::{self, line, some_line};
use super::{OutputEntry, OutputFeed, RenderError};
use crate::model::{Author, Timestamp};

/// Declared whether used or not; the crate writes them as they are.
const NAMESPACES: [(&str, &str); 2] =
    [("dc", "http://purl.org/dc/elements/1.1/"), ("media", "http://search.yahoo.com/mrss/")];

/// The feed as Atom 1.0.
///
/// # Errors
/// [`RenderError::Atom`] should the crate's writer fail, which memory gives no reason for.
pub fn render(feed: &OutputFeed) -> Result<Vec<u8>, RenderError> {
    let entries: Vec<Entry> = feed.entries.iter().map(entry).collect();
    // RFC 4287, 4.1.1: an author of the feed, unless every entry has its own.
    let anonymous = entries.is_empty() || entries.iter().any(|entry| entry.authors.is_empty());
    let publisher = some_line(&feed.title).filter(|_| anonymous);
    let document = Feed {
        title: Text::plain(line(&feed.title)),
        id: line(&feed.id),
        updated: moment(feed.updated),
        authors: publisher.map(|name| Person { name, ..Person::default() }).into_iter().collect(),
        generator: Some(Generator { value: "feedmill".to_owned(), ..Generator::default() }),
        links: vec![
            link("alternate", line(&feed.page_url), Some("text/html")),
            link("self", line(&feed.atom_url), Some("application/atom+xml")),
        ],
        subtitle: some_line(&feed.description).map(Text::plain),
        entries,
        namespaces: NAMESPACES.iter().map(|(prefix, uri)| ((*prefix).into(), (*uri).into())).collect(),
        lang: some_line(&feed.language),
        ..Feed::default()
    };
    let config = WriteConfig { write_document_declaration: false, indent_size: Some(1) };
    let written = document.write_with_config(Vec::new(), config)?;
    Ok(xml::document(&feed.css_url, &zulu(&String::from_utf8_lossy(&written))))
}

/// There is no `atom:source`: the crate would write an `id` and an `updated` into it, and of
/// the newspaper's own feed neither is known here (RFC 4287, 4.2.11 wants them preserved, not
/// made up). The newspaper stands in `dc:publisher` as in RSS.
fn entry(entry: &OutputEntry) -> Entry {
    let lang = entry.language.as_deref().and_then(some_line);
    let text = |value: String| Text { lang: lang.clone(), ..Text::plain(value) };
    let mut links: Vec<Link> =
        some_line(&entry.link).map(|href| link("alternate", href, None)).into_iter().collect();
    links.extend(xml::files(entry).map(|(href, file)| Link {
        length: file.length.map(|length| length.to_string()),
        ..link("enclosure", href, Some(&xml::media_type(file)))
    }));
    Entry {
        title: text(xml::headline(entry)),
        id: line(&entry.id),
        updated: moment(entry.updated),
        published: Some(moment(entry.published)),
        authors: entry.authors.iter().filter_map(person).collect(),
        categories: xml::labels(entry).map(|term| Category { term, ..Category::default() }).collect(),
        links,
        summary: some_line(&entry.summary).map(text),
        content: xml::html(entry).map(|html| Content {
            content_type: Some("html".to_owned()),
            lang: lang.clone(),
            value: Some(html),
            ..Content::default()
        }),
        extensions: extensions(entry),
        ..Entry::default()
    }
}

fn person(author: &Author) -> Option<Person> {
    Some(Person {
        name: xml::author_name(author)?,
        email: xml::author_email(author),
        uri: author.uri.as_deref().and_then(some_line),
        ..Person::default()
    })
}

fn link(rel: &str, href: String, media_type: Option<&str>) -> Link {
    Link { href, rel: rel.to_owned(), mime_type: media_type.map(str::to_owned), ..Link::default() }
}

fn extensions(entry: &OutputEntry) -> ExtensionMap {
    let mut map = ExtensionMap::new();
    let mut add = |prefix: &str, name: &str, value: String, attrs: BTreeMap<String, String>| {
        let qualified = format!("{prefix}:{name}");
        // A value, if an empty one, keeps the indenting writer from breaking the line inside.
        let element = Extension { name: qualified, value: Some(value), attrs, ..Extension::default() };
        map.entry(prefix.to_owned()).or_default().insert(name.to_owned(), vec![element]);
    };
    if let Some(name) = entry.source_name.as_deref().and_then(some_line) {
        add("dc", "publisher", name, BTreeMap::new());
    }
    if let Some(url) = entry.image.as_deref().and_then(some_line) {
        // Unlike the `rss` crate this one writes attributes of extensions without escaping.
        let url = escape(url).into_owned();
        add("media", "thumbnail", String::new(), [("url".to_owned(), url)].into());
    }
    map
}

fn moment(at: Timestamp) -> FixedDateTime {
    at.to_utc().fixed_offset()
}

/// The crate writes UTC as `+00:00`; the house, and RFC 4287's own examples, write `Z`. No
/// text can hold these tags, for every `<` of a text is escaped.
fn zulu(written: &str) -> String {
    written.replace("+00:00</updated>", "Z</updated>").replace("+00:00</published>", "Z</published>")
}
