//! Numbers that represent sources in keys, and void guids (RULES 1.7).

use std::collections::HashMap;

use super::database::{Database, READ, TreeId, Tx, TxResult, backend, next, tree, u32_at};
use crate::model::SourceId;
use crate::store::Result;

/// Returns all sources that have a number, by number.
pub(super) fn names(db: &Database) -> Result<HashMap<u32, SourceId>> {
    let mut names = HashMap::new();
    for entry in db.tree(TreeId::SourceKey) {
        let (key, value) = entry.map_err(|e| backend(READ, e))?;
        let id = std::str::from_utf8(&key).ok().and_then(SourceId::new);
        if let (Some(id), Some(number)) = (id, u32_at(&value, 0)) {
            names.insert(number, id);
        }
    }
    Ok(names)
}

/// Returns the number of a source, and assigns one if it has none.
pub(super) fn number_in(tx: Tx<'_>, id: &SourceId) -> TxResult<u32> {
    let keys = tree(tx, TreeId::SourceKey);
    if let Some(number) = keys.get(id.as_str())?.and_then(|value| u32_at(&value, 0)) {
        return Ok(number);
    }
    let number = u32::try_from(next(tx, "sources")?).unwrap_or(u32::MAX);
    keys.insert(id.as_str(), &number.to_be_bytes())?;
    Ok(number)
}

/// Makes guids of a source void for ever.
pub(super) fn put_void(tx: Tx<'_>, id: &SourceId, void: &[[u8; 16]]) -> TxResult<()> {
    if void.is_empty() {
        return Ok(());
    }
    let number = number_in(tx, id)?;
    for guid in void {
        tree(tx, TreeId::Void).insert([&number.to_be_bytes()[..], guid].concat(), &[])?;
    }
    Ok(())
}

/// Returns all void guids of a source.
pub(super) fn void_of(db: &Database, number: u32) -> Result<Vec<[u8; 16]>> {
    let mut void = Vec::new();
    for key in db.tree(TreeId::Void).scan_prefix(number.to_be_bytes()).keys() {
        let key = key.map_err(|e| backend(READ, e))?;
        void.extend(key.get(4..).and_then(|guid| <[u8; 16]>::try_from(guid).ok()));
    }
    Ok(void)
}
