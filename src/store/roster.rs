//! What is stored of the sources, kept in memory too: they are few, small, and asked for at every turn.
//!
//! sled has them ([`T::Source`], [`T::SourceKey`]); they are read through when they are first asked for, and
//! put in order of their due times, which are nowhere else. Who stores states (`sources`) enters them here
//! once sled has them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{PoisonError, RwLock};

use sled::IVec;

use super::codec;
use super::open::{Open, T, backend};
use super::read::READ;
use super::{Result, sources};
use crate::model::{SourceId, Timestamp};

/// The record of a source, as it stands in sled.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) number: u32,
    pub(super) record: IVec,
    /// When its next poll may start; [`Timestamp::EPOCH`] where its record cannot be read.
    due: Timestamp,
}

/// The sources that have a state.
#[derive(Debug, Default)]
pub(super) struct Sources {
    known: HashMap<SourceId, Known>,
    due: BTreeMap<(Timestamp, u32), SourceId>,
}

impl Sources {
    pub(super) fn get(&self, id: &SourceId) -> Option<&Known> {
        self.known.get(id)
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.due.first_key_value().map(|((due, _), _)| *due)
    }

    /// Those that are due at `now`, in the order of their time.
    pub(super) fn due(&self, now: Timestamp) -> impl Iterator<Item = &SourceId> {
        self.due.range(..(now.plus(1), 0)).map(|(_, id)| id)
    }

    /// Those that are due at `time` or later, in the order of their time.
    pub(super) fn due_from(&self, time: Timestamp) -> impl Iterator<Item = &SourceId> {
        self.due.range((time, 0)..).map(|(_, id)| id)
    }

    fn enter(&mut self, id: SourceId, known: Known) {
        let at = (known.due, known.number);
        if let Some(before) = self.known.insert(id.clone(), known) {
            self.due.remove(&(before.due, before.number));
        }
        self.due.insert(at, id);
    }

    fn read(store: &Open) -> Result<Self> {
        let names = sources::names(store)?;
        let mut all = Self::default();
        for entry in store.tree(T::Source) {
            let (key, record) = entry.map_err(|e| backend(READ, e))?;
            // What has no name is nobody's; `check` tells of it.
            let named = codec::u32_at(&key, 0).and_then(|number| Some((number, names.get(&number)?)));
            if let Some((number, id)) = named {
                all.enter(id.clone(), Known { number, due: due_in(&record), record });
            }
        }
        Ok(all)
    }
}

/// When a source is due by its record, read without the rest of it; one that cannot be read is due at once.
fn due_in(record: &[u8]) -> Timestamp {
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Due {
        next_poll: Timestamp,
    }
    codec::decode_named::<Due>("source", record).map_or(Timestamp::EPOCH, |due| due.next_poll)
}

/// The sources of an open database, read when they are first asked for.
#[derive(Debug, Default)]
pub(super) struct Roster(RwLock<Option<Sources>>);

impl Roster {
    /// What `look` sees in the sources.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn with<R>(&self, store: &Open, look: impl FnOnce(&Sources) -> R) -> Result<R> {
        if let Some(sources) = &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            return Ok(look(sources));
        }
        // Under the lock: what is stored meanwhile is entered afterwards.
        let mut slot = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let sources = match &mut *slot {
            Some(sources) => sources,
            none => none.insert(Sources::read(store)?),
        };
        Ok(look(sources))
    }

    /// Enters states that were stored: of each the number, the due time and the record.
    pub(super) fn enter(&self, stored: impl IntoIterator<Item = (SourceId, u32, Timestamp, IVec)>) {
        if let Some(sources) = &mut *self.0.write().unwrap_or_else(PoisonError::into_inner) {
            for (id, number, due, record) in stored {
                sources.enter(id, Known { number, record, due });
            }
        }
    }

    /// Lets the sources be read again: their records were changed by who knows only trees.
    pub(super) fn forget(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Ending, SledStore, Store};
    use super::*;
    use crate::model::SourceState;

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
            store.complete(&[Ending::of(id.clone(), state)]).unwrap();
        }
        let order = [2, 3, 1, 0].map(|n: usize| ids[n].clone()).to_vec();
        assert_eq!(plan(&store), (Some(at(100)), order.clone()));
        assert_eq!(store.claim_due(at(199), 1, 60).unwrap(), [ids[2].clone()]);
        assert_eq!(store.due_from(at(200)).unwrap().len(), 3, "one is claimed until 259");
        store.release(&[], at(199)).unwrap();
        // As an older feedmill kept it, of a time that is past.
        store.with(|open| Ok(open.tree(T::Due).insert([0; 12], "a").unwrap())).unwrap();
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
            .with(|open| {
                let number = sources::number(open, &ids[1])?.unwrap();
                Ok(open.tree(T::Source).insert(number.to_be_bytes(), "garbled").unwrap())
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
