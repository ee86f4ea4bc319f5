//! The identity of an output file at the moment it was read.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::model::Timestamp;

/// Path, inode, size and time of a file. They suffice to tell that a file was replaced: the sink writes a new
/// file and renames it, never in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileSnapshot {
    path: PathBuf,
    inode: u64,
    size: u64,
    nanoseconds: i64,
    /// Modification time, which the sink sets to when the content changed.
    pub(super) modified: Timestamp,
}

impl FileSnapshot {
    fn new(path: &Path, meta: &Metadata) -> Option<Self> {
        meta.is_file().then(|| Self {
            path: path.to_owned(),
            inode: meta.ino(),
            size: meta.size(),
            nanoseconds: meta.mtime_nsec(),
            modified: Timestamp::from_unix(meta.mtime()),
        })
    }

    /// Reads a file and takes its snapshot; `None` if there is no readable file.
    pub(super) async fn read(path: &Path) -> Option<(Vec<u8>, Self)> {
        // Taken before the bytes are read: if the file is replaced in between, the snapshot is not current.
        let snapshot = Self::new(path, &tokio::fs::metadata(path).await.ok()?)?;
        Some((tokio::fs::read(path).await.ok()?, snapshot))
    }

    /// Returns whether the file is unchanged since the snapshot.
    pub(super) async fn is_current(&self) -> bool {
        let meta = tokio::fs::metadata(&self.path).await.ok();
        meta.and_then(|meta| Self::new(&self.path, &meta)).as_ref() == Some(self)
    }
}
