//! One lenient reader for the dates that occur in feeds.
//!
//! Nonsense becomes "no date", never "now"; if only the time is not understood, the date becomes that day and
//! is reported as a repair.

mod book;
mod calendar;
mod clock;
mod epoch;
mod hours;
mod languages;
mod lex;
#[cfg(test)]
mod made;
mod more;
mod named;
mod names;
mod numeric;
mod order;
mod reading;
mod signs;
mod text;
mod usual;
mod zones;

use chrono_tz::Tz;

pub use self::book::Dates;
pub use self::reading::in_zone;
use crate::model::Timestamp;

/// Returns the instant that `text` names; `zone` applies if it names no zone of its own.
///
/// The dates of a whole document are read by [`Dates`], which also uses the other dates as evidence.
#[must_use]
pub fn parse(text: &str, zone: Tz) -> Option<Timestamp> {
    reading::exact(text)
        .or_else(|| reading::lenient(text, zone, &order::Proofs::default()).map(|stated| stated.at))
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveDate, TimeZone as _};
    use proptest::prelude::*;

    use super::*;

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
    fn a_program_whose_time_is_impossible_states_no_date() {
        for text in [
            "2021-12-21T05:55:61Z",
            "2021-12-21T05:55:07+00:xx",
            "2021-12-21T05:55:07Zextra",
            "Tue, 21 Dec 2021 05:55:07 +zz:00",
        ] {
            assert_eq!(parse(text, Tz::UTC), None, "{text}");
        }
        assert!(parse("2003-012-31T10:14:55+00:00", Tz::UTC).is_some());
    }

    #[test]
    fn a_time_that_is_not_understood_leaves_the_day_and_is_told() {
        for text in [
            "2021-12-21 25:61",
            "2021-12-21 10:20 +9900",
            "21 Dec 2021 at 10 bells",
            "2021年12月21日 25时",
            "2021年12月21日 下午37:20",
            "2021年12月21日 上午",
            "21.12.2021 klo 1060",
        ] {
            let dates = Dates::default();
            let got = dates.read(text, Tz::UTC).map(Timestamp::rfc3339);
            assert_eq!(got.as_deref(), Some("2021-12-21T00:00:00Z"), "{text}");
            let document = format!("<a>\n{text}</a>");
            let told: Vec<usize> =
                dates.repairs(document.as_bytes()).iter().map(|repair| repair.line).collect();
            assert_eq!(told, [2], "{text}");
        }
        for text in [
            "2021-12-21",
            "21 Dec 2021 by Ada, 3 comments",
            "21.12.2021 | 5 min read",
            "2021-12-21 来源：36氪",
            "Tue, 21 Dec 2021",
            "21 Dec 2021 10:20:30",
            "2021-12-21Z",
        ] {
            let dates = Dates::default();
            assert!(dates.read(text, Tz::UTC).is_some(), "{text}");
            assert_eq!(dates.repairs(b""), [], "{text}");
        }
    }

    #[test]
    fn a_shared_abbreviation_is_read_in_the_zone_of_the_source() {
        for (abbreviation, zone, minutes) in [
            ("CST", Tz::Asia__Shanghai, 480),
            ("CST", Tz::Asia__Taipei, 480),
            ("CST", Tz::PRC, 480),
            ("CST", Tz::America__Chicago, -360),
            ("CST", Tz::America__Havana, -300),
            ("CST", Tz::Australia__Adelaide, 570),
            ("CST", Tz::Europe__Berlin, -360),
            ("IST", Tz::Asia__Kolkata, 330),
            ("IST", Tz::Europe__Dublin, 60),
            ("IST", Tz::Asia__Jerusalem, 120),
            ("IST", Tz::UTC, 330),
            ("BST", Tz::Europe__London, 60),
            ("BST", Tz::Asia__Dhaka, 360),
            ("BST", Tz::UTC, 60),
            ("AST", Tz::America__Halifax, -240),
            ("AST", Tz::Asia__Riyadh, 180),
            ("AST", Tz::UTC, -240),
            ("EST", Tz::Australia__Sydney, 600),
            ("EST", Tz::Australia__Brisbane, 600),
            ("EST", Tz::America__New_York, -300),
            ("EST", Tz::Asia__Shanghai, -300),
            ("PST", Tz::Asia__Manila, 480),
            ("PST", Tz::America__Los_Angeles, -480),
            ("MST", Tz::Asia__Kuala_Lumpur, 480),
            ("GST", Tz::Asia__Dubai, 240),
            ("KST", Tz::Asia__Seoul, 540),
            ("MSK", Tz::Asia__Shanghai, 180),
        ] {
            let text = format!("Wed, 09 Apr 2025 12:00:00 {abbreviation}");
            let noon = NaiveDate::from_ymd_opt(2025, 4, 9).unwrap().and_hms_opt(12, 0, 0).unwrap();
            // On this day Dublin has summer time, called IST; in Jerusalem, IST means winter time all year;
            // Sydney has winter time.
            let want = noon.and_utc().timestamp() - minutes * 60;
            assert_eq!(parse(&text, zone).map(Timestamp::unix), Some(want), "{abbreviation} in {zone}");
        }
        assert_eq!(
            parse("Thu, 09 Jan 2025 12:00:00 EST", Tz::Australia__Sydney).map(Timestamp::rfc3339).as_deref(),
            Some("2025-01-09T01:00:00Z"),
            "summer"
        );
    }

    #[test]
    fn what_stands_around_a_date_is_no_part_of_it() {
        for (text, want) in [
            ("2025-11-05 10:20 | Marten", "2025-11-05T10:20:00Z"),
            ("2025-11-05 10:20 May Chen", "2025-11-05T10:20:00Z"),
            ("4 nov. 2025 (mar.) 10:20", "2025-11-04T10:20:00Z"),
            ("mar. 4 nov. 2025 à 10h20", "2025-11-04T10:20:00Z"),
            ("25/11/2025 10:20 Decision desk", "2025-11-25T10:20:00Z"),
            ("By Jan Mai, 5 March 2025", "2025-03-05T00:00:00Z"),
            ("10:20, 9 April 2025 GMT", "2025-04-09T10:20:00Z"),
            ("10.20 | 9.4.2025", "2025-04-09T10:20:00Z"),
            ("9 April 2025, 10:20 - 11:30", "2025-04-09T10:20:00Z"),
            ("更新时间：2025-04-09 10:20 浏览次数：1234", "2025-04-09T10:20:00Z"),
            ("Thứ tư, 9/4/2025, 10:20 (GMT+7)", "2025-04-09T03:20:00Z"),
            ("北京时间2025-04-09 10:20", "2025-04-09T02:20:00Z"),
            ("9 апреля 2025, 10:20 (МСК)", "2025-04-09T07:20:00Z"),
            ("9 Apr 2025 10:20 est", "2025-04-09T10:20:00Z"),
            ("9 Apr 2025 10:20 EST", "2025-04-09T15:20:00Z"),
            ("Published <time datetime='2025-04-09T10:20:00Z'>yesterday</time>", "2025-04-09T10:20:00Z"),
            ("<span>9 April 2025</span><b>10:20</b>", "2025-04-09T10:20:00Z"),
            ("2025-04-09-05:00", "2025-04-09T05:00:00Z"),
            ("9 April 2025 noon", "2025-04-09T12:00:00Z"),
            ("2025年4月9日 晚上8点半", "2025-04-09T20:30:00Z"),
            ("2025年4月9日 凌晨12:05", "2025-04-09T00:05:00Z"),
            ("2025年4月9日 中午12:05", "2025-04-09T12:05:00Z"),
            ("2025-04-09 10:20:30:123", "2025-04-09T10:20:30Z"),
            ("2025.04.09. 10:20", "2025-04-09T10:20:00Z"),
            ("2025-04-09_10:20", "2025-04-09T10:20:00Z"),
            ("April 9th, 2025 3pm", "2025-04-09T15:00:00Z"),
            ("09/Apr/2025:10:20:30 +0200", "2025-04-09T08:20:30Z"),
            ("le 9 avril 2025 à 10 h 20", "2025-04-09T10:20:00Z"),
            ("10 h, 20 avril 2025", "2025-04-20T10:00:00Z"),
            ("9. april 2025 kl. 10", "2025-04-09T10:00:00Z"),
            ("R7.4.9 10:20", "2025-04-09T10:20:00Z"),
            ("Updated: 04/09/2025 03:20 PM EDT", "2025-04-09T19:20:00Z"),
            ("09-04-25 10:20", "2025-04-09T10:20:00Z"),
            ("2025-04-09 10:20:00 +0000 UTC m=+0.001", "2025-04-09T10:20:00Z"),
            ("9 เม.ย. 68 10.20 น.", "2025-04-09T10:20:00Z"),
            ("Wed Apr  9 2025 10:20:00 GMT+0800 (中国标准时间)", "2025-04-09T02:20:00Z"),
            ("the 9th of April 2025 at 3 p.m.", "2025-04-09T15:00:00Z"),
        ] {
            assert_eq!(parse(text, Tz::UTC).map(Timestamp::rfc3339).as_deref(), Some(want), "{text}");
        }
    }

    /// Checks each date as part of one document, against the day that it has to give.
    #[test]
    fn the_document_tells_the_order_and_the_language() {
        for (zone, dates) in [
            (Tz::UTC, &[("04/05/2025", "2025-04-05"), ("04/25/2025", "2025-04-25")][..]),
            (Tz::UTC, &[("04/05/2025", "2025-05-04"), ("25/04/2025", "2025-04-25")]),
            (Tz::America__New_York, &[("04/05/2025", "2025-05-04"), ("25/04/2025", "2025-04-25")]),
            (Tz::America__New_York, &[("04/05/2025", "2025-04-05")]),
            (Tz::UTC, &[("04/05/2025", "2025-04-05"), ("Fri, 04/11/2025", "2025-04-11")]),
            (Tz::UTC, &[("25-04-09 10:20", "2009-04-25"), ("25-04-99 10:20", "1999-04-25")]),
            (Tz::UTC, &[("25-04-09 10:20", "2025-04-09")]),
            (Tz::Asia__Tokyo, &[("25/04/09 10:20", "2025-04-09")]),
            (Tz::Europe__Berlin, &[("25.04.09 10:20", "2009-04-25")]),
            (
                Tz::UTC,
                &[("04/05/2025", "2025-05-04"), ("04/25/2025", "2025-04-25"), ("25/04/2025", "2025-04-25")],
            ),
            (Tz::UTC, &[("12 mar 2025", "2025-03-12"), ("12 sty 2025", "2025-01-12")]),
            (
                Tz::UTC,
                &[
                    ("12 mar 2025", "2025-11-12"),
                    ("12 hei 2025", "2025-07-12"),
                    ("12 lok 2025", "2025-10-12"),
                ],
            ),
            (Tz::UTC, &[("12. listopada 2025", "2025-10-12"), ("12. lipnja 2025", "2025-06-12")]),
            (Tz::UTC, &[("12 listopada 2025", "2025-11-12"), ("12 lipca 2025", "2025-07-12")]),
            (Tz::UTC, &[("srijeda, 12. listopada 2022", "2022-10-12")]),
            (Tz::Europe__Zagreb, &[("12. lis 2025", "2025-10-12")]),
            (Tz::Europe__Warsaw, &[("12 lis 2025", "2025-11-12")]),
        ] {
            let mut known = Dates::default();
            let read = |known: &Dates| -> Vec<String> {
                let at = |text: &str| known.read(text, zone).unwrap().unix();
                let day = |at: i64| zone.timestamp_opt(at, 0).unwrap().date_naive().to_string();
                dates.iter().map(|(text, _)| day(at(text))).collect()
            };
            let mut got = read(&known);
            if let Some(proven) = known.proven() {
                known = proven;
                got = read(&known);
            }
            let want: Vec<&str> = dates.iter().map(|(_, day)| *day).collect();
            assert_eq!(got, want, "{dates:?} in {zone}");
        }
    }

    #[test]
    fn nonsense_is_no_date() {
        for text in [
            "013",
            "2021-12-21-01",
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
        /// Checks that the fast path gives the same result as the lenient reader.
        #[test]
        fn usual_dates_are_read_as_the_lenient_reader_does(
            day in 0..35_u32, month in 0..12_usize, year in 0..10_000_u32, hour in 0..26_u32, minute in 0..62_u32,
            second in 0..62_u32, zone in "GMT|[+-][01][0-9][0-6][0-9]|EST|UT", short in any::<bool>(),
        ) {
            let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][month];
            let day = if short { day.to_string() } else { format!("{day:02}") };
            let text = format!("Tue, {day} {month} {year:04} {hour:02}:{minute:02}:{second:02} {zone}");
            if let Some(at) = usual::read(&text) {
                let lenient = reading::lenient(&text, Tz::Asia__Shanghai, &order::Proofs::default());
                prop_assert_eq!(Some(at), lenient.map(|stated| stated.at), "{}", text);
            }
        }
        #[test]
        fn date_like_text_is_read_without_panic(text in "[0-9A-Za-z:+. /,年月日-]{0,40}") {
            let _ = parse(&text, Tz::Europe__Berlin);
        }
    }
}
