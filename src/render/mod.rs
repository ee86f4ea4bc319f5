//! Rendering: turns what a category publishes into bytes. Pure writers, no IO, no clock.
//!
//! Owns: one writer for each format, the built-in theme. Does not own: which items are chosen (`publish`),
//! where bytes are written (`sink`).
//!
//! Adding a format: 1 `render/<format>.rs` with a function from [`OutputFeed`] to bytes;
//! 2 its key in `sink::key`; 3 a snapshot and a round trip in its tests.

pub mod atom;
mod difference;
pub mod html;
pub mod jekyll;
pub mod json_feed;
mod line;
mod markup;
pub mod opml;
pub mod qr;
pub mod rss;
mod signs;
pub mod sitemap;
pub mod stub;
pub mod theme;
mod xml;

#[cfg(test)]
mod tests;

use crate::model::{Author, Enclosure, Timestamp};

pub use difference::difference;
pub use theme::built_in_texts;
pub use xml::{RenderError, media_type};

/// One feed to write: a category's, or the whole site's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFeed {
    /// Id of the feed itself, an IRI that never changes.
    pub id: String,
    /// Title; plain text.
    pub title: String,
    /// Description; plain text. RSS has the title instead if it is empty.
    pub description: String,
    /// Language in BCP 47, such as `zh-CN`.
    pub language: String,
    /// The web page of the category, absolute.
    pub page_url: String,
    /// Address of the RSS document, absolute.
    pub rss_url: String,
    /// Address of the Atom document, absolute.
    pub atom_url: String,
    /// Address of the JSON Feed, absolute.
    pub json_url: String,
    /// Style sheet for a feed opened in a browser, absolute.
    pub css_url: String,
    /// Rights in the feed as a whole, plain text.
    pub rights: Option<String>,
    /// How often readers should poll, in minutes; 0 for unknown.
    pub ttl_minutes: u64,
    /// Time at which the published set last changed (RULES 2.2); never the current time.
    pub updated: Timestamp,
    /// Links to the neighbouring documents.
    pub history: History,
    /// Withdrawn entries.
    pub gone: Vec<OutputGone>,
    /// Entries, newest first.
    pub entries: Vec<OutputEntry>,
}

/// The links of a document among the archives of its feed (RFC 5005, 4).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// The current document, absolute; only if this one is an archive.
    pub current: Option<String>,
    /// The previous archive as Atom, absolute.
    pub earlier_atom: Option<String>,
    /// The previous archive as JSON Feed, absolute.
    pub earlier_json: Option<String>,
}

/// An entry that was withdrawn (RFC 6721).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputGone {
    /// Its published id.
    pub id: String,
    /// Time of the withdrawal.
    pub at: Timestamp,
}

/// The feed that an entry comes from (RFC 4287, 4.2.11).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputSource {
    /// Name for people.
    pub title: String,
    /// Its own address, absolute; only if it is public.
    pub feed_url: Option<String>,
    /// The page that belongs to it, absolute.
    pub page_url: Option<String>,
}

/// One entry to write. All text may contain any character; writers strip what their format forbids and escape
/// the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputEntry {
    /// The one published id (RULES 3.3), the same in all formats.
    pub id: String,
    /// Title; plain text, may be empty.
    pub title: String,
    /// The address that the entry links to: the original article, else its page on the site; absolute.
    pub link: String,
    /// Summary; plain text.
    pub summary: String,
    /// Clean HTML; `None` if the entry has only a summary, as in a feed that would grow too large (RULES 3.1).
    pub html: Option<String>,
    /// First publication.
    pub published: Timestamp,
    /// Last real change.
    pub updated: Timestamp,
    /// Authors; may be empty.
    pub authors: Vec<Author>,
    /// Labels: names of categories, then the source's own labels.
    pub categories: Vec<String>,
    /// Enclosures.
    pub enclosures: Vec<Enclosure>,
    /// First picture, absolute.
    pub image: Option<String>,
    /// The newspaper, for `dc:publisher`.
    pub source_name: Option<String>,
    /// The feed it comes from.
    pub source: Option<OutputSource>,
    /// Rights in the entry, plain text.
    pub rights: Option<String>,
    /// Language in BCP 47, if it differs from the feed's.
    pub language: Option<String>,
    /// Whether it is in the window; other entries are only in documents that must be complete.
    pub in_window: bool,
}
