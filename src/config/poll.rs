//! Reads `[poll]`, and the pace of a source, which may differ.

use std::time::Duration;

use chrono_tz::Tz;

use super::faults::Fault;
use super::reader::Reader;
use crate::schedule::Pace;

/// The shortest interval that a source may have (RULES 6.5), in seconds.
pub(super) const FLOOR: u64 = 30;
/// The shortest pause of a learned schedule (RULES 6.5), in seconds.
const LEARNED_FLOOR: i64 = 300;
/// The names of schedules; `true` for the learned one.
const SCHEDULES: [(&str, bool); 2] = [("learned", true), ("fixed", false)];

/// The settings of `[poll]`.
#[derive(Debug, Clone)]
pub(super) struct Poll {
    pub(super) interval: Duration,
    pub(super) min_interval: Duration,
    /// Whether sources have a learned schedule unless they set otherwise.
    pub(super) learned: bool,
    pub(super) freshness_cap: Duration,
    /// The time zone of dates without one, where neither the source nor the defaults set it.
    pub(super) zone: Tz,
}

/// Reads `[poll]`; `zone` is the site's time zone.
pub(super) fn read(main: &mut Reader, zone: Tz) -> Poll {
    let mut poll = main.section("poll");
    let interval = poll.duration("interval").map_or(Duration::from_mins(30), |v| v.value);
    let min_interval =
        poll.duration("min_interval").map_or(Duration::from_mins(1), |v| v.value.max(Duration::from_secs(1)));
    let learned = poll.choice("schedule", &SCHEDULES).is_none_or(|v| v.value);
    let freshness_cap = poll.duration("freshness_cap").map_or(Duration::from_hours(24), |v| v.value);
    poll.finish();
    Poll { interval: interval.max(min_interval), min_interval, learned, freshness_cap, zone }
}

/// Reads the pace of a source. One with an `interval` is fixed unless it sets `schedule = "learned"`.
pub(super) fn pace(table: &mut Reader, poll: &Poll) -> Pace {
    let own = table.has("interval");
    let seconds = interval(table, poll);
    let learned = table.choice("schedule", &SCHEDULES).map_or(poll.learned && !own, |v| v.value);
    // An interval below the shortest learned pause leaves nothing to learn.
    if learned && seconds >= LEARNED_FLOOR {
        let least = i64::try_from(poll.min_interval.as_secs()).unwrap_or(i64::MAX).max(LEARNED_FLOOR);
        Pace::Learned { least, mean: seconds }
    } else {
        Pace::Fixed(seconds)
    }
}

fn interval(table: &mut Reader, poll: &Poll) -> i64 {
    let floor = poll.min_interval.min(Duration::from_secs(FLOOR));
    let given = table.duration("interval").map(|v| {
        if v.value < floor {
            table.push(Fault::error(&v.place, format!("`interval` must be at least {}s", floor.as_secs())));
        }
        v.value
    });
    i64::try_from(given.unwrap_or(poll.interval).as_secs()).unwrap_or(i64::MAX)
}
