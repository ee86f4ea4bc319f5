//! The publishing habits of a source: decaying counts by quarter hour, and the rate of new items that they
//! predict for any instant.

use crate::model::Timestamp;
use crate::model::memory::{Habits, QUARTERS};

/// Half-lives of the counts, in days.
const QUARTERS_FADE: f64 = 21.0;
const RATE_FADES: f64 = 7.0;
const WEEKENDS_FADE: f64 = 28.0;
/// Seconds of a quarter hour and of a day.
pub(super) const QUARTER: i64 = 900;
pub(super) const DAY: i64 = 86_400;
/// The greatest age of a first document's dates that count, in days.
const SEED_REACHES: i64 = 28;
/// Items a day of a source without counts.
const UNKNOWN_RATE: f64 = 4.0;
/// Items that are assumed besides the counted ones, spread evenly: by hour, by quarter, by weekend.
const EVEN_HOURS: f64 = 6.0;
const EVEN_QUARTERS: f64 = 3.0;
const EVEN_WEEKENDS: f64 = 6.0;

/// Returns the share that is left after `days` of a decay with this half-life in days.
fn faded(days: f64, half_life: f64) -> f64 {
    (-days / half_life).exp2()
}

/// Returns the days that count after the decay of all of `days`: the integral of [`faded`].
fn counted(days: f64, half_life: f64) -> f64 {
    half_life / std::f64::consts::LN_2 * (1.0 - faded(days, half_life))
}

/// Returns seconds as days.
#[expect(clippy::cast_precision_loss, reason = "centuries of seconds are exact")]
fn days(seconds: i64) -> f64 {
    seconds as f64 / DAY as f64
}

#[expect(clippy::cast_possible_truncation, reason = "counts need no more digits")]
fn add(count: &mut f32, much: f64) {
    *count += much as f32;
}

/// Multiplies each count by `left`.
fn fade<'a>(counts: impl IntoIterator<Item = &'a mut f32>, left: f64) {
    for count in counts {
        let faded = f64::from(std::mem::take(count)) * left;
        add(count, faded);
    }
}

/// Returns the quarter hour of the day of an instant, given the zone's distance from UTC in seconds.
fn quarter(at: Timestamp, offset: i64) -> usize {
    let second = (at.unix() + offset).rem_euclid(DAY);
    usize::try_from(second / QUARTER).unwrap_or(0).min(QUARTERS - 1)
}

/// Returns whether an instant is on a Saturday or Sunday (1970 began on a Thursday).
fn is_weekend(at: Timestamp, offset: i64) -> bool {
    ((at.unix() + offset).div_euclid(DAY) + 3).rem_euclid(7) >= 5
}

impl Habits {
    /// Initializes the counts from the dates of a first document.
    pub fn seed(&mut self, dates: &[Timestamp], now: Timestamp, offset: i64) {
        let lately: Vec<Timestamp> =
            dates.iter().copied().filter(|at| (0..=SEED_REACHES * DAY).contains(&now.since(*at))).collect();
        let span = lately.iter().map(|at| days(now.since(*at))).fold(0.0, f64::max);
        *self = Self { until: Some(now), ..Self::default() };
        // A document that spans a few hours tells much about the rate and little about the time of day.
        let whole = span.min(1.0);
        add(&mut self.days, counted(span, RATE_FADES));
        for at in lately {
            let age = days(now.since(at));
            add(&mut self.items, faded(age, RATE_FADES));
            add(&mut self.quarters[quarter(at, offset)], whole * faded(age, QUARTERS_FADE));
            let week = if is_weekend(at, offset) { &mut self.weekends } else { &mut self.weekdays };
            add(week, whole * faded(age, WEEKENDS_FADE));
        }
    }

    /// Adds the new items of one poll with their dates, since the poll before.
    pub fn learn(&mut self, arrived: &[Option<Timestamp>], now: Timestamp, offset: i64) {
        let Some(since) = self.until.replace(now) else {
            let dates: Vec<Timestamp> = arrived.iter().copied().flatten().collect();
            return self.seed(&dates, now, offset);
        };
        let passed = days(now.since(since).max(0));
        fade(&mut self.quarters, faded(passed, QUARTERS_FADE));
        fade([&mut self.items, &mut self.days], faded(passed, RATE_FADES));
        fade([&mut self.weekdays, &mut self.weekends], faded(passed, WEEKENDS_FADE));
        add(&mut self.days, counted(passed, RATE_FADES));
        for date in arrived {
            add(&mut self.items, 1.0);
            // A date outside the time between the polls does not tell when the item came.
            match date.filter(|at| *at > since && *at <= now) {
                Some(at) => self.note(at, 1.0, offset),
                None => self.note_between(since, now, offset),
            }
        }
    }

    fn note(&mut self, at: Timestamp, much: f64, offset: i64) {
        add(&mut self.quarters[quarter(at, offset)], much);
        add(if is_weekend(at, offset) { &mut self.weekends } else { &mut self.weekdays }, much);
    }

    /// Spreads one item over the time in which it must have come.
    fn note_between(&mut self, since: Timestamp, now: Timestamp, offset: i64) {
        let steps = (now.since(since) / QUARTER).clamp(1, 96);
        let step = now.since(since).max(1) / steps;
        for number in 0..steps {
            self.note(
                since.plus(step * number + step / 2),
                1.0 / f64::from(u8::try_from(steps).unwrap_or(96)),
                offset,
            );
        }
    }

    /// Returns the learned rate in items a day.
    #[must_use]
    pub fn a_day(&self) -> f64 {
        if self.until.is_none() || self.days <= 0.0 {
            return UNKNOWN_RATE;
        }
        (f64::from(self.items) + 0.5) / (f64::from(self.days) + 0.125)
    }
}

/// The rates that habits predict for a week: items a second by quarter hour, and factors for weekdays and
/// weekends.
#[derive(Debug, Clone)]
pub struct Rates {
    by_quarter: [f64; QUARTERS],
    weekday: f64,
    weekend: f64,
    offset: i64,
}

impl Rates {
    /// Computes the rates of a source whose zone is `offset` seconds ahead of UTC.
    #[must_use]
    pub fn of(habits: &Habits, offset: i64) -> Self {
        let count = |at: usize| habits.quarters.get(at).copied().map_or(0.0, f64::from);
        let all: f64 = (0..QUARTERS).map(count).sum();
        let a_second = habits.a_day() / 86_400.0;
        let mut by_quarter = [0.0; QUARTERS];
        for hour in 0..QUARTERS / 4 {
            let own: f64 = (hour * 4..hour * 4 + 4).map(count).sum();
            let share = (own + EVEN_HOURS / 24.0) / (all + EVEN_HOURS);
            for (at, rate) in by_quarter.iter_mut().enumerate().skip(hour * 4).take(4) {
                let within = (count(at) + EVEN_QUARTERS / 4.0) / (own + EVEN_QUARTERS);
                *rate = a_second * 96.0 * share * within;
            }
        }
        let (weekdays, weekends) = (f64::from(habits.weekdays), f64::from(habits.weekends));
        let factor = |own: f64, share: f64| {
            (own + EVEN_WEEKENDS * share) / (weekdays + weekends + EVEN_WEEKENDS) / share
        };
        Self {
            by_quarter,
            weekday: factor(weekdays, 5.0 / 7.0),
            weekend: factor(weekends, 2.0 / 7.0),
            offset,
        }
    }

    /// Returns the items a second at an instant, and the seconds for which that rate holds.
    pub(super) fn at(&self, at: Timestamp) -> (f64, i64) {
        let factor = if is_weekend(at, self.offset) { self.weekend } else { self.weekday };
        let left = QUARTER - (at.unix() + self.offset).rem_euclid(QUARTER);
        (self.by_quarter[quarter(at, self.offset)] * factor, left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONDAY: i64 = 1_795_996_800 - 2 * DAY;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(MONDAY + seconds)
    }

    #[test]
    fn days_of_the_week() {
        // 2026-11-28 is a Saturday.
        assert!(is_weekend(Timestamp::from_unix(1_795_824_000), 0));
        assert!(!is_weekend(Timestamp::from_unix(1_795_824_000 - 1), 0));
        assert!(is_weekend(Timestamp::from_unix(1_795_824_000 - 1), 8 * 3_600));
        assert!(is_weekend(Timestamp::from_unix(1_795_824_000 + 2 * DAY - 1), 0));
        assert!(!is_weekend(Timestamp::from_unix(1_795_824_000 + 2 * DAY), 0));
    }

    #[test]
    fn nothing_known_is_four_a_day_and_flat() {
        let rates = Rates::of(&Habits::default(), 0);
        let (rate, left) = rates.at(at(100));
        assert!((rate * 86_400.0 - 4.0).abs() < 1e-6);
        assert_eq!(left, 800);
    }

    #[test]
    fn a_morning_paper_is_learned() {
        let mut habits = Habits::default();
        habits.learn(&[], at(0), 0);
        for day in 0..28 {
            for poll in 1..=48 {
                let now = at(day * DAY + poll * 1_800);
                // Ten items at 05:35 of every day.
                let new = if poll == 12 { vec![Some(at(day * DAY + 20_100)); 10] } else { Vec::new() };
                habits.learn(&new, now, 0);
            }
        }
        assert!((habits.a_day() - 10.0).abs() < 1.0, "{}", habits.a_day());
        let rates = Rates::of(&habits, 0);
        let (busy, quiet) = (rates.at(at(20_100)).0, rates.at(at(50_000)).0);
        assert!(busy > 500.0 * quiet, "{busy} {quiet}");
    }

    #[test]
    fn a_date_before_the_last_poll_is_spread() {
        let mut habits = Habits::default();
        habits.learn(&[], at(0), 0);
        habits.learn(&[Some(at(-5_000)), None], at(3_600), 0);
        assert_eq!(habits.quarters[..4].iter().filter(|count| (**count - 0.5).abs() < 0.01).count(), 4);
        assert!((habits.items - 2.0).abs() < 0.01);
    }

    #[test]
    fn a_first_document_gives_the_rate() {
        let mut habits = Habits::default();
        let dates: Vec<_> = (0..48).map(|n| Some(at(-n * 1_800 - 1))).collect();
        habits.learn(&dates, at(0), 0);
        assert!((habits.a_day() - 48.0).abs() < 8.0, "{}", habits.a_day());
        habits.learn(&[], at(7 * DAY), 0);
        assert!(habits.a_day() < 8.0, "a silent week: {}", habits.a_day());
    }
}
