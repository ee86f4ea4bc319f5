//! Counts of responses and connections.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::StatusCode;

/// Statuses that are counted each by itself; all others are counted together.
const STATUSES: [u16; 8] = [200, 301, 304, 400, 404, 405, 410, 500];

/// Counts since the process started. All servers of a process share them, across reloads.
#[derive(Debug, Default)]
pub struct Traffic {
    responses: [AtomicU64; STATUSES.len() + 1],
    accepted: AtomicU64,
    open: AtomicU64,
    timed_out: AtomicU64,
}

/// Connections of all servers of a process.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConnectionCounts {
    /// Accepted since the process started.
    pub(super) accepted: u64,
    /// Open now.
    pub(super) open: u64,
    /// Closed because the client was too slow.
    pub(super) timed_out: u64,
}

impl Traffic {
    pub(super) fn count_response(&self, status: StatusCode) {
        let index = STATUSES.iter().position(|known| *known == status.as_u16());
        self.responses[index.unwrap_or(STATUSES.len())].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_accepted(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_closed(&self, timed_out: bool) {
        self.open.fetch_sub(1, Ordering::Relaxed);
        self.timed_out.fetch_add(u64::from(timed_out), Ordering::Relaxed);
    }

    /// Returns the number of responses by status, the last one as `other`.
    pub(super) fn responses(&self) -> Vec<(String, u64)> {
        let names = STATUSES.iter().map(ToString::to_string).chain(["other".to_owned()]);
        names.zip(&self.responses).map(|(name, count)| (name, count.load(Ordering::Relaxed))).collect()
    }

    pub(super) fn connections(&self) -> ConnectionCounts {
        ConnectionCounts {
            accepted: self.accepted.load(Ordering::Relaxed),
            open: self.open.load(Ordering::Relaxed),
            timed_out: self.timed_out.load(Ordering::Relaxed),
        }
    }
}
