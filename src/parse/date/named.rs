//! Days whose month has a name: `9 avril 2025`, `April 9, 2025`, `2025. április 9.`, `Wed Apr 09 … 2025`.

use std::cmp::Reverse;

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::hours::{is_hour, part_of};
use super::lex::{Kind, Piece};
use super::names::{MOST_WORDS, Means, Sense, is_begin, senses, spoken_in, with_point};
use super::numeric::{Found, Hints, year};
use super::order::{Proofs, Shown};
use super::signs::Sign;

/// Words without a meaning of their own between day, month and year.
const FILLERS: &str = "de del ng d di da of the do dne le la el il st nd rd th er eme ere e a o ngay nam m g gada ko eko г \
    го р жылы жылғы พศ คศ ปี оны en tahun";

/// The month that begins with the piece at `at`, the piece after it, and the evidence of its languages.
struct Named {
    month: u32,
    to: usize,
    shown: Shown,
    /// Whether the name is Thai: Thailand uses the Buddhist year, also with two digits.
    thai: bool,
}

impl Named {
    fn hints(&self, hints: Hints) -> Hints {
        Hints { zone: if self.thai { Tz::Asia__Bangkok } else { hints.zone }, ..hints }
    }
}

/// Returns the day that begins with the piece at `at`, with its year.
pub(super) fn found(pieces: &[Piece<'_>], at: usize, hints: Hints, proofs: &Proofs) -> Option<Found> {
    let month = |at| month(pieces, at, hints.zone, proofs);
    // 9 April 2025
    if let Some((day, next)) = day(pieces, at)
        && let Some(named) = month(skip(pieces, next))
        && let Some((year, to)) = year_at(pieces, named.to, named.hints(hints))
    {
        return complete(year, &named, day, at, to);
    }
    // April 9, 2025
    if let Some(named) = month(at)
        && let Some((day, next)) = day(pieces, skip(pieces, named.to))
        && let Some((year, to)) = year_at(pieces, next, named.hints(hints))
    {
        return complete(year, &named, day, at, to);
    }
    // 2025. április 9., 2025. gada 9. aprīlis
    let first = pieces.get(at)?.number(4).filter(|_| pieces.get(at).is_some_and(|p| p.text.len() == 4))?;
    let year = year(first, 4, hints.zone)?;
    let next = skip(pieces, at + 1);
    if let Some(named) = month(next)
        && let Some((day, to)) = day(pieces, skip(pieces, named.to))
    {
        return complete(year, &named, day, at, to);
    }
    let (day, next) = day(pieces, next)?;
    let named = month(skip(pieces, next))?;
    let to = named.to;
    complete(year, &named, day, at, to)
}

/// Returns the day and month that begin at `at`, if the year is elsewhere: `Wed Apr 09 10:20:30 CST 2025`.
pub(super) fn without_year(pieces: &[Piece<'_>], at: usize, hints: Hints, proofs: &Proofs) -> Option<Found> {
    let (named, day, to) = if let Some(named) = month(pieces, at, hints.zone, proofs) {
        let (day, to) = day(pieces, skip(pieces, named.to))?;
        (named, day, to)
    } else {
        let (day, next) = day(pieces, at)?;
        let named = month(pieces, skip(pieces, next), hints.zone, proofs)?;
        let to = named.to;
        (named, day, to)
    };
    let elsewhere = |place: &usize| {
        let before = place.checked_sub(1).and_then(|before| pieces.get(before));
        let offset = before.is_some_and(|mark| matches!(mark.kind, Kind::Mark('+' | '-' | ':' | '.')));
        (*place >= to || *place < at) && !offset
    };
    let mut places = (0..pieces.len()).filter(elsewhere);
    let first = places.find_map(|place| pieces.get(place).filter(|p| p.text.len() == 4)?.number(4))?;
    complete(year(first, 4, hints.zone)?, &named, day, at, to)
}

fn complete(year: i32, named: &Named, day: u32, from: usize, to: usize) -> Option<Found> {
    let day = NaiveDate::from_ymd_opt(year, named.month, day)?;
    Some(Found { day, from, to, clock: None, shown: named.shown })
}

/// Returns a day of one or two digits that is not part of a time or a chain, and the piece after it.
fn day(pieces: &[Piece<'_>], at: usize) -> Option<(u32, usize)> {
    let day = pieces.get(at)?.number(2)?;
    let mark = |place: Option<usize>, glued: fn(&Piece<'_>) -> bool| {
        place.and_then(|place| pieces.get(place)).is_some_and(glued)
    };
    let timed =
        mark(Some(at + 1), |piece| piece.is_mark(':')) || mark(at.checked_sub(1), |piece| piece.is_mark(':'));
    // The first number of `04/11/2025` is not the day of a month named before it.
    let chain = pieces.get(at + 1..at + 3).is_some_and(|next| {
        matches!(next, [mark, number] if matches!(mark.kind, Kind::Mark('/' | '-' | '.'))
            && !mark.apart && !number.apart && number.number(4).is_some()
            && pieces.get(at + 3).is_some_and(|end| end.kind == mark.kind && !end.apart))
    });
    (!timed && !chain && (1..=31).contains(&day)).then_some((day, at + 1))
}

fn is_filler(folded: &str) -> bool {
    FILLERS.split(' ').any(|word| word == folded)
}

/// Skips points, commas, dashes and fillers, at most three of them.
fn skip(pieces: &[Piece<'_>], from: usize) -> usize {
    let passed = pieces.get(from..).unwrap_or_default().iter().take(3).take_while(|piece| match piece.kind {
        Kind::Mark(mark) => matches!(mark, '.' | ',' | '-' | '/' | '\'' | '°' | '،' | '·' | '_'),
        Kind::Word => is_filler(&piece.folded),
        Kind::Sign(sign) => sign == Sign::Year,
        _ => false,
    });
    from + passed.count()
}

/// Returns the year after `from`, with the piece after it: four digits, or two or three that are no hour.
fn year_at(pieces: &[Piece<'_>], from: usize, hints: Hints) -> Option<(i32, usize)> {
    let at = skip(pieces, from);
    let (piece, next) = (pieces.get(at)?, pieces.get(at + 1));
    let number = piece.number(4)?;
    let hour = next.is_some_and(|next| match next.kind {
        Kind::Mark('.') => {
            !next.apart && pieces.get(at + 2).is_some_and(|p| !p.apart && p.number(2).is_some())
        }
        Kind::Word => is_hour(&next.folded) || part_of(&next.folded).is_some(),
        Kind::Mark(':') | Kind::Sign(Sign::Hour) => true,
        _ => false,
    });
    let signed =
        |place: usize| pieces.get(place).is_some_and(|p| p.is_mark('+') || p.is_mark('-') && p.apart);
    let offset = at.checked_sub(1).is_some_and(signed) && !piece.apart;
    match piece.text.len() {
        4 if !offset => Some((year(number, 4, hints.zone)?, at + 1)),
        2 | 3 if !hour && !offset => Some((year(number, piece.text.len(), hints.zone)?, at + 1)),
        _ => None,
    }
}

fn month(pieces: &[Piece<'_>], at: usize, zone: Tz, proofs: &Proofs) -> Option<Named> {
    let first = pieces.get(at).filter(|piece| piece.kind == Kind::Word)?;
    let name = first.folded.as_str();
    // Vietnamese numbers its months.
    if matches!(name, "thang" | "thg" | "th")
        && let Some(month) = pieces.get(at + 1).and_then(|piece| piece.number(2))
    {
        return Some(Named { month, to: at + 2, shown: Shown::default(), thai: false });
    }
    let (best, to) = longest(pieces, at);
    let mut months: Vec<(u8, u128)> = best
        .iter()
        .filter_map(|sense| match sense.means {
            Means::Month(month) => Some((month, sense.languages)),
            Means::Day(_) => None,
        })
        .collect();
    if months.is_empty() {
        return None;
    }
    let unsure = in_language(&mut months, pieces, at..to);
    if unsure {
        let point = at.checked_sub(2).and_then(|from| pieces.get(from..at));
        let point = point.is_some_and(
            |before| matches!(before, [day, point] if point.is_mark('.') && day.number(2).is_some()),
        );
        let style = if point { with_point() } else { !with_point() };
        // A word that English has, too, is read as English in any zone.
        let english = months.iter().any(|(_, languages)| languages & 1 == 1);
        let home = if english { 0 } else { spoken_in(zone) };
        // The first languages of the table are the most common ones.
        let rank = |languages: u128| {
            let foreign = languages & home == 0;
            (Reverse(proofs.votes(languages)), foreign, languages & style == 0, languages.trailing_zeros())
        };
        months.sort_by_key(|(_, languages)| rank(*languages));
    }
    let (month, languages) = months.first()?;
    let shown = Shown { languages: *languages, unsure, ..Shown::default() };
    let thai = first.text.starts_with(|c| ('\u{0E00}'..'\u{0E80}').contains(&c));
    Some(Named { month: u32::from(*month), to, shown, thai })
}

/// Keeps the months of the languages that have the text's other words; returns whether several remain.
fn in_language(months: &mut Vec<(u8, u128)>, pieces: &[Piece<'_>], own: std::ops::Range<usize>) -> bool {
    let all = months.iter().fold(0, |all, (_, languages)| all | languages);
    let mut fitting = all;
    for (place, piece) in pieces.iter().enumerate() {
        if piece.kind == Kind::Word && !own.contains(&place) {
            let word = piece.senses.iter().fold(0, |all, sense| all | sense.languages);
            fitting = if fitting & word == 0 { fitting } else { fitting & word };
        }
    }
    for (_, languages) in months.iter_mut() {
        *languages &= fitting;
    }
    months.retain(|(_, languages)| *languages != 0);
    months.len() > 1
}

/// Returns the senses of the longest name that begins at a piece, and the piece after it.
fn longest(pieces: &[Piece<'_>], at: usize) -> (&'static [Sense], usize) {
    let Some(first) = pieces.get(at).filter(|piece| piece.kind == Kind::Word) else { return (&[], at + 1) };
    let mut best = (first.senses, at + 1);
    if !is_begin(&first.folded) {
        return best;
    }
    let mut name = first.folded.clone();
    for more in at + 1..at + MOST_WORDS {
        let Some(word) = pieces.get(more).filter(|piece| piece.kind == Kind::Word && piece.apart) else {
            break;
        };
        name.push(' ');
        name.push_str(&word.folded);
        let longer = senses(&name);
        if !longer.is_empty() {
            best = (longer, more + 1);
        }
    }
    best
}

/// Returns the day of the week that the text names, Sunday being 0; `None` if it names different ones.
pub(super) fn weekday(pieces: &[Piece<'_>]) -> Option<u32> {
    let (mut at, mut found) = (0, None);
    while at < pieces.len() {
        // `Thứ tư` is Wednesday; its first word alone would be an English Thursday.
        let (senses, next) = longest(pieces, at);
        let mut days = senses.iter().filter_map(|sense| match sense.means {
            Means::Day(day) => Some(u32::from(day)),
            Means::Month(_) => None,
        });
        // A word for different days in different languages is no evidence.
        let day = days.next().filter(|_| days.next().is_none());
        if day.is_some() && found.is_some() && day != found {
            return None;
        }
        found = found.or(day);
        at = next;
    }
    found
}
