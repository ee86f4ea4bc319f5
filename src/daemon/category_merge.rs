//! Making one category of two: all that led to the first leads to the second from the first step on, so that
//! nothing enters it any more; then its items move, some at a time.
//!
//! That it was begun is noted in the store before anything is done, and taken back after the last step:
//! [`finish`] goes on with what was cut off.

use crate::model::{Category, CategoryId, Cursor, Item, Timestamp};
use crate::store::{Move, Mover, RecordKind, Result, Store};

/// Items looked at in one step; polls may come in between.
const STEP: usize = 200;

/// Merges a category into another; hears how many items were looked at by then, and gives how many moved.
///
/// # Errors
/// Those of the store; what was done stays done, and is gone on with when it is asked for again.
pub fn merge(
    store: &dyn Store,
    from: &Category,
    into: &Category,
    now: Timestamp,
    looked: &mut dyn FnMut(usize),
) -> Result<usize> {
    note(store, from.id, Some(into.id))?;
    store.merge_category(from.id, into.id, now)?;
    let why = format!("{} was merged into {}", from.name, into.name);
    let mut moved = 0;
    each(store, from.id, looked, &mut |item| {
        let mut to = Vec::new();
        for id in item.categories.iter().map(|id| if *id == from.id { into.id } else { *id }) {
            if !to.contains(&id) {
                to.push(id);
            }
        }
        let decided = Move { from: item.categories, to, why: why.clone(), by: Mover::Merge };
        moved += usize::from(store.reroute(&item.code, &decided, now)?);
        Ok(())
    })?;
    note(store, from.id, None)?;
    store.sync()?;
    Ok(moved)
}

/// Notes that a merge has begun, or has ended.
fn note(store: &dyn Store, from: CategoryId, into: Option<CategoryId>) -> Result<()> {
    let into = into.map(|id| id.0.to_be_bytes().to_vec());
    store.put_records(RecordKind::Merge, &[(from.0.to_be_bytes().to_vec(), into)])
}

/// The category that a record names.
fn category(store: &dyn Store, id: &[u8]) -> Result<Option<Category>> {
    let id = id.try_into().ok().map(u32::from_be_bytes);
    id.map_or(Ok(None), |id| store.category(CategoryId(id)))
}

/// How many items a merge would move.
///
/// # Errors
/// Those of the store.
pub(super) fn count(store: &dyn Store, from: CategoryId) -> Result<usize> {
    let mut items = 0;
    each(store, from, &mut |_| {}, &mut |_| {
        items += 1;
        Ok(())
    })?;
    Ok(items)
}

/// Gives `work` each item of a category, withdrawn ones too, that is in it now.
fn each(
    store: &dyn Store,
    category: CategoryId,
    looked: &mut dyn FnMut(usize),
    work: &mut dyn FnMut(Item) -> Result<()>,
) -> Result<()> {
    // What changes on the way, as by a poll, stands further on: it is looked at again.
    let (mut after, mut end, mut seen) = (Cursor::default(), store.cursor()?, 0);
    while after != end {
        let items;
        (items, after) = store.touched(&after, &end, STEP)?;
        for item in items {
            seen += 1;
            if item.categories.contains(&category) {
                work(item)?;
            }
        }
        looked(seen);
        end = store.cursor()?;
    }
    Ok(())
}

/// Goes on with merges that were cut off.
///
/// # Errors
/// Those of the store.
pub fn finish(store: &dyn Store, now: Timestamp) -> Result<()> {
    for (from, into) in store.records(RecordKind::Merge, &[], usize::MAX)? {
        if let (Some(from), Some(into)) = (category(store, &from)?, category(store, &into)?) {
            tracing::warn!(from = %from.slug, into = %into.slug, "a merge that was cut off is gone on with");
            merge(store, &from, &into, now, &mut |_| {})?;
        }
    }
    Ok(())
}
