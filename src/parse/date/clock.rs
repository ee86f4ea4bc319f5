//! Times of day: `10:20`, `10h20`, `10.20 Uhr`, `10时20分`, `下午3:20`, `3 PM`, `T102030`.

use super::hours::{is_before, is_hour, is_minute, part_of};
use super::lex::{Kind, Piece};
use super::signs::{Part, Sign};

/// A time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clock {
    /// Hour, minute and second; 24:00:00 is the midnight that ends the day.
    pub time: (u32, u32, u32),
    /// The piece after its last.
    pub to: usize,
}

/// The time that accompanies a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    Time(Clock),
    Nothing,
    /// A time that is not understood, or that is impossible.
    Odd,
}

/// Returns the time in the pieces outside the day; pieces after the day come first.
pub(super) fn seen(pieces: &[Piece<'_>], day: (usize, usize), year: i32) -> Seen {
    let (from, to) = day;
    for at in (to..pieces.len()).chain(0..from) {
        // A time before the day ends where the day begins.
        let pieces = if at < from { pieces.get(..from).unwrap_or_default() } else { pieces };
        match time(pieces, at, to) {
            Some(Some(clock)) => return Seen::Time(clock),
            Some(None) => return Seen::Odd,
            _ => {}
        }
    }
    if unread(pieces, to, year) { Seen::Odd } else { named(pieces, to) }
}

/// Reads the time that begins at a piece; `Some(None)` if that time is impossible.
#[expect(clippy::option_option, reason = "no time, one that there is not, and one")]
fn time(pieces: &[Piece<'_>], at: usize, day: usize) -> Option<Option<Clock>> {
    let piece = pieces.get(at).filter(|piece| matches!(piece.kind, Kind::Number(_)))?;
    if in_offset(pieces, at) {
        return None;
    }
    let (raw, to) = colons(pieces, at, day)
        .or_else(|| signed(pieces, at))
        .or_else(|| points(pieces, at, piece))
        .or_else(|| digits(pieces, at, day))
        .or_else(|| alone(pieces, at))?;
    let Some((hour, minute, second)) = raw else { return Some(None) };
    let part = part(pieces, at, to);
    let hour = part.map_or(hour, |(part, _)| part.hour(hour));
    let end = part.map_or(to, |(_, end)| end);
    let whole = hour < 24 && minute < 60 && second <= 60 || (hour, minute, second) == (24, 0, 0);
    Some(whole.then_some(Clock { time: (hour, minute, second), to: end }))
}

type Raw = (Option<(u32, u32, u32)>, usize);

/// Returns whether the number belongs to an offset: `+08:00`, or ` -05:00` after a space.
fn in_offset(pieces: &[Piece<'_>], at: usize) -> bool {
    let glued = pieces.get(at).is_some_and(|piece| !piece.apart);
    let sign = at.checked_sub(1).and_then(|before| pieces.get(before));
    let minutes = pieces.get(at + 2).and_then(|piece| piece.number(2));
    let quarter = minutes.is_some_and(|minutes| matches!(minutes, 0 | 30 | 45));
    let hours = pieces.get(at).and_then(|piece| piece.number(2)).is_some_and(|hours| hours <= 12);
    glued
        && sign.is_some_and(|sign| sign.is_mark('+') || sign.is_mark('-') && (sign.apart || quarter && hours))
}

/// Reads `10:20` and `10:20:30`, with an optional fraction of a second.
fn colons(pieces: &[Piece<'_>], at: usize, day: usize) -> Option<Raw> {
    let colon = |at: usize| pieces.get(at).is_some_and(|piece| piece.is_mark(':'));
    // In `09/Apr/2025:10:20:30` a colon directly follows the day, too.
    if !colon(at + 1) || at != day + 1 && at.checked_sub(1).is_some_and(colon) {
        return None;
    }
    let two = |at: usize| pieces.get(at).and_then(|piece| piece.number(2));
    let (Some(hour), Some(minute)) = (two(at), two(at + 2)) else {
        // After a word with a colon there may be other numbers, too.
        let time = two(at).is_some() && pieces.get(at + 2).is_some_and(|piece| !piece.apart);
        return time.then_some((None, at));
    };
    let (second, mut to) = match (colon(at + 3), two(at + 4)) {
        (true, Some(second)) => (second, at + 5),
        (true, None) if pieces.get(at + 4).is_some_and(|p| !p.apart) => return Some((None, at)),
        _ => (0, at + 3),
    };
    if let Some([mark, part]) = pieces.get(to..to + 2)
        && matches!(mark.kind, Kind::Mark('.' | ',' | ':'))
        && matches!(part.kind, Kind::Number(_))
        && !mark.apart
        && !part.apart
    {
        to += 2;
    }
    Some((Some((hour, minute, second)), to))
}

/// Reads `10h20`, `10 Uhr`, `10时20分30秒`, `3点半`.
fn signed(pieces: &[Piece<'_>], at: usize) -> Option<Raw> {
    let is = |at: usize, sign: Sign, known: fn(&str) -> bool| {
        pieces.get(at).is_some_and(|piece| match piece.kind {
            Kind::Sign(kind) => kind == sign,
            Kind::Word => known(&piece.folded),
            _ => false,
        })
    };
    if !is(at + 1, Sign::Hour, is_hour) {
        return None;
    }
    let Some(hour) = pieces.get(at)?.number(2) else { return Some((None, at)) };
    let mut to = at + 2;
    if is(to, Sign::Half, |_| false) {
        return Some((Some((hour, 30, 0)), to + 1));
    }
    let two = |at: usize| pieces.get(at).and_then(|piece| piece.number(2));
    let written = |at: usize| pieces.get(at).is_some_and(|piece| !piece.apart && piece.text.len() == 2);
    // `10 h 20`, but not the hour before a day: `10 h, 20.4.2025`.
    let last =
        |at: usize| pieces.get(at).is_some_and(|piece| piece.text.len() == 2) && pieces.get(at + 1).is_none();
    let Some(minute) = two(to).filter(|_| written(to) || last(to) || is(to + 1, Sign::Minute, is_minute))
    else {
        return Some((Some((hour, 0, 0)), to));
    };
    to += 1 + usize::from(is(to + 1, Sign::Minute, is_minute));
    let second = two(to).filter(|_| is(to + 1, Sign::Second, |word| matches!(word, "s" | "sec" | "giay")));
    to += if second.is_some() { 2 } else { 0 };
    Some((Some((hour, minute, second.unwrap_or(0))), to))
}

/// Reads `10.20` and `10.20.30`, only if they are not part of a longer chain of numbers.
fn points(pieces: &[Piece<'_>], at: usize, first: &Piece<'_>) -> Option<Raw> {
    let two = |at: usize| {
        let [mark, number] = pieces.get(at..at + 2)? else { return None };
        let glued = mark.is_mark('.') && !mark.apart && !number.apart && number.text.len() == 2;
        number.number(2).filter(|_| glued)
    };
    let (hour, minute) =
        (first.number(2).filter(|hour| *hour < 24)?, two(at + 1).filter(|minute| *minute < 60)?);
    let second = two(at + 3).filter(|second| *second < 60);
    let to = at + 3 + if second.is_some() { 2 } else { 0 };
    let more = pieces.get(to..to + 2).is_some_and(|next| {
        matches!(next, [mark, number] if mark.is_mark('.') && !number.apart && number.number(9).is_some())
    });
    let chain = at
        .checked_sub(1)
        .and_then(|before| pieces.get(before))
        .is_some_and(|p| p.is_mark('.') && !first.apart);
    (!more && !chain).then_some((Some((hour, minute, second.unwrap_or(0))), to))
}

/// Reads `T102030`, `T1020`, `T10`, and four or six digits that directly follow the day.
fn digits(pieces: &[Piece<'_>], at: usize, day: usize) -> Option<Raw> {
    let before = at.checked_sub(1).and_then(|before| pieces.get(before));
    let piece = pieces.get(at)?;
    let marked = !piece.apart
        && before.is_some_and(|before| before.kind == Kind::Word && before.text.eq_ignore_ascii_case("t"));
    if at != day && !marked {
        return None;
    }
    let part = |from: usize| piece.text.get(from..from + 2).map_or(Some(0), |digits| digits.parse().ok());
    match piece.text.len() {
        4 | 6 => {}
        2 if marked => {}
        _ => return None,
    }
    let mut to = at + 1;
    if let Some([mark, fraction]) = pieces.get(to..to + 2)
        && matches!(mark.kind, Kind::Mark('.' | ','))
        && !fraction.apart
        && matches!(fraction.kind, Kind::Number(_))
    {
        to += 2;
    }
    Some((Some((part(0)?, part(2)?, part(4)?)), to))
}

/// Reads `3 PM`, and an hour at the end after a word that only precedes times: `kl. 10`.
fn alone(pieces: &[Piece<'_>], at: usize) -> Option<Raw> {
    let hour = pieces.get(at)?.number(2)?;
    let Some(piece) = pieces.get(at + 1) else {
        let before = pieces.get(..at)?.iter().rev().find(|piece| !piece.is_mark('.'))?;
        let leads =
            matches!(before.folded.as_str(), "kl" | "klo" | "kell" | "plkst" | "godz" | "saat" | "pukul");
        return (leads && hour < 24).then_some((Some((hour, 0, 0)), at + 1));
    };
    let part = (piece.kind == Kind::Word).then(|| part_of(&piece.folded)).flatten();
    part.filter(|_| (1..=12).contains(&hour)).map(|_| (Some((hour, 0, 0)), at + 1))
}

/// Returns the part of the day beside a time, and the piece after both.
fn part(pieces: &[Piece<'_>], at: usize, to: usize) -> Option<(Part, usize)> {
    let of = |piece: &Piece<'_>| match (piece.kind, piece.text) {
        (Kind::Sign(Sign::Part(part)), _) => Some(part),
        // Upper case only: in lower case other languages have these words.
        (Kind::Word, "SA") => Some(Part::Morning),
        (Kind::Word, "CH") => Some(Part::Afternoon),
        (Kind::Word, _) => part_of(&piece.folded),
        _ => None,
    };
    // Most words mean a part of the day only after a time.
    let leads = |piece: &&Piece<'_>| piece.kind != Kind::Word || matches!(piece.folded.as_str(), "am" | "pm");
    let behind = pieces.get(to).and_then(of).map(|part| (part, to + 1));
    let before = at.checked_sub(1).and_then(|before| pieces.get(before)).filter(leads).and_then(of);
    behind
        .or_else(|| {
            // `10.20 Uhr vormittags`, `10:20 น.`
            let word = pieces.get(to).filter(|piece| piece.kind == Kind::Word)?;
            let hours = is_hour(&word.folded);
            hours.then(|| pieces.get(to + 1).and_then(of).map(|part| (part, to + 2))).flatten()
        })
        .or_else(|| before.map(|part| (part, to)))
}

/// Reads noon and midnight by name; another part of the day alone is no time.
fn named(pieces: &[Piece<'_>], to: usize) -> Seen {
    for (at, piece) in pieces.iter().enumerate().skip(to).take(4) {
        let hour = match piece.kind {
            Kind::Mark(_) => continue,
            Kind::Word => match piece.folded.as_str() {
                "noon" | "midday" | "midi" | "mittag" | "mittags" | "mediodia" => 12,
                "midnight" | "minuit" | "mitternacht" | "medianoche" => 0,
                word if is_before(word) => continue,
                _ => break,
            },
            Kind::Sign(Sign::Part(Part::Noon)) => 12,
            Kind::Sign(Sign::Part(_)) => return Seen::Odd,
            _ => break,
        };
        return Seen::Time(Clock { time: (hour, 0, 0), to: at + 1 });
    }
    Seen::Nothing
}

/// Returns whether a number that follows the day, or a word that precedes times, was not read as a time.
fn unread(pieces: &[Piece<'_>], to: usize, year: i32) -> bool {
    let mut before = false;
    for (at, piece) in pieces.iter().enumerate().skip(to).take(5) {
        match piece.kind {
            Kind::Number(value) => {
                let next = pieces.get(at + 1);
                let word =
                    next.is_some_and(|next| next.apart && matches!(next.kind, Kind::Word | Kind::Sign(_)));
                return i32::try_from(value) != Ok(year) && !in_offset(pieces, at) && (before || !word);
            }
            Kind::Mark('+') => return false,
            Kind::Mark(_) => {}
            Kind::Word => {
                let word = &piece.folded;
                before = is_before(word);
                if !before && piece.senses.is_empty() && part_of(word).is_none() {
                    return false;
                }
            }
            Kind::Sign(Sign::Part(_)) => before = true,
            Kind::Sign(_) | Kind::Zone(_) => return false,
        }
    }
    false
}
