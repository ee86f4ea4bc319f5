//! The place of a text, as records refer to it.

use crate::store::StoreError;
use crate::store::sled::database::{FORMAT, u32_at};

/// Bytes of a text before packing, at most.
pub(crate) const MAX_BODY: usize = 32 << 20;

/// The error for a text that is missing, or belongs to another item.
pub(crate) const DAMAGED: StoreError = StoreError::Damaged { what: "body" };

/// The place of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: u32,
    pub(crate) at: u32,
    /// Bytes of the whole frame.
    pub(crate) length: u32,
    /// Bytes of the text before packing.
    pub(crate) raw: u32,
}

impl Place {
    /// Bytes of a place in a record.
    pub(crate) const BYTES: usize = 16;
    /// The place of no text.
    pub(crate) const NONE: Self = Self { file: 0, at: 0, length: 0, raw: 0 };

    pub(crate) fn bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        for (part, number) in bytes.chunks_mut(4).zip([self.file, self.at, self.length, self.raw]) {
            part.copy_from_slice(&number.to_be_bytes());
        }
        bytes
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            file: u32_at(bytes, 0)?,
            at: u32_at(bytes, 4)?,
            length: u32_at(bytes, 8)?,
            raw: u32_at(bytes, 12)?,
        })
    }
}

/// Returns the place of the text in the record of an item or of a form (`records`).
pub(crate) fn named(value: &[u8]) -> Option<Place> {
    (value.first() == Some(&FORMAT)).then(|| Place::read(value.get(1..)?))?
}
