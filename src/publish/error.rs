//! Errors of publishing.

use thiserror::Error;

use crate::render::RenderError;
use crate::render::html::ThemeError;
use crate::sink::SinkError;
use crate::store::StoreError;

/// An error of publishing.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The output directory failed.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// A feed cannot be rendered.
    #[error("a feed cannot be rendered")]
    Render(#[from] RenderError),
    /// A page cannot be rendered.
    #[error("a page cannot be rendered")]
    Theme(#[from] ThemeError),
    /// A static file cannot be copied.
    #[error("cannot copy the static file `{path}`")]
    Static {
        /// The file.
        path: String,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
}

impl PublishError {
    /// Returns a stable word for metrics.
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

    /// Returns whether the next publish may succeed without intervention.
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
