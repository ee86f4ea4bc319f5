//! Items: articles as the store keeps them and the publisher reads them.

use serde::{Deserialize, Serialize};

use super::{Author, CategoryId, Enclosure, InfoCode, SourceId, Timestamp};

/// Limits that keep a record of [`Item`] below the store's value limit.
pub mod caps {
    /// Bytes of a title: 300 Chinese characters.
    pub const TITLE: usize = 1_000;
    /// Bytes of an address.
    pub const URL: usize = 1_400;
    /// Characters of an excerpt.
    pub const EXCERPT: usize = 200;
    /// Bytes of an excerpt.
    pub const EXCERPT_BYTES: usize = 650;
    /// Characters of a newspaper's name (RULES 5.4).
    pub const NAME: usize = 64;
    /// Bytes of a newspaper's name.
    pub const NAME_BYTES: usize = 200;
    /// Categories of one item.
    pub const CATEGORIES: usize = 64;
    /// Authors, tags and enclosures of one item, each.
    pub const LIST: usize = 32;
}

/// The part of an article that lists need, limited in size; the rest is in [`Body`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The identity of the article.
    pub code: InfoCode,
    /// Title; plain text.
    pub title: String,
    /// The original article, absolute.
    pub link: Option<String>,
    /// Excerpt; plain text: the source's digest, or the beginning of the text.
    pub excerpt: String,
    /// The newspaper that the article names as its origin.
    pub media_name: Option<String>,
    /// First picture of the text or the enclosures, absolute.
    pub image: Option<String>,
    /// First publication; fixed: min(source's date, first seen).
    pub published: Timestamp,
    /// Last change of title or text (RULES 2.1).
    pub updated: Timestamp,
    /// Time at which the mill first saw it.
    pub first_seen: Timestamp,
    /// Category of the permalink; never changes.
    pub home: CategoryId,
    /// All categories, the home one first.
    pub categories: Vec<CategoryId>,
    /// Path of the article page without the leading slash; never changes (RULES 5.3).
    pub permalink: String,
    /// The source whose title, text, media name and link are used.
    pub lead: SourceId,
    /// Rank of `lead` when it sent them; lower outranks higher.
    pub rank: u32,
    /// Number of changes of title or text.
    pub revisions: u32,
    /// Generation of the commit that first stored it; tells whether it is published yet.
    pub generation: u64,
    /// Generation of the last change of this record; set by the store.
    pub touched: u64,
    /// Whether it was imported from an older site.
    pub imported: bool,
}

#[cfg(test)]
impl Item {
    /// Returns an item in no category, for tests.
    pub(crate) fn sample(code: InfoCode) -> Self {
        Self {
            permalink: format!("a/{}.html", code.file_name(None)),
            code,
            title: "一".to_owned(),
            link: None,
            excerpt: String::new(),
            media_name: None,
            image: None,
            published: Timestamp::EPOCH,
            updated: Timestamp::EPOCH,
            first_seen: Timestamp::EPOCH,
            home: CategoryId(1),
            categories: Vec::new(),
            lead: SourceId::new("s").unwrap(),
            rank: 0,
            revisions: 0,
            generation: 0,
            touched: 0,
            imported: false,
        }
    }
}

/// The large part of an item, compressed by the store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// Text; cleaned HTML.
    pub html: String,
    /// The source's own digest or summary, plain text.
    pub digest: Option<String>,
    /// Authors.
    pub authors: Vec<Author>,
    /// The source's labels.
    pub tags: Vec<String>,
    /// Enclosures.
    pub enclosures: Vec<Enclosure>,
    /// Language in BCP 47.
    pub language: Option<String>,
}

/// An item with its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Article {
    /// The small part.
    pub item: Item,
    /// The large part.
    pub body: Body,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CodeSpace, Slug};

    /// Checks that a full record stays below 6,000 bytes: the store refuses larger ones at every poll.
    #[test]
    fn the_largest_record_fits() {
        let space = CodeSpace::new(&"s".repeat(32)).unwrap();
        let item = Item {
            code: InfoCode::new(space, &"c".repeat(120)),
            title: "t".repeat(caps::TITLE),
            link: Some("l".repeat(caps::URL)),
            excerpt: "e".repeat(caps::EXCERPT_BYTES),
            media_name: Some("m".repeat(caps::NAME_BYTES)),
            image: Some("i".repeat(caps::URL)),
            published: Timestamp::MAX,
            updated: Timestamp::MAX,
            first_seen: Timestamp::MAX,
            home: CategoryId(u32::MAX),
            categories: vec![CategoryId(u32::MAX); caps::CATEGORIES],
            permalink: format!("{}/2026/01/01/{}.html", Slug::from_name(&"s".repeat(99)), "f".repeat(80)),
            lead: SourceId::new(&"l".repeat(64)).unwrap(),
            rank: u32::MAX,
            revisions: u32::MAX,
            generation: u64::MAX,
            touched: u64::MAX,
            imported: true,
        };
        assert!(postcard::to_stdvec(&item).unwrap().len() < 5_990);
    }
}
