//! The plain database on sled 0.34: trees, keys, faults, transactions, durability. It has no knowledge of
//! items, texts or sources.
//!
//! Owns: every sled type but `IVec` and `Batch`, the names of the trees, the bytes of keys and records, the
//! handling of sled's errors and panics. Does not own: the meaning of a record. A new tree goes into `trees`, a
//! new key into `keys`.

mod codec;
mod faults;
mod high_water;
mod keys;
mod open;
mod panics;
mod transaction;
mod trees;
mod walk;

pub(crate) use codec::{FORMAT, MAX_VALUE, decode, decode_named, encode, encode_named, fits};
pub(crate) use faults::{READ, backend, corrupt, readable};
pub(crate) use high_water::{TEXTS, is_sealed, reached, seal};
pub(crate) use keys::{
    category_key, chunk_key, code_in, event_key, page_key, revision_key, seen_key, time, time_at, time_key,
    u32_at, u64_at, version_key,
};
pub(crate) use open::Database;
pub(crate) use panics::catching_panics;
pub use panics::silence_caught_panics;
pub(crate) use transaction::{Tx, TxResult, abort, delete, next, put, tree, upcoming};
pub(crate) use trees::TreeId;
pub(crate) use walk::every;
