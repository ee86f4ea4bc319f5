//! Polls that end at the same time, stored together.
//!
//! A transaction and its way to the disk cost as much for one source as for thirty. Who ends a poll
//! while others are being stored waits and goes with all that wait by then; nobody waits for company.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot::Sender;

use super::{Ending, Result, Store};

type Waiting = (Vec<Ending>, Sender<Result<()>>);

/// Endings that wait to be stored.
#[derive(Debug, Default)]
pub(super) struct Endings(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<Waiting>,
    /// Somebody stores them, and looks again before it stops.
    storing: bool,
}

impl Endings {
    /// Lets endings wait. `true` where nobody stores: the caller then has [`Endings::store_all`] run.
    pub(super) fn wait(&self, endings: Vec<Ending>, told: Sender<Result<()>>) -> bool {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        queue.waiting.push((endings, told));
        !std::mem::replace(&mut queue.storing, true)
    }

    /// Stores what waits until nothing does.
    pub(super) fn store_all(&self, store: &dyn Store) {
        loop {
            let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let some = std::mem::take(&mut queue.waiting);
            queue.storing = !some.is_empty();
            drop(queue);
            if some.is_empty() {
                return;
            }
            // Who waits hears of a panic by the silence.
            drop(catch_unwind(AssertUnwindSafe(|| store_some(store, some))));
        }
    }
}

fn store_some(store: &dyn Store, some: Vec<Waiting>) {
    let (mut endings, mut tell) = (Vec::new(), Vec::new());
    for (own, told) in some {
        tell.push((own.len(), told));
        endings.extend(own);
    }
    let all = store.complete(&endings);
    let mut rest = &endings[..];
    for (count, told) in tell {
        let (own, others) = rest.split_at(count);
        rest = others;
        let own = match &all {
            Ok(()) => Ok(()),
            // One that cannot be stored must not keep the others out.
            Err(_) => {
                own.iter().map(|one| store.complete(std::slice::from_ref(one))).fold(Ok(()), Result::and)
            }
        };
        // Polls that were given up do not hear it.
        let _ = told.send(own);
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::super::MemoryStore;
    use super::*;
    use crate::model::{SourceId, SourceState, Timestamp};

    #[test]
    fn all_that_wait_are_stored_by_one() {
        let (store, endings) = (MemoryStore::default(), Endings::default());
        let id = |id: &str| SourceId::new(id).unwrap();
        for round in [10, 20] {
            let mut hears = Vec::new();
            for (first, name, next) in [(true, "a", 0), (false, "b", 1), (false, "a", 2)] {
                let (told, hear) = oneshot::channel();
                let next_poll = Timestamp::from_unix(round + next);
                let state = SourceState { next_poll, ..SourceState::default() };
                assert_eq!(endings.wait(vec![Ending::of(id(name), state)], told), first);
                hears.push(hear);
            }
            endings.store_all(&store);
            assert!(hears.into_iter().all(|mut hear| hear.try_recv().unwrap().is_ok()));
            let next = |name: &str| store.source(&id(name)).unwrap().next_poll.unix() - round;
            assert_eq!((next("a"), next("b")), (2, 1), "the last one counts");
        }
    }
}
