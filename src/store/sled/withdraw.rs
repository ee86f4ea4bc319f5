//! Taking items out, putting them back, and moving them elsewhere.
//!
//! A withdrawn item leaves every index that outputs are made of; its record stays for its story,
//! and its tombstone keeps it from being stored anew while its sources still list it.

use std::collections::BTreeMap;

use super::bodies::{Balance, Place};
use super::categories::{put_category, touch};
use super::database::{Database, TreeId, encode, next, put, tree};
use super::engine::Engine;
use super::item_writes::{form, put_event, put_form, touch_item};
use super::leaving::{Touched, erase, leave, leftovers, newest_without, with_site};
use super::{items, log};
use crate::model::{CategoryId, InfoCode, Item, Timestamp};
use crate::store::{Event, EventKind, MAX_EVENTS, Result, Tombstone, WithdrawnBy};

/// Takes an item out of all its categories and leaves a tombstone (`Store::withdraw`).
pub(super) fn withdraw(engine: &Engine, code: &InfoCode, tombstone: &Tombstone) -> Result<bool> {
    let db = &engine.db;
    let _writing = db.writing();
    let key = code.key();
    let before = items::tombstone(db, code)?;
    let Some(item) = items::item(db, &key)? else { return Ok(false) };
    if before.as_ref().is_some_and(|before| before.erased || !tombstone.erased) {
        return Ok(false);
    }
    let leaves = if before.is_some() { Vec::new() } else { with_site(&item) };
    let freed = take_out(db, &item, &leaves, tombstone)?;
    if !freed.is_empty() {
        // Only when nothing can name it any more, not even after a crash.
        db.sync()?;
        freed.into_iter().try_for_each(|place| engine.texts.blank(place))?;
    }
    Ok(true)
}

/// Everything of one withdrawal, in one transaction. Readers are told of it, but not of what grew
/// too old. Gives the places of texts that were erased.
fn take_out(db: &Database, item: &Item, leaves: &[CategoryId], tombstone: &Tombstone) -> Result<Vec<Place>> {
    let told = (tombstone.by != WithdrawnBy::Retention).then_some(tombstone.at);
    let key = item.code.key();
    let newest = newest_without(db, &[(item, leaves)])?;
    let erased = if tombstone.erased { Some(leftovers(db, item)?) } else { None };
    let story = Event {
        at: tombstone.at,
        what: EventKind::Withdrawn,
        source: None,
        why: crate::model::text::clip_bytes(&tombstone.why, 300),
        known_by: String::new(),
        answer: None,
    };
    let old_events = items::events_beyond(db, &key, MAX_EVENTS - 1)?;
    let bytes = encode("tombstone", tombstone)?;
    db.transact(|tx| {
        if erased.is_none() {
            // Sinks that hold a file of the item's own have to hear of it.
            touch_item(tx, &key, item)?;
        }
        let mut touched = Touched::default();
        leave(tx, item, leaves, (tombstone.at, told), &mut touched)?;
        touched.put(tx, &newest)?;
        put(tx, TreeId::Tomb, &key, &bytes)?;
        for old in &old_events {
            tree(tx, TreeId::History).remove(old.as_slice())?;
        }
        put_event(tx, &key, &story)?;
        erased.as_ref().map_or(Ok(Vec::new()), |leftovers| erase(tx, item, leftovers))
    })
}

pub(super) fn restore(db: &Database, code: &InfoCode, why: &str, now: Timestamp) -> Result<bool> {
    let _writing = db.writing();
    let key = code.key();
    let (Some(_), Some(item)) = (items::tombstone(db, code)?, items::item(db, &key)?) else {
        return Ok(false);
    };
    let story = Event {
        at: now,
        what: EventKind::Restored,
        source: None,
        why: crate::model::text::clip_bytes(why, 300),
        known_by: String::new(),
        answer: None,
    };
    let mut said: BTreeMap<CategoryId, Vec<u32>> = BTreeMap::new();
    for id in &item.categories {
        said.insert(*id, log::said_gone(db, *id, &key)?);
    }
    db.transact(|tx| {
        tree(tx, TreeId::Tomb).remove(key.as_slice())?;
        touch_item(tx, &key, &item)?;
        let mut touched = BTreeMap::new();
        for id in with_site(&item) {
            touch(tx, id, now, &mut touched)?;
            if let Some(category) = touched.get_mut(&id) {
                log::unsay(tx, category, said.get(&id).map_or(&[], Vec::as_slice))?;
                log::enter(tx, &key, &item, category, true)?;
            }
        }
        for category in touched.values_mut() {
            let generation = next(tx, "generation")?;
            put_category(tx, category, generation)?;
        }
        put_event(tx, &key, &story)
    })?;
    Ok(true)
}

pub(super) fn reroute(
    db: &Database,
    code: &InfoCode,
    to: &[CategoryId],
    why: &str,
    now: Timestamp,
) -> Result<bool> {
    let _writing = db.writing();
    let key = code.key();
    let Some(item) = items::item(db, &key)? else { return Ok(false) };
    if to.is_empty() || item.categories == to {
        return Ok(false);
    }
    let out = items::tombstone(db, code)?.is_some();
    let leaves: Vec<CategoryId> = item.categories.iter().copied().filter(|id| !to.contains(id)).collect();
    let newest = newest_without(db, &[(&item, &leaves)])?;
    let version = form(db, &item)?;
    let moved = Item { categories: to.to_vec(), ..item.clone() };
    let event = Event {
        at: now,
        what: EventKind::Rerouted,
        source: None,
        why: crate::model::text::clip_bytes(why, 300),
        known_by: String::new(),
        answer: None,
    };
    db.transact(|tx| {
        let mut balance = Balance::default();
        put_form(tx, &key, &version, &mut balance)?;
        balance.settle(tx)?;
        touch_item(tx, &key, &moved)?;
        put_event(tx, &key, &event)?;
        if out {
            return Ok(());
        }
        let mut left = Touched::default();
        leave(tx, &item, &leaves, (now, Some(now)), &mut left)?;
        left.put(tx, &newest)?;
        let mut touched = BTreeMap::new();
        for id in with_site(&moved) {
            touch(tx, id, now, &mut touched)?;
        }
        for category in touched.values_mut() {
            log::enter(tx, &key, &moved, category, true)?;
            let generation = next(tx, "generation")?;
            put_category(tx, category, generation)?;
        }
        Ok(())
    })?;
    Ok(true)
}
