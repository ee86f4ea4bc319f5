//! Files to write, one by one or as a unit, and counts of what was written.

use crate::model::Timestamp;

/// One file to write.
#[derive(Debug, Clone)]
pub struct File {
    /// Path relative to the output directory, without `..`.
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A rendered unit: all files that it is to have.
#[derive(Debug, Default)]
pub struct Rendered {
    /// The generation of the category that the files show.
    pub generation: u64,
    /// Hash of what else the bytes depend on: settings, theme, version of the writers.
    pub fingerprint: String,
    /// The files that were rendered.
    pub files: Vec<File>,
    /// Paths of files that did not change and were not rendered again.
    pub kept: Vec<String>,
    /// Time of the last change of the content.
    pub changed_at: Timestamp,
}

/// Numbers of files that were written, kept and removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WriteCounts {
    /// Files written.
    pub written: usize,
    /// Bytes written.
    pub bytes: u64,
    /// Files that already had these bytes.
    pub kept: usize,
    /// Files removed.
    pub removed: usize,
}

impl WriteCounts {
    /// Adds the numbers of another call.
    pub fn add(&mut self, other: Self) {
        self.written += other.written;
        self.bytes += other.bytes;
        self.kept += other.kept;
        self.removed += other.removed;
    }
}
