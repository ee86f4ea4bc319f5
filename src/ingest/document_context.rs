//! The context that all records of a document share, and the counts of its decisions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::decision::next_check;
use super::details::Detailed;
use super::options::IngestOptions;
use crate::model::Timestamp;
use crate::source::Source;
use crate::store::{Change, Sighting};

/// Counts of the decisions on a document.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) inserted: usize,
    pub(super) updated: usize,
    pub(super) joined: usize,
    pub(super) unchanged: usize,
    pub(super) dropped: usize,
    /// Counters of the rules: items they were applied to, and hits.
    pub(super) rule_hits: BTreeMap<String, u64>,
    pub(super) waiting: BTreeSet<String>,
    /// Records whose processing panicked.
    pub(super) broken: Vec<String>,
    /// The earliest check for corrections of the listed records.
    pub(super) next_check: Option<Timestamp>,
    /// Dates of records that are listed for the first time.
    pub(super) arrived: Vec<Option<Timestamp>>,
}

/// The stage of a new source's first items (RULES 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// Its first document.
    First,
    /// The rest of its first items; the source was first read at this time.
    Going(Timestamp),
    /// All further items are new.
    Done,
}

impl Counts {
    /// Notes the earliest check for corrections of a record.
    pub(super) fn note_check(&mut self, sighting: Option<&Sighting>) {
        if let Some(next) = sighting.and_then(next_check) {
            self.note_time(next);
        }
    }

    /// Notes a time from which the source is to be read whole again.
    pub(super) fn note_time(&mut self, next: Timestamp) {
        self.next_check = Some(self.next_check.map_or(next, |known| known.min(next)));
    }
}

/// The context that all records of one document share.
#[derive(Debug, Clone)]
pub(super) struct DocumentContext {
    pub(super) source: Arc<Source>,
    /// The epoch of the poll's claim.
    pub(super) epoch: u64,
    pub(super) options: Arc<IngestOptions>,
    pub(super) arrival: Arrival,
    pub(super) now: Timestamp,
    /// The answer that is ingested: its time, and its length in bytes.
    pub(super) answer: (Timestamp, u64),
}

/// A change with the record it was made from: where the stored item has changed before the commit, the record
/// is decided on again.
#[derive(Debug)]
pub(super) struct DecidedChange {
    pub(super) change: Change,
    pub(super) detailed: Detailed,
}
