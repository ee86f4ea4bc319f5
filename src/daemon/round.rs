//! One round over many sources, by hand or in a demo: the daemon polls each when it is due (`tasks`).

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

/// Sources of a round that are claimed at once: a little later each is asked.
const STATES: usize = 16;
/// Ends of polls that are stored together: a transaction and its way to the disk cost as much as thirty of
/// them. A round that is cut off asks so many again.
const ENDS: usize = 200;
/// When no answer comes for so long, what waits is stored.
const QUIET: Duration = Duration::from_millis(250);

/// What a round came to.
#[derive(Debug, Default)]
pub struct Round {
    /// Of each source that was asked, in the order in which they were wanted.
    pub polls: Vec<PollReport>,
    /// Sources that were not asked.
    pub waiting: Vec<NotYet>,
    /// Sources that somebody else polls.
    pub busy: Vec<Busy>,
}

/// A source that somebody else polls, and has not done with for long.
#[derive(Debug, Clone, Serialize)]
pub struct Busy {
    /// Its id.
    pub source: SourceId,
    /// Who polls it.
    pub by: String,
}

/// A source whose upstream wants a pause.
#[derive(Debug, Clone, Serialize)]
pub struct NotYet {
    /// Its id.
    pub source: SourceId,
    /// Nobody asks before that: RFC 3339.
    pub not_before: String,
    /// Why, for people.
    pub why: String,
    /// Somebody else polled it since the round began; it is due at that time.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub polled: bool,
}

impl NotYet {
    /// Whether it is too early for a source.
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
    /// One round over `wanted`, but for those whose upstream wants a pause: answers are fetched side by
    /// side and taken in one after the other in the given order, so that the round ends the same whoever
    /// answers first.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn round(
        &self,
        wanted: Vec<Arc<Source>>,
        progress: impl Fn(usize, usize, &str),
    ) -> Result<Round, StoreError> {
        let all = wanted.len();
        // More than are asked at once: one that is slow must not keep later ones from their turn.
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
                    let asked = self.ask_aside(&source, claimed, &claims, begun);
                    async move { Ok((source, asked.await.map_err(StoreError::task)??)) }
                })
                .try_buffered(ahead)
        );
        let mut round = Round::default();
        let mut pending = Pending::default();
        let mut ends = Ends::new(self.store.clone());
        loop {
            let next = if let Some(next) = answers.try_next().now_or_never() {
                next?
            } else {
                // Nobody else decides while something is pending: it must not wait for an upstream.
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
                Ahead::Done(done) => *done,
                Ahead::Waits(answer) => self.ingest.ingest_answer(&source, *answer, &mut pending).await?,
                Ahead::NotYet(early, claim) => {
                    ends.take(PollResult::of(*claim), &pending)?;
                    round.waiting.push(early);
                    continue;
                }
                Ahead::Busy(busy) => {
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

    /// Asks in a task of its own: an answer on its way holds a place at its host, which the details of
    /// another source wait for.
    fn ask_aside(
        &self,
        source: &Arc<Source>,
        claimed: Claimed,
        claims: &Arc<Claims>,
        begun: Timestamp,
    ) -> AbortOnDropHandle<Result<Ahead, StoreError>> {
        let (ingest, clock) = (Arc::clone(&self.ingest), Arc::clone(&self.clock));
        let (source, claims) = (Arc::clone(source), Arc::clone(claims));
        AbortOnDropHandle::new(tokio::spawn(async move {
            let (claim, waited) = match claimed {
                Claimed::Yours(claim) => (claim, false),
                Claimed::Busy { .. } => match claims.patiently(&source.id, claims::PATIENCE).await? {
                    Claimed::Yours(claim) => (claim, true),
                    Claimed::Busy { by, .. } => {
                        return Ok(Ahead::Busy(Busy { source: source.id.clone(), by }));
                    }
                },
            };
            if let Some(early) = NotYet::of(&source, &claim.state, clock.now()) {
                return Ok(Ahead::NotYet(early, claim));
            }
            // Times have seconds: who did not wait may have polled it itself in the one in which it began.
            if claim.state.last_poll.is_some_and(|last| last > begun || (waited && last == begun)) {
                let why = "somebody else polled it a moment ago".to_owned();
                let not_before = claim.state.next_poll.rfc3339();
                return Ok(Ahead::NotYet(
                    NotYet { source: source.id.clone(), not_before, why, polled: true },
                    claim,
                ));
            }
            ask_ahead(&ingest, &source, claim.state).await
        }))
    }
}

/// Ends of polls on their way into the store: the next poll need not wait for the disk.
struct Ends {
    store: Handle,
    /// Of polls of which something may be pending.
    held: Vec<PollResult>,
    waiting: Vec<PollResult>,
    storing: JoinSet<Result<(), StoreError>>,
}

impl Ends {
    fn new(store: Handle) -> Self {
        Self { store, held: Vec::new(), waiting: Vec::new(), storing: JoinSet::new() }
    }

    /// Takes one more; says what became of earlier ones.
    fn take(&mut self, ending: PollResult, pending: &Pending) -> Result<(), StoreError> {
        self.held.push(ending);
        if pending.is_empty() {
            self.store_finished(pending);
        }
        if self.waiting.len() >= ENDS {
            self.store_waiting();
        }
        while let Some(ended) = self.storing.try_join_next() {
            ended.unwrap_or_else(|error| Err(StoreError::task(error)))?;
        }
        Ok(())
    }

    /// Nothing is pending any more.
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

    /// Stores the last; nothing is pending any more.
    async fn finish(mut self, pending: &Pending) -> Result<(), StoreError> {
        self.store_finished(pending);
        self.store_waiting();
        while let Some(ended) = self.storing.join_next().await {
            ended.unwrap_or_else(|error| Err(StoreError::task(error)))?;
        }
        Ok(())
    }
}

/// Sources, each claimed or taken.
async fn claimed(
    claims: Arc<Claims>,
    sources: Vec<Arc<Source>>,
) -> Result<Vec<(Arc<Source>, Claimed)>, StoreError> {
    let claimed = claims.these(sources.iter().map(|source| source.id.clone()).collect()).await?;
    Ok(sources.into_iter().zip(claimed).collect())
}

/// A poll of a round, as far as it goes while earlier ones are not taken in yet.
enum Ahead {
    /// Nothing is to be taken in, so nobody has to wait for its end.
    Done(Box<(PollReport, PollResult)>),
    /// It waits for its turn.
    Waits(Box<Answer>),
    /// Nobody was asked; the claim is given back.
    NotYet(NotYet, Box<Claim>),
    /// Somebody else polls it.
    Busy(Busy),
}

async fn ask_ahead(ingest: &Ingest, source: &Source, state: SourceState) -> Result<Ahead, StoreError> {
    let mut answer = ingest.fetch_source(source, state).await;
    if answer.is_empty() {
        // Nothing is taken in, so nothing can be pending.
        let done = ingest.ingest_answer(source, answer, &mut Pending::default()).await?;
        return Ok(Ahead::Done(Box::new(done)));
    }
    // One that holds memory while it waits would keep an earlier one out.
    answer.release_memory();
    Ok(Ahead::Waits(Box::new(answer)))
}
