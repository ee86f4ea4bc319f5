//! What feedmill wrote, kept beside it: one small file a unit, so that a publish of one
//! category touches one record (RULES 4.1).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One unit of publishing: a category's files, or the site's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// The generation of the category that the files show.
    pub generation: u64,
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
