//! Importing a backup: as the whole store, or only what the present one lacks.

use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use super::add::{self, TakenIn};
use super::{disk, restore, swap};
use crate::model::Timestamp;
use crate::store::backup::{self, Head};
use crate::store::sled::database::TreeId;
use crate::store::sled::opening::close;
use crate::store::sled::options::StoreOptions;
use crate::store::sled::settings;
use crate::store::sled::store::SledStore;
use crate::store::{Progress, Result};

/// The result of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Imported {
    /// The backup replaced the store; the previous one is kept here.
    Replaced(PathBuf),
    /// What the store lacked was added.
    Added(TakenIn),
}

impl SledStore {
    /// Imports a file that an export wrote. A store that is empty (if the file is complete) or is to be
    /// replaced is replaced by the exported one and kept beside it; to any other, what it lacks is added.
    /// Outputs are checked again after a replacement.
    ///
    /// # Errors
    /// [`crate::store::StoreError::Unusable`] if the file is damaged, truncated or no export,
    /// [`crate::store::StoreError::Foreign`] if it is of another site; the store is then unchanged.
    pub fn import(
        &self,
        file: &Path,
        replace: bool,
        now: Timestamp,
        progress: Progress<'_>,
    ) -> Result<Imported> {
        let head = backup::head(file)?;
        let is_empty = self.with(|engine| {
            settings::agree(&engine.db, &head.fixed)?;
            Ok(engine.db.tree(TreeId::Item).is_empty())
        })?;
        if replaces(&head, replace, is_empty) {
            return self.replaced(file, progress).map(Imported::Replaced);
        }
        self.write(|engine| add::add(engine, file, now, progress)).map(Imported::Added)
    }

    /// Replaces this store by one made from a backup, and returns the path at which it is kept.
    fn replaced(&self, file: &Path, progress: Progress<'_>) -> Result<PathBuf> {
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        let StoreOptions { path, cache, .. } = &self.options;
        let beside = swap::new(path);
        if let Err(error) = restore::restore(file, &beside, *cache, progress) {
            drop(disk::clear(&beside));
            return Err(error);
        }
        let kept = disk::free_name(&disk::beside(path, "replaced"))?;
        close(&mut slot);
        self.succeed(&mut slot, Ok(true), &kept).map(|_| kept)
    }
}

/// Returns whether an import replaces the store. A file without numbers only adds, even to an empty store.
fn replaces(head: &Head, asked: bool, is_empty: bool) -> bool {
    asked || (is_empty && head.complete)
}
