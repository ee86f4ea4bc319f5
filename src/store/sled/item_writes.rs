//! Records of items, forms, listings and events as transactions write them. Verbs that change items (`commit`,
//! `withdraw`, `maintenance`) are built from these.

use super::bodies::{Balance, Place, named};
use super::database::{
    Database, MAX_VALUE, TreeId, Tx, TxResult, abort, decode, encode, event_key, next, put, seen_key, tree,
    upcoming, version_key,
};
use super::source_numbers::number_in;
use super::touched::{forget_touched, note_touched};
use super::{paths, records};
use crate::model::{InfoCode, Item, SourceId};
use crate::store::{Event, EventKind, Result, Sighting, Tombstone};

/// Returns the present form of an item, to be kept: the generation since which it exists, and a record that
/// refers to the same text.
pub(super) fn form(db: &Database, item: &Item) -> Result<(u64, Vec<u8>)> {
    let record = db.get(TreeId::Item, item.code.key())?;
    let place = record.and_then(|record| named(&record)).unwrap_or(Place::NONE);
    Ok((item.touched, records::of_item(place, &[], item.clone())?))
}

pub(super) fn put_form(
    tx: Tx<'_>,
    key: &[u8],
    (since, record): &(u64, Vec<u8>),
    balance: &mut Balance,
) -> TxResult<()> {
    let at = version_key(key, *since);
    if let Some(before) = tree(tx, TreeId::Version).insert(at, record.as_slice())? {
        balance.take(named(&before).unwrap_or(Place::NONE));
    }
    balance.add(named(record).unwrap_or(Place::NONE));
    Ok(())
}

/// Returns whether a source's listing of an item begins with this event: it is then stored with the listing.
pub(super) fn begins(event: &Event, source: &SourceId) -> bool {
    matches!(event.what, EventKind::Inserted | EventKind::Listed) && event.source.as_ref() == Some(source)
}

/// Stores a listing; the event that it began with stays.
pub(super) fn put_listing(
    tx: Tx<'_>,
    (code, source): (&InfoCode, &SourceId),
    sighting: &Sighting,
    began: Option<&Event>,
) -> TxResult<()> {
    let (key, number) = (code.key(), number_in(tx, source)?);
    let item = tree(tx, TreeId::Item).get(&key)?;
    let first = item.as_deref().map(records::first).transpose().map_err(abort)?.flatten();
    let own = first.filter(|(first, _)| *first == number).map(|(_, listing)| listing);
    let apart = if own.is_none() { tree(tx, TreeId::Seen).get(seen_key(&key, number))? } else { None };
    let stands = own.or(apart.as_deref());
    let before = stands.and_then(|bytes| records::listing(bytes).ok()).and_then(|(_, event)| event);
    if let (Some(_), Some(began)) = (&before, began) {
        // It was listed, dropped and is listed again: the event is a further one in its history.
        put_event(tx, &key, began)?;
    }
    let began = match (before, began) {
        (None, Some(began)) => Some((next(tx, "events")?, began.clone())),
        (before, _) => before,
    };
    let bytes = records::of_listing(sighting, began.as_ref()).map_err(abort)?;
    let with_item = own.is_some() || (first.is_none() && apart.is_none());
    match &item {
        Some(item) if with_item => put_first(tx, &key, item, &records::first_bytes(number, &bytes)),
        _ => put(tx, TreeId::Seen, &seen_key(&key, number), &bytes),
    }
}

/// Stores an item's first listing in its record, or separately if the record would grow too large.
pub(super) fn put_first(tx: Tx<'_>, key: &[u8], item: &[u8], first: &[u8]) -> TxResult<()> {
    let whole = records::with_first(item, first).map_err(abort)?;
    if whole.len() <= MAX_VALUE {
        return put(tx, TreeId::Item, key, &whole);
    }
    put_apart(tx, key, first)?;
    put(tx, TreeId::Item, key, &records::with_first(item, &[]).map_err(abort)?)
}

/// Stores the first listing of an item separately instead of in its record.
pub(super) fn put_apart(tx: Tx<'_>, key: &[u8], first: &[u8]) -> TxResult<()> {
    match first.split_at_checked(4) {
        Some((number, listing)) => put(tx, TreeId::Seen, &[key, number].concat(), listing),
        None => Ok(()),
    }
}

pub(super) fn put_event(tx: Tx<'_>, key: &[u8], event: &Event) -> TxResult<()> {
    let at = next(tx, "events")?;
    let bytes = encode("event", event).map_err(abort)?;
    put(tx, TreeId::History, &event_key(key, at), &bytes)
}

/// Returns the tombstone of an item, if it has one.
pub(super) fn tombstone(tx: Tx<'_>, code: &InfoCode) -> TxResult<Option<Tombstone>> {
    let bytes = tree(tx, TreeId::Tomb).get(code.key())?;
    bytes.map(|bytes| decode("tombstone", &bytes).map_err(abort)).transpose()
}

/// Returns an item as stored, and the place of its text.
pub(super) fn stored(tx: Tx<'_>, key: &[u8]) -> TxResult<Option<(Place, Item)>> {
    let bytes = tree(tx, TreeId::Item).get(key)?;
    bytes.map(|bytes| records::item(key, &bytes).map_err(abort)).transpose()
}

pub(super) fn put_item(
    tx: Tx<'_>,
    key: &[u8],
    (place, item): (Place, &Item),
    new: bool,
    balance: &mut Balance,
) -> TxResult<()> {
    let mut item = item.clone();
    if new {
        paths::lead(tx, key, &item)?;
        item.touched = 0;
        item.generation = upcoming(tx)?;
    }
    touch_record(tx, key, (place, item), balance)
}

/// Stores an item under the next generation, with its text unchanged. Its `touched` is the generation under
/// which it is indexed so far, 0 for none.
pub(super) fn touch_item(tx: Tx<'_>, key: &[u8], item: &Item) -> TxResult<()> {
    // The same place is taken and added, so the balance stays zero.
    touch_record(tx, key, (place_of(tx, key)?, item.clone()), &mut Balance::default())
}

fn place_of(tx: Tx<'_>, key: &[u8]) -> TxResult<Place> {
    Ok(tree(tx, TreeId::Item).get(key)?.and_then(|record| named(&record)).unwrap_or(Place::NONE))
}

/// Stores an item as [`touch_item`] does, with a text that may be another one.
pub(super) fn touch_record(
    tx: Tx<'_>,
    key: &[u8],
    (place, mut item): (Place, Item),
    balance: &mut Balance,
) -> TxResult<()> {
    if item.touched > 0 {
        forget_touched(tx, item.touched, key)?;
    }
    item.touched = upcoming(tx)?;
    note_touched(tx, item.touched, key)?;
    put_record(tx, key, (place, item), balance)
}

pub(super) fn put_record(
    tx: Tx<'_>,
    key: &[u8],
    (place, item): (Place, Item),
    balance: &mut Balance,
) -> TxResult<()> {
    let before = tree(tx, TreeId::Item).get(key)?;
    if let Some(before) = before.as_deref().and_then(named) {
        balance.take(before);
    }
    balance.add(place);
    let first = before.as_deref().map_or(Ok(&[][..]), records::first_of).map_err(abort)?;
    let bytes = records::of_item(place, &[], item).map_err(abort)?;
    if first.is_empty() { put(tx, TreeId::Item, key, &bytes) } else { put_first(tx, key, &bytes, first) }
}
