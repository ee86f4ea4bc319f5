//! How what was gathered becomes visible and durable (RULES 4.3), and what is left of it where it does not.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::directory::{Directory, Gathered, RECORDS, SYNC_ALL_FROM};
use super::error::{SinkError, io_error};

type Result<T> = std::result::Result<T, SinkError>;

impl Directory {
    /// Makes all that was gathered visible and durable: notes first, then files, then the records of what
    /// they show, so that a crash in between only means that the same bytes are compared again.
    ///
    /// # Errors
    /// [`SinkError::Io`]; what was gathered stays gathered.
    pub fn commit(&mut self) -> Result<()> {
        self.rename_all(|own| &mut own.notes)?;
        self.rename_all(|own| &mut own.pending)?;
        while let Some(path) = self.removals.last() {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(io_error("remove", path, error));
                }
                _ => self.remove_empty_folders(path),
            }
            self.removals.pop_last();
        }
        while let Some((name, bytes)) = self.records.last() {
            let target = self.record_path(name);
            let temp = Self::write_temp(&target, bytes, None)?;
            self.pending.insert(target, temp);
            self.records.pop();
        }
        self.rename_all(|own| &mut own.pending)
    }

    /// Folders that had nothing but what was removed; a system keeps one that has anything.
    fn remove_empty_folders(&self, removed: &Path) {
        let mut folder = removed.parent();
        while let Some(path) = folder.filter(|path| *path != self.root && path.starts_with(&self.root)) {
            if path.ends_with(RECORDS) || fs::remove_dir(path).is_err() {
                return;
            }
            folder = path.parent();
        }
    }

    fn rename_all(&mut self, of: fn(&mut Self) -> &mut Gathered) -> Result<()> {
        let count = of(self).len();
        if count == 0 {
            return Ok(());
        }
        let many = count >= SYNC_ALL_FROM;
        if many {
            self.sync_all()?;
        } else {
            for temp in of(self).values() {
                OpenOptions::new()
                    .read(true)
                    .open(temp)
                    .and_then(|file| file.sync_all())
                    .map_err(|e| io_error("sync", temp, e))?;
            }
        }
        let mut folders: Vec<PathBuf> = Vec::new();
        let gathered = of(self);
        while let Some((target, temp)) = gathered.last_key_value() {
            fs::rename(temp, target).map_err(|e| io_error("rename to", target, e))?;
            let folder =
                target.parent().filter(|folder| !many && !folders.iter().any(|known| known == folder));
            folders.extend(folder.map(Path::to_owned));
            gathered.pop_last();
        }
        if many {
            return self.sync_all();
        }
        for folder in folders {
            fs::File::open(&folder).and_then(|f| f.sync_all()).map_err(|e| io_error("sync", &folder, e))?;
        }
        Ok(())
    }

    fn sync_all(&self) -> Result<()> {
        let root = fs::File::open(&self.root).map_err(|e| io_error("open", &self.root, e))?;
        rustix::fs::syncfs(&root).map_err(|e| io_error("sync", &self.root, e.into()))
    }
}

/// What was gathered and not made visible leaves nothing behind.
impl Drop for Directory {
    fn drop(&mut self) {
        for temp in self.pending.values().chain(self.notes.values()) {
            let _ = fs::remove_file(temp);
        }
    }
}
