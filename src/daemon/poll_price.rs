//! How often sources are polled: keeps the price of a poll up to date.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error};

use super::error::DaemonError;
use super::mill::{Live, Mill};
use crate::blocking;
use crate::model::chain;
use crate::schedule::{self, Pace, price};
use crate::store::{Sources, StoreError};

/// The time between two computations of the price: what is learned changes slowly.
const REPRICE_EVERY: Duration = Duration::from_hours(1);
/// The number of sources that the price is computed from while the mill runs, and when it starts.
const SAMPLE: usize = 400;
const FIRST_SAMPLE: usize = 16;

impl Mill {
    /// Computes the price of a poll from the states of at most `most` sources; blocks.
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
            let state = self.backend.source(&source.id)?;
            plans.push(schedule::plan(&state, &self.ingest.terms(source), now));
            budget += 86_400.0 / f64::from(u32::try_from(*mean).unwrap_or(u32::MAX).max(1));
        }
        #[expect(clippy::cast_precision_loss, reason = "a few hundred sources")]
        let price = price::price(&plans, budget / plans.len() as f64);
        self.ingest.set_price(price);
        debug!(price, sources = plans.len(), "the price of a poll");
        Ok(())
    }

    /// Computes the first price from a small sample; blocks.
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

/// Keeps the price up to date until `stop`.
pub(super) async fn keep(mut live: Live, stop: CancellationToken) -> Result<(), DaemonError> {
    loop {
        let mill = Arc::clone(&live.borrow_and_update());
        mill.price_of(SAMPLE).await;
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            Ok(()) = live.changed() => {}
            () = sleep(REPRICE_EVERY) => {}
        }
    }
}
