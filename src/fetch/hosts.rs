//! Permits for requests: a bound on all requests, a bound for each host, and a pause between two starts on
//! one host.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use url::Url;

use crate::model::{Timestamp, host_of};

/// How long an idle connection is kept. A host that was asked within this time is asked on a kept connection
/// if it speaks HTTP/2.
pub(super) const KEPT: Duration = Duration::from_secs(10);
/// Hosts below which idle entries are not removed.
const SWEEP_FROM: usize = 64;
/// The longest rest that is believed, in seconds; a longer one was stored under a clock in the future (RULES
/// 6.5).
const LONGEST_REST: i64 = 24 * 3_600 + 60;

/// Issues the permits of one fetcher.
#[derive(Debug)]
pub(super) struct Hosts {
    all: Arc<Semaphore>,
    per_host: usize,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    hosts: HashMap<String, Arc<Host>>,
    sweep_at: usize,
}

#[derive(Debug)]
struct Host {
    slots: Arc<Semaphore>,
    /// The last start, and the pause that was required before it.
    last: Mutex<Option<(Instant, Duration)>>,
    /// When it last answered with HTTP/2.
    http2: Mutex<Option<Instant>>,
    /// Until when it must not be asked (the `Retry-After` of a 429).
    rests: Mutex<Timestamp>,
}

/// The permission for one request, until it is dropped.
#[derive(Debug)]
#[must_use]
pub(super) struct RequestPermit {
    _all: Option<OwnedSemaphorePermit>,
    _slot: Option<OwnedSemaphorePermit>,
    /// Keeps the host's entry from being removed while the request runs.
    host: Arc<Host>,
}

impl RequestPermit {
    /// Returns whether a connection to the host may still be open, or should be kept.
    pub(super) fn keeps(&self) -> bool {
        self.host.is_kept(Instant::now())
    }

    /// Returns until when the host must not be asked, if that is in the future.
    pub(super) fn rests(&self, now: Timestamp) -> Option<Timestamp> {
        let until = *lock(&self.host.rests);
        (until > now && until <= now.plus(LONGEST_REST)).then_some(until)
    }

    /// Sets the time until which the host must not be asked. Requests that wait for a permit see it; later
    /// polls get it from the store.
    pub(super) fn let_rest(&self, until: Timestamp) {
        let mut rests = lock(&self.host.rests);
        *rests = rests.max(until);
    }

    /// Records whether the host answered with HTTP/2.
    pub(super) fn spoke_http2(&self, so: bool) {
        *lock(&self.host.http2) = so.then(Instant::now);
    }
}

impl Hosts {
    /// Creates the bounds. At least one request at a time is allowed: with zero, all polling would stop
    /// silently.
    pub(super) fn new(concurrency: usize, per_host: usize) -> Self {
        let bound = |wanted: usize| wanted.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            all: Arc::new(Semaphore::new(bound(concurrency))),
            per_host: bound(per_host),
            known: Mutex::new(Known { hosts: HashMap::new(), sweep_at: SWEEP_FROM }),
        }
    }

    /// Waits for a permit for `url`'s host and port, `spacing` after the last start there.
    pub(super) async fn permit(&self, url: &Url, spacing: Duration) -> RequestPermit {
        let host = self.host(&host_of(url));
        let slot = Arc::clone(&host.slots).acquire_owned().await.ok();
        loop {
            // The host's pause comes before the common bound: a request that waits for a slow host must not
            // keep others out. The start is claimed with both permits acquired, or else two requests that
            // waited for the common bound would start at once.
            tokio::time::sleep_until(host.next(spacing)).await;
            let all = Arc::clone(&self.all).acquire_owned().await.ok();
            if host.claim(spacing) {
                return RequestPermit { _all: all, _slot: slot, host };
            }
        }
    }

    fn host(&self, key: &str) -> Arc<Host> {
        let mut known = lock(&self.known);
        if let Some(host) = known.hosts.get(key) {
            return Arc::clone(host);
        }
        if known.hosts.len() >= known.sweep_at {
            let now = Instant::now();
            // No new reference can be made while the map is locked, so a count of one means idle.
            known
                .hosts
                .retain(|_, host| Arc::strong_count(host) > 1 || host.is_spaced(now) || host.is_kept(now));
            known.sweep_at = SWEEP_FROM.max(known.hosts.len() * 2);
        }
        let slots = Arc::new(Semaphore::new(self.per_host));
        let host = Arc::new(Host {
            slots,
            last: Mutex::new(None),
            http2: Mutex::new(None),
            rests: Mutex::default(),
        });
        known.hosts.insert(key.to_owned(), Arc::clone(&host));
        host
    }
}

impl Host {
    fn is_kept(&self, now: Instant) -> bool {
        lock(&self.http2).is_some_and(|at| now.duration_since(at) < KEPT)
    }

    /// Returns the earliest next start with a pause of `spacing`.
    fn next(&self, spacing: Duration) -> Instant {
        lock(&self.last).map_or_else(Instant::now, |(at, _)| at + spacing)
    }

    /// Returns whether a request may still have to wait after the last start.
    fn is_spaced(&self, now: Instant) -> bool {
        lock(&self.last).is_some_and(|(at, spacing)| at + spacing > now)
    }

    /// Claims the next start if it is due.
    fn claim(&self, spacing: Duration) -> bool {
        let mut last = lock(&self.last);
        let now = Instant::now();
        if last.is_some_and(|(at, _)| at + spacing > now) {
            return false;
        }
        *last = Some((now, spacing));
        true
    }
}

/// Locks a mutex, ignoring poison: the values are valid after every statement, so a panic cannot leave one
/// inconsistent.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPACING: Duration = Duration::from_millis(60);

    fn url(host: &str) -> Url {
        Url::parse(&format!("http://{host}/feed")).unwrap()
    }

    #[tokio::test]
    async fn starts_are_spaced_per_host() {
        let hosts = Hosts::new(16, 2);
        let begin = Instant::now();
        drop(hosts.permit(&url("a.test"), SPACING).await);
        drop(hosts.permit(&url("b.test"), SPACING).await);
        drop(hosts.permit(&url("a.test:81"), SPACING).await);
        assert!(begin.elapsed() < SPACING, "other hosts have waited");
        drop(hosts.permit(&url("A.test:80"), SPACING).await);
        assert!(begin.elapsed() >= SPACING);
    }

    #[tokio::test]
    async fn a_rest_is_heard_of_until_it_is_over_or_the_clock_goes_back() {
        let hosts = Hosts::new(4, 2);
        let (one, two) = (
            hosts.permit(&url("a.test"), Duration::ZERO).await,
            hosts.permit(&url("a.test"), Duration::ZERO).await,
        );
        let at = Timestamp::from_unix;
        one.let_rest(at(1_000_600));
        one.let_rest(at(1_000_300));
        for (now, rests) in [(1_000_000, true), (1_000_599, true), (1_000_600, false), (900_000, false)] {
            assert_eq!(two.rests(at(now)), rests.then_some(at(1_000_600)), "{now}");
        }
        let other = hosts.permit(&url("b.test"), Duration::ZERO).await;
        assert_eq!(other.rests(at(1_000_000)), None);
    }

    #[tokio::test]
    async fn slots_bound_a_host_and_the_whole() {
        let hosts = Hosts::new(3, 2);
        let _first = hosts.permit(&url("a.test"), Duration::ZERO).await;
        let second = hosts.permit(&url("a.test"), Duration::ZERO).await;
        let soon = Duration::from_millis(50);
        assert!(tokio::time::timeout(soon, hosts.permit(&url("a.test"), Duration::ZERO)).await.is_err());
        let _third = hosts.permit(&url("b.test"), Duration::ZERO).await;
        assert!(tokio::time::timeout(soon, hosts.permit(&url("c.test"), Duration::ZERO)).await.is_err());
        drop(second);
        assert!(tokio::time::timeout(soon, hosts.permit(&url("a.test"), Duration::ZERO)).await.is_ok());
    }

    /// Checks that waiting for the common bound does not make two starts on one host coincide.
    #[tokio::test]
    async fn spacing_holds_behind_the_common_bound() {
        let hosts = Arc::new(Hosts::new(2, 2));
        let (one, two) =
            (hosts.permit(&url("x.test"), SPACING).await, hosts.permit(&url("y.test"), SPACING).await);
        let tasks: Vec<_> = (0..2)
            .map(|_| {
                let hosts = Arc::clone(&hosts);
                tokio::spawn(async move {
                    let permit = hosts.permit(&url("a.test"), SPACING).await;
                    (Instant::now(), permit)
                })
            })
            .collect();
        tokio::time::sleep(SPACING).await;
        drop((one, two));
        let mut starts = Vec::new();
        for task in tasks {
            starts.push(task.await.unwrap().0);
        }
        starts.sort();
        assert!(starts[1] - starts[0] >= SPACING);
    }

    #[tokio::test]
    async fn idle_hosts_are_forgotten() {
        let spacing = Duration::from_millis(5);
        let hosts = Hosts::new(16, 2);
        let kept = hosts.permit(&url("kept.test"), spacing).await;
        for round in 0..20 {
            for number in 0..50 {
                drop(hosts.permit(&url(&format!("h{round}-{number}.test")), spacing).await);
            }
            tokio::time::sleep(spacing * 2).await;
        }
        let known = lock(&hosts.known);
        assert!(known.hosts.len() <= SWEEP_FROM * 2, "{}", known.hosts.len());
        assert!(known.hosts.contains_key("kept.test:80"));
        drop(kept);
    }

    #[tokio::test]
    async fn zero_bounds_still_let_one_through() {
        drop(Hosts::new(0, 0).permit(&url("a.test"), Duration::ZERO).await);
    }
}
