//! Categories, and the lists of their items.

use crate::model::{Article, Category, CategoryId, InfoCode, Item, Slug, Timestamp};
use crate::store::{LogPage, Result, Window};

/// Categories and their lists, for callers that create or list them.
#[expect(clippy::missing_errors_doc, reason = "the contract above says it for all verbs")]
pub trait Categories: Send + Sync {
    /// Returns the category of this name or slug, and creates it if it is new. A given slug takes precedence
    /// over the pinyin of the name; a slug that another name has gets a suffix. A name given with a known slug
    /// becomes the category's name, unless the slug is that of a category merged into it.
    fn ensure_category(&self, name: &str, slug: Option<&Slug>, now: Timestamp) -> Result<Category>;
    /// Gives a category another name and slug. Its old name and slug keep resolving to it; the new ones must be
    /// free or its own.
    fn rename_category(&self, id: CategoryId, name: &str, slug: &Slug, now: Timestamp) -> Result<Category>;
    /// Merges one category into another: every name and slug of the first resolves to the second. The first has
    /// no items any more, and is in no list from then on.
    fn merge_category(&self, from: CategoryId, into: CategoryId, now: Timestamp) -> Result<()>;
    /// Makes an old slug resolve to the category.
    fn alias_category(&self, id: CategoryId, old_slug: &str) -> Result<()>;
    /// Returns the category that a slug, an old slug or a name resolves to.
    fn find_category(&self, slug_or_name: &str) -> Result<Option<Category>>;
    /// Returns the category with this id; [`CategoryId::SITE`] is the whole site.
    fn category(&self, id: CategoryId) -> Result<Option<Category>>;
    /// Returns all categories by slug, without the whole site.
    fn categories(&self) -> Result<Vec<Category>>;
    /// Returns all slugs that resolve to a category, old ones included.
    fn slugs(&self) -> Result<Vec<(String, CategoryId)>>;

    /// Returns a window of a category, newest first, without bodies.
    fn items_in(&self, category: CategoryId, window: Window) -> Result<Vec<Item>>;
    /// Returns the items of a category published from `from` until before `to`, oldest first.
    fn items_between(&self, category: CategoryId, from: Timestamp, to: Timestamp) -> Result<Vec<Item>>;
    /// Returns the items of a category with the arrival numbers `from..=to`, in that order (RULES 3.2). Returns
    /// none for the whole site, which counts arrivals but keeps no list of them:
    /// [`crate::store::Changes::touched`] walks all items.
    fn arrivals(&self, category: CategoryId, from: u32, to: u32) -> Result<Vec<Item>>;
    /// Returns the part of a category's log that is not sealed yet; every current document contains it (RULES
    /// 3.2).
    fn open_page(&self, category: CategoryId) -> Result<LogPage<Item>>;
    /// Returns a sealed hundred of a category, with its items as they were when it was sealed.
    fn sealed_page(&self, category: CategoryId, number: u32) -> Result<LogPage<Article>>;
    /// Returns the arrival number of an item in a category.
    fn arrival_of(&self, category: CategoryId, item: &Item) -> Result<Option<u32>>;
    /// Returns the neighbours of a position in a category's order of time, as (the next older, the next newer).
    /// No item needs to be at that position.
    fn neighbours(
        &self,
        category: CategoryId,
        at: (Timestamp, &InfoCode),
    ) -> Result<(Option<Item>, Option<Item>)>;
}
