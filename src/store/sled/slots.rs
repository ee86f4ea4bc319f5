//! Storage of the slots of a category's log: those of a quarter of a hundred share a record.
//!
//! sled keeps some hundreds of bytes of memory for every few records, however small they are, so small
//! neighbours are stored together. The contents of a slot belong to `log`.

use super::database::{Database, READ, TreeId, Tx, TxResult, backend, delete, put as put_record, tree};
use crate::model::{Category, CategoryId};
use crate::store::Result;

/// Slots of one record. Four records make a hundred; 25 of the longest slots fit into a value.
const TOGETHER: u32 = 25;

/// Returns the key `category | quarter`.
fn key(id: CategoryId, number: u32) -> Vec<u8> {
    [id.0.to_be_bytes(), (number.saturating_sub(1) / TOGETHER).to_be_bytes()].concat()
}

/// Decodes a record of [`TreeId::CatSeq`] into its slots with their numbers; `None` if it is damaged.
pub(super) fn within<'a>(key: &[u8], value: &'a [u8]) -> Option<Vec<(u32, &'a [u8])>> {
    let quarter = u32::from_be_bytes(key.get(4..)?.try_into().ok()?);
    let first = quarter.checked_mul(TOGETHER)?.checked_add(1)?;
    let mut slots = Vec::new();
    let mut rest = value;
    while let [at, length, more @ ..] = rest {
        let (slot, more) = more.split_at_checked(usize::from(*length))?;
        let number = first.checked_add(u32::from(*at)).filter(|_| u32::from(*at) < TOGETHER)?;
        if slots.last().is_some_and(|(before, _)| *before >= number) {
            return None;
        }
        slots.push((number, slot));
        rest = more;
    }
    rest.is_empty().then_some(slots)
}

/// Encodes a record of slots, which are in the order of their numbers.
pub(super) fn record(slots: &[(u32, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(slots.iter().map(|(_, slot)| slot.len() + 2).sum());
    for (number, slot) in slots {
        let at = number.saturating_sub(1) % TOGETHER;
        // A code's key has at most 155 bytes, the rest of a slot at most nine.
        bytes.extend([u8::try_from(at).unwrap_or_default(), u8::try_from(slot.len()).unwrap_or_default()]);
        bytes.extend_from_slice(slot);
    }
    bytes
}

/// Returns the slot with a number, as bytes.
pub(super) fn get(db: &Database, id: CategoryId, number: u32) -> Result<Option<Vec<u8>>> {
    let key = key(id, number);
    let value = db.get(TreeId::CatSeq, &key)?;
    Ok(value.and_then(|value| pick(&key, &value, number)))
}

/// Returns the slot with a number, in a transaction.
pub(super) fn get_in(tx: Tx<'_>, id: CategoryId, number: u32) -> TxResult<Option<Vec<u8>>> {
    let key = key(id, number);
    let value = tree(tx, TreeId::CatSeq).get(&key)?;
    Ok(value.and_then(|value| pick(&key, &value, number)))
}

/// Returns the last slot of the hundred that ends with the number `end`.
pub(super) fn last_in_hundred(tx: Tx<'_>, id: CategoryId, end: u32) -> TxResult<Option<(u32, Vec<u8>)>> {
    for quarter in 0..Category::HUNDRED / TOGETHER {
        let key = key(id, end.saturating_sub(quarter * TOGETHER));
        let value = tree(tx, TreeId::CatSeq).get(&key)?;
        let slots = value.as_deref().and_then(|value| within(&key, value));
        if let Some((number, slot)) = slots.and_then(|slots| slots.last().copied()) {
            return Ok(Some((number, slot.to_vec())));
        }
    }
    Ok(None)
}

fn pick(key: &[u8], value: &[u8], number: u32) -> Option<Vec<u8>> {
    within(key, value)?.into_iter().find(|(at, _)| *at == number).map(|(_, slot)| slot.to_vec())
}

/// Writes a slot.
pub(super) fn put(tx: Tx<'_>, id: CategoryId, number: u32, slot: &[u8]) -> TxResult<()> {
    set(tx, id, number, Some(slot))
}

/// Removes a slot.
pub(super) fn remove(tx: Tx<'_>, id: CategoryId, number: u32) -> TxResult<()> {
    set(tx, id, number, None)
}

fn set(tx: Tx<'_>, id: CategoryId, number: u32, slot: Option<&[u8]>) -> TxResult<()> {
    let key = key(id, number);
    let before = tree(tx, TreeId::CatSeq).get(&key)?.unwrap_or_default();
    let mut slots = within(&key, &before).unwrap_or_default();
    slots.retain(|(at, _)| *at != number);
    if let Some(slot) = slot {
        let at = slots.partition_point(|(at, _)| *at < number);
        slots.insert(at, (number, slot));
    }
    keep(tx, &key, &slots)
}

fn keep(tx: Tx<'_>, key: &[u8], slots: &[(u32, &[u8])]) -> TxResult<()> {
    if slots.is_empty() {
        return delete(tx, TreeId::CatSeq, key);
    }
    put_record(tx, TreeId::CatSeq, key, &record(slots))
}

/// Iterates over the slots from one number to another, both included, in order; damaged records are skipped.
pub(super) fn range(
    db: &Database,
    id: CategoryId,
    from: u32,
    to: u32,
) -> impl DoubleEndedIterator<Item = Result<(u32, Vec<u8>)>> {
    let records = db.tree(TreeId::CatSeq).range(key(id, from)..=key(id, to));
    let slots = records.map(|entry| {
        let (key, value) = entry.map_err(|e| backend(READ, e))?;
        let slots = within(&key, &value).unwrap_or_default();
        Ok(slots.into_iter().map(|(number, slot)| (number, slot.to_vec())).collect::<Vec<_>>())
    });
    let each = slots.flat_map(|record: Result<Vec<_>>| match record {
        Ok(slots) => slots.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    });
    each.filter(move |slot| slot.as_ref().map_or(true, |(number, _)| (from..=to).contains(number)))
}

/// Returns the highest number of a category that has a slot; 0 if there is none.
pub(super) fn last(db: &Database, id: CategoryId) -> Result<u32> {
    let last = range(db, id, 0, u32::MAX).next_back().transpose()?;
    Ok(last.map_or(0, |(number, _)| number))
}

/// Keeps the good slots of a record; none of a damaged one.
pub(super) fn sift(db: &Database, key: &[u8], good: impl Fn(u32, &[u8]) -> Result<bool>) -> Result<()> {
    let Some(value) = db.get(TreeId::CatSeq, key)? else { return Ok(()) };
    let mut kept = Vec::new();
    for (number, slot) in within(key, &value).unwrap_or_default() {
        if good(number, slot)? {
            kept.push((number, slot));
        }
    }
    db.transact(|tx| keep(tx, key, &kept))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn slots_of_a_record_read_back(
            quarter in 0..170_000_000_u32,
            slots in prop::collection::btree_map(0..TOGETHER, prop::collection::vec(any::<u8>(), 0..165), 0..25),
        ) {
            let first = quarter * TOGETHER + 1;
            let slots: Vec<(u32, &[u8])> = slots.iter().map(|(at, slot)| (first + at, &slot[..])).collect();
            let bytes = record(&slots);
            prop_assert!(bytes.len() < super::super::database::MAX_VALUE);
            for (number, _) in &slots {
                prop_assert_eq!(key(CategoryId(7), *number), key(CategoryId(7), first));
            }
            prop_assert_eq!(within(&key(CategoryId(7), first), &bytes), Some(slots));
        }

        #[test]
        fn a_damaged_record_is_no_panic(value in prop::collection::vec(any::<u8>(), 0..60)) {
            let key = key(CategoryId(7), 30);
            if let Some(slots) = within(&key, &value) {
                prop_assert!(slots.iter().all(|(number, _)| (26..=50).contains(number)));
            }
        }
    }
}
