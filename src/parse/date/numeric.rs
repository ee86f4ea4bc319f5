//! Days in numbers: `2025-04-09`, `9.4.2025`, `04/09/2025`, `2025年4月9日`, `令和7年4月9日`, `20250409`.

use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;

use super::calendar::full_year;
use super::lex::{Kind, Piece};
use super::order::{Order, Shown};
use super::signs::Sign;

/// Hour, minute and second.
pub(super) type Time = (u32, u32, u32);

/// A day that was found in the pieces.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub day: NaiveDate,
    /// Its first piece, and the one after its last.
    pub from: usize,
    pub to: usize,
    /// The time, if it is part of the same number or chain.
    pub clock: Option<Time>,
    pub shown: Shown,
}

/// Evidence for a text that leaves the order open.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hints {
    pub zone: Tz,
    /// The order that the document's other dates prove.
    pub order: Option<Order>,
    /// The day of the week that the text names, Sunday being 0.
    pub weekday: Option<u32>,
    /// Whether the text names a zone of North America.
    pub american: bool,
}

/// Returns the day that begins with the piece at `at`.
pub(super) fn found(pieces: &[Piece<'_>], at: usize, hints: Hints) -> Option<Found> {
    if glued_before(pieces, at) {
        return None;
    }
    digits(pieces, at).or_else(|| triple(pieces, at, hints))
}

/// Returns whether the piece continues a chain of numbers: `1.2.3.4`, `10:20`.
fn glued_before(pieces: &[Piece<'_>], at: usize) -> bool {
    let Some([number, mark]) = at.checked_sub(2).and_then(|from| pieces.get(from..at)) else { return false };
    let glued = pieces.get(at).is_some_and(|piece| !piece.apart) && !mark.apart;
    glued && number.number(9).is_some() && matches!(mark.kind, Kind::Mark('.' | '-' | '/' | ':'))
}

/// Reads a day that is one number; see [`compact`].
fn digits(pieces: &[Piece<'_>], at: usize) -> Option<Found> {
    let text = pieces.get(at).filter(|piece| matches!(piece.kind, Kind::Number(_)))?.text;
    let (day, clock) = compact(text)?;
    Some(Found { day, from: at, to: at + 1, clock, shown: Shown::default() })
}

/// Reads `20250409`, `2025040910`, `202504091020`, `20250409102030`, also with milliseconds.
pub(super) fn compact(text: &str) -> Option<(NaiveDate, Option<Time>)> {
    let part = |range: std::ops::Range<usize>| text.get(range).and_then(|digits| digits.parse::<u32>().ok());
    let year = part(0..4).filter(|year| (1_900..2_100).contains(year))?;
    let day = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, part(4..6)?, part(6..8)?)?;
    let clock = match text.len() {
        8 => None,
        10 => Some((part(8..10)?, 0, 0)),
        12 => Some((part(8..10)?, part(10..12)?, 0)),
        14 | 17 => Some((part(8..10)?, part(10..12)?, part(12..14)?)),
        _ => return None,
    };
    Some((day, clock))
}

/// Three numbers with their separators.
struct Triple {
    numbers: [u32; 3],
    digits: [usize; 3],
    /// The separator: `年` for signs, a space for none.
    between: char,
    /// The year before the first of the era, if one is named.
    era: Option<i32>,
    to: usize,
}

fn triple(pieces: &[Piece<'_>], from: usize, hints: Hints) -> Option<Found> {
    let mut triple = numbers(pieces, from)?;
    let chain = chained(pieces, &mut triple)?;
    let (day, shown) = day(&triple, hints)?;
    Some(Found { day, from, to: triple.to, clock: chain, shown })
}

fn numbers(pieces: &[Piece<'_>], from: usize) -> Option<Triple> {
    let (mut at, mut era) = (from, None);
    if let Some(before) = pieces.get(at).and_then(|piece| era_of(pieces, at, piece)) {
        (era, at) = (Some(before), at + 1);
    }
    let mut triple = Triple { numbers: [0; 3], digits: [0; 3], between: ' ', era, to: at };
    for place in 0..3 {
        let piece = pieces.get(at)?;
        *triple.numbers.get_mut(place)? = piece.number(4)?;
        *triple.digits.get_mut(place)? = piece.text.len();
        at += 1;
        if place == 2 {
            break;
        }
        let (between, next) = between(pieces, at, place)?;
        if place == 1 && between != triple.between {
            return None;
        }
        (triple.between, at) = (between, next);
    }
    let end = pieces.get(at);
    if triple.between == '年' && end.is_some_and(|piece| piece.kind == Kind::Sign(Sign::Day)) {
        at += 1;
    }
    triple.to = at;
    Some(triple)
}

/// Returns the year before the first of an era that is named by a sign or a letter (`R7.4.9`).
fn era_of(pieces: &[Piece<'_>], at: usize, piece: &Piece<'_>) -> Option<i32> {
    let glued = pieces.get(at + 1).is_some_and(|number| !number.apart && number.number(2).is_some());
    match (piece.kind, piece.text) {
        (Kind::Sign(Sign::Era(before)), _) => Some(before),
        (Kind::Word, "R") if glued => Some(2_018),
        (Kind::Word, "H") if glued => Some(1_988),
        _ => None,
    }
}

/// Returns the separator after the number at `place`, and the piece of the next number.
fn between(pieces: &[Piece<'_>], at: usize, place: usize) -> Option<(char, usize)> {
    let piece = pieces.get(at)?;
    match piece.kind {
        Kind::Sign(Sign::Year) if place == 0 => Some(('年', at + 1)),
        Kind::Sign(Sign::Month) if place == 1 => Some(('年', at + 1)),
        Kind::Mark(mark @ ('-' | '/' | '.')) => Some((mark, at + 1)),
        Kind::Number(_) if piece.apart => Some((' ', at)),
        _ => None,
    }
}

/// Reads a time that continues the chain: `2025-04-09-10-20-30`; `None` if the chain is no date.
#[expect(clippy::option_option, reason = "a chain that is no time is no date either")]
fn chained(pieces: &[Piece<'_>], triple: &mut Triple) -> Option<Option<Time>> {
    let link = |at: usize| {
        let [mark, number, ..] = pieces.get(at..)? else { return None };
        let glued = mark.is_mark(triple.between) && !mark.apart && !number.apart;
        let clock = pieces.get(at + 2).is_some_and(|next| next.is_mark(':'));
        number.number(9).filter(|_| glued && !clock).map(|value| (value, number.text.len()))
    };
    let Some((hour, digits)) = link(triple.to) else { return Some(None) };
    let minute = link(triple.to + 2).filter(|(_, digits)| *digits == 2);
    let (Some((minute, _)), true) = (minute, digits <= 2 && triple.digits[0] == 4) else { return None };
    let second = link(triple.to + 4).filter(|(_, digits)| *digits == 2);
    triple.to += if second.is_some() { 6 } else { 4 };
    Some(Some((hour, minute, second.map_or(0, |(second, _)| second))))
}

fn day(triple: &Triple, hints: Hints) -> Option<(NaiveDate, Shown)> {
    let ([a, b, c], [first, _, last]) = (triple.numbers, triple.digits);
    let of = |year: i32, month, day| NaiveDate::from_ymd_opt(year, month, day);
    if let Some(before) = triple.era {
        return Some((of(before + i32::try_from(a).ok()?, b, c)?, Shown::default()));
    }
    // `2003-012-31` has one leading zero too many.
    let padded = triple.digits[1] == 3 && triple.numbers[1] > 12;
    if triple.between == ' ' && first.max(last) != 4
        || triple.digits[1] > 3
        || padded
        || first > 2 && last > 2
    {
        return None;
    }
    if first >= 3 || triple.between == '年' {
        return Some((of(year(a, first, hints.zone)?, b, c)?, Shown::default()));
    }
    let in_order = |order: Order| {
        let (year, month, day) = match order {
            Order::Day => (year(c, last, hints.zone)?, b, a),
            Order::Month => (year(c, last, hints.zone)?, a, b),
            Order::Year if last == 2 && first == 2 => (year(a, first, hints.zone)?, b, c),
            Order::Year => return None,
        };
        of(year, month, day).map(|day| (order, day))
    };
    let orders = [Order::Day, Order::Month, Order::Year];
    let days: Vec<_> = orders.into_iter().filter_map(in_order).collect();
    choose(&days, triple.between, hints)
}

/// Chooses the only day that is possible, or else by the day of the week, the document or the place.
fn choose(days: &[(Order, NaiveDate)], between: char, hints: Hints) -> Option<(NaiveDate, Shown)> {
    let same = days.windows(2).all(|pair| matches!(pair, [(_, one), (_, other)] if one == other));
    // Between points the day comes first everywhere: that is no evidence for other separators.
    let proof = |order| Shown { order: Some(order).filter(|_| between != '.'), ..Shown::default() };
    match days {
        [] => return None,
        [(order, day)] => return Some((*day, proof(*order))),
        [(_, day), ..] if same => return Some((*day, Shown::default())),
        _ => {}
    }
    let on = |day: &NaiveDate| Some(day.weekday().num_days_from_sunday()) == hints.weekday;
    let mut named = days.iter().filter(|(_, day)| on(day));
    if let (Some((order, day)), None) = (named.next(), named.next()) {
        return Some((*day, proof(*order)));
    }
    let known = |wanted: Order| days.iter().find(|(order, _)| *order == wanted);
    let proven = hints.order.filter(|_| between != '.').and_then(known);
    let usual = usual(between, if hints.american { Tz::America__New_York } else { hints.zone });
    let (order, day) = proven
        .or_else(|| usual.into_iter().filter_map(known).find(|(_, day)| between == '.' || is_recent(*day)))
        .or_else(|| usual.into_iter().find_map(known))
        .or_else(|| days.first())?;
    Some((*day, Shown { guessed: Some(*order), ..Shown::default() }))
}

/// Returns whether a year of two digits is plausible: feeds hold news, so it is a recent one.
fn is_recent(day: NaiveDate) -> bool {
    (2_020..2_033).contains(&day.year())
}

/// Returns the usual orders of a place, the most usual first.
fn usual(between: char, zone: Tz) -> [Order; 2] {
    match between {
        '-' => [Order::Year, if month_first(zone) { Order::Month } else { Order::Day }],
        _ if year_first(zone) => [Order::Year, Order::Day],
        '/' | ' ' if month_first(zone) => [Order::Month, Order::Day],
        _ => [Order::Day, Order::Month],
    }
}

/// Returns whether the zone is one of the United States or the Philippines.
fn month_first(zone: Tz) -> bool {
    const PLACES: &str = "America/New_York America/Chicago America/Denver America/Los_Angeles America/Phoenix \
    America/Anchorage America/Detroit America/Boise America/Juneau America/Sitka America/Nome \
    America/Menominee America/Adak America/Metlakatla America/Yakutat America/Louisville \
    America/Indianapolis Pacific/Honolulu Asia/Manila EST5EDT CST6CDT MST7MDT PST8PDT";
    let name = zone.name();
    PLACES.split(' ').any(|place| place == name)
        || ["US/", "America/Indiana/", "America/Kentucky/", "America/North_Dakota/"]
            .iter()
            .any(|start| name.starts_with(start))
}

/// Returns whether the zone is one of China, Japan, Korea or Mongolia.
fn year_first(zone: Tz) -> bool {
    const PLACES: &str = "Asia/Shanghai Asia/Urumqi Asia/Chongqing Asia/Harbin Asia/Hong_Kong Asia/Macau Asia/Taipei \
    Asia/Tokyo Asia/Seoul Asia/Pyongyang Asia/Ulaanbaatar PRC ROC ROK Japan Hongkong";
    PLACES.split(' ').any(|place| place == zone.name())
}

/// Returns the year of our era, converting the Buddhist years of Thailand, Laos and Cambodia, and Taiwan's.
pub(super) fn year(number: u32, digits: usize, zone: Tz) -> Option<i32> {
    let number = i32::try_from(number).ok()?;
    match (digits, zone.name()) {
        (4, "Asia/Bangkok" | "Asia/Vientiane" | "Asia/Phnom_Penh") if (2_443..2_643).contains(&number) => {
            Some(number - 543)
        }
        (4, _) => Some(number),
        (3, "Asia/Taipei" | "ROC") => Some(1_911 + number),
        (2, "Asia/Bangkok") if number >= 50 => Some(2_500 + number - 543),
        _ => full_year(&format!("{number:0digits$}")),
    }
}
