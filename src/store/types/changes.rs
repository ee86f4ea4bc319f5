//! What is to be stored, and what it was decided on.

use super::items::{Alias, Event, Revision, Sighting, Tombstone};
use crate::model::{Body, CategoryId, InfoCode, Item, SourceId};

/// Changes that are stored in one transaction.
pub(crate) const MAX_CHANGES: usize = 120;

/// How an item enters a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    /// The category, or [`CategoryId::SITE`].
    pub category: CategoryId,
    /// Whether it may stand in the current window; else it goes straight to the archive.
    pub shown: bool,
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

/// What is done to a stored item as a whole; each names what it was decided on.
#[derive(Debug, Clone, Copy)]
pub enum Act<'a> {
    /// It leaves all its categories and a tombstone stays; of what is to be erased, item, body and revisions go too.
    /// What an admin takes out stays out, also where a rule or a source had done so before. Nothing for an item
    /// that is not there, or is out already.
    Withdraw(&'a Tombstone),
    /// An item that was withdrawn just so comes back into its categories, as newly arrived. Nothing for one
    /// that is not withdrawn, withdrawn otherwise, or erased.
    Restore {
        /// Why it is out.
        tombstone: &'a Tombstone,
        /// Why it comes back, for people.
        why: &'a str,
    },
    /// It leaves the categories that are not those of the move, of which readers are told, and enters the
    /// others. Nothing for one that is in just these, or is not where the move found it.
    Move(&'a Move),
}
