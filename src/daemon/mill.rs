//! The parts of the mill, built from one config.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, watch};
use tracing::{info, warn};

use super::counts::PollCounts;
use super::error::DaemonError;
use super::heartbeat::{Heartbeat, Part};
use super::opening::{self, prepare};
use super::reload_outcome::{LastReload, Reloaded};
use crate::blocking;
use crate::clock::Clock;
use crate::config::{Config, Files};
use crate::fetch::{FetchError, Fetcher};
use crate::import::{ImportError, ImportOptions, ImportReport, jekyll};
use crate::ingest::{Ingest, PollReport};
use crate::model::{SourceId, Timestamp, chain};
use crate::notify::Notifier;
use crate::publish::{Pages, PublishError, PublishReport, PublishScope, Publisher};
use crate::serve::Traffic;
use crate::source::Source;
use crate::store::{Claim, Handle, OnDamage, SledStore, Store, StoreError};

/// The mill in use, which a reload replaces.
pub(super) type Live = watch::Receiver<Arc<Mill>>;

/// The parts of a running mill.
#[derive(Debug)]
pub struct Mill {
    /// The settings.
    pub config: Config,
    /// The files that the settings were read from.
    pub(super) files: Arc<Files>,
    /// The store.
    pub store: Handle,
    /// The same store, for operations that only its backend has.
    pub backend: Arc<SledStore>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Renders pages and feeds.
    pub pages: Arc<Pages>,
    /// Notified when a change is to be published.
    pub(super) changed: Arc<Notify>,
    /// Whether the store's disk is nearly full.
    pub(super) no_room: Arc<AtomicBool>,
    /// Due sources that are being polled.
    pub(super) running: Arc<Mutex<BTreeSet<SourceId>>>,
    pub(super) ingest: Arc<Ingest>,
    /// The publisher of the mill in use: a publish that began under an older config must not write its
    /// outputs.
    publisher: Arc<Mutex<Arc<Publisher>>>,
    /// The publisher of this config.
    own_publisher: Arc<Publisher>,
    /// Allows one publish at a time, whatever its config.
    pub(super) publishing: Arc<tokio::sync::Mutex<()>>,
    /// The time at which each part last made progress.
    pub(super) heartbeat: Arc<Heartbeat>,
    /// Sources whose last poll of this process failed.
    failing: Arc<Mutex<BTreeSet<SourceId>>>,
    /// The outcome of the last reload.
    pub(super) last_reload: Arc<LastReload>,
    /// Counts of what polls brought.
    pub(super) counts: Arc<PollCounts>,
    /// Troubles by kind and subject, with the time since when each lasts.
    pub(super) seen_troubles: Arc<Mutex<BTreeMap<(String, String), Timestamp>>>,
    /// Counts of requests that were answered; kept over reloads.
    pub traffic: Arc<Traffic>,
    /// Sends events to webhooks.
    pub notifier: Arc<Notifier>,
    /// Notified after each publish.
    pub(super) published: Arc<Notify>,
    /// The sources of the config by id.
    sources: BTreeMap<SourceId, Arc<Source>>,
}

impl Mill {
    /// Opens the store and builds all parts; `on_damage` decides whether a damaged store is repaired.
    ///
    /// # Errors
    /// [`DaemonError`]; a store in use by another process is [`StoreError::Locked`].
    pub async fn open(
        config: Config,
        clock: Arc<dyn Clock>,
        on_damage: OnDamage,
    ) -> Result<Self, DaemonError> {
        let now = clock.now();
        let opened = blocking::run(move || {
            opening::open(&config, now, on_damage).map(|(backend, store)| (config, backend, store))
        });
        let (config, backend, store) = opened.await.map_err(|e| DaemonError::Task(e.to_string()))??;
        let fetcher = Fetcher::new(config.fetch.clone())?;
        let pages = Arc::new(Pages::new(Arc::new(config.publish.clone()))?);
        let ingest = Ingest::new(store.clone(), fetcher, Arc::clone(&clock), config.ingest.clone());
        let sources = by_id(&config);
        let publisher = Arc::new(Publisher::new(Arc::clone(&pages)));
        let mill = Self {
            publisher: Arc::new(Mutex::new(Arc::clone(&publisher))),
            own_publisher: publisher,
            publishing: Arc::default(),
            heartbeat: Arc::default(),
            failing: Arc::default(),
            last_reload: Arc::default(),
            traffic: Arc::default(),
            counts: Arc::default(),
            seen_troubles: Arc::default(),
            notifier: Arc::new(Notifier::new(config.webhooks.clone()).map_err(FetchError::Setup)?),
            published: Arc::default(),
            changed: Arc::default(),
            running: Arc::default(),
            files: Arc::default(),
            config,
            store,
            backend,
            no_room: Arc::default(),
            clock,
            pages,
            ingest: Arc::new(ingest),
            sources,
        };
        let priced = blocking::run(move || mill.first_price().map(|()| mill)).await;
        Ok(priced.map_err(|e| DaemonError::Task(e.to_string()))??)
    }

    /// Builds a mill with another config from this one. Parts whose settings did not change are shared, as
    /// are the store, the locks and the changes to be published. Prepares the store for the config.
    ///
    /// # Errors
    /// [`DaemonError`]; nothing has changed then except that new categories may exist.
    pub(super) fn reconfigured(&self, config: Config, files: Files) -> Result<Self, DaemonError> {
        let fetcher = if config.fetch == self.config.fetch {
            self.ingest.fetcher().clone()
        } else {
            Fetcher::new(config.fetch.clone())?
        };
        let pages = Arc::new(self.pages.under(Arc::new(config.publish.clone()))?);
        let (pages, publisher) = if pages.same_as(&self.pages) {
            (Arc::clone(&self.pages), Arc::clone(&self.own_publisher))
        } else {
            (Arc::clone(&pages), Arc::new(Publisher::new(pages)))
        };
        let notifier = if config.webhooks == self.config.webhooks {
            Arc::clone(&self.notifier)
        } else {
            Arc::new(Notifier::new(config.webhooks.clone()).map_err(FetchError::Setup)?)
        };
        prepare(&self.backend, &config, self.clock.now())?;
        if config.categories != self.config.categories {
            // Old slugs in the config get pages and copies of feeds.
            publisher.look_again();
        }
        let sources = by_id(&config);
        let mill = Self {
            ingest: Arc::new(self.ingest.reconfigured(fetcher, config.ingest.clone())),
            config,
            files: Arc::new(files),
            store: self.store.clone(),
            backend: Arc::clone(&self.backend),
            clock: Arc::clone(&self.clock),
            pages,
            changed: Arc::clone(&self.changed),
            no_room: Arc::clone(&self.no_room),
            running: Arc::clone(&self.running),
            publisher: Arc::clone(&self.publisher),
            own_publisher: publisher,
            publishing: Arc::clone(&self.publishing),
            heartbeat: Arc::clone(&self.heartbeat),
            failing: Arc::clone(&self.failing),
            last_reload: Arc::clone(&self.last_reload),
            traffic: Arc::clone(&self.traffic),
            counts: Arc::clone(&self.counts),
            seen_troubles: Arc::clone(&self.seen_troubles),
            notifier,
            published: Arc::clone(&self.published),
            sources,
        };
        mill.first_price()?;
        Ok(mill)
    }

    /// Makes all publishes from now on use this config.
    pub(super) fn take_over(&self) {
        *self.publisher.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&self.own_publisher);
    }

    fn publisher(&self) -> Arc<Publisher> {
        Arc::clone(&self.publisher.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes the next publish check every unit and file.
    pub(super) fn look_again(&self) {
        self.publisher().look_again();
    }

    /// Stores the outcome of a reload, for the status.
    pub fn remember(&self, reloaded: Reloaded) {
        self.last_reload.set(reloaded);
    }

    /// Returns whether no poll is running.
    pub(super) fn is_asking_nobody(&self) -> bool {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Returns why the config on the disk is not the one in use, if it is not.
    pub(super) fn config_in_waiting(&self) -> Option<String> {
        self.last_reload.get().filter(|reload| reload.waits_for().is_some()).map(|reload| reload.line())
    }

    /// Returns the state of the mill in one line, beginning with what needs attention.
    pub(super) fn status_line(&self) -> String {
        let count =
            |set: &Mutex<BTreeSet<SourceId>>| set.lock().unwrap_or_else(PoisonError::into_inner).len();
        let mut parts = Vec::new();
        if let Some(why) = self.backend.trouble() {
            parts.push(format!("the store cannot be used, and is tried again: {}", chain(&why)));
        }
        if self.no_room.load(Ordering::Relaxed) {
            parts.push("the disk is nearly full, polling pauses".to_owned());
        }
        parts.extend(self.config_in_waiting());
        let (failing, asking, all) = (count(&self.failing), count(&self.running), self.sources.len());
        if failing > 0 {
            parts.push(format!("{failing} of {all} sources fail"));
        }
        parts.push(match (all, asking) {
            (0, _) => "no source is configured yet".to_owned(),
            (_, 0) => format!("{all} sources, none is due"),
            _ => format!("asking {asking} of {all} sources"),
        });
        parts.join("; ")
    }

    /// Sets the files that the settings were read from, and keeps a copy beside the store as the last good
    /// config.
    #[must_use]
    pub fn read_from(mut self, files: Files) -> Self {
        self.files = Arc::new(files);
        self.keep_files();
        self
    }

    /// Keeps a copy of the config as the last good one, and deletes last answers of sources that it does not
    /// have. A failure is only logged: without the copy, a later start with a faulty config has nothing to
    /// fall back to.
    pub(super) fn keep_files(&self) {
        if let Err(error) = self.files.keep(&self.config.store.path, &self.config.publish.site.theme) {
            warn!(%error, "the config is not kept as the last that was good");
        }
        if let Some(answers) = &self.config.ingest.answers {
            answers.keep_only(&self.sources.keys().collect());
        }
    }

    /// Returns the sources in the order of the config.
    pub fn sources(&self) -> impl Iterator<Item = &Arc<Source>> {
        self.config.sources.iter()
    }

    /// Returns one source.
    #[must_use]
    pub fn source(&self, id: &SourceId) -> Option<&Arc<Source>> {
        self.sources.get(id)
    }

    /// Polls a claimed source and logs the result.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn poll(&self, source: &Source, claim: Claim) -> Result<PollReport, StoreError> {
        let report = self.ingest.poll(source, claim).await?;
        self.tell(source, &report);
        Ok(report)
    }

    /// Blocks every poll from deciding and storing until the returned lock is dropped.
    pub(super) async fn hold(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.ingest.hold().await
    }

    pub(super) fn tell(&self, source: &Source, report: &PollReport) {
        self.heartbeat.beat(Part::Fetcher);
        if report.rests.is_some() {
            return;
        }
        self.counts.add(&source.id, report, self.clock.now());
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        if report.error.is_some() {
            failing.insert(source.id.clone());
        } else {
            failing.remove(&source.id);
        }
        drop(failing);
        if let Some(error) = &report.error {
            warn!(source.id = %report.source, error, "poll failed");
        } else if report.changed() {
            info!(
                source.id = %report.source, inserted = report.inserted, updated = report.updated,
                joined = report.joined, held = report.held, "polled"
            );
        }
    }

    /// Publishes the changes, or everything.
    ///
    /// # Errors
    /// [`PublishError`].
    pub async fn publish(
        &self,
        look: PublishScope,
        progress: impl Fn(usize, usize) + Send + 'static,
    ) -> Result<PublishReport, PublishError> {
        let _turn = self.publishing.lock().await;
        let publisher = self.publisher();
        let now = self.clock.now();
        let heartbeat = Arc::clone(&self.heartbeat);
        let progress = move |done, of| {
            heartbeat.beat(Part::Publisher);
            progress(done, of);
        };
        let report =
            self.store.call(move |store| Ok(publisher.publish(store, look, now, &progress))).await??;
        self.published.notify_one();
        if report.written + report.removed > 0 {
            info!(rendered = report.rendered, written = report.written, bytes = report.bytes, "published");
        }
        Ok(report)
    }

    /// Imports a Jekyll site.
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
        // A poll must not store an item between the import's check for it and its write.
        let _held = self.ingest.hold().await;
        let work = move |store: &dyn Store| Ok(jekyll(store, &folder, &options, dry_run, now, &progress));
        let report = self.store.call(work).await??;
        // Old paths get pages, too.
        self.look_again();
        self.changed.notify_one();
        Ok(report)
    }

    /// Returns the import's options, with the code rules and the cleaner of the sources that share the
    /// site's code space.
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

fn by_id(config: &Config) -> BTreeMap<SourceId, Arc<Source>> {
    config.sources.iter().map(|source| (source.id.clone(), Arc::clone(source))).collect()
}
