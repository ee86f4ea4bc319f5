//! Categories, and the lists of their items.

use crate::model::{Article, Category, CategoryId, InfoCode, Item, Slug, Timestamp};
use crate::store::{LogPage, Result, Window};

/// For who makes categories, and for who lists what is in them.
#[expect(clippy::missing_errors_doc, reason = "the contract above says it for all verbs")]
pub trait Categories: Send + Sync {
    /// The category of this name or slug, made if it is new. A slug given wins over the name's
    /// pinyin; a slug taken by another name gets a suffix. A name given with a slug is the category's name from
    /// then on, but for a slug of one that was merged into it.
    fn ensure_category(&self, name: &str, slug: Option<&Slug>, now: Timestamp) -> Result<Category>;
    /// Gives a category another name and slug; those that it had go on leading to it. Both must be free
    /// or its own.
    fn rename_category(&self, id: CategoryId, name: &str, slug: &Slug, now: Timestamp) -> Result<Category>;
    /// Lets all that leads to one category lead to another; the first has no items any more, and is
    /// in no list from then on.
    fn merge_category(&self, from: CategoryId, into: CategoryId, now: Timestamp) -> Result<()>;
    /// Lets an old slug lead to the category.
    fn alias_category(&self, id: CategoryId, old_slug: &str) -> Result<()>;
    /// The category that a slug, an old slug or a name leads to.
    fn find_category(&self, slug_or_name: &str) -> Result<Option<Category>>;
    /// One category; the whole site has one too.
    fn category(&self, id: CategoryId) -> Result<Option<Category>>;
    /// All categories by slug, without the whole site.
    fn categories(&self) -> Result<Vec<Category>>;
    /// All slugs that lead to a category, its old ones among them.
    fn slugs(&self) -> Result<Vec<(String, CategoryId)>>;

    /// A window of a category, without bodies.
    fn items_in(&self, category: CategoryId, window: Window) -> Result<Vec<Item>>;
    /// Items of a category published from `from` until before `to`, oldest first.
    fn items_between(&self, category: CategoryId, from: Timestamp, to: Timestamp) -> Result<Vec<Item>>;
    /// Items with arrival numbers `from..=to` of a category, in that order (RULES 3.2); none of the whole
    /// site, which counts what came and keeps no list of it: [`crate::store::Changes::touched`] walks all
    /// items.
    fn arrivals(&self, category: CategoryId, from: u32, to: u32) -> Result<Vec<Item>>;
    /// What of a category is not sealed yet: every current document holds it (RULES 3.2).
    fn open_page(&self, category: CategoryId) -> Result<LogPage<Item>>;
    /// A sealed hundred of a category, its items in the form that they had when it was sealed.
    fn sealed_page(&self, category: CategoryId, number: u32) -> Result<LogPage<Article>>;
    /// The arrival number of an item in a category.
    fn arrival_of(&self, category: CategoryId, item: &Item) -> Result<Option<u32>>;
    /// The neighbours in a category of a place in the order of time, whether an item stands there or not: (the
    /// next older, the next newer).
    fn neighbours(
        &self,
        category: CategoryId,
        at: (Timestamp, &InfoCode),
    ) -> Result<(Option<Item>, Option<Item>)>;
}
