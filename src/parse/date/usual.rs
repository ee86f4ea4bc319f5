//! The most common form of dates in RSS, read without splitting the text into pieces.

use chrono::{NaiveDate, NaiveTime};

use crate::model::Timestamp;

const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// Reads `Tue, 21 Dec 2021 13:55:07 +0800`, also with `GMT` (RFC 822 with RFC 1123's years).
///
/// Returns `None` for all other forms, which the lenient reader takes.
pub(super) fn read(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let [a, b, c, b',', b' ', rest @ ..] = bytes else { return None };
    if ![a, b, c].iter().all(|letter| letter.is_ascii_alphabetic()) {
        return None;
    }
    let (day, rest) = match rest {
        [tens, ones, b' ', rest @ ..] => (pair(*tens, *ones)?, rest),
        [ones, b' ', rest @ ..] => (pair(b'0', *ones)?, rest),
        _ => return None,
    };
    let (month, rest) = rest.split_first_chunk::<3>()?;
    let month = (1..).zip(MONTHS).find(|(_, name)| *name == month)?.0;
    let [b' ', y1, y2, y3, y4, b' ', h1, h2, b':', m1, m2, b':', s1, s2, b' ', zone @ ..] = rest else {
        return None;
    };
    let year = pair(*y1, *y2)? * 100 + pair(*y3, *y4)?;
    let day = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    let time = NaiveTime::from_hms_opt(pair(*h1, *h2)?, pair(*m1, *m2)?, pair(*s1, *s2)?)?;
    let offset = match zone {
        b"GMT" => 0,
        [sign @ (b'+' | b'-'), h1, h2, m1, m2] => {
            let (hours, minutes) = (pair(*h1, *h2)?, pair(*m1, *m2)?);
            let seconds = i64::from(hours * 3_600 + minutes * 60);
            // The lenient reader has rules for odd offsets.
            if hours > 14 || minutes > 59 {
                return None;
            }
            if *sign == b'-' { -seconds } else { seconds }
        }
        _ => return None,
    };
    Timestamp::stated(day.and_time(time).and_utc().timestamp() - offset)
}

fn pair(tens: u8, ones: u8) -> Option<u32> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
    Some(digit(tens)? * 10 + digit(ones)?)
}
