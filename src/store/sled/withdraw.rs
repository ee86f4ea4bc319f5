//! Withdrawing, restoring and moving items.
//!
//! A withdrawn item is removed from every index that outputs are built from. Its record stays for its history,
//! and its tombstone keeps it from being stored again while its sources still list it.

use std::collections::BTreeMap;

use super::bodies::{Balance, Place};
use super::categories::{put_category, touch};
use super::database::{Database, TreeId, Tx, TxResult, encode, next, put, tree};
use super::engine::Engine;
use super::item_writes::{form, put_event, put_form, put_listing, touch_item};
use super::leaving::{Touched, erase, leave, leftovers, newest_without, with_site};
use super::{items, log, small_records, sources};
use crate::model::{CategoryId, InfoCode, Item, Timestamp};
use crate::store::{Event, EventKind, MAX_EVENTS, Move, Mover, Result, Tombstone, WithdrawnBy};

/// Withdraws an item from all its categories and leaves a tombstone (`Store::withdraw`).
pub(super) fn withdraw(engine: &Engine, code: &InfoCode, tombstone: &Tombstone) -> Result<bool> {
    let db = &engine.db;
    let _writing = db.writing();
    let key = code.key();
    let before = items::tombstone(db, code)?;
    let Some(item) = items::item(db, &key)? else { return Ok(false) };
    if before.as_ref().is_some_and(|before| !before.yields_to(tombstone)) {
        return Ok(false);
    }
    let leaves = if before.is_some() { Vec::new() } else { with_site(&item) };
    take_out_whole(engine, &item, &leaves, tombstone)?;
    Ok(true)
}

/// Removes an item from categories, and overwrites its erased texts. The caller holds the writer's lock.
pub(super) fn take_out_whole(
    engine: &Engine,
    item: &Item,
    leaves: &[CategoryId],
    tombstone: &Tombstone,
) -> Result<()> {
    let freed = take_out(&engine.db, item, leaves, tombstone)?;
    if freed.is_empty() {
        return Ok(());
    }
    // Only once nothing can refer to it any more, not even after a crash.
    engine.db.sync()?;
    freed.into_iter().try_for_each(|place| engine.texts.blank(place))
}

/// Removes an item from categories in one transaction; readers are informed of it, unless it is too old.
/// Returns the places of texts that were erased.
fn take_out(db: &Database, item: &Item, leaves: &[CategoryId], tombstone: &Tombstone) -> Result<Vec<Place>> {
    let told = (tombstone.by != WithdrawnBy::Retention).then_some(tombstone.at);
    let key = item.code.key();
    let newest = newest_without(db, &[(item, leaves)])?;
    let erased = if tombstone.erased { Some(leftovers(db, item)?) } else { None };
    let story = story(tombstone.at, EventKind::Withdrawn, &tombstone.why);
    let old_events = items::events_beyond(db, &key, MAX_EVENTS - 1)?;
    let bytes = encode("tombstone", &tombstone.of(item))?;
    db.transact(|tx| {
        if erased.is_none() {
            // Sinks with a file of the item's own have to learn of it.
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

/// Restores an item that has this tombstone (`Store::restore`). Its listings count as never seen, so that it
/// gets the present text of its sources.
pub(super) fn restore(
    engine: &Engine,
    code: &InfoCode,
    tombstone: &Tombstone,
    why: &str,
    now: Timestamp,
) -> Result<bool> {
    let db = &engine.db;
    let _writing = db.writing();
    let key = code.key();
    let (Some(out), Some(item)) = (items::tombstone(db, code)?, items::item(db, &key)?) else {
        return Ok(false);
    };
    if out != *tombstone {
        return Ok(false);
    }
    let story = story(now, EventKind::Restored, why);
    let said = log::gone_numbers_of(db, item.categories.iter().copied(), &key)?;
    let listings = items::listings(db, code)?;
    db.transact(|tx| {
        tree(tx, TreeId::Tomb).remove(key.as_slice())?;
        touch_item(tx, &key, &item)?;
        enter_all(tx, &item, &said, now)?;
        for (source, sighting) in &listings {
            put_listing(tx, (code, source), &sighting.never_listed(), None)?;
        }
        put_event(tx, &key, &story)
    })?;
    sources::forget_documents_of(engine, listings.into_iter().map(|(source, _)| source))?;
    Ok(true)
}

/// Moves an item (`Store::reroute`).
pub(super) fn reroute(db: &Database, code: &InfoCode, decided: &Move, now: Timestamp) -> Result<bool> {
    let _writing = db.writing();
    let key = code.key();
    let Some(item) = items::item(db, &key)? else { return Ok(false) };
    let Move { from, to, why, by } = decided;
    let stays = *by == Mover::Rules && items::is_placed(db, code)?;
    if to.is_empty() || item.categories != *from || stays {
        return Ok(false);
    }
    if from == to {
        if *by == Mover::Admin {
            db.transact(|tx| small_records::place(tx, code))?;
        }
        return Ok(false);
    }
    let out = items::tombstone(db, code)?.is_some();
    let leaves: Vec<CategoryId> = from.iter().copied().filter(|id| !to.contains(id)).collect();
    let comes: Vec<CategoryId> = to.iter().copied().filter(|id| !from.contains(id)).collect();
    let newest = newest_without(db, &[(&item, &leaves)])?;
    let said = log::gone_numbers_of(db, comes.iter().copied(), &key)?;
    let version = form(db, &item)?;
    let moved = Item { categories: to.clone(), ..item.clone() };
    let event = story(now, EventKind::Rerouted, why);
    db.transact(|tx| {
        let mut balance = Balance::default();
        put_form(tx, &key, &version, &mut balance)?;
        balance.write(tx)?;
        touch_item(tx, &key, &moved)?;
        put_event(tx, &key, &event)?;
        if *by == Mover::Admin {
            small_records::place(tx, code)?;
        }
        if out {
            return Ok(());
        }
        let mut left = Touched::default();
        leave(tx, &item, &leaves, (now, Some(now)), &mut left)?;
        left.put(tx, &newest)?;
        enter_all(tx, &moved, &said, now)
    })?;
    Ok(true)
}

fn story(at: Timestamp, what: EventKind, why: &str) -> Event {
    let why = crate::model::text::clip_bytes(why, 300);
    Event { at, what, source: None, why, known_by: String::new(), answer: None }
}

/// Adds an item to all its categories in which it is not, and removes the log entries that report it as gone.
fn enter_all(tx: Tx<'_>, item: &Item, said: &log::GoneNumbers, now: Timestamp) -> TxResult<()> {
    let mut touched = BTreeMap::new();
    for id in with_site(item) {
        touch(tx, id, now, &mut touched)?;
    }
    for (id, category) in &mut touched {
        log::unsay(tx, category, said.get(id).map_or(&[], Vec::as_slice))?;
        log::enter(tx, &item.code.key(), item, category, true)?;
        let generation = next(tx, "generation")?;
        put_category(tx, category, generation)?;
    }
    Ok(())
}
