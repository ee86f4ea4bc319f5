//! The report of one poll, and why one failed.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::fetch::FetchError;
use crate::model::Timestamp;
use crate::model::http::Unchanged;
use crate::source::SourceError;
use crate::store::StoreError;

/// The report of one poll.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollReport {
    /// The source.
    pub source: String,
    /// Whether nothing had changed.
    pub not_modified: bool,
    /// How the server reported that nothing had changed.
    #[serde(default)]
    pub unchanged_by: Option<Unchanged>,
    /// Records in the document.
    pub listed: usize,
    /// New items.
    pub inserted: usize,
    /// Items whose published form changed.
    pub updated: usize,
    /// Items that entered a further category.
    pub joined: usize,
    /// Items that a rule dropped.
    #[serde(default)]
    pub dropped: usize,
    /// Records that were known and unchanged.
    pub unchanged: usize,
    /// Records held back, failed or beyond a limit.
    pub held: usize,
    /// Details requested.
    pub details: usize,
    /// Items withdrawn because their source deleted them.
    #[serde(default)]
    pub withdrawn: usize,
    /// Whether the document had no known item: items may have been missed.
    #[serde(default)]
    pub overrun: bool,
    /// Time until which the upstream asks for no further request.
    pub wait: Option<Timestamp>,
    /// Time until which its host asks for no request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_rests: Option<Timestamp>,
    /// Time until which its host wants a pause, for which the source was not requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rests: Option<Timestamp>,
    /// Bytes of the body.
    pub bytes: usize,
    /// The reason of the failure, if it failed.
    pub error: Option<String>,
    /// A stable word for the failure.
    pub error_kind: Option<String>,
}

impl PollReport {
    /// Returns whether a category has something new to publish.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.inserted + self.updated + self.joined + self.withdrawn > 0
    }
}

/// Why a poll failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PollError {
    /// No answer.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// An answer that cannot be used.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A panic in the parser; the log has the message.
    #[error(
        "the document could not be read: this is a fault of feedmill; please report it with the document"
    )]
    Broke,
    /// The store failed; an operator must act.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PollError {
    /// Returns a stable word for metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Fetch(error) => error.kind(),
            Self::Source(error) => error.kind(),
            Self::Broke => "broke",
            Self::Store(error) => error.kind(),
        }
    }

    /// Returns whether the next poll may succeed by itself.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Fetch(error) => error.is_transient(),
            Self::Source(error) => error.is_transient(),
            Self::Broke => false,
            Self::Store(error) => error.is_transient(),
        }
    }
}
