//! The hundreds of a category's log as readers see them.

use std::collections::BTreeSet;

use super::articles::version_at;
use super::categories::category;
use super::database::{Database, TreeId, page_key, u64_at};
use super::engine::Engine;
use super::log::{Slot, slot_in};
use super::{items, slots};
use crate::model::{Article, Category, CategoryId, InfoCode, Item};
use crate::store::{Gone, LogPage, Result};

/// Returns the part of the log that is not sealed yet.
pub(super) fn open_page(engine: &Engine, id: CategoryId) -> Result<LogPage<Item>> {
    let sealed = category(&engine.db, id)?.map_or(0, |category| category.sealed());
    page(&engine.db, id, sealed + 1, |key| items::item(&engine.db, key))
}

/// Returns a sealed hundred as it was when it was sealed, without items that left since.
pub(super) fn sealed_page(engine: &Engine, id: CategoryId, number: u32) -> Result<LogPage<Article>> {
    let seal = engine.db.get(TreeId::Seal, page_key(id, number))?;
    let sealed = seal.as_deref().and_then(|value| u64_at(value, 0)).unwrap_or(u64::MAX);
    page(&engine.db, id, number, |key| version_at(engine, key, sealed))
}

fn page<R>(
    db: &Database,
    id: CategoryId,
    number: u32,
    load: impl Fn(&[u8]) -> Result<Option<R>>,
) -> Result<LogPage<R>> {
    let last = number.saturating_mul(Category::HUNDRED);
    let mut seen = BTreeSet::new();
    let mut slots = Vec::new();
    for entry in slots::range(db, id, last.saturating_sub(Category::HUNDRED - 1), last) {
        slots.extend(slot_in(&entry?.1));
    }
    let mut found = LogPage { entries: Vec::new(), gone: Vec::new() };
    // Only the last entry of an item counts.
    for slot in slots.iter().rev().filter(|slot| seen.insert(slot.code().clone())) {
        match slot {
            Slot::Gone { at, code } => {
                found.gone.extend(InfoCode::from_key(code).map(|(code, _)| Gone { code, at: *at }));
            }
            other => found.entries.extend(load(other.code())?),
        }
    }
    Ok(found)
}
