//! The control socket: how commands reach a running daemon (RULES 6.4).
//!
//! Owns: the protocol (one POST of a [`Query`] over HTTP on a Unix socket, answered by a line
//! of JSON an [`Event`]), its client and its server. Does not own: what queries do; the daemon
//! passes that in.

mod client;
mod server;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;
use tokio::sync::mpsc;

use crate::store::backup::Form;

pub use client::{Asked, ask};
pub use server::{Listener, listen};

/// Version of the protocol; client and daemon must agree.
pub const VERSION: u32 = 3;

/// What a command asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Query {
    /// One round over these sources, or all.
    Poll {
        /// Ids; empty for all that are enabled.
        sources: Vec<String>,
        /// Ask, and only say what would be stored.
        dry_run: bool,
        /// Leave the outputs to a later publish.
        #[serde(default)]
        no_publish: bool,
    },
    /// Forget where a source moved to.
    UndoMove {
        /// Its id.
        source: String,
    },
    /// Use the config as it stands on the disk.
    Reload {
        /// Even if items would not be taken in any more.
        accept: bool,
    },
    /// Bring all outputs up to date.
    Publish,
    /// All sources with their state.
    Sources,
    /// All categories.
    Categories,
    /// The newest items.
    Items {
        /// Slug or name; all without.
        category: Option<String>,
        /// At most this many.
        limit: usize,
    },
    /// All of one item.
    Item {
        /// `infoCode`, as text; aliases of its code space too.
        code: String,
    },
    /// One item's whole story.
    Explain {
        /// As for [`Query::Item`].
        code: String,
    },
    /// How things stand.
    Status,
    /// Log something else from now on.
    Log {
        /// What; the default without.
        filter: Option<String>,
    },
    /// Move an item to a category, for ever.
    Move {
        /// As for [`Query::Item`].
        code: String,
        /// Slug or name.
        to: String,
    },
    /// Give a category another name or slug.
    RenameCategory {
        /// Slug or name.
        category: String,
        /// The new name; the old one without.
        name: Option<String>,
        /// The new slug; the old one without.
        slug: Option<String>,
    },
    /// Make one category of two.
    MergeCategory {
        /// Slug or name of the one that goes.
        from: String,
        /// Slug or name of the one that stays.
        into: String,
        /// Only say what would happen.
        dry_run: bool,
    },
    /// Take items out of everything that is published.
    Withdraw {
        /// Codes as for [`Query::Item`], our addresses, or the newspapers'.
        names: Vec<String>,
        /// Why, for those who ask later.
        why: String,
        /// Their text goes too.
        erase: bool,
        /// Other items with the same link or text go with them.
        copies: bool,
        /// Exports that hold them are deleted, and a new one is made.
        #[serde(default)]
        exports: bool,
        /// Only say what would happen.
        dry_run: bool,
    },
    /// Put a withdrawn item back.
    Restore {
        /// As for [`Query::Item`].
        code: String,
        /// Why.
        why: String,
    },
    /// All rules with what they did.
    Rules,
    /// Apply changed rules and routes to what is stored.
    Reroute {
        /// Only say what would happen.
        dry_run: bool,
    },
    /// Items whose title or code contains a text.
    Find {
        /// The text.
        text: String,
        /// At most this many.
        limit: usize,
    },
    /// Care of the store.
    Store(StoreQuery),
    /// Take an old Jekyll site over.
    ImportJekyll {
        /// Its folder, absolute.
        folder: String,
        /// Only say what would happen.
        dry_run: bool,
    },
}

/// Care of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreQuery {
    /// Look for faults.
    Check,
    /// Mend them.
    Repair,
    /// Give the room of what was deleted back.
    Compact,
    /// Count what is in it.
    Stats,
    /// Write everything into a file.
    Export {
        /// The file, absolute.
        path: String,
        /// Compressed, or the lines as they are.
        form: Form,
    },
    /// Take an export in: what is missing, or all of it in the place of an empty store.
    Import {
        /// The file, absolute.
        path: String,
        /// All of it, even if the store holds items.
        replace: bool,
    },
}

impl StoreQuery {
    /// Whether the store is another one afterwards.
    #[must_use]
    pub fn changes(&self) -> bool {
        !matches!(self, Self::Check | Self::Stats | Self::Export { .. })
    }
}

/// What comes back, one JSON object a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// How far long work is.
    Progress {
        /// Steps done.
        done: usize,
        /// Steps in all.
        of: usize,
        /// What was done last.
        what: String,
    },
    /// The answer; the last event.
    Done(Value),
    /// It failed; the last event.
    Failed(String),
}

/// Where the handler of a query puts its events.
pub type Events = mpsc::Sender<Event>;

/// Why a daemon could not be asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ControlError {
    /// The socket is there and something is wrong with it.
    #[error("cannot talk to the daemon at `{path}`")]
    Talk {
        /// The socket.
        path: String,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The daemon answered something else.
    #[error(
        "the daemon at `{path}` answered in another way than this feedmill knows ({detail}); use the same version for both"
    )]
    Protocol {
        /// The socket.
        path: String,
        /// What it said.
        detail: String,
    },
    /// The socket cannot be made.
    #[error("cannot listen on the control socket `{path}`")]
    Listen {
        /// The socket.
        path: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}
