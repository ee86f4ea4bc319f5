//! Decides when a source is due, and why. Pure: the time and all state are passed in.
//!
//! Owns: the learned hours of a source ([`habits`]), the pause that is worth its price ([`threshold`],
//! [`price`]), the pauses that servers and documents ask for ([`floors`]), backoff. Does not own: claiming due
//! sources (`store`), running polls (`daemon`).

pub mod floors;
pub mod habits;
pub mod price;
pub mod threshold;

use chrono::Offset;
use chrono_tz::Tz;
use sha2::{Digest, Sha256};

use crate::model::{SourceId, SourceState, Timestamp};
pub use floors::{CEILING, NEVER};
use habits::Rates;
use price::Plan;
use threshold::Due;

/// Jitter of an interval, as a share of it.
const JITTER: f64 = 0.05;
/// Seconds after an overrun of a window during which only half of it counts.
const CAREFUL: i64 = 24 * 3_600;

/// How often a source is polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Every so many seconds.
    Fixed(i64),
    /// When new items are expected.
    Learned {
        /// The least seconds between two polls.
        least: i64,
        /// Seconds between two polls on average, over all such sources.
        mean: i64,
    },
}

impl Pace {
    /// Returns the seconds between two polls, on average for a learned pace.
    #[must_use]
    pub fn usual(self) -> i64 {
        match self {
            Self::Fixed(seconds) | Self::Learned { mean: seconds, .. } => seconds,
        }
    }
}

/// The inputs from the config and the other sources, besides a source's own state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// How often it is polled.
    pub pace: Pace,
    /// Time zone of its day.
    pub zone: Tz,
    /// The cost of a poll, in item-seconds ([`price::price`]).
    pub price: f64,
    /// The longest pause for which `Cache-Control`, `Expires` and the document are obeyed, in seconds.
    pub freshness_cap: i64,
}

/// The outcome of a poll, as far as it affects the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It succeeded: an answer was processed, or nothing had changed.
    Well {
        /// Time until which the answer is fresh.
        fresh_until: Option<Timestamp>,
    },
    /// It failed.
    Badly {
        /// Time until which the upstream asked to wait.
        retry_after: Option<Timestamp>,
    },
    /// The upstream answered that the address is gone for good (410).
    Gone,
}

/// The next poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// Its time.
    pub at: Timestamp,
    /// Time before which no poll may start, not even by hand.
    pub not_before: Timestamp,
    /// Reason for the time, for people.
    pub why: String,
}

/// Returns the seconds by which a zone is ahead of UTC.
#[must_use]
pub fn offset(zone: Tz, at: Timestamp) -> i64 {
    i64::from(at.to_utc().with_timezone(&zone).offset().fix().local_minus_utc())
}

/// Decides the next poll of a source. Its state must already include the outcome of the last one: `fails` is 0
/// after success, the memory has what was learned.
#[must_use]
pub fn next(id: &SourceId, state: &SourceState, terms: &Terms, now: Timestamp, ended: Ended) -> Next {
    match ended {
        Ended::Well { fresh_until } => {
            let (pause, why) = own_pause(state, terms, now);
            let own = (now.plus(spread(id, now, pause).max(least(terms))), why);
            let (at, why) = floors::later(own, &state.memory, now, fresh_until, terms.freshness_cap);
            Next { at, not_before: Timestamp::EPOCH, why }
        }
        Ended::Badly { retry_after } => after_failure(id, state, terms, now, retry_after),
        Ended::Gone => Next {
            at: NEVER,
            not_before: Timestamp::EPOCH,
            why: format!(
                "its address is gone for good (410); give it a new one or remove it; `feedmill poll {id}` asks once more"
            ),
        },
    }
}

fn after_failure(
    id: &SourceId,
    state: &SourceState,
    terms: &Terms,
    now: Timestamp,
    retry_after: Option<Timestamp>,
) -> Next {
    let fails = state.fails;
    let base = own_pause(state, terms, now).0.min(terms.pace.usual()).max(least(terms));
    let doublings = fails.saturating_sub(1).min(20);
    let pause = base.saturating_mul(1_i64 << doublings).min(CEILING.max(base));
    let own = now.plus(spread(id, now, pause).max(least(terms)));
    match retry_after.map(|at| at.min(now.plus(CEILING))) {
        Some(asked) if asked > now => Next {
            at: asked.max(own),
            not_before: asked,
            why: format!("failed {fails} times; the upstream asked to wait (Retry-After)"),
        },
        _ => Next {
            at: own,
            not_before: Timestamp::EPOCH,
            why: format!("failed {fails} times; pausing {}", seconds(pause)),
        },
    }
}

/// Returns the shortest pause that the config allows, in seconds.
fn least(terms: &Terms) -> i64 {
    match terms.pace {
        // Jitter may shorten a fixed interval; that is intended.
        Pace::Fixed(_) => 1,
        Pace::Learned { least, .. } => least,
    }
}

/// Returns the pause in seconds by the config and the source's own habits, and the reason.
fn own_pause(state: &SourceState, terms: &Terms, now: Timestamp) -> (i64, String) {
    match terms.pace {
        Pace::Fixed(interval) => (interval, format!("every {}", seconds(interval))),
        Pace::Learned { least, .. } => {
            let plan = plan(state, terms, now);
            let (pause, due) = threshold::due_in(&plan.rates, now, terms.price, plan.window);
            let why = match due {
                Due::Expected => {
                    format!("learned: about {} items a day, most of them at other hours or soon", rate(state))
                }
                Due::Overrun => "learned: its document may soon have lost what is in it now".to_owned(),
                Due::Daily => "learned: hardly anything is to be expected; once a day".to_owned(),
            };
            (pause.max(least), why)
        }
    }
}

fn rate(state: &SourceState) -> String {
    let a_day = state.memory.habits.a_day();
    if a_day < 9.5 { format!("{a_day:.1}") } else { format!("{a_day:.0}") }
}

/// Returns the inputs of the price for a source.
#[must_use]
pub fn plan(state: &SourceState, terms: &Terms, now: Timestamp) -> Plan {
    let memory = &state.memory;
    let careful = memory.overrun.is_some_and(|at| now.since(at) < CAREFUL);
    let window = f64::from(memory.window) * if careful { 0.5 } else { 1.0 };
    let asked = floors::asked_by_document(memory).min(terms.freshness_cap);
    Plan { rates: Rates::of(&memory.habits, offset(terms.zone, now)), window, least: least(terms).max(asked) }
}

/// Writes the result of [`next`] into the state.
pub fn apply(state: &mut SourceState, next: Next) {
    state.next_poll = next.at;
    state.not_before = next.not_before;
    state.why = next.why;
}

/// Returns `interval` moved by up to 5 %, the same for the same source and time.
fn spread(id: &SourceId, now: Timestamp, interval: i64) -> i64 {
    let mut hash = Sha256::new();
    hash.update(id.as_str());
    hash.update(now.unix().to_be_bytes());
    let share = f64::from(hash.finalize()[0]) / 255.0 * 2.0 - 1.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a day has few seconds")]
    let moved = (interval as f64 * JITTER * share) as i64;
    interval + moved
}

/// Formats seconds for people: `45s`, `15m`, `2h`, `1d`.
#[must_use]
pub fn seconds(count: i64) -> String {
    match count {
        c if c >= 86_400 && c % 86_400 == 0 => format!("{}d", c / 86_400),
        c if c >= 3_600 && c % 3_600 == 0 => format!("{}h", c / 3_600),
        c if c >= 60 && c % 60 == 0 => format!("{}m", c / 60),
        c => format!("{c}s"),
    }
}

#[cfg(test)]
mod tests;
