//! Detects that the system's clock went back. `store::claims` decides what becomes of due times then.

use super::categories::{self, put_category};
use super::database::{Database, TreeId, backend, next, time, time_at};
use super::engine::Engine;
use super::sources;
use crate::model::{CategoryId, Timestamp};
use crate::store::claims;
use crate::store::{Result, SourceRecord};

/// The key of the latest time seen.
const LATEST: &str = "clock";

/// Records the time; after the clock went back, due times in the future are planned anew. The caller holds the
/// writer's lock.
pub(super) fn note(engine: &Engine, now: Timestamp) -> Result<()> {
    let latest =
        engine.db.get(TreeId::Sys, LATEST)?.and_then(|bytes| time_at(&bytes)).unwrap_or(Timestamp::EPOCH);
    if claims::went_back(latest, now) {
        tracing::warn!(from = %latest.rfc3339(), to = %now.rfc3339(), "the clock went back; polls are planned anew");
        plan_anew(engine, latest, now)?;
        if claims::far_back(latest, now) {
            set_right(&engine.db, now)?;
        }
    }
    if claims::went_back(latest, now) || claims::moved(latest, now) {
        engine.db.tree(TreeId::Sys).insert(LATEST, &time(now)).map_err(|e| backend("note the time", e))?;
        engine.db.wrote();
    }
    Ok(())
}

fn plan_anew(engine: &Engine, latest: Timestamp, now: Timestamp) -> Result<()> {
    let mut planned = Vec::new();
    for (number, SourceRecord { id, state }) in (0_i64..).zip(sources::all(engine)?) {
        planned.extend(claims::planned_anew(number, &state, latest, now).map(|anew| (id, anew)));
    }
    sources::put_states(engine, planned.iter().map(|(id, anew)| (id, anew)))
}

/// Corrects the times of categories that changed in the future.
fn set_right(db: &Database, now: Timestamp) -> Result<()> {
    let mut all = categories::all(db)?;
    all.extend(categories::category(db, CategoryId::SITE)?);
    for mut category in all.into_iter().filter(|category| category.changed_at > now) {
        category.changed_at = now;
        db.transact(|tx| {
            let generation = next(tx, "generation")?;
            put_category(tx, &mut category.clone(), generation)
        })?;
    }
    Ok(())
}
