//! Serving: outputs over HTTP with strong ETags, 304, brotli and gzip, and the names that readers probe.
//!
//! Owns: addresses to outputs, conditional requests (RFC 9110, 13), answers kept ready in memory,
//! limits on clients, security headers. Does not own: the bytes (`publish` writes them, or renders
//! pages of the store on request), polling: it knows neither sources nor the fetcher.
//!
//! hyper serves the connections directly: the hot path is one look-up of a ready answer, and a router
//! with its boxed bodies would cost more than that.

mod answer;
mod conditions;
mod connection;
mod file;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzz;
mod names;
mod outputs;
mod ready;
mod shelf;
mod status;
mod traffic;

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::header::{ACCESS_CONTROL_REQUEST_METHOD, HOST};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use futures_util::FutureExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tracing::{debug, error};

use crate::publish::Pages;
use crate::store::Handle;

use answer::{Reply, Sent};
use file::FileMark;
use outputs::Outputs;
use ready::Ready;
use shelf::Shelf;

pub use answer::Body;
pub use status::{
    CategoryInsight, Depth, Gather, Insight, ReloadInsight, SourceInsight, StatusServer, Trouble,
};
pub use traffic::Traffic;

/// What has to be made takes no longer than this.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Answers that are made at one time; the next ones wait, so that whoever asks for many different pages
/// does not keep the mill from its work.
const MAKING: usize = 8;
/// Files checked for changes at one time. Each check takes one of the runtime's blocking threads, of which many
/// clients at once would start hundreds.
const MAX_FILE_CHECKS: usize = 4;
/// Files that nobody told us about are looked at again so often.
const LOOK: Duration = Duration::from_secs(1);
/// No connection waits to be taken when none came for so long, or after so long in all.
const QUIET: Duration = Duration::from_millis(20);
const LAST: Duration = Duration::from_millis(500);
/// After a connection could not be taken, for want of descriptors mostly.
const PAUSE: Duration = Duration::from_millis(100);

/// How a site is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeOptions {
    /// Memory for answers that are kept ready, in bytes.
    pub cache: u64,
    /// Connections at one time; the next ones wait.
    pub connections: usize,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self { cache: 64 << 20, connections: 900 }
    }
}

/// Serves one site.
#[derive(Debug, Clone)]
pub struct Server(Arc<Site>);

#[derive(Debug)]
struct Site {
    outputs: Outputs,
    shelf: Shelf,
    policy: HeaderValue,
    options: ServeOptions,
    making: Semaphore,
    file_checks: Semaphore,
    traffic: Arc<Traffic>,
}

impl Server {
    /// Serves the output directory, and pages that are rendered from the store.
    #[must_use]
    pub fn new(pages: Arc<Pages>, store: Handle, options: ServeOptions, traffic: Arc<Traffic>) -> Self {
        Self(Arc::new(Site {
            policy: answer::policy(pages.options.site.pictures),
            outputs: Outputs::new(pages, store),
            shelf: Shelf::new(options.cache),
            options,
            making: Semaphore::new(MAKING),
            file_checks: Semaphore::new(MAX_FILE_CHECKS),
            traffic,
        }))
    }

    /// Answers one request, as a connection does.
    pub async fn respond(&self, request: &Parts) -> Response<Body> {
        self.0.respond(request).await
    }

    /// Serves until `stop` ends; requests in flight are answered.
    ///
    /// # Errors
    /// None today: what fails for one connection is that connection's.
    pub async fn run<F>(self, listener: TcpListener, stop: F) -> std::io::Result<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stopping = Arc::new(AtomicBool::new(false));
        let places = Arc::new(Semaphore::new(self.0.options.connections));
        let looking = tokio::spawn(look_again(Arc::clone(&self.0)));
        let begin = |(stream, place): Taken| {
            let (site, stopping) = (Arc::clone(&self.0), Arc::clone(&stopping));
            tokio::spawn(async move {
                site.connection(stream, stopping).await;
                drop(place);
            });
        };
        let mut stop = std::pin::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                taken = take(&listener, &places) => drop(taken.map(begin)),
            }
        }
        // Who connected before the stop and waits to be taken is answered too.
        let rest = async {
            while let Ok(taken) = timeout(QUIET, take(&listener, &places)).await {
                taken.map(begin);
            }
        };
        let _ = timeout(LAST, rest).await;
        drop(listener);
        stopping.store(true, Ordering::Relaxed);
        let all = u32::try_from(self.0.options.connections).unwrap_or(u32::MAX);
        // All places are free when all connections have ended.
        let _ = places.acquire_many(all).await;
        looking.abort();
        Ok(())
    }
}

/// A connection with its place.
type Taken = (TcpStream, tokio::sync::OwnedSemaphorePermit);

/// Waits for a place, then for a connection.
async fn take(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<Taken> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, place)),
        Err(error) => {
            debug!(%error, "a connection could not be taken");
            sleep(PAUSE).await;
            None
        }
    }
}

/// Lets what is kept ready be compared with the files from time to time: an admin may change some by hand.
async fn look_again(site: Arc<Site>) {
    loop {
        sleep(LOOK).await;
        site.outputs.changed();
    }
}

impl Site {
    async fn connection(self: Arc<Self>, stream: TcpStream, stopping: Arc<AtomicBool>) {
        self.traffic.opened();
        let answer = |request: Request<_>| {
            // The body is not ours to read.
            let (parts, _) = request.into_parts();
            let site = &self;
            async move { site.respond(&parts).await }
        };
        let end = connection::serve(stream, stopping, answer).await;
        self.traffic.closed(end == connection::End::CutOff);
    }

    async fn respond(&self, request: &Parts) -> Sent {
        let sent = match self.at_once(request) {
            Some(sent) => sent,
            // Boxed, so that connections which never need it stay small.
            None => Box::pin(self.guarded(request)).await,
        };
        self.traffic.answered(sent.status());
        sent
    }

    /// The answer, where it is ready.
    fn at_once(&self, request: &Parts) -> Option<Sent> {
        let address = address(request)?;
        let ready = self.shelf.get(address)?;
        if !ready.is_of(self.outputs.state()) {
            return None;
        }
        ready.answer(request, ready.encoding(&request.headers))
    }

    /// The answer, within a time; a panic costs only this request.
    async fn guarded(&self, request: &Parts) -> Sent {
        let made = timeout(REQUEST_TIMEOUT, AssertUnwindSafe(self.answer(request)).catch_unwind()).await;
        let status = match made {
            Ok(Ok(sent)) => return sent,
            Ok(Err(_)) => {
                error!(path = request.uri.path(), "a request broke");
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Err(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        self.outputs.message(status, None).send(&self.policy, request)
    }

    async fn answer(&self, request: &Parts) -> Sent {
        if !is_sound(request) {
            return self.outputs.message(StatusCode::BAD_REQUEST, None).send(&self.policy, request);
        }
        if request.method == Method::OPTIONS && request.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
            return answer::preflight(request);
        }
        if !matches!(request.method, Method::GET | Method::HEAD) {
            return self.outputs.message(StatusCode::METHOD_NOT_ALLOWED, None).send(&self.policy, request);
        }
        match self.ready(request).await {
            Ok(ready) => {
                let encoding = ready.encoding(&request.headers);
                if let Some(sent) = ready.answer(request, encoding) {
                    return sent;
                }
                ready.prepare(encoding).await;
                ready.answer(request, encoding).unwrap_or_else(|| {
                    self.outputs.message(StatusCode::INTERNAL_SERVER_ERROR, None).send(&self.policy, request)
                })
            }
            Err(reply) => reply.send(&self.policy, request),
        }
    }

    async fn is_current(&self, file: &FileMark) -> bool {
        let _permit = self.file_checks.acquire().await;
        file.holds().await
    }

    /// The answer as it is now: that of the shelf, if it is still right, or a new one.
    async fn ready(&self, request: &Parts) -> Result<Arc<Ready>, Reply> {
        // Before anything is looked at: what changes meanwhile is looked at again.
        let state = self.outputs.state();
        let address = address(request);
        let known = address.and_then(|address| self.shelf.get(address));
        if let Some(known) = &known
            && let Some(file) = &known.file
            && self.is_current(file).await
        {
            known.confirm(state);
            return Ok(Arc::clone(known));
        }
        // It is never closed.
        let _turn = self.making.acquire().await;
        let reply = self.outputs.find(request.uri.path(), request.uri.query()).await;
        if reply.status != StatusCode::OK || reply.passing {
            return Err(reply);
        }
        let ready = Arc::new(Ready::new(reply, &self.policy, state));
        if let Some(known) = known
            && known.equals(&ready)
            && known.file == ready.file
        {
            known.confirm(state);
            return Ok(known);
        }
        if let Some(address) = address {
            self.shelf.put(address, &ready);
        }
        Ok(ready)
    }
}

/// What an answer is kept under: the path, where a query says nothing.
fn address(request: &Parts) -> Option<&str> {
    let path = request.uri.path();
    let plain = request.uri.query().is_none() || !names::has_form(path);
    (plain && is_sound(request) && matches!(request.method, Method::GET | Method::HEAD)).then_some(path)
}

/// HTTP/1.1 wants one `Host` (RFC 9112, 3.2).
fn is_sound(request: &Parts) -> bool {
    let mut hosts = request.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(_), None) => true,
        (None, None) => request.version < Version::HTTP_11,
        _ => false,
    }
}
