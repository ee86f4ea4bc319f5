//! Whole seconds in UTC, the only instants of the mill (RULES 2.1).

use chrono::{DateTime, Datelike, SecondsFormat, Utc};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Names of months in RFC 822.
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Seconds since 1970-01-01T00:00:00Z, within the years 1970 to 9999. Only dates that documents state may be
/// earlier ([`Timestamp::stated`]); sources discard those.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The first instant, 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);
    /// The last instant, 9999-12-31T23:59:59Z.
    pub const MAX: Self = Self(253_402_300_799);
    /// The instant before the last one.
    pub const BEFORE_MAX: Self = Self(Self::MAX.0 - 1);

    /// The first instant that a document can state, 0001-01-01T00:00:00Z.
    pub const FIRST_STATED: Self = Self(-62_135_596_800);

    /// Creates the instant that a document states, in the years 1 to 9999; `None` beyond them.
    #[must_use]
    pub fn stated(seconds: i64) -> Option<Self> {
        (Self::FIRST_STATED.0..=Self::MAX.0).contains(&seconds).then_some(Self(seconds))
    }

    /// Clamps `seconds` (Unix time) into the years 1970 to 9999.
    #[must_use]
    pub fn from_unix(seconds: i64) -> Self {
        Self(seconds.clamp(Self::EPOCH.0, Self::MAX.0))
    }

    /// Returns the Unix time in seconds.
    #[must_use]
    pub fn unix(self) -> i64 {
        self.0
    }

    /// Returns the instant as `chrono`'s UTC date and time.
    #[must_use]
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.0, 0).unwrap_or_default()
    }

    /// Formats the instant by RFC 3339 in UTC with `Z`, for Atom and JSON Feed.
    #[must_use]
    pub fn rfc3339(self) -> String {
        self.to_utc().to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    /// Formats the instant by RFC 822 with a four-digit year and `+0000`, for RSS (RSS profile, `pubDate`).
    #[must_use]
    pub fn rfc822(self) -> String {
        let at = self.to_utc();
        let month = MONTHS[at.month0() as usize % MONTHS.len()];
        let (weekday, day, year) = (at.weekday(), at.day(), at.year());
        format!("{weekday}, {day:02} {month} {year:04} {} +0000", at.time())
    }

    /// Returns this instant moved by `seconds`, clamped to the range.
    #[must_use]
    pub fn plus(self, seconds: i64) -> Self {
        Self::from_unix(self.0.saturating_add(seconds))
    }

    /// Returns the seconds from `earlier` to `self`; negative if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(value: DateTime<Utc>) -> Self {
        Self::from_unix(value.timestamp())
    }
}

/// Written as RFC 3339 in readable formats, as seconds in the store.
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&self.rfc3339())
        } else {
            serializer.serialize_i64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return i64::deserialize(deserializer).map(Self::from_unix);
        }
        let text = String::deserialize(deserializer)?;
        let read = DateTime::parse_from_rfc3339(&text).map_err(D::Error::custom)?;
        Ok(Self::from(read.to_utc()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_and_clamps() {
        let seed = Timestamp::from_unix(1_640_066_107);
        assert_eq!(seed.rfc3339(), "2021-12-21T05:55:07Z");
        assert_eq!(seed.rfc822(), "Tue, 21 Dec 2021 05:55:07 +0000");
        assert_eq!(Timestamp::from_unix(-5), Timestamp::EPOCH);
        assert_eq!(Timestamp::from_unix(i64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MAX.plus(1), Timestamp::MAX);
        assert_eq!(Timestamp::FIRST_STATED.rfc3339(), "0001-01-01T00:00:00Z");
        assert_eq!(Timestamp::stated(Timestamp::FIRST_STATED.0 - 1), None);
        assert_eq!(serde_json::to_string(&seed).unwrap(), "\"2021-12-21T05:55:07Z\"");
        for at in [Timestamp::EPOCH, seed, Timestamp::MAX] {
            assert_eq!(serde_json::from_str::<Timestamp>(&serde_json::to_string(&at).unwrap()).unwrap(), at);
            assert_eq!(postcard::from_bytes::<Timestamp>(&postcard::to_stdvec(&at).unwrap()).unwrap(), at);
        }
    }
}
