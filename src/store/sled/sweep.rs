//! Retention: taking out what grew too old for its category.

use super::database::{Database, READ, TreeId, backend, encode, put, time_at, tree};
use super::item_writes::{keep_item, put_event};
use super::items;
use super::leaving::{Leftovers, Touched, erase, leave, leftovers, newest_without, with_site};
use crate::model::{CategoryId, Item, Timestamp};
use crate::store::{Event, EventKind, MAX_CHANGES, MAX_EVENTS, Result, Retention, Tombstone, WithdrawnBy};

pub(super) fn sweep(
    db: &Database,
    category: CategoryId,
    keep: Retention,
    limit: usize,
    now: Timestamp,
) -> Result<usize> {
    let _writing = db.writing();
    let over = beyond(db, category, keep, limit, now)?;
    for keys in over.chunks(MAX_CHANGES) {
        let swept = keys.iter().map(|key| Swept::of(db, key, category)).collect::<Result<Vec<_>>>()?;
        sweep_out(db, &swept.into_iter().flatten().collect::<Vec<_>>(), now)?;
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
    fn of(db: &Database, key: &[u8], category: CategoryId) -> Result<Option<Self>> {
        let Some(item) = items::item(db, key)? else { return Ok(None) };
        if item.categories.iter().any(|id| *id != category) {
            return Ok(Some(Self { item, leaves: vec![category], erased: None }));
        }
        let old_events = items::events_beyond(db, key, MAX_EVENTS - 1)?;
        let erased = Some((leftovers(db, &item)?, old_events));
        Ok(Some(Self { leaves: with_site(&item), item, erased }))
    }
}

/// Takes out all that is swept at once, in one transaction.
fn sweep_out(db: &Database, swept: &[Swept], now: Timestamp) -> Result<()> {
    let gone: Vec<(&Item, &[CategoryId])> = swept.iter().map(|one| (&one.item, &one.leaves[..])).collect();
    let newest = newest_without(db, &gone)?;
    let why = "older than what its category keeps";
    let tombstone = Tombstone { at: now, by: WithdrawnBy::Retention, why: why.to_owned(), erased: true };
    let bytes = encode("tombstone", &tombstone)?;
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
            let Some((leftovers, old_events)) = &one.erased else {
                let mut item = one.item.clone();
                item.categories.retain(|id| !one.leaves.contains(id));
                keep_item(tx, &key, &item)?;
                continue;
            };
            put(tx, TreeId::Tomb, &key, &bytes)?;
            for old in old_events {
                tree(tx, TreeId::History).remove(old.as_slice())?;
            }
            put_event(tx, &key, &story)?;
            erase(tx, &one.item, leftovers)?;
        }
        touched.put(tx, &newest)
    })
}

/// Codes of the oldest items that a category does not keep, at most `limit`.
fn beyond(
    db: &Database,
    category: CategoryId,
    keep: Retention,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<Vec<u8>>> {
    let prefix = category.0.to_be_bytes();
    let surplus = match keep.items {
        Some(most) => db.tree(TreeId::CatTime).scan_prefix(prefix).count().saturating_sub(most),
        None => 0,
    };
    let mut over = Vec::new();
    for (nth, key) in db.tree(TreeId::CatTime).scan_prefix(prefix).keys().take(limit).enumerate() {
        let key = key.map_err(|e| backend(READ, e))?;
        let published = time_at(key.get(4..).unwrap_or_default()).unwrap_or_default();
        let old = keep.age.is_some_and(|age| now.since(published) > age);
        if nth >= surplus && !old {
            break;
        }
        over.push(key.get(12..).unwrap_or_default().to_vec());
    }
    Ok(over)
}
