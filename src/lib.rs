//! feedmill polls newspapers' feeds, keeps every article exactly once under its infoCode, and
//! publishes one clean feed per category as RSS, Atom, JSON Feed and web pages.
//!
//! ```text
//! config ─► source ─► fetch ─► parse ─► ingest ─► store ─► publish ─► render ─► sink ─► serve
//!           what to   bytes +  bytes →  decide:   items +  what       bytes     files   HTTP
//!           ask       valid-   items    insert,   gener-   differs,
//!                     ators             update,   ations   which
//!                                       skip               items
//! ```
//!
//! The store is the only meeting point of the two halves: publishing reads nothing but the
//! store, so a failing source can never empty or spoil an output.
//!
//! # Where do I add …
//! - a **source kind**: `source` (one file, one variant; the compiler lists the rest)
//! - a **feed format** to read: `parse`; to write: `render` and its key in `sink`
//! - a **backend of the store**: a folder of `store`, which implements [`store::Store`]
//! - a **setting**: the room's own option struct, then `config::sections`, `config::sources` or `config::kinds`
//! - a **command**: `cli` (one file), and a [`control::Query`] if it touches the store
//!
//! # Direction
//! `model, clock, blocking` ← `parse, render, rules, schedule` (pure) ← `source` (pure), `fetch, store, sink`
//! (IO, none knows another) ← `ingest, publish, import` ← `serve, notify, control` ← `config, demo, discover` ←
//! `daemon` ← `cli`. `clock` uses `model`; `import` shares the permalinks of `ingest::article`.
//! `tests/direction.rs` fails on an import in the other direction.

pub mod blocking;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod daemon;
pub mod demo;
pub mod discover;
pub mod fetch;
pub mod import;
pub mod ingest;
pub mod model;
pub mod notify;
pub mod parse;
pub mod publish;
pub mod render;
pub mod rules;
pub mod schedule;
pub mod serve;
pub mod sink;
pub mod source;
pub mod store;
