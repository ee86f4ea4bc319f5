//! The best that could be done with a number of polls by whoever knew each newspaper's true hours,
//! though not its items: by dynamic programming over a week in steps of 2.5 minutes.

#![expect(clippy::cast_precision_loss, reason = "minutes of a week are small numbers")]

use super::trace::Trace;

const STEP: f64 = 2.5;
const STEPS: usize = 7 * 576;
/// Steps between two polls, at least and at most.
const LEAST: usize = 2;
const MOST: usize = 576;

/// Mean delay in minutes, and what it takes.
pub(crate) struct Best {
    pub(crate) mean: f64,
    pub(crate) polls_a_day: f64,
}

/// The least mean delay with `polls_a_day` for each source on average.
pub(crate) fn best(traces: &[Trace], polls_a_day: f64) -> Best {
    let (mut low, mut high) = (1e-2_f64.ln(), 1e5_f64.ln());
    for _ in 0..12 {
        let middle = f64::midpoint(low, high);
        if plan(traces, middle.exp()).polls_a_day > polls_a_day { low = middle } else { high = middle }
    }
    plan(traces, f64::midpoint(low, high).exp())
}

fn plan(traces: &[Trace], price: f64) -> Best {
    let (mut waited, mut polls, mut items) = (0.0, 0, 0.0);
    for trace in traces {
        let sums = Sums::of(&trace.week);
        let (cost, count) = sums.cheapest(price);
        waited += cost - price * count as f64;
        polls += count;
        items += sums.items[STEPS];
    }
    Best { mean: waited / items, polls_a_day: polls as f64 / traces.len() as f64 / 7.0 }
}

/// Items expected up to each step, and those times their time.
struct Sums {
    items: Vec<f64>,
    moments: Vec<f64>,
}

impl Sums {
    fn of(week: &[f64]) -> Self {
        let (mut items, mut moments) = (vec![0.0; STEPS + 1], vec![0.0; STEPS + 1]);
        for step in 0..STEPS {
            // 2.5 minutes: two of them share the middle minute.
            let first = step * 5 / 2;
            let own = if step % 2 == 0 {
                week[first] + week[first + 1] + week[first + 2] / 2.0
            } else {
                week[first] / 2.0 + week[first + 1] + week[first + 2]
            };
            items[step + 1] = items[step] + own;
            moments[step + 1] = moments[step] + own * (step as f64 + 0.5) * STEP;
        }
        Self { items, moments }
    }

    /// Item-minutes that what comes after `from` waits for a poll at `to`.
    fn waiting(&self, from: usize, to: usize) -> f64 {
        to as f64 * STEP * (self.items[to] - self.items[from]) - (self.moments[to] - self.moments[from])
    }

    /// The least of waiting and polls at `price` each, and the polls it takes.
    fn cheapest(&self, price: f64) -> (f64, usize) {
        let mut best = vec![(0.0, 0_usize); STEPS + 1];
        for from in (0..STEPS).rev() {
            let last = (from + MOST).min(STEPS);
            let first = (from + LEAST).min(STEPS);
            let mut least = (f64::INFINITY, 0);
            for (to, (cost, polls)) in best.iter().enumerate().take(last + 1).skip(first) {
                let cost = self.waiting(from, to) + price + cost;
                if cost < least.0 {
                    least = (cost, polls + 1);
                }
            }
            best[from] = least;
        }
        best[0]
    }
}
