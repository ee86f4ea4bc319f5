//! Claims on sources: due sources, results of polls, and polls that were cut off.

use std::collections::BTreeMap;

use super::engine::Engine;
use super::source_cache::Sources;
use super::source_numbers::put_void;
use super::sources::{due, put_states, state, state_or_new};
use super::{clock, small_records};
use crate::model::{SourceId, SourceState, Timestamp};
use crate::store::claims::{self, LastClaim};
use crate::store::{Claim, Claimed, PollResult, RecordKind, Result};

/// Sources whose void guids share a transaction.
const AT_ONCE: usize = 200;

pub(super) fn register(engine: &Engine, sources: &[SourceId], now: Timestamp) -> Result<()> {
    let _writing = engine.db.writing();
    let new = |known: &Sources| sources.iter().filter(|id| known.get(id).is_none()).collect::<Vec<_>>();
    let state = SourceState { next_poll: now, why: "new source".to_owned(), ..SourceState::default() };
    put_states(engine, engine.sources.with(&engine.db, new)?.into_iter().map(|id| (id, &state)))
}

/// Claims sources that are due (`Store::claim_due`).
pub(super) fn claim_due(
    engine: &Engine,
    by: &str,
    now: Timestamp,
    limit: usize,
    lease: i64,
) -> Result<Vec<Claim>> {
    let _writing = engine.db.writing();
    clock::note(engine, now)?;
    let due = due(engine, now, limit)?;
    let (mut claimed, mut states) = (Vec::new(), Vec::new());
    for id in due {
        let before = state_or_new(engine, &id, now)?;
        if let Some(until) = pause(engine, &before, now)? {
            states.push((id, before.resting(until)));
            continue;
        }
        let (claim, state) = claims::claimed(id, before, by, now, lease);
        states.push((claim.id.clone(), state));
        claimed.push(claim);
    }
    put_states(engine, states.iter().map(|(id, state)| (id, state)))?;
    Ok(claimed)
}

/// Returns until when a source's host asked not to be polled.
fn pause(engine: &Engine, state: &SourceState, now: Timestamp) -> Result<Option<Timestamp>> {
    if state.host.is_empty() {
        return Ok(None);
    }
    let known = small_records::get(&engine.db, RecordKind::Host, state.host.as_bytes())?;
    Ok(known.and_then(|bytes| claims::pause_in(&bytes, now)))
}

/// Records the pauses that hosts asked for; of two, the longer one counts.
fn put_pauses(engine: &Engine, results: &BTreeMap<&SourceId, (&PollResult, SourceState)>) -> Result<()> {
    for (result, state) in results.values() {
        let Some(until) = result.host_rests.filter(|_| !state.host.is_empty()) else { continue };
        let until = pause(engine, state, until)?.map_or(until, |known| known.max(until));
        let record = (state.host.clone().into_bytes(), Some(claims::pause_bytes(until).to_vec()));
        small_records::put_own(&engine.db, RecordKind::Host, &[record])?;
    }
    Ok(())
}

/// Claims these sources (`Store::claim`).
pub(super) fn claim(
    engine: &Engine,
    by: &str,
    ids: &[SourceId],
    now: Timestamp,
    lease: i64,
) -> Result<Vec<Claimed>> {
    let _writing = engine.db.writing();
    let mut all = Vec::with_capacity(ids.len());
    let mut states: BTreeMap<&SourceId, SourceState> = BTreeMap::new();
    for id in ids {
        let before = match states.get(id) {
            Some(state) => state.clone(),
            None => state_or_new(engine, id, now)?,
        };
        if let Some(until) = claims::taken_until(&before, now) {
            all.push(Claimed::Busy { by: before.claimed_by, until });
            continue;
        }
        let before = match pause(engine, &before, now)? {
            Some(until) => before.resting(until),
            None => before,
        };
        let (claim, state) = claims::claimed(id.clone(), before, by, now, lease);
        states.insert(id, state);
        all.push(Claimed::Yours(Box::new(claim)));
    }
    put_states(engine, states.iter().map(|(id, state)| (*id, state)))?;
    Ok(all)
}

/// Extends a lease (`Store::renew`).
pub(super) fn renew(engine: &Engine, id: &SourceId, epoch: u64, until: Timestamp) -> Result<bool> {
    let _writing = engine.db.writing();
    let renewed = claims::renewed(&state(engine, id)?, epoch, until);
    if let Some(state) = &renewed {
        put_states(engine, [(id, state)])?;
    }
    Ok(renewed.is_some())
}

/// Ends polls (`Store::complete`). Void guids are stored first: they stay void even if the state is then lost.
pub(super) fn complete(engine: &Engine, results: &[PollResult]) -> Result<Vec<SourceId>> {
    let _writing = engine.db.writing();
    let (mut ended, mut refused) = (BTreeMap::new(), Vec::new());
    for result in results {
        let last = match ended.get(&result.id) {
            Some((_, state)) => Some(LastClaim::of(state)),
            None => engine.sources.with(&engine.db, |sources| sources.last_claim(&result.id))?,
        };
        match last.and_then(|last| claims::completed(last, result)) {
            Some(state) => drop(ended.insert(&result.id, (result, state))),
            None => refused.push(result.id.clone()),
        }
    }
    let void: Vec<&PollResult> =
        ended.values().map(|(result, _)| *result).filter(|result| !result.void.is_empty()).collect();
    for some in void.chunks(AT_ONCE) {
        engine.db.transact(|tx| some.iter().try_for_each(|result| put_void(tx, &result.id, &result.void)))?;
    }
    put_pauses(engine, &ended)?;
    put_states(engine, ended.iter().map(|(id, (_, state))| (*id, state)))?;
    Ok(refused)
}

pub(super) fn release(engine: &Engine, worker: &str, running: &[SourceId], now: Timestamp) -> Result<usize> {
    let _writing = engine.db.writing();
    let mut released = Vec::new();
    for id in engine.sources.with(&engine.db, |sources| sources.claimed_by(worker))? {
        let state = state(engine, &id)?;
        if !running.contains(&id) && claims::is_of(&state, worker) {
            released.extend(claims::given_back(&state, now).map(|state| (id, state)));
        }
    }
    put_states(engine, released.iter().map(|(id, state)| (id, state)))?;
    Ok(released.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sled::database::TreeId;
    use crate::store::sled::sources;
    use crate::store::{SledStore, Sources};

    #[test]
    fn sources_are_due_as_their_states_say_after_a_new_start_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let at = Timestamp::from_unix;
        let ids: Vec<SourceId> = ["a", "b", "c", "d"].map(|id| SourceId::new(id).unwrap()).into();
        let plan = |store: &SledStore| {
            let due = store.due(at(0), 9).unwrap().into_iter();
            (store.next_due().unwrap(), due.map(|(_, id)| id).collect::<Vec<_>>())
        };
        let store = SledStore::open(&path, 1 << 20).unwrap();
        store.register(&ids, at(100)).unwrap();
        for (number, next) in [(0, 300), (1, 200), (0, 400)] {
            let claimed = store.claim("test", &ids[number..=number], at(99), 60).unwrap();
            let [Claimed::Yours(claim)] = &claimed[..] else { panic!("{claimed:?}") };
            let state = SourceState { next_poll: at(next), ..SourceState::default() };
            assert_eq!(store.complete(&[PollResult::of(Claim { state, ..*claim.clone() })]).unwrap(), []);
        }
        let order = [2, 3, 1, 0].map(|n: usize| ids[n].clone()).to_vec();
        assert_eq!(plan(&store), (Some(at(100)), order.clone()));
        assert_eq!(store.claim_due("test", at(199), 1, 60).unwrap()[0].id, ids[2]);
        assert_eq!(store.due(at(200), 9).unwrap().len(), 3, "one is claimed until 259");
        store.release("test", &[], at(199)).unwrap();
        drop(store);
        let store = SledStore::open(&path, 1 << 20).unwrap();
        assert_eq!(plan(&store), (Some(at(100)), order));
        assert_eq!(store.check(&mut |_, _, _| {}).unwrap().told, Vec::<String>::new());
    }

    #[test]
    fn a_state_that_cannot_be_read_keeps_nobody_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let ids = ["a", "b"].map(|id| SourceId::new(id).unwrap());
        let store = SledStore::open(&path, 1 << 20).unwrap();
        store.register(&ids, Timestamp::from_unix(100)).unwrap();
        store
            .with(|engine| {
                let number = sources::number(engine, &ids[1])?.unwrap();
                Ok(engine.db.tree(TreeId::Source).insert(number.to_be_bytes(), "garbled").unwrap())
            })
            .unwrap();
        drop(store);
        let store = SledStore::open(&path, 1 << 20).unwrap();
        assert_eq!(store.source(&ids[1]).unwrap().why, "its state could not be read");
        assert_eq!(store.sources().unwrap().len(), 2);
        assert_ne!(store.check(&mut |_, _, _| {}).unwrap().faults, 0, "an admin is told");
        let [a, b] = ids;
        let claims = store.claim_due("test", Timestamp::from_unix(100), 9, 60).unwrap();
        assert_eq!(claims.iter().map(|claim| &claim.id).collect::<Vec<_>>(), [&b, &a]);
        assert_eq!(store.source(&b).unwrap().why, "its state could not be read");
        assert_eq!(store.check(&mut |_, _, _| {}).unwrap().told, Vec::<String>::new());
    }
}
