//! The memory for bodies: a bound on all that are read, parsed and processed at a time.
//!
//! Nearly all feeds are small and never wait: each request has a small allowance of its own. A body that
//! exceeds it acquires all that it may need in one step, once, so that a waiting request does not occupy
//! memory that others wait for. Large bodies then follow one another.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::model::http::BodyPermit;

/// Bytes that a body may have without a permit.
pub(super) const SMALL: u64 = 256 * 1024;
/// Bytes for each semaphore permit.
const UNIT: u64 = 1024;

/// The memory for large bodies.
#[derive(Debug)]
pub(super) struct Budget {
    large: Arc<Semaphore>,
    units: u32,
}

impl Budget {
    /// Creates a budget of `all` bytes for large bodies of at most `largest` bytes each; one of them always
    /// fits.
    pub(super) fn new(all: u64, largest: u64) -> Self {
        let units = u32::try_from(all.max(largest) / UNIT + 1).unwrap_or(u32::MAX);
        let permits = usize::try_from(units).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self { large: Arc::new(Semaphore::new(permits)), units }
    }

    /// Waits for a permit for `bytes`; a small body gets an empty one at once.
    pub(super) async fn share(&self, bytes: u64) -> BodyPermit {
        if bytes <= SMALL {
            return BodyPermit::default();
        }
        let units = u32::try_from(bytes / UNIT + 1).unwrap_or(u32::MAX).min(self.units);
        match Arc::clone(&self.large).acquire_many_owned(units).await {
            Ok(permit) => BodyPermit::of(Arc::new(permit)),
            Err(_) => BodyPermit::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn large_bodies_wait_for_each_other_and_small_ones_for_nobody() {
        let budget = Budget::new(2 << 20, 1 << 20);
        let first = budget.share(1 << 20).await;
        let _second = budget.share(900 << 10).await;
        let soon = std::time::Duration::from_millis(30);
        assert!(tokio::time::timeout(soon, budget.share(1 << 20)).await.is_err());
        assert!(tokio::time::timeout(soon, budget.share(SMALL)).await.is_ok());
        drop(first);
        assert!(tokio::time::timeout(soon, budget.share(1 << 20)).await.is_ok());
    }
}
