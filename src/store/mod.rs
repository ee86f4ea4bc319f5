//! The store: keeps every article exactly once, and is the only meeting point of the two halves of the mill
//! (polling writes, publishing reads).
//!
//! Owns: the [`Store`] contract (`contract`) with its types and errors (the files here), the backends that
//! implement it (`sled`, `memory`), and the backup format, which all backends share (`backup`). Does not own:
//! decisions about items (`ingest`), outputs (`publish`). All sled types stay in `sled`. A further backend is a
//! folder beside it.

pub mod backup;
mod claims;
mod completion;
mod contract;
mod error;
mod handle;
mod memory;
mod sled;
mod types;

#[cfg(fuzzing)]
#[doc(hidden)]
pub use self::sled::fuzz;
pub use self::sled::{
    Findings, Growth, Imported, Loss, Mended, OnDamage, Remedy, SledStore, Stats, StoreOptions, TakenIn,
    TreeStats, silence_caught_panics,
};
pub use contract::{Categories, Changes, Items, Records, Sources, Store};
pub use error::{Result, StoreError};
pub use handle::Handle;
pub use memory::MemoryStore;
pub use types::{
    Act, Alias, AliasKind, AtPath, Basis, Change, Claim, Claimed, Event, EventKind, Gone, Known, LogPage,
    MAX_RECORD, MAX_RECORD_KEY, Move, Mover, Name, Past, Placement, PollResult, Progress, RecordKind,
    Retention, Revision, Sighting, Slot, SourceRecord, Tombstone, Watch, Window, WithdrawnBy,
};
pub(crate) use types::{MAX_CHANGES, MAX_EVENTS};
