//! The database once it is open: trees, durability, and how errors of sled are named. Verbs are
//! in `read`, `write` and `sources`; opening under guard, and mending, in `sled_store`.
//!
//! The layout is option B of the measurements told in `docs/architecture.md`: one `Db` with small
//! values only, and a real `fdatasync` after sled's flush, which alone is none on Linux; texts in
//! files of their own (`texts`).

use std::any::Any;
use std::fs::{self, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sled::transaction::TransactionError;
use sled::{Db, Mode, Tree};

use super::codec::FORMAT;
use super::dictionary::Dictionaries;
use super::mark::Mark;
use super::roster::Roster;
use super::texts::Texts;
use super::{Result, StoreError, read, write};

/// How often, and after which pause, a locked store is tried again.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Parts of the memory that sled may take for its pages of which it hears one: it counts what pages have on
/// the disk, and they take three to four times that in memory (measured at 500,000 articles).
const IN_MEMORY: u64 = 3;

/// The trees, in the order in which transactions name them.
#[derive(Debug, Clone, Copy)]
pub(super) enum T {
    /// code → where its text is, its first listing, and the item
    Item,
    /// code, chunk → part of a text, in formats 1 and 2; nothing since
    Body,
    /// category, published, code → 1 shown or 0 straight to the archive, first arrival number, last
    CatTime,
    /// category, quarter of a hundred → slots of the log (`slots`)
    CatSeq,
    /// code, source → sighting, and the event that it began with, but for an item's first listing
    Seen,
    /// source → how many aliases; source, group, part → aliases with their codes (`alias`)
    Alias,
    /// category → its record
    Category,
    /// `n` name or `s` slug → category
    CategoryKey,
    /// generation → category
    Changed,
    /// path → article or redirect, where its name does not tell (`paths`)
    Path,
    /// code, number → revision
    Revision,
    /// name → counter or fixed setting
    Sys,
    /// source → its state
    Source,
    /// time, source → nothing, as older feedmills kept it; nothing since (`roster`)
    Due,
    /// id → source number
    SourceKey,
    /// source, guid hash → nothing
    Void,
    /// code → tombstone
    Tomb,
    /// generation, part → codes: items in the order of their last change
    Touched,
    /// number, chunk → compression dictionary
    Dict,
    /// code, number → event
    History,
    /// generation → when the outputs first showed it
    Published,
    /// category, hundred → generations under which it was sealed, and last changed
    Seal,
    /// category, generation, hundred → nothing: sealed hundreds in the order of their last change
    Resealed,
    /// code, first generation → where the text is, and the item, of a form that it had
    Version,
    /// file of texts → its live bytes
    TextFile,
}

pub(super) const NAMES: [&str; 25] = [
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
    "history",
    "published",
    "seal",
    "resealed",
    "version",
    "text_file",
];

/// An open database in a folder of its own.
#[derive(Debug)]
pub(super) struct Open {
    db: Db,
    trees: Vec<Tree>,
    data: File,
    pub(super) texts: Texts,
    mark: Mark,
    path: PathBuf,
    /// Transactions begun to be stored; what a sync has to cover.
    written: AtomicU64,
    /// Transactions covered by the last sync.
    synced: Mutex<u64>,
    /// Serialises the verbs that read a counter and then write it.
    writer: Mutex<()>,
    /// Compression dictionaries by number, read once.
    pub(super) dictionaries: Dictionaries,
    /// The sources, read once.
    pub(super) roster: Roster,
}

impl Open {
    /// Opens the database in `path`, or makes it. `cache` is what its pages may take in memory,
    /// in bytes.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process has it, [`StoreError::Format`] when a newer
    /// feedmill wrote it, [`StoreError::Corrupt`] when it is damaged or holds less than it once
    /// did, else [`StoreError::Backend`]. sled may panic over damage: callers guard this.
    pub(super) fn at(path: &Path, cache: u64) -> Result<Self> {
        let open = Self::bare(path, cache)?;
        open.check_format()?;
        open.sync()?;
        Ok(open)
    }

    /// Opens the database, or makes one without any record, and believes nothing of it.
    ///
    /// # Errors
    /// As [`Open::at`], but for its format.
    pub(super) fn bare(path: &Path, cache: u64) -> Result<Self> {
        let io = |source| backend("create its folder", source);
        // What upstreams sent, and what was withdrawn, is nobody else's to read.
        fs::create_dir_all(path.parent().unwrap_or(path)).map_err(io)?;
        match fs::DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(io(error)),
            _ => {}
        }
        let mark = Mark::open(path).map_err(|e| backend("open its mark", e))?;
        if mark.generation() > 0 && !(path.join("conf").is_file() && path.join("db").is_file()) {
            return Err(corrupt("open", "a file of the store is gone"));
        }
        let config = sled::Config::new()
            .path(path)
            .cache_capacity(cache / IN_MEMORY)
            .mode(Mode::HighThroughput)
            .flush_every_ms(None);
        let db = database(&config, path)?;
        let trees = NAMES
            .iter()
            .map(|name| db.open_tree(name))
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(|e| backend("open its trees", e))?;
        let data = File::options().read(true).open(path.join("db")).map_err(io)?;
        let open = Self {
            db,
            trees,
            data,
            texts: Texts::open(path)?,
            mark,
            path: path.to_owned(),
            written: AtomicU64::new(1),
            synced: Mutex::new(0),
            writer: Mutex::new(()),
            dictionaries: Dictionaries::default(),
            roster: Roster::default(),
        };
        for folder in [Some(path), path.parent()].into_iter().flatten() {
            if let Ok(folder) = File::open(folder) {
                folder.sync_all().map_err(io)?;
            }
        }
        Ok(open)
    }

    pub(super) fn check_format(&self) -> Result<()> {
        let sys = self.tree(T::Sys);
        match sys.get("format").map_err(|e| backend("read its format", e))? {
            Some(found) if found.first() == Some(&FORMAT) => {}
            Some(found) => {
                let found = found.first().copied().unwrap_or_default();
                let kept = super::migrate::kept(&self.path, FORMAT);
                let kept = kept.exists().then(|| kept.display().to_string());
                return Err(StoreError::Format { found, known: FORMAT, kept });
            }
            None if self.mark.generation() > 0 => {
                return Err(corrupt("open", "the store is empty and was not before"));
            }
            None => {
                self.wrote();
                sys.insert("format", &[FORMAT]).map_err(|e| backend("write its format", e))?;
            }
        }
        write::ensure_site(self)?;
        if !self.tree(T::Due).is_empty() {
            self.tree(T::Due).clear().map_err(|e| backend("clear old due times", e))?;
        }
        // A log that was cut off opens well, with what stood behind the cut gone.
        let (now, then) = (read::counter(self, "generation")?, self.mark.generation());
        if now < then {
            return Err(corrupt("open", format!("it ends at change {now}, and once reached {then}")));
        }
        Ok(())
    }

    pub(super) fn tree(&self, tree: T) -> &Tree {
        &self.trees[tree as usize]
    }

    pub(super) fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// Its folder.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Marks that something was written which the next sync has to cover.
    pub(super) fn wrote(&self) {
        self.written.fetch_add(1, Ordering::SeqCst);
    }

    /// Serialises counters; a poisoned lock protects nothing that a panic can have broken.
    pub(super) fn writing(&self) -> std::sync::MutexGuard<'_, ()> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes all that was written durable. Group commit: whoever waits while another syncs finds
    /// its own writes covered too.
    pub(super) fn sync(&self) -> Result<()> {
        let mine = self.written.load(Ordering::SeqCst);
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        if *synced >= mine {
            return Ok(());
        }
        let covered = self.written.load(Ordering::SeqCst);
        let generation = read::counter(self, "generation")?;
        self.db.flush().map_err(|e| backend("flush", e))?;
        self.data.sync_data().map_err(|e| backend("sync its file", e))?;
        self.mark.set(generation);
        *synced = covered;
        Ok(())
    }
}

/// Wraps what the disk or sled said.
pub(super) fn backend<E>(action: &'static str, source: E) -> StoreError
where
    E: std::error::Error + Send + Sync + 'static,
{
    let any: &dyn Any = &source;
    if let Some(io) = any.downcast_ref::<std::io::Error>() {
        return if is_full(io) { StoreError::Full } else { wrapped(action, source) };
    }
    match any.downcast_ref::<sled::Error>() {
        Some(sled::Error::Io(error)) if is_full(error) => StoreError::Full,
        Some(error @ (sled::Error::Corruption { .. } | sled::Error::ReportableBug(_))) => {
            corrupt(action, error.to_string())
        }
        // sled says `CollectionNotFound` of a tree whose pages it lost.
        Some(error @ sled::Error::CollectionNotFound(_)) => corrupt(action, error.to_string()),
        _ => wrapped(action, source),
    }
}

fn wrapped<E: std::error::Error + Send + Sync + 'static>(action: &'static str, source: E) -> StoreError {
    StoreError::Backend { action, source: Box::new(source) }
}

pub(super) fn corrupt(action: &'static str, detail: impl Into<String>) -> StoreError {
    StoreError::Corrupt { action, detail: detail.into() }
}

fn is_full(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
}

/// The error of a transaction: ours as it is, sled's wrapped.
pub(super) fn transaction_error(error: TransactionError<StoreError>) -> StoreError {
    match error {
        TransactionError::Abort(ours) => ours,
        TransactionError::Storage(source) => backend("store a transaction", source),
    }
}

/// Opens the database in `path`, which this process may have closed a moment ago.
///
/// # Errors
/// [`StoreError::Locked`] when another process has it; what sled says.
pub(super) fn database(config: &sled::Config, path: &Path) -> Result<Db> {
    unlocked(|| config.open().map_err(|error| open_error(path, error)))
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

fn open_error(path: &Path, error: sled::Error) -> StoreError {
    // sled hides the error number of its lock in the text.
    if error.to_string().contains("could not acquire lock") {
        return StoreError::Locked { path: path.display().to_string() };
    }
    backend("open", error)
}

/// The key of a name or slug in [`T::CategoryKey`]; names are folded to one line.
pub(super) fn category_key(kind: u8, text: &str) -> Vec<u8> {
    let mut key = vec![kind];
    key.extend_from_slice(text.as_bytes());
    key.truncate(400);
    key
}
