//! What changed, for who follows: publishers and webhooks.

use std::collections::BTreeSet;

use crate::model::{Category, CategoryId, Item, Timestamp};
use crate::store::Result;

/// For who publishes what changed, or tells it.
#[expect(clippy::missing_errors_doc, reason = "the contract above says it for all verbs")]
pub trait Changes: Send + Sync {
    /// The newest generation: grows with every change of what any category publishes.
    fn generation(&self) -> Result<u64>;
    /// Categories (the site too) whose generation is above `generation`, in its order.
    fn changed_since(&self, generation: u64) -> Result<Vec<Category>>;
    /// Items changed after `generation`, in the order of [`Item::touched`], about `limit`: those
    /// of one commit share a number and are never cut apart.
    fn touched_since(&self, generation: u64, limit: usize) -> Result<Vec<Item>>;
    /// The hundreds of a category that were sealed, or lost an item, after `generation`.
    fn resealed_since(&self, category: CategoryId, generation: u64) -> Result<BTreeSet<u32>>;
    /// Remembers that all changes up to `generation` were published at `now`.
    fn mark_published(&self, generation: u64, now: Timestamp) -> Result<()>;
    /// The generation last given to [`Changes::mark_published`].
    fn published_generation(&self) -> Result<u64>;
    /// When the outputs first showed what was committed under `generation`; `None` before that,
    /// and for what was published too long ago to be remembered.
    fn published_at(&self, generation: u64) -> Result<Option<Timestamp>>;
}
