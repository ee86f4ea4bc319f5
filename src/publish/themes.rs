//! Reads the folder of a theme.

use std::fs;
use std::path::Path;

use crate::render::html::{ThemeError, ThemeParts};

/// The most files of a theme, and the most bytes of one of them.
const MOST_FILES: usize = 200;
const MOST_BYTES: u64 = 2 << 20;

/// Reads a theme's folder. Skips folders, backups that end in `~`, and files whose names begin with a dot or
/// with README.
///
/// # Errors
/// [`ThemeError::Unreadable`].
pub fn read_theme(folder: &Path) -> Result<ThemeParts, ThemeError> {
    let unreadable =
        |path: &Path, why: String| ThemeError::Unreadable { path: path.display().to_string(), why };
    let entries = fs::read_dir(folder).map_err(|error| unreadable(folder, error.to_string()))?;
    let mut parts = ThemeParts::default();
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with('.') || name.ends_with('~') || name.starts_with("README") || path.is_dir() {
            continue;
        }
        let size = fs::metadata(&path).map_err(|error| unreadable(&path, error.to_string()))?.len();
        if size > MOST_BYTES || parts.files.len() >= MOST_FILES {
            return Err(unreadable(&path, format!("a theme has up to {MOST_FILES} files of 2 MiB")));
        }
        let bytes = fs::read(&path).map_err(|error| unreadable(&path, error.to_string()))?;
        parts.files.insert(name, bytes);
    }
    Ok(parts)
}
