//! What becomes of plans when the system's clock goes back.
//!
//! Due times are instants. A clock that stood in the future planned polls there, and once it is
//! right again nothing would be asked for until that time comes. The store remembers the latest
//! time at which it was asked for work; a time well before that means that the clock went back.

use super::codec::{self, u64_at};
use super::open::{Open, T, backend};
use super::write::{self, transact};
use super::{Result, SourceRecord, read};
use crate::model::Timestamp;

/// A clock that is set right by less than this is none that went back, in seconds.
const SLACK: i64 = 60;
/// The key of the latest time seen.
const LATEST: &str = "clock";
/// Sources that are due in the same second after a step.
const A_SECOND: i64 = 10;
/// What the outputs say of their age is set right only after a step of this many seconds.
const LARGE: i64 = 86_400;

/// Notes the time; after a step back, plans that were made in the future are made anew.
/// The caller holds the writer's lock.
pub(super) fn note(store: &Open, now: Timestamp) -> Result<()> {
    let latest = read::get(store, T::Sys, LATEST)?
        .and_then(|bytes| u64_at(&bytes, 0))
        .and_then(|at| i64::try_from(at).ok())
        .map_or(Timestamp::EPOCH, Timestamp::from_unix);
    let stepped_back = now.plus(SLACK) < latest;
    if stepped_back {
        tracing::warn!(from = %latest.rfc3339(), to = %now.rfc3339(), "the clock went back; polls are planned anew");
        plan_anew(store, latest, now)?;
        if latest.since(now) > LARGE {
            set_right(store, now)?;
        }
    }
    if stepped_back || latest.plus(SLACK / 2) <= now {
        store.tree(T::Sys).insert(LATEST, &codec::time(now)).map_err(|e| backend("note the time", e))?;
        store.wrote();
    }
    Ok(())
}

fn plan_anew(store: &Open, latest: Timestamp, now: Timestamp) -> Result<()> {
    for (number, SourceRecord { id, mut state }) in (0_i64..).zip(read::sources(store)?) {
        let before = state.next_poll;
        let from_future = state.last_poll.is_some_and(|at| at > now) || before > latest;
        if before == Timestamp::MAX || !from_future {
            continue;
        }
        state.next_poll = now.plus((number / A_SECOND).min(SLACK));
        state.not_before = state.not_before.min(state.next_poll);
        "the clock went back".clone_into(&mut state.why);
        for past in [&mut state.last_poll, &mut state.last_good, &mut state.next_check] {
            *past = past.map(|at| at.min(now));
        }
        transact(store, |tx| write::put_source(tx, &id, &state, before, &[]))?;
    }
    Ok(())
}

/// No output may say that it changed in the future (RULES 2.2).
fn set_right(store: &Open, now: Timestamp) -> Result<()> {
    let mut all = read::categories(store)?;
    all.extend(read::category(store, crate::model::CategoryId::SITE)?);
    for mut category in all.into_iter().filter(|category| category.changed_at > now) {
        category.changed_at = now;
        transact(store, |tx| {
            let generation = write::next(tx, "generation")?;
            write::put_category(tx, &mut category.clone(), generation)
        })?;
    }
    Ok(())
}
