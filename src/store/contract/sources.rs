//! Sources, and the claims of those that poll them.

use crate::model::{SourceId, SourceState, Timestamp};
use crate::store::{Claim, Claimed, PollResult, Result, SourceRecord};

/// Sources, for pollers.
///
/// A poll, also one started by hand, begins with a claim and ends with [`Sources::complete`]. The claims of a
/// source are numbered upwards (the epoch); a result whose epoch is not the last is refused.
#[expect(clippy::missing_errors_doc, reason = "the contract above says it for all verbs")]
pub trait Sources: Send + Sync {
    /// Ensures that every source has a state; new ones are due at `now`.
    fn register(&self, sources: &[SourceId], now: Timestamp) -> Result<()>;
    /// Claims up to `limit` sources that are due at `now`, for `lease` seconds: nobody else can claim them
    /// until the claim is completed or the lease expires.
    fn claim_due(&self, by: &str, now: Timestamp, limit: usize, lease: i64) -> Result<Vec<Claim>>;
    /// Claims these sources, due or not, and returns the outcome for each, in their order.
    fn claim(&self, by: &str, ids: &[SourceId], now: Timestamp, lease: i64) -> Result<Vec<Claimed>>;
    /// Extends the lease of a claim until `until`; returns `false` if it is not the last claim any more.
    fn renew(&self, id: &SourceId, epoch: u64, until: Timestamp) -> Result<bool>;
    /// Ends polls and their claims: stores each source's state, its due time and new void guids, durable on
    /// return.
    ///
    /// Nothing is stored of a poll whose claim is not the last any more; returns the sources of these. Many at
    /// once are cheaper than one by one ([`crate::store::Handle::complete`]); on an error, some of them may be
    /// stored.
    fn complete(&self, results: &[PollResult]) -> Result<Vec<SourceId>>;
    /// Releases the claims of `worker`, except those of `running`, whose polls nobody runs any more, and
    /// returns their number. The sources are due as before; from the third poll in a row that was cut off, they
    /// are due later. Called at the start of a worker, and after a failure of the store.
    fn release(&self, worker: &str, running: &[SourceId], now: Timestamp) -> Result<usize>;
    /// Returns up to `limit` sources that are due at `from` or later, in the order of their due times.
    fn due(&self, from: Timestamp, limit: usize) -> Result<Vec<(Timestamp, SourceId)>>;
    /// Returns the state of one source; the default for one never seen. A state that cannot be read is returned
    /// as new, and says so.
    fn source(&self, id: &SourceId) -> Result<SourceState>;
    /// Returns all sources ever seen, by id.
    fn sources(&self) -> Result<Vec<SourceRecord>>;

    /// Returns when the next source is due.
    fn next_due(&self) -> Result<Option<Timestamp>> {
        Ok(self.due(Timestamp::EPOCH, 1)?.into_iter().next().map(|(at, _)| at))
    }
}
