//! Settings of a store.

use std::path::{Path, PathBuf};

/// The settings of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOptions {
    /// Its folder.
    pub path: PathBuf,
    /// Bytes of sled's page cache.
    pub cache: u64,
    /// Bytes of a file that is deleted when the disk is full, so that there is room to open the store; 0 for
    /// none.
    pub ballast: u64,
    /// Bytes that must be free on its disk for [`super::SledStore::has_room`]; 0 also turns off the check of
    /// free space before writes.
    pub low_water: u64,
    /// The folder of automatic exports; the repair of a damaged store restores unreadable records from the last
    /// one.
    pub exports: Option<PathBuf>,
}

impl StoreOptions {
    /// Creates options without ballast, low-water mark and exports.
    #[must_use]
    pub fn plain(path: &Path, cache: u64) -> Self {
        Self { path: path.to_owned(), cache, ballast: 0, low_water: 0, exports: None }
    }
}
