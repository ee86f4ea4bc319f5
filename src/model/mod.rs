//! Plain types that all rooms share, without IO.
//!
//! Owns: instants, `InfoCode`s, slugs and the reading of names for them, content hashes, documents as parsers
//! return them, items as the store keeps them, requests and answers. Does not own: any decision (see `ingest`),
//! any bytes on disk (see `store`), any output (see `render`). A new type belongs here only if at least two
//! rooms pass it to each other.

pub mod category;
mod chain;
mod cursor;
pub mod document;
pub mod hash;
pub mod http;
pub mod info_code;
pub mod item;
pub mod markup;
pub mod memory;
pub mod nesting;
mod pattern;
pub mod private;
pub mod reading;
pub mod signs;
pub mod slug;
pub mod source;
pub mod text;
pub mod timestamp;

pub use category::{Category, CategoryChoice, CategoryId};
pub use chain::chain;
pub use cursor::Cursor;
pub use document::{Author, Deleted, Document, Enclosure, Entry, Hints, Repair};
pub use hash::ContentHash;
pub use http::{Fetched, NotModified, Request, Response, Validators, address_hash, host_of};
pub use info_code::{CodeSpace, InfoCode};
pub use item::{Article, Body, Item};
pub use pattern::Pattern;
pub use signs::{Compared, Signs};
pub use slug::Slug;
pub use source::{SourceId, SourceState};
pub use timestamp::Timestamp;
