//! What changed, for who follows: publishers and webhooks.

use std::collections::BTreeSet;

use crate::model::{Category, CategoryId, Cursor, Item, Timestamp};
use crate::store::Result;

/// For who publishes what changed, or tells it.
///
/// Who asks what changed after a cursor, and then goes on from one that it had asked for before, misses
/// nothing, however late a change is stored; it may hear of one twice. An order is promised within a
/// category alone, and of the site only that its `changed_at` is the greatest of its categories.
#[expect(clippy::missing_errors_doc, reason = "the contract above says it for all verbs")]
pub trait Changes: Send + Sync {
    /// All that is stored by now.
    fn cursor(&self) -> Result<Cursor>;
    /// Categories (the site too) that changed after `after`: what a category publishes, or its name.
    fn changed_since(&self, after: &Cursor) -> Result<Vec<Category>>;
    /// About `limit` items whose last change came after `after` and not after `until`, in its order; and up to
    /// where these are all, which is `until` in the end.
    fn touched(&self, after: &Cursor, until: &Cursor, limit: usize) -> Result<(Vec<Item>, Cursor)>;
    /// The hundreds of a category that were sealed, or lost an item, after a generation of it.
    fn resealed_since(&self, category: CategoryId, generation: u64) -> Result<BTreeSet<u32>>;
    /// Remembers that all changes up to `upto` were published at `now`.
    fn mark_published(&self, upto: &Cursor, now: Timestamp) -> Result<()>;
    /// What was last given to [`Changes::mark_published`].
    fn published(&self) -> Result<Cursor>;
    /// When the outputs first showed a change, by what an item says of it; `None` before that, and for what was
    /// published too long ago to be remembered.
    fn published_at(&self, change: u64) -> Result<Option<Timestamp>>;
}
