//! The texts of articles: packed, in append-only files beside sled's, which holds only the place of each.
//!
//! Owns: the files, their frames and durability, compression and its dictionaries, the count of live bytes.
//! Does not own: which text belongs to which item (`records`), moving and deleting texts (`maintenance::tidy`).

mod dictionary;
mod files;
mod live;
mod packing;
mod place;

pub(crate) use dictionary::Dictionaries;
#[cfg(fuzzing)]
pub(crate) use files::frame;
pub(crate) use files::{HEAD, MAGIC, Text, Texts, framed, numbers, on_disk};
pub(crate) use live::{Balance, is_balanced, live_in, read_through, recount};
pub(crate) use packing::{pack, unpack};
pub(crate) use place::{Place, named};
