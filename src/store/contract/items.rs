//! Articles: reading them, storing changes of them, withdrawing and moving them.

use crate::model::{Article, Body, CategoryId, InfoCode, Item, SourceId, Timestamp};
use crate::store::{
    Act, AtPath, Basis, Change, Known, Move, Name, Past, Result, Retention, Sighting, Tombstone,
};

/// Articles, for callers that store, withdraw or read them.
#[expect(clippy::missing_errors_doc, reason = "the contract above says it for all verbs")]
pub trait Items: Send + Sync {
    /// Resolves a source's names, in their order: all that decisions about a document need to read, in one
    /// call.
    fn known(&self, id: &SourceId, names: &[Name]) -> Result<Vec<Known>>;
    /// Returns the current basis of each item for a decision, in their order.
    fn bases(&self, codes: &[InfoCode]) -> Result<Vec<Basis>>;
    /// Returns the body of an item; empty for an item without one.
    fn body(&self, code: &InfoCode) -> Result<Body>;
    /// Returns which sources list an item.
    fn listings(&self, code: &InfoCode) -> Result<Vec<(SourceId, Sighting)>>;
    /// Returns the events and revisions of an item.
    fn past(&self, code: &InfoCode) -> Result<Past>;
    /// Returns the forms of an item that were published or sealed before its present one, oldest first.
    fn versions(&self, code: &InfoCode) -> Result<Vec<Article>>;
    /// Returns items whose title or code contains `text`, newest first.
    fn find(&self, text: &str, limit: usize) -> Result<Vec<Item>>;
    /// Returns the article or the redirect at a path without leading slash.
    fn at_path(&self, path: &str) -> Result<Option<AtPath>>;
    /// Returns up to `limit` redirects as (old path, new path), of paths after `after`, in the order of their
    /// bytes.
    fn redirects(&self, after: &str, limit: usize) -> Result<Vec<(String, String)>>;

    /// Stores decided changes, several in a transaction, after their texts are durable.
    ///
    /// A change is stored only if everything it was decided on is unchanged in that transaction: the item, its
    /// tombstone, its placement, the categories that it enters, and the claim of its poll. Returns the codes of
    /// the changes that were refused as a whole; the caller reads their bases again and decides anew.
    fn commit(&self, changes: Vec<Change>, now: Timestamp) -> Result<Vec<InfoCode>>;
    /// Applies an act to a stored item if what it was decided on is unchanged; returns `false` if it is not, or
    /// if the act would change nothing.
    fn act(&self, code: &InfoCode, act: Act<'_>, now: Timestamp) -> Result<bool>;
    /// Removes up to `limit` items that `keep` does not keep from a category, and returns their number, so that
    /// the caller repeats the call until it returns 0.
    ///
    /// An item in no other category is erased and its tombstone stays. For an item in other categories, these
    /// count as changed too, because the item names its categories.
    fn sweep(&self, category: CategoryId, keep: Retention, limit: usize, now: Timestamp) -> Result<usize>;

    /// Returns the basis of one item.
    fn basis(&self, code: &InfoCode) -> Result<Basis> {
        Ok(self.bases(std::slice::from_ref(code))?.pop().unwrap_or_default())
    }
    /// Returns the record of one item, without its body.
    fn item(&self, code: &InfoCode) -> Result<Option<Item>> {
        Ok(self.basis(code)?.item)
    }
    /// Returns the tombstone of an item, if it has one.
    fn tombstone(&self, code: &InfoCode) -> Result<Option<Tombstone>> {
        Ok(self.basis(code)?.tombstone)
    }
    /// Applies [`Act::Withdraw`].
    fn withdraw(&self, code: &InfoCode, tombstone: &Tombstone) -> Result<bool> {
        self.act(code, Act::Withdraw(tombstone), tombstone.at)
    }
    /// Applies [`Act::Restore`].
    fn restore(&self, code: &InfoCode, tombstone: &Tombstone, why: &str, now: Timestamp) -> Result<bool> {
        self.act(code, Act::Restore { tombstone, why }, now)
    }
    /// Applies [`Act::Move`].
    fn reroute(&self, code: &InfoCode, decided: &Move, now: Timestamp) -> Result<bool> {
        self.act(code, Act::Move(decided), now)
    }
}
