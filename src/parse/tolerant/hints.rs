//! The hints of a document about polling, collected while it is read.

use chrono_tz::Tz;

use crate::model::{Deleted, Hints};
use crate::parse::date;

/// The most deleted entries that are kept of one document.
const MOST: usize = 256;
/// Longest id of a deleted entry, in bytes; entries with a longer one are ignored.
const MAX_REFERENCE: usize = 2_048;
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The hints collected so far; period and frequency have a meaning only together.
#[derive(Debug, Default)]
pub(in crate::parse) struct HintDraft {
    found: Hints,
    period: Option<u32>,
    frequency: Option<u32>,
}

impl HintDraft {
    pub(in crate::parse) fn ttl(&mut self, raw: &str) {
        self.found.ttl_minutes = raw.trim().parse().ok();
    }

    /// Adds an hour to skip, 0 to 23; 24, which was midnight in RSS 0.91, is read as 0.
    pub(in crate::parse) fn hour(&mut self, raw: &str) {
        if let Some(hour) = raw.trim().parse::<u32>().ok().filter(|hour| *hour <= 24) {
            self.found.skip_hours |= 1 << (hour % 24);
        }
    }

    pub(in crate::parse) fn day(&mut self, raw: &str) {
        let name = raw.trim().to_ascii_lowercase();
        if let Some(day) = DAYS.iter().position(|known| *known == name) {
            self.found.skip_days |= 1 << day;
        }
    }

    pub(in crate::parse) fn period(&mut self, raw: &str) {
        self.period = match raw.trim().to_ascii_lowercase().as_str() {
            "hourly" => Some(3_600),
            "daily" => Some(86_400),
            "weekly" => Some(7 * 86_400),
            "monthly" => Some(30 * 86_400),
            "yearly" => Some(365 * 86_400),
            _ => None,
        };
    }

    pub(in crate::parse) fn frequency(&mut self, raw: &str) {
        self.frequency = raw.trim().parse().ok();
    }

    pub(in crate::parse) fn prev_archive(&mut self, address: String) {
        self.found.prev_archive.get_or_insert(address);
    }

    pub(in crate::parse) fn generator(&mut self, raw: &str) {
        let name: String = raw.trim().chars().take(200).collect();
        self.found.generator = Some(name).filter(|name| !name.is_empty());
    }

    pub(in crate::parse) fn deleted(&mut self, reference: Option<&str>, when: Option<&str>) {
        let reference = reference.map(str::trim).unwrap_or_default();
        if !reference.is_empty() && reference.len() <= MAX_REFERENCE && self.found.deleted.len() < MOST {
            let when = when.and_then(|when| date::parse(when, Tz::UTC));
            self.found.deleted.push(Deleted { reference: reference.to_owned(), when });
        }
    }

    pub(in crate::parse) fn into_hints(self) -> Hints {
        // A missing frequency means 1.
        let update_every = self.period.map(|period| period / self.frequency.unwrap_or(1).max(1));
        Hints { update_every: update_every.filter(|seconds| *seconds > 0), ..self.found }
    }
}
