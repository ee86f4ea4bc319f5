//! The lock of a config's folder: whoever changes the files, or goes by them until others can reach it, holds
//! it. Does not own: the files (`load`), or what is changed in them (`edit`).

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

/// Held by a command from the reading of the config until the daemon uses what it wrote, and by a process that
/// starts until its control socket listens: no command changes the config in between, unheard. It ends with
/// its process.
#[derive(Debug)]
pub struct ConfigLock {
    /// The folder itself, so that no file appears among the admin's; `None` where the file system locks
    /// nothing, as some network file systems.
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

/// Returns the folder that a config's main file stands in.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
