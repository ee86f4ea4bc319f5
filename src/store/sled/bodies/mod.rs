//! The texts of articles: packed, in append-only files beside sled's, which holds only where each is.
//!
//! Owns: the files, their frames and how durable they are, compression and its dictionaries, the count of
//! live bytes. Does not own: which text is whose (`records`), moving and deleting them (`maintenance::tidy`).

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
