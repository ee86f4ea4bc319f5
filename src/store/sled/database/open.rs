//! The open database: its trees, its durability, and how far it once reached.
//!
//! It holds small values only. A real `fdatasync` follows sled's flush, which alone does none on Linux.
//! `docs/measurements.md` has the figures behind the layout.

use std::fs::{self, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sled::{Db, IVec, Mode, Tree};
use tracing::warn;

use super::codec::FORMAT;
use super::faults::{READ, backend, corrupt, open_error};
use super::high_water::HighWater;
use super::keys::u64_at;
use super::trees::TreeId;
use crate::store::{Result, StoreError};

/// Attempts to open a locked store, and the pause between them.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Divisor of the cache size that sled is given: it counts the bytes of pages on the disk, and they take three
/// to four times that in memory (measured at 500,000 articles).
const IN_MEMORY: u64 = 3;

/// The contents of sled's settings file before its checksum, which are always the same here.
const SETTINGS: &[u8] = b"segment_size: 524288\nuse_compression: false\nversion: 0.34\n";

/// An open database in a folder of its own.
#[derive(Debug)]
pub(crate) struct Database {
    db: Db,
    trees: Vec<Tree>,
    data: File,
    high_water: HighWater,
    path: PathBuf,
    /// Number of writes that have begun, which a sync has to cover.
    written: AtomicU64,
    /// Number of writes covered by the last sync.
    synced: Mutex<u64>,
    /// The writer's lock, for verbs that read and then write what depends on it.
    writer: Mutex<()>,
}

/// Deletes a damaged settings file. sled would take it for that of another version and fail; it writes a
/// missing one anew.
fn without_damaged_settings(path: &Path) -> std::io::Result<()> {
    let conf = path.join("conf");
    match fs::read(&conf) {
        Ok(bytes) if bytes.len() == SETTINGS.len() + 4 && bytes.starts_with(SETTINGS) => Ok(()),
        Ok(_) => {
            warn!(path = %conf.display(), "the settings of the store's database are damaged; they are written anew");
            fs::remove_file(&conf)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

impl Database {
    /// Opens the database in `path`, or creates one without any record, without checking its format. `cache` is
    /// the memory for its pages, in bytes.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if another process has it, [`StoreError::Corrupt`] if a file of it is missing or
    /// damaged, otherwise [`StoreError::Backend`]. sled may panic on damage; callers catch that.
    pub(crate) fn open(path: &Path, cache: u64) -> Result<Self> {
        let io = |source| backend("create its folder", source);
        // What upstreams sent, and what was withdrawn, is private to this user.
        fs::create_dir_all(path.parent().unwrap_or(path)).map_err(io)?;
        match fs::DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(io(error)),
            _ => {}
        }
        let high_water = HighWater::open(path).map_err(|e| backend("open its mark", e))?;
        if high_water.generation() > 0 && !path.join("db").is_file() {
            return Err(corrupt("open", "a file of the store is gone"));
        }
        without_damaged_settings(path).map_err(|e| backend("set its settings right", e))?;
        let config = sled::Config::new()
            .path(path)
            .cache_capacity(cache / IN_MEMORY)
            .mode(Mode::HighThroughput)
            .flush_every_ms(None);
        let db = unlocked(|| config.open().map_err(|error| open_error(path, error)))?;
        let trees = TreeId::ALL.iter().map(|tree| db.open_tree(tree.name()));
        let trees = trees.collect::<sled::Result<Vec<_>>>().map_err(|e| backend("open its trees", e))?;
        let data = File::options().read(true).open(path.join("db")).map_err(io)?;
        for folder in [Some(path), path.parent()].into_iter().flatten() {
            if let Ok(folder) = File::open(folder) {
                folder.sync_all().map_err(io)?;
            }
        }
        Ok(Self {
            db,
            trees,
            data,
            high_water,
            path: path.to_owned(),
            written: AtomicU64::new(1),
            synced: Mutex::new(0),
            writer: Mutex::new(()),
        })
    }

    /// Checks the format of the records, and that the database reaches as far as it once did; an empty one gets
    /// this program's format.
    ///
    /// # Errors
    /// [`StoreError::Format`] if another feedmill wrote it, [`StoreError::Corrupt`] if it has less than it once
    /// had.
    pub(crate) fn check_format(&self) -> Result<()> {
        match self.get(TreeId::Sys, "format")? {
            Some(found) if found.first() == Some(&FORMAT) => {}
            Some(found) => {
                let found = found.first().copied().unwrap_or_default();
                return Err(StoreError::Format { found, known: FORMAT, kept: None });
            }
            None if self.high_water.generation() > 0 => {
                return Err(corrupt("open", "the store is empty and was not before"));
            }
            None => {
                self.wrote();
                let sys = self.tree(TreeId::Sys);
                sys.insert("format", &[FORMAT]).map_err(|e| backend("write its format", e))?;
            }
        }
        // sled opens a truncated log without error, and what followed the cut is lost.
        let (now, then) = (self.counter("generation")?, self.high_water.generation());
        if now < then {
            return Err(corrupt("open", format!("it ends at change {now}, and once reached {then}")));
        }
        Ok(())
    }

    /// Returns one tree.
    pub(crate) fn tree(&self, tree: TreeId) -> &Tree {
        &self.trees[tree as usize]
    }

    /// Returns all trees, in the order of their numbers.
    pub(crate) fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// Returns its folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns a record, if it exists.
    pub(crate) fn get(&self, tree: TreeId, key: impl AsRef<[u8]>) -> Result<Option<IVec>> {
        self.tree(tree).get(key).map_err(|e| backend(READ, e))
    }

    /// Returns the value of a counter; 0 before it was first counted.
    pub(crate) fn counter(&self, name: &str) -> Result<u64> {
        Ok(self.get(TreeId::Sys, name)?.and_then(|value| u64_at(&value, 0)).unwrap_or_default())
    }

    /// Records that something was written which the next sync has to cover.
    pub(crate) fn wrote(&self) {
        self.written.fetch_add(1, Ordering::SeqCst);
    }

    /// Takes the writer's lock, also a poisoned one: it protects nothing that a panic can have broken.
    pub(crate) fn writing(&self) -> MutexGuard<'_, ()> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes everything that was written durable. Group commit: callers that wait for a running sync share the
    /// next one.
    pub(crate) fn sync(&self) -> Result<()> {
        let mine = self.written.load(Ordering::SeqCst);
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        if *synced >= mine {
            return Ok(());
        }
        let covered = self.written.load(Ordering::SeqCst);
        let generation = self.counter("generation")?;
        self.db.flush().map_err(|e| backend("flush", e))?;
        self.data.sync_data().map_err(|e| backend("sync its file", e))?;
        self.high_water.set(generation);
        *synced = covered;
        Ok(())
    }
}

/// Retries an open that fails on sled's lock: sled releases it from a thread of its own, a moment after the
/// last handle is dropped, so a store that is closed and opened again at once would seem to be in use by
/// another process.
fn unlocked<T>(open: impl Fn() -> Result<T>) -> Result<T> {
    for _ in 0..LOCK_TRIES {
        match open() {
            Err(StoreError::Locked { .. }) => std::thread::sleep(LOCK_PAUSE),
            opened => return opened,
        }
    }
    open()
}
