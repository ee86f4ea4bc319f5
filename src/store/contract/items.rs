//! Articles: what is known of them, and how they come in, out and elsewhere.

use crate::model::{Article, Body, CategoryId, InfoCode, Item, SourceId, Timestamp};
use crate::store::{
    Act, AtPath, Basis, Change, Known, Move, Name, Past, Result, Retention, Sighting, Tombstone,
};

/// For who takes articles in and out, and for who asks about one.
#[expect(clippy::missing_errors_doc, reason = "the contract above says it for all verbs")]
pub trait Items: Send + Sync {
    /// What a source's names lead to, in their order: all that a document has to know of the store at once.
    fn known(&self, id: &SourceId, names: &[Name]) -> Result<Vec<Known>>;
    /// What stands of items now, to decide on, in their order.
    fn bases(&self, codes: &[InfoCode]) -> Result<Vec<Basis>>;
    /// One item's large part; empty for an item without one.
    fn body(&self, code: &InfoCode) -> Result<Body>;
    /// Which sources list an item.
    fn listings(&self, code: &InfoCode) -> Result<Vec<(SourceId, Sighting)>>;
    /// What happened to an item, and how it looked.
    fn past(&self, code: &InfoCode) -> Result<Past>;
    /// The forms of an item that were published or sealed before its present one, oldest first.
    fn versions(&self, code: &InfoCode) -> Result<Vec<Article>>;
    /// Items whose title or code contains `text`, newest first.
    fn find(&self, text: &str, limit: usize) -> Result<Vec<Item>>;
    /// What stands at a path without leading slash.
    fn at_path(&self, path: &str) -> Result<Option<AtPath>>;
    /// Up to `limit` paths after `after` that moved, and where to, in the order of their bytes.
    fn redirects(&self, after: &str, limit: usize) -> Result<Vec<(String, String)>>;

    /// Stores decided changes, some in a transaction, after their texts are durable. A change is stored only
    /// where all that it was decided on stands in that transaction: the item, its tombstone, its placement, the
    /// categories that it enters, and the claim of its poll. Gives the codes of those of which nothing is stored:
    /// their callers look at them and decide again.
    fn commit(&self, changes: Vec<Change>, now: Timestamp) -> Result<Vec<InfoCode>>;
    /// Does something to a stored item, where what it was decided on stands; `false` where not, or where it is so
    /// already.
    fn act(&self, code: &InfoCode, act: Act<'_>, now: Timestamp) -> Result<bool>;
    /// Takes up to `limit` items out of a category that `keep` does not keep; an item in no other
    /// category is erased, its tombstone stays; of another one the categories that it stays in change too, for it
    /// says where it is. Gives how many, so that the caller goes on until 0.
    fn sweep(&self, category: CategoryId, keep: Retention, limit: usize, now: Timestamp) -> Result<usize>;

    /// What stands of one item.
    fn basis(&self, code: &InfoCode) -> Result<Basis> {
        Ok(self.bases(std::slice::from_ref(code))?.pop().unwrap_or_default())
    }
    /// One item's small part.
    fn item(&self, code: &InfoCode) -> Result<Option<Item>> {
        Ok(self.basis(code)?.item)
    }
    /// Why an item is out, if it is.
    fn tombstone(&self, code: &InfoCode) -> Result<Option<Tombstone>> {
        Ok(self.basis(code)?.tombstone)
    }
    /// [`Act::Withdraw`].
    fn withdraw(&self, code: &InfoCode, tombstone: &Tombstone) -> Result<bool> {
        self.act(code, Act::Withdraw(tombstone), tombstone.at)
    }
    /// [`Act::Restore`].
    fn restore(&self, code: &InfoCode, tombstone: &Tombstone, why: &str, now: Timestamp) -> Result<bool> {
        self.act(code, Act::Restore { tombstone, why }, now)
    }
    /// [`Act::Move`].
    fn reroute(&self, code: &InfoCode, decided: &Move, now: Timestamp) -> Result<bool> {
        self.act(code, Act::Move(decided), now)
    }
}
