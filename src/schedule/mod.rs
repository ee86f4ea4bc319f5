//! When a source is due, and why. Pure: the time and all state are passed in.
//!
//! Owns: what is learned of a source's hours ([`habits`]), the pause that is worth its price
//! ([`threshold`], [`price`]), what servers and documents ask for ([`floors`]), back-off. Does not
//! own: claiming due sources (`store`), running polls (`daemon`).

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

/// Spread of an interval, as a share of it.
const JITTER: f64 = 0.05;
/// After a window ran over, half of it counts for so many seconds.
const CAREFUL: i64 = 24 * 3_600;

/// How often a source is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Every so many seconds.
    Fixed(i64),
    /// When something is to be expected.
    Learned {
        /// Seconds between two polls at the least.
        least: i64,
        /// Seconds between two polls on average, over all such sources.
        mean: i64,
    },
}

impl Pace {
    /// Seconds between two polls, as people think of it.
    #[must_use]
    pub fn usual(self) -> i64 {
        match self {
            Self::Fixed(seconds) | Self::Learned { mean: seconds, .. } => seconds,
        }
    }
}

/// What of the config and of the other sources decides beside a source's own state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// How often.
    pub pace: Pace,
    /// Zone of its day.
    pub zone: Tz,
    /// What a poll costs, in item-seconds ([`price::price`]).
    pub price: f64,
    /// Seconds up to which `Cache-Control`, `Expires` and the document are obeyed.
    pub freshness_cap: i64,
}

/// How a poll ended, as far as the schedule cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// An answer was taken in, or nothing had changed.
    Well {
        /// The answer may be kept until then.
        fresh_until: Option<Timestamp>,
    },
    /// It failed.
    Badly {
        /// The upstream asked to wait until then.
        retry_after: Option<Timestamp>,
    },
    /// The upstream says that the address is gone for good (410).
    Gone,
}

/// The next poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// When.
    pub at: Timestamp,
    /// No poll at all before this, not even by hand.
    pub not_before: Timestamp,
    /// Why then, for people.
    pub why: String,
}

/// Seconds by which a zone is ahead of UTC.
#[must_use]
pub fn offset(zone: Tz, at: Timestamp) -> i64 {
    i64::from(at.to_utc().with_timezone(&zone).offset().fix().local_minus_utc())
}

/// Decides the next poll of a source whose state already tells how the last one ended: `fails`
/// is 0 after a good one, the memory holds what was learned of it.
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

/// The shortest pause that the config allows.
fn least(terms: &Terms) -> i64 {
    match terms.pace {
        // Jitter may shorten a fixed interval; that is meant.
        Pace::Fixed(_) => 1,
        Pace::Learned { least, .. } => least,
    }
}

/// The pause that nobody but the source's own habits asks for.
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

/// What the price has to know of a source.
#[must_use]
pub fn plan(state: &SourceState, terms: &Terms, now: Timestamp) -> Plan {
    let memory = &state.memory;
    let careful = memory.overrun.is_some_and(|at| now.since(at) < CAREFUL);
    let window = f64::from(memory.window) * if careful { 0.5 } else { 1.0 };
    let asked = floors::asked_by_document(memory).min(terms.freshness_cap);
    Plan { rates: Rates::of(&memory.habits, offset(terms.zone, now)), window, least: least(terms).max(asked) }
}

/// Puts what [`next`] decided into the state.
pub fn apply(state: &mut SourceState, next: Next) {
    state.next_poll = next.at;
    state.not_before = next.not_before;
    state.why = next.why;
}

/// `interval` moved by up to 5 %, the same for the same source and time.
fn spread(id: &SourceId, now: Timestamp, interval: i64) -> i64 {
    let mut hash = Sha256::new();
    hash.update(id.as_str());
    hash.update(now.unix().to_be_bytes());
    let share = f64::from(hash.finalize()[0]) / 255.0 * 2.0 - 1.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a day has few seconds")]
    let moved = (interval as f64 * JITTER * share) as i64;
    interval + moved
}

/// Seconds as people write them: `45s`, `15m`, `2h`, `1d`.
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
