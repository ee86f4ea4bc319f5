//! Configuration: from an admin's files to typed, checked settings.
//!
//! Owns: the shape of `config/feedmill.toml` and `sources.d/*.toml`, and every message about them. All
//! faults of all files are found in one run. Does not own: what the settings mean; each room has its own
//! small option struct, which is only filled in here. No room below this one gets a whole [`Config`].

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

/// All settings of the mill, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The main file.
    pub path: PathBuf,
    /// The settings of the store.
    pub store: StoreOptions,
    /// Automatic exports of the store.
    pub exports: Exports,
    /// The retention of every category that sets none of its own.
    pub retention: Retention,
    /// The settings of publishing.
    pub publish: PublishOptions,
    /// The settings of ingesting items.
    pub ingest: IngestOptions,
    /// The settings of requests to newspapers.
    pub fetch: FetchOptions,
    /// The address at which the outputs are served; `None` if they are not.
    pub listen: Option<SocketAddr>,
    /// The settings of the server.
    pub serve: ServeOptions,
    /// The settings of the status page.
    pub status: StatusOptions,
    /// The control socket.
    pub socket: PathBuf,
    /// The webhooks called after a publish.
    pub webhooks: Vec<Webhook>,
    /// Categories that the config lists.
    pub categories: Vec<CategorySettings>,
    /// The sources, in the order of the files.
    pub sources: Vec<Arc<Source>>,
    /// The authority of published ids, which never changes once the store has it.
    pub id_authority: String,
    /// Whether the authority was not chosen and the site is on loopback; it is not fixed then.
    pub trial: bool,
    /// The code space whose codes are written bare, which never changes either; empty for none.
    pub code_space: String,
}

/// The file in the store's folder with the settings that never change, so that a config can be checked while
/// the store is in use.
pub const FIXED_FILE: &str = "set-once.json";

/// Returns whether an address is this machine's own, judged by its host alone.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// A category that the config lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategorySettings {
    /// Its slug.
    pub slug: Slug,
    /// Its name.
    pub name: String,
    /// Further slugs that redirect to it.
    pub aliases: Vec<String>,
    /// Its retention; the default if it has none of its own.
    pub retention: Retention,
}

/// The settings of the status page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusOptions {
    /// The address that it listens on; `None` if it is switched off.
    pub listen: Option<SocketAddr>,
    /// Whether the address differs from the default; failing to bind it is then an error.
    pub chosen: bool,
}

/// Automatic exports of the store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exports {
    /// The folder that they are written to.
    pub folder: PathBuf,
    /// The interval between them; zero for never.
    pub every: Duration,
    /// How many are kept; 0 for none.
    pub keep: u64,
}
