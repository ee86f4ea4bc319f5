//! Sources: a configured upstream, and what is remembered of it between polls.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::memory::{Memory, is_default};
use super::{Timestamp, Validators};

/// A source's immutable id, 1 to 64 of `[a-z0-9._-]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SourceId(String);

impl SourceId {
    /// `None` unless `text` is 1 to 64 of `[a-z0-9._-]` and begins with a letter or digit.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let good = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
            && text.starts_with(|c: char| c.is_ascii_alphanumeric());
        good.then(|| Self(text.to_owned()))
    }

    /// What stands for a source in items that were imported.
    #[must_use]
    pub fn import() -> Self {
        Self("import".to_owned())
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the store remembers of a source between polls. It is kept under its fields' names: a field
/// that is added later reads as its default from a record that lacks it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceState {
    /// Of the last document that was taken in whole (RULES 1.10).
    pub validators: Validators,
    /// When the next poll may start.
    pub next_poll: Timestamp,
    /// No poll at all before this: the upstream's own `Retry-After`.
    #[serde(skip_serializing_if = "is_default")]
    pub not_before: Timestamp,
    /// The host that its last poll asked, with its port; one that wants a pause is asked by none of its sources.
    #[serde(skip_serializing_if = "is_default")]
    pub host: String,
    /// When it was due before it was claimed for the poll that runs now; kept by the store.
    #[serde(skip_serializing_if = "is_default")]
    pub claimed: Option<Timestamp>,
    /// Grows with each claim: what a poll leaves counts only while its own claim is the last. Kept by the store.
    #[serde(skip_serializing_if = "is_default")]
    pub epoch: u64,
    /// Who claimed it, for people; kept by the store.
    #[serde(skip_serializing_if = "is_default")]
    pub claimed_by: String,
    /// The document that the poll which runs now brings may not be remembered as taken in; kept by the store.
    #[serde(skip_serializing_if = "is_default")]
    pub unread: bool,
    /// Polls in a row that ended because the process did; kept by the store.
    #[serde(skip_serializing_if = "is_default")]
    pub cut_off: u32,
    /// Why then, for people.
    pub why: String,
    /// When the last poll ended, whatever came of it.
    #[serde(skip_serializing_if = "is_default")]
    pub last_poll: Option<Timestamp>,
    /// When a poll last ended well.
    #[serde(skip_serializing_if = "is_default")]
    pub last_good: Option<Timestamp>,
    /// When a poll first ended well: what is older then entered as a newcomer's.
    #[serde(skip_serializing_if = "is_default")]
    pub first_good: Option<Timestamp>,
    /// Its first document is not taken in whole yet.
    #[serde(skip_serializing_if = "is_default")]
    pub arriving: bool,
    /// When the detail of an item is to be looked at again; a 304 must not hide it.
    #[serde(skip_serializing_if = "is_default")]
    pub next_check: Option<Timestamp>,
    /// Failed polls in a row.
    #[serde(skip_serializing_if = "is_default")]
    pub fails: u32,
    /// What the last failure said, at most 500 characters.
    #[serde(skip_serializing_if = "is_default")]
    pub last_error: Option<String>,
    /// Records that the last poll held back, each with its reason; at most 10 are kept.
    #[serde(skip_serializing_if = "is_default")]
    pub held: Vec<String>,
    /// What had to be repaired to read the last document, with its line; at most 10 are kept.
    #[serde(skip_serializing_if = "is_default")]
    pub repairs: Vec<String>,
    /// Bounds that cut what was read of the last document, for people; at most 5 are kept.
    #[serde(skip_serializing_if = "is_default")]
    pub cut: Vec<String>,
    /// Newspapers' names that wait for a decision (`categories.auto = "hold"`); at most 20.
    #[serde(skip_serializing_if = "is_default")]
    pub waiting_names: Vec<String>,
    /// Items ever taken in.
    #[serde(skip_serializing_if = "is_default")]
    pub items: u64,
    /// Title of the last document, at most 200 characters.
    #[serde(skip_serializing_if = "is_default")]
    pub title: String,
    /// What was learned of it.
    pub memory: Memory,
}

impl SourceState {
    /// The state of a source whose host wants a pause until then. Who polls it now ends first.
    #[must_use]
    pub fn resting(mut self, until: Timestamp) -> Self {
        if self.claimed.is_none() {
            self.next_poll = self.next_poll.max(until);
        }
        self.not_before = self.not_before.max(until);
        "its host asked for a pause".clone_into(&mut self.why);
        self
    }

    /// Forgets what would let an unchanged document pass unread: what is listed in it may be missing
    /// in the store.
    pub fn forget_document(&mut self) {
        self.validators = Validators::default();
        self.memory.validators_of = None;
        self.memory.body = None;
        // A poll that runs does not know of it.
        self.unread = self.claimed.is_some();
    }
}
