//! All parts put together from one config.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use futures_util::{StreamExt, stream};
use serde_json::json;
use tokio::sync::Notify;
use tracing::{info, warn};

use super::{DaemonError, care, pace};
use crate::clock::Clock;
use crate::config::{Config, FIXED_FILE};
use crate::fetch::{FetchError, Fetcher};
use crate::import::{ImportError, ImportOptions, ImportReport, jekyll};
use crate::ingest::{Answer, Ingest, PollReport};
use crate::model::{SourceId, Timestamp};
use crate::notify::Notifier;
use crate::publish::{Look, Pages, PublishError, PublishReport, Publisher};
use crate::source::Source;
use crate::store::{Handle, SledStore, Store, StoreError};

/// The parts of a running mill.
#[derive(Debug)]
pub struct Mill {
    /// The settings.
    pub config: Config,
    /// The store.
    pub store: Handle,
    /// The same store, for what only its backend can do.
    pub care: Arc<SledStore>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Makes pages.
    pub pages: Arc<Pages>,
    /// Rung when something new waits to be published.
    pub(super) changed: Notify,
    /// Its disk is nearly full.
    pub(super) no_room: AtomicBool,
    /// Due sources that are polled right now.
    pub(super) running: Mutex<BTreeSet<SourceId>>,
    pub(super) ingest: Arc<Ingest>,
    pub(super) publisher: Arc<Publisher>,
    /// Tells webhooks.
    pub notifier: Arc<Notifier>,
    /// Rung when something was published.
    pub(super) published: Notify,
    sources: BTreeMap<SourceId, Arc<Source>>,
    /// Ids in the order of the config.
    order: Vec<SourceId>,
}

impl Mill {
    /// Opens the store and builds everything.
    ///
    /// # Errors
    /// [`DaemonError`]; a store in use by another process is [`StoreError::Locked`].
    pub async fn open(config: Config, clock: Arc<dyn Clock>) -> Result<Self, DaemonError> {
        let now = clock.now();
        let settings = config.clone();
        let opened = tokio::task::spawn_blocking(move || care::open(&settings, now));
        let (care, store) = opened.await.map_err(|e| DaemonError::Task(e.to_string()))??;
        let fetcher = Fetcher::new(config.fetch.clone())?;
        let pages = Arc::new(Pages::new(Arc::new(config.publish.clone()))?);
        let ingest = Ingest::new(store.clone(), fetcher, Arc::clone(&clock), config.ingest.clone());
        let order = config.sources.iter().map(|source| source.id.clone()).collect();
        let sources =
            config.sources.iter().map(|source| (source.id.clone(), Arc::new(source.clone()))).collect();
        let mill = Self {
            publisher: Arc::new(Publisher::new(Arc::clone(&pages))),
            notifier: Arc::new(Notifier::new(config.webhooks.clone()).map_err(FetchError::Setup)?),
            published: Notify::new(),
            changed: Notify::new(),
            running: Mutex::default(),
            config,
            store,
            care,
            no_room: AtomicBool::new(false),
            clock,
            pages,
            ingest: Arc::new(ingest),
            sources,
            order,
        };
        let priced = tokio::task::spawn_blocking(move || mill.first_price().map(|()| mill));
        Ok(priced.await.map_err(|e| DaemonError::Task(e.to_string()))??)
    }

    /// The sources in the order of the config.
    pub fn sources(&self) -> impl Iterator<Item = &Arc<Source>> {
        self.order.iter().filter_map(|id| self.sources.get(id))
    }

    /// One source.
    #[must_use]
    pub fn source(&self, id: &SourceId) -> Option<&Arc<Source>> {
        self.sources.get(id)
    }

    /// Polls one source and tells the log what came of it.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn poll(&self, source: &Source) -> Result<PollReport, StoreError> {
        let report = self.ingest.poll(source).await?;
        Self::tell(&report);
        Ok(report)
    }

    /// One round over `wanted`: answers are fetched side by side and taken in one after the
    /// other in the given order, so that the round ends the same whoever answers first.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn round(
        &self,
        wanted: Vec<Arc<Source>>,
        progress: impl Fn(usize, usize, &str),
    ) -> Result<Vec<PollReport>, StoreError> {
        let all = wanted.len();
        // More than are asked at once: one that is slow must not keep later ones from their turn.
        let ahead = self.config.fetch.concurrency.max(1) * 2;
        let mut answers = stream::iter(wanted)
            .map(|source| {
                let ingest = Arc::clone(&self.ingest);
                // A task of its own: an answer on its way holds a place at its host, which the
                // details of another source wait for.
                let asked = tokio::spawn({
                    let source = Arc::clone(&source);
                    async move { ask_ahead(&ingest, &source).await }
                });
                async move { (source, asked.await) }
            })
            .buffered(ahead);
        let mut reports = Vec::with_capacity(all);
        while let Some((source, answer)) = answers.next().await {
            let report = match answer.unwrap_or_else(|error| Err(StoreError::task(error)))? {
                Ahead::Done(report) => report,
                Ahead::Waits(answer) => self.ingest.take(&source, *answer).await?,
            };
            Self::tell(&report);
            reports.push(report);
            progress(reports.len(), all, source.id.as_str());
        }
        if reports.iter().any(PollReport::changed) {
            self.changed.notify_one();
        }
        Ok(reports)
    }

    /// Keeps every poll from deciding and storing while the guard lives.
    pub(super) async fn hold(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.ingest.hold().await
    }

    fn tell(report: &PollReport) {
        if let Some(error) = &report.error {
            warn!(source.id = %report.source, error, "poll failed");
        } else if report.changed() {
            info!(
                source.id = %report.source, inserted = report.inserted, updated = report.updated,
                joined = report.joined, held = report.held, "polled"
            );
        }
    }

    /// Brings the outputs up to date.
    ///
    /// # Errors
    /// [`PublishError`].
    pub async fn publish(
        &self,
        look: Look,
        progress: impl Fn(usize, usize) + Send + 'static,
    ) -> Result<PublishReport, PublishError> {
        let publisher = Arc::clone(&self.publisher);
        let now = self.clock.now();
        let report =
            self.store.call(move |store| Ok(publisher.publish(store, look, now, &progress))).await??;
        self.published.notify_one();
        if report.written + report.removed > 0 {
            info!(rendered = report.rendered, written = report.written, bytes = report.bytes, "published");
        }
        Ok(report)
    }

    /// Takes an old Jekyll site over.
    ///
    /// # Errors
    /// [`ImportError`].
    pub async fn import_jekyll(
        &self,
        folder: &Path,
        dry_run: bool,
        progress: impl Fn(usize, usize) + Send + 'static,
    ) -> Result<ImportReport, ImportError> {
        let options = self.import_options();
        let folder = folder.to_owned();
        let now = self.clock.now();
        // A poll must not store an item between the import's look at it and its own change.
        let _held = self.ingest.hold().await;
        let work = move |store: &dyn Store| Ok(jekyll(store, &folder, &options, dry_run, now, &progress));
        let report = self.store.call(work).await??;
        self.changed.notify_one();
        Ok(report)
    }

    /// The code rules and the cleaner of the sources that share the site's code space.
    fn import_options(&self) -> ImportOptions {
        let bare = self.config.ingest.bare_space.clone();
        let own: Vec<&Arc<Source>> =
            self.sources().filter(|s| Some(&s.code_space) == bare.as_ref()).collect();
        let cleaner = own.first().map_or_else(Arc::default, |source| Arc::clone(&source.cleaner));
        ImportOptions {
            zone: self.config.ingest.zone,
            code_rules: own.iter().filter_map(|source| source.code.clone()).collect(),
            bare_space: bare,
            cleaner,
            newcomers: self.config.ingest.newcomers,
        }
    }
}

/// A poll of a round, as far as it goes while earlier ones are not taken in yet.
enum Ahead {
    /// Nothing is to be taken in, so nobody has to wait for its end.
    Done(PollReport),
    /// It waits for its turn.
    Waits(Box<Answer>),
}

async fn ask_ahead(ingest: &Ingest, source: &Source) -> Result<Ahead, StoreError> {
    let mut answer = ingest.ask(source).await?;
    if answer.is_empty() {
        return Ok(Ahead::Done(ingest.take(source, answer).await?));
    }
    // One that holds memory while it waits would keep an earlier one out.
    answer.let_go();
    Ok(Ahead::Waits(Box::new(answer)))
}

/// Makes an open store ready for a config.
pub(super) fn prepare(store: &SledStore, config: &Config, now: Timestamp) -> Result<(), StoreError> {
    store.fix("site.id_authority", &config.id_authority, !config.trial)?;
    store.fix("site.code_space", &config.code_space, !config.trial)?;
    if !config.trial {
        tell_fixed(config);
    }
    for category in &config.categories {
        let made = store.ensure_category(&category.name, Some(&category.slug), now)?;
        for alias in &category.aliases {
            store.alias_category(made.id, alias)?;
        }
    }
    pace::register(store, config, now)?;
    store.sync()
}

/// Writes what is set once beside the store; only `check` reads it, so a failure is no fault.
fn tell_fixed(config: &Config) {
    let fixed = json!({ "id_authority": config.id_authority, "code_space": config.code_space });
    let path = config.store.path.join(FIXED_FILE);
    if let Err(error) = std::fs::write(&path, format!("{fixed}\n")) {
        warn!(path = %path.display(), %error, "cannot tell `check` what is set once");
    }
}
