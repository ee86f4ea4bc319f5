//! Small records of others, and what hears of long work.

use serde::{Deserialize, Serialize};

use crate::store::{Result, StoreError};

/// Hears (steps done, steps in all, what is looked at) of long work on the whole store.
pub type Watch<'a> = &'a mut dyn FnMut(usize, usize, String);

/// Hears (done, in all) of an export in items, of an import in bytes.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

/// Bytes of a small record.
pub const MAX_RECORD: usize = 4_000;
/// Bytes of its key.
pub const MAX_RECORD_KEY: usize = 1_000;

/// What small records there are: each is one owner's alone. The number is that of the record on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum RecordKind {
    /// How far a webhook was told.
    Webhook = 1,
    /// A merge of categories that has begun and not ended, by the number of the first.
    Merge = 2,
    /// An item that an admin placed, by its code.
    Placement = 3,
    /// Until when a host wants to be asked by nobody (`Retry-After`), by its name and port; kept by the store.
    Host = 4,
}

impl RecordKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Webhook, Self::Merge, Self::Placement, Self::Host];

    /// Refuses a record that is too large, and one without a key.
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
