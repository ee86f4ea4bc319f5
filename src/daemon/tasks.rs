//! The tasks that turn the mill: one polls due sources, one publishes changes, one notifies webhooks.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use super::claims::{self, Claims};
use super::error::DaemonError;
use super::heartbeat::Part;
use super::mill::{Live, Mill};
use super::reopening::ReopenBackoff;
use crate::model::{SourceId, Timestamp, chain};
use crate::publish::PublishScope;
use crate::store::{Claim, PollResult, StoreError};

/// Sources polled at once, as a multiple of the fetcher's concurrency: some wait for hosts.
const IN_FLIGHT: usize = 4;
/// The longest sleep between two queries for due sources.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);
/// How long running polls may take when the daemon stops.
const GRACE: Duration = Duration::from_secs(3);
/// The time between two checks whether polls still run before a publish, and the longest wait for them.
const QUIET: Duration = Duration::from_millis(300);
const MAX_QUIET_WAIT: Duration = Duration::from_secs(5);
/// The pause after a failed publish.
const RETRY: Duration = Duration::from_secs(5);
/// The pause before a source is tried again whose earlier poll has not ended.
const BUSY_RETRY: Duration = Duration::from_millis(100);
/// The pause after a failed query for due sources.
const DUE_RETRY: Duration = Duration::from_secs(1);

/// Claims due sources, and polls each in a task of its own.
pub(super) async fn schedule(mut live: Live, stop: CancellationToken) -> Result<(), DaemonError> {
    let mut polls: JoinSet<(Claim, Result<Poll, StoreError>)> = JoinSet::new();
    // Claims of polls that ended without a result: they are polled again before their lease expires.
    let mut unfinished: Vec<Claim> = Vec::new();
    let claims = {
        let mill = live.borrow();
        Claims::new(mill.store.clone(), Arc::clone(&mill.clock), claims::DAEMON)
    };
    let mut patience = ReopenBackoff::default();
    loop {
        // Running polls end under the config that they began with.
        let mill = Arc::clone(&live.borrow_and_update());
        let most = mill.config.fetch.concurrency.max(1) * IN_FLIGHT;
        mill.heartbeat.beat(Part::Scheduler);
        let Some(mended) = patience.keep(&mill).await?.filter(|_| mill.has_room()) else {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(ended) = polls.join_next() => unfinished.extend(outcome(&claims, ended)),
                () = sleep(patience.pause()) => {}
            }
            continue;
        };
        if mended {
            // Their sources are due again.
            unfinished.clear();
        }
        let free = most.saturating_sub(polls.len());
        let due = match claims.due(free).await {
            Ok(due) => due,
            Err(error) => {
                error!(error = chain(&error), "what is due cannot be read");
                // Not at once: the fault may be one that reopening does not detect.
                sleep(DUE_RETRY).await;
                continue;
            }
        };
        let claimed = due.len();
        for claim in due.into_iter().chain(std::mem::take(&mut unfinished)) {
            let mill = Arc::clone(&mill);
            polls.spawn(async move {
                let ended = poll_one(&mill, claim.clone()).await;
                (claim, ended)
            });
        }
        if claimed > 0 && claimed == free {
            // More may be due as soon as one poll has ended.
            debug!(in_flight = polls.len(), "all places taken");
        }
        let pause = pause(&mill, polls.len() >= most).await;
        tokio::select! {
            () = stop.cancelled() => break,
            Some(ended) = polls.join_next() => unfinished.extend(outcome(&claims, ended)),
            Ok(()) = live.changed() => {}
            () = sleep(pause) => {}
        }
        // Collects all polls that have ended, so that one query for due sources serves them all.
        while let Some(ended) = polls.try_join_next() {
            unfinished.extend(outcome(&claims, ended));
        }
    }
    let ended = timeout(GRACE, async { while polls.join_next().await.is_some() {} }).await;
    if ended.is_err() {
        warn!(polls = polls.len(), "polls given up; they are asked again at the next start");
        polls.shutdown().await;
    }
    Ok(())
}

/// Returns the claim of a poll that has to be repeated; removes it otherwise.
fn outcome(
    claims: &Claims,
    ended: Result<(Claim, Result<Poll, StoreError>), tokio::task::JoinError>,
) -> Option<Claim> {
    let (claim, ended) = match ended {
        Ok(ended) => ended,
        Err(error) => {
            error!(%error, "a poll broke");
            return None;
        }
    };
    let again = match &ended {
        Ok(poll) => *poll == Poll::Busy,
        Err(error) => {
            error!(source.id = %claim.id, error = chain(error), "a poll could not be stored");
            // After one damaged record, the source is due again when its lease expires.
            error.needs_mending()
        }
    };
    if !again {
        claims.ended(&claim.id);
    }
    again.then_some(claim)
}

/// The outcome for a claimed source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Poll {
    /// It was polled, or is not polled for now.
    Done,
    /// An earlier poll of it is still running.
    Busy,
}

async fn poll_one(mill: &Mill, claim: Claim) -> Result<Poll, StoreError> {
    let Some(source) = mill.source(&claim.id).filter(|source| source.enabled).cloned() else {
        rest(mill, claim).await?;
        return Ok(Poll::Done);
    };
    let Some(_running) = Running::begin(&mill.running, &claim.id) else {
        // A source is due again as soon as its poll is stored, a moment before that poll ends.
        sleep(BUSY_RETRY).await;
        return Ok(Poll::Busy);
    };
    let report = mill.poll(&source, claim).await?;
    if report.changed() {
        mill.changed.notify_one();
    }
    Ok(Poll::Done)
}

/// Stops polling a source that the config does not have (any more) until the config has it again.
async fn rest(mill: &Mill, mut claim: Claim) -> Result<(), StoreError> {
    claim.state.next_poll = Timestamp::MAX;
    "not in the config, or switched off".clone_into(&mut claim.state.why);
    mill.store.complete(vec![PollResult::of(claim)]).await.map(drop)
}

/// Registers a source as being polled: no second poll of it begins, however long it takes, and the publisher
/// waits for running polls to end.
struct Running<'a>(&'a Mutex<BTreeSet<SourceId>>, SourceId);

impl<'a> Running<'a> {
    fn begin(running: &'a Mutex<BTreeSet<SourceId>>, id: &SourceId) -> Option<Self> {
        let new = running.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone());
        new.then(|| Self(running, id.clone()))
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

async fn pause(mill: &Mill, full: bool) -> Duration {
    if full {
        return LONGEST_SLEEP;
    }
    let now = mill.clock.now();
    match mill.store.call(|store| store.next_due()).await {
        Ok(Some(next)) => {
            let seconds = u64::try_from(next.since(now)).unwrap_or(0);
            Duration::from_secs(seconds).clamp(Duration::from_millis(200), LONGEST_SLEEP)
        }
        _ => LONGEST_SLEEP,
    }
}

/// Publishes after changes; a failed publish is repeated.
pub(super) async fn publish(live: Live, stop: CancellationToken) -> Result<(), DaemonError> {
    let changed = Arc::clone(&live.borrow().changed);
    loop {
        let mill = Arc::clone(&live.borrow());
        mill.heartbeat.beat(Part::Publisher);
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = changed.notified() => {}
            () = sleep(LONGEST_SLEEP) => continue,
        }
        let mill = Arc::clone(&live.borrow());
        // The lists of one round are processed before anything is published (RULES 1.4).
        let _ = timeout(MAX_QUIET_WAIT, wait_for_polls(&mill.running)).await;
        if let Err(error) = mill.publish(PublishScope::Changed, |_, _| {}).await {
            error!(error = %chain(&error), "publish failed; the old outputs stay");
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = sleep(RETRY) => mill.changed.notify_one(),
            }
        }
    }
}

async fn wait_for_polls(running: &Mutex<BTreeSet<SourceId>>) {
    loop {
        sleep(QUIET).await;
        if running.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
            return;
        }
    }
}

/// Notifies webhooks of what was published; a failed delivery is repeated at growing intervals.
pub(super) async fn notify(mut live: Live, stop: CancellationToken) -> Result<(), DaemonError> {
    let mut failures = 0_u32;
    loop {
        let mill = Arc::clone(&live.borrow_and_update());
        match mill.notifier.deliver(&mill.store, &mill.pages).await {
            Ok(true) => failures = 0,
            Ok(false) => failures = failures.saturating_add(1),
            Err(error) => {
                error!(error = chain(&error), "what webhooks are to be told cannot be read");
                failures = failures.saturating_add(1);
            }
        }
        let again = async {
            if failures > 0 {
                sleep(crate::notify::pause(failures)).await;
            } else {
                mill.published.notified().await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            Ok(()) = live.changed() => failures = 0,
            () = again => {}
        }
    }
}
