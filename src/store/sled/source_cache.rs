//! The sources in memory: they are few, small, and read all the time.
//!
//! The database stores them ([`TreeId::Source`], [`TreeId::SourceKey`]); they are all read on the first access,
//! and ordered by their due times, an index that the database does not have. `sources` enters states here once
//! the database has them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{PoisonError, RwLock};

use sled::IVec;

use super::database::{Database, READ, TreeId, backend, u32_at};
use super::source_numbers;
use super::source_record::Plan;
use crate::model::{SourceId, Timestamp};
use crate::store::Result;
use crate::store::claims::LastClaim;

/// The record of a source, as stored in sled.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) number: u32,
    pub(super) record: IVec,
    plan: Plan,
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

    /// Returns the sources that are due at `now`, in the order of their due times.
    pub(super) fn due(&self, now: Timestamp) -> impl Iterator<Item = &SourceId> {
        self.due.range(..(now.plus(1), 0)).map(|(_, id)| id)
    }

    /// Returns the sources that are due at `time` or later, in the order of their due times.
    pub(super) fn due_from(&self, time: Timestamp) -> impl Iterator<Item = (Timestamp, &SourceId)> {
        self.due.range((time, 0)..).map(|((at, _), id)| (*at, id))
    }

    /// Returns the sources that a worker has claimed.
    pub(super) fn claimed_by(&self, worker: &str) -> Vec<SourceId> {
        let own = self.known.iter().filter(|(_, known)| known.plan.claimed_by == worker);
        own.map(|(id, _)| id.clone()).collect()
    }

    /// Returns the last claim on a source.
    pub(super) fn last_claim(&self, id: &SourceId) -> Option<LastClaim> {
        self.known.get(id).map(|known| known.plan.last_claim())
    }

    fn enter(&mut self, id: SourceId, known: Known) {
        let at = (known.plan.next_poll, known.number);
        if let Some(before) = self.known.insert(id.clone(), known) {
            self.due.remove(&(before.plan.next_poll, before.number));
        }
        self.due.insert(at, id);
    }

    fn read(db: &Database) -> Result<Self> {
        let names = source_numbers::names(db)?;
        let mut all = Self::default();
        for entry in db.tree(TreeId::Source) {
            let (key, record) = entry.map_err(|e| backend(READ, e))?;
            // A record without a name belongs to no source; `check` reports it.
            let named = u32_at(&key, 0).and_then(|number| Some((number, names.get(&number)?)));
            if let Some((number, id)) = named {
                all.enter(id.clone(), Known { number, plan: Plan::read(&record), record });
            }
        }
        Ok(all)
    }
}

/// The sources of an open database, read on the first access.
#[derive(Debug, Default)]
pub(super) struct SourceCache(RwLock<Option<Sources>>);

impl SourceCache {
    /// Calls `look` with the sources, and returns its result.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn with<R>(&self, db: &Database, look: impl FnOnce(&Sources) -> R) -> Result<R> {
        if let Some(sources) = &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            return Ok(look(sources));
        }
        // Under the lock, so that states stored in the meantime are entered afterwards.
        let mut slot = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let sources = match &mut *slot {
            Some(sources) => sources,
            none => none.insert(Sources::read(db)?),
        };
        Ok(look(sources))
    }

    /// Enters states that were stored: of each the number, the plan and the record.
    pub(super) fn enter(&self, stored: impl IntoIterator<Item = (SourceId, u32, Plan, IVec)>) {
        if let Some(sources) = &mut *self.0.write().unwrap_or_else(PoisonError::into_inner) {
            for (id, number, plan, record) in stored {
                sources.enter(id, Known { number, record, plan });
            }
        }
    }

    /// Drops the sources, to be read again, because maintenance changed their records directly.
    pub(super) fn forget(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
