//! The database once it is open: its trees, what is durable, and how far it once reached.
//!
//! It holds small values only, and a real `fdatasync` comes after sled's flush, which alone is none on
//! Linux. `docs/architecture.md` tells the measurements behind the layout.

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

/// How often, and after which pause, a locked store is tried again.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Parts of the memory that sled may take for its pages of which it hears one: it counts what pages have on
/// the disk, and they take three to four times that in memory (measured at 500,000 articles).
const IN_MEMORY: u64 = 3;

/// What sled's file of settings says before its sum, always: nobody can choose otherwise here.
const SETTINGS: &[u8] = b"segment_size: 524288\nuse_compression: false\nversion: 0.34\n";

/// An open database in a folder of its own.
#[derive(Debug)]
pub(crate) struct Database {
    db: Db,
    trees: Vec<Tree>,
    data: File,
    high_water: HighWater,
    path: PathBuf,
    /// Transactions begun to be stored; what a sync has to cover.
    written: AtomicU64,
    /// Transactions covered by the last sync.
    synced: Mutex<u64>,
    /// Serialises the verbs that read something and then write what follows from it.
    writer: Mutex<()>,
}

/// Takes a damaged file of settings away: sled, which writes it anew where it is missing, takes such a one for
/// that of a database of another version, and ends.
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
    /// Opens the database in `path`, or makes one without any record, and believes nothing of it. `cache`
    /// is what its pages may take in memory, in bytes.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process has it, [`StoreError::Corrupt`] when a file of it is
    /// gone or damaged, else [`StoreError::Backend`]. sled may panic over damage: callers catch that.
    pub(crate) fn open(path: &Path, cache: u64) -> Result<Self> {
        let io = |source| backend("create its folder", source);
        // What upstreams sent, and what was withdrawn, is nobody else's to read.
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

    /// Checks the format of the records, and that the database reaches as far as it once did; an empty one
    /// gets this program's format.
    ///
    /// # Errors
    /// [`StoreError::Format`] when another feedmill wrote it, [`StoreError::Corrupt`] when it holds less
    /// than it once did.
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
        // A log that was cut off opens well, with what stood behind the cut gone.
        let (now, then) = (self.counter("generation")?, self.high_water.generation());
        if now < then {
            return Err(corrupt("open", format!("it ends at change {now}, and once reached {then}")));
        }
        Ok(())
    }

    /// One tree.
    pub(crate) fn tree(&self, tree: TreeId) -> &Tree {
        &self.trees[tree as usize]
    }

    /// All trees, in the order of their numbers.
    pub(crate) fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// Its folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A record, if it is there.
    pub(crate) fn get(&self, tree: TreeId, key: impl AsRef<[u8]>) -> Result<Option<IVec>> {
        self.tree(tree).get(key).map_err(|e| backend(READ, e))
    }

    /// The value of a counter; 0 before it was first counted.
    pub(crate) fn counter(&self, name: &str) -> Result<u64> {
        Ok(self.get(TreeId::Sys, name)?.and_then(|value| u64_at(&value, 0)).unwrap_or_default())
    }

    /// Says that something was written which the next sync has to cover.
    pub(crate) fn wrote(&self) {
        self.written.fetch_add(1, Ordering::SeqCst);
    }

    /// Serialises writers; a poisoned lock protects nothing that a panic can have broken.
    pub(crate) fn writing(&self) -> MutexGuard<'_, ()> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes all that was written durable. Group commit: whoever waits while another syncs finds
    /// its own writes covered too.
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

/// sled lets go of its lock from a thread of its own, a moment after the last handle is gone: who
/// closes a store and opens it again at once must not take that for another process.
fn unlocked<T>(open: impl Fn() -> Result<T>) -> Result<T> {
    for _ in 0..LOCK_TRIES {
        match open() {
            Err(StoreError::Locked { .. }) => std::thread::sleep(LOCK_PAUSE),
            opened => return opened,
        }
    }
    open()
}
