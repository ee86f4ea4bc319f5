//! What was answered, in numbers.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::StatusCode;

/// Kinds of answers that are counted, by their status; the rest is one kind.
const STATUSES: [u16; 8] = [200, 301, 304, 400, 404, 405, 410, 500];

/// Counts since the process began; outlives the servers that count.
#[derive(Debug, Default)]
pub struct Traffic {
    answers: [AtomicU64; STATUSES.len() + 1],
    connections: AtomicU64,
    open: AtomicU64,
    cut: AtomicU64,
}

impl Traffic {
    pub(super) fn answered(&self, status: StatusCode) {
        let kind = STATUSES.iter().position(|known| *known == status.as_u16());
        self.answers[kind.unwrap_or(STATUSES.len())].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn opened(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn closed(&self, cut_off: bool) {
        self.open.fetch_sub(1, Ordering::Relaxed);
        self.cut.fetch_add(u64::from(cut_off), Ordering::Relaxed);
    }

    /// Answers by status; `other` for those that are not counted by themselves.
    #[must_use]
    pub fn answers(&self) -> Vec<(String, u64)> {
        let names = STATUSES.iter().map(ToString::to_string).chain(["other".to_owned()]);
        names.zip(&self.answers).map(|(name, count)| (name, count.load(Ordering::Relaxed))).collect()
    }

    /// Connections ever taken, those that are open, and those that were cut off for being too slow.
    #[must_use]
    pub fn connections(&self) -> (u64, u64, u64) {
        (
            self.connections.load(Ordering::Relaxed),
            self.open.load(Ordering::Relaxed),
            self.cut.load(Ordering::Relaxed),
        )
    }
}
