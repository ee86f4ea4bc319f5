//! Claims of this process's polls on sources. They are renewed while the polls run, so that a long
//! poll keeps its source, and expire soon after a poll that is given up.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::task::AbortOnDropHandle;
use tracing::{debug, warn};

use crate::clock::Clock;
use crate::model::{SourceId, chain};
use crate::store::{Claim, Claimed, Handle, StoreError};

/// Names of the workers that claim sources, as shown to others.
pub(super) const DAEMON: &str = "the daemon";
pub(super) const COMMAND: &str = "a command";
pub(super) const CONFIG: &str = "the config";
/// All names under which a process that has the store for itself may have claimed sources.
pub(super) const ALL: [&str; 3] = [DAEMON, COMMAND, CONFIG];
/// The length of a lease, in seconds.
pub(super) const LEASE: i64 = 90;
/// The time between two renewals.
const RENEW: Duration = Duration::from_secs(25);
/// How long a command waits for a source that another worker polls.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(30);
/// The time between two attempts to claim a source that is busy.
const RETRY_EVERY: Duration = Duration::from_millis(100);

type Epochs = Arc<Mutex<BTreeMap<SourceId, u64>>>;

/// The claims of some polls, each with its epoch. They are no longer renewed once this is dropped.
#[derive(Debug)]
pub(super) struct Claims {
    store: Handle,
    clock: Arc<dyn Clock>,
    by: &'static str,
    epochs: Epochs,
    _renewing: AbortOnDropHandle<()>,
}

fn locked(epochs: &Epochs) -> MutexGuard<'_, BTreeMap<SourceId, u64>> {
    epochs.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Claims {
    /// Creates an empty set, and starts the task that renews its claims.
    pub(super) fn new(store: Handle, clock: Arc<dyn Clock>, by: &'static str) -> Self {
        let epochs = Epochs::default();
        let renewing = tokio::spawn(renew(store.clone(), Arc::clone(&clock), Arc::clone(&epochs)));
        Self { store, clock, by, epochs, _renewing: AbortOnDropHandle::new(renewing) }
    }

    /// Claims at most `limit` sources that are due.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn due(&self, limit: usize) -> Result<Vec<Claim>, StoreError> {
        let (by, now) = (self.by, self.clock.now());
        let claims = self.store.call(move |store| store.claim_due(by, now, limit, LEASE)).await?;
        locked(&self.epochs).extend(claims.iter().map(|claim| (claim.id.clone(), claim.epoch)));
        Ok(claims)
    }

    /// Claims the given sources now, due or not.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn these(&self, ids: Vec<SourceId>) -> Result<Vec<Claimed>, StoreError> {
        let (by, now) = (self.by, self.clock.now());
        let claimed = self.store.call(move |store| store.claim(by, &ids, now, LEASE)).await?;
        for one in &claimed {
            if let Claimed::Yours(claim) = one {
                locked(&self.epochs).insert(claim.id.clone(), claim.epoch);
            }
        }
        Ok(claimed)
    }

    /// Claims a source, and waits up to `max_wait` while another worker polls it; returns
    /// [`Claimed::Busy`], which names that worker, if it takes longer.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn claim_waiting(
        &self,
        id: &SourceId,
        max_wait: Duration,
    ) -> Result<Claimed, StoreError> {
        let begun = Instant::now();
        loop {
            match self.these(vec![id.clone()]).await?.pop() {
                Some(Claimed::Busy { .. }) if begun.elapsed() < max_wait => sleep(RETRY_EVERY).await,
                Some(claimed) => return Ok(claimed),
                None => sleep(RETRY_EVERY).await,
            }
        }
    }

    /// Removes the claim of a poll that has ended, so that it is no longer renewed.
    pub(super) fn ended(&self, id: &SourceId) {
        locked(&self.epochs).remove(id);
    }
}

async fn renew(store: Handle, clock: Arc<dyn Clock>, epochs: Epochs) {
    loop {
        sleep(RENEW).await;
        let mine: Vec<(SourceId, u64)> =
            locked(&epochs).iter().map(|(id, epoch)| (id.clone(), *epoch)).collect();
        if mine.is_empty() {
            continue;
        }
        let until = clock.now().plus(LEASE);
        let renewed = store.call(move |store| {
            let over = |(id, epoch): (SourceId, u64)| match store.renew(&id, epoch, until) {
                Ok(true) => None,
                Ok(false) => Some(Ok((id, epoch))),
                Err(error) => Some(Err(error)),
            };
            mine.into_iter().filter_map(over).collect::<Result<Vec<_>, _>>()
        });
        match renewed.await {
            Ok(over) => {
                let mut epochs = locked(&epochs);
                for (id, epoch) in over {
                    debug!(source.id = %id, "its claim is over");
                    if epochs.get(&id) == Some(&epoch) {
                        epochs.remove(&id);
                    }
                }
            }
            Err(error) => warn!(error = chain(&error), "claims could not be renewed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::model::Timestamp;
    use crate::store::{MemoryStore, PollResult};

    #[tokio::test]
    async fn who_waits_gets_the_source_when_its_poll_ends_or_hears_who_polls() {
        let store = Handle::new(Arc::new(MemoryStore::new()));
        let clock = Arc::new(ManualClock::at(Timestamp::from_unix(100)));
        let claims = |by| Claims::new(store.clone(), Arc::clone(&clock) as Arc<dyn Clock>, by);
        let (daemon, command) = (claims(DAEMON), claims(COMMAND));
        let id = SourceId::new("a").unwrap();
        let Some(Claimed::Yours(first)) = daemon.these(vec![id.clone()]).await.unwrap().pop() else {
            panic!("nobody else has it")
        };
        let busy = Claimed::Busy { by: DAEMON.to_owned(), until: Timestamp::from_unix(100 + LEASE) };
        assert_eq!(command.claim_waiting(&id, Duration::ZERO).await.unwrap(), busy);
        let waits = command.claim_waiting(&id, Duration::from_hours(1));
        let ends = async { store.complete(vec![PollResult::of(*first.clone())]).await.unwrap() };
        let (claimed, refused) = tokio::join!(waits, ends);
        assert_eq!(refused, []);
        assert!(matches!(claimed.unwrap(), Claimed::Yours(second) if second.epoch == first.epoch + 1));
    }
}
