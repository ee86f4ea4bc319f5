//! What is stored of an item beside itself, and what is asked about it.

use serde::{Deserialize, Serialize};

use crate::model::{ContentHash, InfoCode, Item, Signs, SourceId, Timestamp};

/// Events of one item that are kept.
pub(crate) const MAX_EVENTS: usize = 64;

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

/// By what a source may know an item.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Name {
    /// Its code.
    Code(InfoCode),
    /// What else leads to it within the source.
    Alias(Alias),
}

/// What the store knows of a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// It is a guid that is void for the source (RULES 1.7).
    pub void: bool,
    /// The item that it leads to, be it stored or gone; of a code the code itself.
    pub code: Option<InfoCode>,
    /// What the source's listing of that item was; `None` for one it never listed.
    pub sighting: Option<Sighting>,
}

/// What happened to an item, and how it looked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past {
    /// Its story, oldest first; of a long one the last 64 events.
    pub history: Vec<Event>,
    /// How it looked before, oldest first.
    pub revisions: Vec<Revision>,
}
