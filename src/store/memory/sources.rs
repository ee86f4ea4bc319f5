//! Sources and claims in maps.

use super::MemoryStore;
use crate::model::{SourceId, SourceState, Timestamp};
use crate::store::claims::{self, LastClaim};
use crate::store::{Claim, Claimed, PollResult, RecordKind, Result, SourceRecord, Sources};

impl Sources for MemoryStore {
    fn register(&self, sources: &[SourceId], now: Timestamp) -> Result<()> {
        let mut maps = self.maps();
        for id in sources {
            if !maps.states.contains_key(id) {
                let mut state = maps.state(id);
                state.next_poll = now;
                "new source".clone_into(&mut state.why);
                maps.put_state(id, state);
            }
        }
        Ok(())
    }

    fn claim_due(&self, by: &str, now: Timestamp, limit: usize, lease: i64) -> Result<Vec<Claim>> {
        Ok(self.maps().claim_due(by, now, limit, lease))
    }

    fn claim(&self, by: &str, ids: &[SourceId], now: Timestamp, lease: i64) -> Result<Vec<Claimed>> {
        let mut maps = self.maps();
        let mut all = Vec::new();
        for id in ids {
            let before = maps.state(id);
            if let Some(until) = claims::taken_until(&before, now) {
                all.push(Claimed::Busy { by: before.claimed_by, until });
                continue;
            }
            let before = match maps.pause(&before, now) {
                Some(until) => before.resting(until),
                None => before,
            };
            let (claim, state) = claims::claimed(id.clone(), before, by, now, lease);
            maps.put_state(id, state);
            all.push(Claimed::Yours(Box::new(claim)));
        }
        Ok(all)
    }

    fn renew(&self, id: &SourceId, epoch: u64, until: Timestamp) -> Result<bool> {
        let mut maps = self.maps();
        let Some(state) = claims::renewed(&maps.state(id), epoch, until) else { return Ok(false) };
        maps.put_state(id, state);
        Ok(true)
    }

    fn complete(&self, results: &[PollResult]) -> Result<Vec<SourceId>> {
        let mut maps = self.maps();
        let mut refused = Vec::new();
        for result in results {
            let Some(state) = claims::completed(LastClaim::of(&maps.state(&result.id)), result) else {
                refused.push(result.id.clone());
                continue;
            };
            if let Some(until) = result.host_rests.filter(|_| !state.host.is_empty()) {
                let until = maps.pause(&state, until).map_or(until, |known| known.max(until));
                let key = (RecordKind::Host, state.host.clone().into_bytes());
                maps.records.insert(key, claims::pause_bytes(until).to_vec());
            }
            maps.put_state(&result.id, state);
            maps.void.extend(result.void.iter().map(|guid| (result.id.clone(), *guid)));
        }
        Ok(refused)
    }

    fn release(&self, worker: &str, running: &[SourceId], now: Timestamp) -> Result<usize> {
        let mut maps = self.maps();
        let mut released = 0;
        let cut_off =
            |record: &SourceRecord| claims::is_of(&record.state, worker) && !running.contains(&record.id);
        for record in maps.sources().into_iter().filter(cut_off) {
            if let Some(state) = claims::given_back(&record.state, now) {
                maps.put_state(&record.id, state);
                released += 1;
            }
        }
        Ok(released)
    }

    fn due(&self, from: Timestamp, limit: usize) -> Result<Vec<(Timestamp, SourceId)>> {
        Ok(self.maps().due_from(from, limit))
    }

    fn source(&self, id: &SourceId) -> Result<SourceState> {
        Ok(self.maps().state(id))
    }

    fn sources(&self) -> Result<Vec<SourceRecord>> {
        Ok(self.maps().sources())
    }
}
