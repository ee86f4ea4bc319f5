//! Changes, for the consumers that follow them: publishers and webhooks.

use std::collections::BTreeSet;

use crate::model::{Category, CategoryId, Cursor, Item, Timestamp};
use crate::store::Result;

/// Changes, for callers that publish them or report them.
///
/// A consumer that asks for the changes after a cursor, and then continues from a cursor that it requested
/// beforehand, misses nothing, however late a change is stored; it may see a change twice. Order is guaranteed
/// only within a category; for the site, only that its `changed_at` is the greatest of its categories.
#[expect(clippy::missing_errors_doc, reason = "the contract above says it for all verbs")]
pub trait Changes: Send + Sync {
    /// Returns the cursor of everything stored so far.
    fn cursor(&self) -> Result<Cursor>;
    /// Returns the categories (the site included) whose published content or name changed after `after`.
    fn changed_since(&self, after: &Cursor) -> Result<Vec<Category>>;
    /// Returns about `limit` items whose last change is after `after` and not after `until`, in the order of
    /// their changes, and the cursor up to which the result is complete; the last batch returns `until`.
    fn touched(&self, after: &Cursor, until: &Cursor, limit: usize) -> Result<(Vec<Item>, Cursor)>;
    /// Returns the hundreds of a category that were sealed or changed after one of its generations.
    fn resealed_since(&self, category: CategoryId, generation: u64) -> Result<BTreeSet<u32>>;
    /// Records that all changes up to `upto` were published at `now`.
    fn mark_published(&self, upto: &Cursor, now: Timestamp) -> Result<()>;
    /// Returns the cursor last passed to [`Changes::mark_published`].
    fn published(&self) -> Result<Cursor>;
    /// Returns when the outputs first showed a change, given by its number in an item; `None` if they have not
    /// yet. Only recent times are kept: an older change gets the oldest of them.
    fn published_at(&self, change: u64) -> Result<Option<Timestamp>>;
}
