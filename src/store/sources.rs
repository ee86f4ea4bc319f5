//! Sources on sled: their numbers and states, when each is due, and guids that identify nothing.

use std::collections::{BTreeMap, HashMap};

use sled::IVec;

use super::codec::{self, u32_at};
use super::open::{Open, T, backend};
use super::read::{READ, get};
use super::write::{Tx, TxResult, abort, next, put, transact, tree};
use super::{Ending, Result, SourceRecord, clock};
use crate::model::{SourceId, SourceState, Timestamp};

/// States in one transaction: it costs as much as thirty of them, and locks all trees.
const AT_ONCE: usize = 200;

pub(super) fn number(store: &Open, id: &SourceId) -> Result<Option<u32>> {
    Ok(get(store, T::SourceKey, id.as_str())?.and_then(|value| u32_at(&value, 0)))
}

pub(super) fn next_due(store: &Open) -> Result<Option<Timestamp>> {
    let first = store.tree(T::Due).first().map_err(|e| backend(READ, e))?;
    Ok(first.and_then(|(key, _)| codec::time_at(&key)))
}

/// Sources that are due at `now`, in the order of their time.
pub(super) fn due(store: &Open, now: Timestamp, limit: usize) -> Result<Vec<SourceId>> {
    let end = codec::due_key(now.plus(1), 0);
    sources_of(store, store.tree(T::Due).range(..end).take(limit))
}

pub(super) fn due_from(store: &Open, time: Timestamp) -> Result<Vec<SourceId>> {
    sources_of(store, store.tree(T::Due).range(codec::due_key(time, 0)..))
}

/// The sources of entries of [`T::Due`]. Older entries do not tell the id.
fn sources_of(
    store: &Open,
    entries: impl Iterator<Item = sled::Result<(IVec, IVec)>>,
) -> Result<Vec<SourceId>> {
    let (mut sources, mut known) = (Vec::new(), None);
    for entry in entries {
        let (key, id) = entry.map_err(|e| backend(READ, e))?;
        if let Some(id) = std::str::from_utf8(&id).ok().and_then(SourceId::new) {
            sources.push(id);
            continue;
        }
        let known = match &mut known {
            Some(known) => known,
            none => none.insert(names(store)?),
        };
        sources.extend(u32_at(&key, 8).and_then(|number| known.get(&number).cloned()));
    }
    Ok(sources)
}

pub(super) fn state(store: &Open, id: &SourceId) -> Result<SourceState> {
    let Some(number) = number(store, id)? else { return Ok(SourceState::default()) };
    match get(store, T::Source, number.to_be_bytes())? {
        Some(bytes) => codec::decode_named("source", &bytes),
        None => Ok(SourceState::default()),
    }
}

/// When a source is due, read without the rest of its state.
pub(super) fn next_poll(store: &Open, id: &SourceId) -> Result<Timestamp> {
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Due {
        next_poll: Timestamp,
    }
    let Some(number) = number(store, id)? else { return Ok(Timestamp::default()) };
    match get(store, T::Source, number.to_be_bytes())? {
        Some(bytes) => codec::decode_named::<Due>("source", &bytes).map(|due| due.next_poll),
        None => Ok(Timestamp::default()),
    }
}

pub(super) fn names(store: &Open) -> Result<HashMap<u32, SourceId>> {
    let mut names = HashMap::new();
    for entry in store.tree(T::SourceKey) {
        let (key, value) = entry.map_err(|e| backend(READ, e))?;
        let id = std::str::from_utf8(&key).ok().and_then(SourceId::new);
        if let (Some(id), Some(number)) = (id, u32_at(&value, 0)) {
            names.insert(number, id);
        }
    }
    Ok(names)
}

pub(super) fn all(store: &Open) -> Result<Vec<SourceRecord>> {
    let mut records = Vec::new();
    for id in names(store)?.into_values() {
        let state = state(store, &id)?;
        records.push(SourceRecord { id, state });
    }
    records.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(records)
}

pub(super) fn void_guids(store: &Open, id: &SourceId, guids: &[[u8; 16]]) -> Result<Vec<bool>> {
    let Some(number) = number(store, id)? else { return Ok(vec![false; guids.len()]) };
    guids
        .iter()
        .map(|guid| Ok(get(store, T::Void, [&number.to_be_bytes()[..], guid].concat())?.is_some()))
        .collect()
}

/// The number of a source, given at first sight.
pub(super) fn number_in(tx: Tx<'_>, id: &SourceId) -> TxResult<u32> {
    let keys = tree(tx, T::SourceKey);
    if let Some(number) = keys.get(id.as_str())?.and_then(|value| u32_at(&value, 0)) {
        return Ok(number);
    }
    let number = u32::try_from(next(tx, "sources")?).unwrap_or(u32::MAX);
    keys.insert(id.as_str(), &number.to_be_bytes())?;
    Ok(number)
}

pub(super) fn register(store: &Open, sources: &[SourceId], now: Timestamp) -> Result<()> {
    let _writing = store.writing();
    let mut new = Vec::new();
    for id in sources {
        if number(store, id)?.is_none() {
            let state =
                SourceState { next_poll: now, why: "new source".to_owned(), ..SourceState::default() };
            new.push((id.clone(), state, Timestamp::default()));
        }
    }
    put_states(store, &new)
}

/// Stores states of sources, each with the due time that it had.
fn put_states(store: &Open, sources: &[(SourceId, SourceState, Timestamp)]) -> Result<()> {
    for some in sources.chunks(AT_ONCE) {
        transact(store, |tx| {
            some.iter().try_for_each(|(id, state, before)| put_source(tx, id, state, *before))
        })?;
    }
    Ok(())
}

pub(super) fn put_source(tx: Tx<'_>, id: &SourceId, state: &SourceState, before: Timestamp) -> TxResult<()> {
    let number = number_in(tx, id)?;
    let due = tree(tx, T::Due);
    due.remove(codec::due_key(before, number))?;
    due.insert(codec::due_key(state.next_poll, number), id.as_str().as_bytes())?;
    let bytes = codec::source_bytes(state).map_err(abort)?;
    put(tx, T::Source, &number.to_be_bytes(), &bytes)
}

pub(super) fn claim_due(store: &Open, now: Timestamp, limit: usize, lease: i64) -> Result<Vec<SourceId>> {
    let _writing = store.writing();
    clock::note(store, now)?;
    let due = due(store, now, limit)?;
    let mut claimed = Vec::with_capacity(due.len());
    for id in &due {
        let state = state(store, id)?;
        let before = state.next_poll;
        claimed.push((id.clone(), clock::claimed(state, now, lease), before));
    }
    put_states(store, &claimed)?;
    Ok(due)
}

pub(super) fn complete(store: &Open, endings: &[Ending]) -> Result<()> {
    let _writing = store.writing();
    for some in endings.chunks(AT_ONCE) {
        // One that ends twice in a transaction would leave the due time between the two behind.
        let mut last = BTreeMap::new();
        for ending in some {
            last.insert(&ending.id, clock::completed(ending.state.clone()));
        }
        let before: Vec<_> = last.keys().map(|id| next_poll(store, id)).collect::<Result<_>>()?;
        transact(store, |tx| {
            for ((id, state), before) in last.iter().zip(&before) {
                put_source(tx, id, state, *before)?;
            }
            some.iter().try_for_each(|ending| put_void(tx, &ending.id, &ending.void))
        })?;
    }
    Ok(())
}

pub(super) fn put_void(tx: Tx<'_>, id: &SourceId, void: &[[u8; 16]]) -> TxResult<()> {
    if void.is_empty() {
        return Ok(());
    }
    let number = number_in(tx, id)?;
    for guid in void {
        tree(tx, T::Void).insert([&number.to_be_bytes()[..], guid].concat(), &[])?;
    }
    Ok(())
}

pub(super) fn release(store: &Open, running: &[SourceId], now: Timestamp) -> Result<usize> {
    let _writing = store.writing();
    let mut released = 0;
    for record in all(store)?.into_iter().filter(|record| !running.contains(&record.id)) {
        if let Some(state) = clock::given_back(&record.state, now) {
            let before = record.state.next_poll;
            transact(store, |tx| put_source(tx, &record.id, &state, before))?;
            released += 1;
        }
    }
    Ok(released)
}
