//! Output directories: writing published files to disk.
//!
//! Owns: [`OutputKey`], the only place that knows an output's path and media type; atomic writes of whole
//! files; the record of what feedmill wrote. Does not own: the bytes (`render`), or when they are written
//! (`publish`).

mod commit;
mod directory;
mod error;
mod file;
mod hundreds;
mod key;
mod precompression;
mod publish_lock;
mod record;
mod temp_files;

pub use directory::Directory;
pub use error::SinkError;
pub use file::{File, Rendered, WriteCounts};
pub use key::{FeedFormat, OutputKey, PROBED, media_type};
pub use precompression::Precompression;
pub(crate) use precompression::{brotli, gzip};
pub use publish_lock::PublishLock;
pub use record::{Hundred, Shown, Unit};
