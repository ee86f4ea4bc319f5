//! The types that the verbs of the store take and return: what is stored of an item besides its record,
//! queries, and results. A new type goes into the file of its subject.

mod changes;
mod items;
mod lists;
mod records;
mod sources;

pub(crate) use changes::MAX_CHANGES;
pub use changes::{Act, Basis, Change, Move, Mover, Placement};
pub(crate) use items::MAX_EVENTS;
pub use items::{
    Alias, AliasKind, Event, EventKind, Known, Name, Past, Revision, Sighting, Tombstone, WithdrawnBy,
};
pub use lists::{AtPath, Gone, LogPage, Retention, Slot, Window};
pub use records::{MAX_RECORD, MAX_RECORD_KEY, Progress, RecordKind, Watch};
pub use sources::{Claim, Claimed, PollResult, SourceRecord};
