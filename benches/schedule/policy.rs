//! The policies, and what comes of them.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "minutes of two months are small numbers"
)]

use chrono_tz::Tz;
use feedmill::model::{SourceId, SourceState, Timestamp};
use feedmill::schedule::{self, CEILING, Ended, Pace, Terms, price};

use super::trace::{DAY, LEARNING, MEASURED, START, Trace, is_measured};

/// Simulated time between two looks at the price, and sources it is worked out from.
const REPRICE: i64 = 6 * 3_600;
const SAMPLE: usize = 400;
const END: i64 = START + (LEARNING + MEASURED) * DAY;

/// What came of one source.
#[derive(Default, Clone)]
struct One {
    delays: Vec<u32>,
    lost: usize,
    polls: usize,
}

/// What came of a policy.
pub(crate) struct Outcome(Vec<One>);

impl Outcome {
    pub(crate) fn polls_a_day(&self) -> f64 {
        let polls: usize = self.0.iter().map(|one| one.polls).sum();
        polls as f64 / self.0.len() as f64 / MEASURED as f64
    }

    /// Minutes from publication to pick-up, over all items that were picked up.
    pub(crate) fn mean(&self) -> f64 {
        let delays = || self.0.iter().flat_map(|one| &one.delays);
        delays().map(|seconds| f64::from(*seconds)).sum::<f64>() / delays().count().max(1) as f64 / 60.0
    }

    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let mut all: Vec<u32> = self.0.iter().flat_map(|one| &one.delays).copied().collect();
        all.sort_unstable();
        let at = ((all.len() as f64 * share) as usize).min(all.len().saturating_sub(1));
        all.get(at).map_or(0.0, |seconds| f64::from(*seconds) / 60.0)
    }

    /// Share of items that left the document unseen.
    pub(crate) fn lost(&self) -> f64 {
        let lost: usize = self.0.iter().map(|one| one.lost).sum();
        let seen: usize = self.0.iter().map(|one| one.delays.len()).sum();
        lost as f64 / (lost + seen).max(1) as f64
    }

    pub(crate) fn of_first(&self, count: usize) -> Self {
        Self(self.0[..count].to_vec())
    }
}

/// One source while it is polled.
struct Reader<'a> {
    trace: &'a Trace,
    /// Items that were published by the last poll.
    seen: usize,
    one: One,
}

impl<'a> Reader<'a> {
    fn new(trace: &'a Trace) -> Self {
        let seen = trace.items.partition_point(|at| *at <= START);
        Self { trace, seen, one: One::default() }
    }

    /// Polls at `now`; gives the new items of the document.
    fn poll(&mut self, now: i64) -> &'a [i64] {
        let all = self.trace.items.partition_point(|at| *at <= now);
        let first = self.seen.max(all.saturating_sub(self.trace.window));
        let lost = self.trace.items[self.seen..first].iter().filter(|at| is_measured(**at)).count();
        self.one.lost += lost;
        self.one.polls += usize::from(is_measured(now));
        let new = &self.trace.items[first..all];
        let delays = new.iter().filter(|at| is_measured(**at)).map(|at| (now - at) as u32);
        self.one.delays.extend(delays);
        self.seen = all;
        new
    }

    /// Items in the document now.
    fn listed(&self) -> usize {
        self.seen.min(self.trace.window)
    }
}

/// Every source after the same pause, each with a start of its own.
pub(crate) fn fixed(traces: &[Trace], polls_a_day: f64) -> Outcome {
    let pause = DAY as f64 / polls_a_day;
    let one = |(number, trace): (usize, &Trace)| {
        let mut reader = Reader::new(trace);
        let mut at = START as f64 + pause * (number as f64 * 0.618).fract();
        while at < END as f64 {
            reader.poll(at as i64);
            at += pause;
        }
        reader.one
    };
    Outcome(traces.iter().enumerate().map(one).collect())
}

/// Miniflux's `entry_frequency`: a week by the week's items times a factor, from 5 minutes to a day.
pub(crate) fn miniflux(traces: &[Trace], factor: f64) -> Outcome {
    let one = |trace: &Trace| {
        let mut reader = Reader::new(trace);
        let mut at = START;
        while at < END {
            reader.poll(at);
            let week = trace.items.partition_point(|item| *item <= at - 7 * DAY);
            let weekly = reader.seen.saturating_sub(week);
            let minutes = (7.0 * 1_440.0 / (weekly as f64 * factor)).round().clamp(5.0, 1_440.0);
            at += minutes as i64 * 60;
        }
        reader.one
    };
    Outcome(traces.iter().map(one).collect())
}

/// The outcome whose knob is turned until it spends the budget.
pub(crate) fn tuned(budget: f64, policy: impl Fn(f64) -> Outcome) -> Outcome {
    let (mut low, mut high) = (1e-3_f64.ln(), 1e3_f64.ln());
    for _ in 0..14 {
        let middle = f64::midpoint(low, high);
        if policy(middle.exp()).polls_a_day() > budget { high = middle } else { low = middle }
    }
    policy(f64::midpoint(low, high).exp())
}

/// A source under the real scheduler.
struct Learner<'a> {
    reader: Reader<'a>,
    id: SourceId,
    state: SourceState,
}

/// The real scheduler: it learns from nothing but what its polls show.
pub(crate) fn learned(traces: &[Trace], mean: i64) -> Outcome {
    let mut terms = Terms {
        pace: Pace::Learned { least: 300, mean },
        // Nobody tells it the newspapers' zones.
        zone: Tz::UTC,
        price: 1.0,
        freshness_cap: CEILING,
    };
    let mut learners: Vec<Learner<'_>> = traces.iter().enumerate().filter_map(Learner::begin).collect();
    let mut until = START;
    while until < END {
        let now = Timestamp::from_unix(until);
        let step = learners.len().div_ceil(SAMPLE).max(1);
        let plans: Vec<_> =
            learners.iter().step_by(step).map(|one| schedule::plan(&one.state, &terms, now)).collect();
        terms.price = price::price(&plans, DAY as f64 / mean as f64);
        until += REPRICE;
        for one in &mut learners {
            one.run(&terms, until);
        }
    }
    Outcome(learners.into_iter().map(|one| one.reader.one).collect())
}

impl<'a> Learner<'a> {
    /// Takes the first document in.
    fn begin((number, trace): (usize, &'a Trace)) -> Option<Self> {
        let reader = Reader::new(trace);
        let mut state = SourceState::default();
        let now = Timestamp::from_unix(START);
        let first = &trace.items[reader.seen - reader.listed()..reader.seen];
        let dates: Vec<_> = first.iter().map(|at| Some(Timestamp::from_unix(*at))).collect();
        state.memory.habits.learn(&dates, now, 0);
        state.memory.window = reader.listed() as u32;
        state.next_poll = now.plus(300);
        Some(Self { reader, id: SourceId::new(&format!("s{number}"))?, state })
    }

    /// Makes all polls that are due before `until`.
    fn run(&mut self, terms: &Terms, until: i64) {
        while self.state.next_poll.unix() < until {
            let now = self.state.next_poll;
            let new = self.reader.poll(now.unix());
            let memory = &mut self.state.memory;
            let whole = !new.is_empty() && new.len() >= memory.window as usize;
            memory.overrun = if whole { Some(now) } else { memory.overrun };
            let dates: Vec<_> = new.iter().map(|at| Some(Timestamp::from_unix(*at))).collect();
            memory.habits.learn(&dates, now, 0);
            memory.window = self.reader.listed() as u32;
            let well = Ended::Well { fresh_until: None };
            let next = schedule::next(&self.id, &self.state, terms, now, well);
            schedule::apply(&mut self.state, next);
        }
    }
}
