//! Storing decided changes: texts first, then, in transactions of some, the items with all that leads to
//! them. What other writing verbs need of it stands here too: records of items, forms, listings, events.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::codec;
use super::open::{Open, T};
use super::texts::{self, Balance, Place, Text};
use super::write::{Tx, TxResult, abort, next, put, put_category, touch, transact, tree, upcoming};
use super::{
    Change, Event, Happening, Result, Sighting, StoreError, alias, log, paths, read, record, sources,
};
use crate::model::{Category, CategoryId, InfoCode, Item, SourceId, Timestamp};

/// Changes in one transaction.
pub(super) const MAX_CHANGES: usize = 120;
/// Events of one item that are kept.
pub(super) const MAX_EVENTS: usize = 64;
/// Changes whose texts are made durable together, and bytes of these before they are packed.
const CHANGES_AT_ONCE: usize = 300;
const TEXTS_AT_ONCE: usize = 8 << 20;
/// From so many on two threads share the work.
const MANY: usize = 100;

/// A change with its bytes made before the transaction, whose closure may run again.
struct Prepared {
    change: Change,
    /// Where its text is.
    place: Option<Place>,
    /// Keys of events that make room.
    old_events: Vec<Vec<u8>>,
    /// The form that it replaces, where that is kept: since when it was so, and its record.
    version: Option<(u64, Vec<u8>)>,
}

/// Texts are written and made durable first and without the writer's lock, those of up to
/// [`TEXTS_AT_ONCE`] bytes together: only then may sled hear where they are.
pub(super) fn commit(store: &Open, changes: Vec<Change>, now: Timestamp) -> Result<()> {
    let _naming = store.texts.naming();
    let mut changes = changes.into_iter().peekable();
    let mut archived = BTreeSet::new();
    while changes.peek().is_some() {
        let mut group: Vec<Change> = Vec::new();
        let mut bytes = 0;
        while let Some(change) = changes.next_if(|_| bytes < TEXTS_AT_ONCE && group.len() < CHANGES_AT_ONCE) {
            archived.extend(change.enters.iter().filter(|place| !place.shown).map(|place| place.category));
            bytes += change.body.as_ref().map_or(0, |body| body.html.len());
            group.push(change);
        }
        commit_group(store, group, now)?;
    }
    let _writing = store.writing();
    close_archived(store, &archived)
}

/// A small group at once. Of a large one half is packed and made durable by another thread while the
/// transactions of the other half run: disk and packing take as long as these.
fn commit_group(store: &Open, mut group: Vec<Change>, now: Timestamp) -> Result<()> {
    if group.len() < MANY {
        let places = store_texts(store, &group)?;
        return commit_placed(store, group, places, now);
    }
    let rest = group.split_off(group.len() / 2);
    std::thread::scope(|scope| {
        let second = scope.spawn(move || (store_texts(store, &rest), rest));
        let places = store_texts(store, &group)?;
        commit_placed(store, group, places, now)?;
        let (places, rest) = second.join().map_err(|_| StoreError::Damaged { what: "body" })?;
        commit_placed(store, rest, places?, now)
    })
}

/// Makes the texts of changes durable, and says where each is that there is.
fn store_texts(store: &Open, group: &[Change]) -> Result<Vec<Place>> {
    let dictionary = store.dictionaries.newest(store)?;
    let mut packed = Vec::with_capacity(group.len());
    for change in group {
        if let Some(body) = &change.body {
            packed.push((change.code.key(), codec::pack(body, dictionary.as_deref())?));
        }
    }
    let texts: Vec<Text<'_>> = packed.iter().map(|(key, packed)| (&key[..], &packed[..])).collect();
    let places = store.texts.append(&texts)?;
    store.texts.sync()?;
    Ok(places)
}

/// Stores changes whose texts are durable at these places, one for each text.
fn commit_placed(store: &Open, group: Vec<Change>, places: Vec<Place>, now: Timestamp) -> Result<()> {
    let mut places = places.into_iter();
    let _writing = store.writing();
    let mut batch = Vec::new();
    for change in group {
        if batch.len() >= MAX_CHANGES {
            commit_batch(store, &std::mem::take(&mut batch), now)?;
        }
        let place = change.body.as_ref().and_then(|_| places.next());
        let (old_events, version) = match &change.event {
            // A story that begins has no past.
            Some(event) if event.what == Happening::Inserted => (Vec::new(), None),
            Some(_) => {
                let beyond = read::events_beyond(store, &change.code.key(), MAX_EVENTS - 1)?;
                (beyond, replaced(store, &change)?)
            }
            None => (Vec::new(), replaced(store, &change)?),
        };
        batch.push(Prepared { change, place, old_events, version });
    }
    if batch.is_empty() { Ok(()) } else { commit_batch(store, &batch, now) }
}

/// The form that a change replaces, if somebody may still want to see it: it was published as
/// another one (a correction), or a sealed hundred shows it.
fn replaced(store: &Open, change: &Change) -> Result<Option<(u64, Vec<u8>)>> {
    if change.item.is_none() || (change.body.is_none() && change.enters.is_empty()) {
        return Ok(None);
    }
    let key = change.code.key();
    let Some(item) = read::item(store, &key)? else { return Ok(None) };
    if change.replaces.is_none() && !log::shown_sealed(store, &item)? {
        return Ok(None);
    }
    form(store, &item).map(Some)
}

/// The form that an item has now, to be kept: since when it is so, and a record of it that names the
/// same text.
pub(super) fn form(store: &Open, item: &Item) -> Result<(u64, Vec<u8>)> {
    let record = read::get(store, T::Item, item.code.key())?;
    let place = record.and_then(|record| texts::named(&record)).unwrap_or(Place::NONE);
    Ok((item.touched, record::of_item(place, &[], item.clone())?))
}

pub(super) fn put_form(
    tx: Tx<'_>,
    key: &[u8],
    (since, record): &(u64, Vec<u8>),
    balance: &mut Balance,
) -> TxResult<()> {
    let at = codec::version_key(key, *since);
    if let Some(before) = tree(tx, T::Version).insert(at, record.as_slice())? {
        balance.take(texts::named(&before).unwrap_or(Place::NONE));
    }
    balance.add(texts::named(record).unwrap_or(Place::NONE));
    Ok(())
}

/// Closes the hundreds that end with what went straight to the archive.
pub(super) fn close_archived(store: &Open, archived: &BTreeSet<CategoryId>) -> Result<()> {
    for id in archived {
        let Some(before) = read::category(store, *id)? else { continue };
        transact(store, |tx| {
            let mut category = before.clone();
            log::close_archived(tx, &mut category)?;
            if category.arrivals == before.arrivals {
                return Ok(());
            }
            let generation = next(tx, "generation")?;
            put_category(tx, &mut category, generation)
        })?;
    }
    Ok(())
}

fn commit_batch(store: &Open, batch: &[Prepared], now: Timestamp) -> Result<()> {
    transact(store, |tx| {
        let mut touched: BTreeMap<CategoryId, Category> = BTreeMap::new();
        let mut balance = Balance::default();
        let mut aliases: BTreeMap<&SourceId, alias::Growing> = BTreeMap::new();
        for prepared in batch {
            apply(tx, prepared, now, &mut touched, &mut balance)?;
            put_aliases(tx, &prepared.change, &mut aliases)?;
        }
        balance.settle(tx)?;
        aliases.into_values().try_for_each(|growing| growing.end(tx))?;
        for category in touched.values_mut() {
            let generation = next(tx, "generation")?;
            put_category(tx, category, generation)?;
        }
        Ok(())
    })
}

/// Lets a change's aliases lead to its code; those of a source are stored together.
fn put_aliases<'a>(
    tx: Tx<'_>,
    change: &'a Change,
    growing: &mut BTreeMap<&'a SourceId, alias::Growing>,
) -> TxResult<()> {
    for (source, own) in &change.aliases {
        let growing = match growing.entry(source) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(alias::Growing::of(tx, sources::number_in(tx, source)?)?),
        };
        growing.put(tx, *own, &change.code.key())?;
    }
    Ok(())
}

fn apply(
    tx: Tx<'_>,
    prepared: &Prepared,
    now: Timestamp,
    touched: &mut BTreeMap<CategoryId, Category>,
    balance: &mut Balance,
) -> TxResult<()> {
    let Prepared { change, place, old_events, version } = prepared;
    let key = change.code.key();
    let before = stored(tx, &key)?;
    if let (None, Some(place), Some((_, item))) = (&change.item, place, &before) {
        put_record(tx, &key, (*place, item.clone()), balance)?;
    }
    if let Some(item) = &change.item {
        // Counters, the leading source and further paths show nowhere: the outputs stay as old as
        // they are.
        let shows = change.tombstone.is_none() && (change.body.is_some() || !change.enters.is_empty());
        let known = before.as_ref().map(|(place, _)| *place);
        let place = place.or(known).unwrap_or(Place::NONE);
        match &before {
            Some((_, stored)) if !shows => {
                // Its form is as old as it was.
                let item = Item { touched: stored.touched, ..item.clone() };
                put_record(tx, &key, (place, item), balance)?;
            }
            _ => put_item(tx, &key, (place, item), before.is_none(), balance)?,
        }
        if shows {
            for id in item.categories.iter().chain(&[CategoryId::SITE]) {
                touch(tx, *id, now, touched)?;
            }
        }
        if let Some(form) = version {
            put_form(tx, &key, form, balance)?;
        }
        if change.replaces.is_some() {
            for id in &item.categories {
                if let Some(category) = touched.get_mut(id) {
                    log::again(tx, &key, item, category)?;
                }
            }
        }
        for placement in &change.enters {
            if let Some(category) = touched.get_mut(&placement.category) {
                log::enter(tx, &key, item, category, placement.shown)?;
            }
        }
        for path in &change.paths {
            paths::redirect_to(tx, path, &item.permalink)?;
        }
    }
    if let Some(revision) = &change.replaces {
        let number = change.item.as_ref().map_or(0, |item| item.revisions);
        let bytes = codec::encode("revision", revision).map_err(abort)?;
        put(tx, T::Revision, &codec::revision_key(&key, number), &bytes)?;
    }
    if let Some((source, sighting)) = &change.sighting {
        let began = change.event.as_ref().filter(|event| begins(event, source));
        put_listing(tx, (&change.code, source), sighting, began)?;
    }
    if let Some(tombstone) = &change.tombstone {
        let bytes = codec::encode("tombstone", tombstone).map_err(abort)?;
        put(tx, T::Tomb, &key, &bytes)?;
    }
    for old in old_events {
        tree(tx, T::History).remove(old.as_slice())?;
    }
    let listed = |event: &Event| change.sighting.as_ref().is_some_and(|(source, _)| begins(event, source));
    if let Some(event) = change.event.as_ref().filter(|event| !listed(event)) {
        put_event(tx, &key, event)?;
    }
    Ok(())
}

/// Whether an event is that with which a source's listing of an item begins: it is kept with it.
fn begins(event: &Event, source: &SourceId) -> bool {
    matches!(event.what, Happening::Inserted | Happening::Listed) && event.source.as_ref() == Some(source)
}

/// Stores what is known of a listing; the event that it began with stays.
pub(super) fn put_listing(
    tx: Tx<'_>,
    (code, source): (&InfoCode, &SourceId),
    sighting: &Sighting,
    began: Option<&Event>,
) -> TxResult<()> {
    let (key, number) = (code.key(), sources::number_in(tx, source)?);
    let item = tree(tx, T::Item).get(&key)?;
    let first = item.as_deref().map(record::first).transpose().map_err(abort)?.flatten();
    let own = first.filter(|(first, _)| *first == number).map(|(_, listing)| listing);
    let apart = if own.is_none() { tree(tx, T::Seen).get(codec::seen_key(&key, number))? } else { None };
    let stands = own.or(apart.as_deref());
    let before = stands.and_then(|bytes| record::listing(bytes).ok()).and_then(|(_, event)| event);
    if let (Some(_), Some(began)) = (&before, began) {
        // It was listed, forgotten and is listed again: its story goes on.
        put_event(tx, &key, began)?;
    }
    let began = match (before, began) {
        (None, Some(began)) => Some((next(tx, "events")?, began.clone())),
        (before, _) => before,
    };
    let bytes = record::of_listing(sighting, began.as_ref()).map_err(abort)?;
    let with_item = own.is_some() || (first.is_none() && apart.is_none());
    match &item {
        Some(item) if with_item => put_first(tx, &key, item, &record::first_bytes(number, &bytes)),
        _ => put(tx, T::Seen, &codec::seen_key(&key, number), &bytes),
    }
}

/// Stores an item's first listing in its record, or apart where the record would grow too large.
pub(super) fn put_first(tx: Tx<'_>, key: &[u8], item: &[u8], first: &[u8]) -> TxResult<()> {
    let whole = record::with_first(item, first).map_err(abort)?;
    if whole.len() <= codec::MAX_VALUE {
        return put(tx, T::Item, key, &whole);
    }
    put_apart(tx, key, first)?;
    put(tx, T::Item, key, &record::with_first(item, &[]).map_err(abort)?)
}

/// Stores a listing that stood in its item's record, or was to, by itself.
pub(super) fn put_apart(tx: Tx<'_>, key: &[u8], first: &[u8]) -> TxResult<()> {
    match first.split_at_checked(4) {
        Some((number, listing)) => put(tx, T::Seen, &[key, number].concat(), listing),
        None => Ok(()),
    }
}

pub(super) fn put_event(tx: Tx<'_>, key: &[u8], event: &Event) -> TxResult<()> {
    let at = next(tx, "events")?;
    let bytes = codec::encode("event", event).map_err(abort)?;
    put(tx, T::History, &codec::event_key(key, at), &bytes)
}

/// The item as it stands in the store, and where its text is.
pub(super) fn stored(tx: Tx<'_>, key: &[u8]) -> TxResult<Option<(Place, Item)>> {
    let bytes = tree(tx, T::Item).get(key)?;
    bytes.map(|bytes| record::item(key, &bytes).map_err(abort)).transpose()
}

fn put_item(
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

/// Stores an item under the coming generation; `touched` of it says where it stood, 0 for nowhere. Its
/// text stays where it is.
pub(super) fn touch_item(tx: Tx<'_>, key: &[u8], item: &Item) -> TxResult<()> {
    // What it takes it gives.
    touch_record(tx, key, (place_of(tx, key)?, item.clone()), &mut Balance::default())
}

/// Stores an item that shows no change; its text stays where it is.
pub(super) fn keep_item(tx: Tx<'_>, key: &[u8], item: &Item) -> TxResult<()> {
    put_record(tx, key, (place_of(tx, key)?, item.clone()), &mut Balance::default())
}

fn place_of(tx: Tx<'_>, key: &[u8]) -> TxResult<Place> {
    Ok(tree(tx, T::Item).get(key)?.and_then(|record| texts::named(&record)).unwrap_or(Place::NONE))
}

/// As [`touch_item`], with a text that may be another one.
pub(super) fn touch_record(
    tx: Tx<'_>,
    key: &[u8],
    (place, mut item): (Place, Item),
    balance: &mut Balance,
) -> TxResult<()> {
    if item.touched > 0 {
        record::forget_touched(tx, item.touched, key)?;
    }
    item.touched = upcoming(tx)?;
    record::note_touched(tx, item.touched, key)?;
    put_record(tx, key, (place, item), balance)
}

fn put_record(tx: Tx<'_>, key: &[u8], (place, item): (Place, Item), balance: &mut Balance) -> TxResult<()> {
    let before = tree(tx, T::Item).get(key)?;
    if let Some(before) = before.as_deref().and_then(texts::named) {
        balance.take(before);
    }
    balance.add(place);
    let first = before.as_deref().map_or(Ok(&[][..]), record::first_of).map_err(abort)?;
    let bytes = record::of_item(place, &[], item).map_err(abort)?;
    if first.is_empty() { put(tx, T::Item, key, &bytes) } else { put_first(tx, key, &bytes, first) }
}
