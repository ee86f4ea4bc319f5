//! The lock of a store, held by a process that has it open or is about to open it.
//!
//! sled locks a file inside the store's folder, and only while a database is open. A store that is rewritten is
//! closed in between, and its folder is swapped with another: without a lock of its own, another process could
//! open it in that moment, and would then work in a folder that is about to be deleted. A process therefore
//! holds this lock, a file next to the folder, from before it reads the folder until it is done with it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use super::database::backend;
use crate::store::{Result, StoreError};

/// Attempts to take a lock that an ending process may release, and the pause between them.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(20);

/// The lock, held as long as a process has the store.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of the store in `path`, which need not exist yet.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if another process, or another store in this one, holds it; otherwise those of
    /// the disk.
    pub(super) fn of(path: &Path) -> Result<Self> {
        let file = open(path).map_err(|e| backend("open its lock", e))?;
        for _ in 0..TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) => sleep(PAUSE),
                // Some network file systems support no locks; then only sled's own lock protects the store.
                Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
                    return Ok(Self { _file: file });
                }
                Err(TryLockError::Error(error)) => return Err(backend("take its lock", error)),
            }
        }
        Err(StoreError::Locked { path: path.display().to_string() })
    }
}

fn open(path: &Path) -> io::Result<File> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let lock = path.with_file_name(format!(".{name}.lock"));
    fs::create_dir_all(lock.parent().unwrap_or(Path::new(".")))?;
    match OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&lock) {
        // Another user created it, or the disk is read-only: it can be locked all the same.
        Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => {
            File::open(&lock).map_err(|_| error)
        }
        opened => opened,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::SledStore;
    use crate::store::sled::opening::close;

    #[test]
    fn a_store_that_is_closed_for_a_moment_is_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let store = SledStore::open(&path, 1 << 20).unwrap();
        // As during a rewrite.
        assert!(close(&mut store.slot.write().unwrap()));
        assert!(matches!(SledStore::open(&path, 1 << 20), Err(StoreError::Locked { .. })));
        drop(store);
        SledStore::open(&path, 1 << 20).unwrap();
    }
}
