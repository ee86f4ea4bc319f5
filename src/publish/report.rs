//! The report of a publish.

use serde::{Deserialize, Serialize};

use crate::sink::WriteCounts;

/// What a publish did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishReport {
    /// Categories that were rendered, the site counted as one.
    pub rendered: usize,
    /// Categories that were up to date.
    pub clean: usize,
    /// Files written.
    pub written: usize,
    /// Bytes written.
    pub bytes: u64,
    /// Files rendered whose bytes were there already.
    pub kept: usize,
    /// Files removed.
    pub removed: usize,
}

impl PublishReport {
    pub(super) fn add(&mut self, applied: WriteCounts) {
        self.written += applied.written;
        self.bytes += applied.bytes;
        self.kept += applied.kept;
        self.removed += applied.removed;
    }
}
