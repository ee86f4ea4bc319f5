//! The date of a post, as written in front matters and file names.

use std::ops::RangeInclusive;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime};

use super::PostError;

/// The date of a post, as precise as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldDate {
    /// No date, or only a zone.
    Missing,
    /// A time without zone.
    Naive(NaiveDateTime),
    /// A time with its zone.
    Fixed(DateTime<FixedOffset>),
    /// A day without time.
    Day(NaiveDate),
}

/// Parses the date of a front matter; a zone alone is no date.
pub(super) fn read_date(text: &str) -> Result<OldDate, PostError> {
    let text = text.trim();
    // The site wrote the zone after an empty `showtime`.
    if text.is_empty() || zone_of(text).is_some() {
        return Ok(OldDate::Missing);
    }
    date_of(text).ok_or_else(|| PostError::Date { text: text.to_owned() })
}

fn date_of(text: &str) -> Option<OldDate> {
    let (day, rest) = text.split_at_checked(text.find(['T', 't', ' ']).unwrap_or(text.len()))?;
    let day = read_day(day)?;
    let rest = rest.trim_start_matches(['T', 't', ' ']);
    if rest.is_empty() {
        return Some(OldDate::Day(day));
    }
    let end = rest.find(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | '.')).unwrap_or(rest.len());
    let (time, zone) = rest.split_at_checked(end)?;
    let time = ["%H:%M:%S%.f", "%H:%M"].iter().find_map(|form| NaiveTime::parse_from_str(time, form).ok())?;
    let zone = zone.trim();
    if zone.is_empty() {
        return Some(OldDate::Naive(day.and_time(time)));
    }
    day.and_time(time).and_local_timezone(zone_of(zone)?).single().map(OldDate::Fixed)
}

/// Parses a day such as `2021-12-08`, also without leading zeros or with slashes.
pub(super) fn read_day(text: &str) -> Option<NaiveDate> {
    let mut parts = text.split(if text.contains('/') { '/' } else { '-' });
    let mut number = |lengths: RangeInclusive<usize>| {
        parts.next().filter(|part| lengths.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
    };
    let (year, month, day) = (number(4..=4)?, number(1..=2)?, number(1..=2)?);
    if parts.next().is_some() {
        return None;
    }
    NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

/// Parses `Z`, `UTC`, `GMT`, `+08`, `+0800`, `+08:00`.
fn zone_of(text: &str) -> Option<FixedOffset> {
    if ["Z", "UTC", "GMT"].iter().any(|name| text.eq_ignore_ascii_case(name)) {
        return FixedOffset::east_opt(0);
    }
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let digits = digits.replacen(':', "", 1);
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let hours: i32 = digits.get(..2)?.parse().ok()?;
    let minutes: i32 =
        digits.get(2..).filter(|rest| !rest.is_empty()).map_or(Some(0), |rest| rest.parse().ok())?;
    FixedOffset::east_opt(sign * (hours * 60 + minutes) * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day() -> NaiveDate {
        NaiveDate::from_ymd_opt(2021, 12, 8).unwrap()
    }

    #[test]
    fn days_without_time() {
        for text in ["2021-12-08", "2021/12/8", " 2021-12-8 "] {
            assert_eq!(read_date(text), Ok(OldDate::Day(day())), "{text}");
        }
        for text in ["", " ", "+0800", "-05:00", "Z"] {
            assert_eq!(read_date(text), Ok(OldDate::Missing), "{text}");
        }
    }

    #[test]
    fn times_with_and_without_zone() {
        let naive = day().and_hms_opt(10, 46, 18).unwrap();
        for text in ["2021-12-08 10:46:18", "2021-12-8T10:46:18", "2021/12/08  10:46:18.0"] {
            assert_eq!(read_date(text), Ok(OldDate::Naive(naive)), "{text}");
        }
        let minute = day().and_hms_opt(9, 5, 0).unwrap();
        assert_eq!(read_date("2021-12-08 9:05"), Ok(OldDate::Naive(minute)));
        let hours = |hours: i32| FixedOffset::east_opt(hours * 3600).unwrap();
        let table = [
            ("2021-12-08 10:46:18 +0800", 8),
            ("2021-12-08T10:46:18+08:00", 8),
            ("2021-12-08 10:46:18 +08", 8),
            ("2021-12-08T10:46:18-0500", -5),
            ("2021-12-08T10:46:18Z", 0),
            ("2021-12-08 10:46:18 UTC", 0),
        ];
        for (text, zone) in table {
            let fixed = naive.and_local_timezone(hours(zone)).unwrap();
            assert_eq!(read_date(text), Ok(OldDate::Fixed(fixed)), "{text}");
        }
        // chrono compares instants without their zones, so the zone itself is checked once.
        let Ok(OldDate::Fixed(fixed)) = read_date("2021-12-08 10:46:18 -0330") else { panic!("a zone") };
        assert_eq!(fixed.offset().local_minus_utc(), -12_600);
    }

    #[test]
    fn other_forms_are_refused() {
        let table = [
            "yesterday",
            "2021-13-08",
            "21-12-08",
            "2021-12",
            "2021-12-08-09",
            "2021-12-08 25:00",
            "2021-12-08 10:46 +8",
            "2021-12-08 10:46 EST",
            "2021-12-08 10:46:18 +9900",
            "+12-12-08",
            "2021-12-08日",
        ];
        for text in table {
            assert_eq!(read_date(text), Err(PostError::Date { text: text.to_owned() }), "{text}");
        }
    }
}
