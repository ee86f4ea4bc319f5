//! How far somebody has followed what changes.

use serde::{Deserialize, Serialize};

use super::CategoryId;

/// How far somebody has followed what changes, to be kept as it is and given back. The beginning by default.
///
/// What it holds is the backend's own: here one number for all, since one process writes; where several do, what it
/// needs of each category. So nobody outside can rely on an order over all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(u64);

impl Cursor {
    /// All that was stored under this number and before; for backends of the store.
    pub(crate) fn at(generation: u64) -> Self {
        Self(generation)
    }

    /// That number; for backends of the store.
    pub(crate) fn generation(&self) -> u64 {
        self.0
    }

    /// Whether what an item or a category says of its last change ([`super::Item::touched`]) comes no
    /// later.
    #[must_use]
    pub fn covers(&self, change: u64) -> bool {
        change <= self.0
    }

    /// Whether it has followed further than another one.
    #[must_use]
    pub fn is_beyond(&self, other: &Self) -> bool {
        self.0 > other.0
    }

    /// The generation of a category that it has followed.
    #[must_use]
    pub fn of_category(&self, _: CategoryId) -> u64 {
        self.0
    }

    /// As a small record keeps it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_be_bytes().to_vec()
    }

    /// What [`Cursor::to_bytes`] gave; `None` for anything else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(u64::from_be_bytes).map(Self)
    }
}
