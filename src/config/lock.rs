//! The lock of a config's folder, held by every process that changes the files or that reads them before it
//! can be notified of changes. Does not own: the files (`load`), or the changes (`edit`).

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

/// The lock of a config's folder. A command holds it from reading the config until the daemon uses what it
/// wrote; a starting process holds it until its control socket listens, so that no command changes the config
/// in between. The system releases it when the process ends.
#[derive(Debug)]
pub struct ConfigLock {
    /// The folder itself, so that no lock file appears among the admin's files; `None` where the file system
    /// does not support locks, as some network file systems.
    _locked: Option<File>,
}

impl ConfigLock {
    /// Locks the folder of the main file `path`; `waiting` is called if another process holds the lock.
    ///
    /// # Errors
    /// When the folder cannot be opened or locked.
    pub fn wait(path: &Path, waiting: impl FnOnce()) -> io::Result<Self> {
        let file = File::open(folder_of(path))?;
        let locked = match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                waiting();
                file.lock()
            }
            Err(TryLockError::Error(error)) => Err(error),
            Ok(()) => Ok(()),
        };
        match locked {
            Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(Self { _locked: None }),
            locked => locked.map(|()| Self { _locked: Some(file) }),
        }
    }
}

/// Returns the folder of a config's main file.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
