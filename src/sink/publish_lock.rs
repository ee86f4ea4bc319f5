//! The lock of an output directory: one publish at a time, across processes.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;

use super::directory::RECORDS;
use super::error::{SinkError, io_error};

/// Held from before a publish reads the store until its files are written, so that an older publish never
/// overwrites a newer one. The system releases it when the process ends.
#[derive(Debug)]
pub struct PublishLock {
    _locked: File,
}

impl PublishLock {
    /// Waits until no other publish holds the lock of a directory, which is created if it is missing.
    ///
    /// # Errors
    /// [`SinkError::Io`] if the directory cannot be created or locked.
    pub fn acquire(root: &Path) -> Result<Self, SinkError> {
        let records = root.join(RECORDS);
        fs::create_dir_all(&records).map_err(|e| io_error("create", &records, e))?;
        // The name is that of earlier versions, which a running daemon may be.
        let path = records.join("turn");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|e| io_error("open", &path, e))?;
        match file.lock() {
            // Some network file systems have no locks; publishing there works without.
            Err(error) if error.kind() != ErrorKind::Unsupported => Err(io_error("lock", &path, error)),
            _ => Ok(Self { _locked: file }),
        }
    }
}
