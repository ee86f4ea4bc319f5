//! Looking inside, on a listen address of its own: health, readiness, metrics, a page for people and a
//! feed of troubles, since who runs a mill owns a feed reader.
//!
//! Owns: how it is shown. Does not own: what goes on; the daemon gathers that.

mod charts;
mod insight;
mod metrics;
mod page;

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

pub use insight::{CategoryInsight, Depth, Insight, ReloadInsight, SourceInsight, Trouble};

/// Gathering takes no longer than this, or the mill does not answer.
const PATIENCE: Duration = Duration::from_secs(20);
const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Gathers what goes on.
pub type Gather =
    Arc<dyn Fn(Depth) -> Pin<Box<dyn Future<Output = (Insight, Arc<Pages>)> + Send>> + Send + Sync>;

/// Shows what goes on.
#[derive(Clone)]
pub struct StatusServer {
    gather: Gather,
    traffic: Arc<Traffic>,
}

impl std::fmt::Debug for StatusServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StatusServer")
    }
}

impl StatusServer {
    /// Shows what `gather` gives.
    #[must_use]
    pub fn new(gather: Gather, traffic: Arc<Traffic>) -> Self {
        Self { gather, traffic }
    }

    /// Serves until `stop` ends.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn run<F>(self, listener: TcpListener, stop: F) -> std::io::Result<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let local = listener.local_addr().ok();
        let router = Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(ready))
            .route("/metrics", get(numbers))
            .route("/troubles.xml", get(troubles))
            .route("/style.css", get(style))
            .route("/", get(page))
            .layer(from_fn_with_state(local, guarded))
            .with_state(self);
        axum::serve(listener, router).with_graceful_shutdown(stop).await
    }

    async fn look(&self, depth: Depth) -> Result<(Insight, Arc<Pages>), Response> {
        timeout(PATIENCE, (self.gather)(depth))
            .await
            .map_err(|_| (StatusCode::SERVICE_UNAVAILABLE, "the mill does not answer\n").into_response())
    }
}

/// What every answer carries; and where only this machine may ask, a page of another site must not
/// either: its name may lead here for the browser of somebody on this machine.
async fn guarded(State(local): State<Option<SocketAddr>>, request: Request, next: Next) -> Response {
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

/// Whether `Host` names this machine: an address of it, or localhost.
fn is_local(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    let name = name.map_or(host, |(name, _)| name).trim_matches(['[', ']']);
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

async fn ready(State(server): State<StatusServer>) -> Result<Response, Response> {
    let (insight, _) = server.look(Depth::Numbers).await?;
    if insight.unready.is_empty() {
        return Ok("ready\n".into_response());
    }
    Ok((StatusCode::SERVICE_UNAVAILABLE, insight.unready.join("\n") + "\n").into_response())
}

async fn numbers(State(server): State<StatusServer>) -> Result<Response, Response> {
    let (insight, _) = server.look(Depth::Numbers).await?;
    let text = metrics::text(&insight, &server.traffic);
    Ok(typed("text/plain; version=0.0.4; charset=utf-8", text.into_bytes()))
}

async fn troubles(State(server): State<StatusServer>, headers: HeaderMap) -> Result<Response, Response> {
    let (insight, pages) = server.look(Depth::Numbers).await?;
    let own = own_address(&headers);
    Ok(typed("application/atom+xml; charset=utf-8", page::troubles(&insight, &pages, &own)))
}

async fn page(State(server): State<StatusServer>, headers: HeaderMap) -> Result<Response, Response> {
    let (insight, pages) = server.look(Depth::Lately).await?;
    match page::status(&insight, &pages, &server.traffic, &own_address(&headers)) {
        Ok(html) => Ok(typed("text/html; charset=utf-8", html.into_bytes())),
        Err(error) => Ok((StatusCode::INTERNAL_SERVER_ERROR, crate::model::chain(&error)).into_response()),
    }
}

async fn style(State(server): State<StatusServer>) -> Result<Response, Response> {
    let (_, pages) = server.look(Depth::Numbers).await?;
    Ok(typed("text/css; charset=utf-8", pages.style().to_vec()))
}

/// The address by which it was asked, with a slash at the end.
fn own_address(headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let plain = host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b));
    format!("http://{}/", if plain { host } else { "localhost" })
}

fn typed(media_type: &'static str, bytes: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, media_type)], bytes).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_local() {
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
