//! What becomes of errors of the disk, of sled, and of records that cannot be read.

use std::any::Any;

use sled::transaction::TransactionError;

use crate::store::{Result, StoreError};

/// What a reading verb was doing when it failed.
pub(crate) const READ: &str = "read";

/// Wraps what the disk or sled said.
pub(crate) fn backend<E>(action: &'static str, source: E) -> StoreError
where
    E: std::error::Error + Send + Sync + 'static,
{
    let any: &dyn Any = &source;
    if let Some(io) = any.downcast_ref::<std::io::Error>() {
        return if is_full(io) { StoreError::Full } else { wrapped(action, source) };
    }
    match any.downcast_ref::<sled::Error>() {
        Some(sled::Error::Io(error)) if is_full(error) => StoreError::Full,
        Some(error @ (sled::Error::Corruption { .. } | sled::Error::ReportableBug(_))) => {
            corrupt(action, error.to_string())
        }
        Some(sled::Error::Io(error)) => wrapped(action, std::io::Error::new(error.kind(), source)),
        // sled says `CollectionNotFound` of a tree whose pages it lost.
        Some(error @ sled::Error::CollectionNotFound(_)) => corrupt(action, error.to_string()),
        _ => wrapped(action, source),
    }
}

fn wrapped<E: std::error::Error + Send + Sync + 'static>(action: &'static str, source: E) -> StoreError {
    StoreError::Backend { action, source: Box::new(source) }
}

/// The error of a database that is damaged.
pub(crate) fn corrupt(action: &'static str, detail: impl Into<String>) -> StoreError {
    StoreError::Corrupt { action, detail: detail.into() }
}

/// The error of sled breaking off. It does so over damage, and where the system refused it something (a thread,
/// a file, room): then the store itself is sound.
pub(super) fn broke_off(action: &'static str, why: &str) -> StoreError {
    let why = format!("sled broke off: {why}");
    if why.contains("StorageFull") || why.contains("QuotaExceeded") {
        return StoreError::Full;
    }
    if why.contains("Os { code: ") || why.contains("(os error ") {
        return wrapped(action, std::io::Error::other(why));
    }
    corrupt(action, why)
}

fn is_full(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
}

/// The error of a transaction: ours as it is, sled's wrapped.
pub(super) fn transaction_error(error: TransactionError<StoreError>) -> StoreError {
    match error {
        TransactionError::Abort(ours) => ours,
        TransactionError::Storage(source) => backend("store a transaction", source),
    }
}

/// The error of opening sled's database in a folder.
pub(super) fn open_error(path: &std::path::Path, error: sled::Error) -> StoreError {
    // sled hides the error number of its lock in the text.
    if error.to_string().contains("could not acquire lock") {
        return StoreError::Locked { path: path.display().to_string() };
    }
    backend("open", error)
}

/// A record, or nothing where it cannot be read; other errors are the store's.
pub(crate) fn readable<R>(read: Result<R>) -> Result<Option<R>> {
    match read {
        Ok(record) => Ok(Some(record)),
        Err(StoreError::Damaged { .. } | StoreError::Format { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
