//! When a source is due, and why. Pure: the time and all state are passed in.
//!
//! Owns: intervals, back-off, what servers ask for. Does not own: claiming due sources
//! (`store`), running polls (`daemon`).

use sha2::{Digest, Sha256};

use crate::model::{SourceId, SourceState, Timestamp};

/// The longest pause that errors or servers can cause, in seconds (RULES 6.5).
pub const CEILING: i64 = 24 * 3_600;
/// Spread of an interval, as a share of it.
const JITTER: f64 = 0.05;

/// How a poll ended, as far as the schedule cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// An answer was taken in, or nothing had changed.
    Well {
        /// The answer may be kept until then.
        fresh_until: Option<Timestamp>,
        /// The document asks for this many minutes between polls (RSS `ttl`).
        ttl_minutes: Option<u32>,
    },
    /// It failed.
    Badly {
        /// The upstream asked to wait until then.
        retry_after: Option<Timestamp>,
    },
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

/// Decides the next poll of a source that is polled every `interval` seconds and has now
/// failed `fails` times in a row (0 after a good one).
#[must_use]
pub fn next(id: &SourceId, now: Timestamp, interval: i64, fails: u32, ended: Ended) -> Next {
    match ended {
        Ended::Well { fresh_until, ttl_minutes } => {
            let own = now.plus(spread(id, now, interval));
            let ttl = now.plus(i64::from(ttl_minutes.unwrap_or(0)).saturating_mul(60).min(CEILING));
            let fresh = fresh_until.unwrap_or(Timestamp::EPOCH).min(now.plus(CEILING));
            let (at, why) = if fresh > own && fresh >= ttl {
                (fresh, "the answer is fresh until then (Cache-Control, Expires)".to_owned())
            } else if ttl > own {
                (ttl, "the feed asks for this pause (ttl)".to_owned())
            } else {
                (own, format!("every {}", seconds(interval)))
            };
            Next { at, not_before: Timestamp::EPOCH, why }
        }
        Ended::Badly { retry_after } => {
            let doublings = fails.saturating_sub(1).min(20);
            let pause = interval.saturating_mul(1_i64 << doublings).min(CEILING.max(interval));
            let own = now.plus(spread(id, now, pause));
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
    }
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
mod tests {
    use super::*;

    fn at(interval: i64, fails: u32, ended: Ended) -> i64 {
        let id = SourceId::new("s").unwrap();
        let now = Timestamp::from_unix(1_000_000);
        next(&id, now, interval, fails, ended).at.since(now)
    }

    #[test]
    fn good_polls_keep_the_interval_and_what_servers_ask() {
        let well = |fresh: Option<i64>, ttl| Ended::Well {
            fresh_until: fresh.map(|s| Timestamp::from_unix(1_000_000 + s)),
            ttl_minutes: ttl,
        };
        assert!((1_710..=1_890).contains(&at(1_800, 0, well(None, None))));
        assert_eq!(at(60, 0, well(Some(600), None)), 600);
        assert_eq!(at(60, 0, well(None, Some(20))), 1_200);
        assert_eq!(at(60, 0, well(Some(10_000_000), None)), CEILING);
    }

    #[test]
    fn failures_back_off_and_never_stop() {
        let badly = |after: Option<i64>| Ended::Badly {
            retry_after: after.map(|s| Timestamp::from_unix(1_000_000 + s)),
        };
        assert!((3_420..=3_780).contains(&at(1_800, 2, badly(None))));
        assert!(at(1_800, 60, badly(None)) <= CEILING * 105 / 100);
        assert_eq!(at(60, 1, badly(Some(7_200))), 7_200);
        assert!(at(60, 1, badly(Some(-5))) >= 57);
    }
}
