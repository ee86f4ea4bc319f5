//! Maintenance of a store on sled: checks, repairs, backups, disk space.
//!
//! Owns: operations of an admin or the daemon on the whole store, each in a file of its own with its verb of
//! [`super::store::SledStore`]. Does not own: the verbs of the contract.

mod add;
mod check;
mod compact;
mod copy;
pub(super) mod disk;
mod export;
mod heal;
mod import;
mod judge;
mod lender;
mod loss;
mod mending;
pub(super) mod migrate;
mod repair;
mod restore;
mod salvage;
mod stats;
mod story;
mod succession;
pub(super) mod swap;
mod tidy;
mod train;

pub use add::TakenIn;
pub use check::Findings;
pub use heal::{Mended, OnDamage};
pub use import::Imported;
pub use loss::{Loss, Remedy};
pub use stats::{Growth, Stats, TreeStats};
