//! Decided changes and acts, and the basis they were decided on.

use super::items::{Alias, Event, Revision, Sighting, Tombstone};
use crate::model::{Body, CategoryId, InfoCode, Item, SourceId};

/// Changes that are stored in one transaction, at most.
pub(crate) const MAX_CHANGES: usize = 120;

/// How an item enters a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    /// The category, or [`CategoryId::SITE`].
    pub category: CategoryId,
    /// Whether it may appear in the current window; otherwise it goes straight to the archive.
    pub shown: bool,
}

/// The state of an item at the time of a decision about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Basis {
    /// The item; `None` if there was none.
    pub item: Option<Item>,
    /// Its tombstone, if it was withdrawn.
    pub tombstone: Option<Tombstone>,
    /// Whether an admin had placed it.
    pub placed: bool,
}

/// A decided move of an item from categories to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The categories in which the decision found it.
    pub from: Vec<CategoryId>,
    /// The categories in which it is to be.
    pub to: Vec<CategoryId>,
    /// Why, for people.
    pub why: String,
    /// Its originator.
    pub by: Mover,
}

/// The originator of a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mover {
    /// An admin, who places it: no source and no rule moves it from then on.
    Admin,
    /// Rules and routes: an item that an admin placed stays.
    Rules,
    /// A merge of categories, which moves all items of one.
    Merge,
}

/// One decided change, stored whole or not at all, and only if its basis is unchanged.
#[derive(Debug, Clone)]
pub struct Change {
    /// The item it is about.
    pub code: InfoCode,
    /// The state of the item that it was decided on.
    pub basis: Basis,
    /// The source for whose poll it was decided, and the epoch of its claim, which must be the last.
    pub claim: Option<(SourceId, u64)>,
    /// The new or changed record; the store fills in its category counters.
    pub item: Option<Item>,
    /// The new or changed body.
    pub body: Option<Body>,
    /// The categories that it enters with this change, the whole site included.
    pub enters: Vec<Placement>,
    /// The form that it replaces.
    pub replaces: Option<Revision>,
    /// The new state of its listing by this source.
    pub sighting: Option<(SourceId, Sighting)>,
    /// Aliases of it in that source.
    pub aliases: Vec<(SourceId, Alias)>,
    /// Further paths (without leading slash) that redirect to its permalink.
    pub paths: Vec<String>,
    /// The event that is added to its history.
    pub event: Option<Event>,
    /// For a new item that is stored as withdrawn: the tombstone.
    pub tombstone: Option<Tombstone>,
}

impl Change {
    /// Creates an empty change for an item that did not exist.
    #[must_use]
    pub fn of(code: InfoCode) -> Self {
        Self::on(code, Basis::default())
    }

    /// Creates an empty change with this basis.
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

/// An act on a stored item as a whole; each names what it was decided on.
#[derive(Debug, Clone, Copy)]
pub enum Act<'a> {
    /// Removes it from all its categories and leaves a tombstone; one that erases also deletes item, body and
    /// revisions. On an item that is withdrawn already, only an erasure, or an admin's withdrawal after one by
    /// a rule or a source, replaces the tombstone. Does nothing otherwise, and for an item that does not exist.
    Withdraw(&'a Tombstone),
    /// Restores an item with exactly this tombstone into its categories, as newly arrived. Does nothing for an
    /// item that is not withdrawn, has another tombstone, or is erased.
    Restore {
        /// The tombstone that it has.
        tombstone: &'a Tombstone,
        /// Why it is restored, for people.
        why: &'a str,
    },
    /// Moves it out of the categories that the move does not name, which readers learn of, and into the others.
    /// Does nothing for an item that is already in exactly these, or is not where the move found it.
    Move(&'a Move),
}
