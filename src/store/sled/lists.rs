//! Items in the order of time, arrival and change, and paths in order.

use std::ops::Bound;

use sled::IVec;

use super::database::{Database, READ, TreeId, backend, time_at, time_key, u32_at, u64_at};
use super::items::item;
use super::log::{Entered, Slot, slot_in};
use super::paths;
use super::slots;
use super::touched::touched_codes;
use crate::model::{CategoryId, InfoCode, Item, Timestamp};
use crate::store::{Result, Window};

/// Archived entries that the query of a current window skips before it returns what it has: an old site's
/// thousands of articles must not be walked at every publish.
const MAX_PASSED_OVER: usize = 1_000;

pub(super) fn items_in(db: &Database, category: CategoryId, window: Window) -> Result<Vec<Item>> {
    let mut items: Vec<Item> = Vec::new();
    let mut newest = None;
    let mut passed_over = 0;
    for entry in db.tree(TreeId::CatTime).scan_prefix(category.0.to_be_bytes()).rev() {
        let (key, value) = entry.map_err(|e| backend(READ, e))?;
        let published = time_at(key.get(4..12).unwrap_or_default()).unwrap_or_default();
        let newest = *newest.get_or_insert(published);
        let enough = items.len() >= window.items && newest.since(published) > window.age;
        if items.len() >= window.most || enough {
            break;
        }
        let shown = value.first() == Some(&1);
        passed_over += usize::from(!shown && !window.archived);
        if passed_over > MAX_PASSED_OVER {
            break;
        }
        if (window.archived || shown)
            && let Some(item) = item(db, key.get(12..).unwrap_or_default())?
        {
            items.push(item);
        }
    }
    Ok(items)
}

pub(super) fn items_between(
    db: &Database,
    category: CategoryId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    let range = time_key(category, from, &[])..time_key(category, to, &[]);
    for key in db.tree(TreeId::CatTime).range(range).keys() {
        let key = key.map_err(|e| backend(READ, e))?;
        items.extend(item(db, key.get(12..).unwrap_or_default())?);
    }
    Ok(items)
}

pub(super) fn arrivals(db: &Database, category: CategoryId, from: u32, to: u32) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    for entry in slots::range(db, category, from, to) {
        if let Some(Slot::Arrived(key) | Slot::Archived(key)) = slot_in(&entry?.1) {
            items.extend(item(db, &key)?);
        }
    }
    Ok(items)
}

/// Returns the items of the whole site in the order of arrival: the number of each, and the bytes of its code.
pub(super) fn by_arrival(db: &Database) -> Result<Vec<(u32, Vec<u8>)>> {
    let mut all = Vec::new();
    for entry in db.tree(TreeId::CatTime).scan_prefix(CategoryId::SITE.0.to_be_bytes()) {
        let (key, entry) = entry.map_err(|e| backend(READ, e))?;
        let code = key.get(12..).unwrap_or_default().to_vec();
        all.push((Entered::read(&entry).map(|entered| entered.first).unwrap_or_default(), code));
    }
    all.sort_unstable();
    Ok(all)
}

pub(super) fn arrival_of(db: &Database, category: CategoryId, item: &Item) -> Result<Option<u32>> {
    let key = time_key(category, item.published, &item.code.key());
    Ok(db.get(TreeId::CatTime, key)?.and_then(|value| u32_at(&value, 1)))
}

/// Returns items whose last change is after one number and not after another, and the number up to which the
/// result is complete.
pub(super) fn touched(db: &Database, (after, until): (u64, u64), limit: usize) -> Result<(Vec<Item>, u64)> {
    let start = after.saturating_add(1).to_be_bytes();
    let mut items: Vec<Item> = Vec::new();
    for entry in db.tree(TreeId::Touched).range(start..) {
        let (key, codes) = entry.map_err(|e| backend(READ, e))?;
        if u64_at(&key, 0).is_none_or(|number| number > until) {
            break;
        }
        // A commit's items share one number; a caller continues after the last number it saw.
        let same_commit = items.last().is_some_and(|last| u64_at(&key, 0) == Some(last.touched));
        if items.len() >= limit && !same_commit {
            let upto = items.last().map_or(until, |last| last.touched);
            return Ok((items, upto));
        }
        let mut codes: Vec<&[u8]> = touched_codes(&codes).flatten().collect();
        codes.sort_unstable();
        for code in codes {
            // An item that was changed again since is also indexed under a later number.
            items.extend(item(db, code)?.filter(|item| u64_at(&key, 0) == Some(item.touched)));
        }
    }
    Ok((items, until))
}

pub(super) fn neighbours(
    db: &Database,
    category: CategoryId,
    (published, code): (Timestamp, &InfoCode),
) -> Result<(Option<Item>, Option<Item>)> {
    let tree = db.tree(TreeId::CatTime);
    let here = time_key(category, published, &code.key());
    let within = |found: Option<(IVec, IVec)>| {
        found
            .filter(|(key, _)| key.starts_with(&category.0.to_be_bytes()))
            .and_then(|(key, _)| key.get(12..).map(<[u8]>::to_vec))
    };
    let older = within(tree.get_lt(&here).map_err(|e| backend(READ, e))?);
    let newer = within(tree.get_gt(&here).map_err(|e| backend(READ, e))?);
    let load = |key: Option<Vec<u8>>| key.map_or(Ok(None), |key| self::item(db, &key));
    Ok((load(older)?, load(newer)?))
}

pub(super) fn find(db: &Database, text: &str, limit: usize) -> Result<Vec<Item>> {
    let wanted = text.to_lowercase();
    let mut found = Vec::new();
    for entry in db.tree(TreeId::CatTime).scan_prefix(CategoryId::SITE.0.to_be_bytes()).rev() {
        let (key, _) = entry.map_err(|e| backend(READ, e))?;
        let Some(item) = item(db, key.get(12..).unwrap_or_default())? else { continue };
        if item.title.to_lowercase().contains(&wanted) || item.code.code().to_lowercase().contains(&wanted) {
            found.push(item);
            if found.len() >= limit {
                break;
            }
        }
    }
    Ok(found)
}

pub(super) fn redirects(db: &Database, after: &str, limit: usize) -> Result<Vec<(String, String)>> {
    let after = (Bound::Excluded(after.as_bytes()), Bound::Unbounded);
    let mut found = Vec::new();
    for entry in db.tree(TreeId::Path).range::<&[u8], _>(after) {
        let (path, value) = entry.map_err(|e| backend(READ, e))?;
        if found.len() >= limit {
            break;
        }
        if let Some(target) = paths::redirect(&value) {
            found.push((String::from_utf8_lossy(&path).into_owned(), target));
        }
    }
    Ok(found)
}

/// Returns the time of the newest item of a category, from its entries.
pub(super) fn newest(db: &Database, id: CategoryId) -> Result<Option<Timestamp>> {
    let last = db.tree(TreeId::CatTime).scan_prefix(id.0.to_be_bytes()).keys().next_back();
    let last = last.transpose().map_err(|e| backend(READ, e))?;
    Ok(last.and_then(|key| time_at(key.get(4..)?)))
}

/// Returns the highest arrival number that an item has in a category.
pub(super) fn last_arrival(db: &Database, id: CategoryId) -> Result<u32> {
    if id == CategoryId::SITE {
        return Ok(by_arrival(db)?.last().map_or(0, |(number, _)| *number));
    }
    slots::last(db, id)
}
