//! The response to a request: from the response cache if it is current, else looked up and cached.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use axum::http::header::{ACCESS_CONTROL_REQUEST_METHOD, HOST};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use futures_util::FutureExt;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::error;

use super::cached_response::CachedResponse;
use super::connection::{self, Outcome};
use super::file_snapshot::FileSnapshot;
use super::outputs::Outputs;
use super::response::{self, Body, Representation};
use super::response_cache::ResponseCache;
use super::route;
use super::traffic::Traffic;
use crate::publish::Pages;
use crate::store::Handle;

/// Longest time for a response that is not cached.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Responses looked up or rendered at one time. Further ones wait, so that a crawl of many pages does not
/// slow polling and publishing down.
const MAX_LOOKUPS: usize = 8;
/// Files checked for changes at one time. Each check takes one of the runtime's blocking threads, of which
/// many clients at once would start hundreds.
const MAX_FILE_CHECKS: usize = 4;

/// A site with its response cache.
#[derive(Debug)]
pub(super) struct Site {
    outputs: Outputs,
    cache: ResponseCache,
    page_policy: HeaderValue,
    /// Never closed, so that acquiring a permit cannot fail.
    lookups: Semaphore,
    file_checks: Semaphore,
    traffic: Arc<Traffic>,
}

impl Site {
    pub(super) fn new(pages: Arc<Pages>, store: Handle, cache_bytes: u64, traffic: Arc<Traffic>) -> Self {
        Self {
            page_policy: response::page_policy(pages.options.site.pictures),
            outputs: Outputs::new(pages, store),
            cache: ResponseCache::new(cache_bytes),
            lookups: Semaphore::new(MAX_LOOKUPS),
            file_checks: Semaphore::new(MAX_FILE_CHECKS),
            traffic,
        }
    }

    /// Makes the next request of each path compare its cached response with the outputs.
    pub(super) fn invalidate(&self) {
        self.outputs.invalidate();
    }

    pub(super) async fn serve_connection(self: Arc<Self>, stream: TcpStream, shutdown: Arc<AtomicBool>) {
        self.traffic.count_accepted();
        let respond = |request: Request<_>| {
            // No request's body is read.
            let (parts, _) = request.into_parts();
            let site = &self;
            async move { site.respond(&parts).await }
        };
        let outcome = connection::serve(stream, shutdown, respond).await;
        self.traffic.count_closed(outcome == Outcome::TimedOut);
    }

    /// Returns the response to a request, and counts it.
    pub(super) async fn respond(&self, request: &Parts) -> Response<Body> {
        let response = match self.respond_from_cache(request) {
            Some(response) => response,
            // Boxed, which keeps the future of each connection small.
            None => Box::pin(self.respond_within_timeout(request)).await,
        };
        self.traffic.count_response(response.status());
        response
    }

    /// Returns the cached response if it is current and has the encoding that the client prefers.
    fn respond_from_cache(&self, request: &Parts) -> Option<Response<Body>> {
        let cached = self.cache.get(cache_key(request)?)?;
        if !cached.is_current_at(self.outputs.revision()) {
            return None;
        }
        cached.response(request, cached.encoding(&request.headers))
    }

    /// Returns a 503 after [`REQUEST_TIMEOUT`], and a 500 after a panic.
    async fn respond_within_timeout(&self, request: &Parts) -> Response<Body> {
        let done =
            timeout(REQUEST_TIMEOUT, AssertUnwindSafe(self.validate_and_respond(request)).catch_unwind());
        let status = match done.await {
            Ok(Ok(response)) => return response,
            Ok(Err(_)) => {
                error!(path = request.uri.path(), "a request caused a panic");
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Err(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        self.error_response(status, request)
    }

    async fn validate_and_respond(&self, request: &Parts) -> Response<Body> {
        if !has_valid_host(request) {
            return self.error_response(StatusCode::BAD_REQUEST, request);
        }
        if request.method == Method::OPTIONS && request.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
            return response::preflight(request);
        }
        if !matches!(request.method, Method::GET | Method::HEAD) {
            return self.error_response(StatusCode::METHOD_NOT_ALLOWED, request);
        }
        let cached = match self.look_up(request).await {
            Ok(cached) => cached,
            Err(content) => return content.into_response(&self.page_policy, request),
        };
        let encoding = cached.encoding(&request.headers);
        if let Some(response) = cached.response(request, encoding) {
            return response;
        }
        cached.compress(encoding).await;
        let compressed = cached.response(request, encoding);
        compressed.unwrap_or_else(|| self.error_response(StatusCode::INTERNAL_SERVER_ERROR, request))
    }

    /// Returns the current response: the cached one if the outputs still have it, else a new one, which is
    /// cached.
    ///
    /// # Errors
    /// What is not cached: redirects, errors and what may not be stored.
    async fn look_up(&self, request: &Parts) -> Result<Arc<CachedResponse>, Representation> {
        // Taken before the outputs are read: a change in between makes the response outdated, not wrong.
        let revision = self.outputs.revision();
        let key = cache_key(request);
        let cached = key.and_then(|key| self.cache.get(key));
        if let Some(cached) = &cached
            && let Some(file) = &cached.file
            && self.is_current(file).await
        {
            cached.set_current_at(revision);
            return Ok(Arc::clone(cached));
        }
        let _permit = self.lookups.acquire().await;
        let content = self.outputs.find(request.uri.path(), request.uri.query()).await;
        if content.status != StatusCode::OK || content.no_store {
            return Err(content);
        }
        let new = Arc::new(CachedResponse::new(content, &self.page_policy, revision));
        // The same response keeps its compressed bodies.
        if let Some(cached) = cached
            && cached.equals(&new)
            && cached.file == new.file
        {
            cached.set_current_at(revision);
            return Ok(cached);
        }
        if let Some(key) = key {
            self.cache.insert(key, &new);
        }
        Ok(new)
    }

    async fn is_current(&self, file: &FileSnapshot) -> bool {
        let _permit = self.file_checks.acquire().await;
        file.is_current().await
    }

    fn error_response(&self, status: StatusCode, request: &Parts) -> Response<Body> {
        self.outputs.error_page(status, None).into_response(&self.page_policy, request)
    }
}

/// Returns the key of a request in the response cache: its path, unless its query matters or it is not
/// served.
fn cache_key(request: &Parts) -> Option<&str> {
    let path = request.uri.path();
    let ignores_query = request.uri.query().is_none() || !route::takes_query(path);
    let is_served = has_valid_host(request) && matches!(request.method, Method::GET | Method::HEAD);
    (ignores_query && is_served).then_some(path)
}

/// Returns whether a request has exactly one `Host`, or none in HTTP/1.0 (RFC 9112, 3.2).
fn has_valid_host(request: &Parts) -> bool {
    let mut hosts = request.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(_), None) => true,
        (None, None) => request.version < Version::HTTP_11,
        _ => false,
    }
}
