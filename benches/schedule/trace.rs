//! Made-up newspapers: when each of them publishes, and what it would have been fair to expect.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "minutes of two months are small numbers"
)]

/// Seconds of a day.
pub(crate) const DAY: i64 = 86_400;
/// Days before the first poll, days of learning, days that are measured.
pub(crate) const HISTORY: i64 = 30;
pub(crate) const LEARNING: i64 = 14;
pub(crate) const MEASURED: i64 = 14;
/// When the first poll is made: 2026-11-23T00:00:00Z, a Monday.
pub(crate) const START: i64 = 1_795_392_000;

/// One newspaper.
pub(crate) struct Trace {
    /// When its items appear, in order.
    pub(crate) items: Vec<i64>,
    /// How many its document holds.
    pub(crate) window: usize,
    /// Items a minute by minute of the week, from Monday on, in UTC.
    pub(crate) week: Vec<f64>,
}

impl Trace {
    /// Items that are measured.
    pub(crate) fn measured(&self) -> usize {
        self.items.iter().filter(|at| is_measured(**at)).count()
    }
}

/// Whether an instant lies in the days that are measured.
pub(crate) fn is_measured(at: i64) -> bool {
    let from = START + LEARNING * DAY;
    (from..from + MEASURED * DAY).contains(&at)
}

/// xorshift64*: the same traces from the same seed, everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// From 0 to 1, without 0.
    fn unit(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 1.0) / (1_u64 << 53) as f64
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Poisson by multiplication; the means here are small.
    fn poisson(&mut self, mean: f64) -> usize {
        let (limit, mut product, mut count) = ((-mean).exp(), self.unit(), 0);
        while product > limit {
            product *= self.unit();
            count += 1;
        }
        count
    }
}

/// `count` newspapers of the mixture that `docs/measurements.md` describes.
pub(crate) fn traces(count: usize, seed: u64) -> Vec<Trace> {
    let mut dice = Dice(seed);
    (0..count).map(|_| one(&mut dice)).collect()
}

fn one(dice: &mut Dice) -> Trace {
    let rate = (8.0 * (1.6 * dice.normal()).exp()).clamp(0.1, 500.0);
    let window = [20, 30, 50, 100][dice.below(4) as usize];
    let day = profile(dice);
    let zone = dice.below(24) as usize * 60;
    let weekend = if dice.unit() < 0.6 { 0.5 } else { 1.0 };
    let norm = 7.0 / (5.0 + 2.0 * weekend);
    let mut week = vec![0.0; 7 * 1_440];
    for (minute, at) in week.iter_mut().enumerate() {
        let local = (minute + zone) % (7 * 1_440);
        let factor = if local / 1_440 >= 5 { weekend } else { 1.0 };
        *at = rate * day[local % 1_440] * factor * norm;
    }
    let mut items = Vec::new();
    for minute in 0..(HISTORY + LEARNING + MEASURED) * 1_440 {
        let at = START - HISTORY * DAY + minute * 60;
        let of_week = (at - START).rem_euclid(7 * DAY) / 60;
        for _ in 0..dice.poisson(week[of_week as usize]) {
            items.push(at + dice.below(60).cast_signed());
        }
    }
    items.sort_unstable();
    Trace { items, window, week }
}

/// A day by minutes, in all 1.
fn profile(dice: &mut Dice) -> Vec<f64> {
    let mut day = vec![0.0; 1_440];
    match dice.below(10) {
        0..=3 => newsroom(&mut day, 1.0),
        4 | 5 => {
            bump(&mut day, 330.0, 30.0, 0.6);
            newsroom(&mut day, 0.4);
        }
        6 | 7 => {
            let exports = 1 + dice.below(3);
            for _ in 0..exports {
                let at = 360.0 + dice.unit() * 900.0;
                bump(&mut day, at, 1.5, 0.8 / exports as f64);
            }
            for at in &mut day {
                *at += 0.2 / 1_440.0;
            }
        }
        8 => {
            let turn = dice.unit() * std::f64::consts::TAU;
            for (minute, at) in day.iter_mut().enumerate() {
                let angle = minute as f64 / 1_440.0 * std::f64::consts::TAU + turn;
                *at += (1.0 + 0.3 * angle.sin()) / 1_440.0;
            }
        }
        _ => {
            for (minute, at) in day.iter_mut().enumerate() {
                *at += if minute % 60 < 10 { 0.7 / 240.0 } else { 0.0 } + 0.3 / 1_440.0;
            }
        }
    }
    let all: f64 = day.iter().sum();
    for at in &mut day {
        *at /= all;
    }
    day
}

/// Two peaks and a quiet night.
fn newsroom(day: &mut [f64], share: f64) {
    bump(day, 620.0, 130.0, 0.5 * share);
    bump(day, 1_020.0, 160.0, 0.4 * share);
    for at in day {
        *at += 0.1 * share / 1_440.0;
    }
}

fn bump(day: &mut [f64], middle: f64, wide: f64, share: f64) {
    for (minute, at) in day.iter_mut().enumerate() {
        let off = (minute as f64 + 0.5 - middle + 720.0).rem_euclid(1_440.0) - 720.0;
        let height = (-off * off / (2.0 * wide * wide)).exp();
        *at += share * height / (wide * std::f64::consts::TAU.sqrt());
    }
}
