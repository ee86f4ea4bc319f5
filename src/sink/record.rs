//! Records of what feedmill wrote, stored beside it: one for each unit, so that a publish of one category
//! writes one record (RULES 4.1), and for sinks of single items one for each hundred of a category.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{Cursor, InfoCode, Timestamp};

/// The record of a unit of publishing: a category's files, or the site's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// The generation of the category that the files show.
    pub generation: u64,
    /// The last change that the files of a sink of single items show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upto: Option<Cursor>,
    /// Hash of what else the bytes depend on: settings, theme, version of the writers.
    pub fingerprint: String,
    /// Hashes of the files by path: CRC-32 and length, in hexadecimal digits.
    pub files: BTreeMap<String, String>,
}

impl Unit {
    /// Returns whether the files show this generation under these settings.
    #[must_use]
    pub fn shows(&self, generation: u64, fingerprint: &str) -> bool {
        self.generation == generation && self.fingerprint == fingerprint
    }
}

/// The record of a hundred of a category in a sink of single items. With it the sink finds the files of items
/// that the store no longer has, or has in another category.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hundred {
    /// Path of the hundred's own page, if the sink has such pages; during a publish also the previous path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<String>,
    /// The items of the hundred.
    pub items: Vec<Shown>,
    /// A publish of it has begun: some items may not have their files yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub begun: bool,
}

/// An item and the file that shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Code of the item.
    pub code: InfoCode,
    /// Time of publication, by which items are ordered.
    pub published: Timestamp,
    /// The path of the file that shows it.
    pub path: String,
}

impl Hundred {
    /// Returns the items and pages that a later record does not have.
    #[must_use]
    pub fn without(&self, later: &Self) -> Self {
        let items = self.items.iter().filter(|shown| !later.items.contains(shown)).cloned();
        let pages = self.pages.iter().filter(|page| !later.pages.contains(page)).cloned();
        Self { pages: pages.collect(), items: items.collect(), begun: false }
    }

    /// Returns whether it has no items and no pages.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.pages.is_empty()
    }
}
