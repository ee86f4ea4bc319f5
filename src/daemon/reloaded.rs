//! What a reload came to, as it is told and remembered.

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
    /// It says what the one in use says.
    Same,
    /// It is faulty; the old one is in use.
    Refused,
    /// It would lose items; the old one is in use until somebody accepts that.
    Held,
}

/// What came of a reload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// How it ended.
    pub outcome: Outcome,
    /// When.
    pub at: Timestamp,
    /// What is different, for people.
    pub changes: Vec<String>,
    /// Settings that differ and wait for a restart.
    pub restart: Vec<String>,
    /// What the sources' last answers come to, where that differs.
    pub trials: Vec<Trial>,
    /// Why it was refused.
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

    /// A config that cannot be used, and why.
    #[must_use]
    pub fn refused(now: Timestamp, why: impl Into<String>) -> Self {
        Self { why: why.into(), ..Self::at(now, Outcome::Refused) }
    }

    /// Items that would not be taken in any more.
    #[must_use]
    pub fn lost(&self) -> usize {
        self.trials.iter().map(|trial| trial.vanish).sum()
    }

    /// One line for the log and the status.
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

    /// What keeps the new config from being used: the first fault with its place, or what would be lost.
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

    /// The same, while it does.
    pub(super) fn waits_for(&self) -> Option<String> {
        matches!(self.outcome, Outcome::Refused | Outcome::Held).then(|| self.obstacle())
    }
}

/// What the last reload came to; shared by all mills that take each other's place.
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
