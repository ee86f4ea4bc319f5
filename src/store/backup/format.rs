//! The lines of a backup: one JSON object each, with one key that names its kind (`docs/store.md`).
//!
//! The first is `head`, the last `end`. Items come in the order in which they arrived. Of two lines about the
//! same thing the later one counts: a store is exported while it is in use. A file whose head is `complete`
//! restores exactly the exported store, with its numbers. Other programs may write files with less: numbers are
//! then assigned anew. A new kind of record is a new variant of [`Line`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{Body, Category, CategoryId, InfoCode, Item, Slug, SourceId, SourceState, Timestamp};
use crate::store::{AliasKind, Event, RecordKind, Revision, Sighting, Slot, Tombstone};

/// The version of the lines.
pub(crate) const VERSION: u32 = 1;

/// The sources that list an item.
pub(crate) type Listings = Vec<(SourceId, Sighting)>;

/// One line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    /// The head of the file.
    Head(Head),
    /// A category.
    Category(CategoryLine),
    /// A source.
    Source(SourceLine),
    /// An item that is stored, shown or withdrawn.
    Item(Box<ItemLine>),
    /// The tombstone of an item that was erased.
    Tombstone(ErasedLine),
    /// A further name of an item within a source.
    Alias {
        /// The source.
        source: SourceId,
        /// The kind of value that was hashed.
        kind: AliasKind,
        /// The hash.
        hash: [u8; 16],
        /// The item.
        code: InfoCode,
    },
    /// A path that moved.
    Redirect {
        /// The old one.
        from: String,
        /// The new one.
        to: String,
    },
    /// The path of an article's page, if it does not follow from its name.
    Page {
        /// The path.
        path: String,
        /// The item.
        code: InfoCode,
    },
    /// A part of a category's log.
    Log {
        /// The category.
        category: CategoryId,
        /// Arrival numbers, and the entry under each.
        slots: Vec<(u32, Slot<InfoCode>)>,
    },
    /// The time at which the outputs first showed a generation.
    Published {
        /// The generation.
        generation: u64,
        /// The time.
        at: Timestamp,
    },
    /// A number that the store keeps by name: `generation`, `renames`, `published`, `clock`, and those that
    /// begin with `tally.`.
    Counter {
        /// The name.
        name: String,
        /// The number.
        value: u64,
    },
    /// A small record of another room.
    Record {
        /// Its kind.
        kind: RecordKind,
        /// Its key.
        key: Vec<u8>,
        /// Its value.
        value: Vec<u8>,
    },
    /// The end.
    End {
        /// Lines before it.
        lines: u64,
        /// CRC-32 of their bytes.
        crc32: u32,
    },
}

/// The first line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Head {
    /// [`VERSION`].
    pub(crate) version: u32,
    /// When the file was made.
    pub(crate) made: Timestamp,
    /// Items that had arrived when the export began.
    pub(crate) items: u64,
    /// Values that are set once for a site (RULES 3.3), by key.
    pub(crate) fixed: BTreeMap<String, String>,
    /// Whether all numbers are included.
    #[serde(default)]
    pub(crate) complete: bool,
}

/// A category, or the whole site.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CategoryLine {
    /// Its slug.
    pub(crate) slug: Slug,
    /// Its name.
    pub(crate) name: String,
    /// Other slugs that resolve to it.
    pub(crate) aliases: Vec<String>,
    /// Its numbers, in a complete file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) numbers: Option<CategoryNumbers>,
}

impl CategoryLine {
    /// Creates the line of a category, with the slugs and names that resolve to it and its sealed hundreds.
    pub(crate) fn of(category: Category, slugs: Vec<String>, names: Vec<String>, seals: Vec<Seal>) -> Self {
        let Category { id, slug, name, generation, changed_at, newest, arrivals } = category;
        let aliases = slugs.iter().filter(|other| *other != slug.as_str()).cloned().collect();
        let numbers = CategoryNumbers { id, generation, changed_at, newest, arrivals, slugs, names, seals };
        Self { slug, name, aliases, numbers: Some(numbers) }
    }
}

/// The numbers that the store assigned to a category.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CategoryNumbers {
    /// Its number; 0 is the whole site.
    pub(crate) id: CategoryId,
    /// Its generation.
    pub(crate) generation: u64,
    /// When that generation was stored.
    pub(crate) changed_at: Timestamp,
    /// `published` of its newest item.
    pub(crate) newest: Option<Timestamp>,
    /// The last arrival number given.
    pub(crate) arrivals: u32,
    /// All slugs that resolve to it; without its own, if it was merged into another category.
    pub(crate) slugs: Vec<String>,
    /// All names that resolve to it.
    pub(crate) names: Vec<String>,
    /// Its sealed hundreds.
    pub(crate) seals: Vec<Seal>,
}

/// A sealed hundred of a category's log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Seal {
    /// Its number, from 1.
    pub(crate) hundred: u32,
    /// The generation under which it was sealed; the largest number if unknown.
    pub(crate) sealed: u64,
    /// The generation under which it was last changed.
    pub(crate) changed: u64,
}

/// A source.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SourceLine {
    /// Its id.
    pub(crate) id: SourceId,
    /// Its state; missing if it is known from listings alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<Box<SourceState>>,
    /// Hashes of guids that are void in it.
    pub(crate) void: Vec<[u8; 16]>,
}

/// An item with everything that is kept of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ItemLine {
    /// Its record; `home` and `categories` in it are numbers of categories in a complete file.
    pub(crate) item: Item,
    /// The slug of its home category.
    pub(crate) home: Slug,
    /// The slugs of its categories.
    pub(crate) categories: Vec<Slug>,
    /// Categories in which it went straight to the archive; an empty name is the whole site.
    pub(crate) archived: Vec<String>,
    /// Its text.
    pub(crate) body: Body,
    /// Its earlier titles and excerpts.
    pub(crate) revisions: Vec<Revision>,
    /// Its events.
    pub(crate) history: Vec<Event>,
    /// The sources that list it.
    pub(crate) listings: Listings,
    /// Its tombstone, if it is withdrawn.
    pub(crate) tombstone: Option<Tombstone>,
    /// Its places in categories, in a complete file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) entries: Vec<Entry>,
    /// Whole earlier forms that may still be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) forms: Vec<FormLine>,
}

/// The entry of an item in a category.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// The category.
    pub(crate) category: CategoryId,
    /// Whether it may appear in the current window.
    pub(crate) shown: bool,
    /// Its first arrival number.
    pub(crate) first: u32,
    /// Its last arrival number.
    pub(crate) latest: u32,
}

/// An earlier form of an item.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FormLine {
    /// The generation under which it began.
    pub(crate) since: u64,
    /// The record.
    pub(crate) item: Item,
    /// The text.
    pub(crate) body: Body,
}

/// What is kept of an item that was erased.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ErasedLine {
    /// The item.
    pub(crate) code: InfoCode,
    /// Its tombstone.
    pub(crate) tombstone: Tombstone,
    /// Its events.
    pub(crate) history: Vec<Event>,
    /// The sources that list it.
    pub(crate) listings: Listings,
}
