//! The store: where every article is kept exactly once, and the only meeting point of the two
//! halves of the mill (polling writes, publishing reads).
//!
//! Owns: the [`Store`] contract, its records, its errors, and the backend on sled. Does not
//! own: decisions about items (`ingest`), outputs (`publish`). All sled types stay in
//! `sled_store`. A second backend implements [`Store`] beside it.

mod carried;
mod check;
mod clock;
mod codec;
mod commit;
mod dictionary;
pub mod export;
mod guard;
mod lines;
mod log;
mod mark;
mod memory;
mod migrate;
mod open;
mod read;
mod record;
mod repair;
mod room;
mod shrink;
mod sled_store;
mod stats;
mod texts;
mod tidy;
mod verbs;
mod withdraw;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::model::{
    Article, Body, Category, CategoryId, ContentHash, InfoCode, Item, Slug, SourceId, SourceState, Timestamp,
};

pub use check::{Findings, Watch};
pub use guard::hush_guarded_panics;
pub use lines::TakenIn;
pub use memory::MemoryStore;
pub use sled_store::{Mended, SledStore, StoreOptions};
pub use stats::{Growth, Stats, TreeStats};

/// What the store remembers of one item as one source lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// First listed.
    pub first: Timestamp,
    /// Last known to be listed; moved at most once an hour.
    pub last: Timestamp,
    /// Of the record in the list.
    pub listed: ContentHash,
    /// Hash of the guid under which the source lists it now.
    pub guid: Option<[u8; 16]>,
    /// How often its detail was asked for again to find corrections.
    pub checks: u8,
    /// Of the detail, where the list gives stubs.
    pub detail: Option<ContentHash>,
}

/// What else leads to an item within one source (RULES 1.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AliasKind {
    /// The upstream's own id.
    Guid,
    /// The canonical link.
    Link,
    /// Title and text.
    Text,
}

/// A kind of alias and the hash of its value.
pub type Alias = (AliasKind, [u8; 16]);

/// How an item enters a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    /// The category, or [`CategoryId::SITE`].
    pub category: CategoryId,
    /// Whether it may stand in the current window; else it goes straight to the archive.
    pub shown: bool,
}

/// How an item looked before a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// When the change was seen.
    pub replaced_at: Timestamp,
    /// Title until then.
    pub title: String,
    /// Excerpt until then.
    pub excerpt: String,
    /// Whose version it was.
    pub lead: SourceId,
}

/// What happened to an item; its story is told by `item explain`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happening {
    /// It was stored for the first time.
    Inserted,
    /// A further source lists it.
    Listed,
    /// It entered a further category.
    Joined,
    /// Title or text changed.
    Revised,
    /// It changed, but was revised too often already: counted, not published (RULES 1.5).
    Counted,
    /// It left all outputs.
    Withdrawn,
    /// It was listed again after its withdrawal and stayed out.
    Refused,
    /// A withdrawal was taken back.
    Restored,
    /// It came back from an export or from what was published.
    TakenBack,
    /// A rule dropped it.
    Dropped,
    /// Changed rules or routes were applied to it.
    Rerouted,
}

/// One step of an item's story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Happening,
    /// Through which source; `None` for what an admin or the mill itself did.
    pub source: Option<SourceId>,
    /// Why, for people; at most 300 bytes.
    pub why: String,
    /// What the item was known by (RULES 1): `code`, `guid`, `link`, `text`, `alias`; or nothing.
    pub known_by: String,
    /// The answer it came in: when it was asked for, and its bytes.
    pub answer: Option<(Timestamp, u64)>,
}

/// Who took an item out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withdrawer {
    /// An admin: it never comes back by itself.
    Admin,
    /// Retention by age or count.
    Retention,
    /// Its source, which says that it was deleted.
    Source,
    /// A rule.
    Rule,
}

/// What is left of an item that was taken out: it keeps the item from coming back while its
/// sources still list it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Withdrawer,
    /// Why, for people; at most 500 bytes.
    pub why: String,
    /// Whether item, body and revisions are gone as well.
    pub erased: bool,
}

/// What of a category is kept; both unset keeps all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// The newest so many.
    pub items: Option<usize>,
    /// Those published within so many seconds.
    pub age: Option<i64>,
}

/// One decided change, to be stored whole or not at all.
#[derive(Debug, Clone)]
pub struct Change {
    /// The item it is about.
    pub code: InfoCode,
    /// The new or changed record; its category counters are filled by the store.
    pub item: Option<Item>,
    /// The new or changed body.
    pub body: Option<Body>,
    /// The categories that it enters with this change, the whole site included.
    pub enters: Vec<Placement>,
    /// What it replaces.
    pub replaces: Option<Revision>,
    /// What is now known of its listing by this source.
    pub sighting: Option<(SourceId, Sighting)>,
    /// What else leads to it in that source.
    pub aliases: Vec<(SourceId, Alias)>,
    /// Further paths (without leading slash) that redirect to its permalink.
    pub paths: Vec<String>,
    /// What its story gains.
    pub event: Option<Event>,
    /// For a new item that stays out: why.
    pub tombstone: Option<Tombstone>,
}

impl Change {
    /// A change of nothing yet.
    #[must_use]
    pub fn of(code: InfoCode) -> Self {
        Self {
            code,
            item: None,
            body: None,
            enters: Vec::new(),
            replaces: None,
            sighting: None,
            aliases: Vec::new(),
            paths: Vec::new(),
            event: None,
            tombstone: None,
        }
    }
}

/// Which items of a category are wanted, newest first by (`published`, code).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// At least this many, if there are.
    pub items: usize,
    /// And all that are at most this many seconds older than the newest.
    pub age: i64,
    /// But never more than this.
    pub most: usize,
    /// Items that went straight to the archive as well.
    pub archived: bool,
}

/// A hundred of a category's log, the latest first; each item once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage<T> {
    /// What came, or was changed later than its own hundred.
    pub entries: Vec<T>,
    /// What went.
    pub gone: Vec<Gone>,
}

/// An item that left a category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// Which.
    pub code: InfoCode,
    /// When.
    pub at: Timestamp,
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AtPath {
    /// The article's own page.
    Article(InfoCode),
    /// Moved to this path (without leading slash).
    Redirect(String),
}

/// A source with what is remembered of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceRecord {
    /// Its id.
    pub id: SourceId,
    /// Its state.
    pub state: SourceState,
}

/// Why the store could not do what was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process holds the store.
    #[error(
        "the store `{path}` is in use by another process (its lock is held); stop that feedmill, or use its control socket"
    )]
    Locked {
        /// The store's folder.
        path: String,
    },
    /// The disk or sled failed.
    #[error("the store failed to {action}")]
    Backend {
        /// What was tried.
        action: &'static str,
        /// What sled said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Its files are damaged, or sled broke over them.
    #[error("the store is damaged: it failed to {action}: {detail}")]
    Corrupt {
        /// What was tried.
        action: &'static str,
        /// What sled said.
        detail: String,
    },
    /// No room on its disk.
    #[error("the disk of the store is full; make room on it, feedmill goes on by itself")]
    Full,
    /// It is being mended, or could not be opened again yet.
    #[error("the store is closed for now: {why}")]
    Closed {
        /// Why.
        why: String,
    },
    /// A task of ours broke; the store itself is sound.
    #[error("a task over the store broke")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A record cannot be read.
    #[error("the store holds a damaged {what} record")]
    Damaged {
        /// Which kind of record.
        what: &'static str,
    },
    /// Another feedmill wrote this.
    #[error(
        "the store has format {found}, this feedmill knows format {known}: {}",
        way_back(*found, *known, kept.as_deref())
    )]
    Format {
        /// In the store.
        found: u8,
        /// Of this program.
        known: u8,
        /// Where the store stands as it was before a newer feedmill migrated it.
        kept: Option<String>,
    },
    /// Work on the whole store needs more room than there is.
    #[error("this needs {} MiB on the disk of `{path}`, and {} MiB are free: make room first", needed >> 20, free >> 20)]
    NoRoom {
        /// A folder on that disk.
        path: String,
        /// Bytes.
        needed: u64,
        /// Bytes.
        free: u64,
    },
    /// A record over the limit of the layout.
    #[error("a {what} record of {bytes} bytes is over the limit of {limit}")]
    TooLarge {
        /// Which kind of record.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Something that is set once was asked to change (RULES 3.3).
    #[error(
        "`{key}` is `{stored}` in the store and is set once for ever; the config now says `{asked}`: put the old value back"
    )]
    Fixed {
        /// The setting.
        key: &'static str,
        /// In the store.
        stored: String,
        /// In the config.
        asked: String,
    },
}

/// What to do about a store of another format.
fn way_back(found: u8, known: u8, kept: Option<&str>) -> String {
    if found < known {
        return "it is older than any that can be brought up to date; use a feedmill in between".to_owned();
    }
    let kept = kept.map_or_else(String::new, |kept| {
        format!(", or put the store as it was before, `{kept}`, back in its place")
    });
    format!(
        "use the newer feedmill that wrote it; to go back, let it write `feedmill store export --lines` and import \
         that{kept}"
    )
}

impl StoreError {
    /// A task that should have used the store broke.
    #[must_use]
    pub fn task(error: tokio::task::JoinError) -> Self {
        Self::Broken(Box::new(error))
    }

    /// A stable word for metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "locked",
            Self::Backend { .. } => "backend",
            Self::Corrupt { .. } => "corrupt",
            Self::Full => "full",
            Self::Closed { .. } => "closed",
            Self::Broken(_) => "broken",
            Self::Damaged { .. } => "damaged",
            Self::Format { .. } => "format",
            Self::NoRoom { .. } => "no_room",
            Self::TooLarge { .. } => "too_large",
            Self::Fixed { .. } => "fixed",
        }
    }

    /// Whether the store as a whole cannot be used as it is, only mended.
    #[must_use]
    pub fn needs_mending(&self) -> bool {
        matches!(self, Self::Backend { .. } | Self::Corrupt { .. } | Self::Full | Self::Closed { .. })
    }

    /// Whether trying again may help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.needs_mending() || matches!(self, Self::Locked { .. })
    }
}

/// The bookmark of an item that an admin placed.
fn placed(code: &InfoCode) -> String {
    format!("placed {}", code.text(None))
}

/// Result of every verb.
pub type Result<T> = std::result::Result<T, StoreError>;

/// The verbs of the store.
///
/// **Atomicity**: a [`Change`] is stored whole or not at all, with its indexes and the
/// generations of the categories it touches. A commit of several changes may be cut between
/// two of them. **Order**: changes are stored in the order given; a category's generation and
/// arrival numbers only grow. **Durability**: what was committed survives a crash of the
/// process; it survives a power cut once [`Store::complete`] or [`Store::sync`] has returned
/// after it. **Threads**: all verbs may be called from any thread; they block, so async callers
/// go through [`Handle`]. Writers of one item must not overlap (ingest holds one lock).
/// **Errors**: any verb may fail with [`StoreError::Backend`]; nothing of that change is then
/// stored.
#[expect(clippy::missing_errors_doc, reason = "the contract above says it for all verbs")]
pub trait Store: Send + Sync {
    /// Makes sure that every source is known; new ones are due at `now`.
    fn register(&self, sources: &[SourceId], now: Timestamp) -> Result<()>;
    /// Up to `limit` sources due at `now`, each moved `lease` seconds ahead so that no second
    /// caller gets it; a crash lets it come back by itself.
    fn claim_due(&self, now: Timestamp, limit: usize, lease: i64) -> Result<Vec<SourceId>>;
    /// Gives back what was claimed for polls that nobody runs any more, all but those of `running`: the
    /// sources are due as they were, and after a third poll in a row that was cut off a while later.
    /// Gives how many there were. For the start of a process, and for after a failure of the store.
    fn release(&self, running: &[SourceId], now: Timestamp) -> Result<usize>;
    /// When the next source is due.
    fn next_due(&self) -> Result<Option<Timestamp>>;
    /// Ends a poll: the state, its due time and newly void guids, durable on return. The claim on
    /// the source, if there was one, ends too.
    fn complete(&self, id: &SourceId, state: &SourceState, void: &[[u8; 16]]) -> Result<()>;
    /// One source's state; the default for one never seen.
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
    /// Stores decided changes in transactions of at most 30, after their texts are durable.
    fn commit(&self, changes: Vec<Change>, now: Timestamp) -> Result<()>;
    /// Takes an item out of all its categories and leaves a tombstone; with `erased` its item,
    /// body and revisions go too. `false` when there is no such item, or it is out already.
    fn withdraw(&self, code: &InfoCode, tombstone: &Tombstone) -> Result<bool>;
    /// Puts a withdrawn item back into its categories, as newly arrived; `false` when it is not
    /// withdrawn, or erased.
    fn restore(&self, code: &InfoCode, why: &str, now: Timestamp) -> Result<bool>;
    /// Moves an item: it leaves the categories that are not in `to`, of which readers are told, and
    /// enters the others. `false` when it is in just these.
    fn reroute(&self, code: &InfoCode, to: &[CategoryId], why: &str, now: Timestamp) -> Result<bool>;
    /// Remembers that an admin placed the item: nothing else moves it, or adds it to a category.
    fn place(&self, code: &InfoCode) -> Result<()> {
        self.set_bookmark(&placed(code), 1)
    }
    /// Whether an admin placed it.
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
    /// pinyin; a slug taken by another name gets a suffix.
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

/// A store that async callers can use: each call runs on a blocking thread.
#[derive(Clone)]
pub struct Handle(Arc<dyn Store>);

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handle")
    }
}

impl Handle {
    /// Wraps a backend.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self(store)
    }

    /// The backend, for code that already runs on a blocking thread.
    #[must_use]
    pub fn blocking(&self) -> &dyn Store {
        &*self.0
    }

    /// Runs `work` on a blocking thread.
    ///
    /// # Errors
    /// What `work` returns; a panic in it becomes [`StoreError::Backend`].
    pub async fn call<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Store) -> Result<T> + Send + 'static,
    {
        let store = Arc::clone(&self.0);
        match tokio::task::spawn_blocking(move || work(&*store)).await {
            Ok(result) => result,
            Err(error) => Err(StoreError::task(error)),
        }
    }

    /// An item with its body.
    ///
    /// # Errors
    /// As [`Store::item`].
    pub fn article(store: &dyn Store, item: Item) -> Result<Article> {
        let body = store.body(&item.code)?;
        Ok(Article { item, body })
    }
}
