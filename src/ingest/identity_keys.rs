//! The hashes by which a source's records are found. Pure.

use std::borrow::Cow;
use std::sync::OnceLock;

use sha2::{Digest, Sha256};

use super::draft::head;
use super::volatile::{stable_address, stable_html};
use crate::model::{ContentHash, Entry, Timestamp};
use crate::parse::address::without_session;
use crate::parse::text;
use crate::store::{Alias, AliasKind, Name};

/// Length of a text, in characters, from which equal title and text mean the same item at any address (RULES
/// 1.6).
const SAME_TEXT_FROM: usize = 200;

/// Returns the hash of a guid, as it is stored.
pub(super) fn guid_hash(guid: &str) -> [u8; 16] {
    hash(&["guid", guid])
}

/// Returns the name of a guid's hash.
pub(super) fn guid_name(guid: [u8; 16]) -> Name {
    Name::Alias((AliasKind::Guid, guid))
}

/// Returns the alias of a form of an address.
pub(super) fn link_alias(form: &str) -> Alias {
    (AliasKind::Link, hash(&["link", form]))
}

/// Returns a link and a date as one alias, for links that several records have.
pub(super) fn dated_link(link: &str, date: Timestamp) -> Alias {
    (AliasKind::Link, hash(&["dated link", link, &date.unix().to_string()]))
}

/// Returns a link and a title as one alias, for links that several records have.
pub(super) fn titled_link(link: &str, title: &str) -> Alias {
    (AliasKind::Link, hash(&["titled link", link, title]))
}

/// Aliases of a record's title and text. Each is computed once, because that costs a pass over the text.
#[derive(Debug, Clone, Default)]
pub(super) struct TextAliases {
    long: OnceLock<Option<Alias>>,
    short: OnceLock<Option<Alias>>,
}

impl TextAliases {
    /// Returns the alias of title and text, where the text is long enough to tell articles apart.
    pub(super) fn long(&self, entry: &Entry) -> Option<Alias> {
        *self.long.get_or_init(|| text_alias(entry))
    }

    /// Returns the alias of title and text of any length, for records that have no link of their own.
    pub(super) fn short(&self, entry: &Entry) -> Option<Alias> {
        *self.short.get_or_init(|| short_text_alias(entry))
    }
}

fn text_alias(entry: &Entry) -> Option<Alias> {
    let html = entry.content.as_deref().or(entry.summary.as_deref())?;
    let long = |text: &str| text.chars().nth(SAME_TEXT_FROM - 1).is_some();
    if !long(html) {
        return None;
    }
    let plain = text::html_to_text(head(html));
    long(&plain).then(|| (AliasKind::Text, hash(&["text", &entry.title, &plain])))
}

fn short_text_alias(entry: &Entry) -> Option<Alias> {
    let plain = plain_text(entry);
    let some = !entry.title.is_empty() || !plain.trim().is_empty();
    some.then(|| (AliasKind::Text, hash(&["short text", &entry.title, &plain])))
}

/// Returns the text of a record without its markup.
pub(super) fn plain_text(entry: &Entry) -> String {
    let html = entry.content.as_deref().or(entry.summary.as_deref()).unwrap_or_default();
    text::html_to_text(head(html))
}

/// Returns the hash of a record's listed content, without its dates and without what changes at every poll
/// (RULES 1.5).
pub(super) fn listed_hash(entry: &Entry) -> ContentHash {
    let enclosures: Vec<Cow<'_, str>> = entry.enclosures.iter().map(|e| stable_address(&e.url)).collect();
    let tags = entry.categories.join("\n");
    let authors: Vec<&str> = entry.authors.iter().map(|a| a.name.as_str()).collect();
    let link = without_session(entry.link.as_deref().unwrap_or_default());
    ContentHash::of(&[
        ("title", &entry.title),
        ("link", &link),
        ("summary", &stable_html(entry.summary.as_deref().unwrap_or_default())),
        ("content", &stable_html(entry.content.as_deref().unwrap_or_default())),
        ("tags", &tags),
        ("media", entry.media_name.as_deref().unwrap_or_default()),
        ("authors", &authors.join("\n")),
        ("enclosures", &enclosures.join("\n")),
        ("picture", &stable_address(entry.picture.as_deref().unwrap_or_default())),
    ])
}

fn hash(parts: &[&str]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    let mut short = [0; 16];
    short.copy_from_slice(&digest[..16]);
    short
}
