//! Rendering: what a category publishes, as bytes. Pure writers, no IO, no clock.
//!
//! Owns: one writer a format, the built-in theme. Does not own: which items are chosen
//! (`publish`), where bytes go (`sink`).
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
    /// Of the feed itself, an IRI that never changes.
    pub id: String,
    /// Plain text.
    pub title: String,
    /// Plain text; never empty (RSS wants one).
    pub description: String,
    /// BCP 47, such as `zh-CN`.
    pub language: String,
    /// The web page of the category, absolute.
    pub page_url: String,
    /// Where the RSS document is served, absolute.
    pub rss_url: String,
    /// Where the Atom document is served, absolute.
    pub atom_url: String,
    /// Where the JSON Feed is served, absolute.
    pub json_url: String,
    /// Style sheet for a feed opened in a browser, absolute.
    pub css_url: String,
    /// Rights in the whole, plain text.
    pub rights: Option<String>,
    /// How often it is worth asking, in minutes; 0 says nothing.
    pub ttl_minutes: u64,
    /// When the published set last changed (RULES 2.2); never the clock.
    pub updated: Timestamp,
    /// The documents around it.
    pub history: History,
    /// What was withdrawn.
    pub gone: Vec<OutputGone>,
    /// Newest first.
    pub entries: Vec<OutputEntry>,
}

/// Where a document stands among the archives of its feed (RFC 5005, 4).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// The current document, absolute, where this one is an archive.
    pub current: Option<String>,
    /// The archive before this one as Atom, absolute.
    pub earlier_atom: Option<String>,
    /// The same as JSON Feed.
    pub earlier_json: Option<String>,
}

/// An entry that was withdrawn (RFC 6721).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputGone {
    /// Its published id.
    pub id: String,
    /// When.
    pub at: Timestamp,
}

/// The feed that an entry comes from (RFC 4287, 4.2.11).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputSource {
    /// Name for people.
    pub title: String,
    /// Its own address, absolute, where readers may know it.
    pub feed_url: Option<String>,
    /// The page that belongs to it, absolute.
    pub page_url: Option<String>,
}

/// One entry to write. All text may hold any character; writers strip what their format
/// cannot carry and escape the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputEntry {
    /// The one published id (RULES 3.3), the same in all formats.
    pub id: String,
    /// Plain text; may be empty.
    pub title: String,
    /// Where a click leads: the original article, else its page here; absolute.
    pub link: String,
    /// Plain text.
    pub summary: String,
    /// Clean HTML; `None` where the feed would grow too large (RULES 3.1).
    pub html: Option<String>,
    /// First publication.
    pub published: Timestamp,
    /// Last real change.
    pub updated: Timestamp,
    /// Authors; may be empty.
    pub authors: Vec<Author>,
    /// Labels: names of categories, then the source's own.
    pub categories: Vec<String>,
    /// Files.
    pub enclosures: Vec<Enclosure>,
    /// First picture, absolute.
    pub image: Option<String>,
    /// The newspaper: `dc:publisher`; may be missing.
    pub source_name: Option<String>,
    /// The feed it comes from.
    pub source: Option<OutputSource>,
    /// Rights in it, plain text.
    pub rights: Option<String>,
    /// BCP 47 where it differs from the feed's.
    pub language: Option<String>,
    /// It stands in the window; else only documents that must be complete hold it.
    pub in_window: bool,
}
