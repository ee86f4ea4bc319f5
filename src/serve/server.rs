//! The HTTP server of a site: accepts connections and shuts down without losing any.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::Response;
use axum::http::request::Parts;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tracing::debug;

use super::response::Body;
use super::site::Site;
use super::traffic::Traffic;
use crate::publish::Pages;
use crate::store::Handle;

/// Time between two checks of the output files for changes that no publish announced.
const RECHECK_INTERVAL: Duration = Duration::from_secs(1);
/// During a shutdown the backlog is empty when no connection came for so long.
const BACKLOG_QUIET: Duration = Duration::from_millis(20);
/// Longest time for which a shutdown accepts connections of the backlog.
const BACKLOG_TIMEOUT: Duration = Duration::from_millis(500);
/// Pause after a failed accept, mostly for want of file descriptors.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Limits of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeOptions {
    /// Size of the response cache, in bytes.
    pub cache: u64,
    /// Connections at one time; further ones wait in the backlog.
    pub connections: usize,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self { cache: 64 << 20, connections: 900 }
    }
}

/// Serves one site. Clones share the response cache.
#[derive(Debug, Clone)]
pub struct Server {
    site: Arc<Site>,
    options: ServeOptions,
}

impl Server {
    /// Returns a server of the output directory, and of pages rendered from the store.
    #[must_use]
    pub fn new(pages: Arc<Pages>, store: Handle, options: ServeOptions, traffic: Arc<Traffic>) -> Self {
        let site = Arc::new(Site::new(pages, store, options.cache, traffic));
        Self { site, options }
    }

    /// Returns the response to one request.
    pub async fn respond(&self, request: &Parts) -> Response<Body> {
        self.site.respond(request).await
    }

    /// Serves until `shutdown` ends, then responds to the requests of open connections and of the backlog.
    ///
    /// # Errors
    /// None today: a failure closes its connection only.
    pub async fn run<F>(self, listener: TcpListener, shutdown: F) -> std::io::Result<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let shutting_down = Arc::new(AtomicBool::new(false));
        let permits = Arc::new(Semaphore::new(self.options.connections));
        let rechecks = tokio::spawn(recheck_outputs(Arc::clone(&self.site)));
        let serve = |(stream, permit): Accepted| {
            let (site, shutting_down) = (Arc::clone(&self.site), Arc::clone(&shutting_down));
            tokio::spawn(async move {
                site.serve_connection(stream, shutting_down).await;
                drop(permit);
            });
        };
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                accepted = accept(&listener, &permits) => drop(accepted.map(serve)),
            }
        }
        let backlog = async {
            while let Ok(accepted) = timeout(BACKLOG_QUIET, accept(&listener, &permits)).await {
                accepted.map(serve);
            }
        };
        let _ = timeout(BACKLOG_TIMEOUT, backlog).await;
        drop(listener);
        shutting_down.store(true, Ordering::Relaxed);
        let all = u32::try_from(self.options.connections).unwrap_or(u32::MAX);
        // All permits are free once all connections are closed.
        let _ = permits.acquire_many(all).await;
        rechecks.abort();
        Ok(())
    }
}

/// A connection and its permit, which is released when the connection closes.
type Accepted = (TcpStream, OwnedSemaphorePermit);

/// Waits for a permit, then for a connection; `None` if it cannot be accepted.
async fn accept(listener: &TcpListener, permits: &Arc<Semaphore>) -> Option<Accepted> {
    let permit = Arc::clone(permits).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, permit)),
        Err(error) => {
            debug!(%error, "a connection cannot be accepted");
            sleep(ACCEPT_RETRY).await;
            None
        }
    }
}

/// Invalidates the cached responses regularly: an admin may edit output files by hand.
async fn recheck_outputs(site: Arc<Site>) {
    loop {
        sleep(RECHECK_INTERVAL).await;
        site.invalidate();
    }
}
