//! Batches polls that end at the same time.
//!
//! A transaction and its sync cost as much for one source as for thirty. A poll that ends while others are
//! being stored waits and is stored with all that wait by then; none waits for others to arrive.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot::Sender;

use super::contract::Store;
use super::error::Result;
use super::types::PollResult;
use crate::model::SourceId;

type Waiting = (Vec<PollResult>, Sender<Result<Vec<SourceId>>>);

/// Poll results that wait to be stored.
#[derive(Debug, Default)]
pub(super) struct CompletionQueue(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<Waiting>,
    /// Whether a thread stores results; it checks for new ones before it stops.
    storing: bool,
}

impl CompletionQueue {
    /// Queues results. Returns `true` if no thread stores them: the caller then has
    /// [`CompletionQueue::store_all`] run.
    pub(super) fn wait(&self, results: Vec<PollResult>, told: Sender<Result<Vec<SourceId>>>) -> bool {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        queue.waiting.push((results, told));
        !std::mem::replace(&mut queue.storing, true)
    }

    /// Stores the queued results until the queue is empty.
    pub(super) fn store_all(&self, store: &dyn Store) {
        loop {
            let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let some = std::mem::take(&mut queue.waiting);
            queue.storing = !some.is_empty();
            drop(queue);
            if some.is_empty() {
                return;
            }
            // A panic drops the senders, so the waiting callers get an error.
            drop(catch_unwind(AssertUnwindSafe(|| store_some(store, some))));
        }
    }
}

fn store_some(store: &dyn Store, some: Vec<Waiting>) {
    let (mut results, mut tell) = (Vec::new(), Vec::new());
    for (own, told) in some {
        tell.push((own.len(), told));
        results.extend(own);
    }
    let all = store.complete(&results);
    let mut rest = &results[..];
    for (count, told) in tell {
        let (own, others) = rest.split_at(count);
        rest = others;
        let own = match &all {
            Ok(refused) => {
                let own = own.iter().map(|result| &result.id).filter(|id| refused.contains(id));
                Ok(own.cloned().collect())
            }
            // A result that cannot be stored must not keep the others from being stored.
            Err(_) => one_by_one(store, own),
        };
        // The receiver is gone if its poll was cancelled.
        let _ = told.send(own);
    }
}

/// Stores each result by itself; returns the refused sources, or the last error.
fn one_by_one(store: &dyn Store, results: &[PollResult]) -> Result<Vec<SourceId>> {
    let (mut refused, mut failed) = (Vec::new(), None);
    for result in results {
        match store.complete(std::slice::from_ref(result)) {
            Ok(more) => refused.extend(more),
            Err(error) => failed = Some(error),
        }
    }
    failed.map_or(Ok(refused), Err)
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;
    use crate::model::Timestamp;
    use crate::store::{Claimed, MemoryStore, Sources};

    #[test]
    fn all_that_wait_are_stored_by_one() {
        let (store, results) = (MemoryStore::default(), CompletionQueue::default());
        let id = |id: &str| SourceId::new(id).unwrap();
        for round in [10, 20] {
            let mut hears = Vec::new();
            for (first, name, next) in [(true, "a", 1), (false, "b", 2), (false, "c", 3)] {
                let (told, hear) = oneshot::channel();
                let now = Timestamp::from_unix(round);
                let claimed = store.claim("test", &[id(name)], now, 60).unwrap().remove(0);
                let Claimed::Yours(mut claim) = claimed else { panic!("{claimed:?}") };
                claim.state.next_poll = now.plus(next);
                // One of them comes too late.
                claim.epoch += u64::from(name == "c");
                assert_eq!(results.wait(vec![PollResult::of(*claim)], told), first);
                hears.push(hear);
            }
            results.store_all(&store);
            let heard: Vec<_> = hears.into_iter().map(|mut hear| hear.try_recv().unwrap().unwrap()).collect();
            assert_eq!(heard, [vec![], vec![], vec![id("c")]]);
            let next = |name: &str| store.source(&id(name)).unwrap().next_poll.unix() - round;
            assert_eq!(["a", "b", "c"].map(next), [1, 2, 60]);
            store.release("test", &[], Timestamp::from_unix(round)).unwrap();
        }
    }
}
