//! Cursors: positions in the sequence of changes.

use serde::{Deserialize, Serialize};

use super::CategoryId;

/// A position in the sequence of changes, which callers store and pass back unchanged; by default the
/// beginning.
///
/// Its contents are the backend's own: here one number for all categories, since one process writes; a backend
/// with several writers may need one for each category. So callers must not rely on an order across categories.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(u64);

impl Cursor {
    /// Creates the cursor after all changes up to this generation; for backends of the store.
    pub(crate) fn at(generation: u64) -> Self {
        Self(generation)
    }

    /// Returns the generation of the cursor; for backends of the store.
    pub(crate) fn generation(&self) -> u64 {
        self.0
    }

    /// Returns whether the last change of an item ([`super::Item::touched`]) is not after this cursor.
    #[must_use]
    pub fn covers(&self, change: u64) -> bool {
        change <= self.0
    }

    /// Returns whether this cursor is after another one.
    #[must_use]
    pub fn is_beyond(&self, other: &Self) -> bool {
        self.0 > other.0
    }

    /// Returns the generation up to which the cursor covers a category.
    #[must_use]
    pub fn of_category(&self, _: CategoryId) -> u64 {
        self.0
    }

    /// Returns the bytes of the cursor, for small records.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_be_bytes().to_vec()
    }

    /// Reads the bytes of [`Cursor::to_bytes`]; `None` for anything else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(u64::from_be_bytes).map(Self)
    }
}
