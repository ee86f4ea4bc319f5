//! Merging one category into another. From the first step on, the names of the first resolve to the second,
//! so that no new item enters the first; then its items move, some at a time.
//!
//! A record in the store says that a merge has begun and is deleted after the last step: [`finish`] resumes
//! merges that were cut off.

use crate::model::{Category, CategoryId, Cursor, Item, Timestamp};
use crate::store::{Move, Mover, RecordKind, Result, Store};

/// Items read in one step; polls may run in between.
const STEP: usize = 200;

/// Merges a category into another and returns how many items moved.
///
/// Calls `looked` with the number of items read so far.
///
/// # Errors
/// Those of the store; what was done stays done, and calling it again resumes the merge.
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

/// Records that a merge has begun (`into` is the target), or that it has ended (`None`).
fn note(store: &dyn Store, from: CategoryId, into: Option<CategoryId>) -> Result<()> {
    let into = into.map(|id| id.0.to_be_bytes().to_vec());
    store.put_records(RecordKind::Merge, &[(from.0.to_be_bytes().to_vec(), into)])
}

/// Returns the category with an id as it is stored in a record.
fn category(store: &dyn Store, id: &[u8]) -> Result<Option<Category>> {
    let id = id.try_into().ok().map(u32::from_be_bytes);
    id.map_or(Ok(None), |id| store.category(CategoryId(id)))
}

/// Returns how many items a merge would move.
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

/// Calls `work` with each item that is in a category now, withdrawn ones included.
fn each(
    store: &dyn Store,
    category: CategoryId,
    looked: &mut dyn FnMut(usize),
    work: &mut dyn FnMut(Item) -> Result<()>,
) -> Result<()> {
    // Items that change meanwhile, as by a poll, move behind `end`: the loop reads them again.
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

/// Resumes merges that were cut off.
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
