//! Repairing an item: its record, its text, and all its indexes.

use std::collections::BTreeMap;

use crate::model::{Body, Category, CategoryId, Item, Timestamp};
use crate::store::Result;
use crate::store::sled::bodies::{Balance, Place, named};
use crate::store::sled::categories::{self, put_category, touch};
use crate::store::sled::database::{TreeId, delete, next, put, readable, time_key, tree};
use crate::store::sled::engine::Engine;
use crate::store::sled::item_writes::{put_first, touch_item, touch_record};
use crate::store::sled::leaving::with_site;
use crate::store::sled::{articles, items, log, paths, records};

/// Repairs an item with its text and its indexes; returns `true` if something of it is lost.
pub(super) fn item(engine: &Engine, key: &[u8], now: Timestamp) -> Result<bool> {
    let item = readable(items::item(&engine.db, key))?.flatten().filter(|item| item.code.key() == key);
    let Some(item) = item else {
        engine.db.transact(|tx| delete(tx, TreeId::Item, key))?;
        forget(engine, key, true)?;
        return Ok(true);
    };
    let out = engine.db.get(TreeId::Tomb, key)?.is_some();
    if let Some(record) = engine.db.get(TreeId::Item, key)?
        && let Some((_, listing)) = records::first(&record)?
        && readable(records::listing(listing))?.is_none()
    {
        engine.db.transact(|tx| put_first(tx, key, &record, &[]))?;
    }
    let named = engine.db.get(TreeId::Item, key)?.and_then(|record| named(&record));
    let torn =
        named.is_none_or(|place| place == Place::NONE) || readable(articles::body(engine, key))?.is_none();
    if torn {
        put_text(engine, key, &item, &Body::default())?;
        forget(engine, key, false)?;
    }
    let Some(item) = items::item(&engine.db, key)? else { return Ok(true) };
    index(engine, key, item, out, now)?;
    Ok(torn)
}

/// Gives an item another text.
pub(in super::super) fn put_text(engine: &Engine, key: &[u8], item: &Item, text: &Body) -> Result<()> {
    let packed = engine.pack([text])?;
    let _naming = engine.texts.naming();
    let places = engine.texts.append(&[(key, packed.first().map(Vec::as_slice).unwrap_or_default())])?;
    engine.texts.sync()?;
    engine.db.transact(|tx| {
        let mut balance = Balance::default();
        let records = places.iter().map(|place| (*place, item.clone()));
        records.into_iter().try_for_each(|record| touch_record(tx, key, record, &mut balance))?;
        balance.write(tx)
    })
}

/// Rebuilds all indexes of an item; arrival numbers that are right are kept.
fn index(engine: &Engine, key: &[u8], mut item: Item, out: bool, now: Timestamp) -> Result<()> {
    let mut known = Vec::new();
    for id in item.categories.clone() {
        if readable(categories::category(&engine.db, id))?.flatten().is_some() {
            known.push(id);
        }
    }
    item.categories = known;
    let mut wrong = Vec::new();
    for id in with_site(&item) {
        let at = time_key(id, item.published, key);
        let entry = engine.db.get(TreeId::CatTime, &at)?;
        let good =
            entry.as_ref().is_some_and(|entry| log::is_in_order(&engine.db, id, key, entry).unwrap_or(false));
        if out == entry.is_some() || (!out && !good) {
            let shown = entry.and_then(|entry| entry.first().copied()) != Some(0);
            wrong.push((id, at, shown));
        }
    }
    engine.db.transact(|tx| {
        paths::lead(tx, key, &item)?;
        touch_item(tx, key, &item)?;
        let mut touched: BTreeMap<CategoryId, Category> = BTreeMap::new();
        for (id, at, shown) in &wrong {
            tree(tx, TreeId::CatTime).remove(at.as_slice())?;
            touch(tx, *id, now, &mut touched)?;
            if let Some(category) = touched.get_mut(id).filter(|_| !out) {
                log::enter(tx, key, &item, category, *shown)?;
            }
        }
        for category in touched.values_mut() {
            let generation = next(tx, "generation")?;
            put_category(tx, category, generation)?;
        }
        Ok(())
    })?;
    let archived = wrong.iter().filter(|(_, _, shown)| !shown).map(|(id, ..)| *id).collect();
    log::close_all_archived(&engine.db, &archived)
}

/// Makes the sources that list an item see it as changed, or as unknown.
pub(in super::super) fn forget(engine: &Engine, key: &[u8], unknown: bool) -> Result<()> {
    let entries: Vec<_> = engine.db.tree(TreeId::Seen).scan_prefix(key).flatten().collect();
    for (at, value) in entries {
        let never = if unknown { None } else { never_seen(&value)? };
        engine.db.transact(|tx| match &never {
            Some(listing) => put(tx, TreeId::Seen, &at, listing),
            None => delete(tx, TreeId::Seen, &at),
        })?;
    }
    let Some(item) = engine.db.get(TreeId::Item, key)? else { return Ok(()) };
    let first = match readable(records::first(&item))?.flatten() {
        Some((number, listing)) => {
            never_seen(listing)?.map(|never| records::first_bytes(number, &never)).unwrap_or_default()
        }
        None => return Ok(()),
    };
    engine.db.transact(|tx| put_first(tx, key, &item, &first))
}

/// Returns a listing whose hashes match nothing; `None` if it cannot be read.
fn never_seen(listing: &[u8]) -> Result<Option<Vec<u8>>> {
    let Some((sighting, began)) = readable(records::listing(listing))? else { return Ok(None) };
    records::of_listing(&sighting.never_listed(), began.as_ref()).map(Some)
}
