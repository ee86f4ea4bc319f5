//! State changes of claims and due times when a poll ends, when the process ends, and when the system's clock
//! goes back. Pure functions, the same for every backend.
//!
//! Due times are instants. While a clock is ahead, polls are planned in the future, and once it is right again
//! nothing is due until that time. The store therefore records the latest time at which it was asked for work;
//! a time well before that means that the clock went back.

use super::types::{Claim, PollResult};
use crate::model::{SourceId, SourceState, Timestamp};

/// A correction of the clock by less than this is not counted as going back, in seconds.
const SLACK: i64 = 60;
/// Polls of one source that may be cut off in a row before it has to wait.
const PATIENCE: u32 = 2;
/// Doublings of that wait, which makes 16 seconds at most: the cause may just as well be power failures.
const LONGEST: u32 = 4;
/// Sources that are due in the same second after the clock went back.
const A_SECOND: i64 = 10;
/// Seconds that the clock must have gone back before the outputs' timestamps are corrected.
const LARGE: i64 = 86_400;

/// Returns whether the clock went back since `latest`.
pub(crate) fn went_back(latest: Timestamp, now: Timestamp) -> bool {
    now.plus(SLACK) < latest
}

/// Returns whether it went back so far that outputs may be dated in the future.
pub(crate) fn far_back(latest: Timestamp, now: Timestamp) -> bool {
    latest.since(now) > LARGE
}

/// Returns whether enough time passed to record the latest time again.
pub(crate) fn moved(latest: Timestamp, now: Timestamp) -> bool {
    latest.plus(SLACK / 2) <= now
}

/// Returns the new state of a source, the `number`-th of all, after the clock went back from `latest`; `None`
/// if its times are not in the future, or if it is not polled any more.
pub(crate) fn planned_anew(
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

/// Returns until when another worker has claimed a source; `None` if it is free or the lease expired.
pub(crate) fn taken_until(state: &SourceState, now: Timestamp) -> Option<Timestamp> {
    (state.claimed.is_some() && state.next_poll > now).then_some(state.next_poll)
}

/// Claims a source for `lease` seconds: returns the claim, whose state is the one for the poll, and the state
/// to store.
pub(crate) fn claimed(
    id: SourceId,
    before: SourceState,
    by: &str,
    now: Timestamp,
    lease: i64,
) -> (Claim, SourceState) {
    let epoch = before.epoch.saturating_add(1);
    // A claim whose lease expired keeps the time for which the source was due.
    let due = before.claimed.unwrap_or(before.next_poll);
    let mut state = SourceState { epoch, claimed: Some(due), next_poll: now.plus(lease), ..before.clone() };
    by.clone_into(&mut state.claimed_by);
    let state_then =
        SourceState { claimed: None, claimed_by: String::new(), next_poll: due, epoch, ..before };
    (Claim { id, epoch, state: state_then }, state)
}

/// Encodes the end of a host's pause: big-endian seconds.
pub(crate) fn pause_bytes(until: Timestamp) -> [u8; 8] {
    until.unix().to_be_bytes()
}

/// Decodes the end of a pause that [`pause_bytes`] wrote; `None` if it is over, or was requested while the
/// clock was ahead: no pause is longer than a day (RULES 6.5).
pub(crate) fn pause_in(bytes: &[u8], now: Timestamp) -> Option<Timestamp> {
    let until = Timestamp::from_unix(i64::from_be_bytes(bytes.try_into().ok()?));
    (until > now && until <= now.plus(LARGE + SLACK)).then_some(until)
}

/// Returns whether a claim is the last on its source, and has not ended.
pub(crate) fn is_last(state: &SourceState, epoch: u64) -> bool {
    state.epoch == epoch && state.claimed.is_some()
}

/// Returns whether this worker has claimed it.
pub(crate) fn is_of(state: &SourceState, worker: &str) -> bool {
    state.claimed.is_some() && state.claimed_by == worker
}

/// Returns the state with the lease extended until `until`; `None` if a later claim exists.
pub(crate) fn renewed(state: &SourceState, epoch: u64, until: Timestamp) -> Option<SourceState> {
    is_last(state, epoch).then(|| SourceState { next_poll: until.max(state.next_poll), ..state.clone() })
}

/// Returns the state of a source whose poll was cut off with its process; `None` if it was not claimed. A
/// source that is cut off repeatedly may be what ends the process, and gets longer pauses.
pub(crate) fn given_back(state: &SourceState, now: Timestamp) -> Option<SourceState> {
    let due = state.claimed?;
    let mut state = state.clone();
    // A late result of its poll is refused.
    state.epoch = state.epoch.saturating_add(1);
    state.claimed = None;
    state.claimed_by.clear();
    state.cut_off = state.cut_off.saturating_add(1);
    let pause = 1_i64 << state.cut_off.saturating_sub(PATIENCE).min(LONGEST);
    state.next_poll = if state.cut_off > PATIENCE { due.max(now).plus(pause) } else { due };
    Some(state)
}

/// Returns a source's state as imported from a backup: not claimed, and without validators, because what came
/// in since the backup was written has to be fetched again.
pub(crate) fn brought(mut state: SourceState) -> SourceState {
    if let Some(due) = state.claimed.take() {
        state.next_poll = due;
    }
    state.claimed_by.clear();
    state.forget_document();
    state
}

/// The last claim on a source: all that is needed of its state when a poll ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LastClaim {
    /// Its number.
    pub(crate) epoch: u64,
    /// Whether it has not ended.
    pub(crate) runs: bool,
    /// Whether the store dropped in the meantime what lets an unchanged document pass unread.
    pub(crate) unread: bool,
}

impl LastClaim {
    pub(crate) fn of(state: &SourceState) -> Self {
        Self { epoch: state.epoch, runs: state.claimed.is_some(), unread: state.unread }
    }

    /// Returns whether it has that number, and has not ended.
    pub(crate) fn is(self, epoch: u64) -> bool {
        self.epoch == epoch && self.runs
    }
}

/// Returns a source's state after a poll; `None` if its claim is not the last any more.
pub(crate) fn completed(last: LastClaim, result: &PollResult) -> Option<SourceState> {
    if !last.is(result.epoch) {
        return None;
    }
    let mut state = SourceState {
        epoch: last.epoch,
        claimed: None,
        claimed_by: String::new(),
        cut_off: 0,
        ..result.state.clone()
    };
    if last.unread {
        state.forget_document();
    }
    state.unread = false;
    Some(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_counts_until_it_is_over_or_the_clock_goes_back() {
        let at = Timestamp::from_unix;
        let pause = pause_bytes(at(1_000_600));
        for (now, counts) in [(1_000_000, true), (1_000_599, true), (1_000_600, false), (900_000, false)] {
            assert_eq!(pause_in(&pause, at(now)), counts.then_some(at(1_000_600)), "{now}");
        }
        assert_eq!(pause_in(b"short", at(0)), None);
    }
}
