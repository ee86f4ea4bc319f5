//! Why publishing failed.

use thiserror::Error;

use crate::render::RenderError;
use crate::render::html::ThemeError;
use crate::sink::SinkError;
use crate::store::StoreError;

/// Why publishing failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The output directory.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// A feed.
    #[error("a feed cannot be rendered")]
    Render(#[from] RenderError),
    /// A template.
    #[error("a page cannot be rendered")]
    Theme(#[from] ThemeError),
    /// A static file.
    #[error("cannot copy the static file `{path}`")]
    Static {
        /// The file.
        path: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl PublishError {
    /// A stable word for metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Store(error) => error.kind(),
            Self::Sink(error) => error.kind(),
            Self::Render(_) => "render",
            Self::Theme(_) => "theme",
            Self::Static { .. } => "static",
        }
    }

    /// Whether the next publish may end well by itself.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Store(error) => error.is_transient(),
            Self::Sink(error) => error.is_transient(),
            Self::Theme(_) | Self::Render(_) => false,
            Self::Static { .. } => true,
        }
    }
}
