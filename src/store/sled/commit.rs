//! Storing decided changes: texts first, then, in transactions of several changes, the items with all their
//! indexes.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::bodies::{Balance, Place, Text};
use super::categories::{leads_to_itself, put_category, touch};
use super::database::{Database, TreeId, Tx, TxResult, abort, encode, next, put, revision_key, tree};
use super::engine::Engine;
use super::item_writes::{begins, form, put_event, put_form, put_item, put_listing, put_record, stored};
use super::log::GoneNumbers;
use super::source_numbers::number_in;
use super::sources::is_claimed;
use super::{alias, item_writes, items, log, paths, small_records};
use crate::model::{Category, CategoryId, InfoCode, Item, SourceId, Timestamp};
use crate::store::{Basis, Change, Event, EventKind, MAX_CHANGES, MAX_EVENTS, Result, StoreError};

/// Limits of a group of changes whose texts are made durable together: changes, and bytes of texts before
/// compression.
const CHANGES_AT_ONCE: usize = 300;
const TEXTS_AT_ONCE: usize = 8 << 20;
/// Number of changes from which two threads share the work.
const MANY: usize = 100;

/// A change with the bytes that are prepared before the transaction, whose closure may run again.
struct Prepared {
    change: Change,
    /// The place of its text.
    place: Option<Place>,
    /// Keys of old events that are deleted to make room.
    old_events: Vec<Vec<u8>>,
    /// The form that it replaces, if that is kept: the generation since which it existed, and its record.
    version: Option<(u64, Vec<u8>)>,
    /// The log entries of the entered categories that report the item as gone.
    said: GoneNumbers,
}

/// Stores changes (`Store::commit`). Texts are written and made durable first and without the writer's lock, up
/// to [`TEXTS_AT_ONCE`] bytes together: only then may sled refer to their places.
pub(super) fn commit(engine: &Engine, changes: Vec<Change>, now: Timestamp) -> Result<Vec<InfoCode>> {
    let _naming = engine.texts.naming();
    let mut changes = changes.into_iter().peekable();
    let (mut archived, mut refused) = (BTreeSet::new(), Vec::new());
    while changes.peek().is_some() {
        let mut group: Vec<Change> = Vec::new();
        let mut bytes = 0;
        while let Some(change) = changes.next_if(|_| bytes < TEXTS_AT_ONCE && group.len() < CHANGES_AT_ONCE) {
            archived.extend(change.enters.iter().filter(|place| !place.shown).map(|place| place.category));
            bytes += change.body.as_ref().map_or(0, |body| body.html.len());
            group.push(change);
        }
        refused.extend(commit_group(engine, group, now)?);
    }
    let _writing = engine.db.writing();
    log::close_all_archived(&engine.db, &archived)?;
    Ok(refused)
}

/// Stores a group of changes. Of a large one, another thread compresses the texts of one half and makes them
/// durable while the transactions of the other half run: disk and compression take as long as these.
fn commit_group(engine: &Engine, mut group: Vec<Change>, now: Timestamp) -> Result<Vec<InfoCode>> {
    if group.len() < MANY {
        let places = store_texts(engine, &group)?;
        return commit_placed(engine, group, places, now);
    }
    let rest = group.split_off(group.len() / 2);
    std::thread::scope(|scope| {
        let second = scope.spawn(move || (store_texts(engine, &rest), rest));
        let places = store_texts(engine, &group)?;
        let mut refused = commit_placed(engine, group, places, now)?;
        let (places, rest) = second.join().map_err(|_| StoreError::Damaged { what: "body" })?;
        refused.extend(commit_placed(engine, rest, places?, now)?);
        Ok(refused)
    })
}

/// Makes the texts of changes durable, and returns their places, one for each change with a text.
fn store_texts(engine: &Engine, group: &[Change]) -> Result<Vec<Place>> {
    let bodies = group.iter().filter_map(|change| change.body.as_ref());
    let packed = engine.pack(bodies)?;
    let keys = group.iter().filter(|change| change.body.is_some()).map(|change| change.code.key());
    let keys: Vec<Vec<u8>> = keys.collect();
    let texts: Vec<Text<'_>> =
        keys.iter().zip(&packed).map(|(key, packed)| (&key[..], &packed[..])).collect();
    let places = engine.texts.append(&texts)?;
    engine.texts.sync()?;
    Ok(places)
}

/// Stores changes whose texts are durable at these places, one for each text.
fn commit_placed(
    engine: &Engine,
    group: Vec<Change>,
    places: Vec<Place>,
    now: Timestamp,
) -> Result<Vec<InfoCode>> {
    let mut places = places.into_iter();
    let _writing = engine.db.writing();
    let (mut batch, mut refused) = (Vec::new(), Vec::new());
    for change in group {
        if batch.len() >= MAX_CHANGES {
            refused.extend(commit_batch(&engine.db, &std::mem::take(&mut batch), now)?);
        }
        let place = change.body.as_ref().and_then(|_| places.next());
        let (old_events, version) = match &change.event {
            // A new history has no old events, and a new item no earlier form.
            Some(event) if event.what == EventKind::Inserted => (Vec::new(), None),
            Some(_) => {
                let beyond = items::events_beyond(&engine.db, &change.code.key(), MAX_EVENTS - 1)?;
                (beyond, replaced(&engine.db, &change)?)
            }
            None => (Vec::new(), replaced(&engine.db, &change)?),
        };
        let said = said(&engine.db, &change)?;
        batch.push(Prepared { change, place, old_events, version, said });
    }
    if !batch.is_empty() {
        refused.extend(commit_batch(&engine.db, &batch, now)?);
    }
    Ok(refused)
}

/// Returns the form that a change replaces, if it may still be read: because it was published and is corrected,
/// or because a sealed hundred contains it.
fn replaced(db: &Database, change: &Change) -> Result<Option<(u64, Vec<u8>)>> {
    let shows = change.tombstone.is_none() && (change.body.is_some() || !change.enters.is_empty());
    if change.item.is_none() || !shows {
        return Ok(None);
    }
    let key = change.code.key();
    let Some(item) = items::item(db, &key)? else { return Ok(None) };
    if change.replaces.is_none() && !log::shown_sealed(db, &item)? {
        return Ok(None);
    }
    form(db, &item).map(Some)
}

/// Returns the log entries of the entered categories that report the item as gone. These searches scan the
/// whole log of a category, so they run only for an item whose history has other events than those of polls.
fn said(db: &Database, change: &Change) -> Result<GoneNumbers> {
    let known = change.basis.item.is_some() && !change.enters.is_empty();
    let polled = |event: &Event| {
        use EventKind::{Counted, Inserted, Joined, Listed, Revised};
        matches!(event.what, Inserted | Listed | Joined | Revised | Counted)
    };
    if !known {
        return Ok(GoneNumbers::new());
    }
    let history = items::history(db, &change.code)?;
    if history.len() < MAX_EVENTS && history.iter().all(polled) {
        return Ok(GoneNumbers::new());
    }
    let entered = change.enters.iter().map(|place| place.category).filter(|id| *id != CategoryId::SITE);
    log::gone_numbers_of(db, entered, &change.code.key())
}

/// Stores the changes whose basis is unchanged, and returns the codes of the others.
fn commit_batch(db: &Database, batch: &[Prepared], now: Timestamp) -> Result<Vec<InfoCode>> {
    db.transact(|tx| {
        let mut touched: BTreeMap<CategoryId, Category> = BTreeMap::new();
        let mut balance = Balance::default();
        let mut aliases: BTreeMap<&SourceId, alias::Growing> = BTreeMap::new();
        let (mut refused, mut claims) = (Vec::new(), BTreeMap::new());
        for prepared in batch {
            let change = &prepared.change;
            let before = stored(tx, &change.code.key())?;
            if !claim_stands(tx, change, &mut claims)?
                || !stands(tx, change, before.as_ref().map(|(_, item)| item))?
            {
                refused.push(change.code.clone());
                continue;
            }
            apply(tx, prepared, before.as_ref(), now, &mut touched, &mut balance)?;
            put_aliases(tx, &prepared.change, &mut aliases)?;
        }
        balance.write(tx)?;
        aliases.into_values().try_for_each(|growing| growing.end(tx))?;
        for category in touched.values_mut() {
            let generation = next(tx, "generation")?;
            put_category(tx, category, generation)?;
        }
        Ok(refused)
    })
}

/// Returns whether the claim under which a change was decided is still the last; `known` caches the answers
/// of a transaction.
fn claim_stands<'a>(
    tx: Tx<'_>,
    change: &'a Change,
    known: &mut BTreeMap<&'a (SourceId, u64), bool>,
) -> TxResult<bool> {
    let Some(claim) = &change.claim else { return Ok(true) };
    match known.entry(claim) {
        Entry::Occupied(known) => Ok(*known.get()),
        Entry::Vacant(new) => Ok(*new.insert(is_claimed(tx, &claim.0, claim.1)?)),
    }
}

/// Returns whether everything that a change was decided on is unchanged; `item` is the stored item.
fn stands(tx: Tx<'_>, change: &Change, item: Option<&Item>) -> TxResult<bool> {
    let Basis { item: known, tombstone, placed } = &change.basis;
    if item != known.as_ref() || item_writes::tombstone(tx, &change.code)? != *tombstone {
        return Ok(false);
    }
    if !change.enters.is_empty() && known.is_some() && small_records::is_placed(tx, &change.code)? != *placed
    {
        return Ok(false);
    }
    for placement in &change.enters {
        if !leads_to_itself(tx, placement.category)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Makes a change's aliases resolve to its code; those of one source are written together.
fn put_aliases<'a>(
    tx: Tx<'_>,
    change: &'a Change,
    growing: &mut BTreeMap<&'a SourceId, alias::Growing>,
) -> TxResult<()> {
    for (source, own) in &change.aliases {
        let growing = match growing.entry(source) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(alias::Growing::of(tx, number_in(tx, source)?)?),
        };
        growing.put(tx, *own, &change.code.key())?;
    }
    Ok(())
}

fn apply(
    tx: Tx<'_>,
    prepared: &Prepared,
    before: Option<&(Place, Item)>,
    now: Timestamp,
    touched: &mut BTreeMap<CategoryId, Category>,
    balance: &mut Balance,
) -> TxResult<()> {
    let Prepared { change, place, old_events, version, said } = prepared;
    let key = change.code.key();
    if let (None, Some(place), Some((_, item))) = (&change.item, place, before) {
        put_record(tx, &key, (*place, item.clone()), balance)?;
    }
    if let Some(item) = &change.item {
        // Counters, the leading source and further paths are published nowhere: outputs keep their age.
        let shows = change.tombstone.is_none() && (change.body.is_some() || !change.enters.is_empty());
        let known = before.map(|(place, _)| *place);
        let place = place.or(known).unwrap_or(Place::NONE);
        match before {
            Some((_, stored)) if !shows => {
                // Its form keeps its age.
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
                log::unsay(tx, category, said.get(&placement.category).map_or(&[], Vec::as_slice))?;
                log::enter(tx, &key, item, category, placement.shown)?;
            }
        }
        for path in &change.paths {
            paths::redirect_to(tx, path, &item.permalink)?;
        }
    }
    if let Some(revision) = &change.replaces {
        let number = change.item.as_ref().map_or(0, |item| item.revisions);
        let bytes = encode("revision", revision).map_err(abort)?;
        put(tx, TreeId::Revision, &revision_key(&key, number), &bytes)?;
    }
    if let Some((source, sighting)) = &change.sighting {
        let began = change.event.as_ref().filter(|event| begins(event, source));
        put_listing(tx, (&change.code, source), sighting, began)?;
    }
    if let Some(tombstone) = &change.tombstone {
        let bytes = encode("tombstone", tombstone).map_err(abort)?;
        put(tx, TreeId::Tomb, &key, &bytes)?;
    }
    for old in old_events {
        tree(tx, TreeId::History).remove(old.as_slice())?;
    }
    let listed = |event: &Event| change.sighting.as_ref().is_some_and(|(source, _)| begins(event, source));
    if let Some(event) = change.event.as_ref().filter(|event| !listed(event)) {
        put_event(tx, &key, event)?;
    }
    Ok(())
}
