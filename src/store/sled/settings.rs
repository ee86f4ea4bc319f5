//! Values of the store besides items and sources: fixed settings, counters, times of publishing.

use std::collections::BTreeMap;

use super::database::{Database, READ, TreeId, backend, put, time, time_at, tree, u64_at};
use super::small_records::BOOKMARK;
use crate::model::Timestamp;
use crate::store::{Result, StoreError};

/// The prefix of the names of counters.
const COUNTS: &str = "tally.";
/// Publishes whose time is kept.
const PUBLISHES: usize = 20_000;

pub(super) fn published_at(db: &Database, generation: u64) -> Result<Option<Timestamp>> {
    let next = db.tree(TreeId::Published).range(generation.to_be_bytes()..).next();
    let found = next.transpose().map_err(|e| backend(READ, e))?;
    Ok(found.and_then(|(_, at)| time_at(&at)))
}

pub(super) fn tallies(db: &Database) -> Result<BTreeMap<String, u64>> {
    let mut all = BTreeMap::new();
    for entry in db.tree(TreeId::Sys).scan_prefix(COUNTS) {
        let (key, value) = entry.map_err(|e| backend(READ, e))?;
        let name = key.get(COUNTS.len()..).unwrap_or_default();
        all.insert(String::from_utf8_lossy(name).into_owned(), u64_at(&value, 0).unwrap_or_default());
    }
    Ok(all)
}

pub(super) fn fix(db: &Database, key: &'static str, value: &str, set: bool) -> Result<()> {
    let name = fixed_key(key);
    match db.get(TreeId::Sys, &name)? {
        None if !set => Ok(()),
        None => {
            db.tree(TreeId::Sys).insert(name, value).map_err(|e| backend("set a value", e))?;
            db.wrote();
            Ok(())
        }
        Some(stored) if &stored[..] == value.as_bytes() => Ok(()),
        Some(stored) => Err(StoreError::Fixed {
            key,
            stored: String::from_utf8_lossy(&stored).into_owned(),
            asked: value.to_owned(),
        }),
    }
}

pub(super) fn add_counts(db: &Database, counts: &BTreeMap<String, u64>) -> Result<()> {
    let _writing = db.writing();
    db.transact(|tx| {
        for (name, more) in counts {
            let key = format!("{COUNTS}{name}");
            let known =
                tree(tx, TreeId::Sys).get(&key)?.and_then(|value| u64_at(&value, 0)).unwrap_or_default();
            tree(tx, TreeId::Sys).insert(key.as_str(), &(known + more).to_be_bytes())?;
        }
        Ok(())
    })
}

pub(super) fn mark_published(db: &Database, generation: u64, now: Timestamp) -> Result<()> {
    let _writing = db.writing();
    let number = generation.to_be_bytes();
    let known = db.get(TreeId::Published, number)?.is_some();
    let published = db.tree(TreeId::Published);
    let oldest =
        if published.len() > PUBLISHES { published.first().map_err(|e| backend(READ, e))? } else { None };
    db.transact(|tx| {
        if let Some((oldest, _)) = &oldest {
            tree(tx, TreeId::Published).remove(oldest)?;
        }
        if !known {
            put(tx, TreeId::Published, &number, &time(now))?;
        }
        put(tx, TreeId::Sys, b"published", &number)
    })
}

/// Settings that are set once for a site (RULES 3.3).
const FIXED: [&str; 2] = ["site.id_authority", "site.code_space"];

/// Returns the fixed settings that are set, by key.
pub(super) fn fixed(db: &Database) -> Result<BTreeMap<String, String>> {
    let mut fixed = BTreeMap::new();
    for key in FIXED {
        let value = db.get(TreeId::Sys, fixed_key(key))?;
        fixed.extend(value.map(|value| (key.to_owned(), String::from_utf8_lossy(&value).into_owned())));
    }
    Ok(fixed)
}

fn fixed_key(key: &str) -> String {
    format!("fixed.{key}")
}

/// Sets the fixed settings of a backup; other keys are ignored.
pub(super) fn put_fixed(db: &Database, fixed: &BTreeMap<String, String>) -> Result<()> {
    FIXED.into_iter().filter_map(|key| Some((key, fixed.get(key)?))).try_for_each(|(key, value)| {
        db.transact(|tx| put(tx, TreeId::Sys, fixed_key(key).as_bytes(), value.as_bytes()))
    })
}

/// Refuses a backup of a site with other ids: readers would get every article anew.
///
/// # Errors
/// [`StoreError::Foreign`].
pub(super) fn agree(db: &Database, fixed: &BTreeMap<String, String>) -> Result<()> {
    let own = self::fixed(db)?;
    for key in FIXED {
        if let (Some(file), Some(store)) = (fixed.get(key), own.get(key))
            && file != store
        {
            return Err(StoreError::Foreign { key, file: file.clone(), store: store.clone() });
        }
    }
    Ok(())
}

/// Names of counters in a backup, besides those that begin with [`COUNTS`].
const COUNTERS: [&str; 4] = ["generation", "renames", "published", "clock"];

fn is_told(name: &str) -> bool {
    COUNTERS.contains(&name) || name.starts_with(COUNTS)
}

/// Returns all counters for a backup, by name.
pub(super) fn counters(db: &Database) -> Result<Vec<(String, u64)>> {
    let mut all = Vec::new();
    for entry in db.tree(TreeId::Sys) {
        let (key, value) = entry.map_err(|e| backend(READ, e))?;
        let name = String::from_utf8_lossy(&key).into_owned();
        all.extend(u64_at(&value, 0).filter(|_| is_told(&name)).map(|value| (name, value)));
    }
    Ok(all)
}

/// Sets a counter from a backup.
///
/// # Errors
/// [`StoreError::Unusable`] if no store has it.
pub(super) fn put_counter(db: &Database, name: &str, value: u64) -> Result<()> {
    // Backups of earlier feedmills have such counters, which become records at the end.
    if !(is_told(name) || name.starts_with(BOOKMARK)) || name.len() > 1_000 {
        return Err(StoreError::Unusable { detail: format!("it counts `{name}`, which no store does") });
    }
    db.transact(|tx| put(tx, TreeId::Sys, name.as_bytes(), &value.to_be_bytes()))
}
