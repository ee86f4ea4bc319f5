//! One lenient reader for the dates met in feeds. Nonsense becomes "no date", never "now".

mod calendar;
mod names;
mod usual;

use chrono::{DateTime, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::Tz;

use self::calendar::full_year;
use self::names::{month_name, zone_offset};
use crate::model::Timestamp;

/// Longest text that can be a date, in bytes.
const MAX_LEN: usize = 120;

/// The instant that `text` names; `zone` is used where it names no zone of its own.
#[must_use]
pub fn parse(text: &str, zone: Tz) -> Option<Timestamp> {
    let text = text.trim();
    if text.is_empty() || text.len() > MAX_LEN {
        return None;
    }
    if let Some(at) = usual::read(text) {
        return Some(at);
    }
    lenient(text, zone)
}

fn lenient(text: &str, zone: Tz) -> Option<Timestamp> {
    if let Ok(exact) = DateTime::parse_from_rfc3339(text) {
        return Timestamp::stated(exact.timestamp());
    }
    if let Some(day) = calendar::day(text) {
        return in_zone(day.and_time(NaiveTime::MIN), zone);
    }
    let parts = Parts::read(text)?;
    let day = NaiveDate::from_ymd_opt(parts.year?, parts.month?, parts.day?)?;
    let (hour, minute, second) = parts.time.unwrap_or_default();
    let hour = match parts.afternoon {
        Some(true) if hour < 12 => hour + 12,
        Some(false) if hour == 12 => 0,
        _ => hour,
    };
    let (day, hour) = if (hour, minute, second) == (24, 0, 0) { (day.succ_opt()?, 0) } else { (day, hour) };
    // A leap second has no number in Unix time: it is the second before.
    let time = NaiveTime::from_hms_opt(hour, minute, if second == 60 { 59 } else { second })?;
    let naive = day.and_time(time);
    match parts.offset {
        Some(offset) => Timestamp::stated(naive.and_utc().timestamp() - i64::from(offset)),
        None => in_zone(naive, zone),
    }
}

/// A naive time in a zone; the earlier of two, and the hour after a gap.
#[must_use]
pub fn in_zone(naive: NaiveDateTime, zone: Tz) -> Option<Timestamp> {
    match zone.from_local_datetime(&naive) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Timestamp::stated(at.timestamp()),
        LocalResult::None => {
            Timestamp::stated(zone.from_utc_datetime(&(naive - chrono::Duration::hours(1))).timestamp())
                .and_then(|_| zone.from_local_datetime(&(naive + chrono::Duration::hours(1))).earliest())
                .and_then(|at| Timestamp::stated(at.timestamp()))
        }
    }
}

#[derive(Debug, Default)]
struct Parts {
    year: Option<i32>,
    month: Option<u32>,
    day: Option<u32>,
    time: Option<(u32, u32, u32)>,
    /// Seconds east of Greenwich.
    offset: Option<i32>,
    afternoon: Option<bool>,
}

impl Parts {
    fn read(text: &str) -> Option<Self> {
        let mut parts = Self::default();
        let spaced =
            split_iso(&text.replace(['年', '月', '년', '월'], "-").replace(['日', '일', '(', ')', ','], " "));
        // `2004년 05월 28일`: the parts stand apart.
        let spaced = spaced.replace("- ", "-");
        for word in spaced.split_whitespace() {
            parts.take(word)?;
        }
        Some(parts)
    }

    /// Takes one word; `None` when it contradicts what a date can hold.
    fn take(&mut self, word: &str) -> Option<()> {
        let digit = word.starts_with(|c: char| c.is_ascii_digit());
        if digit && word.contains(':') {
            return self.take_time(word);
        }
        if let Some(month) = month_name(word) {
            self.month = Some(month);
            return Some(());
        }
        if self.time.is_some() && self.offset.is_none() {
            if let Some(offset) = zone_offset(word) {
                self.offset = Some(offset);
                return Some(());
            }
            if let Some(rest) = word.strip_prefix("GMT").or_else(|| word.strip_prefix("UTC")) {
                self.offset = zone_offset(rest).or(Some(0));
                return Some(());
            }
            if word.len() > 1 && word.starts_with(['+', '-']) {
                return None;
            }
        }
        match word.to_ascii_lowercase().as_str() {
            "am" | "a.m." | "上午" | "오전" => self.afternoon = Some(false),
            "pm" | "p.m." | "下午" | "오후" => self.afternoon = Some(true),
            _ if digit => return self.take_numbers(word),
            // Weekday names are often wrong and never needed; other words tell nothing.
            _ => {}
        }
        Some(())
    }

    fn take_time(&mut self, word: &str) -> Option<()> {
        let end = word.find(|c: char| !c.is_ascii_digit() && c != ':' && c != '.').unwrap_or(word.len());
        let (clock, zone) = word.split_at(end);
        let mut numbers = clock.split(':').map(|n| n.split('.').next().unwrap_or(n).parse::<u32>());
        let hour = numbers.next()?.ok()?;
        let minute = numbers.next()?.ok()?;
        let second = numbers.next().transpose().ok()?.unwrap_or(0);
        self.time = Some((hour, minute, second));
        match zone.to_ascii_lowercase().as_str() {
            "" | "h" | "uhr" => {}
            "am" => self.afternoon = Some(false),
            "pm" => self.afternoon = Some(true),
            _ => self.offset = Some(zone_offset(zone)?),
        }
        Some(())
    }

    fn take_numbers(&mut self, word: &str) -> Option<()> {
        let pieces: Vec<&str> = word.split(['-', '/', '.']).filter(|p| !p.is_empty()).collect();
        match pieces.as_slice() {
            [year, month, day] if year.len() == 4 => {
                self.year = year.parse().ok();
                self.month = month.parse().ok().or_else(|| month_name(month));
                self.day = day.parse().ok();
            }
            // 21-Dec-2021, 21/12/2021, 12/21/2021
            [first, second, year] => {
                let (a, b) = (first.parse::<u32>().ok()?, second.parse::<u32>().ok());
                let month = month_name(second);
                (self.day, self.month) = match (month, b) {
                    (Some(month), _) => (Some(a), Some(month)),
                    (None, Some(b)) if word.contains('/') && b > 12 => (Some(b), Some(a)),
                    (None, b) => (Some(a), b),
                };
                self.year = Some(full_year(year)?);
            }
            [year, month] if year.len() == 4 => {
                self.year = year.parse().ok();
                self.month = month.parse().ok();
                self.day = Some(1);
            }
            [compact] if compact.len() == 8 && self.year.is_none() => {
                self.year = compact.get(..4)?.parse().ok();
                self.month = compact.get(4..6)?.parse().ok();
                self.day = compact.get(6..)?.parse().ok();
            }
            [number] => {
                let digits = number.trim_end_matches(|c: char| !c.is_ascii_digit());
                if digits.len() <= 2 && self.day.is_none() {
                    self.day = digits.parse().ok();
                } else if self.year.is_none() {
                    self.year = Some(full_year(digits)?);
                }
            }
            _ => return None,
        }
        Some(())
    }
}

/// `2021-12-21T05:55` as two words.
fn split_iso(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut spaced = text.to_owned();
    for (at, _) in text.match_indices(['T', 't']).collect::<Vec<_>>().into_iter().rev() {
        let digit = |i: Option<usize>| i.and_then(|i| bytes.get(i)).is_some_and(u8::is_ascii_digit);
        if digit(at.checked_sub(1)) && digit(Some(at + 1)) {
            spaced.replace_range(at..=at, " ");
        }
    }
    spaced
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_met_in_feeds() {
        const SEED: &str = "2021-12-21T05:55:07Z";
        for (text, want) in [
            ("2021-12-21 13:55:07", SEED),
            ("2021-12-21T13:55:07", SEED),
            ("2021-12-21T05:55:07Z", SEED),
            ("2021-12-21T13:55:07+08:00", SEED),
            ("2021-12-21 13:55:07 +0800", SEED),
            ("Tue, 21 Dec 2021 05:55:07 GMT", SEED),
            ("Mon, 21 Dec 2021 05:55:07 +0000", SEED),
            ("21 Dec 21 05:55:07 UT", SEED),
            ("Tue Dec 21 05:55:07 UTC 2021", SEED),
            ("2021年12月21日 13:55:07", SEED),
            ("2021/12/21 13:55:07", SEED),
            ("Tue, 21 December 2021 00:55:07 EST", SEED),
            ("12/21/2021 01:55:07 PM", SEED),
            ("2021-12-21", "2021-12-20T16:00:00Z"),
            ("20211221", "2021-12-20T16:00:00Z"),
            ("Tue, 21 Dec 2021", "2021-12-20T16:00:00Z"),
            ("2021-12-21T24:00:00Z", "2021-12-22T00:00:00Z"),
            ("Sat, 01 Jan 2022 05:55 CEST", "2022-01-01T03:55:00Z"),
            ("2021년 12월 21일 13:55:07", SEED),
            ("2021-12-21 오후 1:55:07", SEED),
            ("Τρι, 21 Δεκ 2021 05:55:07 GMT", SEED),
            ("2021-december-21T5:55:07+00:00", SEED),
            ("Di, 21. Dezember 2021 06:55:07 +0100", SEED),
            ("mar. 21 déc. 2021 05:55:07 GMT", SEED),
            ("Tue, 21 Dec 2021 00:55:07 ET", SEED),
            ("Tue, 21 Dec 2021 05:55:07.123 +00:00", SEED),
            ("2021-W51-2", "2021-12-20T16:00:00Z"),
            ("2021355", "2021-12-20T16:00:00Z"),
            ("21-355", "2021-12-20T16:00:00Z"),
            ("211221", "2021-12-20T16:00:00Z"),
            ("2021-12", "2021-11-30T16:00:00Z"),
            ("-2112", "2021-11-30T16:00:00Z"),
            ("2021", "2020-12-31T16:00:00Z"),
        ] {
            let got = parse(text, Tz::Asia__Shanghai).map(Timestamp::rfc3339);
            assert_eq!(got.as_deref(), Some(want), "{text}");
        }
    }

    #[test]
    fn old_dates_are_read_as_they_are_stated() {
        for (text, want) in [
            ("Thu, 01 Jan 0100 00:00:01 +0100", "0099-12-31T23:00:01Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            ("1969-12-31", "1969-12-31T00:00:00Z"),
        ] {
            assert_eq!(parse(text, Tz::UTC).map(Timestamp::rfc3339).as_deref(), Some(want), "{text}");
        }
    }

    #[test]
    fn nonsense_is_no_date() {
        for text in [
            "013",
            "2021-12-21-01",
            "2021-12-21T05:55:61Z",
            "2021-12-21T05:55:07+00:xx",
            "2021-12-21T05:55:07Zextra",
            "Tue, 99 Dec 2021 05:55:07 GMT",
            "",
            " +0800",
            "yesterday",
            "2021-13-40",
            "0000-00-00 00:00:00",
            "99999999999999999999",
        ] {
            assert_eq!(parse(text, Tz::UTC), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,130}") {
            let _ = parse(&text, Tz::Asia__Shanghai);
        }
        /// The short way reads nothing differently.
        #[test]
        fn usual_dates_are_read_as_the_lenient_reader_does(
            day in 0..35_u32, month in 0..12_usize, year in 0..10_000_u32, hour in 0..26_u32, minute in 0..62_u32,
            second in 0..62_u32, zone in "GMT|[+-][01][0-9][0-6][0-9]|EST|UT", short in any::<bool>(),
        ) {
            let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][month];
            let day = if short { day.to_string() } else { format!("{day:02}") };
            let text = format!("Tue, {day} {month} {year:04} {hour:02}:{minute:02}:{second:02} {zone}");
            if let Some(at) = usual::read(&text) {
                prop_assert_eq!(Some(at), lenient(&text, Tz::Asia__Shanghai), "{}", text);
            }
        }
        #[test]
        fn date_like_text_is_read_without_panic(text in "[0-9A-Za-z:+. /,年月日-]{0,40}") {
            let _ = parse(&text, Tz::Europe__Berlin);
        }
    }
}
