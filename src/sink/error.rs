//! Why a sink could not be written.

use std::io;
use std::path::Path;

use thiserror::Error;

/// Why the directory could not be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SinkError {
    /// The file system said no.
    #[error("cannot {action} `{path}`")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which path.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A path that leaves the directory: a fault of the caller.
    #[error("`{path}` is not a path inside the output directory")]
    Path {
        /// The path.
        path: String,
    },
}

impl SinkError {
    /// A stable word for metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => "disk_full",
            Self::Io { .. } => "io",
            Self::Path { .. } => "path",
        }
    }

    /// A full disk may have room again.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Io { .. })
    }
}

pub(super) fn io_error(action: &'static str, path: &Path, source: io::Error) -> SinkError {
    SinkError::Io { action, path: path.display().to_string(), source }
}
