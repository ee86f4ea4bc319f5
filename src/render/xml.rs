//! What every writer shares: text made fit for XML 1.0, the prolog, and the choices that all
//! formats must make alike (one title, one name, one media type).
//!
//! JSON could carry more than XML; it gets the same text, so that an entry has one id and one
//! title in all formats (RULES 3.3).

use quick_xml::escape::escape;

use super::OutputEntry;
use crate::model::text::{clip, one_line, strip_illegal};
use crate::model::{Author, Enclosure};

/// Characters of the text that stand for a missing title (RULES 1.9).
const TITLE_CHARS: usize = 60;

/// Media type of a file about which nothing is known (RFC 2046, 4.5.1).
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// A format's own writer gave up. They all write into memory, which takes every byte, so this
/// is not expected ever to happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// From the `rss` crate.
    #[error("the RSS document cannot be written")]
    Rss(#[from] rss::Error),
    /// From the `atom_syndication` crate.
    #[error("the Atom document cannot be written")]
    Atom(#[from] atom_syndication::Error),
    /// From `serde_json`.
    #[error("the JSON Feed cannot be written")]
    Json(#[from] serde_json::Error),
    /// From `quick-xml`.
    #[error("the OPML document cannot be written")]
    Opml(#[from] std::io::Error),
}

/// Plain text, an id or an address: carried by XML, on one line. White space is collapsed
/// here because XML would do so in attributes (section 3.3.3), and readers do it elsewhere.
pub(super) fn line(text: &str) -> String {
    one_line(&strip_illegal(text))
}

/// [`line()`], `None` where nothing is left: missing fields make no elements.
pub(super) fn some_line(text: &str) -> Option<String> {
    Some(line(text)).filter(|text| !text.is_empty())
}

/// HTML: carried by XML, with the line ends that an XML reader makes of all others anyway
/// (section 2.11), so that CDATA, text and JSON give the same.
pub(super) fn block(html: &str) -> String {
    strip_illegal(html).replace("\r\n", "\n").replace('\r', "\n")
}

/// An entry's HTML, where it has any.
pub(super) fn html(entry: &OutputEntry) -> Option<String> {
    entry.html.as_deref().map(block).filter(|html| !html.trim().is_empty())
}

/// An entry's title. Atom wants one (RFC 4287, 4.1.2) and RSS readers show nothing else, so
/// the beginning of the text stands in for it, at worst the link.
pub(super) fn headline(entry: &OutputEntry) -> String {
    some_line(&entry.title)
        .or_else(|| some_line(&entry.summary).map(|text| clip(&text, TITLE_CHARS)))
        .unwrap_or_else(|| line(&entry.link))
}

/// The name that is shown for an author: the address where the name is missing.
pub(super) fn author_name(author: &Author) -> Option<String> {
    some_line(&author.name).or_else(|| author_email(author))
}

/// An author's address, if it looks like one (RFC 4287, 3.2.3: `.+@.+`).
pub(super) fn author_email(author: &Author) -> Option<String> {
    let email = some_line(author.email.as_deref()?)?;
    let (user, host) = email.split_once('@')?;
    (!user.is_empty() && !host.is_empty()).then_some(email)
}

/// The labels of an entry that are not empty.
pub(super) fn labels(entry: &OutputEntry) -> impl Iterator<Item = String> {
    entry.categories.iter().filter_map(|name| some_line(name))
}

/// The files of an entry that have an address, with it.
pub(super) fn files(entry: &OutputEntry) -> impl Iterator<Item = (String, &Enclosure)> {
    entry.enclosures.iter().filter_map(|file| Some((some_line(&file.url)?, file)))
}

/// The media type of a file: as stated if it has the form of one, else the
/// general one. RSS 2.0 (`enclosure`) and JSON Feed (`mime_type`) cannot do without, and
/// RFC 4287, 4.2.7.3 wants no other form.
pub(super) fn media_type(file: &Enclosure) -> String {
    let stated = file.media_type.as_deref().and_then(some_line);
    stated
        .filter(|t| t.split_once('/').is_some_and(|(top, sub)| !top.is_empty() && !sub.is_empty()))
        .unwrap_or_else(|| UNKNOWN_TYPE.to_owned())
}

/// A whole document: declaration, style sheet, then `written` without its own declaration.
/// Both crates know nothing of processing instructions.
pub(super) fn document(css_url: &str, written: &str) -> Vec<u8> {
    let body = match written.strip_prefix("<?xml") {
        Some(rest) => rest.split_once("?>").map_or(rest, |(_, body)| body),
        None => written,
    };
    let mut out = String::with_capacity(written.len() + 128);
    out.push_str("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
    if let Some(href) = some_line(css_url) {
        // Pseudo-attributes take the predefined entities; `>` escaped cannot end it early.
        out.push_str("<?xml-stylesheet type=\"text/css\" href=\"");
        out.push_str(&escape(href));
        out.push_str("\"?>\n");
    }
    out.push_str(body.trim());
    out.push('\n');
    out.into_bytes()
}
