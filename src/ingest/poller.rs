//! What polls: its store, its fetcher, its settings, and the turns that polls wait for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::options::IngestOptions;
use super::routing::Routing;
use crate::clock::Clock;
use crate::fetch::Fetcher;
use crate::schedule::Terms;
use crate::source::Source;
use crate::store::{Handle, Store, StoreError};

/// Documents that are read at once.
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
    /// Two sources may list one item: who waits for the lock need not decide about it twice.
    pub(super) decision_lock: Arc<tokio::sync::Mutex<()>>,
    /// Documents are read by so many at a time: each may be as large as a body is allowed to be.
    pub(super) reading: Arc<tokio::sync::Semaphore>,
    /// So many polls use the store at a time: more threads would only wait for each other there.
    storing: Arc<tokio::sync::Semaphore>,
    /// What a poll costs, as the bits of a float.
    price: AtomicU64,
}

impl Ingest {
    /// Ready to poll.
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

    /// The same store and the same turns under other settings: polls that are running end under
    /// theirs, and none decides beside another.
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

    /// What fetches for it.
    #[must_use]
    pub fn fetcher(&self) -> &Fetcher {
        &self.fetcher
    }

    /// Sets what a poll costs from now on, in item-seconds ([`price`](crate::schedule::price)).
    pub fn set_price(&self, price: f64) {
        self.price.store(price.to_bits(), Ordering::Relaxed);
    }

    /// What decides, beside a source's own state, when it is polled next.
    #[must_use]
    pub fn terms(&self, source: &Source) -> Terms {
        Terms {
            pace: source.pace,
            zone: source.zone,
            price: f64::from_bits(self.price.load(Ordering::Relaxed)),
            freshness_cap: self.options.freshness_cap,
        }
    }

    /// Runs `work` on the store when it is this poll's turn.
    pub(super) async fn call<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Store) -> Result<T, StoreError> + Send + 'static,
    {
        let _turn = self.storing.acquire().await;
        self.store.call(work).await
    }

    /// Keeps every poll from decisions and storage while the returned lock lives.
    pub async fn hold(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.decision_lock.lock().await
    }
}
