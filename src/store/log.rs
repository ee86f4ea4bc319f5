//! The log of a category: what came into it, changed or went, in hundreds that are sealed.
//!
//! Every arrival takes the next number. So does an edit of an item that stands in a sealed
//! hundred already, and the withdrawal of one: a reader who asks only for what is not sealed
//! yet hears of both (RFC 5005, 4; RFC 6721). A sealed hundred keeps showing what it showed: of
//! an item that is changed later, the form it had is kept (RULES 3.2). Only what takes an item
//! out changes it. The whole site counts arrivals too, but has no hundreds and so no slots.

use std::collections::BTreeSet;

use super::codec::{self, page_key, u32_at, u64_at};
use super::open::{Open, T, backend};
use super::write::{self, Tx, TxResult, put, tree};
use super::{Gone, LogPage, Result, read, slots};
use crate::model::{Article, Category, CategoryId, InfoCode, Item, Timestamp};

/// First bytes of slots that are no plain arrivals; a code's key begins with its code space,
/// whose characters are all larger.
const ARCHIVED: u8 = 1;
const AGAIN: u8 = 2;
const GONE: u8 = 3;

/// What stands under an arrival number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Slot {
    /// An item that came in.
    Arrived(Vec<u8>),
    /// One that went straight to the archive.
    Archived(Vec<u8>),
    /// One that was changed after the hundred of its last number, given here, was sealed.
    Again(u32, Vec<u8>),
    /// One that went, and when.
    Gone(Timestamp, Vec<u8>),
}

impl Slot {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        Some(match bytes.split_first()? {
            (&ARCHIVED, key) => Self::Archived(key.to_vec()),
            (&AGAIN, rest) => Self::Again(u32_at(rest, 0)?, rest.get(4..)?.to_vec()),
            (&GONE, rest) => {
                let at = i64::try_from(u64_at(rest, 0)?).ok()?;
                Self::Gone(Timestamp::from_unix(at), rest.get(8..)?.to_vec())
            }
            _ => Self::Arrived(bytes.to_vec()),
        })
    }

    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Arrived(key) => key.clone(),
            Self::Archived(key) => [&[ARCHIVED], &key[..]].concat(),
            Self::Again(before, key) => [&[AGAIN], &before.to_be_bytes()[..], key].concat(),
            Self::Gone(at, key) => [&[GONE], &codec::time(*at)[..], key].concat(),
        }
    }

    pub(super) fn key(&self) -> &[u8] {
        match self {
            Self::Arrived(key) | Self::Archived(key) | Self::Again(_, key) | Self::Gone(_, key) => key,
        }
    }
}

/// What [`T::CatTime`] says of an item in a category.
#[derive(Debug)]
struct Entered {
    shown: u8,
    first: u32,
    latest: u32,
}

impl Entered {
    fn read(value: &[u8]) -> Option<Self> {
        let first = u32_at(value, 1)?;
        Some(Self { shown: *value.first()?, first, latest: u32_at(value, 5).unwrap_or(first) })
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![self.shown];
        bytes.extend_from_slice(&self.first.to_be_bytes());
        if self.latest != self.first {
            bytes.extend_from_slice(&self.latest.to_be_bytes());
        }
        bytes
    }
}

/// Lets an item in, if it is not in already.
pub(super) fn enter(
    tx: Tx<'_>,
    key: &[u8],
    item: &Item,
    category: &mut Category,
    shown: bool,
) -> TxResult<()> {
    let at = codec::time_key(category.id, item.published, key);
    if tree(tx, T::CatTime).get(&at)?.is_some() {
        return Ok(());
    }
    let plain = shown || category.id == CategoryId::SITE;
    if plain {
        close_archived(tx, category)?;
    }
    let slot = if plain { Slot::Arrived(key.to_vec()) } else { Slot::Archived(key.to_vec()) };
    let first = append(tx, category, &slot)?;
    put(tx, T::CatTime, &at, &Entered { shown: u8::from(shown), first, latest: first }.bytes())?;
    category.newest = category.newest.max(Some(item.published));
    Ok(())
}

/// Gives a changed item a new number, if the hundred of its last one is sealed.
pub(super) fn again(tx: Tx<'_>, key: &[u8], item: &Item, category: &mut Category) -> TxResult<()> {
    let at = codec::time_key(category.id, item.published, key);
    let entered = tree(tx, T::CatTime).get(&at)?.as_deref().and_then(Entered::read);
    let Some(mut entered) = entered.filter(|entered| is_sealed(category, entered.latest)) else {
        return Ok(());
    };
    close_archived(tx, category)?;
    entered.latest = append(tx, category, &Slot::Again(entered.latest, key.to_vec()))?;
    put(tx, T::CatTime, &at, &entered.bytes())
}

/// Takes an item out; with a time its readers are told. `false` when it is not in.
pub(super) fn leave(
    tx: Tx<'_>,
    key: &[u8],
    item: &Item,
    category: &mut Category,
    told: Option<Timestamp>,
) -> TxResult<bool> {
    let at = codec::time_key(category.id, item.published, key);
    let Some(value) = tree(tx, T::CatTime).remove(at)? else { return Ok(false) };
    let Some(entered) = Entered::read(&value) else { return Ok(true) };
    if category.id == CategoryId::SITE {
        return Ok(true);
    }
    let told = told.map(|at| Slot::Gone(at, key.to_vec()));
    let mut number = Some(entered.latest);
    while let Some(here) = number {
        let slot = slots::get_in(tx, category.id, here)?.as_deref().and_then(Slot::read);
        match &told {
            Some(gone) => slots::put(tx, category.id, here, &gone.bytes())?,
            None => slots::remove(tx, category.id, here)?,
        }
        mark_changed(tx, category, here)?;
        number = match slot {
            Some(Slot::Again(before, _)) if before < here => Some(before),
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

/// The first arrival number that an entry in [`T::CatTime`] tells of.
pub(super) fn first_arrival(entry: &[u8]) -> Option<u32> {
    Entered::read(entry).map(|entered| entered.first)
}

/// Whether an item's entry in a category, and the slots it names, are what they must be.
pub(super) fn is_in_order(store: &Open, id: CategoryId, key: &[u8], entry: &[u8]) -> Result<bool> {
    let Some(entered) = Entered::read(entry) else { return Ok(false) };
    if id == CategoryId::SITE {
        return Ok(true);
    }
    let mut number = entered.latest;
    // Bounded: numbers get smaller with each step.
    loop {
        let slot = slots::get(store, id, number)?.as_deref().and_then(Slot::read);
        number = match slot {
            Some(Slot::Again(before, own)) if own == key && before < number => before,
            Some(Slot::Arrived(own) | Slot::Archived(own)) => {
                return Ok(own == key && number == entered.first);
            }
            _ => return Ok(false),
        };
    }
}

/// Whether something stands behind a slot: the entry of its item, or that it went.
pub(super) fn is_said(store: &Open, id: CategoryId, number: u32, slot: &[u8]) -> Result<bool> {
    let Some(slot) = Slot::read(slot) else { return Ok(false) };
    let Some(item) = super::check::readable(read::item(store, slot.key()))?.flatten() else {
        let gone = matches!(slot, Slot::Gone(..));
        return Ok(gone && read::get(store, T::Tomb, slot.key())?.is_some());
    };
    let entry = read::get(store, T::CatTime, codec::time_key(id, item.published, slot.key()))?;
    let entered = entry.as_deref().and_then(Entered::read);
    Ok(match slot {
        Slot::Gone(..) => entered.is_none(),
        Slot::Again(..) => entered.is_some_and(|entered| (entered.first..=entered.latest).contains(&number)),
        Slot::Arrived(_) | Slot::Archived(_) => entered.is_some_and(|entered| entered.first == number),
    })
}

/// Whether a sealed hundred is noted, under the generation of its last change.
pub(super) fn is_noted(store: &Open, id: CategoryId, page: u32) -> Result<bool> {
    let Some(value) = read::get(store, T::Seal, page_key(id, page))? else { return Ok(false) };
    let Some(changed) = u64_at(&value, 8) else { return Ok(false) };
    Ok(read::get(store, T::Resealed, resealed_key(id, changed, page))?.is_some())
}

/// Notes a sealed hundred anew, as changed now; what is known of its sealing stays.
pub(super) fn note_anew(tx: Tx<'_>, id: CategoryId, page: u32) -> TxResult<()> {
    let before = tree(tx, T::Seal).get(page_key(id, page))?;
    let now = write::upcoming(tx)?;
    let sealed = before.as_deref().and_then(|value| u64_at(value, 0)).filter(|sealed| *sealed <= now);
    note_page(tx, id, page, sealed.unwrap_or(u64::MAX), now)
}

/// Takes back that an item went.
pub(super) fn unsay(tx: Tx<'_>, category: &Category, numbers: &[u32]) -> TxResult<()> {
    for number in numbers {
        slots::remove(tx, category.id, *number)?;
        mark_changed(tx, category, *number)?;
    }
    Ok(())
}

/// Where it is said that an item went.
pub(super) fn said_gone(store: &Open, category: CategoryId, key: &[u8]) -> Result<Vec<u32>> {
    let mut numbers = Vec::new();
    for entry in slots::range(store, category, 0, u32::MAX) {
        let (number, slot) = entry?;
        if matches!(Slot::read(&slot), Some(Slot::Gone(_, gone)) if gone == key) {
            numbers.push(number);
        }
    }
    Ok(numbers)
}

/// Whether some hundred that holds the item is sealed, so that its form must be kept.
pub(super) fn shown_sealed(store: &Open, item: &Item) -> Result<bool> {
    let key = item.code.key();
    for id in &item.categories {
        let at = codec::time_key(*id, item.published, &key);
        let entered = read::get(store, T::CatTime, at)?.as_deref().and_then(Entered::read);
        let category = read::category(store, *id)?;
        if entered.zip(category).is_some_and(|(entered, category)| is_sealed(&category, entered.first)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Closes the open hundred if what came last went straight to the archive: it is in no current
/// document, so it must be in a sealed one. The rest of the hundred's numbers stay unused.
pub(super) fn close_archived(tx: Tx<'_>, category: &mut Category) -> TxResult<()> {
    if category.id == CategoryId::SITE || category.arrivals.is_multiple_of(Category::HUNDRED) {
        return Ok(());
    }
    let last = slots::get_in(tx, category.id, category.arrivals)?;
    if !matches!(last.as_deref().and_then(Slot::read), Some(Slot::Archived(_))) {
        return Ok(());
    }
    category.arrivals = category.arrivals.next_multiple_of(Category::HUNDRED);
    seal(tx, category)
}

fn append(tx: Tx<'_>, category: &mut Category, slot: &Slot) -> TxResult<u32> {
    category.arrivals += 1;
    if category.id == CategoryId::SITE {
        return Ok(category.arrivals);
    }
    slots::put(tx, category.id, category.arrivals, &slot.bytes())?;
    if category.arrivals.is_multiple_of(Category::HUNDRED) {
        seal(tx, category)?;
    }
    Ok(category.arrivals)
}

fn is_sealed(category: &Category, number: u32) -> bool {
    number.div_ceil(Category::HUNDRED) <= category.sealed()
}

/// Remembers under which generation the last hundred was sealed.
fn seal(tx: Tx<'_>, category: &Category) -> TxResult<()> {
    let now = write::upcoming(tx)?;
    note_page(tx, category.id, category.sealed(), now, now)
}

/// Remembers that a sealed hundred is not what it was.
fn mark_changed(tx: Tx<'_>, category: &Category, number: u32) -> TxResult<()> {
    if category.id == CategoryId::SITE || !is_sealed(category, number) {
        return Ok(());
    }
    let page = number.div_ceil(Category::HUNDRED);
    let before = tree(tx, T::Seal).get(page_key(category.id, page))?;
    let sealed = before.as_deref().and_then(|value| u64_at(value, 0)).unwrap_or(u64::MAX);
    let now = write::upcoming(tx)?;
    note_page(tx, category.id, page, sealed, now)
}

fn note_page(tx: Tx<'_>, id: CategoryId, page: u32, sealed: u64, changed: u64) -> TxResult<()> {
    let at = page_key(id, page);
    let value = [sealed.to_be_bytes(), changed.to_be_bytes()].concat();
    if let Some(before) = tree(tx, T::Seal).insert(at, value)?.as_deref().and_then(|v| u64_at(v, 8)) {
        tree(tx, T::Resealed).remove(resealed_key(id, before, page))?;
    }
    tree(tx, T::Resealed).insert(resealed_key(id, changed, page), &[])?;
    Ok(())
}

/// `category | generation | hundred`.
fn resealed_key(id: CategoryId, generation: u64, page: u32) -> Vec<u8> {
    [&id.0.to_be_bytes()[..], &generation.to_be_bytes(), &page.to_be_bytes()].concat()
}

/// Hundreds that were sealed or changed after `generation`.
pub(super) fn resealed_since(store: &Open, id: CategoryId, generation: u64) -> Result<BTreeSet<u32>> {
    let from = resealed_key(id, generation.saturating_add(1), 0);
    let to = resealed_key(id, u64::MAX, u32::MAX);
    let keys = store.tree(T::Resealed).range(from..=to).keys();
    keys.filter_map(|key| key.map(|key| u32_at(&key, 12)).transpose())
        .collect::<std::result::Result<_, _>>()
        .map_err(|e| backend("read", e))
}

/// What is not sealed yet.
pub(super) fn open_page(store: &Open, id: CategoryId) -> Result<LogPage<Item>> {
    let sealed = read::category(store, id)?.map_or(0, |category| category.sealed());
    page(store, id, sealed + 1, |key| read::item(store, key))
}

/// A sealed hundred, as it was when it was sealed, without what went since.
pub(super) fn sealed_page(store: &Open, id: CategoryId, number: u32) -> Result<LogPage<Article>> {
    let seal = read::get(store, T::Seal, page_key(id, number))?;
    let sealed = seal.as_deref().and_then(|value| u64_at(value, 0)).unwrap_or(u64::MAX);
    page(store, id, number, |key| read::version_at(store, key, sealed))
}

fn page<R>(
    store: &Open,
    id: CategoryId,
    number: u32,
    load: impl Fn(&[u8]) -> Result<Option<R>>,
) -> Result<LogPage<R>> {
    let last = number.saturating_mul(Category::HUNDRED);
    let mut seen = BTreeSet::new();
    let mut slots = Vec::new();
    for entry in slots::range(store, id, last.saturating_sub(Category::HUNDRED - 1), last) {
        slots.extend(Slot::read(&entry?.1));
    }
    let mut found = LogPage { entries: Vec::new(), gone: Vec::new() };
    // The last that is said of an item counts.
    for slot in slots.iter().rev().filter(|slot| seen.insert(slot.key().to_vec())) {
        match slot {
            Slot::Gone(at, key) => {
                found.gone.extend(InfoCode::from_key(key).map(|(code, _)| Gone { code, at: *at }));
            }
            other => found.entries.extend(load(other.key())?),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
