//! Why the daemon could not start or go on.

use thiserror::Error;

use crate::control::ControlError;
use crate::fetch::FetchError;
use crate::publish::PublishError;
use crate::render::html::ThemeError;
use crate::store::StoreError;

/// Why the daemon could not start or go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DaemonError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The fetcher cannot be built.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The built-in theme is broken.
    #[error("the theme cannot be used")]
    Theme(#[from] ThemeError),
    /// The outputs.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The control socket.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The listen address.
    #[error("cannot listen on `{address}`; is another server there? see `serve.listen`")]
    Listen {
        /// The address.
        address: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A task of ours broke.
    #[error("a task of the daemon broke: {0}")]
    Task(String),
}
