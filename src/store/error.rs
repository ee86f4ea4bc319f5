//! Why the store could not do what was asked, and the way out.

use std::io::ErrorKind;

use thiserror::Error;

/// Why the store could not do what was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process holds the store.
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
        /// What was tried.
        action: &'static str,
        /// What sled said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Its files are damaged, or sled broke over them.
    #[error("the store is damaged: it failed to {action}: {detail}")]
    Corrupt {
        /// What was tried.
        action: &'static str,
        /// What sled said.
        detail: String,
    },
    /// No room on its disk.
    #[error("the disk of the store is full; make room on it, feedmill goes on by itself")]
    Full,
    /// It is being mended, or could not be opened again yet.
    #[error("the store is closed for now: {why}")]
    Closed {
        /// Why.
        why: String,
    },
    /// A task of ours broke; the store itself is sound.
    #[error("a task over the store broke")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A record cannot be read.
    #[error("the store holds a damaged {what} record")]
    Damaged {
        /// Which kind of record.
        what: &'static str,
    },
    /// Another feedmill wrote this.
    #[error(
        "the store has format {found}, this feedmill knows format {known}: {}",
        way_back(kept.as_deref())
    )]
    Format {
        /// In the store.
        found: u8,
        /// Of this program.
        known: u8,
        /// Where the store stands as it was before a newer feedmill migrated it.
        kept: Option<String>,
    },
    /// A file that was to be taken in is no whole export.
    #[error("the file cannot be taken in, and nothing was changed: {detail}")]
    Unusable {
        /// What is wrong with it.
        detail: String,
    },
    /// An export of another site.
    #[error(
        "the file is of another site, and nothing was changed: its `{key}` is `{file}`, and that of this store is \
         `{store}`; to go on as that site, set `{key} = \"{file}\"` in the config of a feedmill that has no store yet"
    )]
    Foreign {
        /// The setting that differs.
        key: &'static str,
        /// In the file.
        file: String,
        /// In the store.
        store: String,
    },
    /// Work on the whole store needs more room than there is.
    #[error("this needs {} MiB on the disk of `{path}`, and {} MiB are free: make room first", needed >> 20, free >> 20)]
    NoRoom {
        /// A folder on that disk.
        path: String,
        /// Bytes.
        needed: u64,
        /// Bytes.
        free: u64,
    },
    /// A record over the limit of the layout.
    #[error("a {what} record of {bytes} bytes is over the limit of {limit}")]
    TooLarge {
        /// Which kind of record.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Something that is set once was asked to change (RULES 3.3).
    #[error(
        "`{key}` is `{stored}` in the store and is set once for ever; the config now says `{asked}`: put the old value back"
    )]
    Fixed {
        /// The setting.
        key: &'static str,
        /// In the store.
        stored: String,
        /// In the config.
        asked: String,
    },
}

/// What to do about a store of another format.
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
    /// A task that should have used the store broke.
    #[must_use]
    pub fn task(error: tokio::task::JoinError) -> Self {
        Self::Broken(Box::new(error))
    }

    /// A thread that should have told what became of it broke.
    #[must_use]
    pub(super) fn unheard(error: tokio::sync::oneshot::error::RecvError) -> Self {
        Self::Backend { action: "end a poll", source: Box::new(error) }
    }

    /// A stable word for metrics.
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

    /// Whether the store as a whole cannot be used as it is, only mended.
    #[must_use]
    pub fn needs_mending(&self) -> bool {
        matches!(self, Self::Backend { .. } | Self::Corrupt { .. } | Self::Full | Self::Closed { .. })
    }

    /// Whether something in the store cannot be read, and never will.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Corrupt { .. } | Self::Damaged { .. })
    }

    /// Whether it lies with the disk: it is full, or may not be written to. No other process would fare better.
    #[must_use]
    pub fn is_of_the_disk(&self) -> bool {
        let Self::Backend { source, .. } = self else {
            return matches!(self, Self::Full | Self::NoRoom { .. });
        };
        let refused = source.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        matches!(refused, Some(ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied))
    }

    /// Whether trying again may help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.needs_mending() || matches!(self, Self::Locked { .. })
    }
}

/// Result of every verb.
pub type Result<T> = std::result::Result<T, StoreError>;
