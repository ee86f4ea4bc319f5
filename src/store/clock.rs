//! What becomes of plans when the process ends, and when the system's clock goes back.
//!
//! Due times are instants. A clock that stood in the future planned polls there, and once it is
//! right again nothing would be asked for until that time comes. The store remembers the latest
//! time at which it was asked for work; a time well before that means that the clock went back.

use super::codec::{self, u64_at};
use super::open::{Open, T, backend};
use super::write::{self, transact};
use super::{Result, SourceRecord, read, sources};
use crate::model::{SourceState, Timestamp};

/// A clock that is set right by less than this is none that went back, in seconds.
const SLACK: i64 = 60;
/// The key of the latest time seen.
const LATEST: &str = "clock";
/// Polls of one source that may be cut off in a row before it has to wait.
const PATIENCE: u32 = 2;
/// Doublings of that wait: 16 seconds at the most, for it may as well be the power that fails.
const LONGEST: u32 = 4;
/// Sources that are due in the same second after a step.
const A_SECOND: i64 = 10;
/// What the outputs say of their age is set right only after a step of this many seconds.
const LARGE: i64 = 86_400;

/// Whether the clock went back since `latest`.
pub(super) fn went_back(latest: Timestamp, now: Timestamp) -> bool {
    now.plus(SLACK) < latest
}

/// Whether it went back so far that outputs may say that they are from the future.
pub(super) fn far_back(latest: Timestamp, now: Timestamp) -> bool {
    latest.since(now) > LARGE
}

/// Whether the time is worth being noted again.
pub(super) fn moved(latest: Timestamp, now: Timestamp) -> bool {
    latest.plus(SLACK / 2) <= now
}

/// What becomes of a source, the `number`-th of all, after the clock went back from `latest`; `None`
/// where its plans were not made in the future.
pub(super) fn planned_anew(
    number: i64,
    state: &SourceState,
    latest: Timestamp,
    now: Timestamp,
) -> Option<SourceState> {
    let before = state.next_poll;
    let from_future = state.last_poll.is_some_and(|at| at > now) || before > latest;
    if before == Timestamp::MAX || state.memory.gone || !from_future {
        return None;
    }
    let mut state = state.clone();
    state.next_poll = now.plus((number / A_SECOND).min(SLACK));
    state.not_before = state.not_before.min(state.next_poll);
    "the clock went back".clone_into(&mut state.why);
    for past in [&mut state.last_poll, &mut state.last_good, &mut state.next_check] {
        *past = past.map(|at| at.min(now));
    }
    Some(state)
}

/// A source as it is claimed by a caller that has `lease` seconds for it.
pub(super) fn claimed(mut state: SourceState, now: Timestamp, lease: i64) -> SourceState {
    state.claimed = Some(state.next_poll);
    state.next_poll = now.plus(lease);
    state
}

/// A source whose poll was cut off with its process; `None` for one that was not claimed. One that is
/// cut off again and again may be what ends the process, and gets longer pauses.
pub(super) fn given_back(state: &SourceState, now: Timestamp) -> Option<SourceState> {
    let due = state.claimed?;
    let mut state = state.clone();
    state.claimed = None;
    state.cut_off = state.cut_off.saturating_add(1);
    let pause = 1_i64 << state.cut_off.saturating_sub(PATIENCE).min(LONGEST);
    state.next_poll = if state.cut_off > PATIENCE { due.max(now).plus(pause) } else { due };
    Some(state)
}

/// A source's state as a poll leaves it.
pub(super) fn completed(mut state: SourceState) -> SourceState {
    state.claimed = None;
    state.cut_off = 0;
    state
}

/// Notes the time; after a step back, plans that were made in the future are made anew.
/// The caller holds the writer's lock.
pub(super) fn note(store: &Open, now: Timestamp) -> Result<()> {
    let latest = read::get(store, T::Sys, LATEST)?
        .and_then(|bytes| u64_at(&bytes, 0))
        .and_then(|at| i64::try_from(at).ok())
        .map_or(Timestamp::EPOCH, Timestamp::from_unix);
    if went_back(latest, now) {
        tracing::warn!(from = %latest.rfc3339(), to = %now.rfc3339(), "the clock went back; polls are planned anew");
        plan_anew(store, latest, now)?;
        if far_back(latest, now) {
            set_right(store, now)?;
        }
    }
    if went_back(latest, now) || moved(latest, now) {
        store.tree(T::Sys).insert(LATEST, &codec::time(now)).map_err(|e| backend("note the time", e))?;
        store.wrote();
    }
    Ok(())
}

fn plan_anew(store: &Open, latest: Timestamp, now: Timestamp) -> Result<()> {
    let mut planned = Vec::new();
    for (number, SourceRecord { id, state }) in (0_i64..).zip(sources::all(store)?) {
        planned.extend(planned_anew(number, &state, latest, now).map(|anew| (id, anew)));
    }
    sources::put_states(store, planned.iter().map(|(id, anew)| (id, anew)))
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
