//! Committing staged writes: they become visible and durable (RULES 4.3), or their temporary files are
//! removed.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::directory::{Directory, RECORDS, SYNC_ALL_FROM, Staged};
use super::error::{SinkError, io_error};

type Result<T> = std::result::Result<T, SinkError>;

impl Directory {
    /// Makes all staged writes visible and durable. Early records come first, then files, then the other
    /// records: after a crash in between, the next publish compares the same files again.
    ///
    /// # Errors
    /// [`SinkError::Io`]; what is not committed stays staged.
    pub fn commit(&mut self) -> Result<()> {
        self.rename_all(|own| &mut own.early_records)?;
        self.rename_all(|own| &mut own.files)?;
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
            self.files.insert(target, temp);
            self.records.pop();
        }
        self.rename_all(|own| &mut own.files)
    }

    /// Removes the folders that are empty after a removal.
    fn remove_empty_folders(&self, removed: &Path) {
        let mut folder = removed.parent();
        while let Some(path) = folder.filter(|path| *path != self.root && path.starts_with(&self.root)) {
            // `remove_dir` fails for a folder that is not empty.
            if path.ends_with(RECORDS) || fs::remove_dir(path).is_err() {
                return;
            }
            folder = path.parent();
        }
    }

    /// Syncs temporary files, renames them to their targets and syncs the folders.
    fn rename_all(&mut self, staged: fn(&mut Self) -> &mut Staged) -> Result<()> {
        let count = staged(self).len();
        if count == 0 {
            return Ok(());
        }
        let many = count >= SYNC_ALL_FROM;
        if many {
            self.sync_all()?;
        } else {
            for temp in staged(self).values() {
                OpenOptions::new()
                    .read(true)
                    .open(temp)
                    .and_then(|file| file.sync_all())
                    .map_err(|e| io_error("sync", temp, e))?;
            }
        }
        let mut folders: Vec<PathBuf> = Vec::new();
        let files = staged(self);
        while let Some((target, temp)) = files.last_key_value() {
            fs::rename(temp, target).map_err(|e| io_error("rename to", target, e))?;
            let folder =
                target.parent().filter(|folder| !many && !folders.iter().any(|known| known == folder));
            folders.extend(folder.map(Path::to_owned));
            files.pop_last();
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

/// Removes the temporary files of writes that were not committed.
impl Drop for Directory {
    fn drop(&mut self) {
        for temp in self.files.values().chain(self.early_records.values()) {
            let _ = fs::remove_file(temp);
        }
    }
}
