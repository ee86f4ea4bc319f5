//! What systemd is told: ready, reloading, what goes on, and that all parts of the mill turn.
//! Without systemd nothing is told to anybody.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::{DaemonError, Live};

/// Between two changes of what `systemctl status` shows.
const STATUS_EVERY: Duration = Duration::from_secs(10);
/// A store that answers no simple question within this hangs.
const STORE_ANSWERS: Duration = Duration::from_mins(2);

/// A part of the mill that must turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Looks at what is due.
    Scheduler,
    /// Ends polls that it began.
    Fetcher,
    /// Answers.
    Store,
    /// Waits for changes, or writes.
    Publisher,
}

impl Part {
    const ALL: [Self; 4] = [Self::Scheduler, Self::Fetcher, Self::Store, Self::Publisher];

    /// How long it may stand still. A store may be mended and a poll may wait for a slow host's turn; a
    /// publish beats with each category.
    fn limit(self) -> Duration {
        match self {
            Self::Scheduler | Self::Publisher => Duration::from_mins(5),
            Self::Fetcher => Duration::from_mins(15),
            Self::Store => STORE_ANSWERS + Duration::from_mins(1),
        }
    }
}

/// When each part last moved.
#[derive(Debug)]
pub(super) struct Pulse {
    begun: Instant,
    /// Milliseconds since `begun`.
    beats: [AtomicU64; 4],
}

impl Default for Pulse {
    fn default() -> Self {
        Self { begun: Instant::now(), beats: Default::default() }
    }
}

impl Pulse {
    /// A part moved.
    pub(super) fn beat(&self, part: Part) {
        self.beat_at(part, self.begun.elapsed());
    }

    fn beat_at(&self, part: Part, now: Duration) {
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        self.beats[part as usize].store(now, Ordering::Relaxed);
    }

    /// A part that stands still for too long.
    pub(super) fn late(&self) -> Option<Part> {
        self.late_at(self.begun.elapsed())
    }

    fn late_at(&self, now: Duration) -> Option<Part> {
        Part::ALL.into_iter().find(|part| {
            let beat = Duration::from_millis(self.beats[*part as usize].load(Ordering::Relaxed));
            now.saturating_sub(beat) > part.limit()
        })
    }
}

fn tell(states: &[NotifyState<'_>]) {
    // Nobody listens where there is no systemd.
    let _ = sd_notify::notify(states);
}

/// The mill turns; what is shown beside it.
pub(super) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// Settings are being read anew; [`ready`] follows.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// It ends.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("stopping: what was stored is published")]);
}

/// Says what goes on, and feeds the watchdog while every part turns, until `stop`.
pub(super) async fn keep(live: Live, stop: CancellationToken) -> Result<(), DaemonError> {
    let watchdog = sd_notify::watchdog_enabled();
    let every = watchdog.map_or(STATUS_EVERY, |limit| STATUS_EVERY.min(limit / 3));
    let mut said = String::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = sleep(every) => {}
        }
        let mill = Arc::clone(&live.borrow());
        let probe = {
            let mill = Arc::clone(&mill);
            async move { mill.store.call(|store| store.cursor()).await.map(|_| ()) }
        };
        // A store that says that it is closed or full answers all the same.
        if timeout(STORE_ANSWERS, probe).await.is_ok() {
            mill.pulse.beat(Part::Store);
        } else {
            warn!("the store does not answer");
        }
        if mill.is_asking_nobody() {
            mill.pulse.beat(Part::Fetcher);
        }
        match mill.pulse.late() {
            None if watchdog.is_some() => tell(&[NotifyState::Watchdog]),
            None => {}
            Some(part) => error!(?part, "a part of the mill stands still; the watchdog is not fed"),
        }
        let line = mill.status_line();
        if line != said {
            tell(&[NotifyState::Status(&line)]);
            said = line;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_must_turn() {
        let minute = |minutes| Duration::from_mins(minutes);
        for still in Part::ALL {
            let pulse = Pulse::default();
            for now in 1..=40 {
                Part::ALL.into_iter().filter(|part| *part != still).for_each(|part| {
                    pulse.beat_at(part, minute(now));
                });
            }
            assert_eq!(pulse.late_at(minute(2)), None, "{still:?}");
            assert_eq!(pulse.late_at(minute(40)), Some(still));
            pulse.beat_at(still, minute(40));
            assert_eq!(pulse.late_at(minute(40)), None);
        }
    }
}
