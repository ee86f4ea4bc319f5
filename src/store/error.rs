//! Errors of the store, and what to do about them.

use std::io::ErrorKind;

use thiserror::Error;

/// The reasons for which a verb of the store fails.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process holds the lock of the store.
    #[error(
        "the store `{path}` is in use by another process (its lock is held); stop that feedmill, or use its control socket"
    )]
    Locked {
        /// The store's folder.
        path: String,
    },
    /// The disk or sled failed.
    #[error("the store failed to {action}")]
    Backend {
        /// The attempted action.
        action: &'static str,
        /// The underlying error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Its files are damaged, or sled panicked or failed on them.
    #[error("the store is damaged: it failed to {action}: {detail}")]
    Corrupt {
        /// The attempted action.
        action: &'static str,
        /// The error or panic message of sled.
        detail: String,
    },
    /// The disk is full.
    #[error("the disk of the store is full; make room on it, feedmill goes on by itself")]
    Full,
    /// The store is being repaired, or could not be opened again yet.
    #[error("the store is closed for now: {why}")]
    Closed {
        /// The reason.
        why: String,
    },
    /// A task of this program panicked or was cancelled; the store itself is sound.
    #[error("a task over the store broke")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A record cannot be read.
    #[error("the store holds a damaged {what} record")]
    Damaged {
        /// Which kind of record.
        what: &'static str,
    },
    /// The store has the format of another feedmill version.
    #[error(
        "the store has format {found}, this feedmill knows format {known}: {}",
        way_back(kept.as_deref())
    )]
    Format {
        /// The format of the store.
        found: u8,
        /// The format of this program.
        known: u8,
        /// The path of the store as it was before a newer feedmill migrated it.
        kept: Option<String>,
    },
    /// A file to be imported is not a complete export.
    #[error("the file cannot be taken in, and nothing was changed: {detail}")]
    Unusable {
        /// What is wrong with it.
        detail: String,
    },
    /// The file is an export of another site.
    #[error(
        "the file is of another site, and nothing was changed: its `{key}` is `{file}`, and that of this store is \
         `{store}`; to go on as that site, set `{key} = \"{file}\"` in the config of a feedmill that has no store yet"
    )]
    Foreign {
        /// The setting that differs.
        key: &'static str,
        /// Its value in the file.
        file: String,
        /// Its value in the store.
        store: String,
    },
    /// Work on the whole store needs more disk space than is free.
    #[error("this needs {} MiB on the disk of `{path}`, and {} MiB are free: make room first", needed >> 20, free >> 20)]
    NoRoom {
        /// A folder on that disk.
        path: String,
        /// Bytes needed.
        needed: u64,
        /// Bytes free.
        free: u64,
    },
    /// A record that exceeds the limit of its kind.
    #[error("a {what} record of {bytes} bytes is over the limit of {limit}")]
    TooLarge {
        /// Which kind of record.
        what: &'static str,
        /// Its size in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A value that is set once would change (RULES 3.3).
    #[error(
        "`{key}` is `{stored}` in the store and is set once for ever; the config now says `{asked}`: put the old value back"
    )]
    Fixed {
        /// The setting.
        key: &'static str,
        /// Its value in the store.
        stored: String,
        /// Its value in the config.
        asked: String,
    },
}

/// Returns the advice for a store of another format.
fn way_back(kept: Option<&str>) -> String {
    let kept = kept.map_or_else(String::new, |kept| {
        format!(", or put the store as it was before, `{kept}`, back in its place")
    });
    format!(
        "use the feedmill that wrote it; to change over, let that one write `feedmill store export --lines FILE`, \
         move the store's folder away, and take the file in with `feedmill store import FILE`{kept}"
    )
}

impl StoreError {
    /// Wraps the failure of a task that used the store.
    #[must_use]
    pub fn task(error: tokio::task::JoinError) -> Self {
        Self::Broken(Box::new(error))
    }

    /// Wraps the failure of a thread that ended without sending its result.
    #[must_use]
    pub(super) fn unheard(error: tokio::sync::oneshot::error::RecvError) -> Self {
        Self::Backend { action: "end a poll", source: Box::new(error) }
    }

    /// Returns a stable word for metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "locked",
            Self::Backend { .. } => "backend",
            Self::Corrupt { .. } => "corrupt",
            Self::Full => "full",
            Self::Closed { .. } => "closed",
            Self::Broken(_) => "broken",
            Self::Damaged { .. } => "damaged",
            Self::Format { .. } => "format",
            Self::Unusable { .. } => "unusable",
            Self::Foreign { .. } => "foreign",
            Self::NoRoom { .. } => "no_room",
            Self::TooLarge { .. } => "too_large",
            Self::Fixed { .. } => "fixed",
        }
    }

    /// Returns whether the store as a whole is unusable until it is repaired or reopened.
    #[must_use]
    pub fn needs_mending(&self) -> bool {
        matches!(self, Self::Backend { .. } | Self::Corrupt { .. } | Self::Full | Self::Closed { .. })
    }

    /// Returns whether something in the store is unreadable for good.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Corrupt { .. } | Self::Damaged { .. })
    }

    /// Returns whether the cause is the disk: it is full, or refuses writes. Another process would fail as
    /// well.
    #[must_use]
    pub fn is_of_the_disk(&self) -> bool {
        let Self::Backend { source, .. } = self else {
            return matches!(self, Self::Full | Self::NoRoom { .. });
        };
        let refused = source.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        matches!(refused, Some(ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied))
    }

    /// Returns whether a retry may succeed.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.needs_mending() || matches!(self, Self::Locked { .. })
    }
}

/// The result of every verb.
pub type Result<T> = std::result::Result<T, StoreError>;
