//! Sources on sled: their numbers and states, when each is due, and guids that identify nothing.

use std::collections::{BTreeMap, HashMap};

use sled::{Batch, IVec};

use super::check::readable;
use super::codec::{self, u32_at};
use super::open::{Open, T, backend};
use super::read::{READ, get};
use super::roster::Sources;
use super::write::{Tx, TxResult, next, transact, tree};
use super::{Ending, Result, SourceRecord, clock};
use crate::model::{SourceId, SourceState, Timestamp};

/// States that sled takes at once.
const AT_ONCE: usize = 200;

pub(super) fn number(store: &Open, id: &SourceId) -> Result<Option<u32>> {
    if let Some(number) = store.roster.with(store, |sources| sources.get(id).map(|known| known.number))? {
        return Ok(Some(number));
    }
    // It may be known from listings alone.
    Ok(get(store, T::SourceKey, id.as_str())?.and_then(|value| u32_at(&value, 0)))
}

/// Whether there is a state of a source.
pub(super) fn is_known(store: &Open, id: &SourceId) -> Result<bool> {
    store.roster.with(store, |sources| sources.get(id).is_some())
}

pub(super) fn next_due(store: &Open) -> Result<Option<Timestamp>> {
    store.roster.with(store, Sources::next_due)
}

/// Sources that are due at `now`, in the order of their time.
pub(super) fn due(store: &Open, now: Timestamp, limit: usize) -> Result<Vec<SourceId>> {
    store.roster.with(store, |sources| sources.due(now).take(limit).cloned().collect())
}

pub(super) fn due_from(store: &Open, time: Timestamp) -> Result<Vec<SourceId>> {
    store.roster.with(store, |sources| sources.due_from(time).cloned().collect())
}

pub(super) fn state(store: &Open, id: &SourceId) -> Result<SourceState> {
    match store.roster.with(store, |sources| sources.get(id).map(|known| known.record.clone()))? {
        Some(record) => codec::decode_named("source", &record),
        None => Ok(SourceState::default()),
    }
}

/// As [`state`]; a source whose state cannot be read is asked as a new one, and must not keep others waiting.
pub(super) fn state_or_new(store: &Open, id: &SourceId, now: Timestamp) -> Result<SourceState> {
    Ok(readable(state(store, id))?.unwrap_or_else(|| SourceState {
        next_poll: now,
        why: "its state could not be read".to_owned(),
        ..SourceState::default()
    }))
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
    let new = |known: &Sources| sources.iter().filter(|id| known.get(id).is_none()).collect::<Vec<_>>();
    let state = SourceState { next_poll: now, why: "new source".to_owned(), ..SourceState::default() };
    put_states(store, store.roster.with(store, new)?.into_iter().map(|id| (id, &state)))
}

/// Forgets what would let an unchanged document of any source pass unread. The caller holds the writer's lock.
pub(super) fn forget_documents(store: &Open) -> Result<()> {
    let mut all = all(store)?;
    for record in &mut all {
        record.state.forget_document();
    }
    put_states(store, all.iter().map(|record| (&record.id, &record.state)))
}

/// Stores states of sources, each once. The caller holds the writer's lock.
pub(super) fn put_states<'a>(
    store: &Open,
    states: impl IntoIterator<Item = (&'a SourceId, &'a SourceState)>,
) -> Result<()> {
    let states: Vec<_> = states.into_iter().collect();
    for some in states.chunks(AT_ONCE) {
        let mut batch = Batch::default();
        let mut stored = Vec::with_capacity(some.len());
        for ((id, state), number) in some.iter().zip(numbers(store, some)?) {
            let record = IVec::from(codec::source_bytes(state)?);
            batch.insert(&number.to_be_bytes(), record.clone());
            stored.push(((*id).clone(), number, state.next_poll, record));
        }
        store.tree(T::Source).apply_batch(batch).map_err(|e| backend("store states", e))?;
        store.wrote();
        store.roster.enter(stored);
    }
    Ok(())
}

/// The numbers of sources; who has none is given one.
fn numbers(store: &Open, sources: &[(&SourceId, &SourceState)]) -> Result<Vec<u32>> {
    let known: Option<Vec<u32>> = sources.iter().map(|(id, _)| number(store, id)).collect::<Result<_>>()?;
    match known {
        Some(all) => Ok(all),
        None => transact(store, |tx| sources.iter().map(|(id, _)| number_in(tx, id)).collect()),
    }
}

pub(super) fn claim_due(store: &Open, now: Timestamp, limit: usize, lease: i64) -> Result<Vec<SourceId>> {
    let _writing = store.writing();
    clock::note(store, now)?;
    let due = due(store, now, limit)?;
    let states = due.iter().map(|id| Ok(clock::claimed(state_or_new(store, id, now)?, now, lease)));
    let states: Vec<_> = states.collect::<Result<_>>()?;
    put_states(store, due.iter().zip(&states))?;
    Ok(due)
}

/// A guid that is void stays so, also where the state that goes with it is lost: it comes first.
pub(super) fn complete(store: &Open, endings: &[Ending]) -> Result<()> {
    let _writing = store.writing();
    let void: Vec<&Ending> = endings.iter().filter(|ending| !ending.void.is_empty()).collect();
    for some in void.chunks(AT_ONCE) {
        transact(store, |tx| some.iter().try_for_each(|ending| put_void(tx, &ending.id, &ending.void)))?;
    }
    // Of one that ends twice the last counts.
    let states: BTreeMap<_, _> =
        endings.iter().map(|ending| (&ending.id, clock::completed(ending.state.clone()))).collect();
    put_states(store, states.iter().map(|(id, state)| (*id, state)))
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
    let cut_off = all(store)?.into_iter().filter(|record| !running.contains(&record.id));
    let given_back = cut_off.filter_map(|record| Some((clock::given_back(&record.state, now)?, record.id)));
    let released: Vec<(SourceState, SourceId)> = given_back.collect();
    put_states(store, released.iter().map(|(state, id)| (id, state)))?;
    Ok(released.len())
}
