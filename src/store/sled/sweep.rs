//! Retention: removing items that are too old for their category.

use sled::IVec;

use super::bodies::Balance;
use super::database::{
    Database, READ, TreeId, Tx, TxResult, abort, backend, encode, put, time_at, time_key, tree,
};
use super::item_writes::{form, put_event, put_form, touch_item};
use super::items;
use super::leaving::{Leftovers, Touched, erase, leave, leftovers, newest_without, with_site};
use crate::model::{CategoryId, Item, Timestamp};
use crate::store::{Event, EventKind, MAX_CHANGES, MAX_EVENTS, Result, Retention, Tombstone, WithdrawnBy};

/// Offset of the code in an entry's key, after the category and the time.
const CODE: usize = 12;

pub(super) fn sweep(
    db: &Database,
    category: CategoryId,
    keep: Retention,
    limit: usize,
    now: Timestamp,
) -> Result<usize> {
    let _writing = db.writing();
    let over = beyond(db, category, keep, limit, now)?;
    for entries in over.chunks(MAX_CHANGES) {
        let swept = entries.iter().map(|entry| Swept::of(db, entry, category)).collect::<Result<Vec<_>>>()?;
        sweep_out(db, entries, &swept.into_iter().flatten().collect::<Vec<_>>(), now)?;
    }
    Ok(over.len())
}

/// An item that is too old for a category.
struct Swept {
    item: Item,
    leaves: Vec<CategoryId>,
    end: End,
}

/// The fate of a swept item.
enum End {
    /// It is in no other category and is erased: keys of its remains, and of old events that make room.
    Erased(Leftovers, Vec<Vec<u8>>),
    /// It stays in other categories: its present form, which is kept.
    Elsewhere((u64, Vec<u8>)),
}

impl Swept {
    /// Reads the item of an entry; `None` if the entry belongs to no item, or is not in this category any more.
    fn of(db: &Database, entry: &[u8], category: CategoryId) -> Result<Option<Self>> {
        let key = entry.get(CODE..).unwrap_or_default();
        let Some(item) = items::item(db, key)? else { return Ok(None) };
        if entry != time_key(category, item.published, key) || !item.categories.contains(&category) {
            return Ok(None);
        }
        if item.categories.iter().any(|id| *id != category) {
            let end = End::Elsewhere(form(db, &item)?);
            return Ok(Some(Self { item, leaves: vec![category], end }));
        }
        let old_events = items::events_beyond(db, key, MAX_EVENTS - 1)?;
        let end = End::Erased(leftovers(db, &item)?, old_events);
        Ok(Some(Self { leaves: with_site(&item), item, end }))
    }
}

/// Removes all swept items in one transaction. Entries without an item are removed as well, otherwise they
/// would stay the oldest for ever.
fn sweep_out(db: &Database, entries: &[Vec<u8>], swept: &[Swept], now: Timestamp) -> Result<()> {
    let gone: Vec<(&Item, &[CategoryId])> = swept.iter().map(|one| (&one.item, &one.leaves[..])).collect();
    let newest = newest_without(db, &gone)?;
    let why = "older than what its category keeps";
    let tombstone = Tombstone::new(now, WithdrawnBy::Retention, why, true);
    let story = Event {
        at: now,
        what: EventKind::Withdrawn,
        source: None,
        why: why.to_owned(),
        known_by: String::new(),
        answer: None,
    };
    db.transact(|tx| {
        let mut touched = Touched::default();
        for one in swept {
            let key = one.item.code.key();
            leave(tx, &one.item, &one.leaves, (now, None), &mut touched)?;
            let (leftovers, old_events) = match &one.end {
                End::Erased(leftovers, old_events) => (leftovers, old_events),
                End::Elsewhere(form) => {
                    stay(tx, one, form, now, &mut touched)?;
                    continue;
                }
            };
            put(tx, TreeId::Tomb, &key, &encode("tombstone", &tombstone.of(&one.item)).map_err(abort)?)?;
            for old in old_events {
                tree(tx, TreeId::History).remove(old.as_slice())?;
            }
            put_event(tx, &key, &story)?;
            erase(tx, &one.item, leftovers)?;
        }
        for entry in entries {
            tree(tx, TreeId::CatTime).remove(entry.as_slice())?;
        }
        touched.put(tx, &newest)
    })
}

/// Keeps an item in its other categories. These change too, because an item names its categories.
fn stay(
    tx: Tx<'_>,
    one: &Swept,
    form: &(u64, Vec<u8>),
    now: Timestamp,
    touched: &mut Touched,
) -> TxResult<()> {
    let mut item = one.item.clone();
    item.categories.retain(|id| !one.leaves.contains(id));
    let key = item.code.key();
    let mut balance = Balance::default();
    put_form(tx, &key, form, &mut balance)?;
    balance.write(tx)?;
    touch_item(tx, &key, &item)?;
    touched.show(tx, &with_site(&item), now)
}

/// Returns entries of the oldest items that a category does not keep, at most `limit`. Reads as many entries as
/// it keeps.
fn beyond(
    db: &Database,
    category: CategoryId,
    keep: Retention,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<Vec<u8>>> {
    let prefix = category.0.to_be_bytes();
    let entries = || db.tree(TreeId::CatTime).scan_prefix(prefix).keys();
    // Entries before the oldest that the number keeps are surplus.
    let kept = match keep.items {
        None => None,
        Some(0) => Some(IVec::from(&category.0.saturating_add(1).to_be_bytes())),
        Some(most) => entries().rev().nth(most - 1).transpose().map_err(|e| backend(READ, e))?,
    };
    let mut over = Vec::new();
    for key in entries().take(limit) {
        let key = key.map_err(|e| backend(READ, e))?;
        let published = time_at(key.get(4..).unwrap_or_default()).unwrap_or_default();
        let old = keep.age.is_some_and(|age| now.since(published) > age);
        let surplus = kept.as_ref().is_some_and(|kept| key < *kept);
        if !surplus && !old {
            break;
        }
        over.push(key.to_vec());
    }
    Ok(over)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Body, CodeSpace, InfoCode};
    use crate::store::{Categories, Change, Items, Placement, SledStore};

    #[test]
    fn an_entry_that_leads_nowhere_goes_and_takes_nobody_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = SledStore::open(&folder.path().join("store"), 1 << 20).unwrap();
        let at = Timestamp::from_unix;
        let home = store.ensure_category("甲报", None, at(0)).unwrap().id;
        let code = InfoCode::new(CodeSpace::new("s").unwrap(), "one");
        let mut item = Item::sample(code.clone());
        (item.published, item.home, item.categories) = (at(500), home, vec![home]);
        let text = Body { html: "<p>one</p>".to_owned(), ..Body::default() };
        let enters = [home, CategoryId::SITE].map(|category| Placement { category, shown: true }).to_vec();
        store
            .commit(
                vec![Change { item: Some(item), body: Some(text), enters, ..Change::of(code.clone()) }],
                at(500),
            )
            .unwrap();
        store
            .with(|engine| {
                let entries = engine.db.tree(TreeId::CatTime);
                // One entry of no item, and one of the item at another time.
                for (time, code) in [(100, b"s\0gone".to_vec()), (200, code.key())] {
                    entries.insert(time_key(home, at(time), &code), vec![0; 8]).unwrap();
                }
                Ok(())
            })
            .unwrap();
        let keep = Retention { items: Some(1), age: None };
        let swept: Vec<usize> = (0..3).map(|_| store.sweep(home, keep, 9, at(600)).unwrap()).collect();
        assert_eq!(swept, [2, 0, 0]);
        assert!(store.item(&code).unwrap().is_some() && store.tombstone(&code).unwrap().is_none());
        assert_eq!(store.check(&mut |_, _, _| {}).unwrap().told, Vec::<String>::new());
        let none = Retention { items: Some(0), age: None };
        assert_eq!((0..2).map(|_| store.sweep(home, none, 9, at(600)).unwrap()).collect::<Vec<_>>(), [1, 0]);
    }
}
