//! Errors that keep the daemon from starting or going on.

use thiserror::Error;

use crate::control::ControlError;
use crate::fetch::FetchError;
use crate::publish::PublishError;
use crate::render::html::ThemeError;
use crate::store::StoreError;

/// An error that keeps the daemon from starting or going on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DaemonError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The fetcher cannot be built.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The built-in theme is broken.
    #[error("the theme cannot be used")]
    Theme(#[from] ThemeError),
    /// The outputs cannot be published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The control socket cannot be used.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The listen address cannot be bound.
    #[error("cannot listen on `{address}`; is another server there? see `serve.listen`")]
    Listen {
        /// The address.
        address: String,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// A task of the daemon panicked or failed.
    #[error("a task of the daemon broke: {0}")]
    Task(String),
}
