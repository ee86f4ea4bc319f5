//! Sources: their numbers and states, and when each is due. `claiming` changes them for polls.

use sled::{Batch, IVec};

use super::database::{TreeId, Tx, TxResult, backend, readable, tree, u32_at};
use super::engine::Engine;
use super::source_numbers::{names, number_in};
use super::source_record::{Plan, source_bytes, state_in};
use crate::model::{SourceId, SourceState, Timestamp};
use crate::store::{Result, SourceRecord};

/// States that are written to sled in one batch.
const AT_ONCE: usize = 200;

pub(super) fn number(engine: &Engine, id: &SourceId) -> Result<Option<u32>> {
    if let Some(number) =
        engine.sources.with(&engine.db, |sources| sources.get(id).map(|known| known.number))?
    {
        return Ok(Some(number));
    }
    // A source may have listings but no state.
    Ok(engine.db.get(TreeId::SourceKey, id.as_str())?.and_then(|value| u32_at(&value, 0)))
}

/// Returns whether a source has a state.
pub(super) fn is_known(engine: &Engine, id: &SourceId) -> Result<bool> {
    engine.sources.with(&engine.db, |sources| sources.get(id).is_some())
}

/// Returns sources that are due at `now`, in the order of their due times.
pub(super) fn due(engine: &Engine, now: Timestamp, limit: usize) -> Result<Vec<SourceId>> {
    engine.sources.with(&engine.db, |sources| sources.due(now).take(limit).cloned().collect())
}

/// Returns sources that are due at a time or later, in the order of their due times.
pub(super) fn due_from(engine: &Engine, time: Timestamp, limit: usize) -> Result<Vec<(Timestamp, SourceId)>> {
    engine.sources.with(&engine.db, |sources| {
        sources.due_from(time).take(limit).map(|(at, id)| (at, id.clone())).collect()
    })
}

/// Returns the state of one source (`Store::source`).
pub(super) fn state(engine: &Engine, id: &SourceId) -> Result<SourceState> {
    state_or_new(engine, id, Timestamp::EPOCH)
}

fn stored_state(engine: &Engine, id: &SourceId) -> Result<SourceState> {
    match engine.sources.with(&engine.db, |sources| sources.get(id).map(|known| known.record.clone()))? {
        Some(record) => state_in(&record),
        None => Ok(SourceState::default()),
    }
}

/// Returns the state of one source, due at `now` if it cannot be read: such a source is polled as a new one,
/// and must not keep others waiting.
pub(super) fn state_or_new(engine: &Engine, id: &SourceId, now: Timestamp) -> Result<SourceState> {
    Ok(readable(stored_state(engine, id))?.unwrap_or_else(|| SourceState {
        next_poll: now,
        why: "its state could not be read".to_owned(),
        ..SourceState::default()
    }))
}

/// Returns whether a claim is the last on its source, and has not ended.
pub(super) fn is_claimed(tx: Tx<'_>, id: &SourceId, epoch: u64) -> TxResult<bool> {
    let Some(number) = tree(tx, TreeId::SourceKey).get(id.as_str())? else { return Ok(false) };
    let Some(record) = tree(tx, TreeId::Source).get(number)? else { return Ok(false) };
    Ok(Plan::read(&record).last_claim().is(epoch))
}

pub(super) fn all(engine: &Engine) -> Result<Vec<SourceRecord>> {
    let mut records = Vec::new();
    for id in names(&engine.db)?.into_values() {
        let state = state(engine, &id)?;
        records.push(SourceRecord { id, state });
    }
    records.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(records)
}

/// Drops from all sources what lets an unchanged document pass unread. The caller holds the writer's lock.
pub(super) fn forget_documents(engine: &Engine) -> Result<()> {
    let mut all = all(engine)?;
    for record in &mut all {
        record.state.forget_document();
    }
    put_states(engine, all.iter().map(|record| (&record.id, &record.state)))
}

/// Drops from some sources what lets an unchanged document pass unread. The caller holds the writer's lock.
pub(super) fn forget_documents_of(engine: &Engine, ids: impl Iterator<Item = SourceId>) -> Result<()> {
    let mut states = Vec::new();
    for id in ids {
        if is_known(engine, &id)? {
            let mut state = state(engine, &id)?;
            state.forget_document();
            states.push((id, state));
        }
    }
    put_states(engine, states.iter().map(|(id, state)| (id, state)))
}

/// Writes states of sources, each once. The caller holds the writer's lock.
pub(super) fn put_states<'a>(
    engine: &Engine,
    states: impl IntoIterator<Item = (&'a SourceId, &'a SourceState)>,
) -> Result<()> {
    let states: Vec<_> = states.into_iter().collect();
    for some in states.chunks(AT_ONCE) {
        let mut batch = Batch::default();
        let mut stored = Vec::with_capacity(some.len());
        for ((id, state), number) in some.iter().zip(numbers(engine, some)?) {
            let record = IVec::from(source_bytes(state)?);
            batch.insert(&number.to_be_bytes(), record.clone());
            stored.push(((*id).clone(), number, Plan::of(state), record));
        }
        engine.db.tree(TreeId::Source).apply_batch(batch).map_err(|e| backend("store states", e))?;
        engine.db.wrote();
        engine.sources.enter(stored);
    }
    Ok(())
}

/// Returns the numbers of sources, and assigns one to those that have none.
fn numbers(engine: &Engine, sources: &[(&SourceId, &SourceState)]) -> Result<Vec<u32>> {
    let known: Option<Vec<u32>> = sources.iter().map(|(id, _)| number(engine, id)).collect::<Result<_>>()?;
    match known {
        Some(all) => Ok(all),
        None => engine.db.transact(|tx| sources.iter().map(|(id, _)| number_in(tx, id)).collect()),
    }
}
