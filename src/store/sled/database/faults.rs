//! Conversion of errors: of the disk, of sled, and of records that cannot be read.

use std::any::Any;

use sled::transaction::TransactionError;

use crate::store::{Result, StoreError};

/// The action of a verb that only reads.
pub(crate) const READ: &str = "read";

/// Wraps an error of the disk or of sled.
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
        // sled returns `CollectionNotFound` for a tree whose pages it lost.
        Some(error @ sled::Error::CollectionNotFound(_)) => corrupt(action, error.to_string()),
        _ => wrapped(action, source),
    }
}

fn wrapped<E: std::error::Error + Send + Sync + 'static>(action: &'static str, source: E) -> StoreError {
    StoreError::Backend { action, source: Box::new(source) }
}

/// Returns the error of a damaged database.
pub(crate) fn corrupt(action: &'static str, detail: impl Into<String>) -> StoreError {
    StoreError::Corrupt { action, detail: detail.into() }
}

/// Returns the error for a panic of sled. It panics on damage, but also if the system refuses it something (a
/// thread, a file, space), in which case the store itself is sound.
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

/// Converts the error of a transaction: our own as it is, sled's wrapped.
pub(super) fn transaction_error(error: TransactionError<StoreError>) -> StoreError {
    match error {
        TransactionError::Abort(ours) => ours,
        TransactionError::Storage(source) => backend("store a transaction", source),
    }
}

/// Converts the error of opening sled's database in a folder.
pub(super) fn open_error(path: &std::path::Path, error: sled::Error) -> StoreError {
    // sled's text hides the error number of its lock.
    if error.to_string().contains("could not acquire lock") {
        return StoreError::Locked { path: path.display().to_string() };
    }
    backend("open", error)
}

/// Returns a record, or `None` if it cannot be read; other errors are returned.
pub(crate) fn readable<R>(read: Result<R>) -> Result<Option<R>> {
    match read {
        Ok(record) => Ok(Some(record)),
        Err(StoreError::Damaged { .. } | StoreError::Format { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
