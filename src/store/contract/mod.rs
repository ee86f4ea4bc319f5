//! The contract: what every backend guarantees, whatever its engine. One trait for each kind of caller: pollers
//! ([`Sources`]), code that stores and withdraws articles ([`Items`]), code that lists them ([`Categories`]),
//! consumers of changes ([`Changes`]), and owners of small records ([`Records`]). A new verb goes into the
//! trait of the callers that need it.
//!
//! **Atomicity**: each verb that writes is one transaction, or as many as its documentation says; each is
//! stored whole or not at all. So is a [`super::Change`], with its indexes and the generations of the
//! categories that it touches.
//! **Conflicts**: a change, claim or act whose basis differs from the stored state is refused, that one alone,
//! and the caller learns of it; nothing of it is stored. No caller needs a lock.
//! **Order**: changes are stored in the order given; a category's generation and arrival numbers only grow.
//! **Visibility**: what a verb has stored is visible to every later verb, of any caller. A consumer that
//! follows generations ([`Changes`]) misses nothing that is stored later.
//! **Durability**: what was stored survives a crash of the process; it survives a power failure once
//! [`Sources::complete`] or [`Records::sync`] has returned after it.
//! **Threads**: all verbs may be called from any thread, concurrently; they block, so async callers go through
//! [`super::Handle`].
//! **Errors**: any verb may fail with [`super::StoreError::Backend`]; nothing of that transaction is then
//! stored.
//! **Not here**: maintenance of a backend (check, repair, compact, backup, disk) is the backend's own.

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

/// A whole store: every type that implements the five contracts.
pub trait Store: Sources + Items + Categories + Changes + Records {}

impl<T: Sources + Items + Categories + Changes + Records + ?Sized> Store for T {}
