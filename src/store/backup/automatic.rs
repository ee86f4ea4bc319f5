//! Automatic exports, whose names contain the time at which each was made.

use std::fs;
use std::path::{Path, PathBuf};

use crate::model::Timestamp;

/// The suffix of their names.
const SUFFIX: &str = ".feedmill";

/// Returns the name of an automatic export made at `now`; names sort by time.
#[must_use]
pub fn name(now: Timestamp) -> String {
    format!("store-{}{SUFFIX}", now.to_utc().format("%Y%m%dT%H%M%SZ"))
}

/// Returns when an automatic export was made, from its name.
#[must_use]
pub fn made_at(path: &Path) -> Option<Timestamp> {
    let name = path.file_name()?.to_str()?.strip_prefix("store-")?.strip_suffix(SUFFIX)?;
    let at = chrono::NaiveDateTime::parse_from_str(name, "%Y%m%dT%H%M%SZ").ok()?;
    Some(Timestamp::from(at.and_utc()))
}

/// Returns the automatic exports in a folder, oldest first.
#[must_use]
pub fn all(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(SUFFIX)))
        .collect();
    found.sort();
    found
}
