//! Configuration: from an admin's files to typed, checked settings.
//!
//! Owns: the shape of `config/feedmill.toml` and `sources.d/*.toml`, and every message about
//! them. All faults of all files are found in one run. Does not own: what the settings mean;
//! each room has its own small option struct, which is only put together here. Nothing below
//! this module ever sees a whole [`Config`].

pub mod faults;
pub mod lexical;
mod load;
pub mod reader;
mod sections;
mod sources;
pub mod units;

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::fetch::FetchOptions;
use crate::ingest::IngestOptions;
use crate::model::Slug;
use crate::publish::PublishOptions;
use crate::source::Source;

pub use faults::{Fault, Faults, Severity};
pub use load::{Loaded, find, load};

/// All settings, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The main file.
    pub path: PathBuf,
    /// Folder of the store.
    pub store: PathBuf,
    /// The store's page cache in bytes.
    pub cache: u64,
    /// What is published, and how.
    pub publish: PublishOptions,
    /// How items are taken in.
    pub ingest: IngestOptions,
    /// How upstreams are asked.
    pub fetch: FetchOptions,
    /// Where the outputs are served; `None` when they are not.
    pub listen: Option<SocketAddr>,
    /// The control socket.
    pub socket: PathBuf,
    /// Categories that the config names.
    pub categories: Vec<CategorySettings>,
    /// The sources, by rank of their order.
    pub sources: Vec<Source>,
    /// Set once for ever: the authority of published ids.
    pub id_authority: String,
    /// Set once for ever: the code space written bare; empty for none.
    pub code_space: String,
}

/// A category that the config names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategorySettings {
    /// Its slug.
    pub slug: Slug,
    /// Its name.
    pub name: String,
    /// Further slugs that lead to it.
    pub aliases: Vec<String>,
}
