//! Ingest: one poll of one source, start to end: request, parse, identity, details,
//! decisions, commit.
//!
//! Owns: how an InfoCode is found, and what is done with each listed record. Does not own:
//! HTTP (`fetch`), formats (`parse`, `source`), bytes on disk (`store`), when to poll
//! (`schedule`). Decisions are pure and in [`decide`]; identity is in [`identity`].

pub mod article;
pub mod decide;
mod details;
pub mod identity;
pub mod routing;
mod taking;

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use url::Url;

use crate::clock::Clock;
use crate::fetch::{FetchError, Fetcher};
use crate::model::chain;
use crate::model::text::clip_bytes;
use crate::model::{CodeSpace, Document, Fetched, Response, SourceState, Timestamp, Validators};
use crate::schedule::{self, Ended};
use crate::source::{Source, SourceError};
use crate::store::{Handle, StoreError};

pub use routing::{AutoCategories, Routing};

/// Details asked for in one poll (RULES 1.11).
pub const MAX_DETAILS: usize = 50;
/// Records of the last poll that are remembered as held back.
const HELD_SHOWN: usize = 5;
/// Repairs of the last document that are remembered.
const REPAIRS_SHOWN: usize = 10;

/// What ingest has to know of the config.
#[derive(Debug, Clone)]
pub struct IngestOptions {
    /// Zone of the day in permalinks.
    pub zone: chrono_tz::Tz,
    /// The code space that is written bare.
    pub bare_space: Option<CodeSpace>,
    /// How many items of a new source may enter a current window: (category, whole site).
    pub newcomers: (usize, usize),
    /// What to do with newspapers' names.
    pub auto: AutoCategories,
}

/// What one poll did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollReport {
    /// The source.
    pub source: String,
    /// Nothing had changed (304).
    pub not_modified: bool,
    /// Records in the document.
    pub listed: usize,
    /// New items.
    pub inserted: usize,
    /// Items whose published form changed.
    pub updated: usize,
    /// Items that entered a further category.
    pub joined: usize,
    /// Records that were known and unchanged.
    pub unchanged: usize,
    /// Records held back, failed or beyond a cap.
    pub held: usize,
    /// Details asked for.
    pub details: usize,
    /// The upstream asked to wait until then before anything more is asked for.
    pub wait: Option<Timestamp>,
    /// Bytes of the body.
    pub bytes: usize,
    /// Why it failed, if it did.
    pub error: Option<String>,
    /// A stable word for the failure.
    pub error_kind: Option<String>,
}

impl PollReport {
    /// Whether a category has something new to publish.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.inserted + self.updated + self.joined > 0
    }
}

/// Why a poll failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PollError {
    /// No answer.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// An answer that means nothing.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The store failed; an operator must act.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PollError {
    /// A stable word for metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Fetch(error) => error.kind(),
            Self::Source(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }

    /// Whether the next poll may end well by itself.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Fetch(error) => error.is_transient(),
            Self::Source(error) => error.is_transient(),
            Self::Store(error) => error.is_transient(),
        }
    }
}

/// Polls sources into the store.
#[derive(Debug)]
pub struct Ingest {
    store: Handle,
    fetcher: Fetcher,
    clock: Arc<dyn Clock>,
    options: IngestOptions,
    routing: Arc<Routing>,
    /// Two sources may list one item: who decides about it also stores it.
    deciding: tokio::sync::Mutex<()>,
}

/// An answer that was read, waiting for its records to be taken in.
#[derive(Debug)]
pub struct Answer {
    state: SourceState,
    outcome: Result<Read, PollError>,
}

#[derive(Debug)]
enum Read {
    NotModified { fresh_until: Option<Timestamp> },
    Document(Box<Taken>),
}

#[derive(Debug)]
struct Taken {
    document: Document,
    validators: Validators,
    fresh_until: Option<Timestamp>,
    bytes: usize,
}

impl Ingest {
    /// Ready to poll.
    #[must_use]
    pub fn new(store: Handle, fetcher: Fetcher, clock: Arc<dyn Clock>, options: IngestOptions) -> Self {
        let routing = Arc::new(Routing::new(options.auto));
        Self { store, fetcher, clock, options, routing, deciding: tokio::sync::Mutex::new(()) }
    }

    /// Keeps every poll from deciding and storing while the guard lives.
    pub async fn hold(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.deciding.lock().await
    }

    /// One poll: [`Ingest::ask`], then [`Ingest::take`].
    ///
    /// # Errors
    /// Only [`StoreError`]: what goes wrong upstream stands in the report.
    pub async fn poll(&self, source: &Source) -> Result<PollReport, StoreError> {
        let answer = self.ask(source).await?;
        self.take(source, answer).await
    }

    /// Sends the source's request and reads the answer; nothing is stored yet.
    ///
    /// # Errors
    /// Only [`StoreError`].
    pub async fn ask(&self, source: &Source) -> Result<Answer, StoreError> {
        let id = source.id.clone();
        let state = self.store.call(move |store| store.source(&id)).await?;
        let due = state.next_check.is_some_and(|at| at <= self.clock.now());
        let validators = if due { Validators::default() } else { state.validators.clone() };
        let outcome = self.read(source, validators).await;
        Ok(Answer { state, outcome })
    }

    async fn read(&self, source: &Source, validators: Validators) -> Result<Read, PollError> {
        match self.fetcher.get(&source.request(validators), self.clock.now()).await? {
            Response::NotModified(fresh) => Ok(Read::NotModified { fresh_until: fresh.until }),
            Response::Fetched(fetched) => {
                let mut bytes = fetched.body.len();
                let freshness = fetched.freshness;
                let validators = fetched.validators.clone();
                let (mut document, more) = parse(source, fetched, true).await?;
                bytes += self.read_more(source, &mut document, more).await?;
                let fresh_until = freshness.until;
                Ok(Read::Document(Box::new(Taken { document, validators, fresh_until, bytes })))
            }
        }
    }

    /// Asks for the further parts of a list, one after the other; gives their bytes.
    async fn read_more(
        &self,
        source: &Source,
        document: &mut Document,
        more: Vec<Url>,
    ) -> Result<usize, PollError> {
        let mut bytes = 0;
        let mut asked = vec![source.url.clone()];
        let mut waiting = VecDeque::from(more);
        while let Some(url) = waiting.pop_front() {
            if asked.len() >= source.parts() || asked.contains(&url) {
                continue;
            }
            asked.push(url.clone());
            if let Response::Fetched(part) = self.fetcher.get(&source.more(url), self.clock.now()).await? {
                bytes += part.body.len();
                let (further, next) = parse(source, part, false).await?;
                document.entries.extend(further.entries);
                waiting.extend(next);
            }
        }
        Ok(bytes)
    }

    /// Takes the records of an answer in and ends the poll.
    ///
    /// # Errors
    /// Only [`StoreError`].
    pub async fn take(&self, source: &Source, answer: Answer) -> Result<PollReport, StoreError> {
        let Answer { mut state, outcome } = answer;
        let mut report = PollReport { source: source.id.to_string(), ..PollReport::default() };
        let mut void = Vec::new();
        let ended = match outcome {
            Ok(Read::NotModified { fresh_until }) => {
                report.not_modified = true;
                Ended::Well { fresh_until, ttl_minutes: None }
            }
            Ok(Read::Document(taken)) => {
                let Taken { document, validators, fresh_until, bytes } = *taken;
                report.bytes = bytes;
                let ttl_minutes = document.hints.ttl_minutes;
                state.title = clip_bytes(&document.title, 300);
                state.repairs =
                    document.repairs.iter().take(REPAIRS_SHOWN).map(ToString::to_string).collect();
                void = self.take_document(source, document, &mut state, &mut report).await?;
                // A 304 would hide what was held back for ever (RULES 1.10).
                state.validators = if report.held == 0 { validators } else { Validators::default() };
                Ended::Well { fresh_until, ttl_minutes }
            }
            Err(error) => {
                let retry_after = match &error {
                    PollError::Fetch(error) => error.retry_after(),
                    _ => None,
                };
                report.error = Some(chain(&error));
                report.error_kind = Some(error.kind().to_owned());
                Ended::Badly { retry_after }
            }
        };
        self.end(source, state, &report, ended, void).await?;
        Ok(report)
    }

    async fn end(
        &self,
        source: &Source,
        mut state: SourceState,
        report: &PollReport,
        ended: Ended,
        void: Vec<[u8; 16]>,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        state.last_poll = Some(now);
        if let Some(error) = &report.error {
            state.fails = state.fails.saturating_add(1);
            state.last_error = Some(clip_bytes(error, 600));
        } else {
            state.fails = 0;
            state.last_error = None;
            state.last_good = Some(now);
            state.first_good.get_or_insert(now);
        }
        state.items += report.inserted as u64;
        let next = schedule::next(&source.id, now, source.interval, state.fails, ended);
        schedule::apply(&mut state, next);
        if let Some(wait) = report.wait {
            state.not_before = state.not_before.max(wait);
            state.next_poll = state.next_poll.max(wait);
        }
        let id = source.id.clone();
        self.store.call(move |store| store.complete(&id, &state, &void)).await
    }
}

/// Reads a document on a blocking thread: a large one must not hold up other polls.
async fn parse(source: &Source, fetched: Fetched, first: bool) -> Result<(Document, Vec<Url>), PollError> {
    let source = source.clone();
    let read = move || source.parse(&fetched.body, fetched.content_type.as_deref(), &fetched.url, first);
    match tokio::task::spawn_blocking(read).await {
        Ok(read) => Ok(read?),
        Err(error) => Err(StoreError::task(error).into()),
    }
}
