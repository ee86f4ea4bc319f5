//! The last export, from which a damaged store gets back texts and articles.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tracing::warn;

use super::repair::{forget, put_text};
use super::{add, restore};
use crate::model::{Body, Timestamp, chain};
use crate::store::backup::{self, ItemLine, Line};
use crate::store::sled::database::readable;
use crate::store::sled::engine::Engine;
use crate::store::sled::{items, sources};
use crate::store::{Result, StoreError};

/// An export that was read to its end once.
#[derive(Debug)]
pub(super) struct Lender {
    path: PathBuf,
    /// Time at which it was made.
    pub(super) made: Timestamp,
    /// The last generation in it; 0 if the export is not complete.
    pub(super) generation: u64,
}

impl Lender {
    /// Returns the newest automatic export in a folder that is whole.
    pub(super) fn newest(exports: Option<&Path>) -> Option<Self> {
        let all = exports.map(backup::all).unwrap_or_default();
        all.into_iter().rev().find_map(|path| match Self::read(&path) {
            Ok(lender) => Some(lender),
            Err(error) => {
                warn!(path = %path.display(), error = chain(&error), "an export cannot be used");
                None
            }
        })
    }

    fn read(path: &Path) -> Result<Self> {
        let head = backup::head(path)?;
        let mut generation = 0;
        backup::read(path, &mut |_, _| {}, |line| {
            if let Line::Counter { name, value } = line
                && name == "generation"
                && head.complete
            {
                generation = value;
            }
            Ok(())
        })?;
        Ok(Self { path: path.to_owned(), made: head.made, generation })
    }

    /// Makes a store from it in a folder without one.
    pub(super) fn restore(&self, folder: &Path, cache: u64) -> Result<()> {
        restore::restore(&self.path, folder, cache, &mut |_, _| {})
    }

    fn each(
        &self,
        wanted: &BTreeSet<Vec<u8>>,
        mut take: impl FnMut(&[u8], ItemLine) -> Result<()>,
    ) -> Result<()> {
        backup::read(&self.path, &mut |_, _| {}, |line| match line {
            Line::Item(whole) if wanted.contains(&whole.item.code.key()) => {
                take(&whole.item.code.key(), *whole)
            }
            _ => Ok(()),
        })
    }

    /// Returns how many of these articles it has.
    pub(super) fn has(&self, wanted: &BTreeSet<Vec<u8>>) -> Result<u64> {
        let mut found = BTreeSet::new();
        if !wanted.is_empty() {
            self.each(wanted, |key, _| {
                found.insert(key.to_vec());
                Ok(())
            })?;
        }
        Ok(found.len() as u64)
    }

    /// Restores the texts of articles, and returns the keys of those that it had. Articles that changed since
    /// are fetched again from their sources.
    pub(super) fn texts(&self, engine: &Engine, wanted: &BTreeSet<Vec<u8>>) -> Result<BTreeSet<Vec<u8>>> {
        let (mut found, mut older) = (BTreeSet::new(), false);
        if wanted.is_empty() {
            return Ok(found);
        }
        self.each(wanted, |key, whole| {
            let Some(item) = readable(items::item(&engine.db, key))?.flatten() else { return Ok(()) };
            if whole.body == Body::default() {
                return Ok(());
            }
            put_text(engine, key, &item, &whole.body)?;
            if whole.item.touched != item.touched {
                older = true;
                forget(engine, key, false)?;
            }
            found.insert(key.to_vec());
            Ok(())
        })?;
        if older {
            sources::forget_documents(engine)?;
        }
        Ok(found)
    }

    /// Adds articles that the store lacks, some of them or all, and returns their number. An export of another
    /// site adds none.
    pub(super) fn articles(
        &self,
        engine: &Engine,
        only: Option<&BTreeSet<Vec<u8>>>,
        now: Timestamp,
    ) -> Result<u64> {
        if only.is_some_and(BTreeSet::is_empty) {
            return Ok(0);
        }
        match add::add_only(engine, &self.path, only, now, &mut |_, _| {}) {
            Ok(taken) => Ok(taken.items),
            Err(error @ (StoreError::Foreign { .. } | StoreError::Unusable { .. })) => {
                warn!(path = %self.path.display(), error = chain(&error), "nothing comes from an export");
                Ok(0)
            }
            Err(error) => Err(error),
        }
    }
}
