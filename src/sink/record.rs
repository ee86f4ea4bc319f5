//! What feedmill wrote, kept beside it: one small file a unit, so that a publish of one
//! category touches one record (RULES 4.1); of sinks that follow single items one a hundred of a category.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{Cursor, InfoCode, Timestamp};

/// One unit of publishing: a category's files, or the site's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// The generation of the category that the files show.
    pub generation: u64,
    /// Of a sink that follows single items: up to where its files show what changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upto: Option<Cursor>,
    /// What else the bytes depend on: settings, theme, version of the writers.
    pub fingerprint: String,
    /// Path → CRC-32 and length of its bytes, in hexadecimal digits.
    pub files: BTreeMap<String, String>,
}

impl Unit {
    /// Whether the files show this generation under these settings.
    #[must_use]
    pub fn shows(&self, generation: u64, fingerprint: &str) -> bool {
        self.generation == generation && self.fingerprint == fingerprint
    }
}

/// What a sink of single items shows of a hundred of a category: so it knows what it wrote of an item that the
/// store no longer has, or has elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hundred {
    /// The path of the hundred's own page, where the sink has such pages; for a moment also that which it had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<String>,
    /// The items that came in it.
    pub items: Vec<Shown>,
    /// A publish of it began and did not end: what is noted may have no file yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub begun: bool,
}

/// An item as a sink shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Which.
    pub code: InfoCode,
    /// Its place in the order of time.
    pub published: Timestamp,
    /// The path of the file that shows it.
    pub path: String,
}

impl Hundred {
    /// What of this is not in a later one.
    #[must_use]
    pub fn without(&self, later: &Self) -> Self {
        let items = self.items.iter().filter(|shown| !later.items.contains(shown)).cloned();
        let pages = self.pages.iter().filter(|page| !later.pages.contains(page)).cloned();
        Self { pages: pages.collect(), items: items.collect(), begun: false }
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.pages.is_empty()
    }
}
