//! Reading the data of one item, except for its texts (`articles`).

use std::collections::BTreeMap;

use sled::IVec;

use super::database::{Database, READ, TreeId, backend, decode, seen_key, u32_at, u64_at};
use super::source_numbers::names;
use super::{records, small_records};
use crate::model::{InfoCode, Item, SourceId};
use crate::store::{Basis, Event, Past, RecordKind, Result, Revision, Sighting, Tombstone};

/// Returns the record of one item, by the key of its code.
pub(super) fn item(db: &Database, key: &[u8]) -> Result<Option<Item>> {
    db.get(TreeId::Item, key)?.map(|bytes| records::item(key, &bytes).map(|(_, item)| item)).transpose()
}

/// Returns a source's listing of an item, by the number of the source.
pub(super) fn sighting(db: &Database, number: u32, code: &InfoCode) -> Result<Option<Sighting>> {
    let key = code.key();
    if let Some(item) = db.get(TreeId::Item, &key)?
        && let Some((_, listing)) = records::first(&item)?.filter(|(first, _)| *first == number)
    {
        return records::listing(listing).map(|(sighting, _)| Some(sighting));
    }
    let listing = db.get(TreeId::Seen, seen_key(&key, number))?;
    listing.map(|bytes| records::listing(&bytes).map(|(sighting, _)| sighting)).transpose()
}

/// Returns the sources that list an item.
pub(super) fn listings(db: &Database, code: &InfoCode) -> Result<Vec<(SourceId, Sighting)>> {
    let names = names(db)?;
    let mut listings = Vec::new();
    for (number, listing) in all_listings(db, &code.key())? {
        if let Some(id) = names.get(&number) {
            listings.push((id.clone(), records::listing(&listing)?.0));
        }
    }
    Ok(listings)
}

/// Returns the records of all listings of an item, by the numbers of their sources; the first is in the item's
/// record.
fn all_listings(db: &Database, code: &[u8]) -> Result<BTreeMap<u32, IVec>> {
    let mut all = BTreeMap::new();
    for entry in db.tree(TreeId::Seen).scan_prefix(code) {
        let (key, value) = entry.map_err(|e| backend(READ, e))?;
        all.extend(u32_at(&key, code.len()).map(|number| (number, value)));
    }
    if let Some(item) = db.get(TreeId::Item, code)?
        && let Some((number, listing)) = records::first(&item)?
    {
        all.insert(number, listing.into());
    }
    Ok(all)
}

/// Returns the events of an item, oldest first. Those that a listing began with are stored with it, the others
/// in a tree of their own.
pub(super) fn history(db: &Database, code: &InfoCode) -> Result<Vec<Event>> {
    let prefix = code.key();
    let mut events: Vec<(u64, Event)> = Vec::new();
    for listing in all_listings(db, &prefix)?.values() {
        events.extend(records::listing(listing)?.1);
    }
    for entry in db.tree(TreeId::History).scan_prefix(&prefix) {
        let (key, value) = entry.map_err(|e| backend(READ, e))?;
        events.push((u64_at(&key, prefix.len()).unwrap_or_default(), decode("event", &value)?));
    }
    events.sort_by_key(|(number, _)| *number);
    Ok(events.into_iter().map(|(_, event)| event).collect())
}

/// Returns the keys of an item's oldest events, so that without them `most` are left.
pub(super) fn events_beyond(db: &Database, code: &[u8], most: usize) -> Result<Vec<Vec<u8>>> {
    let mut keys = Vec::new();
    for key in db.tree(TreeId::History).scan_prefix(code).keys() {
        keys.push(key.map_err(|e| backend(READ, e))?.to_vec());
    }
    keys.truncate(keys.len().saturating_sub(most));
    Ok(keys)
}

/// Returns the tombstone of an item, if it has one.
pub(super) fn tombstone(db: &Database, code: &InfoCode) -> Result<Option<Tombstone>> {
    db.get(TreeId::Tomb, code.key())?.map(|bytes| decode("tombstone", &bytes)).transpose()
}

/// Returns the events and revisions of an item.
pub(super) fn past(db: &Database, code: &InfoCode) -> Result<Past> {
    Ok(Past { history: history(db, code)?, revisions: revisions(db, code)? })
}

/// Returns the revisions of an item, oldest first.
pub(super) fn revisions(db: &Database, code: &InfoCode) -> Result<Vec<Revision>> {
    db.tree(TreeId::Revision)
        .scan_prefix(code.key())
        .map(|entry| decode("revision", &entry.map_err(|e| backend(READ, e))?.1))
        .collect()
}

/// Returns the basis of an item for a decision. The reads are not one snapshot; the commit detects changes
/// between them.
pub(super) fn basis(db: &Database, code: &InfoCode) -> Result<Basis> {
    let item = item(db, &code.key())?;
    // An item that does not exist cannot be placed.
    let placed = item.is_some() && is_placed(db, code)?;
    Ok(Basis { item, tombstone: tombstone(db, code)?, placed })
}

/// Returns whether an admin placed an item.
pub(super) fn is_placed(db: &Database, code: &InfoCode) -> Result<bool> {
    Ok(small_records::get(db, RecordKind::Placement, &code.key())?.is_some())
}

/// Returns whether an item with this code is stored, or once was.
pub(super) fn known_code(db: &Database, code: &[u8]) -> Result<bool> {
    Ok(db.get(TreeId::Item, code)?.is_some() || db.get(TreeId::Tomb, code)?.is_some())
}
