//! A file of the outputs, and how to tell that it is still the same one.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::model::Timestamp;

/// What tells a file from the one that replaces it: outputs are never written in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileMark {
    path: PathBuf,
    inode: u64,
    size: u64,
    nanoseconds: i64,
    /// When its content changed: the sink sets the file's time to that.
    pub(super) modified: Timestamp,
}

impl FileMark {
    fn of(path: &Path, meta: &Metadata) -> Option<Self> {
        meta.is_file().then(|| Self {
            path: path.to_owned(),
            inode: meta.ino(),
            size: meta.size(),
            nanoseconds: meta.mtime_nsec(),
            modified: Timestamp::from_unix(meta.mtime()),
        })
    }

    /// Reads a file with its mark; `None` where there is none.
    pub(super) async fn read(path: &Path) -> Option<(Vec<u8>, Self)> {
        // Before the bytes: a file that is replaced in between is looked at again.
        let mark = Self::of(path, &tokio::fs::metadata(path).await.ok()?)?;
        Some((tokio::fs::read(path).await.ok()?, mark))
    }

    /// Whether the file is still there as it was.
    pub(super) async fn holds(&self) -> bool {
        let meta = tokio::fs::metadata(&self.path).await.ok();
        meta.and_then(|meta| Self::of(&self.path, &meta)).as_ref() == Some(self)
    }
}
