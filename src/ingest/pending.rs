//! Changes of several documents that are decided and not stored yet.
//!
//! A transaction with its sync costs as much as the changes of half a document, so changes that arrive without
//! a pause are stored together. The decision lock keeps others from deciding meanwhile; that only saves second
//! decisions, and correctness does not depend on it. A change is committed only if its basis is still what is
//! stored; otherwise its record is decided on again, a few times.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use tokio::sync::OwnedMutexGuard;
use tracing::warn;

use super::document_context::{DecidedChange, DocumentContext};
use super::document_ingest::DocumentIngest;
use super::identity::Listed;
use super::poller::Ingest;
use super::routing::Routing;
use crate::model::{InfoCode, SourceId, Timestamp};
use crate::store::{Change, PollResult, Result, Store};

/// Number of changes, or bytes of their texts, from which they are stored.
const CHANGES: usize = 200;
const BYTES: usize = 4 << 20;
/// How often a record is decided on when its basis has changed at each commit.
const TRIES: usize = 5;

/// A decided change and the document of its record.
type Waiting = (Arc<DocumentContext>, DecidedChange);

/// Changes that are not stored yet. If they are dropped they are lost, and the polls that brought them must not
/// end.
#[derive(Debug, Default)]
pub struct Pending {
    /// The decision lock, held from the first change on.
    lock: Option<OwnedMutexGuard<()>>,
    waiting: Vec<Waiting>,
    codes: HashSet<InfoCode>,
    bytes: usize,
    /// Counters of the rules.
    counts: BTreeMap<String, u64>,
    /// Sources with a record that could not be stored after all tries.
    unfinished: BTreeSet<SourceId>,
}

impl Pending {
    /// Returns whether all that was ingested is stored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.counts.is_empty()
    }

    /// Clears the validators of a poll with a record that could not be stored, so that the next one reads it
    /// again (RULES 1.10). To be called once all is stored.
    pub fn finish(&self, result: &mut PollResult) {
        if self.unfinished.contains(&result.id) {
            result.state.forget_document();
        }
    }

    fn add(
        &mut self,
        document: &Arc<DocumentContext>,
        decided: Vec<DecidedChange>,
        counts: BTreeMap<String, u64>,
    ) {
        for one in decided {
            self.codes.insert(one.change.code.clone());
            self.bytes += one.change.body.as_ref().map_or(0, |body| body.html.len());
            self.waiting.push((Arc::clone(document), one));
        }
        for (name, count) in counts {
            *self.counts.entry(name).or_default() += count;
        }
    }
}

/// Stores the changes whose basis is still stored, and decides again on the rest. Returns the sources with
/// changes left after all tries.
fn store_all(
    store: &dyn Store,
    routing: &Routing,
    mut waiting: Vec<Waiting>,
    now: Timestamp,
) -> Result<BTreeSet<SourceId>> {
    for _ in 0..TRIES {
        if waiting.is_empty() {
            break;
        }
        let (changes, records): (Vec<Change>, Vec<_>) = waiting
            .into_iter()
            .map(|(document, DecidedChange { mut change, detailed })| {
                change.claim = Some((document.source.id.clone(), document.epoch));
                (change, (document, detailed))
            })
            .unzip();
        let refused: HashSet<InfoCode> = store.commit(changes, now)?.into_iter().collect();
        waiting = Vec::new();
        for (document, detailed) in records {
            if refused.contains(&detailed.listed.code) {
                let again = DocumentIngest::new(&document).again(store, routing, vec![detailed])?;
                waiting.extend(again.into_iter().map(|decided| (Arc::clone(&document), decided)));
            }
        }
    }
    for (document, decided) in &waiting {
        let (source, code) = (&document.source.id, &decided.change.code);
        warn!(source.id = %source, info_code = %code, "something else was stored each time; it is tried again later");
    }
    Ok(waiting.iter().map(|(document, _)| document.source.id.clone()).collect())
}

impl Ingest {
    /// Stores what was ingested. Only then may its polls end, each after [`Pending::finish`].
    ///
    /// # Errors
    /// Those of the store; nothing is pending any more.
    pub async fn store_pending(&self, pending: &mut Pending) -> Result<()> {
        let Pending { lock, waiting, counts, mut unfinished, .. } = std::mem::take(pending);
        if !waiting.is_empty() || !counts.is_empty() {
            let (now, routing) = (self.clock.now(), Arc::clone(&self.routing));
            let left = self.call(move |store| {
                let left = store_all(store, &routing, waiting, now)?;
                if !counts.is_empty() {
                    store.add_counts(&counts)?;
                }
                Ok(left)
            });
            unfinished.extend(left.await?);
        }
        pending.unfinished = unfinished;
        drop(lock);
        Ok(())
    }

    /// Waits for the decision lock for these records; pending changes of the same items are stored first.
    pub(super) async fn lock_decisions(
        &self,
        pending: &mut Pending,
        records: impl Iterator<Item = &Listed>,
    ) -> Result<()> {
        let mut codes = records.map(|listed| &listed.code);
        if codes.any(|code| pending.codes.contains(code)) {
            self.store_pending(pending).await?;
        }
        if pending.lock.is_none() {
            pending.lock = Some(Arc::clone(&self.decision_lock).lock_owned().await);
        }
        Ok(())
    }

    /// Adds decided changes, and stores all once there are many.
    pub(super) async fn add(
        &self,
        pending: &mut Pending,
        document: Arc<DocumentContext>,
        decided: Vec<DecidedChange>,
        counts: BTreeMap<String, u64>,
    ) -> Result<()> {
        pending.add(&document, decided, counts);
        if pending.waiting.len() >= CHANGES || pending.bytes >= BYTES {
            self.store_pending(pending).await?;
        }
        Ok(())
    }
}
