//! Removal of temporary files that a killed process left. They hold text that was about to be published and
//! may have been erased since.

use std::fs;
use std::path::Path;

use tracing::debug;

use super::directory::{Directory, RECORDS, TEMP};

impl Directory {
    /// Removes the temporary files of earlier processes. Walks the whole directory, so it is meant for
    /// publishes that check every file.
    pub fn remove_temp_files(&self) {
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let (path, name) = (entry.path(), entry.file_name());
                let name = name.to_string_lossy();
                // Symbolic links are not followed, and hidden folders belong to somebody else.
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    folders.extend(Some(path).filter(|_| name == RECORDS || !name.starts_with('.')));
                } else if name.ends_with(TEMP) {
                    remove(&path);
                }
            }
        }
    }
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        debug!(path = %path.display(), %error, "a temporary file cannot be removed; the next start tries again");
    }
}
