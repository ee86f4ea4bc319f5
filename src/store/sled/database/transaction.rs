//! Transactions over all trees, and their steps.

use sled::Transactional;
use sled::transaction::{ConflictableTransactionError, ConflictableTransactionResult, TransactionalTree};

use super::codec;
use super::faults::transaction_error;
use super::keys::u64_at;
use super::open::Database;
use super::trees::TreeId;
use crate::store::{Result, StoreError};

/// The trees as a transaction sees them.
pub(crate) type Tx<'a> = &'a [TransactionalTree];
/// The result of a step of a transaction.
pub(crate) type TxResult<T> = ConflictableTransactionResult<T, StoreError>;

impl Database {
    /// Runs `work` as one transaction, stored whole or not at all. `work` may run several times.
    pub(crate) fn transact<R>(&self, work: impl Fn(Tx<'_>) -> TxResult<R>) -> Result<R> {
        let all = |tx: Tx<'_>| work(tx).and_then(|done| begin_noted(tx).map(|()| done));
        let done = self.trees().transaction(|tx| all(tx)).map_err(transaction_error)?;
        self.wrote();
        Ok(done)
    }
}

/// Ends a transaction with an error; nothing of it is stored.
pub(crate) fn abort(error: StoreError) -> ConflictableTransactionError<StoreError> {
    ConflictableTransactionError::Abort(error)
}

/// Returns one tree in a transaction.
pub(crate) fn tree(tx: Tx<'_>, tree: TreeId) -> &TransactionalTree {
    &tx[tree as usize]
}

/// Writes a record, of a size that the layout allows.
pub(crate) fn put(tx: Tx<'_>, at: TreeId, key: &[u8], value: &[u8]) -> TxResult<()> {
    codec::fits("stored", value).map_err(abort)?;
    tree(tx, at).insert(key, value)?;
    Ok(())
}

/// Removes a record, if it exists.
pub(crate) fn delete(tx: Tx<'_>, at: TreeId, key: &[u8]) -> TxResult<()> {
    tree(tx, at).remove(key)?;
    Ok(())
}

/// Increments a counter, and returns its new value.
pub(crate) fn next(tx: Tx<'_>, name: &str) -> TxResult<u64> {
    let sys = tree(tx, TreeId::Sys);
    let value = sys.get(name)?.and_then(|bytes| u64_at(&bytes, 0)).unwrap_or_default() + 1;
    sys.insert(name, &value.to_be_bytes())?;
    Ok(value)
}

/// Begins the upcoming generation if an item is indexed under it and no category has begun it, as for changes
/// of a withdrawn item: a consumer that walks all changes then finds it once the transaction has ended.
fn begin_noted(tx: Tx<'_>) -> TxResult<()> {
    let first = [&upcoming(tx)?.to_be_bytes()[..], &[0, 0]].concat();
    if tree(tx, TreeId::Touched).get(first)?.is_some() {
        next(tx, "generation")?;
    }
    Ok(())
}

/// Returns the generation that the categories of this transaction begin with when it ends.
pub(crate) fn upcoming(tx: Tx<'_>) -> TxResult<u64> {
    let bytes = tree(tx, TreeId::Sys).get("generation")?;
    Ok(bytes.and_then(|b| u64_at(&b, 0)).unwrap_or_default() + 1)
}
