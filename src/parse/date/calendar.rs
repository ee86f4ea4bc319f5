//! Years, and the forms of ISO 8601 that name a day by digits alone: `2021-355`, `2021-W51-2`, `211221`,
//! `-2112`, `2021`. They are common in feeds from before 2005.

use chrono::{NaiveDate, Weekday};

/// Returns the day, if the whole text is of such a form. Full dates are read elsewhere.
pub(super) fn day(text: &str) -> Option<NaiveDate> {
    if !text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'W')) {
        return None;
    }
    if let Some((year, week)) = text.split_once('W') {
        return week_day(year.trim_end_matches('-'), week);
    }
    let (digits, dashed) = match text.strip_prefix('-') {
        // A leading dash replaces the century.
        Some(rest) => return century_less(rest),
        None => (text.replace('-', ""), text.contains('-')),
    };
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    match (digits.len(), lengths.as_slice()) {
        (4, [4]) => ordinal(&digits, "001"),
        (5, [5] | [2, 3]) => ordinal(digits.get(..2)?, digits.get(2..)?),
        (7, [7] | [4, 3]) => ordinal(digits.get(..4)?, digits.get(4..)?),
        (6, [6]) if !dashed => date(digits.get(..2)?, digits.get(2..4)?, digits.get(4..)?),
        _ => None,
    }
}

fn century_less(rest: &str) -> Option<NaiveDate> {
    match rest.as_bytes() {
        [_, _, _, _] => date(rest.get(..2)?, rest.get(2..)?, "01"),
        [_, _, b'-', _, _] => date(rest.get(..2)?, rest.get(3..)?, "01"),
        _ => None,
    }
}

fn date(year: &str, month: &str, day: &str) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(full_year(year)?, month.parse().ok()?, day.parse().ok()?)
}

fn ordinal(year: &str, day: &str) -> Option<NaiveDate> {
    NaiveDate::from_yo_opt(full_year(year)?, day.parse().ok()?)
}

/// Returns a day by its week, `51-2`, `512` or `51`; without a day of the week it is the Monday.
fn week_day(year: &str, week: &str) -> Option<NaiveDate> {
    let digits = week.replace('-', "");
    let day = match digits.get(2..)? {
        "" | "1" => Weekday::Mon,
        "2" => Weekday::Tue,
        "3" => Weekday::Wed,
        "4" => Weekday::Thu,
        "5" => Weekday::Fri,
        "6" => Weekday::Sat,
        "7" => Weekday::Sun,
        _ => return None,
    };
    NaiveDate::from_isoywd_opt(full_year(year)?, digits.get(..2)?.parse().ok()?, day)
}

/// Returns the year at the beginning of a text; one of up to three digits is counted from 1900 or 2000.
pub(super) fn full_year(text: &str) -> Option<i32> {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let year: i32 = digits.parse().ok()?;
    // Two digits pivot as in RFC 2822, 4.3.
    Some(match digits.len() {
        1 | 2 if year < 50 => 2000 + year,
        1..=3 => 1900 + year,
        _ => year,
    })
}
