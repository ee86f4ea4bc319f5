//! How often: the price of a poll, and how new sources are spread.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error};

use super::claims::{self, LEASE};
use super::{DaemonError, Live, Mill};
use crate::blocking;
use crate::config::Config;
use crate::model::{SourceId, SourceState, Timestamp, address_hash, chain};
use crate::schedule::{self, Pace, price};
use crate::source::Source;
use crate::store::{Claimed, PollResult, SledStore, Sources, StoreError};

/// Between two looks at the price: what is learned changes slowly.
const LOOK: Duration = Duration::from_hours(1);
/// Sources that the price is worked out from while the mill turns, and when it starts.
const SAMPLE: usize = 400;
const FIRST_SAMPLE: usize = 16;

impl Mill {
    /// Works the price of a poll out from what is known of `most` sources; blocks.
    fn reprice(&self, most: usize) -> Result<(), StoreError> {
        let now = self.clock.now();
        let learned: Vec<_> = self
            .sources()
            .filter(|source| source.enabled)
            .filter_map(|source| match source.pace {
                Pace::Learned { mean, .. } => Some((source, mean)),
                Pace::Fixed(_) => None,
            })
            .collect();
        if learned.is_empty() {
            return Ok(());
        }
        let (mut plans, mut budget) = (Vec::new(), 0.0);
        for (source, mean) in learned.iter().step_by(learned.len().div_ceil(most).max(1)) {
            let state = self.care.source(&source.id)?;
            plans.push(schedule::plan(&state, &self.ingest.terms(source), now));
            budget += 86_400.0 / f64::from(u32::try_from(*mean).unwrap_or(u32::MAX).max(1));
        }
        #[expect(clippy::cast_precision_loss, reason = "a few hundred sources")]
        let price = price::price(&plans, budget / plans.len() as f64);
        self.ingest.set_price(price);
        debug!(price, sources = plans.len(), "the price of a poll");
        Ok(())
    }

    /// The price to begin with; blocks.
    pub(super) fn first_price(&self) -> Result<(), StoreError> {
        self.reprice(FIRST_SAMPLE)
    }

    async fn price_of(self: &Arc<Self>, most: usize) {
        let mill = Arc::clone(self);
        match blocking::run(move || mill.reprice(most)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => error!(error = chain(&error), "the price of a poll stays as it is"),
            Err(error) => error!(%error, "the price of a poll stays as it is"),
        }
    }
}

/// Keeps the price right until `stop`.
pub(super) async fn keep(mut live: Live, stop: CancellationToken) -> Result<(), DaemonError> {
    loop {
        let mill = Arc::clone(&live.borrow_and_update());
        mill.price_of(SAMPLE).await;
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            Ok(()) = live.changed() => {}
            () = sleep(LOOK) => {}
        }
    }
}

/// Makes the sources of a config known: new ones, and those that it has again, are due one after the
/// other, and one that was gone is asked again under another address.
pub(super) fn register(store: &SledStore, config: &Config, now: Timestamp) -> Result<(), StoreError> {
    let enabled: Vec<SourceId> = config.sources.iter().filter(|s| s.enabled).map(|s| s.id.clone()).collect();
    let at_once = config.fetch.concurrency.max(1);
    // As many in each second as are asked at once.
    for (second, some) in (0..).zip(enabled.chunks(at_once)) {
        store.register(some, now.plus(second))?;
    }
    let resting: BTreeSet<SourceId> =
        store.due(schedule::NEVER, usize::MAX)?.into_iter().map(|(_, id)| id).collect();
    let wanted = |source: &&Arc<Source>| source.enabled && resting.contains(&source.id);
    let back: Vec<&Arc<Source>> = config.sources.iter().filter(wanted).collect();
    let ids: Vec<SourceId> = back.iter().map(|source| source.id.clone()).collect();
    let mut woken = Vec::new();
    // Of one that is polled right now its poll says when it is due.
    for (source, claimed) in back.into_iter().zip(store.claim(claims::CONFIG, &ids, now, LEASE)?) {
        let Claimed::Yours(mut claim) = claimed else { continue };
        let wake = wake(&mut claim.state, source);
        if wake {
            claim.state.next_poll = now.plus(i64::try_from(woken.len() / at_once).unwrap_or(i64::MAX));
        }
        woken.push(PollResult::of(*claim));
    }
    if woken.is_empty() { Ok(()) } else { store.complete(&woken).map(drop) }
}

/// Whether a source that rested is to be asked again.
fn wake(state: &mut SourceState, source: &Source) -> bool {
    if state.next_poll == Timestamp::MAX {
        "in the config again".clone_into(&mut state.why);
        true
    } else if state.memory.gone && state.memory.address != address_hash(&source.url) {
        state.memory.gone = false;
        "a new address".clone_into(&mut state.why);
        true
    } else {
        false
    }
}
