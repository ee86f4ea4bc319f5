//! Repairing categories, sources, tombstones, seals and counters.

use crate::model::{Category, CategoryId, Slug, Timestamp};
use crate::store::sled::categories::{self, put_category};
use crate::store::sled::database::{
    READ, TreeId, abort, backend, category_key, code_in, decode, delete, encode, next, put, readable, tree,
    u32_at, u64_at,
};
use crate::store::sled::engine::Engine;
use crate::store::sled::leaving::with_site;
use crate::store::sled::lists::{last_arrival, newest};
use crate::store::sled::source_numbers::names;
use crate::store::sled::withdraw::take_out_whole;
use crate::store::sled::{items, log, sources};
use crate::store::{Result, Tombstone, WithdrawnBy};

/// Repairs a category: an unreadable one is rebuilt from its names, and its counters from its entries.
pub(super) fn category(engine: &Engine, key: &[u8], now: Timestamp) -> Result<()> {
    let Some(id) = u32_at(key, 0).map(CategoryId) else { return Ok(()) };
    let read = readable(categories::category(&engine.db, id))?.flatten().filter(|category| category.id == id);
    let names = |kind| name_of(engine, kind, key);
    let mut category = match read {
        Some(category) => category,
        None if id == CategoryId::SITE => Category {
            id,
            slug: Slug::site(),
            name: String::new(),
            generation: 0,
            changed_at: now,
            newest: None,
            arrivals: 0,
        },
        None => {
            let name = names(b'n')?;
            let slug = names(b's')?.and_then(|slug| Slug::new(&slug));
            let slug = slug.unwrap_or_else(|| Slug::from_name(name.as_deref().unwrap_or_default()));
            let name = name.unwrap_or_else(|| slug.to_string());
            Category { id, slug, name, generation: 0, changed_at: now, newest: None, arrivals: 0 }
        }
    };
    category.newest = newest(&engine.db, id)?;
    category.arrivals = category.arrivals.max(last_arrival(&engine.db, id)?);
    let merged = categories::merged(&engine.db, &category)?;
    engine.db.transact(|tx| {
        let mut category = category.clone();
        if id != CategoryId::SITE && category.sealed() > 0 {
            log::note_anew(tx, id, category.sealed())?;
        }
        let generation = next(tx, "generation")?;
        put_category(tx, &mut category, generation)?;
        if id != CategoryId::SITE && !merged {
            put(tx, TreeId::CategoryKey, &category_key(b's', category.slug.as_str()), key)?;
            let name = category_key(b'n', &category.name);
            if tree(tx, TreeId::CategoryKey).get(&name)?.is_none() {
                put(tx, TreeId::CategoryKey, &name, key)?;
            }
        }
        Ok(())
    })
}

/// Returns the first name (`n`) or slug (`s`) that resolves to a category.
fn name_of(engine: &Engine, kind: u8, id: &[u8]) -> Result<Option<String>> {
    for entry in engine.db.tree(TreeId::CategoryKey).scan_prefix([kind]) {
        let (name, leads) = entry.map_err(|e| backend(READ, e))?;
        if leads == id {
            return Ok(name.get(1..).map(|name| String::from_utf8_lossy(name).into_owned()));
        }
    }
    Ok(None)
}

/// Writes the state of a source again, an unreadable one as new; deletes that of a source without a name.
pub(super) fn source(engine: &Engine, key: &[u8], now: Timestamp) -> Result<()> {
    let number = u32_at(key, 0).unwrap_or_default();
    let Some(id) = names(&engine.db)?.remove(&number) else {
        return engine.db.transact(|tx| delete(tx, TreeId::Source, key));
    };
    sources::put_states(engine, [(&id, &sources::state_or_new(engine, &id, now)?)])
}

/// Repairs a tombstone: an unreadable one still keeps its item out, and an erased item that exists is erased
/// again.
pub(super) fn tombstone(engine: &Engine, key: &[u8], now: Timestamp) -> Result<()> {
    if code_in(key).is_none() {
        return engine.db.transact(|tx| delete(tx, TreeId::Tomb, key));
    }
    let read = engine.db.get(TreeId::Tomb, key)?;
    let read = read.and_then(|bytes| decode::<Tombstone>("tombstone", &bytes).ok());
    let item = readable(items::item(&engine.db, key))?.flatten();
    if let (Some(stone), Some(item)) = (read.as_ref().filter(|stone| stone.erased), &item) {
        return take_out_whole(engine, item, &with_site(item), stone);
    }
    let erased = engine.db.get(TreeId::Item, key)?.is_none();
    let stone = read.map_or_else(
        || Tombstone::new(now, WithdrawnBy::Admin, "its record was damaged", erased),
        |stone| Tombstone { erased, ..stone },
    );
    engine.db.transact(|tx| put(tx, TreeId::Tomb, key, &encode("tombstone", &stone).map_err(abort)?))
}

/// Indexes a sealed hundred anew; deletes the seal of another one.
pub(super) fn seal(engine: &Engine, key: &[u8]) -> Result<()> {
    if let (Some(id), Some(page)) = (u32_at(key, 0).map(CategoryId), u32_at(key, 4))
        && readable(categories::category(&engine.db, id))?
            .flatten()
            .is_some_and(|category| page <= category.sealed())
    {
        return engine.db.transact(|tx| log::note_anew(tx, id, page));
    }
    engine.db.transact(|tx| delete(tx, TreeId::Seal, key))
}

pub(super) fn sys(engine: &Engine, key: &[u8]) -> Result<()> {
    if key != b"generation" {
        return Ok(());
    }
    let last = engine.db.tree(TreeId::Changed).last().map_err(|e| backend(READ, e))?;
    let last = last.and_then(|(key, _)| u64_at(&key, 0)).unwrap_or_default();
    engine.db.transact(|tx| put(tx, TreeId::Sys, key, &last.to_be_bytes()))
}
