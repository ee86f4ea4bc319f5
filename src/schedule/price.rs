//! The price of a poll: one number for all sources, such that together they are polled as often as the admin
//! allows.
//!
//! With one price for all, a request is made where it saves the most waiting. The price is computed from what
//! was learned about the sources and what they ask for, and needs no state of its own: the polls of a week are
//! counted in advance, and the price is adjusted until they fit the budget.

use super::habits::{DAY, Rates};
use super::threshold::due_in;
use crate::model::Timestamp;

/// The range of prices, in item-seconds; beyond it the shortest and the longest pause decide.
const LEAST: f64 = 1e-2;
const MOST: f64 = 1e8;
/// The price at which the search begins.
const BEGIN: f64 = 400.0;
/// The deviation from the budget that is good enough, as a share of it.
const CLOSE: f64 = 0.005;
const TRIES: usize = 24;
/// 1970-01-07 and 1970-01-10, a Wednesday and a Saturday.
const WEEKDAY: i64 = 6 * DAY;
const WEEKEND: i64 = 9 * DAY;

/// The inputs of the price for one source.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The rates at which it publishes.
    pub rates: Rates,
    /// Items in its document; 0 if unknown.
    pub window: f64,
    /// The shortest pause between two polls, in seconds: the config's, or what the source asks for.
    pub least: i64,
}

impl Plan {
    /// Returns the polls a day at `price`, averaged over a week.
    #[must_use]
    pub fn polls_a_day(&self, price: f64) -> f64 {
        (5.0 * self.polls_from(WEEKDAY, price) + 2.0 * self.polls_from(WEEKEND, price)) / 7.0
    }

    /// Returns the polls a day, counted over two days from `start`.
    fn polls_from(&self, start: i64, price: f64) -> f64 {
        let (mut at, mut polls) = (Timestamp::from_unix(start), 0.0);
        let end = at.plus(2 * DAY);
        while at < end {
            at = at.plus(due_in(&self.rates, at, price, self.window).0.max(self.least.max(1)));
            polls += 1.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "seconds of days")]
        let passed = at.since(Timestamp::from_unix(start)) as f64;
        polls * 86_400.0 / passed
    }
}

/// Returns the price at which these sources are polled `budget` times a day each, on average.
#[must_use]
pub fn price(plans: &[Plan], budget: f64) -> f64 {
    if plans.is_empty() || budget <= 0.0 {
        return MOST;
    }
    #[expect(clippy::cast_precision_loss, reason = "far fewer sources")]
    let wanted = budget * plans.len() as f64;
    let (mut low, mut high, mut price) = (LEAST, MOST, BEGIN);
    for _ in 0..TRIES {
        let polls: f64 = plans.iter().map(|plan| plan.polls_a_day(price)).sum();
        let off = polls / wanted;
        if (off - 1.0).abs() < CLOSE {
            break;
        }
        *(if off > 1.0 { &mut low } else { &mut high }) = price;
        // Polls fall with about the 0.45th power of the price. Where the shortest pauses decide they do not,
        // and bisection takes over.
        let next = price * off.powf(1.0 / 0.45);
        price = if next > low && next < high { next } else { (low * high).sqrt() };
    }
    price
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::memory::Habits;

    #[test]
    fn the_price_spends_the_budget() {
        let plans: Vec<Plan> = (1..60_u16)
            .map(|n| {
                let items = f32::from(n * n) / 10.0;
                let habits = Habits { items, days: 1.0, until: Some(Timestamp::EPOCH), ..Habits::default() };
                Plan { rates: Rates::of(&habits, 0), window: 50.0, least: 300 }
            })
            .collect();
        for budget in [5.0, 24.0, 96.0, 200.0] {
            let price = price(&plans, budget);
            let polls: f64 = plans.iter().map(|plan| plan.polls_a_day(price)).sum::<f64>() / 59.0;
            assert!((polls / budget - 1.0).abs() < 0.02, "{budget}: {polls}");
        }
        assert!(price(&[], 24.0) > 0.0);
    }
}
