//! Files to be written, one by one or as a unit, and what writing them came to.

use crate::model::Timestamp;

/// One file to write.
#[derive(Debug, Clone)]
pub struct File {
    /// Relative path, without `..`.
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A unit as it is to be from now on.
#[derive(Debug, Default)]
pub struct Rendered {
    /// The generation of the category that it shows.
    pub generation: u64,
    /// What else its bytes depend on.
    pub fingerprint: String,
    /// Its files that were rendered.
    pub files: Vec<File>,
    /// Paths of those that are as they were, and were not rendered again.
    pub kept: Vec<String>,
    /// When its content changed.
    pub changed_at: Timestamp,
}

/// What a call did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Applied {
    /// Files written.
    pub written: usize,
    /// Bytes written.
    pub bytes: u64,
    /// Files that had these bytes already.
    pub kept: usize,
    /// Files removed.
    pub removed: usize,
}

impl Applied {
    /// Adds up.
    pub fn add(&mut self, other: Self) {
        self.written += other.written;
        self.bytes += other.bytes;
        self.kept += other.kept;
        self.removed += other.removed;
    }
}
