//! Watches that all parts of the mill make progress: when each last did, and how long each may take.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// A store that does not answer a simple query within this time hangs.
pub(super) const STORE_ANSWERS: Duration = Duration::from_mins(2);

/// A part of the mill that must make progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Claims due sources.
    Scheduler,
    /// Ends the polls that it began.
    Fetcher,
    /// Answers queries.
    Store,
    /// Waits for changes, or publishes them.
    Publisher,
}

impl Part {
    const ALL: [Self; 4] = [Self::Scheduler, Self::Fetcher, Self::Store, Self::Publisher];

    /// Returns how long the part may make no progress.
    ///
    /// A store may be under repair and a poll may wait for a slow host's turn; a publish beats with each
    /// category.
    fn limit(self) -> Duration {
        match self {
            Self::Scheduler | Self::Publisher => Duration::from_mins(5),
            Self::Fetcher => Duration::from_mins(15),
            Self::Store => STORE_ANSWERS + Duration::from_mins(1),
        }
    }
}

/// The time at which each part last made progress.
#[derive(Debug)]
pub(super) struct Heartbeat {
    begun: Instant,
    /// Milliseconds since `begun`.
    beats: [AtomicU64; 4],
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self { begun: Instant::now(), beats: Default::default() }
    }
}

impl Heartbeat {
    /// Records that a part makes progress.
    pub(super) fn beat(&self, part: Part) {
        self.beat_at(part, self.begun.elapsed());
    }

    fn beat_at(&self, part: Part, now: Duration) {
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        self.beats[part as usize].store(now, Ordering::Relaxed);
    }

    /// Returns a part that has made no progress for too long.
    pub(super) fn stalled_part(&self) -> Option<Part> {
        self.late_at(self.begun.elapsed())
    }

    fn late_at(&self, now: Duration) -> Option<Part> {
        Part::ALL.into_iter().find(|part| {
            let beat = Duration::from_millis(self.beats[*part as usize].load(Ordering::Relaxed));
            now.saturating_sub(beat) > part.limit()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_must_turn() {
        let minute = |minutes| Duration::from_mins(minutes);
        for still in Part::ALL {
            let heartbeat = Heartbeat::default();
            for now in 1..=40 {
                Part::ALL.into_iter().filter(|part| *part != still).for_each(|part| {
                    heartbeat.beat_at(part, minute(now));
                });
            }
            assert_eq!(heartbeat.late_at(minute(2)), None, "{still:?}");
            assert_eq!(heartbeat.late_at(minute(40)), Some(still));
            heartbeat.beat_at(still, minute(40));
            assert_eq!(heartbeat.late_at(minute(40)), None);
        }
    }
}
