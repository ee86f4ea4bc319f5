//! The zone beside a time: an offset, a name of the tz database, or an abbreviation, which is read as in the
//! source's own zone.

use chrono::{Datelike as _, Days, NaiveDateTime, Offset as _, TimeZone as _};
use chrono_tz::{OffsetName as _, Tz};

use super::hours::part_of;
use super::lex::{Kind, Piece};
use super::signs::Sign;

/// The zone of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place<'t> {
    /// Seconds east of Greenwich.
    Offset(i32),
    Zone(Tz),
    /// An abbreviation.
    Named(&'t str),
}

/// The zone that accompanies a time, if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beside<'t> {
    Place(Place<'t>),
    Nothing,
    /// An impossible offset.
    Odd,
}

/// Pieces after a time that are searched for its zone.
const NEAR: usize = 8;

/// Returns the zone that follows the piece before `from`, or an unambiguous one anywhere in the text.
pub(super) fn beside<'t>(pieces: &[Piece<'t>], from: usize) -> Beside<'t> {
    let mut at = from;
    while let Some(piece) = pieces.get(at).filter(|_| at < from + NEAR) {
        match piece.kind {
            Kind::Zone(zone) => return Beside::Place(Place::Zone(zone)),
            Kind::Sign(Sign::Place(seconds)) => return Beside::Place(Place::Offset(seconds)),
            Kind::Mark('+' | '-') => match offset(pieces, at) {
                Some(Some(seconds)) => return Beside::Place(Place::Offset(seconds)),
                Some(None) if !piece.apart || piece.is_mark('+') => return Beside::Odd,
                _ => break,
            },
            Kind::Mark('(' | '[' | ',' | '.' | '|' | ';' | '/' | '*') => at += 1,
            Kind::Word => match word(pieces, at, piece) {
                Some(found) => return found,
                None if passed(&piece.folded) => at += 1,
                None => break,
            },
            _ => break,
        }
    }
    anywhere(pieces)
}

/// Returns whether a word can come between a time and its zone.
fn passed(word: &str) -> bool {
    part_of(word).is_some()
        || matches!(word, "h" | "hs" | "hrs" | "uhr" | "u" | "น" | "ч" | "hod" | "hora" | "klo" | "time")
}

fn word<'t>(pieces: &[Piece<'t>], at: usize, piece: &Piece<'t>) -> Option<Beside<'t>> {
    let name = piece.text;
    if ["GMT", "UTC", "UT", "Z"].iter().any(|zero| name.eq_ignore_ascii_case(zero)) {
        let offset = offset(pieces, at + 1).flatten();
        return Some(Beside::Place(Place::Offset(offset.unwrap_or(0))));
    }
    // `07Zextra` names an unknown zone.
    if !piece.apart && name.starts_with('Z') && name.len() > 1 && name.is_ascii() {
        return Some(Beside::Odd);
    }
    let known =
        default(name).is_some() || REGIONAL.iter().any(|(known, ..)| known.eq_ignore_ascii_case(name));
    (known && !is_word(name)).then_some(Beside::Place(Place::Named(name)))
}

/// Returns whether a name with small letters is an ordinary word of some language.
fn is_word(name: &str) -> bool {
    const WORDS: [&str; 13] =
        ["at", "et", "ct", "mt", "pt", "est", "ist", "art", "met", "west", "wit", "sst", "mit"];
    name.chars().any(char::is_lowercase) && WORDS.contains(&name.to_ascii_lowercase().as_str())
}

/// Reads `+0800`, `+08:00`, `+8`, in seconds; `Some(None)` if there is no such offset.
#[expect(clippy::option_option, reason = "no offset, one that there is not, and one")]
fn offset(pieces: &[Piece<'_>], at: usize) -> Option<Option<i32>> {
    let sign = match pieces.get(at)?.kind {
        Kind::Mark('+') => 1,
        Kind::Mark('-') => -1,
        _ => return None,
    };
    let number = pieces.get(at + 1).filter(|number| !number.apart)?;
    let (Kind::Number(value), digits) = (number.kind, number.text.len()) else { return Some(None) };
    let minutes = pieces.get(at + 2..at + 4).and_then(|next| match next {
        [colon, minutes] if colon.is_mark(':') && !colon.apart && !minutes.apart => Some(minutes.number(2)),
        _ => None,
    });
    let (hours, minutes) = match (digits, minutes) {
        (1 | 2, Some(Some(minutes))) => (value, minutes),
        (1 | 2, None) => (value, 0),
        (3 | 4, None) => (value / 100, value % 100),
        _ => return Some(None),
    };
    let seconds = i32::try_from(hours * 3_600 + minutes * 60).ok();
    Some(seconds.filter(|_| hours <= 14 && minutes < 60).map(|seconds| sign * seconds))
}

/// Returns an unambiguous zone that the text names anywhere.
fn anywhere<'t>(pieces: &[Piece<'t>]) -> Beside<'t> {
    let place = |(at, piece): (usize, &Piece<'t>)| match piece.kind {
        Kind::Zone(zone) => Some(Place::Zone(zone)),
        Kind::Sign(Sign::Place(seconds)) => Some(Place::Offset(seconds)),
        Kind::Word if matches!(piece.text, "GMT" | "UTC") => {
            Some(Place::Offset(offset(pieces, at + 1).flatten().unwrap_or(0)))
        }
        _ => None,
    };
    pieces.iter().enumerate().find_map(place).map_or(Beside::Nothing, Beside::Place)
}

/// Returns the offset of an abbreviation at a local time, in seconds east of Greenwich, as in the source's
/// zone.
pub(super) fn seconds(name: &str, naive: NaiveDateTime, zone: Tz) -> Option<i32> {
    own(name, naive, zone)
        .or_else(|| either(name, naive, zone))
        .or_else(|| regional(name, naive, zone))
        .or_else(|| default(name))
}

/// Returns the offset of `ET` and the like in a source of that zone: winter or summer time by the date.
fn either(name: &str, naive: NaiveDateTime, zone: Tz) -> Option<i32> {
    if !matches!(name, "ET" | "CT" | "MT" | "PT" | "AT" | "NT") || !zone.name().starts_with("America/") {
        return None;
    }
    let offset = |naive| Some(zone.offset_from_local_datetime(&naive).earliest()?.fix().local_minus_utc());
    let winter = naive.date().with_ordinal(1)?.and_time(naive.time());
    if offset(winter) == default(name) { offset(naive) } else { None }
}

/// Returns the offset for which the source's zone itself uses the name, at that time or within half a year.
fn own(name: &str, naive: NaiveDateTime, zone: Tz) -> Option<i32> {
    let days = [91, 182].map(Days::new);
    let before = days.iter().filter_map(|days| naive.checked_sub_days(*days));
    let behind = days.iter().filter_map(|days| naive.checked_add_days(*days));
    std::iter::once(naive).chain(before).chain(behind).find_map(|moment| {
        let offset = zone.offset_from_local_datetime(&moment).earliest()?;
        let called = offset.abbreviation().is_some_and(|known| known.eq_ignore_ascii_case(name));
        called.then(|| offset.fix().local_minus_utc())
    })
}

/// Returns the offset of a name in use in a region for which the tz database has no names, if it is that of
/// the source's zone.
fn regional(name: &str, naive: NaiveDateTime, zone: Tz) -> Option<i32> {
    let then = zone.offset_from_local_datetime(&naive).earliest()?.fix().local_minus_utc();
    let fits = |(known, minutes, region): &&(&str, i32, &str)| {
        known.eq_ignore_ascii_case(name) && minutes * 60 == then && zone.name().starts_with(region)
    };
    REGIONAL.iter().find(fits).map(|(_, minutes, _)| minutes * 60)
}

/// Abbreviations with another meaning in a region: minutes east, and the beginning of the names of its zones.
const REGIONAL: &[(&str, i32, &str)] = &[
    ("EST", 600, "Australia/"),
    ("EST", 660, "Australia/"),
    ("EDT", 660, "Australia/"),
    ("CST", 570, "Australia/"),
    ("CST", 630, "Australia/"),
    ("CDT", 630, "Australia/"),
    ("WST", 480, "Australia/"),
    ("CST", 480, "Asia/"),
    ("WST", 780, "Pacific/"),
    ("SST", -660, "Pacific/"),
    ("SST", 480, "Asia/"),
    ("SST", 480, "Singapore"),
    ("BST", 360, "Asia/"),
    ("BST", 660, "Pacific/"),
    ("AST", 180, "Asia/"),
    ("ADT", 240, "Asia/"),
    ("IST", 330, "Asia/"),
    ("IST", 210, "Asia/"),
    ("IST", 210, "Iran"),
    ("MST", 480, "Asia/"),
    ("MST", 390, "Asia/"),
    ("PST", 480, "Asia/"),
    ("PST", 300, "Asia/"),
    ("GST", 240, "Asia/"),
    ("AMT", 240, "Asia/"),
    ("ECT", -300, "America/"),
    ("ACT", -300, "America/"),
    ("NST", -210, "America/"),
    ("KST", 360, "Asia/"),
];

/// Returns the offset of an abbreviation for any other source, in seconds.
///
/// The North American names are those of RFC 822, 5.1; `ET` and the like, which name no half of the year, are
/// winter time.
fn default(name: &str) -> Option<i32> {
    let minutes = match name.to_uppercase().as_str() {
        "Z" | "UT" | "UTC" | "GMT" | "WET" => 0,
        "EST" | "CDT" | "ET" | "PET" | "COT" => -300,
        "EDT" | "AST" | "AT" | "CLT" | "BOT" | "VET" | "AMT" => -240,
        "CST" | "MDT" | "CT" => -360,
        "MST" | "PDT" | "MT" => -420,
        "PST" | "PT" | "AKDT" => -480,
        "AKST" => -540,
        "HST" | "HAST" => -600,
        "ADT" | "BRT" | "ART" | "UYT" | "CLST" => -180,
        "NST" | "NT" => -210,
        "NDT" => -150,
        "BRST" => -120,
        "MET" | "CET" | "MEZ" | "HNEC" | "BST" | "WEST" | "WAT" => 60,
        "CEST" | "MEST" | "MESZ" | "EET" | "SAST" | "CAT" | "OEZ" => 120,
        "EEST" | "MSK" | "МСК" | "EAT" | "TRT" | "OESZ" | "IDT" => 180,
        "IRST" => 210,
        "GST" | "SAMT" | "AZT" | "GET" => 240,
        "AFT" => 270,
        "PKT" | "UZT" | "YEKT" | "TJT" => 300,
        "IST" => 330,
        "NPT" => 345,
        "BDT" | "ALMT" | "OMST" | "BTT" | "KGT" => 360,
        "MMT" => 390,
        "ICT" | "WIB" | "NOVT" | "KRAT" | "HOVT" => 420,
        "HKT" | "SGT" | "MYT" | "PHT" | "PHST" | "WITA" | "AWST" | "ULAT" | "IRKT" => 480,
        "JST" | "KST" | "WIT" | "YAKT" => 540,
        "ACST" => 570,
        "AEST" | "CHST" | "VLAT" | "PGT" => 600,
        "ACDT" => 630,
        "AEDT" | "MAGT" | "SBT" => 660,
        "NZST" | "FJT" | "PETT" => 720,
        "NZDT" => 780,
        _ => return None,
    };
    Some(minutes * 60)
}
