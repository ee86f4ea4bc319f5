//! Backups: the whole store as JSON Lines, the same for every backend, whichever engine wrote them.
//!
//! Owns: the lines (`format`), their validation (`sound`), the file that holds them, compressed or not, with
//! its checksum (`file`), searching one for articles (`holding`), and the names of automatic exports
//! (`automatic`). Does not own: how a backend turns its records into lines and back. A new kind of record is a
//! new line in `format`.

mod automatic;
mod file;
mod format;
mod holding;
mod sound;

pub use automatic::{all, made_at, name};
pub use file::Form;
pub(crate) use file::{Lines, head, read, write};
pub(crate) use format::{
    CategoryLine, CategoryNumbers, Entry, ErasedLine, FormLine, Head, ItemLine, Line, Listings, Seal,
    SourceLine, VERSION,
};
pub use holding::holds;
