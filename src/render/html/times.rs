//! Times as pages write them.

use chrono::Datelike;
use chrono_tz::Tz;

use crate::model::Timestamp;
use crate::render::theme::Language;

/// A time for people: `2021-12-21 13:55` in Chinese, `21 Dec 2021, 13:55` in English.
#[must_use]
pub fn shown_time(at: Timestamp, zone: Tz, language: &str) -> String {
    let form = match Language::of(language) {
        Language::Chinese => "%Y-%m-%d %H:%M",
        Language::English => "%-d %b %Y, %H:%M",
    };
    at.to_utc().with_timezone(&zone).format(form).to_string()
}

/// A time for programs: RFC 3339 with the zone's offset.
#[must_use]
pub fn machine_time(at: Timestamp, zone: Tz) -> String {
    let local = at.to_utc().with_timezone(&zone);
    // East of Greenwich the last hours lie in the year 10000, which RFC 3339 cannot write.
    if local.year() > 9999 { at.rfc3339() } else { local.format("%Y-%m-%dT%H:%M:%S%:z").to_string() }
}
