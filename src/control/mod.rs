//! The control socket: commands send queries to a running daemon (RULES 6.4).
//!
//! Owns: the protocol (a POST of a [`Query`] over HTTP on a Unix socket; the response has one [`Event`] per
//! line, as JSON), its client and its server. Does not own: what queries do; the daemon passes a handler in.

mod client;
mod server;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;
use tokio::sync::mpsc;

use crate::store::backup::Form;

pub use client::{Reply, ask};
pub use server::{Listener, listen};

/// Version of the protocol; client and daemon must have the same.
pub const VERSION: u32 = 3;

/// A query of a command to the daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Query {
    /// Poll these sources once.
    Poll {
        /// Ids of sources; empty for all enabled ones.
        sources: Vec<String>,
        /// Store nothing; report what would be stored.
        dry_run: bool,
        /// Do not publish afterwards.
        #[serde(default)]
        no_publish: bool,
    },
    /// Forget the address that a source moved to.
    UndoMove {
        /// Its id.
        source: String,
    },
    /// Load the configuration again.
    Reload {
        /// Use it even if items of a source would no longer be found.
        accept: bool,
    },
    /// Publish all outputs that are outdated.
    Publish,
    /// List all sources with their state.
    Sources,
    /// List all categories.
    Categories,
    /// List the newest items.
    Items {
        /// Slug or name of a category; all categories if none.
        category: Option<String>,
        /// At most this many.
        limit: usize,
    },
    /// Show an item with all its fields.
    Item {
        /// `infoCode`, as text. Aliases of its code space are accepted.
        code: String,
    },
    /// Show the history of an item and the decisions about it.
    Explain {
        /// Code as in [`Query::Item`].
        code: String,
    },
    /// Show the state of the daemon.
    Status,
    /// Change the log filter.
    Log {
        /// The new filter; the default one if none.
        filter: Option<String>,
    },
    /// Move an item to a category permanently.
    Move {
        /// Code as in [`Query::Item`].
        code: String,
        /// Slug or name of the category.
        to: String,
    },
    /// Change the name or slug of a category.
    RenameCategory {
        /// Slug or name.
        category: String,
        /// The new name; unchanged if none.
        name: Option<String>,
        /// The new slug; unchanged if none.
        slug: Option<String>,
    },
    /// Merge a category into another.
    MergeCategory {
        /// Slug or name of the category that is removed.
        from: String,
        /// Slug or name of the category that stays.
        into: String,
        /// Change nothing; report what would change.
        dry_run: bool,
    },
    /// Withdraw items from all outputs.
    Withdraw {
        /// Codes as in [`Query::Item`], URLs of pages on the site, or URLs of original articles.
        names: Vec<String>,
        /// Reason, shown in the item's history.
        why: String,
        /// Also erase their text.
        erase: bool,
        /// Also withdraw other items with the same link or text.
        copies: bool,
        /// Delete exports that contain them, and write a new one.
        #[serde(default)]
        exports: bool,
        /// Change nothing; report what would change.
        dry_run: bool,
    },
    /// Restore a withdrawn item.
    Restore {
        /// Code as in [`Query::Item`].
        code: String,
        /// Reason, shown in the item's history.
        why: String,
    },
    /// List all rules with counts of what they did.
    Rules,
    /// Apply changed rules and routes to stored items.
    Reroute {
        /// Change nothing; report what would change.
        dry_run: bool,
    },
    /// Find items whose title or code contains a text.
    Find {
        /// The text.
        text: String,
        /// At most this many.
        limit: usize,
    },
    /// Maintain the store.
    Store(StoreQuery),
    /// Import a Jekyll site.
    ImportJekyll {
        /// Its folder, an absolute path.
        folder: String,
        /// Change nothing; report what would change.
        dry_run: bool,
    },
}

/// A query for maintenance of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreQuery {
    /// Check the store for faults.
    Check,
    /// Repair faults.
    Repair,
    /// Free the disk space of deleted records.
    Compact,
    /// Count records.
    Stats,
    /// Export the store to a file.
    Export {
        /// The file, an absolute path.
        path: String,
        /// Compressed, or plain lines.
        form: Form,
    },
    /// Import an export: missing records into a store with items, everything into an empty one.
    Import {
        /// The file, an absolute path.
        path: String,
        /// Import everything even if the store has items.
        replace: bool,
    },
}

impl StoreQuery {
    /// Returns whether the query changes the store.
    #[must_use]
    pub fn changes(&self) -> bool {
        !matches!(self, Self::Check | Self::Stats | Self::Export { .. })
    }
}

/// An event of the response, a line of JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// Progress of a long operation.
    Progress {
        /// Steps done.
        done: usize,
        /// Steps in total.
        of: usize,
        /// The last step, for people.
        what: String,
    },
    /// Success with its result; the last event.
    Done(Value),
    /// Failure with its message; the last event.
    Failed(String),
}

/// The sender of a query's events.
pub type Events = mpsc::Sender<Event>;

/// An error of the control socket.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ControlError {
    /// A daemon listens but the request failed.
    #[error("cannot talk to the daemon at `{path}`")]
    Request {
        /// Path of the socket.
        path: String,
        /// The error of the client.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The response is not one of this version's protocol.
    #[error(
        "the daemon at `{path}` sent an unexpected response ({detail}); use the same version of feedmill for both"
    )]
    Protocol {
        /// Path of the socket.
        path: String,
        /// The status of the response.
        detail: String,
    },
    /// The socket cannot be bound.
    #[error("cannot listen on the control socket `{path}`")]
    Listen {
        /// Path of the socket.
        path: String,
        /// The error of the system.
        #[source]
        source: std::io::Error,
    },
}
