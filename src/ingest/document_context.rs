//! What is the same for all records of a document, and what its decisions come to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::decision::next_check;
use super::details::Detailed;
use super::options::IngestOptions;
use crate::model::Timestamp;
use crate::source::Source;
use crate::store::{Change, Sighting};

/// What the decisions about a document came to.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) inserted: usize,
    pub(super) updated: usize,
    pub(super) joined: usize,
    pub(super) unchanged: usize,
    pub(super) dropped: usize,
    /// What the rules were applied to, and what they did.
    pub(super) rule_hits: BTreeMap<String, u64>,
    pub(super) waiting: BTreeSet<String>,
    /// Records that broke something of ours.
    pub(super) broken: Vec<String>,
    /// The earliest look for corrections among the listed records.
    pub(super) next_check: Option<Timestamp>,
    /// The dates of records that are listed for the first time.
    pub(super) arrived: Vec<Option<Timestamp>>,
}

/// How far a source has come in (RULES 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// Its first document.
    First,
    /// The rest of what was there when it came, at this time.
    Going(Timestamp),
    /// All that comes is new.
    Done,
}

impl Counts {
    /// Notes the earliest look for corrections of a record.
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

/// What is the same for all records of one document.
#[derive(Debug, Clone)]
pub(super) struct DocumentContext {
    pub(super) source: Arc<Source>,
    /// The number of the claim that the poll has.
    pub(super) epoch: u64,
    pub(super) options: Arc<IngestOptions>,
    pub(super) arrival: Arrival,
    pub(super) now: Timestamp,
    /// The answer that is ingested: when, and its bytes.
    pub(super) answer: (Timestamp, u64),
}

/// A change with the record that it was made of: where something else stands when it is stored, the record is
/// decided on again.
#[derive(Debug)]
pub(super) struct DecidedChange {
    pub(super) change: Change,
    pub(super) detailed: Detailed,
}
