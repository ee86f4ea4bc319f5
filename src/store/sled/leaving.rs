//! Removing items from categories, and erasing them. `withdraw` and `sweep` are built from these.

use std::collections::{BTreeMap, BTreeSet};

use super::bodies::{Balance, Place, named};
use super::categories::{put_category, touch};
use super::database::{Database, READ, TreeId, Tx, TxResult, abort, backend, next, time_at, time_key, tree};
use super::item_writes::put_apart;
use super::touched::forget_touched;
use super::{log, paths, records};
use crate::model::{Category, CategoryId, Item, Timestamp};
use crate::store::Result;

/// Returns an item's categories, and the whole site.
pub(super) fn with_site(item: &Item) -> Vec<CategoryId> {
    item.categories.iter().copied().chain([CategoryId::SITE]).collect()
}

/// Returns the time of the newest item of each category, as if these items were not in it.
pub(super) fn newest_without(db: &Database, gone: &[(&Item, &[CategoryId])]) -> Result<Newest> {
    let mut own: BTreeMap<CategoryId, BTreeSet<Vec<u8>>> = BTreeMap::new();
    for (item, categories) in gone {
        for id in *categories {
            own.entry(*id).or_default().insert(time_key(*id, item.published, &item.code.key()));
        }
    }
    let mut newest = BTreeMap::new();
    for (id, own) in own {
        let mut found = None;
        for key in db.tree(TreeId::CatTime).scan_prefix(id.0.to_be_bytes()).keys().rev().take(own.len() + 1) {
            let key = key.map_err(|e| backend(READ, e))?;
            if found.is_none() && !own.contains(&key[..]) {
                found = time_at(key.get(4..).unwrap_or_default());
            }
        }
        newest.insert(id, found);
    }
    Ok(newest)
}

pub(super) type Newest = BTreeMap<CategoryId, Option<Timestamp>>;

/// Categories that a transaction changes, and which of them items left.
#[derive(Default)]
pub(super) struct Touched {
    all: BTreeMap<CategoryId, Category>,
    left: BTreeSet<CategoryId>,
    /// Categories that show an item which left others.
    showing: BTreeSet<CategoryId>,
}

impl Touched {
    /// Adds categories that show an item which left others, because an item names its categories.
    pub(super) fn show(&mut self, tx: Tx<'_>, categories: &[CategoryId], now: Timestamp) -> TxResult<()> {
        for id in categories {
            touch(tx, *id, now, &mut self.all)?;
            self.showing.insert(*id);
        }
        Ok(())
    }

    /// Stores the categories that items left, and those that show such an item.
    pub(super) fn put(&mut self, tx: Tx<'_>, newest: &Newest) -> TxResult<()> {
        for id in self.left.union(&self.showing) {
            if let Some(category) = self.all.get_mut(id) {
                if self.left.contains(id) {
                    category.newest = newest.get(id).copied().flatten();
                }
                let generation = next(tx, "generation")?;
                put_category(tx, category, generation)?;
            }
        }
        Ok(())
    }
}

pub(super) fn leave(
    tx: Tx<'_>,
    item: &Item,
    leaves: &[CategoryId],
    (now, told): (Timestamp, Option<Timestamp>),
    touched: &mut Touched,
) -> TxResult<()> {
    let key = item.code.key();
    for id in leaves {
        let before = touched.all.get(id).map(|category| category.changed_at);
        touch(tx, *id, now, &mut touched.all)?;
        let Some(category) = touched.all.get_mut(id) else { continue };
        if log::leave(tx, &key, item, category, told)? {
            touched.left.insert(*id);
        } else if before.is_none() {
            touched.all.remove(id);
        }
    }
    Ok(())
}

pub(super) type Leftovers = Vec<(TreeId, Vec<u8>)>;

/// Returns the keys that an erased item leaves in trees whose keys begin with its code.
pub(super) fn leftovers(db: &Database, item: &Item) -> Result<Leftovers> {
    let mut keys = Vec::new();
    for at in [TreeId::Revision, TreeId::Version] {
        for key in db.tree(at).scan_prefix(item.code.key()).keys() {
            keys.push((at, key.map_err(|e| backend(READ, e))?.to_vec()));
        }
    }
    Ok(keys)
}

/// Erases an item, and returns the places of its texts. Its path stays, and answers 410.
pub(super) fn erase(tx: Tx<'_>, item: &Item, leftovers: &[(TreeId, Vec<u8>)]) -> TxResult<Vec<Place>> {
    let key = item.code.key();
    let mut balance = Balance::default();
    let mut freed = Vec::new();
    let own = [(TreeId::Item, key.clone())];
    for (at, key) in leftovers.iter().chain(&own) {
        let Some(value) = tree(tx, *at).remove(key.as_slice())? else { continue };
        if matches!(at, TreeId::Item | TreeId::Version)
            && let Some(place) = named(&value)
        {
            balance.take(place);
            freed.push(place);
        }
        if matches!(at, TreeId::Item) {
            // Its sources still list it.
            put_apart(tx, key, records::first_of(&value).map_err(abort)?)?;
        }
    }
    balance.write(tx)?;
    paths::keep(tx, &key, &item.permalink)?;
    forget_touched(tx, item.touched, &key)?;
    Ok(freed)
}
