//! The types that the verbs of the store take and give: what is stored of an item beside itself, what is
//! asked for, and what comes back.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::{Body, CategoryId, ContentHash, InfoCode, Item, Signs, SourceId, SourceState, Timestamp};

/// Changes that are stored in one transaction.
pub(crate) const MAX_CHANGES: usize = 120;
/// Events of one item that are kept.
pub(crate) const MAX_EVENTS: usize = 64;

/// What a bookmark stands under in every backend: a name of any length makes a short key.
pub(crate) fn bookmark_key(name: &str) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(name)[..16])
}

/// Hears (steps done, steps in all, what is looked at) of long work on the whole store.
pub type Watch<'a> = &'a mut dyn FnMut(usize, usize, String);

/// Hears (done, in all) of an export in items, of an import in bytes.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

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

impl Sighting {
    /// The same as if it had listed something else: whatever it lists next is looked at.
    #[must_use]
    pub fn never_listed(&self) -> Self {
        Self { listed: ContentHash::of(&[("lost", "text")]), detail: None, ..self.clone() }
    }
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

/// A source that is claimed for one poll.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The source.
    pub id: SourceId,
    /// The number of the claim: what the poll leaves counts only while it is the last.
    pub epoch: u64,
    /// The source's state when it was claimed.
    pub state: SourceState,
}

/// What became of a claim on one source.
#[derive(Debug, Clone, PartialEq)]
pub enum Claimed {
    /// It is the caller's.
    Yours(Box<Claim>),
    /// Somebody polls it.
    Busy {
        /// Who.
        by: String,
        /// The claim ends then by itself.
        until: Timestamp,
    },
}

/// What a poll leaves of its source.
#[derive(Debug, Clone, PartialEq)]
pub struct PollResult {
    /// The source.
    pub id: SourceId,
    /// The number of its claim.
    pub epoch: u64,
    /// Its state from now on.
    pub state: SourceState,
    /// Hashes of guids that turned out void (RULES 1.7).
    pub void: Vec<[u8; 16]>,
}

impl PollResult {
    /// What a claim leaves, without void guids.
    #[must_use]
    pub fn of(claim: Claim) -> Self {
        let Claim { id, epoch, state } = claim;
        Self { id, epoch, state, void: Vec::new() }
    }
}

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
pub enum EventKind {
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
    pub what: EventKind,
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
pub enum WithdrawnBy {
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
    pub by: WithdrawnBy,
    /// Why, for people; at most 500 bytes.
    pub why: String,
    /// Whether item, body and revisions are gone as well.
    pub erased: bool,
    /// By what an erased item is known again under another guid (RULES 1.6); the store fills it in.
    #[serde(default, deserialize_with = "Signs::if_there")]
    pub signs: Option<Signs>,
}

impl Tombstone {
    /// One for any item.
    #[must_use]
    pub fn new(at: Timestamp, by: WithdrawnBy, why: impl Into<String>, erased: bool) -> Self {
        Self { at, by, why: why.into(), erased, signs: None }
    }

    /// The same as it is left of an item: of an erased one it keeps the signs.
    pub(crate) fn of(&self, item: &Item) -> Self {
        Self { signs: self.erased.then(|| Signs::of(item)), ..self.clone() }
    }

    /// Whether an item that is out so can be taken out once more, otherwise: what an admin says lasts, whatever
    /// becomes of a rule or of what a source says.
    pub(crate) fn yields_to(&self, later: &Self) -> bool {
        let lasts = later.by == WithdrawnBy::Admin && self.by != WithdrawnBy::Admin;
        !self.erased && (later.erased || lasts)
    }
}

/// What of a category is kept; both unset keeps all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// The newest so many.
    pub items: Option<usize>,
    /// Those published within so many seconds.
    pub age: Option<i64>,
}

/// What stood of an item when somebody decided about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Basis {
    /// The item; `None` where there was none.
    pub item: Option<Item>,
    /// Why it was out, if it was.
    pub tombstone: Option<Tombstone>,
    /// An admin had placed it.
    pub placed: bool,
}

/// A decided move of an item from categories to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// Where the decision found it.
    pub from: Vec<CategoryId>,
    /// Where it is to be.
    pub to: Vec<CategoryId>,
    /// Why, for people.
    pub why: String,
    /// Who moves it.
    pub by: Mover,
}

/// Who moves an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mover {
    /// An admin, who places it: no source and no rule moves it from then on.
    Admin,
    /// Rules and routes: what an admin placed stays.
    Rules,
    /// A merge of categories, which takes all of one along.
    Merge,
}

/// One decided change, to be stored whole or not at all: only where what it was decided on still stands.
#[derive(Debug, Clone)]
pub struct Change {
    /// The item it is about.
    pub code: InfoCode,
    /// What it was decided on.
    pub basis: Basis,
    /// The source for whose poll it was decided, and the number of its claim, which must be the last.
    pub claim: Option<(SourceId, u64)>,
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
    /// A change of nothing yet, about an item that was not there.
    #[must_use]
    pub fn of(code: InfoCode) -> Self {
        Self::on(code, Basis::default())
    }

    /// A change of nothing yet, decided on what stood.
    #[must_use]
    pub fn on(code: InfoCode, basis: Basis) -> Self {
        Self {
            code,
            basis,
            claim: None,
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

/// What stands under an arrival number of a category's log; `C` names the item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Slot<C> {
    /// An item that came in.
    Arrived(C),
    /// One that went straight to the archive.
    Archived(C),
    /// One that was changed after the hundred of its last number was sealed.
    Again {
        /// That number.
        before: u32,
        /// The item.
        code: C,
    },
    /// One that went.
    Gone {
        /// When.
        at: Timestamp,
        /// The item.
        code: C,
    },
}

impl<C> Slot<C> {
    /// The item it is about.
    pub fn code(&self) -> &C {
        match self {
            Self::Arrived(code)
            | Self::Archived(code)
            | Self::Again { code, .. }
            | Self::Gone { code, .. } => code,
        }
    }

    /// The same with another name of its item; `None` where that has none.
    pub fn named<D>(self, name: impl FnOnce(C) -> Option<D>) -> Option<Slot<D>> {
        Some(match self {
            Self::Arrived(code) => Slot::Arrived(name(code)?),
            Self::Archived(code) => Slot::Archived(name(code)?),
            Self::Again { before, code } => Slot::Again { before, code: name(code)? },
            Self::Gone { at, code } => Slot::Gone { at, code: name(code)? },
        })
    }
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
