//! The poller: its store, its fetcher, its settings, and the limits on concurrent work.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::options::IngestOptions;
use super::routing::Routing;
use crate::clock::Clock;
use crate::fetch::Fetcher;
use crate::schedule::Terms;
use crate::source::Source;
use crate::store::{Handle, Store, StoreError};

/// Documents that are parsed at once.
const READERS: usize = 4;
/// Polls that use the store at once.
const STORERS: usize = 16;

/// Polls sources into the store.
#[derive(Debug)]
pub struct Ingest {
    pub(super) store: Handle,
    pub(super) fetcher: Fetcher,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) options: Arc<IngestOptions>,
    pub(super) routing: Arc<Routing>,
    /// Serializes decisions: two sources may list one item, and a poll that waits need not decide on it twice.
    pub(super) decision_lock: Arc<tokio::sync::Mutex<()>>,
    /// Limits the documents that are parsed at a time, each as large as a body may be.
    pub(super) reading: Arc<tokio::sync::Semaphore>,
    /// Limits the polls that use the store at a time: more threads would only wait for each other.
    storing: Arc<tokio::sync::Semaphore>,
    /// The price of a poll, as the bits of an `f64`.
    price: AtomicU64,
}

impl Ingest {
    /// Creates a poller.
    #[must_use]
    pub fn new(store: Handle, fetcher: Fetcher, clock: Arc<dyn Clock>, options: IngestOptions) -> Self {
        let routing = Arc::new(Routing::new(options.auto));
        Self {
            store,
            fetcher,
            clock,
            options: Arc::new(options),
            routing,
            decision_lock: Arc::default(),
            reading: Arc::new(tokio::sync::Semaphore::new(READERS)),
            storing: Arc::new(tokio::sync::Semaphore::new(STORERS)),
            price: AtomicU64::new(1.0_f64.to_bits()),
        }
    }

    /// Returns a poller with other settings on the same store, locks and limits. Running polls end under the
    /// old settings, and no two decide at the same time.
    #[must_use]
    pub fn reconfigured(&self, fetcher: Fetcher, options: IngestOptions) -> Self {
        Self {
            store: self.store.clone(),
            fetcher,
            clock: Arc::clone(&self.clock),
            routing: Arc::new(Routing::new(options.auto)),
            options: Arc::new(options),
            decision_lock: Arc::clone(&self.decision_lock),
            reading: Arc::clone(&self.reading),
            storing: Arc::clone(&self.storing),
            price: AtomicU64::new(self.price.load(Ordering::Relaxed)),
        }
    }

    /// Returns its fetcher.
    #[must_use]
    pub fn fetcher(&self) -> &Fetcher {
        &self.fetcher
    }

    /// Sets the price of a poll from now on, in item-seconds ([`price`](crate::schedule::price)).
    pub fn set_price(&self, price: f64) {
        self.price.store(price.to_bits(), Ordering::Relaxed);
    }

    /// Returns the terms that, with the state of a source, determine its next poll.
    #[must_use]
    pub fn terms(&self, source: &Source) -> Terms {
        Terms {
            pace: source.pace,
            zone: source.zone,
            price: f64::from_bits(self.price.load(Ordering::Relaxed)),
            freshness_cap: self.options.freshness_cap,
        }
    }

    /// Runs `work` on the store, within the limit on concurrent use.
    pub(super) async fn call<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Store) -> Result<T, StoreError> + Send + 'static,
    {
        let _turn = self.storing.acquire().await;
        self.store.call(work).await
    }

    /// Blocks the decisions and commits of all polls while the returned lock is held.
    pub async fn hold(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.decision_lock.lock().await
    }
}
