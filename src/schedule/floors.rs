//! The pauses that servers and documents ask for: no poll may start before their end (RULES 6.5).

use crate::model::Timestamp;
use crate::model::memory::Memory;

/// The longest pause that errors or servers can cause (RULES 6.5), in seconds.
pub const CEILING: i64 = 24 * 3_600;
/// The due time of a source that is no longer polled. It is not the last instant, which means that the config
/// does not have the source; such a source is due again as soon as it is back.
pub const NEVER: Timestamp = Timestamp::BEFORE_MAX;

/// Returns the seconds that the last document asked for between two polls; 0 for none.
#[must_use]
pub fn asked_by_document(memory: &Memory) -> i64 {
    let ttl = i64::from(memory.ttl_minutes.unwrap_or(0)).saturating_mul(60);
    ttl.max(i64::from(memory.update_every.unwrap_or(0))).min(CEILING)
}

/// Returns the later of the wanted and the allowed time, with its reason.
pub(super) fn later(
    own: (Timestamp, String),
    memory: &Memory,
    now: Timestamp,
    fresh_until: Option<Timestamp>,
    cap: i64,
) -> (Timestamp, String) {
    let cap = cap.min(CEILING);
    let fresh = fresh_until.unwrap_or(Timestamp::EPOCH).min(now.plus(cap));
    let after = |seconds: i64| if seconds > 0 { now.plus(seconds.min(cap)) } else { Timestamp::EPOCH };
    let ttl = after(i64::from(memory.ttl_minutes.unwrap_or(0)).saturating_mul(60));
    let period = after(i64::from(memory.update_every.unwrap_or(0)));
    let (mut at, mut why) = own;
    for (floor, reason) in [
        (fresh, "the answer is fresh until then (Cache-Control, Expires)"),
        (ttl, "the feed asks for this pause (ttl)"),
        (period, "the feed asks for this pause (sy:updatePeriod)"),
    ] {
        if floor > at {
            (at, why) = (floor, reason.to_owned());
        }
    }
    let allowed = beyond_skipped(at, memory);
    if allowed > at {
        return (allowed, "the feed asks not to be asked before that (skipHours, skipDays)".to_owned());
    }
    (at, why)
}

/// Returns the first instant from `at` on in no hour and on no day that the feed skips; `at` itself if the feed
/// skips everything, which cannot be intended.
#[must_use]
pub fn beyond_skipped(at: Timestamp, memory: &Memory) -> Timestamp {
    const ALL_HOURS: u32 = (1 << 24) - 1;
    const ALL_DAYS: u8 = (1 << 7) - 1;
    let hours = if memory.skip_hours & ALL_HOURS == ALL_HOURS { 0 } else { memory.skip_hours };
    let days = if memory.skip_days & ALL_DAYS == ALL_DAYS { 0 } else { memory.skip_days };
    let mut free = at;
    // A week of hours covers all combinations.
    for _ in 0..=7 * 24 {
        let hour = free.unix().rem_euclid(86_400) / 3_600;
        let day = (free.unix().div_euclid(86_400) + 3).rem_euclid(7);
        if hours >> hour & 1 == 0 && days >> day & 1 == 0 {
            return free;
        }
        free = free.plus(3_600 - free.unix().rem_euclid(3_600));
    }
    at
}
