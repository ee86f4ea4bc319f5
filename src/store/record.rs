//! Records of several parts.
//!
//! An item's (`T::Item`) and that of a form which it had (`T::Version`): where the text is, and the
//! item. A listing's (`T::Seen`): the sighting, and the event of the item's story that it began with. An
//! entry in the order of changes (`T::Touched`): the codes of all items of one commit.

use super::codec::{self, FORMAT, MAX_VALUE};
use super::open::{Open, T};
use super::texts::{self, Place};
use super::write::{self, Tx, TxResult, put, tree};
use super::{Event, Result, Sighting, StoreError, read};
use crate::model::{InfoCode, Item};

/// Bytes of an item's record before the item.
const HEAD: usize = 1 + Place::BYTES;

/// An item's record.
pub(super) fn of_item(place: Place, item: &Item) -> Result<Vec<u8>> {
    let item = codec::encode("item", item)?;
    Ok([&[FORMAT][..], &place.bytes(), &item[1..]].concat())
}

/// Reads what [`of_item`] made.
///
/// # Errors
/// [`StoreError::Damaged`], or [`StoreError::Format`] of another feedmill.
pub(super) fn item(bytes: &[u8]) -> Result<(Place, Item)> {
    match bytes.first() {
        Some(&FORMAT) => {}
        Some(&found) => return Err(StoreError::Format { found, known: FORMAT, kept: None }),
        None => return Err(StoreError::Damaged { what: "item" }),
    }
    let place = texts::named(bytes).ok_or(StoreError::Damaged { what: "item" })?;
    let item = bytes.get(HEAD..).and_then(|rest| postcard::from_bytes(rest).ok());
    item.map(|item| (place, item)).ok_or(StoreError::Damaged { what: "item" })
}

/// A listing's record.
pub(super) fn of_listing(sighting: &Sighting, began: Option<&(u64, Event)>) -> Result<Vec<u8>> {
    codec::encode("sighting", &(sighting, began))
}

/// Reads what [`of_listing`] made.
///
/// # Errors
/// As [`item`].
pub(super) fn listing(bytes: &[u8]) -> Result<(Sighting, Option<(u64, Event)>)> {
    codec::decode("sighting", bytes)
}

/// `generation | part`: the parts of a commit's entry.
pub(super) fn touched_key(generation: u64, part: u16) -> Vec<u8> {
    [&generation.to_be_bytes()[..], &part.to_be_bytes()].concat()
}

/// The codes, as bytes, in an entry in the order of changes; `None` ends it where it is damaged.
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

/// Notes an item as changed under a generation.
pub(super) fn note_touched(tx: Tx<'_>, generation: u64, code: &[u8]) -> TxResult<()> {
    for part in 0..=u16::MAX {
        let key = touched_key(generation, part);
        let known = tree(tx, T::Touched).get(&key)?.unwrap_or_default();
        if known.len() + code.len() <= MAX_VALUE {
            return put(tx, T::Touched, &key, &[&known, code].concat());
        }
    }
    Ok(())
}

/// As [`note_touched`], where it may be noted already.
pub(super) fn note_anew(tx: Tx<'_>, generation: u64, code: &[u8]) -> TxResult<()> {
    forget_touched(tx, generation, code)?;
    note_touched(tx, generation, code)
}

/// Forgets that an item was changed under a generation.
pub(super) fn forget_touched(tx: Tx<'_>, generation: u64, code: &[u8]) -> TxResult<()> {
    for part in 0..=u16::MAX {
        let key = touched_key(generation, part);
        let Some(known) = tree(tx, T::Touched).get(&key)? else { return Ok(()) };
        let rest: Vec<&[u8]> = touched_codes(&known).flatten().filter(|known| *known != code).collect();
        let rest = rest.concat();
        if rest.len() == known.len() {
            continue;
        }
        // Parts are found by their numbers: an empty one keeps its place before others.
        let last = tree(tx, T::Touched).get(touched_key(generation, part.saturating_add(1)))?.is_none();
        return if rest.is_empty() && last {
            write::delete(tx, T::Touched, &key)
        } else {
            put(tx, T::Touched, &key, &rest)
        };
    }
    Ok(())
}

/// Whether an item is noted as changed under a generation.
pub(super) fn is_touched(open: &Open, generation: u64, code: &[u8]) -> Result<bool> {
    for part in 0..=u16::MAX {
        match read::get(open, T::Touched, touched_key(generation, part))? {
            Some(known) if touched_codes(&known).flatten().any(|known| known == code) => return Ok(true),
            Some(_) => {}
            None => break,
        }
    }
    Ok(false)
}
