//! The store on sled 0.34, in a folder of its own.
//!
//! ```text
//! database (trees, keys, faults)    bodies (files of texts, dictionaries)
//!        └───────────── engine ─────────────┘
//!   sources, claiming, items, lists, log, categories, commit, withdraw, sweep …   (verbs on an engine)
//!   opening ─► store (catches panics) ─► verbs (the contract), maintenance (check, repair, backup, disk …)
//! ```
//!
//! Owns: the implementation of the contract on sled, and the maintenance of its files. Does not own: the
//! contract, and the format of backups. A new verb gets its function in the file of its subject, and a line in
//! `verbs`.

mod alias;
mod articles;
mod bodies;
mod categories;
mod claiming;
mod clock;
mod commit;
mod database;
mod engine;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzz;
mod item_writes;
mod items;
mod known;
mod leaving;
mod lists;
mod lock;
mod log;
mod log_pages;
mod maintenance;
mod opening;
mod options;
mod paths;
mod records;
mod settings;
mod slots;
mod small_records;
mod source_cache;
mod source_numbers;
mod source_record;
mod sources;
mod store;
mod sweep;
mod touched;
mod verbs;
mod withdraw;

pub use database::silence_caught_panics;
pub use maintenance::{
    Findings, Growth, Imported, Loss, Mended, OnDamage, Remedy, Stats, TakenIn, TreeStats,
};
pub use options::StoreOptions;
pub use store::SledStore;
