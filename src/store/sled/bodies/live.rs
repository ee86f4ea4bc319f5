//! Live texts: their bytes by file, and reading all of them.

use std::collections::BTreeMap;

use super::files::Texts;
use super::place::{DAMAGED, Place, named};
use crate::store::sled::database::{
    Database, FORMAT, TreeId, Tx, TxResult, backend, code_in, delete, every, put, tree, u32_at, u64_at,
};
use crate::store::{Result, StoreError};

/// The changes of a transaction to the live bytes of files.
#[derive(Debug, Clone, Default)]
pub(crate) struct Balance(BTreeMap<u32, i64>);

impl Balance {
    pub(crate) fn add(&mut self, place: Place) {
        if place == Place::NONE {
            return;
        }
        *self.0.entry(place.file).or_default() += i64::from(place.length);
    }

    pub(crate) fn take(&mut self, place: Place) {
        if place == Place::NONE {
            return;
        }
        *self.0.entry(place.file).or_default() -= i64::from(place.length);
    }

    /// Writes the changes, at the end of the transaction.
    pub(crate) fn write(&self, tx: Tx<'_>) -> TxResult<()> {
        for (file, change) in &self.0 {
            let key = file.to_be_bytes();
            let before =
                tree(tx, TreeId::TextFile).get(key)?.and_then(|value| live_in(&value)).unwrap_or_default();
            put(tx, TreeId::TextFile, &key, &live_record(before.saturating_add_signed(*change)))?;
        }
        Ok(())
    }
}

fn live_record(live: u64) -> Vec<u8> {
    [&[FORMAT][..], &live.to_be_bytes()].concat()
}

/// Returns the live bytes in a record of [`TreeId::TextFile`].
pub(crate) fn live_in(value: &[u8]) -> Option<u64> {
    (value.first() == Some(&FORMAT)).then(|| u64_at(value, 1))?
}

/// Counts live bytes by file, from the records that refer to texts.
fn counted(db: &Database) -> Result<BTreeMap<u32, u64>> {
    let mut live: BTreeMap<u32, u64> = BTreeMap::new();
    for at in [TreeId::Item, TreeId::Version] {
        for entry in every(db.tree(at)) {
            let (_, value) = entry.map_err(|e| backend("be counted", e))?;
            if let Some(place) = named(&value).filter(|place| place.length > 0) {
                *live.entry(place.file).or_default() += u64::from(place.length);
            }
        }
    }
    Ok(live)
}

/// Reads every text that a record refers to.
///
/// # Errors
/// [`StoreError::Damaged`] if one is missing or belongs to another item.
pub(crate) fn read_through(db: &Database, texts: &Texts) -> Result<()> {
    for at in [TreeId::Item, TreeId::Version] {
        for entry in every(db.tree(at)) {
            let (key, value) = entry.map_err(|e| backend("read it through", e))?;
            let place = named(&value).ok_or(DAMAGED)?;
            let code = code_in(&key).ok_or(DAMAGED)?;
            // It may be moved or erased in the meantime.
            if place != Place::NONE
                && matches!(texts.read(code, place), Err(StoreError::Damaged { .. }))
                && db.get(at, &key)?.is_some_and(|now| now == value)
            {
                return Err(DAMAGED);
            }
        }
    }
    Ok(())
}

/// Returns whether the live bytes of all files are counted correctly.
pub(crate) fn is_balanced(db: &Database) -> Result<bool> {
    let mut told = BTreeMap::new();
    for entry in db.tree(TreeId::TextFile) {
        let (key, value) = entry.map_err(|e| backend("be counted", e))?;
        if let (Some(file), Some(live)) = (u32_at(&key, 0), live_in(&value).filter(|live| *live > 0)) {
            told.insert(file, live);
        }
    }
    Ok(told == counted(db)?)
}

/// Counts the live bytes anew. For stores without other writers.
pub(crate) fn recount(db: &Database) -> Result<()> {
    let live = counted(db)?;
    let known: Vec<_> = db.tree(TreeId::TextFile).iter().keys().flatten().collect();
    db.transact(|tx| {
        for key in known.iter().filter(|key| u32_at(key, 0).is_none_or(|file| !live.contains_key(&file))) {
            delete(tx, TreeId::TextFile, key)?;
        }
        live.iter()
            .try_for_each(|(file, live)| put(tx, TreeId::TextFile, &file.to_be_bytes(), &live_record(*live)))
    })
}
