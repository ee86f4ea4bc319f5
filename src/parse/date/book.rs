//! The dates of one document: their common evidence, and those of which only the day was understood.

use std::sync::{Mutex, PoisonError};

use chrono_tz::Tz;

use super::order::Proofs;
use super::reading::{exact, lenient};
use crate::model::{Repair, Timestamp};

/// Dates of one document that are reported as repairs, at most.
const MOST: usize = 20;
/// Bytes of a date that are kept to find its line again.
const KEPT: usize = 120;
const DAY_ONLY: &str = "a date with a time that is not understood; only its day was kept";

/// The dates of a document while it is read. A clone keeps only the initial evidence.
#[derive(Debug, Default)]
pub struct Dates {
    known: Proofs,
    noted: Mutex<Noted>,
}

#[derive(Debug, Clone, Default)]
struct Noted {
    proofs: Proofs,
    day_only: Vec<String>,
}

impl Clone for Dates {
    fn clone(&self) -> Self {
        Self { known: self.known.clone(), noted: Mutex::default() }
    }
}

impl Dates {
    /// Returns the instant that a text names; `zone` applies if it names no zone of its own.
    #[must_use]
    pub fn read(&self, text: &str, zone: Tz) -> Option<Timestamp> {
        if let Some(at) = exact(text) {
            return Some(at);
        }
        let stated = lenient(text, zone, &self.known)?;
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.proofs.add(stated.shown);
        if stated.day_only && noted.day_only.len() < MOST {
            let head = text.get(..text.floor_char_boundary(KEPT)).unwrap_or(text);
            noted.day_only.push(head.trim().to_owned());
        }
        Some(stated.at)
    }

    /// Returns dates for a second reading, with the evidence of the first; `None` if that changes nothing.
    #[must_use]
    pub fn proven(&self) -> Option<Self> {
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.proofs.matter().then(|| Self { known: noted.proofs.clone(), noted: Mutex::default() })
    }

    /// Returns the dates of which only the day was understood, as repairs of the document.
    #[must_use]
    pub fn repairs(&self, document: &[u8]) -> Vec<Repair> {
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.day_only.is_empty() {
            return Vec::new();
        }
        let document = String::from_utf8_lossy(document);
        let mut from = 0;
        let line = |text: &String| {
            // Equal dates are found one after the other.
            let found = document.get(from..).and_then(|rest| rest.find(text.as_str())).map(|at| from + at);
            let at = found.or_else(|| document.find(text.as_str())).unwrap_or_default();
            from = at + usize::from(found.is_some()) * text.len();
            let line = 1 + document.get(..at).unwrap_or_default().matches('\n').count();
            Repair { line, what: DAY_ONLY }
        };
        noted.day_only.iter().map(line).collect()
    }
}
