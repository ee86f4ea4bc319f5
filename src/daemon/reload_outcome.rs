//! The outcome of a reload, as it is reported and stored.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::ingest::canary::Trial;
use crate::model::Timestamp;

/// How a reload ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The new config is in use.
    Done,
    /// It is the same as the one in use.
    Same,
    /// It has faults; the old one is in use.
    Refused,
    /// It would lose items; the old one is in use until an admin accepts the loss.
    Held,
}

/// The outcome of a reload, with its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// How it ended.
    pub outcome: Outcome,
    /// The time of the reload.
    pub at: Timestamp,
    /// What differs, one line each.
    pub changes: Vec<String>,
    /// Settings that differ and are used from the next start on.
    pub restart: Vec<String>,
    /// How the sources' last answers fare under the new config, where that differs.
    pub trials: Vec<Trial>,
    /// Why it was refused; empty if it was not.
    pub why: String,
}

impl Reloaded {
    pub(super) fn at(now: Timestamp, outcome: Outcome) -> Self {
        Self {
            outcome,
            at: now,
            changes: Vec::new(),
            restart: Vec::new(),
            trials: Vec::new(),
            why: String::new(),
        }
    }

    /// Returns the outcome for a config that cannot be used.
    #[must_use]
    pub fn refused(now: Timestamp, why: impl Into<String>) -> Self {
        Self { why: why.into(), ..Self::at(now, Outcome::Refused) }
    }

    /// Returns the number of items that would not be accepted any more.
    #[must_use]
    pub fn lost(&self) -> usize {
        self.trials.iter().map(|trial| trial.vanish).sum()
    }

    /// Returns one line for the log and the status.
    #[must_use]
    pub fn line(&self) -> String {
        match self.outcome {
            Outcome::Done if self.changes.is_empty() => "config reloaded".to_owned(),
            Outcome::Done => format!("config reloaded: {}", self.changes.join("; ")),
            Outcome::Same => "config unchanged".to_owned(),
            Outcome::Refused => format!("config refused, the old one is in use: {}", self.obstacle()),
            Outcome::Held => format!(
                "config held, the old one is in use: {}; see `feedmill reload`, then `feedmill reload --accept`",
                self.obstacle()
            ),
        }
    }

    /// Returns why the new config is not used: the first fault with its place, or what would be lost.
    fn obstacle(&self) -> String {
        if self.outcome == Outcome::Held {
            return format!("{} items would vanish", self.lost());
        }
        let mut lines = self.why.lines().map(str::trim).filter(|line| !line.is_empty());
        let first = lines.next().unwrap_or_default();
        match lines.next().and_then(|line| line.strip_prefix("--> ")) {
            Some(place) => format!("{first} ({place})"),
            None => first.to_owned(),
        }
    }

    /// Returns why the new config is not used, or `None` if it is.
    pub(super) fn waits_for(&self) -> Option<String> {
        matches!(self.outcome, Outcome::Refused | Outcome::Held).then(|| self.obstacle())
    }
}

/// The outcome of the last reload, shared by the mills that replace each other.
#[derive(Debug, Default)]
pub(super) struct LastReload(Mutex<Option<Reloaded>>);

impl LastReload {
    pub(super) fn set(&self, reloaded: Reloaded) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reloaded);
    }

    pub(super) fn get(&self) -> Option<Reloaded> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
