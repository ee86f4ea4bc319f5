//! Sources: configured upstreams, and their state between polls.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::memory::{Memory, is_default};
use super::{Timestamp, Validators};

/// A source's immutable id, 1 to 64 of `[a-z0-9._-]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SourceId(String);

impl SourceId {
    /// Creates an id; `None` unless `text` is 1 to 64 of `[a-z0-9._-]` and begins with a letter or digit.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let good = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
            && text.starts_with(|c: char| c.is_ascii_alphanumeric());
        good.then(|| Self(text.to_owned()))
    }

    /// Returns the id that imported items have as their source.
    #[must_use]
    pub fn import() -> Self {
        Self("import".to_owned())
    }

    /// Returns the id as text.
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

/// The state of a source between polls. It is stored with its fields' names: a field that is added later
/// reads as its default from a record that lacks it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceState {
    /// Validators of the last document whose items were all stored (RULES 1.10).
    pub validators: Validators,
    /// Time at which the next poll may start.
    pub next_poll: Timestamp,
    /// Time before which no poll may start: the upstream's own `Retry-After`.
    #[serde(skip_serializing_if = "is_default")]
    pub not_before: Timestamp,
    /// The host of its last poll, with its port; a pause that it asks for applies to all its sources.
    #[serde(skip_serializing_if = "is_default")]
    pub host: String,
    /// Time at which it was due before it was claimed for the running poll; set by the store.
    #[serde(skip_serializing_if = "is_default")]
    pub claimed: Option<Timestamp>,
    /// Number of the last claim: a poll's result counts only if its own claim is the last. Set by the store.
    #[serde(skip_serializing_if = "is_default")]
    pub epoch: u64,
    /// Owner of the claim, for people; set by the store.
    #[serde(skip_serializing_if = "is_default")]
    pub claimed_by: String,
    /// Whether the document of the running poll must not be remembered as stored; set by the store.
    #[serde(skip_serializing_if = "is_default")]
    pub unread: bool,
    /// Number of consecutive polls that ended because the process did; set by the store.
    #[serde(skip_serializing_if = "is_default")]
    pub cut_off: u32,
    /// Reason for the time of the next poll, for people.
    pub why: String,
    /// Time at which the last poll ended, successful or not.
    #[serde(skip_serializing_if = "is_default")]
    pub last_poll: Option<Timestamp>,
    /// Time at which a poll last succeeded.
    #[serde(skip_serializing_if = "is_default")]
    pub last_good: Option<Timestamp>,
    /// Time at which a poll first succeeded; items older than that are treated as those of a new source.
    #[serde(skip_serializing_if = "is_default")]
    pub first_good: Option<Timestamp>,
    /// Whether items of its first document are still to be stored.
    #[serde(skip_serializing_if = "is_default")]
    pub arriving: bool,
    /// Time at which the detail of an item must be fetched again, even after a 304.
    #[serde(skip_serializing_if = "is_default")]
    pub next_check: Option<Timestamp>,
    /// Number of consecutive failed polls.
    #[serde(skip_serializing_if = "is_default")]
    pub fails: u32,
    /// Message of the last failure, at most 500 characters.
    #[serde(skip_serializing_if = "is_default")]
    pub last_error: Option<String>,
    /// Records that the last poll held back, each with its reason; at most 10.
    #[serde(skip_serializing_if = "is_default")]
    pub held: Vec<String>,
    /// Repairs that were needed to read the last document, each with its line; at most 10.
    #[serde(skip_serializing_if = "is_default")]
    pub repairs: Vec<String>,
    /// Bounds that cut what was read of the last document, for people; at most 5 are kept.
    #[serde(skip_serializing_if = "is_default")]
    pub cut: Vec<String>,
    /// Newspapers' names that wait for a decision (`categories.auto = "hold"`); at most 20.
    #[serde(skip_serializing_if = "is_default")]
    pub waiting_names: Vec<String>,
    /// Number of items ever stored.
    #[serde(skip_serializing_if = "is_default")]
    pub items: u64,
    /// Title of the last document, at most 200 characters.
    #[serde(skip_serializing_if = "is_default")]
    pub title: String,
    /// What was learned about it.
    pub memory: Memory,
}

impl SourceState {
    /// Returns the state of a source whose host asked for a pause until then. A running poll ends first.
    #[must_use]
    pub fn resting(mut self, until: Timestamp) -> Self {
        if self.claimed.is_none() {
            self.next_poll = self.next_poll.max(until);
        }
        self.not_before = self.not_before.max(until);
        "its host asked for a pause".clone_into(&mut self.why);
        self
    }

    /// Clears the validators and the body's hash, so that an unchanged document is read again: items in it
    /// may be missing in the store.
    pub fn forget_document(&mut self) {
        self.validators = Validators::default();
        self.memory.validators_of = None;
        self.memory.body = None;
        // A running poll started before this and must not restore them.
        self.unread = self.claimed.is_some();
    }
}
