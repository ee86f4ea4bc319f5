//! Where a text is, as records name it.

use crate::store::StoreError;
use crate::store::sled::database::{FORMAT, u32_at};

/// Largest text that a record may claim, in bytes before it is packed.
pub(crate) const MAX_BODY: usize = 32 << 20;

/// A text that is missing, or another one.
pub(crate) const DAMAGED: StoreError = StoreError::Damaged { what: "body" };

/// Where a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: u32,
    pub(crate) at: u32,
    /// Bytes of the whole frame.
    pub(crate) length: u32,
    /// Bytes of the text before it was packed.
    pub(crate) raw: u32,
}

impl Place {
    /// Bytes of a place in a record.
    pub(crate) const BYTES: usize = 16;
    /// Of no text.
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

/// The place of a text that a record names, an item's or that of a form (`records`).
pub(crate) fn named(value: &[u8]) -> Option<Place> {
    (value.first() == Some(&FORMAT)).then(|| Place::read(value.get(1..)?))?
}
