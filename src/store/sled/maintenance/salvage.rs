//! Salvage: writes the readable records of a store that cannot be repaired in place to a new one beside it.
//!
//! Each tree is read from its beginning up to an unreadable page, then from its end back to one; of the
//! articles between the two, those that are in a list. A repair rebuilds the indexes, and the last export adds
//! what was unreadable. Damage in sled's log often cuts off everything that was written after it: if the export
//! reaches further than what is left, the export is preferred, because an admin's later acts would be undone
//! otherwise.

use std::fs;
use std::path::Path;

use sled::{Batch, IVec, Tree};
use tracing::warn;

use super::copy::share_or_copy_texts;
use super::lender::Lender;
use super::loss::{Loss, Remedy};
use super::mending::mended;
use super::repair::finish;
use super::{disk, swap};
use crate::model::{Timestamp, chain};
use crate::store::Result;
use crate::store::sled::database::{
    Database, TreeId, backend, catching_panics, every, put, reached, u32_at, u64_at,
};
use crate::store::sled::engine::Engine;
use crate::store::sled::options::StoreOptions;

/// Records that are written at once.
const BATCH: usize = 500;

/// Makes a store beside a damaged one from its readable records. Returns `None` if no article is readable, or
/// if the export reaches further.
///
/// # Errors
/// If the system refuses something, such as disk space, that may be available later.
pub(super) fn salvaged(
    options: &StoreOptions,
    lender: Option<&Lender>,
    now: Timestamp,
) -> Result<Option<Loss>> {
    let beside = swap::new(&options.path);
    disk::clear(&beside)?;
    disk::enough(&options.path, disk::size(&options.path.join("db")))?;
    match catching_panics("be salvaged", || salvage(options, &beside, lender, now)) {
        Err(error) if error.is_transient() && !error.is_damage() => Err(error),
        Err(error) => {
            warn!(error = chain(&error), "nothing can be read of the damaged store");
            Ok(None)
        }
        done => done,
    }
}

fn salvage(
    options: &StoreOptions,
    beside: &Path,
    lender: Option<&Lender>,
    now: Timestamp,
) -> Result<Option<Loss>> {
    let new = Engine::bare(beside, options.cache)?;
    let whole = copy_all(options, &new.db)?;
    let last = last_change(&new.db)?;
    if new.db.tree(TreeId::Item).is_empty() || lender.is_some_and(|lender| lender.generation > last) {
        return Ok(None);
    }
    share_or_copy_texts(&options.path, beside)?;
    new.db.check_format()?;
    let reached = reached(&options.path);
    count_on(&new.db, last.max(reached))?;
    drop(new);
    // Opened again, so that new texts are appended after those that were shared.
    let new = Engine::at(beside, options.cache)?;
    let found = mended(&new, options, now, &mut |_, _, _| {})?;
    let mut loss = found.loss.unwrap_or_else(|| Loss { at: now, ..Loss::default() });
    (loss.remedy, loss.changes) = (Remedy::Salvaged, reached.saturating_sub(last));
    if let Some(lender) = lender.filter(|_| !whole) {
        loss.from_export += lender.articles(&new, None, now)?;
        loss.export = Some(lender.made);
    }
    finish(&new, true, now)?;
    new.db.sync()?;
    Ok(Some(loss))
}

/// Opens the damaged database. sled's snapshots of its log, in files `snap.…`, may refer to parts that no
/// longer exist; without them sled reads the log again as far as possible.
fn opened(options: &StoreOptions) -> Result<Database> {
    let open = || catching_panics("open", || Database::open(&options.path, options.cache));
    match open() {
        Err(error) if error.is_damage() && forget_snapshots(&options.path) => open(),
        opened => opened,
    }
}

/// Deletes the snapshots; returns `true` if there were any.
fn forget_snapshots(path: &Path) -> bool {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let own = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("snap."));
    own.filter(|entry| fs::remove_file(entry.path()).is_ok()).count() > 0
}

/// Copies all readable records; returns whether these were all.
fn copy_all(options: &StoreOptions, to: &Database) -> Result<bool> {
    let from = opened(options)?;
    let mut whole = true;
    for tree in TreeId::ALL {
        whole &= copy_readable(from.tree(tree), to.tree(tree))?;
    }
    if !whole {
        copy_listed(&from, to)?;
    }
    Ok(whole)
}

/// Copies articles between two unreadable pages one by one, by the codes in lists.
///
/// # Errors
/// Those of the new database.
fn copy_listed(from: &Database, to: &Database) -> Result<()> {
    for entry in every(to.tree(TreeId::CatTime)) {
        let (key, _) = entry.map_err(|e| backend("be salvaged", e))?;
        let Some(code) = key.get(12..) else { continue };
        if to.get(TreeId::Item, code)?.is_none()
            && let Ok(Some(item)) = catching_panics("be read", || from.get(TreeId::Item, code))
        {
            to.tree(TreeId::Item).insert(code, item).map_err(|e| backend("be salvaged", e))?;
        }
    }
    Ok(())
}

/// Copies the readable records of a tree; returns whether these were all.
///
/// # Errors
/// Those of the new database.
fn copy_readable(from: &Tree, to: &Tree) -> Result<bool> {
    let Some(last) = copy_until_damage(every(from), to, None)? else { return Ok(true) };
    copy_until_damage(from.iter().rev(), to, Some(&last))?;
    Ok(false)
}

/// Copies records up to an unreadable one, or up to the key `until`. Returns the last key before an unreadable
/// record, if there was one.
fn copy_until_damage(
    mut records: impl Iterator<Item = sled::Result<(IVec, IVec)>>,
    to: &Tree,
    until: Option<&[u8]>,
) -> Result<Option<Vec<u8>>> {
    let (mut batch, mut waiting, mut last) = (Batch::default(), 0, Vec::new());
    let whole = loop {
        let next =
            catching_panics("be read", || records.next().transpose().map_err(|e| backend("be read", e)));
        let (key, value) = match next {
            Ok(Some((key, _))) if until == Some(&key) => break true,
            Ok(Some(record)) => record,
            Ok(None) => break true,
            Err(error) => {
                warn!(error = chain(&error), "a part of the damaged store cannot be read");
                break false;
            }
        };
        last.clear();
        last.extend_from_slice(&key);
        batch.insert(key, value);
        waiting += 1;
        if waiting % BATCH == 0 {
            to.apply_batch(std::mem::take(&mut batch)).map_err(|e| backend("be salvaged", e))?;
        }
    };
    to.apply_batch(batch).map_err(|e| backend("be salvaged", e))?;
    Ok((!whole).then_some(last))
}

/// Returns the highest number that `read` finds in the records of a tree.
fn highest(db: &Database, tree: TreeId, read: impl Fn(&[u8], &[u8]) -> Option<u64>) -> Result<u64> {
    let mut highest = 0;
    for entry in every(db.tree(tree)) {
        let (key, value) = entry.map_err(|e| backend("be salvaged", e))?;
        highest = highest.max(read(&key, &value).unwrap_or_default());
    }
    Ok(highest)
}

/// Returns the last generation of which something is left.
fn last_change(db: &Database) -> Result<u64> {
    let changed = highest(db, TreeId::Changed, |key, _| u64_at(key, 0))?;
    let touched = highest(db, TreeId::Touched, |key, _| u64_at(key, 0))?;
    Ok(changed.max(touched).max(db.counter("generation")?))
}

/// Raises counters so that no number is assigned twice, because records may be newer than the counters.
fn count_on(db: &Database, generation: u64) -> Result<()> {
    let number = |bytes: &[u8]| u32_at(bytes, 0).map(u64::from);
    let by_key = |tree| highest(db, tree, |key, _| number(key));
    let by_value = |tree| highest(db, tree, |_, value| number(value));
    let counters = [
        ("generation", generation),
        ("sources", by_key(TreeId::Source)?.max(by_value(TreeId::SourceKey)?)),
        ("categories", by_key(TreeId::Category)?.max(by_value(TreeId::CategoryKey)?)),
        ("dictionaries", by_key(TreeId::Dict)?),
        ("events", highest(db, TreeId::History, |key, _| u64_at(key, key.len().checked_sub(8)?))?),
    ];
    for (name, least) in counters {
        if db.counter(name)? < least {
            db.transact(|tx| put(tx, TreeId::Sys, name.as_bytes(), &least.to_be_bytes()))?;
        }
    }
    db.wrote();
    db.sync()
}
