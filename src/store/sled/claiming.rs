//! Claims on sources: who is due, what a poll leaves, what becomes of polls that were cut off.

use std::collections::BTreeMap;

use super::clock;
use super::engine::Engine;
use super::source_cache::Sources;
use super::source_numbers::put_void;
use super::sources::{all, due, put_states, state_or_new};
use crate::model::{SourceId, SourceState, Timestamp};
use crate::store::claims;
use crate::store::{PollResult, Result};

/// Sources whose void guids share a transaction.
const AT_ONCE: usize = 200;

pub(super) fn register(engine: &Engine, sources: &[SourceId], now: Timestamp) -> Result<()> {
    let _writing = engine.db.writing();
    let new = |known: &Sources| sources.iter().filter(|id| known.get(id).is_none()).collect::<Vec<_>>();
    let state = SourceState { next_poll: now, why: "new source".to_owned(), ..SourceState::default() };
    put_states(engine, engine.sources.with(&engine.db, new)?.into_iter().map(|id| (id, &state)))
}

pub(super) fn claim_due(engine: &Engine, now: Timestamp, limit: usize, lease: i64) -> Result<Vec<SourceId>> {
    let _writing = engine.db.writing();
    clock::note(engine, now)?;

    let due = due(engine, now, limit)?;
    let states = due.iter().map(|id| Ok(claims::claimed(state_or_new(engine, id, now)?, now, lease)));
    let states: Vec<_> = states.collect::<Result<_>>()?;
    put_states(engine, due.iter().zip(&states))?;
    Ok(due)
}

/// A guid that is void stays so, also where the state that goes with it is lost: it comes first.
pub(super) fn complete(engine: &Engine, results: &[PollResult]) -> Result<()> {
    let _writing = engine.db.writing();
    let void: Vec<&PollResult> = results.iter().filter(|result| !result.void.is_empty()).collect();
    for some in void.chunks(AT_ONCE) {
        engine.db.transact(|tx| some.iter().try_for_each(|result| put_void(tx, &result.id, &result.void)))?;
    }
    // Of a source that has two the last counts.
    let states: BTreeMap<_, _> =
        results.iter().map(|result| (&result.id, claims::completed(result.state.clone()))).collect();
    put_states(engine, states.iter().map(|(id, state)| (*id, state)))
}

pub(super) fn release(engine: &Engine, running: &[SourceId], now: Timestamp) -> Result<usize> {
    let _writing = engine.db.writing();
    let cut_off = all(engine)?.into_iter().filter(|record| !running.contains(&record.id));
    let given_back = cut_off.filter_map(|record| Some((claims::given_back(&record.state, now)?, record.id)));
    let released: Vec<(SourceState, SourceId)> = given_back.collect();
    put_states(engine, released.iter().map(|(state, id)| (id, state)))?;
    Ok(released.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sled::database::TreeId;
    use crate::store::sled::sources;
    use crate::store::{SledStore, Store};

    #[test]
    fn sources_are_due_as_their_states_say_after_a_new_start_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let at = Timestamp::from_unix;
        let ids: Vec<SourceId> = ["a", "b", "c", "d"].map(|id| SourceId::new(id).unwrap()).into();
        let plan = |store: &SledStore| (store.next_due().unwrap(), store.due_from(at(0)).unwrap());
        let store = SledStore::open(&path, 1 << 20).unwrap();
        store.register(&ids, at(100)).unwrap();
        for (id, next) in [(&ids[0], 300), (&ids[1], 200), (&ids[0], 400)] {
            let state = SourceState { next_poll: at(next), ..SourceState::default() };
            store.complete(&[PollResult::of(id.clone(), state)]).unwrap();
        }
        let order = [2, 3, 1, 0].map(|n: usize| ids[n].clone()).to_vec();
        assert_eq!(plan(&store), (Some(at(100)), order.clone()));
        assert_eq!(store.claim_due(at(199), 1, 60).unwrap(), [ids[2].clone()]);
        assert_eq!(store.due_from(at(200)).unwrap().len(), 3, "one is claimed until 259");
        store.release(&[], at(199)).unwrap();
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
        assert!(store.source(&ids[1]).is_err());
        let [a, b] = ids;
        assert_eq!(store.claim_due(Timestamp::from_unix(100), 9, 60).unwrap(), [b.clone(), a]);
        assert_eq!(store.source(&b).unwrap().why, "its state could not be read");
        assert_eq!(store.check(&mut |_, _, _| {}).unwrap().told, Vec::<String>::new());
    }
}
