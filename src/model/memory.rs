//! What is learned about a source between polls: when it publishes, what it asks for, where it moved. Stored
//! within [`super::SourceState`].

use serde::{Deserialize, Serialize};

use super::{Hints, Timestamp};

/// Quarter hours of a day.
pub const QUARTERS: usize = 96;

/// When a source publishes: decaying counts of new items. Filled and read by `schedule`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Habits {
    /// Items by quarter hour of the source's day, with a half-life of 21 days; 96 numbers.
    #[serde(with = "packed")]
    pub quarters: Vec<f32>,
    /// Items, with a half-life of 7 days.
    pub items: f32,
    /// Days over which those were counted, decaying alike.
    pub days: f32,
    /// Items on Monday to Friday, with a half-life of 28 days.
    pub weekdays: f32,
    /// Items on Saturday and Sunday, decaying alike.
    pub weekends: f32,
    /// Time up to which the counts are complete; `None` before the first document.
    pub until: Option<Timestamp>,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            quarters: vec![0.0; QUARTERS],
            items: 0.0,
            days: 0.0,
            weekdays: 0.0,
            weekends: 0.0,
            until: None,
        }
    }
}

/// Numbers as base64 of their bytes: as digits they were most of a source's record, and of the time to read and
/// write it. Arrays of numbers, the earlier form, are read too.
mod packed {
    use std::fmt;

    use data_encoding::BASE64_NOPAD;
    use serde::de::{Error, SeqAccess, Visitor};
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(numbers: &[f32], to: S) -> Result<S::Ok, S::Error> {
        let used = numbers.iter().rposition(|number| *number != 0.0).map_or(0, |last| last + 1);
        let bytes: Vec<u8> = numbers[..used].iter().flat_map(|number| number.to_le_bytes()).collect();
        to.serialize_str(&BASE64_NOPAD.encode(&bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f32>, D::Error> {
        let mut numbers = from.deserialize_any(Numbers)?;
        // An array of the wrong length must not fail later accesses by quarter hour.
        numbers.resize(super::QUARTERS, 0.0);
        Ok(numbers)
    }

    struct Numbers;

    impl<'de> Visitor<'de> for Numbers {
        type Value = Vec<f32>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("numbers, or base64 of them")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Vec<f32>, E> {
            let bytes = BASE64_NOPAD.decode(text.as_bytes()).map_err(E::custom)?;
            let (numbers, _) = bytes.as_chunks::<4>();
            Ok(numbers.iter().map(|number| f32::from_le_bytes(*number)).collect())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut row: A) -> Result<Vec<f32>, A::Error> {
            let mut numbers = Vec::new();
            while let Some(number) = row.next_element()? {
                numbers.push(number);
            }
            Ok(numbers)
        }
    }
}

/// A permanent redirect, which may be trusted later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The new address.
    pub to: String,
    /// When it was first seen.
    pub since: Timestamp,
    /// Number of polls in which it was seen, with the same feed behind it.
    pub times: u32,
    /// Whether the new address is polled in place of the configured one.
    pub trusted: bool,
}

/// An item that its source no longer lists, though its window should contain it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// Its code as text, with its space.
    pub code: String,
    /// Time at which it was first missing.
    pub since: Timestamp,
    /// Number of consecutive documents without it.
    pub times: u8,
}

/// Returns whether a value is the default and need not be written, as most of a source's record.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What is learned about a source.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// Hash of the configured address for which this was learned; a change of the address invalidates it.
    pub address: u64,
    /// When it publishes.
    pub habits: Habits,
    /// Minutes between polls that its last document asked for (`ttl`).
    #[serde(skip_serializing_if = "is_default")]
    pub ttl_minutes: Option<u32>,
    /// Hours in UTC in which it must not be polled.
    #[serde(skip_serializing_if = "is_default")]
    pub skip_hours: u32,
    /// Days in UTC on which it must not be polled.
    #[serde(skip_serializing_if = "is_default")]
    pub skip_days: u8,
    /// Seconds between polls that its last document asked for (`sy:updatePeriod`).
    #[serde(skip_serializing_if = "is_default")]
    pub update_every: Option<u32>,
    /// Items in its last document.
    #[serde(skip_serializing_if = "is_default")]
    pub window: u32,
    /// Time at which its window last overran: no item of a full document was known.
    #[serde(skip_serializing_if = "is_default")]
    pub overrun: Option<Timestamp>,
    /// Number of overruns.
    #[serde(skip_serializing_if = "is_default")]
    pub gaps: u32,
    /// The permanent redirect that it sent.
    #[serde(skip_serializing_if = "is_default")]
    pub moved: Option<Moved>,
    /// Hash of the address that sent the validators, if it is on another site than the polled one.
    #[serde(skip_serializing_if = "is_default")]
    pub validators_of: Option<u64>,
    /// Hash of the last body whose items were all stored.
    #[serde(skip_serializing_if = "is_default")]
    pub body: Option<[u8; 16]>,
    /// When it was last read whole: for a long time of nothing but 304 it is asked without validators.
    #[serde(skip_serializing_if = "is_default")]
    pub read_whole: Option<Timestamp>,
    /// A stable word for the last failure; empty after a good poll.
    #[serde(skip_serializing_if = "is_default")]
    pub error_kind: String,
    /// Whether it answered that it is gone for good (410); it is no longer polled.
    #[serde(skip_serializing_if = "is_default")]
    pub gone: bool,
    /// Number of answers with a document or a 304; decaying.
    #[serde(skip_serializing_if = "is_default")]
    pub answers: f32,
    /// Number of 304 answers; decaying alike.
    #[serde(skip_serializing_if = "is_default")]
    pub unmodified: f32,
    /// Items that are missing from its window; at most 6.
    #[serde(skip_serializing_if = "is_default")]
    pub missing: Vec<Missing>,
    /// The day of the last withdrawals, in days since 1970.
    #[serde(skip_serializing_if = "is_default")]
    pub withdrawn_on: i64,
    /// Items withdrawn that day.
    #[serde(skip_serializing_if = "is_default")]
    pub withdrawn: u32,
    /// A warning for the admin; empty for none.
    #[serde(skip_serializing_if = "is_default")]
    pub alarm: String,
}

impl Memory {
    /// Adopts a document's hints about polling.
    pub fn hear(&mut self, hints: &Hints) {
        self.ttl_minutes = hints.ttl_minutes;
        self.skip_hours = hints.skip_hours;
        self.skip_days = hints.skip_days;
        self.update_every = hints.update_every;
    }

    /// Counts an answer, so that [`Memory::unmodified_share`] covers about the last hundred.
    pub fn count(&mut self, unmodified: bool) {
        const FADES: f32 = 0.99;
        self.answers = self.answers * FADES + 1.0;
        self.unmodified = self.unmodified * FADES + f32::from(u8::from(unmodified));
    }

    /// Returns whether it has said for so long that nothing is new that its word is doubted: 8 days, or five times as
    /// long as between two of its items, but a day at the least.
    #[must_use]
    pub fn is_silent(&self, now: Timestamp) -> bool {
        const DAY: i64 = 86_400;
        let Some(read) = self.read_whole else { return false };
        let silent = now.since(read);
        if silent < DAY {
            return false;
        }
        #[expect(clippy::cast_precision_loss, reason = "days of silence are few")]
        let gaps = silent as f32 / DAY as f32 * self.habits.items;
        silent >= 8 * DAY || (self.habits.items > 1.0 && gaps >= 5.0 * self.habits.days)
    }

    /// Returns the share of answers that were 304, from 0 to 1; `None` before the first.
    #[must_use]
    pub fn unmodified_share(&self) -> Option<f32> {
        (self.answers > 0.0).then(|| self.unmodified / self.answers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn habits_come_back_to_the_bit_and_from_digits() {
        let mut habits = Habits { items: 0.1, ..Habits::default() };
        for used in [0, 1, 40, QUARTERS] {
            for (at, number) in (3_u8..).zip(&mut habits.quarters[..used]) {
                *number = 0.1 / f32::from(at);
            }
            let text = serde_json::to_string(&habits).unwrap();
            assert_eq!(serde_json::from_str::<Habits>(&text).unwrap(), habits);
            let mut digits: serde_json::Value = serde_json::from_str(&text).unwrap();
            digits["quarters"] = serde_json::json!(habits.quarters);
            assert_eq!(serde_json::from_value::<Habits>(digits).unwrap(), habits);
        }
        for (given, first) in [("[1.5]", 1.5), ("\"AADAPw\"", 1.5), ("\"AADA\"", 0.0)] {
            let text = serde_json::to_string(&Habits::default()).unwrap().replace("\"\"", given);
            let habits: Habits = serde_json::from_str(&text).unwrap();
            assert_eq!((habits.quarters.len(), habits.quarters[0]), (QUARTERS, first));
        }
        assert!(serde_json::from_str::<Habits>(r#"{"quarters":"?"}"#).is_err());
    }

    #[test]
    fn a_long_silence_is_doubted() {
        let read = Timestamp::from_unix(1_777_600_000);
        let day = 86_400;
        for (items, days, silent, doubted) in [
            (0.0, 0.0, 8 * day - 1, false),
            (0.0, 0.0, 8 * day, true),
            // Ten a day: five gaps are half a day, but a day at the least.
            (70.0, 7.0, day - 1, false),
            (70.0, 7.0, day, true),
            // One in two days.
            (3.5, 7.0, 8 * day - 1, false),
            (7.0, 7.0, 5 * day, true),
            (7.0, 7.0, 5 * day - 1, false),
        ] {
            let habits = Habits { items, days, ..Habits::default() };
            let memory = Memory { read_whole: Some(read), habits, ..Memory::default() };
            assert_eq!(memory.is_silent(read.plus(silent)), doubted, "{items} in {days}: {silent}");
        }
        assert!(!Memory::default().is_silent(read));
    }

    /// Checks that the largest memory fits: the store refuses records over 6,000 bytes.
    #[test]
    fn the_largest_record_fits() {
        let missing = Missing { code: "c".repeat(160), since: Timestamp::MAX, times: 255 };
        let memory = Memory {
            address: u64::MAX,
            moved: Some(Moved { to: "m".repeat(700), since: Timestamp::MAX, times: u32::MAX, trusted: true }),
            validators_of: Some(u64::MAX),
            body: Some([255; 16]),
            error_kind: "e".repeat(30),
            missing: vec![missing; 6],
            alarm: "x".repeat(300),
            ..Memory::default()
        };
        assert!(serde_json::to_vec(&memory).unwrap().len() < 4_000);
    }
}
