//! Taking a backup in: as the whole store, or what is missing in the present one.

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

/// What an import came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Imported {
    /// The store is the one that was written down; the one before is kept here.
    Replaced(PathBuf),
    /// What was missing came in.
    Added(TakenIn),
}

impl SledStore {
    /// Takes in a file that an export wrote. A store that is empty, or is to be replaced, becomes the one that
    /// was written down, and is kept beside it; to one that holds items what is missing is added. Outputs
    /// look at everything again.
    ///
    /// # Errors
    /// [`crate::store::StoreError::Unusable`] where the file is damaged, cut off or no export,
    /// [`crate::store::StoreError::Foreign`] where it is of another site; the store then is as it was.
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

    /// Puts a store made of a backup in the place of this one, which is kept under the name given back.
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

/// A file without numbers adds to an empty store as well as to another.
fn replaces(head: &Head, asked: bool, is_empty: bool) -> bool {
    asked || (is_empty && head.complete)
}
