//! Choices that all writers share (one title, one name, one media type), as text without characters that
//! XML 1.0 forbids.
//!
//! JSON could contain more than XML; it gets the same text, so that an entry has one id and one title in all
//! formats (RULES 3.3).

use std::borrow::Cow;

use super::line::{line, some_line};
use super::markup::{Attribute, Markup};
use super::{OutputEntry, OutputFeed, signs};
use crate::model::text::{clip, is_xml_char};
use crate::model::{Author, Enclosure};

/// The most characters of text that replace a missing title (RULES 1.9).
const TITLE_CHARS: usize = 60;

/// Media type of a file of unknown type (RFC 2046, 4.5.1).
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// Media types by file extension, for files whose source states none.
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

/// A format's own writer failed. They all write to memory, so this is not expected ever to happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// An error of `serde_json`.
    #[error("the JSON Feed cannot be written")]
    Json(#[from] serde_json::Error),
}

/// Returns the first text, or the other if it is blank.
pub(super) fn or<'a>(text: &'a str, other: &'a str) -> &'a str {
    if text.trim().is_empty() { other } else { text }
}

/// Returns HTML without characters that XML forbids, and with the line ends to which an XML reader normalizes
/// (section 2.11), so that CDATA, text and JSON give the same.
pub(super) fn block(html: &str) -> Cow<'_, str> {
    signs::legal(html)
}

/// Returns whether a text has a visible character that XML allows.
fn shows(text: &str) -> bool {
    text.chars().any(|c| is_xml_char(c) && !c.is_whitespace())
}

/// Returns an entry's HTML if any of it is visible; writers adapt it to their format.
pub(super) fn html(entry: &OutputEntry) -> Option<&str> {
    entry.html.as_deref().filter(|html| shows(html))
}

/// Returns an entry's title, or else the beginning of its summary, or else the link. Atom requires a title
/// (RFC 4287, 4.1.2), and some RSS readers show nothing else.
pub(super) fn headline(entry: &OutputEntry) -> Cow<'_, str> {
    some_line(&entry.title)
        .or_else(|| some_line(&entry.summary).map(|text| clip(&text, TITLE_CHARS).into()))
        .unwrap_or_else(|| line(&entry.link))
}

/// Returns the name that is shown for an author, or else the e-mail address.
pub(super) fn author_name(author: &Author) -> Option<Cow<'_, str>> {
    some_line(&author.name).or_else(|| author_email(author))
}

/// Returns an author's e-mail address if it is valid (RFC 4287, 3.2.3, narrowed to common addresses).
pub(super) fn author_email(author: &Author) -> Option<Cow<'_, str>> {
    let email = some_line(author.email.as_deref()?)?;
    let (user, host) = email.split_once('@')?;
    let part = |text: &str, more: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    let named = part(host, "-.") && host.contains('.') && !host.starts_with('.') && !host.ends_with('.');
    (part(user, "!#$%'*+-/=?^_`{|}~.") && named).then_some(email)
}

/// Returns the labels of an entry that are not empty.
pub(super) fn labels(entry: &OutputEntry) -> impl Iterator<Item = &str> {
    entry.categories.iter().map(String::as_str).filter(|name| shows(name))
}

/// Returns the enclosures of an entry that have an address, with that.
pub(super) fn files(entry: &OutputEntry) -> impl Iterator<Item = (&str, &Enclosure)> {
    entry.enclosures.iter().map(|file| (file.url.trim(), file)).filter(|(url, _)| !url.is_empty())
}

/// Returns the media type of a file: the stated one if it is valid, else by the address's extension, else the
/// general one. RSS 2.0 (`enclosure`) and JSON Feed (`mime_type`) require one, and RFC 4287, 4.2.7.3 allows
/// no other form.
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

/// Writes `dc:publisher`: the newspaper that the article names.
pub(super) fn publisher(out: &mut Markup, entry: &OutputEntry) {
    if let Some(name) = entry.source_name.as_deref().filter(|name| !name.trim().is_empty()) {
        out.line("dc:publisher", &[], name);
    }
}

/// Writes Media RSS: the picture and every file as `media:content`, the picture also as thumbnail, since
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

/// Estimates the size of a document, in bytes.
pub(super) fn capacity(feed: &OutputFeed) -> usize {
    let text = |entry: &OutputEntry| entry.html.as_ref().map_or(0, String::len) + entry.summary.len() + 1_000;
    2_000 + feed.entries.iter().map(text).sum::<usize>() * 9 / 8
}
