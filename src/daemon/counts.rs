//! Counts of what polls brought, by source, since the process began.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::ingest::PollReport;
use crate::model::http::Unchanged;
use crate::model::{SourceId, Timestamp};

/// The counts of one source.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    /// Polls by outcome: `error`, `unmodified` or `document`.
    pub(super) polls: BTreeMap<&'static str, u64>,
    /// Failures by kind.
    pub(super) errors: BTreeMap<String, u64>,
    /// Records by decision.
    pub(super) decisions: BTreeMap<&'static str, u64>,
    /// When a poll last inserted an item.
    pub(super) last_new: Option<Timestamp>,
}

/// The counts of all sources.
#[derive(Debug, Default)]
pub(super) struct PollCounts(Mutex<BTreeMap<SourceId, Counts>>);

impl PollCounts {
    /// Adds the report of a poll that has ended.
    pub(super) fn add(&self, source: &SourceId, report: &PollReport, now: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = all.entry(source.clone()).or_default();
        let outcome = match (&report.error, report.unchanged_by) {
            (Some(_), _) => "error",
            (None, Some(Unchanged::NotModified)) => "unmodified",
            (None, Some(Unchanged::SameBytes)) => "same_bytes",
            (None, Some(Unchanged::Empty)) => "empty",
            (None, None) => "document",
        };
        *counts.polls.entry(outcome).or_default() += 1;
        if let Some(kind) = &report.error_kind {
            *counts.errors.entry(kind.clone()).or_default() += 1;
        }
        for (decision, count) in [
            ("inserted", report.inserted),
            ("updated", report.updated),
            ("joined", report.joined),
            ("unchanged", report.unchanged),
            ("held", report.held),
            ("dropped", report.dropped),
            ("withdrawn", report.withdrawn),
        ] {
            *counts.decisions.entry(decision).or_default() += count as u64;
        }
        if report.inserted > 0 {
            counts.last_new = Some(now);
        }
    }

    /// Returns the counts of one source.
    pub(super) fn of(&self, source: &SourceId) -> Counts {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(source).cloned().unwrap_or_default()
    }
}
