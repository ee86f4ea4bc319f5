//! RSS 2.0 as the RSS profile has it, written by the `rss` crate.

use std::borrow::Cow;
use std::collections::BTreeMap;

use quick_xml::escape::partial_escape;
use rss::extension::atom::{AtomExtension, Link};
use rss::extension::dublincore::DublinCoreExtension;
use rss::extension::{Extension, ExtensionMap};
use rss::{Category, Channel, Guid, Item};

use super::xml::{self, line, some_line};
use super::{OutputEntry, OutputFeed, RenderError};

/// Declared whether used or not, so that one entry more changes nothing in the first line.
const NAMESPACES: [(&str, &str); 4] = [
    ("atom", "http://www.w3.org/2005/Atom"),
    ("content", "http://purl.org/rss/1.0/modules/content/"),
    ("dc", "http://purl.org/dc/elements/1.1/"),
    ("media", "http://search.yahoo.com/mrss/"),
];

/// The feed as RSS 2.0.
///
/// # Errors
/// [`RenderError::Rss`] should the crate's writer fail, which memory gives no reason for.
pub fn render(feed: &OutputFeed) -> Result<Vec<u8>, RenderError> {
    let own = Link {
        href: line(&feed.rss_url),
        rel: "self".to_owned(),
        mime_type: Some("application/rss+xml".to_owned()),
        ..Link::default()
    };
    let channel = Channel {
        title: unmistakable(&line(&feed.title)).into_owned(),
        link: line(&feed.page_url),
        description: unmistakable(&line(&feed.description)).into_owned(),
        language: some_line(&feed.language),
        last_build_date: Some(feed.updated.rfc822()),
        generator: Some("feedmill".to_owned()),
        atom_ext: Some(AtomExtension { links: vec![own] }),
        namespaces: NAMESPACES.iter().map(|(prefix, uri)| ((*prefix).into(), (*uri).into())).collect(),
        items: feed.entries.iter().map(item).collect(),
        ..Channel::default()
    };
    let written = channel.pretty_write_to(Vec::new(), b' ', 1)?;
    Ok(xml::document(&feed.css_url, &String::from_utf8_lossy(&written)))
}

fn item(entry: &OutputEntry) -> Item {
    // The profile: one enclosure an item, a length of 0 where it is not known.
    let enclosure = xml::files(entry).next().map(|(url, file)| rss::Enclosure {
        url,
        length: file.length.unwrap_or(0).to_string(),
        mime_type: xml::media_type(file),
    });
    Item {
        title: Some(unmistakable(&xml::headline(entry)).into_owned()),
        link: some_line(&entry.link),
        // By the specification a description is HTML, so plain text is escaped once for it.
        description: some_line(&entry.summary).map(|text| partial_escape(text).into_owned()),
        author: entry.authors.iter().find_map(|author| {
            let email = xml::author_email(author)?;
            Some(some_line(&author.name).map_or_else(|| email.clone(), |name| format!("{email} ({name})")))
        }),
        categories: xml::labels(entry).map(Category::from).collect(),
        enclosure,
        guid: Some(Guid { value: line(&entry.id), permalink: false }),
        pub_date: Some(entry.published.rfc822()),
        content: xml::html(entry),
        extensions: media(entry),
        dublin_core_ext: dublin_core(entry),
        ..Item::default()
    }
}

/// Names in `dc:creator`, for `author` takes addresses. The newspaper in `dc:publisher`:
/// `source` cannot do without the address of a feed, and only the name is known here.
fn dublin_core(entry: &OutputEntry) -> Option<DublinCoreExtension> {
    let dc = DublinCoreExtension {
        creators: entry.authors.iter().filter_map(|author| some_line(&author.name)).collect(),
        publishers: entry.source_name.as_deref().and_then(some_line).into_iter().collect(),
        languages: entry.language.as_deref().and_then(some_line).into_iter().collect(),
        ..DublinCoreExtension::default()
    };
    (dc != DublinCoreExtension::default()).then_some(dc)
}

/// Media RSS: every file and the picture as `media:content`, the picture also as thumbnail.
fn media(entry: &OutputEntry) -> ExtensionMap {
    let image = entry.image.as_deref().and_then(some_line);
    let mut contents: Vec<Extension> = Vec::new();
    if let Some(url) = &image
        && xml::files(entry).all(|(file, _)| file != *url)
    {
        contents.push(element("media:content", [("url", url.clone()), ("medium", "image".to_owned())]));
    }
    contents.extend(xml::files(entry).map(|(url, file)| {
        let media_type = xml::media_type(file);
        let medium = ["image", "audio", "video"]
            .into_iter()
            .find(|top| media_type.split_once('/').is_some_and(|(own, _)| own.eq_ignore_ascii_case(top)))
            .or_else(|| (image.as_ref() == Some(&url)).then_some("image"));
        let size = file.length.map(|length| ("fileSize", length.to_string()));
        let medium = medium.map(|medium| ("medium", medium.to_owned()));
        let attrs = [("url", url), ("type", media_type)].into_iter().chain(size).chain(medium);
        element("media:content", attrs)
    }));
    let thumbnails: Vec<Extension> =
        image.map(|url| element("media:thumbnail", [("url", url)])).into_iter().collect();
    let elements: BTreeMap<String, Vec<Extension>> = [("content", contents), ("thumbnail", thumbnails)]
        .into_iter()
        .filter(|(_, found)| !found.is_empty())
        .map(|(name, found)| (name.to_owned(), found))
        .collect();
    if elements.is_empty() { ExtensionMap::new() } else { [("media".to_owned(), elements)].into() }
}

fn element(name: &str, attrs: impl IntoIterator<Item = (&'static str, String)>) -> Extension {
    Extension {
        name: name.to_owned(),
        // Empty text keeps the indenting writer from breaking the line inside.
        value: Some(String::new()),
        attrs: attrs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        ..Extension::default()
    }
}

/// RSS does not say whether a title is text or HTML, and readers guess by what it looks like.
/// Text that looks like HTML is therefore written as HTML that shows it; all other text is
/// the same either way and stays.
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
