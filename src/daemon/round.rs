//! One round over many sources, by hand or in a demo: the daemon polls each when it is due (`tasks`).

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::Mill;
use crate::ingest::{Answer, Ingest, Pending, PollReport};
use crate::model::{SourceId, SourceState, Timestamp};
use crate::source::Source;
use crate::store::{Handle, PollResult, StoreError};

/// Sources of a round whose states are read at once: a little later each is asked.
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
}

impl NotYet {
    /// Whether it is too early for a source.
    pub(super) fn of(source: &Source, state: &SourceState, now: Timestamp) -> Option<Self> {
        (state.not_before > now).then(|| Self {
            source: source.id.clone(),
            not_before: state.not_before.rfc3339(),
            why: state.why.clone(),
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
        let ingest = Arc::clone(&self.ingest);
        let known = stream::iter(some).then(move |some| with_states(Arc::clone(&ingest), some));
        let mut answers = pin!(
            known
                .map_ok(|some| stream::iter(some.into_iter().map(Ok)))
                .try_flatten()
                .map_ok(|(source, state)| {
                    let asked = match NotYet::of(&source, &state, self.clock.now()) {
                        Some(early) => Err(early),
                        None => Ok(self.ask_aside(&source, state)),
                    };
                    async move {
                        let ahead = match asked {
                            Ok(asked) => asked.await.map_err(StoreError::task)??,
                            Err(early) => Ahead::NotYet(early),
                        };
                        Ok((source, ahead))
                    }
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
                ends.let_in(&pending);
                let Ok(next) = timeout(QUIET, answers.try_next()).await else {
                    ends.store_waiting();
                    continue;
                };
                next?
            };
            let Some((source, answer)) = next else { break };
            let (report, ending) = match answer {
                Ahead::Done(done) => *done,
                Ahead::Waits(answer) => self.ingest.take(&source, *answer, &mut pending).await?,
                Ahead::NotYet(early) => {
                    round.waiting.push(early);
                    continue;
                }
            };
            ends.take(ending, &pending)?;
            self.tell(&source, &report);
            round.polls.push(report);
            progress(round.polls.len() + round.waiting.len(), all, source.id.as_str());
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
        state: SourceState,
    ) -> AbortOnDropHandle<Result<Ahead, StoreError>> {
        let (ingest, source) = (Arc::clone(&self.ingest), Arc::clone(source));
        AbortOnDropHandle::new(tokio::spawn(async move { ask_ahead(&ingest, &source, state).await }))
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
            self.let_in(pending);
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
    fn let_in(&mut self, pending: &Pending) {
        self.held.iter_mut().for_each(|result| pending.settle(result));
        self.waiting.append(&mut self.held);
    }

    fn store_waiting(&mut self) {
        let some = std::mem::take(&mut self.waiting);
        if !some.is_empty() {
            let store = self.store.clone();
            self.storing.spawn(async move { store.complete(some).await });
        }
    }

    /// Stores the last; nothing is pending any more.
    async fn finish(mut self, pending: &Pending) -> Result<(), StoreError> {
        self.let_in(pending);
        self.store_waiting();
        while let Some(ended) = self.storing.join_next().await {
            ended.unwrap_or_else(|error| Err(StoreError::task(error)))?;
        }
        Ok(())
    }
}

/// Sources and what is known of them.
async fn with_states(
    ingest: Arc<Ingest>,
    sources: Vec<Arc<Source>>,
) -> Result<Vec<(Arc<Source>, SourceState)>, StoreError> {
    let states = ingest.states(sources.iter().map(|source| source.id.clone()).collect()).await?;
    Ok(sources.into_iter().zip(states).collect())
}

/// A poll of a round, as far as it goes while earlier ones are not taken in yet.
enum Ahead {
    /// Nothing is to be taken in, so nobody has to wait for its end.
    Done(Box<(PollReport, PollResult)>),
    /// It waits for its turn.
    Waits(Box<Answer>),
    /// Nobody was asked.
    NotYet(NotYet),
}

async fn ask_ahead(ingest: &Ingest, source: &Source, state: SourceState) -> Result<Ahead, StoreError> {
    let mut answer = ingest.ask_with(source, state).await;
    if answer.is_empty() {
        // Nothing is taken in, so nothing can be pending.
        let done = ingest.take(source, answer, &mut Pending::default()).await?;
        return Ok(Ahead::Done(Box::new(done)));
    }
    // One that holds memory while it waits would keep an earlier one out.
    answer.let_go();
    Ok(Ahead::Waits(Box::new(answer)))
}
