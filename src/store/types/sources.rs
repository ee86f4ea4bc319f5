//! Sources and claims on them.

use serde::{Deserialize, Serialize};

use crate::model::{SourceId, SourceState, Timestamp};

/// A claim on a source for one poll.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The source.
    pub id: SourceId,
    /// The number of the claim: the poll's result is stored only while it is the last.
    pub epoch: u64,
    /// The source's state when it was claimed.
    pub state: SourceState,
}

/// The outcome of a claim on one source.
#[derive(Debug, Clone, PartialEq)]
pub enum Claimed {
    /// The caller has the claim.
    Yours(Box<Claim>),
    /// Another worker polls it.
    Busy {
        /// That worker.
        by: String,
        /// When its claim expires.
        until: Timestamp,
    },
}

/// The result of a poll.
#[derive(Debug, Clone, PartialEq)]
pub struct PollResult {
    /// The source.
    pub id: SourceId,
    /// The number of its claim.
    pub epoch: u64,
    /// Its new state.
    pub state: SourceState,
    /// Hashes of guids that turned out void (RULES 1.7).
    pub void: Vec<[u8; 16]>,
    /// Until when its host asked not to be polled.
    pub host_rests: Option<Timestamp>,
}

impl PollResult {
    /// Creates a result of a claim without void guids or a pause of the host.
    #[must_use]
    pub fn of(claim: Claim) -> Self {
        let Claim { id, epoch, state } = claim;
        Self { id, epoch, state, void: Vec::new(), host_rests: None }
    }

    /// Creates the result of a claim whose source was not polled because its host asked for a pause until then.
    #[must_use]
    pub fn resting(claim: Claim, until: Timestamp) -> Self {
        let Claim { id, epoch, state } = claim;
        Self::of(Claim { id, epoch, state: state.resting(until) })
    }
}

/// A source with its stored state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceRecord {
    /// Its id.
    pub id: SourceId,
    /// Its state.
    pub state: SourceState,
}
