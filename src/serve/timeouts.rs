//! Deciding that a client is too slow, from counts of what its connection did.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

/// Time between two checks of a connection. All timeouts are counted in checks, so that a connection needs
/// one timer, not one for each request.
pub(super) const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Checks during which a request's head may arrive, from its first byte on.
const MAX_HEAD: u32 = 15;
/// Checks during which a connection may stay open without a request.
const MAX_IDLE: u32 = 75;
/// Checks during which a client may read nothing of a response.
const MAX_STALL: u32 = 30;
/// Checks during which a client may read one response.
const MAX_WRITE: u32 = 600;

/// What a connection did so far. The connection counts, [`Timeouts`] reads.
#[derive(Debug, Default)]
pub(super) struct Activity {
    /// Requests whose heads are complete.
    requests: AtomicU32,
    /// Requests whose responses were handed to hyper.
    responses: AtomicU32,
    /// Reads that returned bytes.
    reads: AtomicU32,
    /// Those up to the last response.
    reads_at_response: AtomicU32,
    /// Writes that the socket accepted.
    writes: AtomicU32,
    /// The socket's buffer is full: the client is not reading.
    is_blocked: AtomicBool,
}

impl Activity {
    pub(super) fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_response(&self) {
        self.responses.fetch_add(1, Ordering::Relaxed);
        self.reads_at_response.store(self.reads.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    pub(super) fn count_read(&self) {
        self.reads.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_write(&self) {
        self.writes.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn set_blocked(&self, blocked: bool) {
        self.is_blocked.store(blocked, Ordering::Relaxed);
    }

    fn phase(&self) -> Phase {
        let load = |count: &AtomicU32| count.load(Ordering::Relaxed);
        if load(&self.requests) != load(&self.responses) {
            Phase::Responding
        } else if self.is_blocked.load(Ordering::Relaxed) {
            Phase::Writing
        } else if load(&self.reads) != load(&self.reads_at_response) {
            Phase::ReadingHead
        } else {
            Phase::Idle
        }
    }
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Phase {
    #[default]
    Idle,
    ReadingHead,
    /// The server makes the response.
    Responding,
    /// The response waits for the client to read.
    Writing,
}

/// What the last check saw, and for how many checks in a row.
#[derive(Debug, Default)]
pub(super) struct Timeouts {
    phase: Phase,
    requests: u32,
    writes: u32,
    /// Checks since the phase or the request changed.
    checks_in_phase: u32,
    /// Checks since the last write.
    checks_without_write: u32,
}

impl Timeouts {
    /// Checks the connection; returns whether the client is too slow. To be called every [`CHECK_INTERVAL`].
    pub(super) fn check(&mut self, activity: &Activity) -> bool {
        let phase = activity.phase();
        let requests = activity.requests.load(Ordering::Relaxed);
        let writes = activity.writes.load(Ordering::Relaxed);
        if phase == self.phase && requests == self.requests {
            self.checks_in_phase += 1;
        } else {
            (self.checks_in_phase, self.checks_without_write) = (0, 0);
        }
        self.checks_without_write = if writes == self.writes { self.checks_without_write + 1 } else { 0 };
        (self.phase, self.requests, self.writes) = (phase, requests, writes);
        match phase {
            // Responding has a timeout of its own.
            Phase::Responding => false,
            Phase::ReadingHead => self.checks_in_phase >= MAX_HEAD,
            Phase::Idle => self.checks_in_phase >= MAX_IDLE,
            Phase::Writing => self.checks_without_write >= MAX_STALL || self.checks_in_phase >= MAX_WRITE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks until the client is too slow, at most `most` times; `between` acts before each check.
    fn checks(activity: &Activity, most: u32, mut between: impl FnMut(u32, &Activity)) -> Option<u32> {
        let mut timeouts = Timeouts::default();
        (1..=most).find(|check| {
            between(*check, activity);
            timeouts.check(activity)
        })
    }

    #[test]
    fn slow_clients_time_out_and_active_ones_do_not() {
        let idle = checks(&Activity::default(), 1_000, |_, _| {});
        assert_eq!(idle, Some(MAX_IDLE), "no request");
        let head = checks(&Activity::default(), 1_000, |_, activity| activity.count_read());
        assert_eq!(head, Some(MAX_HEAD + 1), "a head that arrives byte by byte");
        let active = checks(&Activity::default(), 5_000, |_, activity| {
            activity.count_request();
            activity.count_response();
            activity.count_write();
        });
        assert_eq!(active, None, "requests all the time");
        let waiting = checks(&Activity::default(), 5_000, |check, activity| {
            if check == 1 {
                activity.count_request();
            }
        });
        assert_eq!(waiting, None, "the server is slow, not the client");
        let blocked = Activity { is_blocked: AtomicBool::new(true), ..Activity::default() };
        assert_eq!(checks(&blocked, 1_000, |_, _| {}), Some(MAX_STALL), "the client reads nothing");
        let slow = Activity { is_blocked: AtomicBool::new(true), ..Activity::default() };
        let slow = checks(&slow, 1_000, |_, activity| activity.count_write());
        assert_eq!(slow, Some(MAX_WRITE + 1), "the client reads a byte at a time");
    }
}
