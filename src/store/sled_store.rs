//! The backend on sled 0.34.7: every verb under guard, and mending what broke.
//!
//! sled forgives nothing: after one failed write all that follow fail, and damage may make it
//! panic. So the open database stands behind a lock, every verb runs where a panic becomes an
//! error, and [`SledStore::mend`] closes it and opens it again, or puts it aside and begins anew
//! from the last export. Verbs themselves are in `read`, `write` and `withdraw`.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};

use tracing::{error, warn};

use super::open::{Open, corrupt};
use super::{
    Alias, AtPath, Change, Event, LogPage, Result, Retention, Revision, Sighting, SourceRecord, Store,
    StoreError, Tombstone, Window, log, read, room, withdraw, write,
};
use crate::model::{
    Article, Body, Category, CategoryId, InfoCode, Item, Slug, SourceId, SourceState, Timestamp,
};

/// Databases up to this size, in bytes, are read through when they are opened; larger ones by
/// [`SledStore::verify`], while the mill already turns.
const READ_THROUGH: u64 = 48 << 20;

/// How the store is kept.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Its folder.
    pub path: PathBuf,
    /// sled's page cache, in bytes.
    pub cache: u64,
    /// A file of so many bytes that is deleted when the disk is full, so that there is room to
    /// open; 0 for none.
    pub ballast: u64,
    /// With fewer bytes free on its disk the store takes nothing in.
    pub low_water: u64,
    /// Where automatic exports are; a damaged store begins anew from the last.
    pub exports: Option<PathBuf>,
}

impl StoreOptions {
    /// A store without ballast, low-water mark and exports.
    #[must_use]
    pub fn plain(path: &Path, cache: u64) -> Self {
        Self { path: path.to_owned(), cache, ballast: 0, low_water: 0, exports: None }
    }
}

/// What had to be done to open the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mended {
    /// Nothing.
    Sound,
    /// It was closed and opened again; what was not durable yet may be gone.
    Reopened,
    /// It was damaged and begins anew.
    Anew {
        /// Where the damaged one is now.
        aside: PathBuf,
        /// The export that the new one was made from.
        export: Option<PathBuf>,
        /// What was wrong.
        why: String,
    },
}

/// A store in a folder of its own.
#[derive(Debug)]
pub struct SledStore {
    options: StoreOptions,
    open: RwLock<Option<Open>>,
    /// What broke it, until it is mended.
    broken: Mutex<Option<StoreError>>,
}

impl SledStore {
    /// Opens the store in `path`, or makes it; nothing is mended.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process has it, [`StoreError::Format`] when a newer
    /// feedmill wrote it, [`StoreError::Corrupt`] when it is damaged, else
    /// [`StoreError::Backend`].
    pub fn open(path: &Path, cache: u64) -> Result<Self> {
        let options = StoreOptions::plain(path, cache);
        let open = guarded(&options)?;
        Ok(Self { options, open: RwLock::new(Some(open)), broken: Mutex::default() })
    }

    /// Opens the store; a damaged one is put aside and begun anew from the last export.
    ///
    /// # Errors
    /// As [`SledStore::open`], but for damage; [`StoreError::Full`] where even without its ballast
    /// there is no room.
    pub fn open_or_mend(options: StoreOptions) -> Result<(Self, Mended)> {
        let store = Self { options, open: RwLock::new(None), broken: Mutex::default() };
        let mended = store.reopen(None)?;
        Ok((store, mended))
    }

    /// Opens the store again after a verb failed, and mends what is damaged. Blocks all verbs
    /// meanwhile. Nothing happens to a store that nothing broke.
    ///
    /// # Errors
    /// As [`SledStore::open_or_mend`]; verbs then fail with [`StoreError::Closed`], and another
    /// try is due later.
    pub fn mend(&self) -> Result<Mended> {
        let broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(why) = broken else { return Ok(Mended::Sound) };
        warn!(error = crate::model::chain(&why), "the store is closed and opened again");
        let mended = self.reopen(Some(&why));
        if let Err(error) = &mended {
            let why = crate::model::chain(error);
            *self.broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(StoreError::Closed { why });
        }
        mended
    }

    fn reopen(&self, because: Option<&StoreError>) -> Result<Mended> {
        let mut slot = self.open.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = slot.take() {
            // Its last flush may fail, or panic, as what came before did.
            drop(catch_unwind(AssertUnwindSafe(|| drop(open))));
        }
        let options = &self.options;
        let opened = match guarded(options) {
            Err(StoreError::Full) if room::drop_ballast(options) => guarded(options),
            opened => opened,
        };
        let suspect = matches!(because, Some(StoreError::Corrupt { .. }));
        let opened = opened.and_then(|open| {
            let small = room::size(&open.path().join("db")) <= READ_THROUGH;
            if small || suspect { read_through(&open).map(|()| open) } else { Ok(open) }
        });
        let (open, mended) = match opened {
            Ok(open) if because.is_some() => (open, Mended::Reopened),
            Ok(open) => (open, Mended::Sound),
            Err(why @ (StoreError::Corrupt { .. } | StoreError::Damaged { .. })) => self.anew(&why)?,
            Err(error) => return Err(error),
        };
        room::hold_ballast(options);
        *slot = Some(open);
        Ok(mended)
    }

    /// Puts the damaged database aside and begins a new one from the last export that is whole.
    fn anew(&self, why: &StoreError) -> Result<(Open, Mended)> {
        let why = crate::model::chain(why);
        let aside = room::put_aside(&self.options.path)?;
        error!(%why, aside = %aside.display(), "the store is damaged: it is put aside, and a new one begins");
        let export = super::export::newest_whole(&self.options);
        if let Some(export) = &export {
            super::export::import(export, &self.options.path, self.options.cache, &mut |_, _| {})?;
        }
        let open = guarded(&self.options)?;
        Ok((open, Mended::Anew { aside, export, why }))
    }

    /// Whether there is room to take something in (`low_water`).
    #[must_use]
    pub fn has_room(&self) -> bool {
        room::free(&self.options.path).is_none_or(|free| free >= self.options.low_water)
    }

    /// Reads every record, so that damage is found before it is needed.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] or [`StoreError::Damaged`]; the store is then to be mended.
    pub fn verify(&self) -> Result<()> {
        self.with(read_through)
    }

    /// Trains a compression dictionary when there are articles enough for it; gives its bytes.
    ///
    /// # Errors
    /// Those of the store.
    pub fn train(&self) -> Result<Option<usize>> {
        self.write(super::dictionary::train)
    }

    /// Writes the whole store into a file while it is in use (`store::export`); gives the file's
    /// bytes.
    ///
    /// # Errors
    /// Those of the store, and of the disk that is written to.
    pub fn export(&self, path: &Path, now: Timestamp, progress: super::export::Progress<'_>) -> Result<u64> {
        self.with(|open| super::export::export(open, path, now, progress))
    }

    /// Runs `work` on the open database; a panic in it becomes an error.
    pub(super) fn with<R>(&self, work: impl FnOnce(&Open) -> Result<R>) -> Result<R> {
        let slot = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let Some(open) = slot.as_ref() else {
            return Err(StoreError::Closed { why: "it could not be opened again yet".to_owned() });
        };
        let done = catch_unwind(AssertUnwindSafe(|| work(open)))
            .unwrap_or_else(|panic| Err(corrupt("do its work", panic_text(&*panic))));
        if let Err(error @ (StoreError::Backend { .. } | StoreError::Corrupt { .. } | StoreError::Full)) =
            &done
        {
            let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
            broken.get_or_insert_with(|| again(error));
        }
        done
    }

    /// As [`SledStore::with`], for verbs that write: a disk about to be full is not even tried,
    /// for sled would not write again before it is opened anew.
    pub(super) fn write<R>(&self, work: impl FnOnce(&Open) -> Result<R>) -> Result<R> {
        if self.options.low_water > 0 && room::free(&self.options.path).is_some_and(|free| free < room::LEAST)
        {
            return Err(StoreError::Full);
        }
        self.with(work)
    }
}

/// What is kept of an error, which is no `Clone`.
fn again(error: &StoreError) -> StoreError {
    match error {
        StoreError::Full => StoreError::Full,
        StoreError::Corrupt { action, detail } => corrupt(action, detail),
        other => StoreError::Closed { why: crate::model::chain(other) },
    }
}

/// Opens the database where a panic of sled becomes an error.
pub(super) fn guarded(options: &StoreOptions) -> Result<Open> {
    catch_unwind(AssertUnwindSafe(|| Open::at(&options.path, options.cache)))
        .unwrap_or_else(|panic| Err(corrupt("open", panic_text(&*panic))))
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    format!("sled broke off: {}", text.unwrap_or("no reason given"))
}

fn read_through(open: &Open) -> Result<()> {
    for tree in open.trees() {
        for entry in tree {
            entry.map_err(|e| super::open::backend("read it through", e))?;
        }
    }
    Ok(())
}

impl Store for SledStore {
    fn register(&self, sources: &[SourceId], now: Timestamp) -> Result<()> {
        self.write(|open| write::register(open, sources, now))
    }
    fn claim_due(&self, now: Timestamp, limit: usize, lease: i64) -> Result<Vec<SourceId>> {
        self.write(|open| write::claim_due(open, now, limit, lease))
    }
    fn next_due(&self) -> Result<Option<Timestamp>> {
        self.with(read::next_due)
    }
    fn source(&self, id: &SourceId) -> Result<SourceState> {
        self.with(|open| read::source(open, id))
    }
    fn sources(&self) -> Result<Vec<SourceRecord>> {
        self.with(read::sources)
    }
    fn void_guids(&self, id: &SourceId, guids: &[[u8; 16]]) -> Result<Vec<bool>> {
        self.with(|open| read::void_guids(open, id, guids))
    }
    fn sightings(&self, id: &SourceId, codes: &[InfoCode]) -> Result<Vec<Option<Sighting>>> {
        self.with(|open| read::sightings(open, id, codes))
    }
    fn aliased(&self, id: &SourceId, alias: Alias) -> Result<Option<InfoCode>> {
        self.with(|open| read::aliased(open, id, alias))
    }
    fn item(&self, code: &InfoCode) -> Result<Option<Item>> {
        self.with(|open| read::item(open, &code.key()))
    }
    fn body(&self, code: &InfoCode) -> Result<Body> {
        self.with(|open| read::body(open, &code.key()))
    }
    fn revisions(&self, code: &InfoCode) -> Result<Vec<Revision>> {
        self.with(|open| read::revisions(open, code))
    }
    fn listings(&self, code: &InfoCode) -> Result<Vec<(SourceId, Sighting)>> {
        self.with(|open| read::listings(open, code))
    }
    fn commit(&self, changes: Vec<Change>, now: Timestamp) -> Result<()> {
        self.write(|open| write::commit(open, changes, now))
    }
    fn ensure_category(&self, name: &str, slug: Option<&Slug>, now: Timestamp) -> Result<Category> {
        self.write(|open| write::ensure_category(open, name, slug, now))
    }
    fn find_category(&self, slug_or_name: &str) -> Result<Option<Category>> {
        self.with(|open| read::find_category(open, slug_or_name))
    }
    fn alias_category(&self, id: CategoryId, old_slug: &str) -> Result<()> {
        self.write(|open| write::alias_category(open, id, old_slug))
    }
    fn category(&self, id: CategoryId) -> Result<Option<Category>> {
        self.with(|open| read::category(open, id))
    }
    fn categories(&self) -> Result<Vec<Category>> {
        self.with(read::categories)
    }
    fn changed_since(&self, generation: u64) -> Result<Vec<Category>> {
        self.with(|open| read::changed_since(open, generation))
    }
    fn items_in(&self, category: CategoryId, window: Window) -> Result<Vec<Item>> {
        self.with(|open| read::items_in(open, category, window))
    }
    fn arrivals(&self, category: CategoryId, from: u32, to: u32) -> Result<Vec<Item>> {
        self.with(|open| read::arrivals(open, category, from, to))
    }
    fn neighbours(&self, category: CategoryId, item: &Item) -> Result<(Option<Item>, Option<Item>)> {
        self.with(|open| read::neighbours(open, category, item))
    }
    fn open_page(&self, category: CategoryId) -> Result<LogPage<Item>> {
        self.with(|open| log::open_page(open, category))
    }
    fn sealed_page(&self, category: CategoryId, number: u32) -> Result<LogPage<Article>> {
        self.with(|open| log::sealed_page(open, category, number))
    }
    fn resealed_since(&self, category: CategoryId, generation: u64) -> Result<BTreeSet<u32>> {
        self.with(|open| log::resealed_since(open, category, generation))
    }
    fn versions(&self, code: &InfoCode) -> Result<Vec<Article>> {
        self.with(|open| read::versions(open, code))
    }
    fn arrival_of(&self, category: CategoryId, item: &Item) -> Result<Option<u32>> {
        self.with(|open| read::arrival_of(open, category, item))
    }
    fn touched_since(&self, generation: u64, limit: usize) -> Result<Vec<Item>> {
        self.with(|open| read::touched_since(open, generation, limit))
    }
    fn find(&self, text: &str, limit: usize) -> Result<Vec<Item>> {
        self.with(|open| read::find(open, text, limit))
    }
    fn at_path(&self, path: &str) -> Result<Option<AtPath>> {
        self.with(|open| read::at_path(open, path))
    }
    fn fix(&self, key: &'static str, value: &str, set: bool) -> Result<()> {
        self.write(|open| write::fix(open, key, value, set))
    }
    fn complete(&self, id: &SourceId, state: &SourceState, void: &[[u8; 16]]) -> Result<()> {
        self.write(|open| {
            write::complete(open, id, state, void)?;
            open.sync()
        })
    }
    fn sync(&self) -> Result<()> {
        self.with(Open::sync)
    }
    fn history(&self, code: &InfoCode) -> Result<Vec<Event>> {
        self.with(|open| read::history(open, code))
    }
    fn withdraw(&self, code: &InfoCode, tombstone: &Tombstone) -> Result<bool> {
        self.write(|open| withdraw::withdraw(open, code, tombstone))
    }
    fn restore(&self, code: &InfoCode, why: &str, now: Timestamp) -> Result<bool> {
        self.write(|open| withdraw::restore(open, code, why, now))
    }
    fn tombstone(&self, code: &InfoCode) -> Result<Option<Tombstone>> {
        self.with(|open| read::tombstone(open, code))
    }
    fn sweep(&self, category: CategoryId, keep: Retention, limit: usize, now: Timestamp) -> Result<usize> {
        self.write(|open| withdraw::sweep(open, category, keep, limit, now))
    }
    fn mark_published(&self, generation: u64, now: Timestamp) -> Result<()> {
        self.write(|open| write::mark_published(open, generation, now))
    }
    fn published_at(&self, generation: u64) -> Result<Option<Timestamp>> {
        self.with(|open| read::published_at(open, generation))
    }
    fn published_generation(&self) -> Result<u64> {
        self.with(|open| read::counter(open, "published"))
    }
    fn identity(&self) -> Result<(u64, u64)> {
        self.with(|open| Ok((read::counter(open, "identity")?, read::counter(open, "renames")?)))
    }
    fn generation(&self) -> Result<u64> {
        self.with(|open| read::counter(open, "generation"))
    }
}
