//! The index of changes ([`TreeId::Touched`]): the codes of all items of one commit, under its generation.

use super::database::{Database, MAX_VALUE, TreeId, Tx, TxResult, delete, put, tree};
use crate::model::InfoCode;
use crate::store::Result;

/// Returns the key `generation | part`, of a part of a commit's entry.
pub(super) fn touched_key(generation: u64, part: u16) -> Vec<u8> {
    [&generation.to_be_bytes()[..], &part.to_be_bytes()].concat()
}

/// Iterates over the codes, as bytes, in an entry of the index; a `None` for a damaged one ends it.
pub(super) fn touched_codes(mut entry: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    std::iter::from_fn(move || {
        if entry.is_empty() {
            return None;
        }
        let code = InfoCode::from_key(entry).and_then(|(_, length)| entry.split_at_checked(length));
        let (code, rest) = code.map_or((None, &[][..]), |(code, rest)| (Some(code), rest));
        entry = rest;
        Some(code)
    })
}

/// Indexes an item as changed under a generation.
pub(super) fn note_touched(tx: Tx<'_>, generation: u64, code: &[u8]) -> TxResult<()> {
    for part in 0..=u16::MAX {
        let key = touched_key(generation, part);
        let known = tree(tx, TreeId::Touched).get(&key)?.unwrap_or_default();
        if known.len() + code.len() <= MAX_VALUE {
            return put(tx, TreeId::Touched, &key, &[&known, code].concat());
        }
    }
    Ok(())
}

/// Removes an item from the index of a generation.
pub(super) fn forget_touched(tx: Tx<'_>, generation: u64, code: &[u8]) -> TxResult<()> {
    for part in 0..=u16::MAX {
        let key = touched_key(generation, part);
        let Some(known) = tree(tx, TreeId::Touched).get(&key)? else { return Ok(()) };
        let rest: Vec<&[u8]> = touched_codes(&known).flatten().filter(|known| *known != code).collect();
        let rest = rest.concat();
        if rest.len() == known.len() {
            continue;
        }
        // Parts are found by their numbers, so an empty one is kept if others follow.
        let last = tree(tx, TreeId::Touched).get(touched_key(generation, part.saturating_add(1)))?.is_none();
        return if rest.is_empty() && last {
            delete(tx, TreeId::Touched, &key)
        } else {
            put(tx, TreeId::Touched, &key, &rest)
        };
    }
    Ok(())
}

/// Returns whether an item is indexed as changed under a generation.
pub(super) fn is_touched(db: &Database, generation: u64, code: &[u8]) -> Result<bool> {
    for part in 0..=u16::MAX {
        match db.get(TreeId::Touched, touched_key(generation, part))? {
            Some(known) if touched_codes(&known).flatten().any(|known| known == code) => return Ok(true),
            Some(_) => {}
            None => break,
        }
    }
    Ok(false)
}
