//! The time at which the next poll is worth its price.
//!
//! A poll at `t` is due when the items that may have come since the last one have waited, together, as long
//! as a poll costs: the integral of (t - u) times the rate at u, from the last poll on, reaches the price.
//! With a flat rate that is the square-root rule (Sia, Cho and Cho, 2007); with a rate by time of day it
//! polls when items are expected. A document of `W` items that is about to overrun is polled before that,
//! whatever the price.

use super::habits::{DAY, Rates};
use crate::model::Timestamp;

/// Why a poll is due at its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Enough items are expected.
    Expected,
    /// The source's document may soon have lost all of its present items.
    Overrun,
    /// Hardly any items are expected; the source is polled once a day all the same.
    Daily,
}

/// Returns the seconds from `last` to the poll that is worth `price` item-seconds, at most a day, and the
/// reason. `window` is the number of items in the source's document; 0 if unknown.
#[must_use]
pub fn due_in(rates: &Rates, last: Timestamp, price: f64, window: f64) -> (i64, Due) {
    // The window is full when the expected items plus two standard deviations reach it.
    let overrun = ((window + 1.0).sqrt() - 1.0).powi(2);
    let (mut items, mut waited, mut passed) = (0.0_f64, 0.0_f64, 0_i64);
    while passed < DAY {
        let (rate, left) = rates.at(last.plus(passed));
        let left = left.min(DAY - passed);
        #[expect(clippy::cast_precision_loss, reason = "seconds of a day")]
        let span = left as f64;
        let until_worth = worth_after(rate, items, price - waited);
        let until_full = if window > 0.0 && rate > 0.0 { (overrun - items) / rate } else { f64::INFINITY };
        let first = until_worth.min(until_full);
        if first <= span {
            let due = if until_full < until_worth { Due::Overrun } else { Due::Expected };
            #[expect(clippy::cast_possible_truncation, reason = "at most a quarter hour")]
            return (passed + first.max(0.0).ceil() as i64, due);
        }
        waited += items * span + rate * span * span / 2.0;
        items += rate * span;
        passed += left;
    }
    (DAY, Due::Daily)
}

/// Returns the seconds after which `items` that wait already, and those that come at `rate`, have waited
/// `missing` item-seconds more.
fn worth_after(rate: f64, items: f64, missing: f64) -> f64 {
    if missing <= 0.0 {
        return 0.0;
    }
    // The positive root of rate/2 x² + items x = missing, in the form that is exact for a small rate.
    2.0 * missing / (items + (items * items + 2.0 * rate * missing).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::memory::Habits;

    fn flat(a_day: f32) -> Rates {
        // So many counts that the assumed even ones do not matter.
        let habits = Habits {
            quarters: vec![1e6; 96],
            items: a_day * 10.0,
            days: 10.0,
            weekdays: 5e6,
            weekends: 2e6,
            until: Some(Timestamp::EPOCH),
        };
        Rates::of(&habits, 0)
    }

    /// Checks that a flat rate gives intervals of sqrt(2c/rate).
    #[test]
    fn flat_rates_give_the_square_root_rule() {
        for (a_day, price) in [(8.0, 678.0), (64.0, 678.0), (500.0, 28.0)] {
            let (seconds, due) = due_in(&flat(a_day), Timestamp::EPOCH, price, 0.0);
            let rate = (f64::from(a_day) * 10.0 + 0.5) / 10.125 / 86_400.0;
            let rule = (2.0 * price / rate).sqrt();
            assert_eq!(due, Due::Expected);
            #[expect(clippy::cast_precision_loss, reason = "a test")]
            let got = seconds as f64;
            assert!((got - rule).abs() <= 2.0, "{a_day}: {got} {rule}");
        }
    }

    #[test]
    fn a_window_is_not_left_to_run_over() {
        let price = 1e9;
        assert_eq!(due_in(&flat(1.0), Timestamp::EPOCH, price, 0.0), (DAY, Due::Daily));
        let (seconds, due) = due_in(&flat(400.0), Timestamp::EPOCH, price, 20.0);
        // 12.83 items: 12.83 + 2 sqrt(12.83) = 20.
        assert_eq!(due, Due::Overrun);
        assert!((2_700..2_900).contains(&seconds), "{seconds}");
    }
}
