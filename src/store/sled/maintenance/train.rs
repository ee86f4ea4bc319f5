//! Training compression dictionaries: once there are enough articles, and again when there are many more.

use crate::store::sled::articles;
use crate::store::sled::categories::arrivals_of_site;
use crate::store::sled::database::{MAX_VALUE, TreeId, backend, chunk_key, next, put, u64_at};
use crate::store::sled::engine::Engine;
use crate::store::sled::store::SledStore;
use crate::store::{Result, StoreError};

/// Bytes of a dictionary: twice as much saves 2 % more (`docs/measurements.md`).
const SIZE: usize = 64 << 10;
/// Items before the first training; fewer are not representative.
const ENOUGH: u64 = 1_000;
/// Bodies and bytes to train on, at most.
const SAMPLES: usize = 4_000;
const SAMPLE_BYTES: usize = 12 << 20;
/// Factor by which the items must have grown since the last training for another one.
const GROWTH: u64 = 8;

impl SledStore {
    /// Trains a compression dictionary if there are enough articles for it, and returns its size in bytes.
    ///
    /// # Errors
    /// Those of the store.
    pub fn train(&self) -> Result<Option<usize>> {
        self.write(train)
    }
}

/// Trains a dictionary if there are enough items for the first, or many more than for the last. Returns its
/// size in bytes if one was made.
///
/// # Errors
/// Those of the store; bodies without common content are no error.
fn train(engine: &Engine) -> Result<Option<usize>> {
    let items = arrivals_of_site(&engine.db)?;
    let before = engine.db.get(TreeId::Sys, "trained")?.and_then(|v| u64_at(&v, 0));
    if items < before.map_or(ENOUGH, |before| before.max(ENOUGH).saturating_mul(GROWTH)) {
        return Ok(None);
    }
    train_on(engine, items)
}

/// Trains a dictionary on the texts of a store that has `stored` items so far.
///
/// # Errors
/// As [`train`].
pub(super) fn train_on(engine: &Engine, stored: u64) -> Result<Option<usize>> {
    let items = arrivals_of_site(&engine.db)?;
    let samples = samples(engine, stored)?;
    let Ok(bytes) = zstd::dict::from_samples(&samples, SIZE) else { return Ok(None) };
    let _writing = engine.db.writing();
    engine.db.transact(|tx| {
        let id = u32::try_from(next(tx, "dictionaries")?).unwrap_or(u32::MAX);
        for (number, chunk) in (0..).zip(bytes.chunks(MAX_VALUE)) {
            put(tx, TreeId::Dict, &chunk_key(id, number), chunk)?;
        }
        put(tx, TreeId::Sys, b"trained", &items.to_be_bytes())
    })?;
    Ok(Some(bytes.len()))
}

/// Returns bodies spread over the whole store, encoded but not packed.
fn samples(engine: &Engine, stored: u64) -> Result<Vec<Vec<u8>>> {
    let step = usize::try_from(stored).unwrap_or(usize::MAX).div_ceil(SAMPLES).max(1);
    let mut samples = Vec::new();
    let mut bytes = 0;
    for entry in engine.db.tree(TreeId::Item).iter().keys().step_by(step) {
        let key = entry.map_err(|e| backend("read bodies", e))?;
        let body = articles::body(engine, &key)?;
        let raw = postcard::to_stdvec(&body).map_err(|_| StoreError::Damaged { what: "body" })?;
        bytes += raw.len();
        samples.push(raw);
        if samples.len() >= SAMPLES || bytes >= SAMPLE_BYTES {
            break;
        }
    }
    Ok(samples)
}
