//! The status server, on a listen address of its own: health, readiness, metrics, a page for people and an
//! Atom feed of troubles, since an admin of feedmill has a feed reader.
//!
//! Owns: how the state is shown. Does not own: the state; the daemon reports it.

mod charts;
mod metrics;
mod page;
mod report;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::Traffic;
use crate::publish::Pages;

pub use report::{CategoryStatus, ReloadStatus, SourceStatus, StatusDetail, StatusReport, Trouble};

/// Longest time for a report; after it the server returns a 503.
const REPORT_TIMEOUT: Duration = Duration::from_secs(20);
const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Returns a status report, and the pages that know the theme.
pub type StatusProvider = Arc<
    dyn Fn(StatusDetail) -> Pin<Box<dyn Future<Output = (StatusReport, Arc<Pages>)> + Send>> + Send + Sync,
>;

/// Serves the status page, metrics and health checks.
#[derive(Clone)]
pub struct StatusServer {
    provider: StatusProvider,
    traffic: Arc<Traffic>,
}

impl std::fmt::Debug for StatusServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StatusServer")
    }
}

impl StatusServer {
    /// Returns a server of the reports of `provider`.
    #[must_use]
    pub fn new(provider: StatusProvider, traffic: Arc<Traffic>) -> Self {
        Self { provider, traffic }
    }

    /// Serves until `shutdown` ends.
    ///
    /// # Errors
    /// Returns an error if the listener fails.
    pub async fn run<F>(self, listener: TcpListener, shutdown: F) -> std::io::Result<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let local = listener.local_addr().ok();
        let router = Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(ready))
            .route("/metrics", get(metrics))
            .route("/troubles.xml", get(troubles))
            .route("/style.css", get(style))
            .route("/", get(page))
            .layer(from_fn_with_state(local, protect))
            .with_state(self);
        axum::serve(listener, router).with_graceful_shutdown(shutdown).await
    }

    async fn report(&self, detail: StatusDetail) -> Result<(StatusReport, Arc<Pages>), Response> {
        timeout(REPORT_TIMEOUT, (self.provider)(detail))
            .await
            .map_err(|_| (StatusCode::SERVICE_UNAVAILABLE, "the mill does not answer\n").into_response())
    }
}

/// Inserts the security headers. On a loopback address it refuses requests whose `Host` is another name,
/// which a page of another site could make resolve to this machine (DNS rebinding).
async fn protect(State(local): State<Option<SocketAddr>>, request: Request, next: Next) -> Response {
    let mut response = if local.is_some_and(|at| at.ip().is_loopback()) && !is_local(request.headers()) {
        (StatusCode::FORBIDDEN, "ask by the address or as localhost\n").into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// Returns whether `Host` is a loopback address or `localhost`.
fn is_local(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    let name = name.map_or(host, |(name, _)| name).trim_matches(['[', ']']);
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

async fn ready(State(server): State<StatusServer>) -> Result<Response, Response> {
    let (report, _) = server.report(StatusDetail::Counters).await?;
    if report.unready.is_empty() {
        return Ok("ready\n".into_response());
    }
    Ok((StatusCode::SERVICE_UNAVAILABLE, report.unready.join("\n") + "\n").into_response())
}

async fn metrics(State(server): State<StatusServer>) -> Result<Response, Response> {
    let (report, _) = server.report(StatusDetail::Counters).await?;
    let text = metrics::text(&report, &server.traffic);
    Ok(with_type("text/plain; version=0.0.4; charset=utf-8", text.into_bytes()))
}

async fn troubles(State(server): State<StatusServer>, headers: HeaderMap) -> Result<Response, Response> {
    let (report, pages) = server.report(StatusDetail::Counters).await?;
    let feed = page::troubles(&report, &pages, &own_url(&headers));
    Ok(with_type("application/atom+xml; charset=utf-8", feed))
}

async fn page(State(server): State<StatusServer>, headers: HeaderMap) -> Result<Response, Response> {
    let (report, pages) = server.report(StatusDetail::RecentItems).await?;
    match page::status(&report, &pages, &server.traffic, &own_url(&headers)) {
        Ok(html) => Ok(with_type("text/html; charset=utf-8", html.into_bytes())),
        Err(error) => Ok((StatusCode::INTERNAL_SERVER_ERROR, crate::model::chain(&error)).into_response()),
    }
}

async fn style(State(server): State<StatusServer>) -> Result<Response, Response> {
    let (_, pages) = server.report(StatusDetail::Counters).await?;
    Ok(with_type("text/css; charset=utf-8", pages.style().to_vec()))
}

/// Returns the URL of the status server as the client knows it, with a slash at the end.
fn own_url(headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let is_valid = host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b));
    format!("http://{}/", if is_valid { host } else { "localhost" })
}

fn with_type(media_type: &'static str, bytes: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, media_type)], bytes).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_addresses_and_localhost_are_local() {
        for (host, local) in [
            ("127.0.0.1:8641", true),
            ("localhost:8641", true),
            ("[::1]:8641", true),
            ("evil.example:8641", false),
            ("10.0.0.1", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static(host));
            assert_eq!(is_local(&headers), local, "{host}");
        }
    }
}
