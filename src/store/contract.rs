//! The contract: what every backend keeps, whichever engine is under it.

use std::collections::{BTreeMap, BTreeSet};

use super::error::Result;
use super::types::{
    Alias, AtPath, Basis, Change, Claim, Claimed, Event, LogPage, Move, PollResult, Retention, Revision,
    Sighting, SourceRecord, Tombstone, Window,
};
use crate::model::{
    Article, Body, Category, CategoryId, InfoCode, Item, Slug, SourceId, SourceState, Timestamp,
};

/// The bookmark of an item that an admin placed.
pub(crate) fn placed(code: &InfoCode) -> String {
    format!("placed {}", code.text(None))
}

/// The verbs of the store.
///
/// **Atomicity**: a [`Change`] is stored whole or not at all, with its indexes and the
/// generations of the categories it touches. A commit of several changes may be cut between
/// two of them. **Order**: changes are stored in the order given; a category's generation and
/// arrival numbers only grow. **Durability**: what was committed survives a crash of the
/// process; it survives a power cut once [`Store::complete`] or [`Store::sync`] has returned
/// after it. **Threads**: all verbs may be called from any thread; they block, so async callers
/// go through [`super::Handle`]. Each may run beside every other: what was decided on something else than what
/// stands is refused, and no caller needs a lock.
/// **Errors**: any verb may fail with [`super::StoreError::Backend`]; nothing of that change is then
/// stored.
#[expect(clippy::missing_errors_doc, reason = "the contract above says it for all verbs")]
pub trait Store: Send + Sync {
    /// Makes sure that every source has a state; new ones are due at `now`.
    fn register(&self, sources: &[SourceId], now: Timestamp) -> Result<()>;
    /// Claims up to `limit` sources that are due at `now`, for `lease` seconds: nobody else gets them until the
    /// claim is completed or the lease is over.
    fn claim_due(&self, by: &str, now: Timestamp, limit: usize, lease: i64) -> Result<Vec<Claim>>;
    /// Claims these sources, due or not; of each what became of it, in their order.
    fn claim(&self, by: &str, ids: &[SourceId], now: Timestamp, lease: i64) -> Result<Vec<Claimed>>;
    /// Lets a claim go on until `until`; `false` where it is not the last one any more.
    fn renew(&self, id: &SourceId, epoch: u64, until: Timestamp) -> Result<bool>;
    /// Gives back what was claimed for polls that nobody runs any more, all but those of `running`: the
    /// sources are due as they were, and after a third poll in a row that was cut off a while later.
    /// Gives how many there were. For the start of a process, and for after a failure of the store.
    fn release(&self, running: &[SourceId], now: Timestamp) -> Result<usize>;
    /// When the next source is due.
    fn next_due(&self) -> Result<Option<Timestamp>>;
    /// Sources that are due at `time` or later, in the order of their time.
    fn due_from(&self, time: Timestamp) -> Result<Vec<SourceId>>;
    /// Ends polls: each source's state, its due time and newly void guids, durable on return; their claims end.
    /// Of a poll whose claim is not the last one any more nothing is stored. Gives those. Many at once are
    /// cheaper than one after the other ([`super::Handle::complete`]); a failure may come between two of them.
    fn complete(&self, results: &[PollResult]) -> Result<Vec<SourceId>>;
    /// One source's state; the default for one never seen. One that cannot be read is as new, and says so.
    fn source(&self, id: &SourceId) -> Result<SourceState>;
    /// All sources ever seen, by id.
    fn sources(&self) -> Result<Vec<SourceRecord>>;
    /// Which of these guid hashes are void for the source (RULES 1.7).
    fn void_guids(&self, id: &SourceId, guids: &[[u8; 16]]) -> Result<Vec<bool>>;

    /// What the source's listing of each code was; `None` for one it never listed.
    fn sightings(&self, id: &SourceId, codes: &[InfoCode]) -> Result<Vec<Option<Sighting>>>;
    /// The item that an alias leads to within the source.
    fn aliased(&self, id: &SourceId, alias: Alias) -> Result<Option<InfoCode>>;
    /// One item's small part.
    fn item(&self, code: &InfoCode) -> Result<Option<Item>>;
    /// One item's large part; empty for an item without one.
    fn body(&self, code: &InfoCode) -> Result<Body>;
    /// How the item looked before, oldest first.
    fn revisions(&self, code: &InfoCode) -> Result<Vec<Revision>>;
    /// Which sources list the item.
    fn listings(&self, code: &InfoCode) -> Result<Vec<(SourceId, Sighting)>>;
    /// The item's story, oldest first; of a long one the last 64 events.
    fn history(&self, code: &InfoCode) -> Result<Vec<Event>>;
    /// What stands of an item now, to decide on.
    fn basis(&self, code: &InfoCode) -> Result<Basis>;
    /// Stores decided changes, some in a transaction, after their texts are durable. A change is stored only
    /// where all that it was decided on stands in that transaction: the item, its tombstone, its placement, the
    /// categories that it enters, and the claim of its poll. Gives the codes of those of which nothing is stored: their callers
    /// look at them and decide again.
    fn commit(&self, changes: Vec<Change>, now: Timestamp) -> Result<Vec<InfoCode>>;
    /// Takes an item out of all its categories and leaves a tombstone; with `erased` its item,
    /// body and revisions go too. What an admin takes out stays out, also where a rule or a source had done so
    /// before. `false` when there is no such item, or it is out already.
    fn withdraw(&self, code: &InfoCode, tombstone: &Tombstone) -> Result<bool>;
    /// Puts an item that was withdrawn so back into its categories, as newly arrived; `false` when it is
    /// not withdrawn, withdrawn otherwise, or erased.
    fn restore(&self, code: &InfoCode, tombstone: &Tombstone, why: &str, now: Timestamp) -> Result<bool>;
    /// Moves an item: it leaves the categories that are not those of the move, of which readers are told,
    /// and enters the others. `false` when it is in just these, or is not where the move found it.
    fn reroute(&self, code: &InfoCode, decided: &Move, now: Timestamp) -> Result<bool>;
    /// Whether an admin placed it: nothing else moves it, or adds it to a category.
    fn is_placed(&self, code: &InfoCode) -> Result<bool> {
        Ok(self.bookmark(&placed(code))?.is_some())
    }
    /// How far somebody got with what was published; `None` for one never seen.
    fn bookmark(&self, name: &str) -> Result<Option<u64>>;
    /// Remembers it.
    fn set_bookmark(&self, name: &str, generation: u64) -> Result<()>;
    /// Adds to counters.
    fn tally(&self, counts: &BTreeMap<String, u64>) -> Result<()>;
    /// All counters.
    fn tallies(&self) -> Result<BTreeMap<String, u64>>;
    /// Why an item is out, if it is.
    fn tombstone(&self, code: &InfoCode) -> Result<Option<Tombstone>>;
    /// Takes up to `limit` items out of a category that `keep` does not keep; an item in no other
    /// category is erased, its tombstone stays. Gives how many, so that the caller goes on until 0.
    fn sweep(&self, category: CategoryId, keep: Retention, limit: usize, now: Timestamp) -> Result<usize>;
    /// Makes all that was committed durable.
    fn sync(&self) -> Result<()>;

    /// The category of this name or slug, made if it is new. A slug given wins over the name's
    /// pinyin; a slug taken by another name gets a suffix. A name given with a slug is the category's name from
    /// then on, but for a slug of one that was merged into it.
    fn ensure_category(&self, name: &str, slug: Option<&Slug>, now: Timestamp) -> Result<Category>;
    /// The category that a slug, an old slug or a name leads to.
    fn find_category(&self, slug_or_name: &str) -> Result<Option<Category>>;
    /// Gives a category another name and slug; those that it had go on leading to it. Both must be free
    /// or its own.
    fn rename_category(&self, id: CategoryId, name: &str, slug: &Slug, now: Timestamp) -> Result<Category>;
    /// Lets all that leads to one category lead to another; the first has no items any more, and is
    /// in no list from then on.
    fn merge_category(&self, from: CategoryId, into: CategoryId, now: Timestamp) -> Result<()>;
    /// Lets an old slug lead to the category.
    fn alias_category(&self, id: CategoryId, old_slug: &str) -> Result<()>;
    /// All slugs that lead to a category, its old ones among them.
    fn slugs(&self) -> Result<Vec<(String, CategoryId)>>;
    /// One category; the whole site has one too.
    fn category(&self, id: CategoryId) -> Result<Option<Category>>;
    /// All categories by slug, without the whole site.
    fn categories(&self) -> Result<Vec<Category>>;
    /// Categories (the site too) whose generation is above `generation`, in its order.
    fn changed_since(&self, generation: u64) -> Result<Vec<Category>>;
    /// A window of a category, without bodies.
    fn items_in(&self, category: CategoryId, window: Window) -> Result<Vec<Item>>;
    /// Items of a category published from `from` until before `to`, oldest first.
    fn items_between(&self, category: CategoryId, from: Timestamp, to: Timestamp) -> Result<Vec<Item>>;
    /// Items with arrival numbers `from..=to` of a category, in that order (RULES 3.2); none of the whole
    /// site, which counts what came and keeps no list of it: [`Store::touched_since`] walks all items.
    fn arrivals(&self, category: CategoryId, from: u32, to: u32) -> Result<Vec<Item>>;
    /// What of a category is not sealed yet: every current document holds it (RULES 3.2).
    fn open_page(&self, category: CategoryId) -> Result<LogPage<Item>>;
    /// A sealed hundred of a category, its items in the form that they had when it was sealed.
    fn sealed_page(&self, category: CategoryId, number: u32) -> Result<LogPage<Article>>;
    /// The hundreds of a category that were sealed, or lost an item, after `generation`.
    fn resealed_since(&self, category: CategoryId, generation: u64) -> Result<BTreeSet<u32>>;
    /// The forms of an item that were published or sealed before its present one, oldest first.
    fn versions(&self, code: &InfoCode) -> Result<Vec<Article>>;
    /// The arrival number of an item in a category.
    fn arrival_of(&self, category: CategoryId, item: &Item) -> Result<Option<u32>>;
    /// Items changed after `generation`, in the order of [`Item::touched`], about `limit`: those
    /// of one commit share a number and are never cut apart.
    fn touched_since(&self, generation: u64, limit: usize) -> Result<Vec<Item>>;
    /// The neighbours of an item in a category: (the next older, the next newer).
    fn neighbours(&self, category: CategoryId, item: &Item) -> Result<(Option<Item>, Option<Item>)>;
    /// Items whose title or code contains `text`, newest first.
    fn find(&self, text: &str, limit: usize) -> Result<Vec<Item>>;
    /// What stands at a path without leading slash.
    fn at_path(&self, path: &str) -> Result<Option<AtPath>>;
    /// Up to `limit` paths after `after` that moved, and where to, in the order of their bytes.
    fn redirects(&self, after: &str, limit: usize) -> Result<Vec<(String, String)>>;

    /// Remembers that all changes up to `generation` were published at `now`.
    fn mark_published(&self, generation: u64, now: Timestamp) -> Result<()>;
    /// When the outputs first showed what was committed under `generation`; `None` before that,
    /// and for what was published too long ago to be remembered.
    fn published_at(&self, generation: u64) -> Result<Option<Timestamp>>;
    /// The generation last given to [`Store::mark_published`].
    fn published_generation(&self) -> Result<u64>;
    /// Checks a value that is set once and never changes again (RULES 3.3); `set` sets it where
    /// it is not set yet.
    fn fix(&self, key: &'static str, value: &str, set: bool) -> Result<()>;
    /// What sinks have to know beside generations: a number that no other store has, so that the
    /// outputs of another one are looked at again; and how often a category was renamed, for
    /// names stand in the outputs of other categories too.
    fn identity(&self) -> Result<(u64, u64)>;
    /// The newest generation: grows with every change of what any category publishes.
    fn generation(&self) -> Result<u64>;
}
