//! Reads one text: its day, its time, its zone, and the evidence of how its writer writes dates.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _};
use chrono::{Duration, LocalResult};
use chrono_tz::Tz;

use super::clock::Seen;
use super::lex::{Kind, Piece, pieces};
use super::numeric::{Found, Hints};
use super::order::{Proofs, Shown};
use super::signs::Sign;
use super::zones::{Beside, Place};
use super::{calendar, clock, epoch, named, numeric, text, usual, zones};
use crate::model::Timestamp;

/// The date that a text states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stated {
    pub at: Timestamp,
    pub shown: Shown,
    /// Whether the text has a time that is not understood: `at` is then the midnight of its day.
    pub day_only: bool,
}

impl From<Timestamp> for Stated {
    fn from(at: Timestamp) -> Self {
        Self { at, shown: Shown::default(), day_only: false }
    }
}

/// Reads the two most common forms, which need no context: RFC 822 and RFC 3339.
pub(super) fn exact(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    usual::read(text)
        .or_else(|| DateTime::parse_from_rfc3339(text).ok().and_then(|at| Timestamp::stated(at.timestamp())))
}

/// Reads a date in any form, in the zone of the source and with the evidence of the document.
fn stated(raw: &str, zone: Tz, proofs: &Proofs) -> Option<Stated> {
    exact(raw).map(Stated::from).or_else(|| lenient(raw, zone, proofs))
}

/// Reads a date in all forms other than those of [`exact`].
pub(super) fn lenient(raw: &str, zone: Tz, proofs: &Proofs) -> Option<Stated> {
    if raw.contains('<') {
        return marked_up(raw, zone, proofs);
    }
    let plain = text::plain(raw);
    let text = plain.trim();
    if let Some(seconds) = epoch::seconds(text) {
        return Timestamp::stated(seconds).map(Stated::from);
    }
    if let Some(day) = calendar::day(text) {
        return in_zone(day.and_time(NaiveTime::MIN), zone).map(Stated::from);
    }
    if !text.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    let pieces = pieces(text);
    let hints = Hints {
        zone,
        order: proofs.order(),
        weekday: named::weekday(&pieces),
        american: american(&pieces, zone),
    };
    let found = day(&pieces, hints, proofs).or_else(|| month_only(&pieces, zone))?;
    timed(&pieces, found, zone).filter(|stated| !stated.day_only || !is_of_a_program(text))
}

/// Returns whether a text has a form that programs write: an ISO date and time in one, or an offset by its
/// sign.
///
/// If its time is impossible, such a text is no date: its day is no more certain than its time.
fn is_of_a_program(text: &str) -> bool {
    let signs = text.as_bytes();
    let iso = signs.len() > 10 && signs.iter().take(11).any(|sign| *sign == b'T') && signs.contains(&b'-');
    let offset = signs.windows(2).any(|pair| matches!(pair, [b'+', sign] if sign.is_ascii_alphabetic()));
    iso && signs.first().is_some_and(u8::is_ascii_digit) || offset
}

/// Reads a date with markup: the `datetime` of `<time datetime="…">…</time>`, or else the text.
fn marked_up(raw: &str, zone: Tz, proofs: &Proofs) -> Option<Stated> {
    let attribute = raw.split_once("datetime").and_then(|(_, rest)| {
        let value = rest.trim_start().strip_prefix('=')?.trim_start();
        let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        value.get(1..)?.split(quote).next()
    });
    let mut bare = String::new();
    for (place, part) in raw.split('<').enumerate() {
        let text = if place == 0 { part } else { part.split_once('>').map_or("", |(_, text)| text) };
        bare.push_str(text);
        bare.push(' ');
    }
    let inner = |text: &str| if text.contains('<') { None } else { stated(text, zone, proofs) };
    attribute.and_then(inner).or_else(|| inner(&bare))
}

/// Returns whether a text names a time zone of North America, where the month comes first.
fn american(pieces: &[Piece<'_>], zone: Tz) -> bool {
    let named = |piece: &Piece<'_>| matches!(piece.text, "EST" | "EDT" | "CDT" | "MDT" | "PDT");
    !zone.name().starts_with("Australia/") && pieces.iter().any(named)
}

/// Returns the first day in the pieces; a day with its year next to it precedes one whose year is elsewhere.
fn day(pieces: &[Piece<'_>], hints: Hints, proofs: &Proofs) -> Option<Found> {
    let places = 0..pieces.len();
    let whole = |at| numeric::found(pieces, at, hints).or_else(|| named::found(pieces, at, hints, proofs));
    places
        .clone()
        .find_map(whole)
        .or_else(|| places.into_iter().find_map(|at| named::without_year(pieces, at, hints, proofs)))
}

/// Reads a month alone as its first day: `2021/12`, `2021年12月`.
fn month_only(pieces: &[Piece<'_>], zone: Tz) -> Option<Found> {
    let (year, month) = match pieces {
        [year, between, month] if matches!(between.kind, Kind::Mark('-' | '/' | '.')) => (year, month),
        [year, sign, month, end]
            if sign.kind == Kind::Sign(Sign::Year) && end.kind == Kind::Sign(Sign::Month) =>
        {
            (year, month)
        }
        _ => return None,
    };
    let year = year.number(4).filter(|_| year.text.len() == 4)?;
    let day = NaiveDate::from_ymd_opt(numeric::year(year, 4, zone)?, month.number(2)?, 1)?;
    Some(Found { day, from: 0, to: pieces.len(), clock: None, shown: Shown::default() })
}

/// Combines the day with its time and zone.
fn timed(pieces: &[Piece<'_>], found: Found, zone: Tz) -> Option<Stated> {
    let seen = match found.clock {
        Some(time) => Seen::Time(clock::Clock { time, to: found.to }),
        None => clock::seen(pieces, (found.from, found.to), chrono::Datelike::year(&found.day)),
    };
    let (naive, place) = match seen {
        Seen::Time(clock) => (at(found.day, clock.time), zones::beside(pieces, clock.to)),
        Seen::Nothing => (Some(found.day.and_time(NaiveTime::MIN)), glued_zone(pieces, found.to)),
        Seen::Odd => (None, Beside::Nothing),
    };
    let day_only = naive.is_none() || place == Beside::Odd;
    let naive = naive.filter(|_| !day_only).unwrap_or_else(|| found.day.and_time(NaiveTime::MIN));
    let instant = match place {
        Beside::Place(Place::Offset(offset)) => ahead(naive, offset),
        Beside::Place(Place::Zone(own)) => in_zone(naive, own),
        Beside::Place(Place::Named(name)) => match zones::seconds(name, naive, zone) {
            Some(offset) => ahead(naive, offset),
            None => in_zone(naive, zone),
        },
        Beside::Nothing | Beside::Odd => in_zone(naive, zone),
    };
    Some(Stated { at: instant?, shown: found.shown, day_only })
}

/// Returns the zone that directly follows a day without a time: `2025-04-09+08:00`.
fn glued_zone<'t>(pieces: &[Piece<'t>], to: usize) -> Beside<'t> {
    let glued =
        pieces.get(to).is_some_and(|piece| !piece.apart && matches!(piece.kind, Kind::Mark(_) | Kind::Word));
    if glued { zones::beside(pieces, to) } else { Beside::Nothing }
}

fn at(day: NaiveDate, (hour, minute, second): (u32, u32, u32)) -> Option<NaiveDateTime> {
    let (day, hour) = if (hour, minute, second) == (24, 0, 0) { (day.succ_opt()?, 0) } else { (day, hour) };
    // A leap second has no number in Unix time: the second before is used.
    Some(day.and_time(NaiveTime::from_hms_opt(hour, minute, if second == 60 { 59 } else { second })?))
}

fn ahead(naive: NaiveDateTime, offset: i32) -> Option<Timestamp> {
    Timestamp::stated(naive.and_utc().timestamp() - i64::from(offset))
}

/// Converts a local time to an instant: the earlier of two, and one hour later in a gap.
#[must_use]
pub fn in_zone(naive: NaiveDateTime, zone: Tz) -> Option<Timestamp> {
    match zone.from_local_datetime(&naive) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Timestamp::stated(at.timestamp()),
        LocalResult::None => {
            Timestamp::stated(zone.from_utc_datetime(&(naive - Duration::hours(1))).timestamp())
                .and_then(|_| zone.from_local_datetime(&(naive + Duration::hours(1))).earliest())
                .and_then(|at| Timestamp::stated(at.timestamp()))
        }
    }
}
