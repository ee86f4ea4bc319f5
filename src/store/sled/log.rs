//! The log of a category: items that arrived, changed or left, in hundreds that are sealed.
//!
//! Every arrival takes the next number. So does an edit of an item in a sealed hundred, and the withdrawal of
//! one: a reader that fetches only the unsealed part learns of both (RFC 5005, 4; RFC 6721). A sealed hundred
//! keeps its contents: of an item that changes later, the earlier form is kept (RULES 3.2). It changes only if
//! an item is removed or restored, or if archived items fill the unused numbers of the last one. The whole site
//! counts arrivals too, but has no hundreds and so no slots.

use std::collections::{BTreeMap, BTreeSet};

use super::categories::{category, put_category};
use super::database::{
    Database, READ, TreeId, Tx, TxResult, backend, next, page_key, put, readable, time, time_at, time_key,
    tree, u32_at, u64_at, upcoming,
};
use super::{items, slots};
use crate::model::{Category, CategoryId, Item, Timestamp};
use crate::store::Result;

/// First bytes of slots that are not plain arrivals; a code's key begins with its code space, whose characters
/// are all larger.
const ARCHIVED: u8 = 1;
const AGAIN: u8 = 2;
const GONE: u8 = 3;

/// A slot of the log, with the key of a code.
pub(super) type Slot = crate::store::Slot<Vec<u8>>;

/// Decodes a slot.
pub(super) fn slot_in(bytes: &[u8]) -> Option<Slot> {
    Some(match bytes.split_first()? {
        (&ARCHIVED, key) => Slot::Archived(key.to_vec()),
        (&AGAIN, rest) => Slot::Again { before: u32_at(rest, 0)?, code: rest.get(4..)?.to_vec() },
        (&GONE, rest) => Slot::Gone { at: time_at(rest)?, code: rest.get(8..)?.to_vec() },
        _ => Slot::Arrived(bytes.to_vec()),
    })
}

/// Encodes a slot.
pub(super) fn slot_bytes(slot: &Slot) -> Vec<u8> {
    match slot {
        Slot::Arrived(key) => key.clone(),
        Slot::Archived(key) => [&[ARCHIVED], &key[..]].concat(),
        Slot::Again { before, code } => [&[AGAIN], &before.to_be_bytes()[..], code].concat(),
        Slot::Gone { at, code } => [&[GONE], &time(*at)[..], code].concat(),
    }
}

/// The value of [`TreeId::CatTime`]: the entry of an item in a category.
#[derive(Debug)]
pub(super) struct Entered {
    pub(super) shown: u8,
    pub(super) first: u32,
    pub(super) latest: u32,
}

impl Entered {
    pub(super) fn read(value: &[u8]) -> Option<Self> {
        let first = u32_at(value, 1)?;
        Some(Self { shown: *value.first()?, first, latest: u32_at(value, 5).unwrap_or(first) })
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![self.shown];
        bytes.extend_from_slice(&self.first.to_be_bytes());
        if self.latest != self.first {
            bytes.extend_from_slice(&self.latest.to_be_bytes());
        }
        bytes
    }
}

/// Adds an item to a category, if it is not in it already.
pub(super) fn enter(
    tx: Tx<'_>,
    key: &[u8],
    item: &Item,
    category: &mut Category,
    shown: bool,
) -> TxResult<()> {
    let at = time_key(category.id, item.published, key);
    if tree(tx, TreeId::CatTime).get(&at)?.is_some() {
        return Ok(());
    }
    let plain = shown || category.id == CategoryId::SITE;
    if plain {
        close_archived(tx, category)?;
    }
    let slot = if plain { Slot::Arrived(key.to_vec()) } else { Slot::Archived(key.to_vec()) };
    let room = if plain { None } else { room_in_closed(tx, category)? };
    let first = match room {
        Some(number) => fill(tx, category, number, &slot)?,
        None => append(tx, category, &slot)?,
    };
    put(tx, TreeId::CatTime, &at, &Entered { shown: u8::from(shown), first, latest: first }.bytes())?;
    category.newest = category.newest.max(Some(item.published));
    Ok(())
}

/// Gives a changed item a new number, if the hundred of its last one is sealed.
pub(super) fn again(tx: Tx<'_>, key: &[u8], item: &Item, category: &mut Category) -> TxResult<()> {
    let at = time_key(category.id, item.published, key);
    let entered = tree(tx, TreeId::CatTime).get(&at)?.as_deref().and_then(Entered::read);
    let Some(mut entered) = entered.filter(|entered| is_sealed(category, entered.latest)) else {
        return Ok(());
    };
    close_archived(tx, category)?;
    entered.latest = append(tx, category, &Slot::Again { before: entered.latest, code: key.to_vec() })?;
    put(tx, TreeId::CatTime, &at, &entered.bytes())
}

/// Removes an item from a category; with a time, its log entries report it as gone. Returns `false` if it was
/// not in it.
pub(super) fn leave(
    tx: Tx<'_>,
    key: &[u8],
    item: &Item,
    category: &mut Category,
    told: Option<Timestamp>,
) -> TxResult<bool> {
    let at = time_key(category.id, item.published, key);
    let Some(value) = tree(tx, TreeId::CatTime).remove(at)? else { return Ok(false) };
    let Some(entered) = Entered::read(&value) else { return Ok(true) };
    if category.id == CategoryId::SITE {
        return Ok(true);
    }
    let told = told.map(|at| Slot::Gone { at, code: key.to_vec() });
    let mut number = Some(entered.latest);
    while let Some(here) = number {
        let slot = slots::get_in(tx, category.id, here)?.as_deref().and_then(slot_in);
        match &told {
            Some(gone) => slots::put(tx, category.id, here, &slot_bytes(gone))?,
            None => slots::remove(tx, category.id, here)?,
        }
        mark_changed(tx, category, here)?;
        number = match slot {
            Some(Slot::Again { before, .. }) if before < here => Some(before),
            _ => None,
        };
    }
    if let Some(gone) = told
        && is_sealed(category, entered.latest)
    {
        close_archived(tx, category)?;
        append(tx, category, &gone)?;
    }
    Ok(true)
}

/// Returns whether an item's entry in a category, and the slots that it refers to, are consistent.
pub(super) fn is_in_order(db: &Database, id: CategoryId, key: &[u8], entry: &[u8]) -> Result<bool> {
    let Some(entered) = Entered::read(entry) else { return Ok(false) };
    if id == CategoryId::SITE {
        return Ok(true);
    }
    let mut number = entered.latest;
    // Terminates, because numbers get smaller with each step.
    loop {
        let slot = slots::get(db, id, number)?.as_deref().and_then(slot_in);
        number = match slot {
            Some(Slot::Again { before, code }) if code == key && before < number => before,
            Some(Slot::Arrived(own) | Slot::Archived(own)) => {
                return Ok(own == key && number == entered.first);
            }
            _ => return Ok(false),
        };
    }
}

/// Returns whether a slot is confirmed by the entry of its item, or by the item's removal.
pub(super) fn is_said(db: &Database, id: CategoryId, number: u32, slot: &[u8]) -> Result<bool> {
    let Some(slot) = slot_in(slot) else { return Ok(false) };
    let Some(item) = readable(items::item(db, slot.code()))?.flatten() else {
        let gone = matches!(slot, Slot::Gone { .. });
        return Ok(gone && db.get(TreeId::Tomb, slot.code())?.is_some());
    };
    let entry = db.get(TreeId::CatTime, time_key(id, item.published, slot.code()))?;
    let entered = entry.as_deref().and_then(Entered::read);
    Ok(match slot {
        Slot::Gone { .. } => entered.is_none(),
        Slot::Again { .. } => {
            entered.is_some_and(|entered| (entered.first..=entered.latest).contains(&number))
        }
        Slot::Arrived(_) | Slot::Archived(_) => entered.is_some_and(|entered| entered.first == number),
    })
}

/// Returns whether a sealed hundred is indexed under the generation of its last change.
pub(super) fn is_noted(db: &Database, id: CategoryId, page: u32) -> Result<bool> {
    let Some(value) = db.get(TreeId::Seal, page_key(id, page))? else { return Ok(false) };
    let Some(changed) = u64_at(&value, 8) else { return Ok(false) };
    Ok(db.get(TreeId::Resealed, resealed_key(id, changed, page))?.is_some())
}

/// Indexes a sealed hundred anew, as changed now; the generation of its sealing is kept.
pub(super) fn note_anew(tx: Tx<'_>, id: CategoryId, page: u32) -> TxResult<()> {
    let before = tree(tx, TreeId::Seal).get(page_key(id, page))?;
    let now = upcoming(tx)?;
    let sealed = before.as_deref().and_then(|value| u64_at(value, 0)).filter(|sealed| *sealed <= now);
    note_page(tx, id, page, sealed.unwrap_or(u64::MAX), now)
}

/// Removes the log entries that report an item as gone.
pub(super) fn unsay(tx: Tx<'_>, category: &Category, numbers: &[u32]) -> TxResult<()> {
    for number in numbers {
        slots::remove(tx, category.id, *number)?;
        mark_changed(tx, category, *number)?;
    }
    Ok(())
}

/// Numbers of the log entries that report an item as gone, by category.
pub(super) type GoneNumbers = BTreeMap<CategoryId, Vec<u32>>;

/// Returns the numbers of the log entries in these categories that report an item as gone.
pub(super) fn gone_numbers_of(
    db: &Database,
    ids: impl Iterator<Item = CategoryId>,
    key: &[u8],
) -> Result<GoneNumbers> {
    ids.map(|id| Ok((id, gone_numbers(db, id, key)?))).collect()
}

fn gone_numbers(db: &Database, category: CategoryId, key: &[u8]) -> Result<Vec<u32>> {
    let mut numbers = Vec::new();
    for entry in slots::range(db, category, 0, u32::MAX) {
        let (number, slot) = entry?;
        if matches!(slot_in(&slot), Some(Slot::Gone { code, .. }) if code == key) {
            numbers.push(number);
        }
    }
    Ok(numbers)
}

/// Returns whether a hundred that contains the item is sealed, so that its form must be kept.
pub(super) fn shown_sealed(db: &Database, item: &Item) -> Result<bool> {
    let key = item.code.key();
    for id in &item.categories {
        let at = time_key(*id, item.published, &key);
        let entered = db.get(TreeId::CatTime, at)?.as_deref().and_then(Entered::read);
        let category = category(db, *id)?;
        if entered.zip(category).is_some_and(|(entered, category)| is_sealed(&category, entered.first)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Seals the open hundred if its last arrival went straight to the archive: that item is in no current
/// document, so it must be in a sealed one. The remaining numbers of the hundred stay unused until further
/// archived items fill them (`room_in_closed`).
pub(super) fn close_archived(tx: Tx<'_>, category: &mut Category) -> TxResult<()> {
    if category.id == CategoryId::SITE || category.arrivals.is_multiple_of(Category::HUNDRED) {
        return Ok(());
    }
    let last = slots::get_in(tx, category.id, category.arrivals)?;
    if !matches!(last.as_deref().and_then(slot_in), Some(Slot::Archived(_))) {
        return Ok(());
    }
    category.arrivals = category.arrivals.next_multiple_of(Category::HUNDRED);
    seal(tx, category)
}

/// Seals the hundreds that end with an arrival that went straight to the archive.
pub(super) fn close_all_archived(db: &Database, archived: &BTreeSet<CategoryId>) -> Result<()> {
    for id in archived {
        let Some(before) = category(db, *id)? else { continue };
        db.transact(|tx| {
            let mut category = before.clone();
            close_archived(tx, &mut category)?;
            if category.arrivals == before.arrivals {
                return Ok(());
            }
            let generation = next(tx, "generation")?;
            put_category(tx, &mut category, generation)
        })?;
    }
    Ok(())
}

/// Returns the first unused number of the last hundred, if [`close_archived`] closed it before it was full: an
/// import adds a few articles to each category at a time.
fn room_in_closed(tx: Tx<'_>, category: &Category) -> TxResult<Option<u32>> {
    let end = category.arrivals;
    if end == 0 || !end.is_multiple_of(Category::HUNDRED) {
        return Ok(None);
    }
    let last = slots::last_in_hundred(tx, category.id, end)?;
    let archived = |(number, slot): (u32, Vec<u8>)| {
        (number < end && matches!(slot_in(&slot), Some(Slot::Archived(_)))).then_some(number + 1)
    };
    Ok(last.and_then(archived))
}

fn fill(tx: Tx<'_>, category: &Category, number: u32, slot: &Slot) -> TxResult<u32> {
    slots::put(tx, category.id, number, &slot_bytes(slot))?;
    mark_changed(tx, category, number)?;
    Ok(number)
}

fn append(tx: Tx<'_>, category: &mut Category, slot: &Slot) -> TxResult<u32> {
    category.arrivals += 1;
    if category.id == CategoryId::SITE {
        return Ok(category.arrivals);
    }
    slots::put(tx, category.id, category.arrivals, &slot_bytes(slot))?;
    if category.arrivals.is_multiple_of(Category::HUNDRED) {
        seal(tx, category)?;
    }
    Ok(category.arrivals)
}

fn is_sealed(category: &Category, number: u32) -> bool {
    number.div_ceil(Category::HUNDRED) <= category.sealed()
}

/// Records the generation under which the last hundred was sealed.
fn seal(tx: Tx<'_>, category: &Category) -> TxResult<()> {
    let now = upcoming(tx)?;
    note_page(tx, category.id, category.sealed(), now, now)
}

/// Records that a sealed hundred changed.
fn mark_changed(tx: Tx<'_>, category: &Category, number: u32) -> TxResult<()> {
    if category.id == CategoryId::SITE || !is_sealed(category, number) {
        return Ok(());
    }
    let page = number.div_ceil(Category::HUNDRED);
    let before = tree(tx, TreeId::Seal).get(page_key(category.id, page))?;
    let sealed = before.as_deref().and_then(|value| u64_at(value, 0)).unwrap_or(u64::MAX);
    let now = upcoming(tx)?;
    note_page(tx, category.id, page, sealed, now)
}

/// Indexes a sealed hundred under the generations of its sealing and of its last change.
pub(super) fn note_page(tx: Tx<'_>, id: CategoryId, page: u32, sealed: u64, changed: u64) -> TxResult<()> {
    let at = page_key(id, page);
    let value = [sealed.to_be_bytes(), changed.to_be_bytes()].concat();
    if let Some(before) = tree(tx, TreeId::Seal).insert(at, value)?.as_deref().and_then(|v| u64_at(v, 8)) {
        tree(tx, TreeId::Resealed).remove(resealed_key(id, before, page))?;
    }
    tree(tx, TreeId::Resealed).insert(resealed_key(id, changed, page), &[])?;
    Ok(())
}

/// Returns the key `category | generation | hundred`.
fn resealed_key(id: CategoryId, generation: u64, page: u32) -> Vec<u8> {
    [&id.0.to_be_bytes()[..], &generation.to_be_bytes(), &page.to_be_bytes()].concat()
}

/// Returns the hundreds that were sealed or changed after `generation`.
pub(super) fn resealed_since(db: &Database, id: CategoryId, generation: u64) -> Result<BTreeSet<u32>> {
    let from = resealed_key(id, generation.saturating_add(1), 0);
    let to = resealed_key(id, u64::MAX, u32::MAX);
    let keys = db.tree(TreeId::Resealed).range(from..=to).keys();
    keys.filter_map(|key| key.map(|key| u32_at(&key, 12)).transpose())
        .collect::<std::result::Result<_, _>>()
        .map_err(|e| backend(READ, e))
}

#[cfg(test)]
mod tests;
