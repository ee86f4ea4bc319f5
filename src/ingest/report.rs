//! What one poll did, and why one failed.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::fetch::FetchError;
use crate::model::Timestamp;
use crate::model::http::Unchanged;
use crate::source::SourceError;
use crate::store::StoreError;

/// What one poll did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollReport {
    /// The source.
    pub source: String,
    /// Nothing had changed.
    pub not_modified: bool,
    /// How the server said that nothing had changed.
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
    /// Records held back, failed or beyond a cap.
    pub held: usize,
    /// Details asked for.
    pub details: usize,
    /// Items withdrawn because their source deleted them.
    #[serde(default)]
    pub withdrawn: usize,
    /// The document held nothing known: items may have been missed.
    #[serde(default)]
    pub overrun: bool,
    /// The upstream asked to wait until then before anything more is asked for.
    pub wait: Option<Timestamp>,
    /// Until when its host wants to be asked for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_rests: Option<Timestamp>,
    /// It was not asked: its host wants a pause until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rests: Option<Timestamp>,
    /// Bytes of the body.
    pub bytes: usize,
    /// Why it failed, if it did.
    pub error: Option<String>,
    /// A stable word for the failure.
    pub error_kind: Option<String>,
}

impl PollReport {
    /// Whether a category has something new to publish.
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
    /// An answer that means nothing.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The reader of the document broke; it is told in the log.
    #[error(
        "the document could not be read: this is a fault of feedmill; please report it with the document"
    )]
    Broke,
    /// The store failed; an operator must act.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PollError {
    /// A stable word for metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Fetch(error) => error.kind(),
            Self::Source(error) => error.kind(),
            Self::Broke => "broke",
            Self::Store(error) => error.kind(),
        }
    }

    /// Whether the next poll may end well by itself.
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
