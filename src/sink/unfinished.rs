//! Files that a process had begun when it was killed. They have the words of what was to be published, and what
//! that was may be erased since.

use std::fs;
use std::path::Path;

use tracing::debug;

use super::directory::{Directory, RECORDS, TEMP};

impl Directory {
    /// Deletes what earlier processes began and did not end. Walks the whole directory, so only for looks at
    /// every file.
    pub fn clear_unfinished(&self) {
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let (path, name) = (entry.path(), entry.file_name());
                let name = name.to_string_lossy();
                // A link to a folder may lead anywhere; what begins with a dot is somebody else's.
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    folders.extend(Some(path).filter(|_| name == RECORDS || !name.starts_with('.')));
                } else if name.ends_with(TEMP) {
                    clear(&path);
                }
            }
        }
    }
}

fn clear(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        debug!(path = %path.display(), %error, "a file that was begun cannot be deleted; the next start tries again");
    }
}
