//! How promptly sources are polled for a given number of requests: the real scheduler over made-up
//! newspapers, beside fixed intervals and Miniflux's formula at the same budget, and the best that
//! could be done by whoever knew each newspaper's true hours.
//!
//! `cargo bench --bench schedule` prints the table; `-- 200` takes 200 sources instead of 2,000.

mod bound;
mod policy;
mod trace;

use policy::{Outcome, fixed, learned, miniflux, tuned};
use trace::{Trace, traces};

/// Sources whose true intensity the bound is worked out from.
const BOUNDED: usize = 160;

#[expect(clippy::print_stdout, reason = "a table is what this program is for")]
fn main() {
    let wanted = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let traces = traces(wanted.unwrap_or(2_000), 20_261_125);
    let items: usize = traces.iter().map(Trace::measured).sum();
    println!("{} sources, {items} items in the 14 days that are measured; delays in minutes", traces.len());
    println!("{:22} {:>9} {:>8} {:>8} {:>8} {:>8}", "policy", "polls/day", "mean", "p50", "p95", "lost %");
    for budget in [24, 96] {
        let own = learned(&traces, 86_400 / budget);
        let spent = own.polls_a_day();
        let interval = fixed(&traces, spent);
        let miniflux = tuned(spent, |factor| miniflux(&traces, factor));
        let some = &traces[..traces.len().min(BOUNDED)];
        let own_some = own.of_first(some.len());
        let best = bound::best(some, own_some.polls_a_day());
        row(&format!("learned, {budget} a day"), &own);
        row("fixed interval", &interval);
        row("Miniflux's formula", &miniflux);
        println!(
            "{:22} {:9.1} {:8.2}   (learned on the same {} sources: {:.2})",
            "true-intensity bound",
            best.polls_a_day,
            best.mean,
            some.len(),
            own_some.mean()
        );
        println!(
            "learned / Miniflux {:.3}   learned / bound {:.3}   spent / asked for {:.3}",
            own.mean() / miniflux.mean(),
            own_some.mean() / best.mean,
            spent / f64::from(i32::try_from(budget).unwrap_or(1))
        );
    }
}

#[expect(clippy::print_stdout, reason = "a table is what this program is for")]
fn row(name: &str, outcome: &Outcome) {
    println!(
        "{name:22} {:9.1} {:8.2} {:8.2} {:8.2} {:8.2}",
        outcome.polls_a_day(),
        outcome.mean(),
        outcome.quantile(0.5),
        outcome.quantile(0.95),
        outcome.lost() * 100.0
    );
}
