//! The contract: what every backend keeps, whichever engine is under it. A trait for each of those who use it:
//! who polls ([`Sources`]), who takes articles in and out ([`Items`]), who lists them ([`Categories`]), who follows
//! what changes ([`Changes`]), and who keeps something of their own ([`Records`]).
//!
//! **Atomicity**: each verb that writes is one transaction, or as many as it says, each of which is whole or not
//! there. A [`super::Change`] is stored whole or not at all, with its indexes and the generations of the categories that
//! it touches.
//! **Conflicts**: what was decided on something else than what stands is refused, for that change, claim or act
//! alone, and the caller is told; nothing of it is stored. No caller needs a lock.
//! **Order**: changes are stored in the order given; a category's generation and arrival numbers only grow.
//! **Visibility**: what a verb has stored every later verb sees, whoever calls it. Who follows by generation
//! ([`Changes`]) misses nothing that is stored later.
//! **Durability**: what was stored survives a crash of the process; it survives a power cut once
//! [`Sources::complete`] or [`Records::sync`] has returned after it.
//! **Threads**: all verbs may be called from any thread, each beside every other; they block, so async callers
//! go through [`super::Handle`].
//! **Errors**: any verb may fail with [`super::StoreError::Backend`]; nothing of that transaction is then stored.
//! **Not here**: looking after a backend (check, repair, compact, backup, disk) is the backend's own.

mod categories;
mod changes;
mod items;
mod records;
mod sources;

pub use categories::Categories;
pub use changes::Changes;
pub use items::Items;
pub use records::Records;
pub use sources::Sources;

/// A whole store; every type that keeps the five contracts is one.
pub trait Store: Sources + Items + Categories + Changes + Records {}

impl<T: Sources + Items + Categories + Changes + Records + ?Sized> Store for T {}
