//! Ingest: one poll of one source, start to end: request, parse, identity, details,
//! decisions, commit.
//!
//! Owns: how an InfoCode is found, and what is done with each listed record. Does not own:
//! HTTP (`fetch`), formats (`parse`, `source`), bytes on disk (`store`), when to poll
//! (`schedule`). Decisions are pure and in [`decision`]; identity is in [`identity`].

pub mod answers;
pub mod apply_rules;
pub mod article;
pub mod canary;
pub mod decision;
mod deletions;
mod details;
mod document;
mod document_context;
mod document_facts;
mod document_ingest;
pub mod draft;
mod fetch_source;
mod gaps;
pub mod identity;
mod identity_keys;
mod identity_search;
mod listed;
mod lookup;
mod options;
mod pending;
mod placement;
mod poller;
mod redirects;
mod report;
pub mod rerouting;
mod revision;
pub mod routing;
mod same_article;
mod volatile;

use crate::fetch::FetchError;
use crate::model::chain;
use crate::model::http::Unchanged;
use crate::model::text::clip_bytes;
use crate::model::{NotModified, SourceState, Timestamp, Validators, host_of};
use crate::schedule::{self, Ended};
use crate::source::Source;
use crate::store::{Claim, PollResult, StoreError};

use fetch_source::{FetchOutcome, FetchedDocument};

pub use answers::LastAnswers;
pub use fetch_source::Answer;
pub use options::IngestOptions;
pub use pending::Pending;
pub use poller::Ingest;
pub use report::{PollError, PollReport};
pub use routing::{AutoCategories, Routing};

/// Repairs of the last document that are remembered, at most.
const REPAIRS_SHOWN: usize = 10;
/// Bounds that cut the last document and are remembered, at most.
const CUT_SHOWN: usize = 5;

impl Ingest {
    /// Polls a claimed source: [`Ingest::fetch_source`], then [`Ingest::finish`].
    ///
    /// # Errors
    /// Only [`StoreError`]: upstream failures are in the report.
    pub async fn poll(&self, source: &Source, claim: Claim) -> Result<PollReport, StoreError> {
        let answer = self.fetch_source(source, claim.state).await;
        self.finish(source, answer).await
    }

    /// Ingests the records of an answer and ends the poll.
    ///
    /// # Errors
    /// Only [`StoreError`].
    pub async fn finish(&self, source: &Source, answer: Answer) -> Result<PollReport, StoreError> {
        let mut pending = Pending::default();
        let (report, mut ending) = self.ingest_answer(source, answer, &mut pending).await?;
        self.store_pending(&mut pending).await?;
        pending.finish(&mut ending);
        if !self.store.complete(vec![ending]).await?.is_empty() {
            tracing::warn!(source.id = %source.id, "its poll ended too late: somebody else has polled it meanwhile");
        }
        Ok(report)
    }

    /// Sends the request of a source in this state and reports what would be ingested; nothing is stored.
    ///
    /// # Errors
    /// Only [`StoreError`].
    pub async fn try_out(&self, source: &Source, state: SourceState) -> Result<PollReport, StoreError> {
        let mut answer = self.fetch_source(source, state).await;
        let mut report = PollReport { source: source.id.to_string(), ..PollReport::default() };
        match answer.outcome {
            Ok(FetchOutcome::NotModified(unmodified)) => {
                (report.not_modified, report.unchanged_by) = (true, Some(unmodified.by));
            }
            Ok(FetchOutcome::Document(taken)) => {
                report.bytes = taken.bytes;
                self.preview_document(source, taken.document, &mut report).await?;
            }
            Err(error) => _ = failed(&mut answer.state, &mut report, &error, self.clock.now()),
        }
        Ok(report)
    }

    /// Ingests the records of an answer, in addition to what is `pending` of others.
    ///
    /// After [`Ingest::store_pending`], the poll is ended by
    /// [`Handle::complete`](crate::store::Handle::complete) with the result beside the report; until then it
    /// counts as interrupted, and would be repeated.
    ///
    /// # Errors
    /// Only [`StoreError`].
    pub async fn ingest_answer(
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
            Ok(FetchOutcome::NotModified(unmodified)) => {
                (report.not_modified, report.unchanged_by) = (true, Some(unmodified.by));
                self.record_not_modified(source, &mut state, (&mut report, pending), unmodified).await?
            }
            Ok(FetchOutcome::Document(taken)) => {
                let to = (&mut report, pending);
                let (ended, found) = self.ingest_fetched(source, &mut state, to, *taken).await?;
                void = found;
                ended
            }
            Err(error) => failed(&mut state, &mut report, &error, self.clock.now()),
        };
        let ending = self.poll_result(source, state, &report, ended, void);
        Ok((report, ending))
    }

    async fn record_not_modified(
        &self,
        source: &Source,
        state: &mut SourceState,
        (report, pending): (&mut PollReport, &mut Pending),
        unmodified: NotModified,
    ) -> Result<Ended, StoreError> {
        let now = self.clock.now();
        let NotModified { by, freshness, validators, moved } = unmodified;
        state.validators.renew(validators);
        state.memory.count(by == Unchanged::NotModified);
        if by == Unchanged::SameBytes {
            state.memory.read_whole = Some(now);
        }
        state.memory.read_whole.get_or_insert(now);
        redirects::record(&mut state.memory, source, moved.as_ref(), true, now);
        state.memory.habits.learn(&[], now, schedule::offset(source.zone, now));
        report.withdrawn = self.still_missing(source, state, pending).await?;
        Ok(Ended::Well { fresh_until: freshness.until })
    }

    async fn ingest_fetched(
        &self,
        source: &Source,
        state: &mut SourceState,
        (report, pending): (&mut PollReport, &mut Pending),
        taken: FetchedDocument,
    ) -> Result<(Ended, Vec<[u8; 16]>), StoreError> {
        let now = self.clock.now();
        let FetchedDocument {
            document,
            body,
            validators,
            answered_at,
            moved,
            fresh_until,
            bytes,
            permit: _permit,
        } = taken;
        report.bytes = bytes;
        state.title = clip_bytes(&document.title, 300);
        state.repairs = document.repairs.iter().take(REPAIRS_SHOWN).map(ToString::to_string).collect();
        state.cut = document.cut.iter().take(CUT_SHOWN).map(|cut| clip_bytes(cut, 300)).collect();
        state.held.clear();
        state.next_check = None;
        let hints = document.hints.clone();
        let before = state.clone();
        let mut found = self.ingest_document(source, document, state, (report, pending)).await?;
        if found.overruns(&before) {
            self.store_pending(pending).await?;
            self.fill_gap(source, &hints, state, (report, pending), &mut found).await?;
        }
        report.withdrawn += self.withdraw_deleted(source, state, pending, &hints, &found).await?;
        let memory = &mut state.memory;
        memory.hear(&hints);
        memory.count(false);
        memory.read_whole = Some(now);
        memory.window = u32::try_from(found.codes.len()).unwrap_or(u32::MAX);
        let same_feed = found.known > 0 || before.first_good.is_none();
        redirects::record(memory, source, moved.as_ref(), same_feed, now);
        memory.habits.learn(&found.arrived, now, schedule::offset(source.zone, now));
        // A 304 would hide for ever what was held back (RULES 1.10).
        let whole = report.held == 0;
        state.validators = if whole { validators } else { Validators::default() };
        memory.validators_of = answered_at;
        memory.body = body.filter(|_| whole);
        Ok((Ended::Well { fresh_until }, found.void))
    }

    fn poll_result(
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
    // A 429 is about the whole host; a 503 may be about one address.
    if matches!(error, PollError::Fetch(error) if error.status() == Some(429)) {
        report.host_rests = retry_after.map(|until| until.min(now.plus(schedule::CEILING)));
    }
    if matches!(error, PollError::Fetch(error) if error.status() == Some(412)) {
        // The server cannot evaluate the condition, so it is not sent again.
        state.validators = Validators::default();
        state.memory.body = None;
    }
    report.error = Some(chain(error));
    report.error_kind = Some(error.kind().to_owned());
    if matches!(error, PollError::Fetch(error) if error.status() == Some(410)) {
        tracing::error!(source.id = %report.source, "its address is gone for good (410); it is asked no more");
        return Ended::Gone;
    }
    // A remembered redirect is dropped after some failures.
    redirects::record_failure(state);
    Ended::Badly { retry_after }
}
