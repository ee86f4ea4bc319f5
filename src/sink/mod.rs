//! Sinks: where outputs go. One today, a directory.
//!
//! Owns: [`OutputKey`], the one place that knows an output's path, media type and caching;
//! whole files on disk; the record of what feedmill wrote. Does not own: what the bytes are
//! (`render`) or when they are made (`publish`). A second sink (an object store) becomes a
//! trait here when it comes.

mod commit;
mod directory;
mod error;
mod file;
mod hundreds;
mod key;
mod packing;
mod record;
mod turn;
mod unfinished;

pub use directory::Directory;
pub use error::SinkError;
pub use file::{Applied, File, Rendered};
pub use key::{FeedFormat, OutputKey, PROBED, media_type};
pub use packing::Packing;
pub(crate) use packing::{brotli, gzip};
pub use record::{Hundred, Shown, Unit};
pub use turn::Turn;
