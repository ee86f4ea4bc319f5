//! Taking items out, and back in: withdrawal, restoring, retention.
//!
//! A withdrawn item leaves every index that outputs are made of; its record stays for its story,
//! and its tombstone keeps it from being stored anew while its sources still list it.

use std::collections::{BTreeMap, BTreeSet};

use super::codec;
use super::commit;
use super::open::{Open, T, backend};
use super::texts::{self, Balance, Place};
use super::write::{self, Tx, TxResult, put, transact, tree};
use super::{Event, Happening, Result, Retention, Tombstone, Withdrawer, log, paths, read, record};
use crate::model::{Category, CategoryId, InfoCode, Item, Timestamp};

pub(super) fn withdraw(store: &Open, code: &InfoCode, tombstone: &Tombstone) -> Result<bool> {
    let _writing = store.writing();
    let key = code.key();
    let before = read::tombstone(store, code)?;
    let Some(item) = read::item(store, &key)? else { return Ok(false) };
    if before.as_ref().is_some_and(|before| before.erased || !tombstone.erased) {
        return Ok(false);
    }
    let leaves = if before.is_some() { Vec::new() } else { with_site(&item) };
    let freed = take_out(store, &item, &leaves, tombstone)?;
    if !freed.is_empty() {
        // Only when nothing can name it any more, not even after a crash.
        store.sync()?;
        freed.into_iter().try_for_each(|place| store.texts.blank(place))?;
    }
    Ok(true)
}

fn with_site(item: &Item) -> Vec<CategoryId> {
    item.categories.iter().copied().chain([CategoryId::SITE]).collect()
}

/// Everything of one withdrawal, in one transaction. Readers are told of it, but not of what grew
/// too old. Gives the places of texts that were erased.
fn take_out(store: &Open, item: &Item, leaves: &[CategoryId], tombstone: &Tombstone) -> Result<Vec<Place>> {
    let told = (tombstone.by != Withdrawer::Retention).then_some(tombstone.at);
    let key = item.code.key();
    let newest = newest_without(store, &[(item, leaves)])?;
    let erased = if tombstone.erased { Some(leftovers(store, item)?) } else { None };
    let story = Event {
        at: tombstone.at,
        what: Happening::Withdrawn,
        source: None,
        why: crate::model::text::clip_bytes(&tombstone.why, 300),
        known_by: String::new(),
        answer: None,
    };
    let old_events = read::events_beyond(store, &key, commit::MAX_EVENTS - 1)?;
    let bytes = codec::encode("tombstone", tombstone)?;
    transact(store, |tx| {
        if erased.is_none() {
            // Sinks that hold a file of the item's own have to hear of it.
            commit::touch_item(tx, &key, item)?;
        }
        let mut touched = Touched::default();
        leave(tx, item, leaves, (tombstone.at, told), &mut touched)?;
        touched.put(tx, &newest)?;
        put(tx, T::Tomb, &key, &bytes)?;
        for old in &old_events {
            tree(tx, T::History).remove(old.as_slice())?;
        }
        commit::put_event(tx, &key, &story)?;
        erased.as_ref().map_or(Ok(Vec::new()), |leftovers| erase(tx, item, leftovers))
    })
}

/// The time of the newest item of each category, were some items not in it.
fn newest_without(store: &Open, gone: &[(&Item, &[CategoryId])]) -> Result<Newest> {
    let mut own: BTreeMap<CategoryId, BTreeSet<Vec<u8>>> = BTreeMap::new();
    for (item, categories) in gone {
        for id in *categories {
            own.entry(*id).or_default().insert(codec::time_key(*id, item.published, &item.code.key()));
        }
    }
    let mut newest = BTreeMap::new();
    for (id, own) in own {
        let mut found = None;
        for key in store.tree(T::CatTime).scan_prefix(id.0.to_be_bytes()).keys().rev().take(own.len() + 1) {
            let key = key.map_err(|e| backend("read", e))?;
            if found.is_none() && !own.contains(&key[..]) {
                found = codec::u64_at(&key, 4).and_then(|at| i64::try_from(at).ok());
            }
        }
        newest.insert(id, found.map(Timestamp::from_unix));
    }
    Ok(newest)
}

type Newest = BTreeMap<CategoryId, Option<Timestamp>>;

/// Categories as a transaction changes them, and which of them items left.
#[derive(Default)]
struct Touched {
    all: BTreeMap<CategoryId, Category>,
    left: BTreeSet<CategoryId>,
}

impl Touched {
    /// Stores those that were left.
    fn put(&mut self, tx: Tx<'_>, newest: &Newest) -> TxResult<()> {
        for id in &self.left {
            if let Some(category) = self.all.get_mut(id) {
                category.newest = newest.get(id).copied().flatten();
                let generation = write::next(tx, "generation")?;
                write::put_category(tx, category, generation)?;
            }
        }
        Ok(())
    }
}

fn leave(
    tx: Tx<'_>,
    item: &Item,
    leaves: &[CategoryId],
    (now, told): (Timestamp, Option<Timestamp>),
    touched: &mut Touched,
) -> TxResult<()> {
    let key = item.code.key();
    for id in leaves {
        let before = touched.all.get(id).map(|category| category.changed_at);
        write::touch(tx, *id, now, &mut touched.all)?;
        let Some(category) = touched.all.get_mut(id) else { continue };
        if log::leave(tx, &key, item, category, told)? {
            touched.left.insert(*id);
        } else if before.is_none() {
            touched.all.remove(id);
        }
    }
    Ok(())
}

type Leftovers = Vec<(T, Vec<u8>)>;

/// Keys of what an erased item leaves in trees whose keys begin with its code.
fn leftovers(store: &Open, item: &Item) -> Result<Leftovers> {
    let mut keys = Vec::new();
    for at in [T::Revision, T::Version] {
        for key in store.tree(at).scan_prefix(item.code.key()).keys() {
            keys.push((at, key.map_err(|e| backend("read", e))?.to_vec()));
        }
    }
    Ok(keys)
}

/// The path stays: it answers 410.
fn erase(tx: Tx<'_>, item: &Item, leftovers: &[(T, Vec<u8>)]) -> TxResult<Vec<Place>> {
    let key = item.code.key();
    let mut balance = Balance::default();
    let mut freed = Vec::new();
    let own = [(T::Item, key.clone())];
    for (at, key) in leftovers.iter().chain(&own) {
        let Some(value) = tree(tx, *at).remove(key.as_slice())? else { continue };
        if matches!(at, T::Item | T::Version)
            && let Some(place) = texts::named(&value)
        {
            balance.take(place);
            freed.push(place);
        }
        if matches!(at, T::Item) {
            // Its sources go on listing it.
            commit::put_apart(tx, key, record::first_of(&value).map_err(write::abort)?)?;
        }
    }
    balance.settle(tx)?;
    paths::keep(tx, &key, &item.permalink)?;
    record::forget_touched(tx, item.touched, &key)?;
    Ok(freed)
}

pub(super) fn restore(store: &Open, code: &InfoCode, why: &str, now: Timestamp) -> Result<bool> {
    let _writing = store.writing();
    let key = code.key();
    let (Some(_), Some(item)) = (read::tombstone(store, code)?, read::item(store, &key)?) else {
        return Ok(false);
    };
    let story = Event {
        at: now,
        what: Happening::Restored,
        source: None,
        why: crate::model::text::clip_bytes(why, 300),
        known_by: String::new(),
        answer: None,
    };
    let mut said: BTreeMap<CategoryId, Vec<u32>> = BTreeMap::new();
    for id in &item.categories {
        said.insert(*id, log::said_gone(store, *id, &key)?);
    }
    transact(store, |tx| {
        tree(tx, T::Tomb).remove(key.as_slice())?;
        commit::touch_item(tx, &key, &item)?;
        let mut touched = BTreeMap::new();
        for id in with_site(&item) {
            write::touch(tx, id, now, &mut touched)?;
            if let Some(category) = touched.get_mut(&id) {
                log::unsay(tx, category, said.get(&id).map_or(&[], Vec::as_slice))?;
                log::enter(tx, &key, &item, category, true)?;
            }
        }
        for category in touched.values_mut() {
            let generation = write::next(tx, "generation")?;
            write::put_category(tx, category, generation)?;
        }
        commit::put_event(tx, &key, &story)
    })?;
    Ok(true)
}

pub(super) fn reroute(
    store: &Open,
    code: &InfoCode,
    to: &[CategoryId],
    why: &str,
    now: Timestamp,
) -> Result<bool> {
    let _writing = store.writing();
    let key = code.key();
    let Some(item) = read::item(store, &key)? else { return Ok(false) };
    if to.is_empty() || item.categories == to {
        return Ok(false);
    }
    let out = read::tombstone(store, code)?.is_some();
    let leaves: Vec<CategoryId> = item.categories.iter().copied().filter(|id| !to.contains(id)).collect();
    let newest = newest_without(store, &[(&item, &leaves)])?;
    let version = commit::form(store, &item)?;
    let moved = Item { categories: to.to_vec(), ..item.clone() };
    let event = Event {
        at: now,
        what: Happening::Rerouted,
        source: None,
        why: crate::model::text::clip_bytes(why, 300),
        known_by: String::new(),
        answer: None,
    };
    transact(store, |tx| {
        let mut balance = Balance::default();
        commit::put_form(tx, &key, &version, &mut balance)?;
        balance.settle(tx)?;
        commit::touch_item(tx, &key, &moved)?;
        commit::put_event(tx, &key, &event)?;
        if out {
            return Ok(());
        }
        let mut left = Touched::default();
        leave(tx, &item, &leaves, (now, Some(now)), &mut left)?;
        left.put(tx, &newest)?;
        let mut touched = BTreeMap::new();
        for id in with_site(&moved) {
            write::touch(tx, id, now, &mut touched)?;
        }
        for category in touched.values_mut() {
            log::enter(tx, &key, &moved, category, true)?;
            let generation = write::next(tx, "generation")?;
            write::put_category(tx, category, generation)?;
        }
        Ok(())
    })?;
    Ok(true)
}

pub(super) fn sweep(
    store: &Open,
    category: CategoryId,
    keep: Retention,
    limit: usize,
    now: Timestamp,
) -> Result<usize> {
    let _writing = store.writing();
    let over = beyond(store, category, keep, limit, now)?;
    for keys in over.chunks(commit::MAX_CHANGES) {
        let swept = keys.iter().map(|key| Swept::of(store, key, category)).collect::<Result<Vec<_>>>()?;
        sweep_out(store, &swept.into_iter().flatten().collect::<Vec<_>>(), now)?;
    }
    Ok(over.len())
}

/// An item that grew too old for a category.
struct Swept {
    item: Item,
    leaves: Vec<CategoryId>,
    /// Where it is in no other category: what of it goes, events that go, and its last.
    erased: Option<(Leftovers, Vec<Vec<u8>>)>,
}

impl Swept {
    fn of(store: &Open, key: &[u8], category: CategoryId) -> Result<Option<Self>> {
        let Some(item) = read::item(store, key)? else { return Ok(None) };
        if item.categories.iter().any(|id| *id != category) {
            return Ok(Some(Self { item, leaves: vec![category], erased: None }));
        }
        let old_events = read::events_beyond(store, key, commit::MAX_EVENTS - 1)?;
        let erased = Some((leftovers(store, &item)?, old_events));
        Ok(Some(Self { leaves: with_site(&item), item, erased }))
    }
}

/// Takes out all that is swept at once, in one transaction.
fn sweep_out(store: &Open, swept: &[Swept], now: Timestamp) -> Result<()> {
    let gone: Vec<(&Item, &[CategoryId])> = swept.iter().map(|one| (&one.item, &one.leaves[..])).collect();
    let newest = newest_without(store, &gone)?;
    let why = "older than what its category keeps";
    let tombstone = Tombstone { at: now, by: Withdrawer::Retention, why: why.to_owned(), erased: true };
    let bytes = codec::encode("tombstone", &tombstone)?;
    let story = Event {
        at: now,
        what: Happening::Withdrawn,
        source: None,
        why: why.to_owned(),
        known_by: String::new(),
        answer: None,
    };
    transact(store, |tx| {
        let mut touched = Touched::default();
        for one in swept {
            let key = one.item.code.key();
            leave(tx, &one.item, &one.leaves, (now, None), &mut touched)?;
            let Some((leftovers, old_events)) = &one.erased else {
                let mut item = one.item.clone();
                item.categories.retain(|id| !one.leaves.contains(id));
                commit::keep_item(tx, &key, &item)?;
                continue;
            };
            put(tx, T::Tomb, &key, &bytes)?;
            for old in old_events {
                tree(tx, T::History).remove(old.as_slice())?;
            }
            commit::put_event(tx, &key, &story)?;
            erase(tx, &one.item, leftovers)?;
        }
        touched.put(tx, &newest)
    })
}

/// Codes of the oldest items that a category does not keep, at most `limit`.
fn beyond(
    store: &Open,
    category: CategoryId,
    keep: Retention,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<Vec<u8>>> {
    let prefix = category.0.to_be_bytes();
    let surplus = match keep.items {
        Some(most) => store.tree(T::CatTime).scan_prefix(prefix).count().saturating_sub(most),
        None => 0,
    };
    let mut over = Vec::new();
    for (nth, key) in store.tree(T::CatTime).scan_prefix(prefix).keys().take(limit).enumerate() {
        let key = key.map_err(|e| backend("read", e))?;
        let published = codec::u64_at(&key, 4).and_then(|at| i64::try_from(at).ok()).unwrap_or_default();
        let old = keep.age.is_some_and(|age| now.unix().saturating_sub(published) > age);
        if nth >= surplus && !old {
            break;
        }
        over.push(key.get(12..).unwrap_or_default().to_vec());
    }
    Ok(over)
}
