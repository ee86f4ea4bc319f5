//! How the daemon waits for a store that cannot be opened.
//!
//! Attempts become less frequent, and the daemon resumes as soon as one succeeds. Where only a new process
//! may help (too many open files, a lock that is never released), the daemon ends with an error after
//! [`GIVE_UP_AFTER`], so that its supervisor restarts it. A full or read-only disk would be the same for a new
//! process, so the daemon stays and serves the outputs.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::error;

use super::error::DaemonError;
use super::mill::Mill;
use crate::model::chain;
use crate::store::StoreError;

/// The time between two checks of an open store, and before the first new attempt.
const FIRST: Duration = Duration::from_secs(1);
/// The longest time between two attempts.
const LONGEST: Duration = Duration::from_secs(15);
/// How long the store may stay closed before the process ends.
const GIVE_UP_AFTER: Duration = Duration::from_mins(10);

/// The attempts to open a store that is closed.
#[derive(Debug, Default)]
pub(super) struct ReopenBackoff {
    since: Option<Instant>,
    tries: u32,
}

impl ReopenBackoff {
    /// Reopens the store where needed; returns whether it did, or `None` if it cannot be used yet.
    ///
    /// # Errors
    /// The store's error, after [`GIVE_UP_AFTER`] without success, so that another process can try.
    pub(super) async fn keep(&mut self, mill: &Arc<Mill>) -> Result<Option<bool>, StoreError> {
        match mill.keep_store().await {
            Ok(mended) => {
                *self = Self::default();
                Ok(Some(mended))
            }
            Err(why) => {
                error!(error = chain(&why), "the store cannot be used; what is published is served");
                if self.is_over(&why, Instant::now()) {
                    error!(
                        "the store could not be opened for {} minutes: feedmill ends, to be started again",
                        GIVE_UP_AFTER.as_secs() / 60
                    );
                    return Err(why);
                }
                Ok(None)
            }
        }
    }

    /// Counts a failed attempt and returns whether it was the last.
    fn is_over(&mut self, why: &StoreError, now: Instant) -> bool {
        self.tries = self.tries.saturating_add(1);
        let since = *self.since.get_or_insert(now);
        now.duration_since(since) >= GIVE_UP_AFTER && !why.is_of_the_disk()
    }

    /// Returns the time until the next check.
    pub(super) fn pause(&self) -> Duration {
        FIRST.saturating_mul(1 << self.tries.saturating_sub(1).min(10)).min(LONGEST)
    }
}

/// Reopens the store where needed, in a process that does not poll, until `stop`.
///
/// # Errors
/// As [`ReopenBackoff::keep`]; `stop` is cancelled then.
pub(super) async fn keep_open(mill: Arc<Mill>, stop: CancellationToken) -> Result<(), DaemonError> {
    let mut patience = ReopenBackoff::default();
    loop {
        patience.keep(&mill).await.inspect_err(|_| stop.cancel())?;
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = sleep(patience.pause()) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: i32) -> StoreError {
        StoreError::Backend { action: "open", source: Box::new(std::io::Error::from_raw_os_error(code)) }
    }

    #[test]
    fn tries_grow_rare_and_end_where_another_process_may_help() {
        let begun = Instant::now();
        let mut patience = ReopenBackoff::default();
        let mut pauses = vec![patience.pause().as_secs()];
        for _ in 0..6 {
            assert!(!patience.is_over(&refused(24), begun));
            pauses.push(patience.pause().as_secs());
        }
        assert_eq!(pauses, [1, 1, 2, 4, 8, 15, 15]);
        assert!(!patience.is_over(&refused(24), begun + GIVE_UP_AFTER - FIRST));
        for (why, over) in
            [(refused(24), true), (refused(30), false), (refused(13), false), (StoreError::Full, false)]
        {
            assert_eq!(patience.is_over(&why, begun + GIVE_UP_AFTER), over, "{why}");
        }
    }
}
