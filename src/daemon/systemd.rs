//! Messages to systemd: ready, reloading, the state of the mill, and the watchdog's keep-alive. Without
//! systemd nothing is sent.

use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::error::DaemonError;
use super::heartbeat::{Part, STORE_ANSWERS};
use super::mill::Live;

/// The time between two updates of the state that `systemctl status` shows.
const STATUS_EVERY: Duration = Duration::from_secs(10);
fn tell(states: &[NotifyState<'_>]) {
    // It fails where there is no systemd, which is not an error.
    let _ = sd_notify::notify(states);
}

/// Reports that the mill is running, with its state.
pub(super) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// Reports that the config is being reloaded; [`ready`] follows.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// Reports that the daemon ends.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("stopping: what was stored is published")]);
}

/// Reports the state of the mill, and feeds the watchdog while every part makes progress, until `stop`.
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
        // A store that answers with an error (closed, full) does not hang.
        if timeout(STORE_ANSWERS, probe).await.is_ok() {
            mill.heartbeat.beat(Part::Store);
        } else {
            warn!("the store does not answer");
        }
        if mill.is_asking_nobody() {
            mill.heartbeat.beat(Part::Fetcher);
        }
        match mill.heartbeat.stalled_part() {
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
