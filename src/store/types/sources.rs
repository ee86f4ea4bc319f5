//! Sources and claims on them.

use serde::{Deserialize, Serialize};

use crate::model::{SourceId, SourceState, Timestamp};

/// A source that is claimed for one poll.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The source.
    pub id: SourceId,
    /// The number of the claim: what the poll leaves counts only while it is the last.
    pub epoch: u64,
    /// The source's state when it was claimed.
    pub state: SourceState,
}

/// What became of a claim on one source.
#[derive(Debug, Clone, PartialEq)]
pub enum Claimed {
    /// It is the caller's.
    Yours(Box<Claim>),
    /// Somebody polls it.
    Busy {
        /// Who.
        by: String,
        /// The claim ends then by itself.
        until: Timestamp,
    },
}

/// What a poll leaves of its source.
#[derive(Debug, Clone, PartialEq)]
pub struct PollResult {
    /// The source.
    pub id: SourceId,
    /// The number of its claim.
    pub epoch: u64,
    /// Its state from now on.
    pub state: SourceState,
    /// Hashes of guids that turned out void (RULES 1.7).
    pub void: Vec<[u8; 16]>,
    /// Until when its host wants to be asked by nobody here.
    pub host_rests: Option<Timestamp>,
}

impl PollResult {
    /// What a claim leaves, without void guids and pauses.
    #[must_use]
    pub fn of(claim: Claim) -> Self {
        let Claim { id, epoch, state } = claim;
        Self { id, epoch, state, void: Vec::new(), host_rests: None }
    }

    /// What a claim leaves whose source was not asked, for its host wants a pause until then.
    #[must_use]
    pub fn resting(claim: Claim, until: Timestamp) -> Self {
        let Claim { id, epoch, state } = claim;
        Self::of(Claim { id, epoch, state: state.resting(until) })
    }
}

/// A source with what is remembered of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceRecord {
    /// Its id.
    pub id: SourceId,
    /// Its state.
    pub state: SourceState,
}
