//! Other places that have withdrawn articles: exports, and older stores beside the one in use.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::mill::Mill;
use crate::config::{Config, Exports};
use crate::model::{InfoCode, chain};
use crate::store::backup;

/// Files and folders that contain some articles.
#[derive(Debug, Clone, Default)]
pub(super) struct OtherCopies {
    /// Exports in the folder of the automatic ones.
    pub(super) exports: Vec<PathBuf>,
    /// Files in that folder that cannot be read.
    pub(super) unread: Vec<PathBuf>,
    /// Older stores; their contents are not read.
    pub(super) stores: Vec<PathBuf>,
}

impl OtherCopies {
    /// Finds the exports that contain the items; with `shown`, only those from which an import would publish
    /// them.
    ///
    /// Reads every export: `seen` gets the bytes read, the total and the path.
    pub(super) fn of(
        config: &Config,
        codes: &BTreeSet<InfoCode>,
        shown: bool,
        seen: &dyn Fn(u64, u64, &Path),
    ) -> Self {
        let mut holding = Self { stores: kept_stores(&config.store.path), ..Self::default() };
        for path in backup::all(&config.exports.folder) {
            match backup::holds(&path, codes, shown, &mut |done, of| seen(done, of, &path)) {
                Ok(true) => holding.exports.push(path),
                Ok(false) => {}
                Err(_) => holding.unread.push(path),
            }
        }
        holding
    }
}

/// Replaces exports with a new one, which is returned; makes none if the config wants no exports.
///
/// # Errors
/// A message. Nothing is deleted if the new export cannot be written.
pub(super) fn replace(mill: &Mill, exports: &[PathBuf]) -> Result<Option<PathBuf>, String> {
    if exports.is_empty() {
        return Ok(None);
    }
    let Exports { folder, every, keep } = &mill.config.exports;
    let now = mill.clock.now();
    let made = (*keep > 0 && !every.is_zero()).then(|| folder.join(backup::name(now)));
    if let Some(path) = &made {
        let written = mill.backend.export(path, backup::Form::Packed, now, &mut |_, _| {});
        written.map_err(|e| format!("no new export can be written, so the old ones stay: {}", chain(&e)))?;
    }
    for path in exports.iter().filter(|path| made.as_ref() != Some(*path)) {
        fs::remove_file(path)
            .map_err(|e| format!("the export `{}` cannot be deleted: {e}", path.display()))?;
    }
    Ok(made)
}

/// Returns the folders beside the store whose names begin with the store's own name and a dot: damaged
/// stores, those from before an import or an upgrade, copies that somebody made.
fn kept_stores(store: &Path) -> Vec<PathBuf> {
    let own = format!("{}.", store.file_name().unwrap_or_default().to_string_lossy());
    let is_kept = |path: &PathBuf| {
        path.is_dir() && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&own))
    };
    let folder = store.parent().unwrap_or(Path::new("."));
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut kept: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_kept).collect();
    kept.sort();
    kept
}
