//! Small records of other rooms, and values of the store as a whole.

use std::collections::BTreeMap;

use crate::store::{RecordKind, Result};

/// Small records, for their owners, and the identity of the store.
#[expect(clippy::missing_errors_doc, reason = "the contract above says it for all verbs")]
pub trait Records: Send + Sync {
    /// Returns the value under a key.
    fn record(&self, kind: RecordKind, key: &[u8]) -> Result<Option<Vec<u8>>>;
    /// Returns up to `limit` records of a kind whose keys come after `after`, in the order of their bytes.
    fn records(&self, kind: RecordKind, after: &[u8], limit: usize) -> Result<Vec<(Vec<u8>, Vec<u8>)>>;
    /// Writes records in one transaction; `None` deletes one. A key has 1 to [`crate::store::MAX_RECORD_KEY`]
    /// bytes, a value at most [`crate::store::MAX_RECORD`].
    fn put_records(&self, kind: RecordKind, records: &[(Vec<u8>, Option<Vec<u8>>)]) -> Result<()>;
    /// Adds to counters.
    fn add_counts(&self, counts: &BTreeMap<String, u64>) -> Result<()>;
    /// Returns all counters.
    fn tallies(&self) -> Result<BTreeMap<String, u64>>;
    /// Checks a value that is set once and never changes again (RULES 3.3); with `set`, writes it if it is not
    /// set yet.
    fn fix(&self, key: &'static str, value: &str, set: bool) -> Result<()>;
    /// Returns what sinks need besides generations: a number unique to this store, so that outputs of another
    /// store are checked again; and how often a category was renamed, because names occur in the outputs of
    /// other categories too.
    fn identity(&self) -> Result<(u64, u64)>;
    /// Makes everything that was stored durable.
    fn sync(&self) -> Result<()>;
}
