//! The backend on sled 0.34.7: every verb under guard, and mending what broke.
//!
//! sled forgives nothing: after one failed write all that follow fail, and damage may make it
//! panic. So the open database stands behind a lock, every verb runs where a panic becomes an
//! error, and [`SledStore::mend`] closes it and opens it again, or puts it aside and begins anew
//! from the last export. The verbs themselves are in `verbs`, `read`, `write`, `sources` and `withdraw`.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

use tracing::{debug, error, warn};

use super::open::{Open, T, corrupt};
use super::{Findings, Result, Stats, StoreError, Watch, guard, mark, read, room, write};
use crate::model::Timestamp;

/// Databases up to this size, in bytes, are read through when they are opened, unless they look as when
/// they were closed. In larger ones damage is found by who reads it, and by [`SledStore::check`].
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
    /// It was damaged and begins anew; told until [`SledStore::refilled`].
    Anew {
        /// What was wrong, where the damaged one is now, and what the new one was made from.
        why: String,
    },
}

/// A store in a folder of its own.
#[derive(Debug)]
pub struct SledStore {
    pub(super) options: StoreOptions,
    pub(super) open: RwLock<Option<Open>>,
    /// Bytes of sled's file when its records were last counted (`shrink`).
    pub(super) counted_at: AtomicU64,
    /// What broke it, until it is mended.
    broken: Mutex<Option<StoreError>>,
    /// It was read through when it was opened, or looked as when one that was had been closed.
    known_whole: AtomicBool,
}

impl SledStore {
    /// Opens the store in `path`, or makes it; one of an older format is brought up to date, and
    /// nothing is mended.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process has it, [`StoreError::Format`] when a newer
    /// feedmill wrote it, [`StoreError::Corrupt`] when it is damaged, else
    /// [`StoreError::Backend`].
    pub fn open(path: &Path, cache: u64) -> Result<Self> {
        Self::open_as_it_is(StoreOptions::plain(path, cache))
    }

    /// As [`SledStore::open`], with all options.
    ///
    /// # Errors
    /// As [`SledStore::open`].
    pub fn open_as_it_is(options: StoreOptions) -> Result<Self> {
        let known_whole = AtomicBool::new(mark::is_sealed(&options.path));
        let open = up_to_date(&options)?;
        Ok(Self {
            known_whole,
            options,
            open: RwLock::new(Some(open)),
            broken: Mutex::default(),
            counted_at: AtomicU64::new(0),
        })
    }

    /// Opens the store; a damaged one is put aside and begun anew from the last export.
    ///
    /// # Errors
    /// As [`SledStore::open`], but for damage; [`StoreError::Full`] where even without its ballast
    /// there is no room.
    pub fn open_or_mend(options: StoreOptions) -> Result<(Self, Mended)> {
        let store = Self {
            options,
            known_whole: AtomicBool::new(false),
            open: RwLock::new(None),
            broken: Mutex::default(),
            counted_at: AtomicU64::new(0),
        };
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
        close(&mut slot);
        let options = &self.options;
        room::put_back(&options.path)?;
        let untouched = mark::is_sealed(&options.path);
        let opened = match reopened(options, because.is_some()) {
            Err(StoreError::Full) if room::drop_ballast(options) => reopened(options, true),
            opened => opened,
        };
        let suspect = matches!(because, Some(StoreError::Corrupt { .. }));
        let opened = opened.and_then(|open| {
            let small = !untouched && room::stored(open.path()) <= READ_THROUGH;
            self.known_whole.store(untouched || small || suspect, Ordering::Relaxed);
            if small || suspect { read_through(&open).map(|()| open) } else { Ok(open) }
        });
        let open = match opened {
            Err(why @ (StoreError::Corrupt { .. } | StoreError::Damaged { .. })) => self.anew(&why)?,
            opened => opened?,
        };
        room::hold_ballast(options);
        room::clear_beside(options.path.as_path());
        // A crash may have come between a new beginning and what fills it.
        let refill = read::get(&open, T::Sys, REFILL)?.map(|why| String::from_utf8_lossy(&why).into_owned());
        *slot = Some(open);
        Ok(match (refill, because) {
            (Some(why), _) => Mended::Anew { why },
            (None, Some(_)) => Mended::Reopened,
            (None, None) => Mended::Sound,
        })
    }

    /// Puts the damaged database aside and begins a new one from the last export that is whole.
    fn anew(&self, why: &StoreError) -> Result<Open> {
        let StoreOptions { path, cache, .. } = &self.options;
        let why = crate::model::chain(why);
        error!(%why, "the store is damaged; a new one is begun");
        let beside = room::beside(path, "new");
        let export = super::export::newest_whole(&self.options);
        match &export {
            Some(export) => drop(super::export::import(export, &beside, *cache, &mut |_, _| {})?),
            None => room::clear(&beside)?,
        }
        let aside = room::free_name(&room::beside(path, "damaged"))?;
        let source = export.map_or("nothing".to_owned(), |export| export.display().to_string());
        let told = format!("{why}; it is kept as {}, the new one was made from {source}", aside.display());
        begin(&StoreOptions::plain(&beside, *cache), &told)?;
        room::put_in_place(&beside, path, &aside)?;
        error!(aside = %aside.display(), from = %source, "the damaged store is put aside, and a new one begins");
        reopened(&self.options, true)
    }

    /// Says that a store that began anew is filled with all that there is to fill it with.
    ///
    /// # Errors
    /// Those of the store.
    pub fn refilled(&self) -> Result<()> {
        self.write(|open| {
            write::transact(open, |tx| write::delete(tx, T::Sys, REFILL.as_bytes()))?;
            open.sync()
        })
    }

    /// Looks through the whole store, while it is in use; changes nothing.
    ///
    /// # Errors
    /// Those of the store.
    pub fn check(&self, watch: Watch<'_>) -> Result<Findings> {
        self.with(|open| super::check::check(open, watch))
    }

    /// Mends what [`SledStore::check`] finds; writers wait meanwhile. All that is published then
    /// counts as changed.
    ///
    /// # Errors
    /// Those of the store.
    pub fn repair(&self, now: Timestamp, watch: Watch<'_>) -> Result<Findings> {
        self.write(|open| super::repair::repair(open, now, watch))
    }

    /// Counts what is in the store, while it is in use.
    ///
    /// # Errors
    /// Those of the store.
    pub fn stats(&self, now: Timestamp, watch: Watch<'_>) -> Result<Stats> {
        self.with(|open| super::stats::stats(open, now, watch))
    }

    /// Writes the store as JSON Lines while it is in use (`store::lines`); gives the file's bytes.
    ///
    /// # Errors
    /// Those of the store, and of the disk that is written to.
    pub fn export_lines(
        &self,
        path: &Path,
        now: Timestamp,
        progress: super::export::Progress<'_>,
    ) -> Result<u64> {
        self.with(|open| super::lines::export(open, path, now, progress))
    }

    /// Takes in what JSON Lines have and the store has not.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the lines are damaged or cut off, before anything is stored;
    /// [`StoreError::Fixed`] when they are of a site with other ids.
    pub fn import_lines(
        &self,
        path: &Path,
        now: Timestamp,
        progress: super::export::Progress<'_>,
    ) -> Result<super::TakenIn> {
        self.write(|open| super::lines::import(open, path, now, progress))
    }

    /// Puts a store made of an export in the place of this one, which is kept under the name
    /// given back; the store then is opened anew. Outputs look at everything again.
    ///
    /// # Errors
    /// As for exports; this store then is as it was.
    pub fn replace(&self, export: &Path, progress: super::export::Progress<'_>) -> Result<PathBuf> {
        let mut slot = self.open.write().unwrap_or_else(PoisonError::into_inner);
        let StoreOptions { path, cache, .. } = &self.options;
        let beside = room::beside(path, "new");
        if let Err(error) = super::export::import(export, &beside, *cache, progress) {
            drop(room::clear(&beside));
            return Err(error);
        }
        let kept = room::free_name(&room::beside(path, "replaced"))?;
        close(&mut slot);
        let swapped = room::put_in_place(&beside, path, &kept);
        *slot = Some(reopened(&self.options, true)?);
        swapped.map(|()| kept)
    }

    /// Whether there is room to take something in (`low_water`).
    #[must_use]
    pub fn has_room(&self) -> bool {
        room::free(&self.options.path).is_none_or(|free| free >= self.options.low_water)
    }

    /// Empties and deletes a file of texts that is mostly dead, while the store is in use. Gives the
    /// bytes that are free by it, 0 when there is no such file; called until then.
    ///
    /// # Errors
    /// Those of the store.
    pub fn tidy(&self) -> Result<u64> {
        self.write(super::tidy::tidy)
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
        let open = slot.as_ref().ok_or_else(closed)?;
        let done = guard::guarded("do its work", || work(open));
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

impl Drop for SledStore {
    /// sled syncs once more when it is dropped, and panics where that fails.
    fn drop(&mut self) {
        let mut slot = self.open.write().unwrap_or_else(PoisonError::into_inner);
        let sound = self.broken.lock().unwrap_or_else(PoisonError::into_inner).is_none();
        if slot.is_some()
            && close(&mut slot)
            && sound
            && self.known_whole.load(Ordering::Relaxed)
            && let Err(error) = mark::seal(&self.options.path)
        {
            debug!(%error, "the store is read through when it is opened again");
        }
    }
}

/// Stands in a store that began anew until it is filled.
const REFILL: &str = "refill";

pub(super) fn closed() -> StoreError {
    StoreError::Closed { why: "it could not be opened again yet".to_owned() }
}

/// Closes a database. Its last flush may fail, or panic, as what came before did: `false` then.
pub(super) fn close(slot: &mut Option<Open>) -> bool {
    let Some(open) = slot.take() else { return true };
    let ended = guard::guarded("close", || {
        drop(open);
        Ok(())
    });
    if let Err(error) = &ended {
        warn!(error = crate::model::chain(error), "the store did not close well; what was durable is there");
    }
    ended.is_ok()
}

/// A store that says of itself that it is yet to be filled.
fn begin(options: &StoreOptions, why: &str) -> Result<()> {
    let open = guarded(options)?;
    let why = crate::model::text::clip_bytes(why, 1_000);
    write::transact(&open, |tx| write::put(tx, T::Sys, REFILL.as_bytes(), why.as_bytes()))?;
    open.sync()
}

/// Opens the database where a panic of sled becomes an error.
pub(super) fn guarded(options: &StoreOptions) -> Result<Open> {
    guard::guarded("open", || Open::at(&options.path, options.cache))
}

/// As [`guarded`]; a database of an older format is migrated first.
fn up_to_date(options: &StoreOptions) -> Result<Open> {
    super::migrate::tidy(&options.path)?;
    match guarded(options) {
        Err(StoreError::Format { found, known, .. }) if (super::migrate::OLDEST..known).contains(&found) => {
            super::migrate::migrate(options, found)?;
            guarded(options)
        }
        opened => opened,
    }
}

/// As [`up_to_date`]. Threads of sled may hold the lock of a database that this process closed
/// (`ours`) for a moment longer.
pub(super) fn reopened(options: &StoreOptions, ours: bool) -> Result<Open> {
    let mut tries = if ours { 100 } else { 0 };
    loop {
        match up_to_date(options) {
            Err(StoreError::Locked { .. }) if tries > 0 => tries -= 1,
            opened => return opened,
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

fn read_through(open: &Open) -> Result<()> {
    for tree in open.trees() {
        for entry in super::walk::every(tree) {
            entry.map_err(|e| super::open::backend("read it through", e))?;
        }
    }
    super::texts::read_through(open)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::super::{Change, Store};
    use super::*;
    use crate::model::{Body, CodeSpace, InfoCode, Item};

    /// Damage that no size and no time tells of.
    fn damage(text: &Path) {
        let at = fs::metadata(text).unwrap().modified().unwrap();
        let mut bytes = fs::read(text).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(text, bytes).unwrap();
        File::options().write(true).open(text).unwrap().set_modified(at).unwrap();
    }

    #[test]
    fn only_what_was_known_to_be_whole_passes_unread() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let opened = || SledStore::open_or_mend(StoreOptions::plain(&path, 1 << 20)).unwrap();
        let code = InfoCode::new(CodeSpace::new("s").unwrap(), "1");
        let mut change = Change::of(code.clone());
        change.body = Some(Body { html: "text".to_owned(), ..Body::default() });
        change.item = Some(Item::sample(code));
        let store = opened().0;
        store.commit(vec![change], Timestamp::from_unix(80)).unwrap();
        store.sync().unwrap();
        drop(store);
        assert!(mark::is_sealed(&path));
        damage(&path.join("texts/1"));
        assert_eq!(opened().1, Mended::Sound, "it looks as it was closed");
        // As after a kill; to look at it as it is makes it no better known.
        let mark = File::options().write(true).open(path.join(mark::FILE)).unwrap();
        mark.set_len(12).unwrap();
        drop(SledStore::open(&path, 1 << 20).unwrap());
        assert!(!mark::is_sealed(&path));
        let (store, mended) = opened();
        assert!(matches!(mended, Mended::Anew { .. }), "{mended:?}");
        drop(store);
        assert!(mark::is_sealed(&path), "the new one is whole");
    }
}
