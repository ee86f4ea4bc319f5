//! Changes that were decided and are not stored yet, of several documents.
//!
//! A transaction and its way to the disk cost as much as what half a document changes: what a round takes
//! in without a pause between is stored together. Nobody else decides meanwhile, for nobody sees these
//! changes in the store; so they are stored before anything is waited for, and before a document is
//! decided that lists one of their items.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use tokio::sync::OwnedMutexGuard;

use super::Ingest;
use super::identity::Listed;
use crate::model::InfoCode;
use crate::store::{Change, Result};

/// So many changes, or bytes of their texts, are stored at once.
const CHANGES: usize = 200;
const BYTES: usize = 4 << 20;

/// Changes that are not stored yet. Dropped, they never were: the polls that brought them must not end.
#[derive(Debug, Default)]
pub struct Pending {
    /// The turn to decide, from the first of them on.
    turn: Option<OwnedMutexGuard<()>>,
    changes: Vec<Change>,
    codes: HashSet<InfoCode>,
    bytes: usize,
    /// What rules did.
    counts: BTreeMap<String, u64>,
}

impl Pending {
    /// Whether all that was taken in is stored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.counts.is_empty()
    }

    fn add(&mut self, changes: Vec<Change>, counts: BTreeMap<String, u64>) {
        for change in &changes {
            self.codes.insert(change.code.clone());
            self.bytes += change.body.as_ref().map_or(0, |body| body.html.len());
        }
        self.changes.extend(changes);
        for (name, count) in counts {
            *self.counts.entry(name).or_default() += count;
        }
    }
}

impl Ingest {
    /// Stores what was taken in. Only then may its polls end.
    ///
    /// # Errors
    /// Those of the store; nothing is pending any more.
    pub async fn store_pending(&self, pending: &mut Pending) -> Result<()> {
        let Pending { turn, changes, counts, .. } = std::mem::take(pending);
        if !changes.is_empty() || !counts.is_empty() {
            let now = self.clock.now();
            self.call(move |store| {
                store.commit(changes, now)?;
                if counts.is_empty() { Ok(()) } else { store.tally(&counts) }
            })
            .await?;
        }
        drop(turn);
        Ok(())
    }

    /// Waits for the turn to decide about these records; what is pending of them is stored before.
    pub(super) async fn turn(
        &self,
        pending: &mut Pending,
        records: impl Iterator<Item = &Listed>,
    ) -> Result<()> {
        let mut codes = records.map(|listed| &listed.code);
        if codes.any(|code| pending.codes.contains(code)) {
            self.store_pending(pending).await?;
        }
        if pending.turn.is_none() {
            pending.turn = Some(Arc::clone(&self.deciding).lock_owned().await);
        }
        Ok(())
    }

    /// Adds what was decided, and stores all where it is much.
    pub(super) async fn add(
        &self,
        pending: &mut Pending,
        changes: Vec<Change>,
        counts: BTreeMap<String, u64>,
    ) -> Result<()> {
        pending.add(changes, counts);
        if pending.changes.len() >= CHANGES || pending.bytes >= BYTES {
            self.store_pending(pending).await?;
        }
        Ok(())
    }
}
