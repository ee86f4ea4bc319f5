//! Data of an item besides its record, and the types of queries about it.

use serde::{Deserialize, Serialize};

use crate::model::{ContentHash, InfoCode, Item, Signs, SourceId, Timestamp};

/// Events that are kept of one item, at most.
pub(crate) const MAX_EVENTS: usize = 64;

/// The listing of one item by one source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// Time of the first listing.
    pub first: Timestamp,
    /// Time of the last listing known; updated at most once an hour.
    pub last: Timestamp,
    /// Hash of the record in the list.
    pub listed: ContentHash,
    /// Hash of the guid under which the source lists it now.
    pub guid: Option<[u8; 16]>,
    /// How often its detail was fetched again to find corrections.
    pub checks: u8,
    /// Hash of the detail, if the list gives stubs.
    pub detail: Option<ContentHash>,
}

impl Sighting {
    /// Returns a copy whose hashes match nothing, so that the next listing counts as changed.
    #[must_use]
    pub fn never_listed(&self) -> Self {
        Self { listed: ContentHash::of(&[("lost", "text")]), detail: None, ..self.clone() }
    }
}

/// The kind of a further name of an item within one source (RULES 1.6).
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

/// The earlier form of an item, before a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Time at which the change was seen.
    pub replaced_at: Timestamp,
    /// Title until then.
    pub title: String,
    /// Excerpt until then.
    pub excerpt: String,
    /// The source whose version it was.
    pub lead: SourceId,
}

/// The kind of an event of an item; `item explain` prints them.
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
    /// It changed, but had been revised too often already: counted, not published (RULES 1.5).
    Counted,
    /// It left all outputs.
    Withdrawn,
    /// It was listed again after its withdrawal and stayed out.
    Refused,
    /// A withdrawal was undone.
    Restored,
    /// It came back from an export or from published outputs.
    TakenBack,
    /// A rule dropped it.
    Dropped,
    /// Changed rules or routes were applied to it.
    Rerouted,
}

/// One event in the history of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Time of the event.
    pub at: Timestamp,
    /// Its kind.
    pub what: EventKind,
    /// The source it came through; `None` for an act of an admin or of the mill itself.
    pub source: Option<SourceId>,
    /// Why, for people; at most 300 bytes.
    pub why: String,
    /// How the item was recognized (RULES 1): `code`, `guid`, `link`, `text`, `alias`; or empty.
    pub known_by: String,
    /// The response it came in: the time of the request, and its size in bytes.
    pub answer: Option<(Timestamp, u64)>,
}

/// The originator of a withdrawal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WithdrawnBy {
    /// An admin: the item never comes back by itself.
    Admin,
    /// Retention by age or count.
    Retention,
    /// Its source, which reports it as deleted.
    Source,
    /// A rule.
    Rule,
}

/// What is kept of a withdrawn item: it keeps the item from coming back while its sources still list it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// Time of the withdrawal.
    pub at: Timestamp,
    /// Its originator.
    pub by: WithdrawnBy,
    /// Why, for people; at most 500 bytes.
    pub why: String,
    /// Whether item, body and revisions are deleted as well.
    pub erased: bool,
    /// Signs by which an erased item is recognized under another guid (RULES 1.6); the store fills them in.
    #[serde(default, deserialize_with = "Signs::if_there")]
    pub signs: Option<Signs>,
}

impl Tombstone {
    /// Creates a tombstone that fits any item.
    #[must_use]
    pub fn new(at: Timestamp, by: WithdrawnBy, why: impl Into<String>, erased: bool) -> Self {
        Self { at, by, why: why.into(), erased, signs: None }
    }

    /// Returns the tombstone as it is stored for this item: if it is erased, with its signs.
    pub(crate) fn of(&self, item: &Item) -> Self {
        Self { signs: self.erased.then(|| Signs::of(item)), ..self.clone() }
    }

    /// Returns whether `later` may replace this tombstone: never that of an erased item; of another, an erasure
    /// may, and an admin's withdrawal, which is final, may replace one by a rule or a source.
    pub(crate) fn yields_to(&self, later: &Self) -> bool {
        let lasts = later.by == WithdrawnBy::Admin && self.by != WithdrawnBy::Admin;
        !self.erased && (later.erased || lasts)
    }
}

/// A name by which a source identifies an item.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Name {
    /// Its code.
    Code(InfoCode),
    /// A further name within the source.
    Alias(Alias),
}

/// The result of resolving a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Whether it is a guid that is void for the source (RULES 1.7).
    pub void: bool,
    /// The item that it resolves to, stored or not; for a code, the code itself.
    pub code: Option<InfoCode>,
    /// The source's listing of that item; `None` if it never listed it.
    pub sighting: Option<Sighting>,
}

/// The events and revisions of an item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past {
    /// Its events, oldest first; at most the last 64.
    pub history: Vec<Event>,
    /// Its earlier forms, oldest first.
    pub revisions: Vec<Revision>,
}
