//! Small records of other rooms, and callbacks for progress.

use serde::{Deserialize, Serialize};

use crate::store::{Result, StoreError};

/// Callback of long work on the whole store: (steps done, steps in all, current subject).
pub type Watch<'a> = &'a mut dyn FnMut(usize, usize, String);

/// Callback of progress, as (done, in all): items for an export, bytes for an import.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

/// Bytes of a small record's value, at most.
pub const MAX_RECORD: usize = 4_000;
/// Bytes of its key, at most.
pub const MAX_RECORD_KEY: usize = 1_000;

/// The kinds of small records; each has one owner. The number is the one on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum RecordKind {
    /// The cursor up to which a webhook was notified.
    Webhook = 1,
    /// A merge of categories in progress, by the number of the category that is merged.
    Merge = 2,
    /// An item that an admin placed, by its code.
    Placement = 3,
    /// Until when a host asked not to be polled (`Retry-After`), by its name and port; written by the store.
    Host = 4,
}

impl RecordKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Webhook, Self::Merge, Self::Placement, Self::Host];

    /// Checks the sizes of a record: returns an error if it is too large or has no key.
    pub(crate) fn fits(key: &[u8], value: &[u8]) -> Result<()> {
        let too_large = |bytes, limit| Err(StoreError::TooLarge { what: "record", bytes, limit });
        match (key.len(), value.len()) {
            (0, _) => Err(StoreError::Damaged { what: "record" }),
            (bytes, _) if bytes > MAX_RECORD_KEY => too_large(bytes, MAX_RECORD_KEY),
            (_, bytes) if bytes > MAX_RECORD => too_large(bytes, MAX_RECORD),
            _ => Ok(()),
        }
    }
}
