//! Sources, and who polls which of them.

use crate::model::{SourceId, SourceState, Timestamp};
use crate::store::{Claim, Claimed, PollResult, Result, SourceRecord};

/// For who polls.
///
/// A poll begins with a claim, by hand too, and ends with [`Sources::complete`]. Each claim of a source has a number
/// that counts up (its epoch); what bears a number that is not the last is refused.
#[expect(clippy::missing_errors_doc, reason = "the contract above says it for all verbs")]
pub trait Sources: Send + Sync {
    /// Makes sure that every source has a state; new ones are due at `now`.
    fn register(&self, sources: &[SourceId], now: Timestamp) -> Result<()>;
    /// Claims up to `limit` sources that are due at `now`, for `lease` seconds: nobody else gets them until the
    /// claim is completed or the lease is over.
    fn claim_due(&self, by: &str, now: Timestamp, limit: usize, lease: i64) -> Result<Vec<Claim>>;
    /// Claims these sources, due or not; of each what became of it, in their order.
    fn claim(&self, by: &str, ids: &[SourceId], now: Timestamp, lease: i64) -> Result<Vec<Claimed>>;
    /// Lets a claim go on until `until`; `false` where it is not the last one any more.
    fn renew(&self, id: &SourceId, epoch: u64, until: Timestamp) -> Result<bool>;
    /// Ends polls: each source's state, its due time and newly void guids, durable on return; their claims end.
    /// Of a poll whose claim is not the last one any more nothing is stored. Gives those. Many at once are
    /// cheaper than one after the other ([`crate::store::Handle::complete`]); a failure may come between two of
    /// them.
    fn complete(&self, results: &[PollResult]) -> Result<Vec<SourceId>>;
    /// Gives back what was claimed by `worker` for polls that nobody runs any more, all but those of `running`: the
    /// sources are due as they were, and after a third poll in a row that was cut off a while later.
    /// Gives how many there were. For the start of a worker, and for after a failure of the store.
    fn release(&self, worker: &str, running: &[SourceId], now: Timestamp) -> Result<usize>;
    /// Up to `limit` sources that are due at `from` or later, in the order of their time.
    fn due(&self, from: Timestamp, limit: usize) -> Result<Vec<(Timestamp, SourceId)>>;
    /// One source's state; the default for one never seen. One that cannot be read is as new, and says so.
    fn source(&self, id: &SourceId) -> Result<SourceState>;
    /// All sources ever seen, by id.
    fn sources(&self) -> Result<Vec<SourceRecord>>;

    /// When the next source is due.
    fn next_due(&self) -> Result<Option<Timestamp>> {
        Ok(self.due(Timestamp::EPOCH, 1)?.into_iter().next().map(|(at, _)| at))
    }
}
