//! The formats of times on pages.

use chrono::{Datelike, SecondsFormat, Timelike};
use chrono_tz::Tz;

use crate::model::Timestamp;
use crate::render::theme::Language;

/// Formats a time for people: `2021-12-21 13:55` in Chinese, `21 Dec 2021, 13:55` in English.
#[must_use]
pub fn shown_time(at: Timestamp, zone: Tz, language: &str) -> String {
    let local = at.to_utc().with_timezone(&zone);
    let day = shown_day(at, zone, language);
    let comma = if Language::of(language) == Language::English { "," } else { "" };
    format!("{day}{comma} {:02}:{:02}", local.hour(), local.minute())
}

/// Formats a day for people: `2021-12-21` in Chinese, `21 Dec 2021` in English.
#[must_use]
pub fn shown_day(at: Timestamp, zone: Tz, language: &str) -> String {
    let local = at.to_utc().with_timezone(&zone);
    match Language::of(language) {
        Language::Chinese => local.date_naive().to_string(),
        Language::English => local.format("%-d %b %Y").to_string(),
    }
}

/// Formats a time for programs: RFC 3339 with the zone's offset.
#[must_use]
pub fn machine_time(at: Timestamp, zone: Tz) -> String {
    let local = at.to_utc().with_timezone(&zone);
    // East of Greenwich the last hours are in the year 10000, which RFC 3339 cannot write.
    if local.year() > 9999 { at.rfc3339() } else { local.to_rfc3339_opts(SecondsFormat::Secs, false) }
}

/// Formats a day for programs, such as `2021-12-21`.
#[must_use]
pub fn machine_day(at: Timestamp, zone: Tz) -> String {
    let local = at.to_utc().with_timezone(&zone);
    if local.year() > 9999 { at.to_utc().date_naive().to_string() } else { local.date_naive().to_string() }
}
