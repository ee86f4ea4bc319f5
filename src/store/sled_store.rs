//! The backend on sled 0.34.7: opening, trees, durability. Verbs are in `read` and `write`.
//!
//! The layout is option A of the measurements told in `docs/architecture.md`: one `Db`, small
//! values only, and a real `fdatasync` after sled's flush, which alone is none on Linux.

use std::fs::{self, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use sled::transaction::TransactionError;
use sled::{Db, Mode, Tree};

use super::codec::{self, FORMAT};
use super::{
    Alias, AtPath, Change, Result, Revision, Sighting, SourceRecord, Store, StoreError, Window, read, write,
};
use crate::model::{Body, Category, CategoryId, InfoCode, Item, Slug, SourceId, SourceState, Timestamp};

/// The trees, in the order in which transactions name them.
#[derive(Debug, Clone, Copy)]
#[expect(
    dead_code,
    reason = "the layout is fixed from the start; the rooms that write the last two come later"
)]
pub(super) enum T {
    /// code → item
    Item,
    /// code, chunk → part of the body
    Body,
    /// category, published, code → 1 shown or 0 straight to the archive, arrival number
    CatTime,
    /// category, arrival number → code
    CatSeq,
    /// code, source → sighting
    Seen,
    /// source, kind, hash → code
    Alias,
    /// category → its record
    Category,
    /// `n` name or `s` slug → category
    CategoryKey,
    /// generation → category
    Changed,
    /// path → article or redirect
    Path,
    /// code, number → revision
    Revision,
    /// name → counter or fixed setting
    Sys,
    /// source → its state
    Source,
    /// time, source → nothing
    Due,
    /// id → source number
    SourceKey,
    /// source, guid hash → nothing
    Void,
    /// code → withdrawn (written by the withdrawal of items)
    Tomb,
    /// generation, code → nothing: items in the order of their last change
    Touched,
    /// number, chunk → compression dictionary (written by its training)
    Dict,
}

const NAMES: [&str; 19] = [
    "item",
    "body",
    "cat_time",
    "cat_seq",
    "seen",
    "alias",
    "cat",
    "cat_key",
    "changed",
    "path",
    "rev",
    "sys",
    "source",
    "due",
    "source_key",
    "void",
    "tomb",
    "touched",
    "dict",
];

/// A store in a folder of its own.
#[derive(Debug)]
pub struct SledStore {
    db: Db,
    trees: Vec<Tree>,
    data: File,
    /// Transactions begun to be stored; what a sync has to cover.
    written: AtomicU64,
    /// Transactions covered by the last sync.
    synced: Mutex<u64>,
    /// Serialises the verbs that read a counter and then write it.
    writer: Mutex<()>,
}

impl SledStore {
    /// Opens the store in `path`, or makes it. `cache` is sled's page cache in bytes.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process has it, [`StoreError::Format`] when a newer
    /// feedmill wrote it, else [`StoreError::Backend`].
    pub fn open(path: &Path, cache: u64) -> Result<Self> {
        let io = |source| backend("create its folder", source);
        // What upstreams sent, and what was withdrawn, is nobody else's to read.
        fs::create_dir_all(path.parent().unwrap_or(path)).map_err(io)?;
        match fs::DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(io(error)),
            _ => {}
        }
        let config = sled::Config::new()
            .path(path)
            .cache_capacity(cache)
            .mode(Mode::HighThroughput)
            .flush_every_ms(None);
        let db = config.open().map_err(|error| open_error(path, error))?;
        let trees = NAMES
            .iter()
            .map(|name| db.open_tree(name))
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(|e| backend("open its trees", e))?;
        let data = File::options().read(true).open(path.join("db")).map_err(io)?;
        let store = Self {
            db,
            trees,
            data,
            written: AtomicU64::new(1),
            synced: Mutex::new(0),
            writer: Mutex::new(()),
        };
        store.check_format()?;
        store.sync()?;
        for folder in [Some(path), path.parent()].into_iter().flatten() {
            if let Ok(folder) = File::open(folder) {
                folder.sync_all().map_err(io)?;
            }
        }
        Ok(store)
    }

    fn check_format(&self) -> Result<()> {
        let sys = self.tree(T::Sys);
        match sys.get("format").map_err(|e| backend("read its format", e))? {
            Some(found) if found.first() == Some(&FORMAT) => {}
            Some(found) => {
                let found = found.first().copied().unwrap_or_default();
                return Err(StoreError::Format { found, known: FORMAT });
            }
            None => {
                sys.insert("format", &[FORMAT]).map_err(|e| backend("write its format", e))?;
            }
        }
        write::ensure_site(self)
    }

    pub(super) fn tree(&self, tree: T) -> &Tree {
        &self.trees[tree as usize]
    }

    pub(super) fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// Marks that something was written which the next sync has to cover.
    pub(super) fn wrote(&self) {
        self.written.fetch_add(1, Ordering::SeqCst);
    }

    /// Serialises counters; a poisoned lock protects nothing that a panic can have broken.
    pub(super) fn writing(&self) -> std::sync::MutexGuard<'_, ()> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Group commit: whoever waits while another syncs finds its own writes covered too.
    fn make_durable(&self) -> Result<()> {
        let mine = self.written.load(Ordering::SeqCst);
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        if *synced >= mine {
            return Ok(());
        }
        let covered = self.written.load(Ordering::SeqCst);
        self.db.flush().map_err(|e| backend("flush", e))?;
        self.data.sync_data().map_err(|e| backend("sync its file", e))?;
        *synced = covered;
        Ok(())
    }
}

/// Wraps what the disk or sled said.
pub(super) fn backend<E>(action: &'static str, source: E) -> StoreError
where
    E: std::error::Error + Send + Sync + 'static,
{
    StoreError::Backend { action, source: Box::new(source) }
}

/// The error of a transaction: ours as it is, sled's wrapped.
pub(super) fn transaction_error(error: TransactionError<StoreError>) -> StoreError {
    match error {
        TransactionError::Abort(ours) => ours,
        TransactionError::Storage(source) => backend("store a transaction", source),
    }
}

fn open_error(path: &Path, error: sled::Error) -> StoreError {
    // sled hides the error number of its lock in the text.
    if error.to_string().contains("could not acquire lock") {
        return StoreError::Locked { path: path.display().to_string() };
    }
    backend("open", error)
}

impl Store for SledStore {
    fn register(&self, sources: &[SourceId], now: Timestamp) -> Result<()> {
        write::register(self, sources, now)
    }
    fn claim_due(&self, now: Timestamp, limit: usize, lease: i64) -> Result<Vec<SourceId>> {
        write::claim_due(self, now, limit, lease)
    }
    fn next_due(&self) -> Result<Option<Timestamp>> {
        read::next_due(self)
    }
    fn complete(&self, id: &SourceId, state: &SourceState, void: &[[u8; 16]]) -> Result<()> {
        write::complete(self, id, state, void)?;
        self.make_durable()
    }
    fn source(&self, id: &SourceId) -> Result<SourceState> {
        read::source(self, id)
    }
    fn sources(&self) -> Result<Vec<SourceRecord>> {
        read::sources(self)
    }
    fn void_guids(&self, id: &SourceId, guids: &[[u8; 16]]) -> Result<Vec<bool>> {
        read::void_guids(self, id, guids)
    }
    fn sightings(&self, id: &SourceId, codes: &[InfoCode]) -> Result<Vec<Option<Sighting>>> {
        read::sightings(self, id, codes)
    }
    fn aliased(&self, id: &SourceId, alias: Alias) -> Result<Option<InfoCode>> {
        read::aliased(self, id, alias)
    }
    fn item(&self, code: &InfoCode) -> Result<Option<Item>> {
        read::item(self, &code.key())
    }
    fn body(&self, code: &InfoCode) -> Result<Body> {
        read::body(self, &code.key())
    }
    fn revisions(&self, code: &InfoCode) -> Result<Vec<Revision>> {
        read::revisions(self, code)
    }
    fn listings(&self, code: &InfoCode) -> Result<Vec<(SourceId, Sighting)>> {
        read::listings(self, code)
    }
    fn commit(&self, changes: Vec<Change>, now: Timestamp) -> Result<()> {
        write::commit(self, changes, now)
    }
    fn sync(&self) -> Result<()> {
        self.make_durable()
    }
    fn ensure_category(&self, name: &str, slug: Option<&Slug>, now: Timestamp) -> Result<Category> {
        write::ensure_category(self, name, slug, now)
    }
    fn find_category(&self, slug_or_name: &str) -> Result<Option<Category>> {
        read::find_category(self, slug_or_name)
    }
    fn alias_category(&self, id: CategoryId, old_slug: &str) -> Result<()> {
        write::alias_category(self, id, old_slug)
    }
    fn category(&self, id: CategoryId) -> Result<Option<Category>> {
        read::category(self, id)
    }
    fn categories(&self) -> Result<Vec<Category>> {
        read::categories(self)
    }
    fn changed_since(&self, generation: u64) -> Result<Vec<Category>> {
        read::changed_since(self, generation)
    }
    fn items_in(&self, category: CategoryId, window: Window) -> Result<Vec<Item>> {
        read::items_in(self, category, window)
    }
    fn arrivals(&self, category: CategoryId, from: u32, to: u32) -> Result<Vec<Item>> {
        read::arrivals(self, category, from, to)
    }
    fn neighbours(&self, category: CategoryId, item: &Item) -> Result<(Option<Item>, Option<Item>)> {
        read::neighbours(self, category, item)
    }
    fn arrival_of(&self, category: CategoryId, item: &Item) -> Result<Option<u32>> {
        read::arrival_of(self, category, item)
    }
    fn touched_since(&self, generation: u64, limit: usize) -> Result<Vec<Item>> {
        read::touched_since(self, generation, limit)
    }
    fn find(&self, text: &str, limit: usize) -> Result<Vec<Item>> {
        read::find(self, text, limit)
    }
    fn at_path(&self, path: &str) -> Result<Option<AtPath>> {
        read::at_path(self, path)
    }
    fn mark_published(&self, generation: u64) -> Result<()> {
        self.tree(T::Sys)
            .insert("published", &generation.to_be_bytes())
            .map_err(|e| backend("mark a publish", e))?;
        self.wrote();
        Ok(())
    }
    fn published_generation(&self) -> Result<u64> {
        read::counter(self, "published")
    }
    fn fix(&self, key: &'static str, value: &str, set: bool) -> Result<()> {
        write::fix(self, key, value, set)
    }
    fn identity(&self) -> Result<(u64, u64)> {
        Ok((read::counter(self, "identity")?, read::counter(self, "renames")?))
    }
    fn generation(&self) -> Result<u64> {
        read::counter(self, "generation")
    }
}

/// The key of a name or slug in [`T::CategoryKey`]; names are folded to one line.
pub(super) fn category_key(kind: u8, text: &str) -> Vec<u8> {
    let mut key = vec![kind];
    key.extend_from_slice(text.as_bytes());
    key.truncate(400);
    key
}

pub(super) use codec::MAX_VALUE as VALUE_LIMIT;
