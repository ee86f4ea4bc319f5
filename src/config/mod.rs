//! Configuration: from an admin's files to typed, checked settings.
//!
//! Owns: the shape of `config/feedmill.toml` and `sources.d/*.toml`, and every message about
//! them. All faults of all files are found in one run. Does not own: what the settings mean;
//! each room has its own small option struct, which is only put together here. Nothing below
//! this module ever sees a whole [`Config`].

mod categories;
pub mod edit;
pub mod faults;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzz;
mod kinds;
pub mod lexical;
mod load;
mod lock;
mod notes;
mod poll;
pub mod reader;
mod rules;
mod secrets;
mod sections;
mod site;
mod sources;
pub mod units;
mod values;
mod webhooks;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::fetch::FetchOptions;
use crate::ingest::IngestOptions;
use crate::model::Slug;
use crate::notify::Webhook;
use crate::publish::PublishOptions;
use crate::serve::ServeOptions;
use crate::source::Source;
use crate::store::{Retention, StoreOptions};

pub use faults::{Fault, Faults, Severity};
pub use load::{Files, Loaded, find, load};
pub use lock::ConfigLock;

/// All settings, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The main file.
    pub path: PathBuf,
    /// How the store is kept.
    pub store: StoreOptions,
    /// Automatic exports of the store.
    pub exports: Exports,
    /// What every category keeps that does not say otherwise.
    pub retention: Retention,
    /// What is published, and how.
    pub publish: PublishOptions,
    /// How items are taken in.
    pub ingest: IngestOptions,
    /// How upstreams are asked.
    pub fetch: FetchOptions,
    /// Where the outputs are served; `None` when they are not.
    pub listen: Option<SocketAddr>,
    /// How they are served.
    pub serve: ServeOptions,
    /// Where what goes on is shown.
    pub status: StatusOptions,
    /// The control socket.
    pub socket: PathBuf,
    /// Who is told after a publish.
    pub webhooks: Vec<Webhook>,
    /// Categories that the config names.
    pub categories: Vec<CategorySettings>,
    /// The sources, by rank of their order.
    pub sources: Vec<Arc<Source>>,
    /// Set once for ever: the authority of published ids.
    pub id_authority: String,
    /// Nobody chose the authority and the site is on loopback: it is not set for ever yet.
    pub trial: bool,
    /// Set once for ever: the code space written bare; empty for none.
    pub code_space: String,
}

/// A small file in the store's folder that tells what was set once, for checks of a config
/// while the store is in use.
pub const FIXED_FILE: &str = "set-once.json";

/// Whether an address is this machine's own, by its name alone.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
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
    /// What it keeps; the default for what all keep.
    pub retention: Retention,
}

/// Where what goes on is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusOptions {
    /// `None` where it is not.
    pub listen: Option<SocketAddr>,
    /// Somebody chose the address: not to get it is a fault.
    pub chosen: bool,
}

/// Automatic exports of the store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exports {
    /// Where.
    pub folder: PathBuf,
    /// How often; zero for never.
    pub every: Duration,
    /// How many are kept; 0 for none at all.
    pub keep: u64,
}
