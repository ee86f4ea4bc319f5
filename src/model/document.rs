//! Documents as parsers return them: neutral, decoded, nothing cleaned (RULES 8).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// A person, or an organisation, that wrote something.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// Display name; may be empty if only an address is known.
    pub name: String,
    /// E-mail address, unchecked.
    pub email: Option<String>,
    /// Home page.
    pub uri: Option<String>,
}

/// A file that belongs to an item: sound, picture, document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enclosure {
    /// Absolute address.
    pub url: String,
    /// Media type as the source states it.
    #[serde(rename = "type")]
    pub media_type: Option<String>,
    /// Size in bytes as the source states it.
    pub length: Option<u64>,
}

/// A defect of a document that its reader worked around.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Repair {
    /// Line of the decoded document, from 1.
    pub line: usize,
    /// The defect.
    pub what: &'static str,
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// What a document states about being polled, and about entries that it no longer has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hints {
    /// Minutes for which the document may be kept (RSS 2.0 `ttl`).
    pub ttl_minutes: Option<u32>,
    /// Hours in UTC in which it must not be polled (RSS 2.0 `skipHours`): bit 0 is the hour after midnight.
    pub skip_hours: u32,
    /// Days in UTC on which it must not be polled (RSS 2.0 `skipDays`): bit 0 is Monday.
    pub skip_days: u8,
    /// Seconds between two changes (RSS 1.0 Syndication: `updatePeriod` by `updateFrequency`).
    pub update_every: Option<u32>,
    /// The document with the preceding items, absolute (RFC 5005, 4: `prev-archive`).
    pub prev_archive: Option<String>,
    /// The program that made the document.
    pub generator: Option<String>,
    /// Entries that were deleted (RFC 6721, 3); at most 256.
    pub deleted: Vec<Deleted>,
}

/// A deleted entry (RFC 6721, 3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// The id that the entry had.
    pub reference: String,
    /// Time of the deletion, as stated.
    pub when: Option<Timestamp>,
}

/// One upstream document: a feed, or the answer of an API.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Document {
    /// `rss`, `rdf`, `atom`, `json_feed` or `json`, with the version if it is known.
    pub format: String,
    /// Title; plain text.
    pub title: String,
    /// The title as the source sent it, HTML not cleaned, if it differs from the plain text.
    #[serde(skip)]
    pub title_markup: Option<String>,
    /// The page that belongs to the feed, absolute.
    pub link: Option<String>,
    /// Language in BCP 47 as the source states it.
    pub language: Option<String>,
    /// WHATWG name of the encoding the bytes were read in.
    pub encoding: String,
    /// The feed's own id.
    pub id: Option<String>,
    /// Subtitle; HTML, not cleaned.
    pub subtitle: Option<String>,
    /// Time of its last change, as stated.
    pub updated: Option<Timestamp>,
    /// Authors of the whole feed.
    pub authors: Vec<Author>,
    /// The items in the order of the document.
    pub entries: Vec<Entry>,
    /// Number of items that were left out because the document exceeds the cap.
    #[serde(skip)]
    pub beyond_cap: usize,
    /// Bounds that cut what is read of it, for people.
    #[serde(skip)]
    pub cut: Vec<String>,
    /// What had to be repaired to read it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repairs: Vec<Repair>,
    /// The parser that read it: `rss` or `atom` (the crates), `tolerant` or `json`.
    #[serde(skip)]
    pub reader: &'static str,
    /// Its hints about being polled.
    #[serde(skip)]
    pub hints: Hints,
}

impl Document {
    /// Gives its language to the items that name none.
    pub fn share_language(&mut self) {
        if self.language.is_some() {
            for entry in self.entries.iter_mut().filter(|entry| entry.language.is_none()) {
                entry.language.clone_from(&self.language);
            }
        }
    }
}

/// One item of an upstream document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The upstream's own id, raw: `guid`, `atom:id`, JSON Feed `id`.
    #[serde(rename = "id")]
    pub guid: Option<String>,
    /// The code as a rule of the source read it, before the canonical form.
    #[serde(skip)]
    pub code: Option<String>,
    /// Title; plain text, entities decoded.
    pub title: String,
    /// The title as the source sent it, HTML not cleaned, if it differs from the plain text.
    #[serde(skip)]
    pub title_markup: Option<String>,
    /// The article's page, absolute.
    pub link: Option<String>,
    /// First publication as the source states it.
    pub published: Option<Timestamp>,
    /// Last change as the source states it.
    pub updated: Option<Timestamp>,
    /// Authors.
    pub authors: Vec<Author>,
    /// The source's own labels.
    pub categories: Vec<String>,
    /// Summary; HTML, not cleaned.
    pub summary: Option<String>,
    /// Content; HTML, not cleaned.
    pub content: Option<String>,
    /// Enclosures.
    pub enclosures: Vec<Enclosure>,
    /// The newspaper that the record names (`from`, `medianame`, `source`, `dc:publisher`).
    #[serde(skip)]
    pub media_name: Option<String>,
    /// The picture of the item, absolute: the largest thumbnail.
    #[serde(skip)]
    pub picture: Option<String>,
    /// Language in BCP 47 as the source states it.
    #[serde(skip)]
    pub language: Option<String>,
}
