//! The engine: one open database with the files of texts, the compression dictionaries and the sources kept in
//! memory. All verbs work on it.

use std::path::Path;

use super::bodies::{self, Dictionaries, Texts};
use super::categories;
use super::database::Database;
use super::source_cache::SourceCache;
use crate::model::Body;
use crate::store::Result;

/// An open store.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) db: Database,
    pub(super) texts: Texts,
    dictionaries: Dictionaries,
    /// The sources, read once.
    pub(super) sources: SourceCache,
}

impl Engine {
    /// Opens the store in `path`, or creates it. `cache` is the size of the database's page cache, in bytes.
    ///
    /// # Errors
    /// As [`Database::open`] and [`Database::check_format`]. sled may panic on damage; callers catch that.
    pub(super) fn at(path: &Path, cache: u64) -> Result<Self> {
        let engine = Self::bare(path, cache)?;
        engine.begin()?;
        Ok(engine)
    }

    /// Opens the store, or creates one without any record, without checking its format.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub(super) fn bare(path: &Path, cache: u64) -> Result<Self> {
        Ok(Self {
            db: Database::open(path, cache)?,
            texts: Texts::open(path)?,
            dictionaries: Dictionaries::default(),
            sources: SourceCache::default(),
        })
    }

    /// Checks the format, and creates the records that every store has.
    ///
    /// # Errors
    /// As [`Database::check_format`].
    pub(super) fn begin(&self) -> Result<()> {
        self.db.check_format()?;
        categories::ensure_site(&self.db)?;
        self.db.sync()
    }

    /// Packs texts with the newest dictionary, in the order given.
    ///
    /// # Errors
    /// [`crate::store::StoreError::TooLarge`]; those of the store.
    pub(super) fn pack<'a>(&self, texts: impl IntoIterator<Item = &'a Body>) -> Result<Vec<Vec<u8>>> {
        let dictionary = self.dictionaries.newest(&self.db)?;
        texts.into_iter().map(|body| bodies::pack(body, dictionary.as_deref())).collect()
    }

    /// Unpacks what [`Engine::pack`] returned.
    ///
    /// # Errors
    /// [`crate::store::StoreError::Damaged`].
    pub(super) fn unpack(&self, packed: &[u8]) -> Result<Body> {
        bodies::unpack(packed, |id| self.dictionaries.get(&self.db, id))
    }
}
