//! One round of polls over many sources, for commands and the demo; the daemon polls each source when it is
//! due ([`tasks`](super::tasks)).

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::claims::{self, Claims};
use super::mill::Mill;
use crate::ingest::{Answer, Ingest, Pending, PollReport};
use crate::model::{SourceId, SourceState, Timestamp};
use crate::source::Source;
use crate::store::{Claim, Claimed, Handle, PollResult, StoreError};

/// Sources that are claimed in one transaction; each is polled a little later.
const STATES: usize = 16;
/// Results of polls that are stored together: one transaction with its write to the disk costs as much as
/// thirty results. A round that is cut off polls at most as many sources again.
const RESULTS_PER_TRANSACTION: usize = 200;
/// Results that wait are stored when no answer arrives for this time.
const QUIET: Duration = Duration::from_millis(250);

/// The outcome of a round.
#[derive(Debug, Default)]
pub struct Round {
    /// Reports of the sources that were polled, in the order in which they were wanted.
    pub polls: Vec<PollReport>,
    /// Sources that were not polled because it was too early.
    pub waiting: Vec<NotYet>,
    /// Sources that another worker polls.
    pub busy: Vec<Busy>,
}

/// A source that another worker polls for longer than a command waits.
#[derive(Debug, Clone, Serialize)]
pub struct Busy {
    /// The source's id.
    pub source: SourceId,
    /// The worker that polls it, such as `the daemon`.
    pub by: String,
}

/// A source that must not be polled yet.
#[derive(Debug, Clone, Serialize)]
pub struct NotYet {
    /// The source's id.
    pub source: SourceId,
    /// The time before which nobody polls it: RFC 3339.
    pub not_before: String,
    /// The reason, for people.
    pub why: String,
    /// Whether another worker has polled it since the round began; it is due at `not_before` then.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub polled: bool,
}

impl NotYet {
    /// Returns `Some` if it is too early to poll a source.
    pub(super) fn of(source: &Source, state: &SourceState, now: Timestamp) -> Option<Self> {
        (state.not_before > now).then(|| Self {
            source: source.id.clone(),
            not_before: state.not_before.rfc3339(),
            why: state.why.clone(),
            polled: false,
        })
    }
}

impl Mill {
    /// Polls `wanted` once, except sources for which it is too early. Answers are fetched concurrently and
    /// processed one after the other in the given order, so that the result does not depend on which source answers
    /// first.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn round(
        &self,
        wanted: Vec<Arc<Source>>,
        progress: impl Fn(usize, usize, &str),
    ) -> Result<Round, StoreError> {
        let all = wanted.len();
        // More than are fetched at once, so that a slow source does not delay the ones behind it.
        let ahead = self.config.fetch.concurrency.max(1) * 2;
        let some = wanted.chunks(STATES).map(<[_]>::to_vec).collect::<Vec<_>>();
        let claims = Arc::new(Claims::new(self.store.clone(), Arc::clone(&self.clock), claims::COMMAND));
        let begun = self.clock.now();
        let own = Arc::clone(&claims);
        let known = stream::iter(some).then(move |some| claimed(Arc::clone(&own), some));
        let mut answers = pin!(
            known
                .map_ok(|some| stream::iter(some.into_iter().map(Ok)))
                .try_flatten()
                .map_ok(|(source, claimed)| {
                    let asked = self.spawn_fetch(&source, claimed, &claims, begun);
                    async move { Ok((source, asked.await.map_err(StoreError::task)??)) }
                })
                .try_buffered(ahead)
        );
        let mut round = Round::default();
        let mut pending = Pending::default();
        let mut ends = ResultQueue::new(self.store.clone());
        loop {
            let next = if let Some(next) = answers.try_next().now_or_never() {
                next?
            } else {
                // While a change is pending, no other poll can decide: it must not wait for an upstream.
                self.ingest.store_pending(&mut pending).await?;
                ends.store_finished(&pending);
                let Ok(next) = timeout(QUIET, answers.try_next()).await else {
                    ends.store_waiting();
                    continue;
                };
                next?
            };
            let Some((source, answer)) = next else { break };
            let (report, ending) = match answer {
                FetchedAhead::Done(done) => *done,
                FetchedAhead::Waits(answer) => {
                    self.ingest.ingest_answer(&source, *answer, &mut pending).await?
                }
                FetchedAhead::NotYet(early, claim) => {
                    ends.take(PollResult::of(*claim), &pending)?;
                    round.waiting.push(early);
                    continue;
                }
                FetchedAhead::Busy(busy) => {
                    round.busy.push(busy);
                    continue;
                }
            };
            let early = report.rests.and_then(|_| NotYet::of(&source, &ending.state, self.clock.now()));
            ends.take(ending, &pending)?;
            if let Some(early) = early {
                round.waiting.push(early);
                continue;
            }
            self.tell(&source, &report);
            round.polls.push(report);
            progress(round.polls.len() + round.waiting.len() + round.busy.len(), all, source.id.as_str());
        }
        self.ingest.store_pending(&mut pending).await?;
        ends.finish(&pending).await?;
        if round.polls.iter().any(PollReport::changed) {
            self.changed.notify_one();
        }
        Ok(round)
    }

    /// Fetches in a task of its own: an answer in transfer occupies a slot at its host, which the detail
    /// pages of another source may wait for.
    fn spawn_fetch(
        &self,
        source: &Arc<Source>,
        claimed: Claimed,
        claims: &Arc<Claims>,
        begun: Timestamp,
    ) -> AbortOnDropHandle<Result<FetchedAhead, StoreError>> {
        let (ingest, clock) = (Arc::clone(&self.ingest), Arc::clone(&self.clock));
        let (source, claims) = (Arc::clone(source), Arc::clone(claims));
        AbortOnDropHandle::new(tokio::spawn(async move {
            let (claim, waited) = match claimed {
                Claimed::Yours(claim) => (claim, false),
                Claimed::Busy { .. } => match claims.claim_waiting(&source.id, claims::MAX_WAIT).await? {
                    Claimed::Yours(claim) => (claim, true),
                    Claimed::Busy { by, .. } => {
                        return Ok(FetchedAhead::Busy(Busy { source: source.id.clone(), by }));
                    }
                },
            };
            if let Some(early) = NotYet::of(&source, &claim.state, clock.now()) {
                return Ok(FetchedAhead::NotYet(early, claim));
            }
            // Timestamps are in seconds: a poll in the second in which the round began may have come
            // before the round, unless the claim had to wait.
            if claim.state.last_poll.is_some_and(|last| last > begun || (waited && last == begun)) {
                let why = "somebody else polled it a moment ago".to_owned();
                let not_before = claim.state.next_poll.rfc3339();
                return Ok(FetchedAhead::NotYet(
                    NotYet { source: source.id.clone(), not_before, why, polled: true },
                    claim,
                ));
            }
            fetch_ahead(&ingest, &source, claim.state).await
        }))
    }
}

/// Results of polls to be stored, in the background: the next poll need not wait for the disk.
struct ResultQueue {
    store: Handle,
    /// Results of polls that may have pending changes.
    held: Vec<PollResult>,
    waiting: Vec<PollResult>,
    storing: JoinSet<Result<(), StoreError>>,
}

impl ResultQueue {
    fn new(store: Handle) -> Self {
        Self { store, held: Vec::new(), waiting: Vec::new(), storing: JoinSet::new() }
    }

    /// Adds a result; returns the errors of earlier writes.
    fn take(&mut self, ending: PollResult, pending: &Pending) -> Result<(), StoreError> {
        self.held.push(ending);
        if pending.is_empty() {
            self.store_finished(pending);
        }
        if self.waiting.len() >= RESULTS_PER_TRANSACTION {
            self.store_waiting();
        }
        while let Some(ended) = self.storing.try_join_next() {
            ended.unwrap_or_else(|error| Err(StoreError::task(error)))?;
        }
        Ok(())
    }

    /// Queues the results whose changes were pending; called when no change is pending any more.
    fn store_finished(&mut self, pending: &Pending) {
        self.held.iter_mut().for_each(|result| pending.finish(result));
        self.waiting.append(&mut self.held);
    }

    fn store_waiting(&mut self) {
        let some = std::mem::take(&mut self.waiting);
        if !some.is_empty() {
            let store = self.store.clone();
            self.storing.spawn(async move { store.complete(some).await.map(drop) });
        }
    }

    /// Stores the remaining results; no change is pending any more.
    async fn finish(mut self, pending: &Pending) -> Result<(), StoreError> {
        self.store_finished(pending);
        self.store_waiting();
        while let Some(ended) = self.storing.join_next().await {
            ended.unwrap_or_else(|error| Err(StoreError::task(error)))?;
        }
        Ok(())
    }
}

/// Claims sources; each is returned with its claim, or with the worker that polls it.
async fn claimed(
    claims: Arc<Claims>,
    sources: Vec<Arc<Source>>,
) -> Result<Vec<(Arc<Source>, Claimed)>, StoreError> {
    let claimed = claims.these(sources.iter().map(|source| source.id.clone()).collect()).await?;
    Ok(sources.into_iter().zip(claimed).collect())
}

/// A poll of a round, as far as it can proceed before earlier ones are processed.
enum FetchedAhead {
    /// A poll without anything to process, which is complete.
    Done(Box<(PollReport, PollResult)>),
    /// An answer to be processed in its turn.
    Waits(Box<Answer>),
    /// A source for which it is too early; the claim is released.
    NotYet(NotYet, Box<Claim>),
    /// A source that another worker polls.
    Busy(Busy),
}

async fn fetch_ahead(
    ingest: &Ingest,
    source: &Source,
    state: SourceState,
) -> Result<FetchedAhead, StoreError> {
    let mut answer = ingest.fetch_source(source, state).await;
    if answer.is_empty() {
        // Nothing is taken in, so nothing can be pending.
        let done = ingest.ingest_answer(source, answer, &mut Pending::default()).await?;
        return Ok(FetchedAhead::Done(Box::new(done)));
    }
    // One that holds memory while it waits would keep an earlier one out.
    answer.release_memory();
    Ok(FetchedAhead::Waits(Box::new(answer)))
}
