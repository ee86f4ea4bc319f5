//! The turn to write into an output directory: one publisher at a time, of whichever process.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;

use super::directory::RECORDS;
use super::error::{SinkError, io_error};

/// Held while a publisher reads the store and writes what it read. What it reads is then no older than what
/// stands there, so that an older publish never writes over a newer one. It ends with its process.
#[derive(Debug)]
pub struct Turn {
    _locked: File,
}

impl Turn {
    /// Waits for whoever publishes into a directory, which is made where it is not there.
    ///
    /// # Errors
    /// [`SinkError::Io`] when it cannot be made or locked.
    pub fn wait(root: &Path) -> Result<Self, SinkError> {
        let records = root.join(RECORDS);
        fs::create_dir_all(&records).map_err(|e| io_error("create", &records, e))?;
        let path = records.join("turn");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|e| io_error("open", &path, e))?;
        match file.lock() {
            // Some network file systems lock nothing; nobody is kept from publishing there.
            Err(error) if error.kind() != ErrorKind::Unsupported => Err(io_error("lock", &path, error)),
            _ => Ok(Self { _locked: file }),
        }
    }
}
