//! How a store is kept.

use std::path::{Path, PathBuf};

/// How the store is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOptions {
    /// Its folder.
    pub path: PathBuf,
    /// sled's page cache, in bytes.
    pub cache: u64,
    /// A file of so many bytes that is deleted when the disk is full, so that there is room to
    /// open; 0 for none.
    pub ballast: u64,
    /// With fewer bytes free on its disk the store takes nothing in.
    pub low_water: u64,
    /// Where automatic exports are; the last gives a damaged store what cannot be read of it.
    pub exports: Option<PathBuf>,
}

impl StoreOptions {
    /// A store without ballast, low-water mark and exports.
    #[must_use]
    pub fn plain(path: &Path, cache: u64) -> Self {
        Self { path: path.to_owned(), cache, ballast: 0, low_water: 0, exports: None }
    }
}
