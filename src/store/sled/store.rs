//! The public type of the store on sled 0.34: a panic of sled becomes an error in every verb.
//!
//! sled does not recover: after one failed write all later ones fail, and damage may make it panic. So the open
//! database is behind a lock, every verb catches panics, and the error that broke the store is kept for
//! `maintenance::heal`. The verbs themselves are in `verbs`.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, TryLockError};

use tracing::debug;

use super::database::{catching_panics, corrupt, is_sealed, seal};
use super::engine::Engine;
use super::lock::Lock;
use super::maintenance::disk;
use super::opening::{close, up_to_date};
use super::options::StoreOptions;
use crate::store::{Result, StoreError};

/// A store in a folder of its own.
#[derive(Debug)]
pub struct SledStore {
    pub(super) options: StoreOptions,
    /// The open engine; `None` while it could not be opened again.
    pub(super) slot: RwLock<Option<Engine>>,
    /// Bytes of sled's file when its records were last counted (`maintenance::compact`).
    pub(super) counted_at: AtomicU64,
    /// The error that broke it, until it is repaired.
    broken: Mutex<Option<StoreError>>,
    /// Whether its files are known to be sound: they were read through on opening, or match the seal of a store
    /// that was.
    pub(super) known_whole: AtomicBool,
    /// The lock, dropped last.
    _lock: Lock,
}

impl SledStore {
    /// Opens the store in `path`, or creates it. A store of an older format is migrated; nothing is repaired.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if another process has it, [`StoreError::Format`] if another feedmill wrote it,
    /// [`StoreError::Corrupt`] if it is damaged, otherwise [`StoreError::Backend`].
    pub fn open(path: &Path, cache: u64) -> Result<Self> {
        Self::open_as_it_is(StoreOptions::plain(path, cache))
    }

    /// Opens the store with all options, as [`SledStore::open`] does.
    ///
    /// # Errors
    /// As [`SledStore::open`].
    pub fn open_as_it_is(options: StoreOptions) -> Result<Self> {
        let store = Self::not_open(options)?;
        store.known_whole.store(is_sealed(&store.options.path), Ordering::Relaxed);
        let engine = up_to_date(&store.options)?;
        *store.slot.write().unwrap_or_else(PoisonError::into_inner) = Some(engine);
        Ok(store)
    }

    /// Creates a store that is not open yet, and that no other process can open any more.
    ///
    /// # Errors
    /// As [`Lock::of`].
    pub(super) fn not_open(options: StoreOptions) -> Result<Self> {
        let lock = match Lock::of(&options.path) {
            Err(StoreError::Full) if disk::drop_ballast(&options) => Lock::of(&options.path)?,
            lock => lock?,
        };
        Ok(Self {
            _lock: lock,
            options,
            slot: RwLock::new(None),
            counted_at: AtomicU64::new(0),
            broken: Mutex::default(),
            known_whole: AtomicBool::new(false),
        })
    }

    /// Returns whether there is room for more articles (`low_water`).
    #[must_use]
    pub fn has_room(&self) -> bool {
        disk::free(&self.options.path).is_none_or(|free| free >= self.options.low_water)
    }

    /// Returns the error that broke the store, if any.
    pub(super) fn broken(&self) -> MutexGuard<'_, Option<StoreError>> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an opened engine into the slot. On an error, it is kept, all verbs return it, and
    /// `maintenance::heal` tries again.
    ///
    /// # Errors
    /// Why it could not be opened.
    pub(super) fn seat(&self, slot: &mut Option<Engine>, opened: Result<Engine>) -> Result<()> {
        *slot = Some(opened.inspect_err(|error| *self.broken() = Some(not_opened(error)))?);
        Ok(())
    }

    /// Returns whether the store is closed and not being opened.
    pub(super) fn is_closed(&self) -> bool {
        match self.slot.try_read() {
            Ok(slot) => slot.is_none(),
            Err(TryLockError::Poisoned(slot)) => slot.into_inner().is_none(),
            Err(TryLockError::WouldBlock) => false,
        }
    }

    /// Returns the error of a store that could not be opened again yet, with the reason.
    pub(super) fn closed(&self) -> StoreError {
        let unknown = || StoreError::Closed { why: "it could not be opened again yet".to_owned() };
        self.broken().as_ref().map_or_else(unknown, again)
    }

    /// Returns the error that broke the store, or keeps it from being opened, until it is repaired.
    #[must_use]
    pub fn trouble(&self) -> Option<StoreError> {
        let broken = self.broken().as_ref().map(again);
        broken.or_else(|| self.is_closed().then(|| self.closed()))
    }

    /// Runs `work` on the open store; a panic in it becomes an error.
    pub(super) fn with<R>(&self, work: impl FnOnce(&Engine) -> Result<R>) -> Result<R> {
        let slot = self.slot.read().unwrap_or_else(PoisonError::into_inner);
        let engine = slot.as_ref().ok_or_else(|| self.closed())?;
        let done = catching_panics("do its work", || work(engine));
        if let Err(error @ (StoreError::Backend { .. } | StoreError::Corrupt { .. } | StoreError::Full)) =
            &done
        {
            self.broken().get_or_insert_with(|| again(error));
        }
        done
    }

    /// Runs `work`, which writes, as [`SledStore::with`] does, but fails at once if the disk is almost full:
    /// after a failed write, sled would not write again until it is reopened.
    pub(super) fn write<R>(&self, work: impl FnOnce(&Engine) -> Result<R>) -> Result<R> {
        if self.options.low_water > 0 && disk::free(&self.options.path).is_some_and(|free| free < disk::LEAST)
        {
            return Err(StoreError::Full);
        }
        self.with(work)
    }
}

/// Returns a copy of an error that is not `Clone`, reduced to what is needed later.
fn again(error: &StoreError) -> StoreError {
    match error {
        StoreError::Full => StoreError::Full,
        StoreError::Corrupt { action, detail } => corrupt(action, detail),
        other => not_opened(other),
    }
}

fn not_opened(error: &StoreError) -> StoreError {
    let why = match error {
        StoreError::Closed { why } => why.clone(),
        other => crate::model::chain(other),
    };
    StoreError::Closed { why }
}

impl Drop for SledStore {
    /// Closes the store in a way that catches panics (sled syncs once more when it is dropped, and panics if
    /// that fails), and seals its files if they are known to be sound.
    fn drop(&mut self) {
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        let sound = self.broken().is_none();
        if slot.is_some()
            && close(&mut slot)
            && sound
            && self.known_whole.load(Ordering::Relaxed)
            && let Err(error) = seal(&self.options.path)
        {
            debug!(%error, "the store is read through when it is opened again");
        }
    }
}
