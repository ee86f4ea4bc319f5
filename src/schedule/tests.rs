//! Tests of the times of polls, as tables.

use super::*;
use crate::model::memory::Memory;

const NOW: i64 = 1_795_996_800;

fn now() -> Timestamp {
    Timestamp::from_unix(NOW)
}

fn fixed(interval: i64) -> Terms {
    Terms { pace: Pace::Fixed(interval), zone: Tz::UTC, price: 1.0, freshness_cap: CEILING }
}

fn at(terms: &Terms, state: &SourceState, ended: Ended) -> i64 {
    next(&SourceId::new("s").unwrap(), state, terms, now(), ended).at.since(now())
}

fn well(fresh: Option<i64>) -> Ended {
    Ended::Well { fresh_until: fresh.map(|s| Timestamp::from_unix(NOW + s)) }
}

fn remembering(memory: Memory) -> SourceState {
    SourceState { memory, ..SourceState::default() }
}

#[test]
fn good_polls_keep_the_interval_and_what_servers_ask() {
    let plain = SourceState::default();
    assert!((1_710..=1_890).contains(&at(&fixed(1_800), &plain, well(None))));
    assert_eq!(at(&fixed(60), &plain, well(Some(600))), 600);
    assert_eq!(at(&fixed(60), &plain, well(Some(10_000_000))), CEILING);
    let ttl = remembering(Memory { ttl_minutes: Some(20), ..Memory::default() });
    assert_eq!(at(&fixed(60), &ttl, well(None)), 1_200);
    assert_eq!(at(&fixed(60), &ttl, well(Some(1_300))), 1_300);
    let period = remembering(Memory { update_every: Some(43_200), ..Memory::default() });
    assert_eq!(at(&fixed(60), &period, well(None)), 43_200);
    let huge = remembering(Memory { ttl_minutes: Some(u32::MAX), ..Memory::default() });
    assert_eq!(at(&fixed(60), &huge, well(None)), CEILING);
    let capped = Terms { freshness_cap: 900, ..fixed(60) };
    assert_eq!(at(&capped, &huge, well(Some(7_000))), 900);
}

#[test]
fn skipped_hours_and_days_are_left_alone() {
    // 2026-11-30, a Monday, at midnight; the hours 0 to 5 and all Mondays.
    let hours = Memory { skip_hours: 0b11_1111, ..Memory::default() };
    let mondays = Memory { skip_days: 1, ..hours.clone() };
    let everything = Memory { skip_hours: u32::MAX, skip_days: u8::MAX, ..Memory::default() };
    for (memory, from, expected) in [
        (&hours, 10, 6 * 3_600),
        (&hours, 6 * 3_600, 6 * 3_600),
        (&mondays, 10, 86_400 + 6 * 3_600),
        (&mondays, 90_000, 86_400 + 6 * 3_600),
        (&everything, 10, 10),
    ] {
        let found = beyond(now().plus(from), memory);
        assert_eq!(found, expected, "{from}");
    }
    let next = next(&SourceId::new("s").unwrap(), &remembering(hours), &fixed(60), now(), well(None));
    assert_eq!((next.at.since(now()), next.why.contains("skipHours")), (6 * 3_600, true));
}

fn beyond(from: Timestamp, memory: &Memory) -> i64 {
    floors::beyond_skipped(from, memory).since(now())
}

#[test]
fn failures_back_off_and_never_stop() {
    let failed = |fails| SourceState { fails, ..SourceState::default() };
    let badly =
        |after: Option<i64>| Ended::Badly { retry_after: after.map(|s| Timestamp::from_unix(NOW + s)) };
    assert!((3_420..=3_780).contains(&at(&fixed(1_800), &failed(2), badly(None))));
    assert!(at(&fixed(1_800), &failed(60), badly(None)) <= CEILING * 105 / 100);
    assert_eq!(at(&fixed(60), &failed(1), badly(Some(7_200))), 7_200);
    assert!(at(&fixed(60), &failed(1), badly(Some(-5))) >= 57);
    let learned = Terms { pace: Pace::Learned { least: 300, mean: 1_800 }, ..fixed(1) };
    let pauses: Vec<i64> = (1..9).map(|fails| at(&learned, &failed(fails), badly(None))).collect();
    assert!(pauses.windows(2).all(|two| two[1] > two[0]), "{pauses:?}");
    assert!(pauses[0] >= 285 && pauses[0] <= 1_900, "{pauses:?}");
}

#[test]
fn who_is_gone_is_not_asked() {
    let next = next(&SourceId::new("s").unwrap(), &SourceState::default(), &fixed(60), now(), Ended::Gone);
    assert_eq!(next.at, NEVER);
    assert!(next.at < Timestamp::MAX && next.why.contains("410"));
}

#[test]
fn a_learned_pace_follows_the_hours() {
    let mut state = SourceState::default();
    let terms = Terms { pace: Pace::Learned { least: 300, mean: 1_800 }, price: 678.0, ..fixed(1) };
    state.memory.window = 50;
    state.memory.habits.learn(&[], now().plus(-28 * 86_400), 0);
    for day in (1..28).rev() {
        let morning = now().plus(-day * 86_400 + 20_000);
        let new: Vec<_> = (0..20).map(|n| Some(morning.plus(n * 60))).collect();
        state.memory.habits.learn(&new, morning.plus(1_800), 0);
    }
    let from = |second: i64| {
        let now = now().plus(second);
        next(&SourceId::new("s").unwrap(), &state, &terms, now, well(None)).at.since(now)
    };
    assert!((285..=400).contains(&from(20_100)), "in the morning: {}", from(20_100));
    assert!(from(40_000) > 10_000, "in the afternoon: {}", from(40_000));
}
