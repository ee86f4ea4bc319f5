//! Ingest: one poll of one source, start to end: request, parse, identity, details,
//! decisions, commit.
//!
//! Owns: how an InfoCode is found, and what is done with each listed record. Does not own:
//! HTTP (`fetch`), formats (`parse`, `source`), bytes on disk (`store`), when to poll
//! (`schedule`). Decisions are pure and in [`decide`]; identity is in [`identity`].

pub mod answers;
pub mod article;
mod asking;
pub mod canary;
mod circumstances;
pub mod decide;
mod deciding;
mod deletions;
mod details;
mod gaps;
pub mod identity;
mod lookup;
mod moves;
mod pending;
mod report;
pub mod rerouting;
pub mod routing;
pub mod ruling;
mod taking;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use url::Url;

use crate::clock::Clock;
use crate::fetch::{FetchError, Fetcher};
use crate::model::chain;
use crate::model::http::Room;
use crate::model::text::clip_bytes;
use crate::model::{CodeSpace, Document, NotModified, SourceState, Timestamp, Validators, host_of};
use crate::rules::Rules;
use crate::schedule::{self, Ended, Terms};
use crate::source::Source;
use crate::store::{Claim, Handle, PollResult, Store, StoreError};

pub use answers::LastAnswers;
pub use pending::Pending;
pub use report::{PollError, PollReport};
pub use routing::{AutoCategories, Routing};

/// Details asked for in one poll (RULES 1.11).
pub const MAX_DETAILS: usize = 50;
/// Documents that are read at once.
const READERS: usize = 4;
/// Polls that use the store at once.
const STORERS: usize = 16;
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
    /// Seconds up to which a fresh answer, or a document's own wish, puts the next poll off.
    pub freshness_cap: i64,
    /// What becomes of items by what they say.
    pub rules: Arc<Rules>,
    /// Where the last answer of each source is kept; `None` to keep none.
    pub answers: Option<LastAnswers>,
}

/// Polls sources into the store.
#[derive(Debug)]
pub struct Ingest {
    store: Handle,
    fetcher: Fetcher,
    clock: Arc<dyn Clock>,
    options: Arc<IngestOptions>,
    routing: Arc<Routing>,
    /// Two sources may list one item: who waits for its turn need not decide about it twice.
    deciding: Arc<tokio::sync::Mutex<()>>,
    /// Documents are read by so many at a time: each may be as large as a body is allowed to be.
    reading: Arc<tokio::sync::Semaphore>,
    /// So many polls use the store at a time: more threads would only wait for each other there.
    storing: Arc<tokio::sync::Semaphore>,
    /// What a poll costs, as the bits of a float.
    price: AtomicU64,
}

/// An answer that was read, waiting for its records to be taken in.
#[derive(Debug)]
pub struct Answer {
    state: SourceState,
    outcome: Result<Read, PollError>,
}

#[derive(Debug)]
enum Read {
    NotModified(NotModified),
    Document(Box<Taken>),
}

#[derive(Debug)]
struct Taken {
    document: Document,
    /// Hash of the body, where that is the whole list.
    body: Option<[u8; 16]>,
    validators: Validators,
    /// Hash of the address that answered, where that is another site's.
    answered_at: Option<u64>,
    moved: Option<Url>,
    fresh_until: Option<Timestamp>,
    bytes: usize,
    /// The body's share of the memory for bodies, until the document is taken in.
    room: Room,
}

impl Answer {
    /// Whether it brings nothing that is taken in: it failed, or nothing has changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match &self.outcome {
            Ok(Read::NotModified(_)) => self.state.memory.missing.is_empty(),
            Ok(Read::Document(_)) => false,
            Err(_) => true,
        }
    }

    /// Gives the share of the memory for bodies back early: for callers that bound their answers
    /// by number.
    pub fn let_go(&mut self) {
        if let Ok(Read::Document(taken)) = &mut self.outcome {
            taken.room = Room::default();
        }
    }
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
            deciding: Arc::default(),
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
            deciding: Arc::clone(&self.deciding),
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

    /// Sets what a poll costs from now on, in item-seconds ([`schedule::price`]).
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
    async fn call<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Store) -> Result<T, StoreError> + Send + 'static,
    {
        let _turn = self.storing.acquire().await;
        self.store.call(work).await
    }

    /// Keeps every poll from deciding and storing while the guard lives.
    pub async fn hold(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.deciding.lock().await
    }

    /// One poll of a claimed source: [`Ingest::ask`], then [`Ingest::finish`].
    ///
    /// # Errors
    /// Only [`StoreError`]: what goes wrong upstream stands in the report.
    pub async fn poll(&self, source: &Source, claim: Claim) -> Result<PollReport, StoreError> {
        let answer = self.ask(source, claim.state).await;
        self.finish(source, answer).await
    }

    /// Takes the records of an answer in and ends the poll.
    ///
    /// # Errors
    /// Only [`StoreError`].
    pub async fn finish(&self, source: &Source, answer: Answer) -> Result<PollReport, StoreError> {
        let mut pending = Pending::default();
        let (report, mut ending) = self.take(source, answer, &mut pending).await?;
        self.store_pending(&mut pending).await?;
        pending.settle(&mut ending);
        if !self.store.complete(vec![ending]).await?.is_empty() {
            tracing::warn!(source.id = %source.id, "its poll ended too late: somebody else has polled it meanwhile");
        }
        Ok(report)
    }

    /// Sends the request of a source in this state and says what would be taken in; nothing is stored.
    ///
    /// # Errors
    /// Only [`StoreError`].
    pub async fn try_out(&self, source: &Source, state: SourceState) -> Result<PollReport, StoreError> {
        let mut answer = self.ask(source, state).await;
        let mut report = PollReport { source: source.id.to_string(), ..PollReport::default() };
        match answer.outcome {
            Ok(Read::NotModified(_)) => report.not_modified = true,
            Ok(Read::Document(taken)) => {
                report.bytes = taken.bytes;
                self.would_take(source, taken.document, &mut report).await?;
            }
            Err(error) => _ = failed(&mut answer.state, &mut report, &error, self.clock.now()),
        }
        Ok(report)
    }

    /// Takes the records of an answer in, beside what is `pending` of others. The poll has ended when, after
    /// [`Ingest::store_pending`], [`Handle::complete`] has returned for what comes with the report; until then
    /// it counts as cut off, and would be made again.
    ///
    /// # Errors
    /// Only [`StoreError`].
    pub async fn take(
        &self,
        source: &Source,
        answer: Answer,
        pending: &mut Pending,
    ) -> Result<(PollReport, PollResult), StoreError> {
        let Answer { mut state, outcome } = answer;
        let mut report = PollReport { source: source.id.to_string(), ..PollReport::default() };
        if let Err(PollError::Fetch(FetchError::Rests { until, .. })) = outcome {
            report.rests = Some(until);
            let claim = Claim { id: source.id.clone(), epoch: state.epoch, state };
            return Ok((report, PollResult::resting(claim, until)));
        }
        let mut void = Vec::new();
        let ended = match outcome {
            Ok(Read::NotModified(unmodified)) => {
                report.not_modified = true;
                self.nothing_new(source, &mut state, (&mut report, pending), unmodified).await?
            }
            Ok(Read::Document(taken)) => {
                let to = (&mut report, pending);
                let (ended, found) = self.new_document(source, &mut state, to, *taken).await?;
                void = found;
                ended
            }
            Err(error) => failed(&mut state, &mut report, &error, self.clock.now()),
        };
        let ending = self.end(source, state, &report, ended, void);
        Ok((report, ending))
    }

    async fn nothing_new(
        &self,
        source: &Source,
        state: &mut SourceState,
        (report, pending): (&mut PollReport, &mut Pending),
        unmodified: NotModified,
    ) -> Result<Ended, StoreError> {
        let now = self.clock.now();
        let NotModified { freshness, validators, moved } = unmodified;
        state.validators.renew(validators);
        state.memory.count(true);
        moves::note(&mut state.memory, source, moved.as_ref(), true, now);
        state.memory.habits.learn(&[], now, schedule::offset(source.zone, now));
        report.withdrawn = self.still_missing(source, state, pending).await?;
        Ok(Ended::Well { fresh_until: freshness.until })
    }

    async fn new_document(
        &self,
        source: &Source,
        state: &mut SourceState,
        (report, pending): (&mut PollReport, &mut Pending),
        taken: Taken,
    ) -> Result<(Ended, Vec<[u8; 16]>), StoreError> {
        let now = self.clock.now();
        let Taken { document, body, validators, answered_at, moved, fresh_until, bytes, room: _room } = taken;
        report.bytes = bytes;
        state.title = clip_bytes(&document.title, 300);
        state.repairs = document.repairs.iter().take(REPAIRS_SHOWN).map(ToString::to_string).collect();
        state.held.clear();
        state.next_check = None;
        let hints = document.hints.clone();
        let before = state.clone();
        let mut found = self.take_document(source, document, state, (report, pending)).await?;
        if found.overruns(&before) {
            self.store_pending(pending).await?;
            self.fill_gap(source, &hints, state, (report, pending), &mut found).await?;
        }
        report.withdrawn += self.withdraw_deleted(source, state, pending, &hints, &found).await?;
        let memory = &mut state.memory;
        memory.hear(&hints);
        memory.count(false);
        memory.window = u32::try_from(found.codes.len()).unwrap_or(u32::MAX);
        let same_feed = found.known > 0 || before.first_good.is_none();
        moves::note(memory, source, moved.as_ref(), same_feed, now);
        memory.habits.learn(&found.arrived, now, schedule::offset(source.zone, now));
        // A 304 would hide what was held back for ever (RULES 1.10).
        let whole = report.held == 0;
        state.validators = if whole { validators } else { Validators::default() };
        memory.validators_of = answered_at;
        memory.body = body.filter(|_| whole);
        Ok((Ended::Well { fresh_until }, found.void))
    }

    fn end(
        &self,
        source: &Source,
        mut state: SourceState,
        report: &PollReport,
        ended: Ended,
        void: Vec<[u8; 16]>,
    ) -> PollResult {
        let now = self.clock.now();
        state.last_poll = Some(now);
        state.memory.gone = ended == Ended::Gone;
        if let Some(error) = &report.error {
            state.fails = state.fails.saturating_add(1);
            state.last_error = Some(clip_bytes(error, 600));
            state.memory.error_kind = report.error_kind.clone().unwrap_or_default();
        } else {
            state.fails = 0;
            state.last_error = None;
            state.memory.error_kind.clear();
            state.last_good = Some(now);
            state.first_good.get_or_insert(now);
        }
        state.items += report.inserted as u64;
        let next = schedule::next(&source.id, &state, &self.terms(source), now, ended);
        schedule::apply(&mut state, next);
        if let Some(wait) = report.wait {
            state.not_before = state.not_before.max(wait);
            state.next_poll = state.next_poll.max(wait);
        }
        state.host = host_of(&source.url);
        PollResult { id: source.id.clone(), epoch: state.epoch, state, void, host_rests: report.host_rests }
    }
}

fn failed(state: &mut SourceState, report: &mut PollReport, error: &PollError, now: Timestamp) -> Ended {
    let retry_after = match error {
        PollError::Fetch(error) => error.retry_after(),
        _ => None,
    };
    // It says that of the server; a 503 may be one address that cannot be made.
    if matches!(error, PollError::Fetch(error) if error.status() == Some(429)) {
        report.host_rests = retry_after.map(|until| until.min(now.plus(schedule::CEILING)));
    }
    report.error = Some(chain(error));
    report.error_kind = Some(error.kind().to_owned());
    if matches!(error, PollError::Fetch(error) if error.status() == Some(410)) {
        tracing::error!(source.id = %report.source, "its address is gone for good (410); it is asked no more");
        return Ended::Gone;
    }
    // An address that it moved to must not outlive its own end.
    moves::doubt(state);
    Ended::Badly { retry_after }
}
