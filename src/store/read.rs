//! The reading verbs on sled, but for those about sources (`sources`).

use std::collections::BTreeMap;
use std::ops::Bound;

use sha2::{Digest, Sha256};
use sled::IVec;

use super::codec::{self, u32_at, u64_at};
use super::log::Slot;
use super::open::{Open, T, backend, category_key};
use super::record;
use super::texts::{self, Place};
use super::{Event, Result, Revision, Sighting, StoreError, Tombstone, Window, paths, slots, sources};
use crate::model::{Article, Body, Category, CategoryId, InfoCode, Item, SourceId, Timestamp};

pub(super) const READ: &str = "read";
/// Begins the names of counters.
pub(super) const TALLY: &str = "tally.";
/// Archived entries that a look for a current window passes over before it is content with what
/// it has: an old site's thousands of articles must not be walked at every publish.
const MAX_PASSED_OVER: usize = 1_000;

pub(super) fn get(store: &Open, tree: T, key: impl AsRef<[u8]>) -> Result<Option<IVec>> {
    store.tree(tree).get(key).map_err(|e| backend(READ, e))
}

pub(super) fn counter(store: &Open, name: &str) -> Result<u64> {
    Ok(get(store, T::Sys, name)?.and_then(|value| u64_at(&value, 0)).unwrap_or_default())
}

pub(super) fn sightings(store: &Open, id: &SourceId, codes: &[InfoCode]) -> Result<Vec<Option<Sighting>>> {
    let Some(number) = sources::number(store, id)? else { return Ok(vec![None; codes.len()]) };
    codes
        .iter()
        .map(|code| {
            let key = code.key();
            if let Some(item) = get(store, T::Item, &key)?
                && let Some((_, listing)) = record::first(&item)?.filter(|(first, _)| *first == number)
            {
                return record::listing(listing).map(|(sighting, _)| Some(sighting));
            }
            let listing = get(store, T::Seen, codec::seen_key(&key, number))?;
            listing.map(|bytes| record::listing(&bytes).map(|(sighting, _)| sighting)).transpose()
        })
        .collect()
}

pub(super) fn listings(store: &Open, code: &InfoCode) -> Result<Vec<(SourceId, Sighting)>> {
    let names = sources::names(store)?;
    let mut listings = Vec::new();
    for (number, listing) in all_listings(store, &code.key())? {
        if let Some(id) = names.get(&number) {
            listings.push((id.clone(), record::listing(&listing)?.0));
        }
    }
    Ok(listings)
}

/// Records of all listings of an item, by the numbers of their sources: the first stands with the item.
fn all_listings(store: &Open, code: &[u8]) -> Result<BTreeMap<u32, IVec>> {
    let mut all = BTreeMap::new();
    for entry in store.tree(T::Seen).scan_prefix(code) {
        let (key, value) = entry.map_err(|e| backend(READ, e))?;
        all.extend(u32_at(&key, code.len()).map(|number| (number, value)));
    }
    if let Some(item) = get(store, T::Item, code)?
        && let Some((number, listing)) = record::first(&item)?
    {
        all.insert(number, listing.into());
    }
    Ok(all)
}

/// Items that ever came into the whole site.
pub(super) fn arrivals_of_site(store: &Open) -> Result<u64> {
    Ok(category(store, CategoryId::SITE)?.map_or(0, |site| u64::from(site.arrivals)))
}

/// Events stand in two places: those that a listing began with beside it, the others by themselves.
pub(super) fn history(store: &Open, code: &InfoCode) -> Result<Vec<Event>> {
    let prefix = code.key();
    let mut events: Vec<(u64, Event)> = Vec::new();
    for listing in all_listings(store, &prefix)?.values() {
        events.extend(record::listing(listing)?.1);
    }
    for entry in store.tree(T::History).scan_prefix(&prefix) {
        let (key, value) = entry.map_err(|e| backend(READ, e))?;
        events.push((u64_at(&key, prefix.len()).unwrap_or_default(), codec::decode("event", &value)?));
    }
    events.sort_by_key(|(number, _)| *number);
    Ok(events.into_iter().map(|(_, event)| event).collect())
}

/// Keys of the oldest events of an item, so many that `most` are left.
pub(super) fn events_beyond(store: &Open, code: &[u8], most: usize) -> Result<Vec<Vec<u8>>> {
    let mut keys = Vec::new();
    for key in store.tree(T::History).scan_prefix(code).keys() {
        keys.push(key.map_err(|e| backend(READ, e))?.to_vec());
    }
    keys.truncate(keys.len().saturating_sub(most));
    Ok(keys)
}

pub(super) fn tombstone(store: &Open, code: &InfoCode) -> Result<Option<Tombstone>> {
    get(store, T::Tomb, code.key())?.map(|bytes| codec::decode("tombstone", &bytes)).transpose()
}

pub(super) fn published_at(store: &Open, generation: u64) -> Result<Option<Timestamp>> {
    let next = store.tree(T::Published).range(generation.to_be_bytes()..).next();
    let found = next.transpose().map_err(|e| backend(READ, e))?;
    Ok(found
        .and_then(|(_, at)| u64_at(&at, 0))
        .and_then(|at| i64::try_from(at).ok())
        .map(Timestamp::from_unix))
}

pub(super) fn tallies(store: &Open) -> Result<BTreeMap<String, u64>> {
    let mut all = BTreeMap::new();
    for entry in store.tree(T::Sys).scan_prefix(TALLY) {
        let (key, value) = entry.map_err(|e| backend(READ, e))?;
        let name = key.get(TALLY.len()..).unwrap_or_default();
        all.insert(String::from_utf8_lossy(name).into_owned(), u64_at(&value, 0).unwrap_or_default());
    }
    Ok(all)
}

pub(super) fn item(store: &Open, key: &[u8]) -> Result<Option<Item>> {
    get(store, T::Item, key)?.map(|bytes| record::item(key, &bytes).map(|(_, item)| item)).transpose()
}

pub(super) fn body(store: &Open, key: &[u8]) -> Result<Body> {
    match body_now(store, key) {
        // It may just have been moved, or erased.
        Err(StoreError::Damaged { .. }) => body_now(store, key),
        read => read,
    }
}

fn body_now(store: &Open, key: &[u8]) -> Result<Body> {
    get(store, T::Item, key)?.map_or(Ok(Body::default()), |record| text(store, key, &record))
}

/// The text that a record names; empty where it names none.
fn text(store: &Open, key: &[u8], record: &[u8]) -> Result<Body> {
    let place = texts::named(record).ok_or(StoreError::Damaged { what: "body" })?;
    if place == Place::NONE {
        return Ok(Body::default());
    }
    let packed = store.texts.read(key, place)?;
    codec::unpack(&packed, |id| store.dictionaries.get(store, id))
}

/// The form that an item had under a generation: the last that began by then, else the oldest
/// that is known.
pub(super) fn version_at(store: &Open, key: &[u8], generation: u64) -> Result<Option<Article>> {
    let Some(item) = item(store, key)? else { return Ok(None) };
    if item.touched > generation
        && let Some(since) = versions_since(store, key)?
            .into_iter()
            .reduce(|best, since| if since <= generation { since } else { best })
    {
        return version(store, key, since).map(Some);
    }
    let body = body(store, key)?;
    Ok(Some(Article { item, body }))
}

/// The forms that an item had before its present one, oldest first.
pub(super) fn versions(store: &Open, code: &InfoCode) -> Result<Vec<Article>> {
    let key = code.key();
    versions_since(store, &key)?.into_iter().map(|since| version(store, &key, since)).collect()
}

fn versions_since(store: &Open, key: &[u8]) -> Result<Vec<u64>> {
    let mut all: Vec<u64> = Vec::new();
    for at in store.tree(T::Version).scan_prefix(key).keys() {
        all.extend(u64_at(&at.map_err(|e| backend(READ, e))?, key.len()));
    }
    all.dedup();
    Ok(all)
}

pub(super) fn version(store: &Open, key: &[u8], since: u64) -> Result<Article> {
    let at = codec::version_key(key, since);
    let load = || {
        let record = get(store, T::Version, &at)?.ok_or(StoreError::Damaged { what: "version" })?;
        Ok(Article { item: record::item(key, &record)?.1, body: text(store, key, &record)? })
    };
    match load() {
        Err(StoreError::Damaged { .. }) => load(),
        read => read,
    }
}

pub(super) fn revisions(store: &Open, code: &InfoCode) -> Result<Vec<Revision>> {
    store
        .tree(T::Revision)
        .scan_prefix(code.key())
        .map(|entry| codec::decode("revision", &entry.map_err(|e| backend(READ, e))?.1))
        .collect()
}

pub(super) fn category(store: &Open, id: CategoryId) -> Result<Option<Category>> {
    get(store, T::Category, id.0.to_be_bytes())?.map(|bytes| codec::decode("category", &bytes)).transpose()
}

pub(super) fn find_category(store: &Open, slug_or_name: &str) -> Result<Option<Category>> {
    for kind in [b's', b'n'] {
        if let Some(value) = get(store, T::CategoryKey, category_key(kind, slug_or_name))?
            && let Some(id) = u32_at(&value, 0)
        {
            return category(store, CategoryId(id));
        }
    }
    Ok(None)
}

pub(super) fn slugs(store: &Open) -> Result<Vec<(String, CategoryId)>> {
    let mut slugs = Vec::new();
    for entry in store.tree(T::CategoryKey).scan_prefix(category_key(b's', "")) {
        let (key, value) = entry.map_err(|e| backend(READ, e))?;
        let id = u32_at(&value, 0).map(CategoryId).ok_or(StoreError::Damaged { what: "slug" })?;
        slugs.push((String::from_utf8_lossy(&key[1..]).into_owned(), id));
    }
    Ok(slugs)
}

/// Whether a category has become part of another: it has no items, and its slug leads there.
pub(super) fn merged(store: &Open, category: &Category) -> Result<bool> {
    if category.newest.is_some() || category.id == CategoryId::SITE {
        return Ok(false);
    }
    let leads = get(store, T::CategoryKey, category_key(b's', category.slug.as_str()))?;
    let leads = leads.and_then(|value| u32_at(&value, 0)).filter(|id| *id != category.id.0);
    Ok(leads.map(|id| self::category(store, CategoryId(id))).transpose()?.flatten().is_some())
}

pub(super) fn categories(store: &Open) -> Result<Vec<Category>> {
    let mut all = Vec::new();
    for entry in store.tree(T::Category) {
        let category: Category = codec::decode("category", &entry.map_err(|e| backend(READ, e))?.1)?;
        if category.id != CategoryId::SITE && !merged(store, &category)? {
            all.push(category);
        }
    }
    all.sort_by(|a, b| a.slug.cmp(&b.slug));
    Ok(all)
}

pub(super) fn changed_since(store: &Open, generation: u64) -> Result<Vec<Category>> {
    let start = generation.saturating_add(1).to_be_bytes();
    let mut changed = Vec::new();
    for entry in store.tree(T::Changed).range(start..) {
        let (key, _) = entry.map_err(|e| backend(READ, e))?;
        if let Some(id) = u32_at(&key, 8)
            && let Some(category) = category(store, CategoryId(id))?
            && !merged(store, &category)?
        {
            changed.push(category);
        }
    }
    Ok(changed)
}

pub(super) fn items_in(store: &Open, category: CategoryId, window: Window) -> Result<Vec<Item>> {
    let mut items: Vec<Item> = Vec::new();
    let mut newest = None;
    let mut passed_over = 0;
    for entry in store.tree(T::CatTime).scan_prefix(category.0.to_be_bytes()).rev() {
        let (key, value) = entry.map_err(|e| backend(READ, e))?;
        let published = codec::time_at(key.get(4..12).unwrap_or_default()).unwrap_or_default();
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
            && let Some(item) = item(store, key.get(12..).unwrap_or_default())?
        {
            items.push(item);
        }
    }
    Ok(items)
}

pub(super) fn items_between(
    store: &Open,
    category: CategoryId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    let range = codec::time_key(category, from, &[])..codec::time_key(category, to, &[]);
    for key in store.tree(T::CatTime).range(range).keys() {
        let key = key.map_err(|e| backend(READ, e))?;
        items.extend(item(store, key.get(12..).unwrap_or_default())?);
    }
    Ok(items)
}

pub(super) fn bookmark(store: &Open, name: &str) -> Result<Option<u64>> {
    Ok(get(store, T::Sys, bookmark_key(name))?.and_then(|value| u64_at(&value, 0)))
}

/// A name of any length makes a short key.
pub(super) fn bookmark_key(name: &str) -> String {
    format!("bookmark.{}", data_encoding::HEXLOWER.encode(&Sha256::digest(name)[..16]))
}

pub(super) fn arrivals(store: &Open, category: CategoryId, from: u32, to: u32) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    for entry in slots::range(store, category, from, to) {
        if let Some(Slot::Arrived(key) | Slot::Archived(key)) = Slot::read(&entry?.1) {
            items.extend(item(store, &key)?);
        }
    }
    Ok(items)
}

/// The items of the whole site in the order in which they came: the number of each, and its code as bytes.
pub(super) fn by_arrival(store: &Open) -> Result<Vec<(u32, Vec<u8>)>> {
    let mut all = Vec::new();
    for entry in store.tree(T::CatTime).scan_prefix(CategoryId::SITE.0.to_be_bytes()) {
        let (key, entry) = entry.map_err(|e| backend(READ, e))?;
        let code = key.get(12..).unwrap_or_default().to_vec();
        all.push((super::log::first_arrival(&entry).unwrap_or_default(), code));
    }
    all.sort_unstable();
    Ok(all)
}

pub(super) fn arrival_of(store: &Open, category: CategoryId, item: &Item) -> Result<Option<u32>> {
    let key = codec::time_key(category, item.published, &item.code.key());
    Ok(get(store, T::CatTime, key)?.and_then(|value| u32_at(&value, 1)))
}

pub(super) fn touched_since(store: &Open, generation: u64, limit: usize) -> Result<Vec<Item>> {
    let start = generation.saturating_add(1).to_be_bytes();
    let mut items: Vec<Item> = Vec::new();
    for entry in store.tree(T::Touched).range(start..) {
        let (key, codes) = entry.map_err(|e| backend(READ, e))?;
        // A commit's items share one number; a caller goes on after the last number it saw.
        let same_commit = items.last().is_some_and(|last| u64_at(&key, 0) == Some(last.touched));
        if items.len() >= limit && !same_commit {
            break;
        }
        let mut codes: Vec<&[u8]> = record::touched_codes(&codes).flatten().collect();
        codes.sort_unstable();
        for code in codes {
            // One that was changed again since stands further on, too.
            items.extend(item(store, code)?.filter(|item| u64_at(&key, 0) == Some(item.touched)));
        }
    }
    Ok(items)
}

pub(super) fn neighbours(
    store: &Open,
    category: CategoryId,
    item: &Item,
) -> Result<(Option<Item>, Option<Item>)> {
    let tree = store.tree(T::CatTime);
    let here = codec::time_key(category, item.published, &item.code.key());
    let within = |found: Option<(IVec, IVec)>| {
        found
            .filter(|(key, _)| key.starts_with(&category.0.to_be_bytes()))
            .and_then(|(key, _)| key.get(12..).map(<[u8]>::to_vec))
    };
    let older = within(tree.get_lt(&here).map_err(|e| backend(READ, e))?);
    let newer = within(tree.get_gt(&here).map_err(|e| backend(READ, e))?);
    let load = |key: Option<Vec<u8>>| key.map_or(Ok(None), |key| self::item(store, &key));
    Ok((load(older)?, load(newer)?))
}

pub(super) fn find(store: &Open, text: &str, limit: usize) -> Result<Vec<Item>> {
    let wanted = text.to_lowercase();
    let mut found = Vec::new();
    for entry in store.tree(T::CatTime).scan_prefix(CategoryId::SITE.0.to_be_bytes()).rev() {
        let (key, _) = entry.map_err(|e| backend(READ, e))?;
        let Some(item) = item(store, key.get(12..).unwrap_or_default())? else { continue };
        if item.title.to_lowercase().contains(&wanted) || item.code.code().to_lowercase().contains(&wanted) {
            found.push(item);
            if found.len() >= limit {
                break;
            }
        }
    }
    Ok(found)
}

pub(super) fn redirects(store: &Open, after: &str, limit: usize) -> Result<Vec<(String, String)>> {
    let after = (Bound::Excluded(after.as_bytes()), Bound::Unbounded);
    let mut found = Vec::new();
    for entry in store.tree(T::Path).range::<&[u8], _>(after) {
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
