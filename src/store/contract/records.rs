//! Small things that others keep in the store, and what concerns it as a whole.

use std::collections::BTreeMap;

use crate::store::{RecordKind, Result};

/// For who keeps something small of their own, and for who asks what store it is.
#[expect(clippy::missing_errors_doc, reason = "the contract above says it for all verbs")]
pub trait Records: Send + Sync {
    /// What is kept under a key.
    fn record(&self, kind: RecordKind, key: &[u8]) -> Result<Option<Vec<u8>>>;
    /// Up to `limit` records of a kind whose keys come after `after`, in the order of their bytes.
    fn records(&self, kind: RecordKind, after: &[u8], limit: usize) -> Result<Vec<(Vec<u8>, Vec<u8>)>>;
    /// Keeps records, in one transaction; `None` takes one away. A key has 1 to [`crate::store::MAX_RECORD_KEY`]
    /// bytes, a value [`crate::store::MAX_RECORD`] at the most.
    fn put_records(&self, kind: RecordKind, records: &[(Vec<u8>, Option<Vec<u8>>)]) -> Result<()>;
    /// Adds to counters.
    fn add_counts(&self, counts: &BTreeMap<String, u64>) -> Result<()>;
    /// All counters.
    fn tallies(&self) -> Result<BTreeMap<String, u64>>;
    /// Checks a value that is set once and never changes again (RULES 3.3); `set` sets it where
    /// it is not set yet.
    fn fix(&self, key: &'static str, value: &str, set: bool) -> Result<()>;
    /// What sinks have to know beside generations: a number that no other store has, so that the
    /// outputs of another one are looked at again; and how often a category was renamed, for
    /// names stand in the outputs of other categories too.
    fn identity(&self) -> Result<(u64, u64)>;
    /// Makes all that was stored durable.
    fn sync(&self) -> Result<()>;
}
