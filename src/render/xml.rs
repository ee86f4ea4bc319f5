//! What every writer shares: the choices that all formats must make alike (one title, one name,
//! one media type), of text made fit for XML 1.0.
//!
//! JSON could carry more than XML; it gets the same text, so that an entry has one id and one
//! title in all formats (RULES 3.3).

use std::borrow::Cow;

use super::line::{line, some_line};
use super::markup::{Attribute, Markup};
use super::{OutputEntry, OutputFeed, signs};
use crate::model::text::{clip, is_xml_char};
use crate::model::{Author, Enclosure};

/// Characters of the text that stand for a missing title (RULES 1.9).
const TITLE_CHARS: usize = 60;

/// Media type of a file about which nothing is known (RFC 2046, 4.5.1).
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// Media types that the ends of addresses tell, for files whose source states none.
const ENDINGS: [(&str, &str); 12] = [
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("avif", "image/avif"),
    ("svg", "image/svg+xml"),
    ("mp3", "audio/mpeg"),
    ("m4a", "audio/mp4"),
    ("ogg", "audio/ogg"),
    ("mp4", "video/mp4"),
    ("pdf", "application/pdf"),
];

/// A format's own writer gave up. They all write into memory, which takes every byte, so this
/// is not expected ever to happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// From `serde_json`.
    #[error("the JSON Feed cannot be written")]
    Json(#[from] serde_json::Error),
}

/// The first of two that says something.
pub(super) fn or<'a>(text: &'a str, other: &'a str) -> &'a str {
    if text.trim().is_empty() { other } else { text }
}

/// HTML: carried by XML, with the line ends that an XML reader makes of all others anyway
/// (section 2.11), so that CDATA, text and JSON give the same.
pub(super) fn block(html: &str) -> Cow<'_, str> {
    signs::legal(html)
}

/// Whether XML can carry anything of it that is seen.
fn shows(text: &str) -> bool {
    text.chars().any(|c| is_xml_char(c) && !c.is_whitespace())
}

/// An entry's HTML, where it has any; writers make it fit for their format.
pub(super) fn html(entry: &OutputEntry) -> Option<&str> {
    entry.html.as_deref().filter(|html| shows(html))
}

/// An entry's title. Atom wants one (RFC 4287, 4.1.2) and RSS readers show nothing else, so
/// the beginning of the text stands in for it, at worst the link.
pub(super) fn headline(entry: &OutputEntry) -> Cow<'_, str> {
    some_line(&entry.title)
        .or_else(|| some_line(&entry.summary).map(|text| clip(&text, TITLE_CHARS).into()))
        .unwrap_or_else(|| line(&entry.link))
}

/// The name that is shown for an author: the address where the name is missing.
pub(super) fn author_name(author: &Author) -> Option<Cow<'_, str>> {
    some_line(&author.name).or_else(|| author_email(author))
}

/// An author's address, if it has the form of one (RFC 4287, 3.2.3, narrowed to what mail knows).
pub(super) fn author_email(author: &Author) -> Option<Cow<'_, str>> {
    let email = some_line(author.email.as_deref()?)?;
    let (user, host) = email.split_once('@')?;
    let part = |text: &str, more: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    let named = part(host, "-.") && host.contains('.') && !host.starts_with('.') && !host.ends_with('.');
    (part(user, "!#$%'*+-/=?^_`{|}~.") && named).then_some(email)
}

/// The labels of an entry that are not empty.
pub(super) fn labels(entry: &OutputEntry) -> impl Iterator<Item = &str> {
    entry.categories.iter().map(String::as_str).filter(|name| shows(name))
}

/// The files of an entry that have an address, with it.
pub(super) fn files(entry: &OutputEntry) -> impl Iterator<Item = (&str, &Enclosure)> {
    entry.enclosures.iter().map(|file| (file.url.trim(), file)).filter(|(url, _)| !url.is_empty())
}

/// The media type of a file: as stated if it has the form of one, else what its address tells,
/// else the general one. RSS 2.0 (`enclosure`) and JSON Feed (`mime_type`) cannot do without, and
/// RFC 4287, 4.2.7.3 wants no other form.
#[must_use]
pub fn media_type(file: &Enclosure) -> &str {
    let token = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b))
    };
    let stated = file.media_type.as_deref().map(str::trim);
    let stated = stated.filter(|t| t.split_once('/').is_some_and(|(top, sub)| token(top) && token(sub)));
    stated.or_else(|| by_ending(&file.url)).unwrap_or(UNKNOWN_TYPE)
}

fn by_ending(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next()?;
    let (_, ending) = path.rsplit('/').next()?.rsplit_once('.')?;
    ENDINGS.iter().find(|(known, _)| ending.eq_ignore_ascii_case(known)).map(|(_, media_type)| *media_type)
}

/// `dc:publisher`: the newspaper that the article names.
pub(super) fn publisher(out: &mut Markup, entry: &OutputEntry) {
    if let Some(name) = entry.source_name.as_deref().filter(|name| !name.trim().is_empty()) {
        out.line("dc:publisher", &[], name);
    }
}

/// Media RSS: the picture and every file as `media:content`, the picture also as thumbnail;
/// readers look for either.
pub(super) fn media(out: &mut Markup, entry: &OutputEntry) {
    let image = entry.image.as_deref().map(str::trim).filter(|url| !url.is_empty());
    if let Some(url) = image
        && files(entry).all(|(file, _)| file != url)
    {
        let media_type = by_ending(url);
        let mut attributes: Vec<Attribute<'_>> = vec![("url", url)];
        attributes.extend(media_type.map(|media_type| ("type", media_type)));
        attributes.push(("medium", "image"));
        out.empty("media:content", &attributes);
    }
    for (url, file) in files(entry) {
        let (media_type, length) = (media_type(file), file.length.map(|length| length.to_string()));
        let medium = ["image", "audio", "video"]
            .into_iter()
            .find(|top| media_type.split_once('/').is_some_and(|(own, _)| own.eq_ignore_ascii_case(top)))
            .or((image == Some(url)).then_some("image"));
        let mut attributes: Vec<Attribute<'_>> = vec![("url", url), ("type", media_type)];
        attributes.extend(length.as_deref().map(|length| ("fileSize", length)));
        attributes.extend(medium.map(|medium| ("medium", medium)));
        out.empty("media:content", &attributes);
    }
    if let Some(url) = image {
        out.empty("media:thumbnail", &[("url", url)]);
    }
}

/// About how large a document becomes, in bytes.
pub(super) fn capacity(feed: &OutputFeed) -> usize {
    let text = |entry: &OutputEntry| entry.html.as_ref().map_or(0, String::len) + entry.summary.len() + 1_000;
    2_000 + feed.entries.iter().map(text).sum::<usize>() * 9 / 8
}
