//! Errors of writing to an output directory.

use std::io;
use std::path::Path;

use thiserror::Error;

/// An error of writing to an output directory.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SinkError {
    /// A system call failed.
    #[error("cannot {action} `{path}`")]
    Io {
        /// The action, as a verb.
        action: &'static str,
        /// The path that it failed for.
        path: String,
        /// The error of the system.
        #[source]
        source: io::Error,
    },
    /// A path outside the directory, from the caller or from a damaged record.
    #[error("`{path}` is not a path inside the output directory")]
    Path {
        /// The path.
        path: String,
    },
}

impl SinkError {
    /// Returns a stable name for metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => "disk_full",
            Self::Io { .. } => "io",
            Self::Path { .. } => "path",
        }
    }

    /// Returns whether a later attempt may succeed, as after a full disk.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Io { .. })
    }
}

pub(super) fn io_error(action: &'static str, path: &Path, source: io::Error) -> SinkError {
    SinkError::Io { action, path: path.display().to_string(), source }
}
