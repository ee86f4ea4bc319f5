//! Looking inside, on a listen address of its own: health, readiness, metrics, a page for people and a
//! feed of troubles, since who runs a mill owns a feed reader.
//!
//! Owns: how it is shown. Does not own: what goes on; the daemon gathers that.

mod charts;
mod metrics;
mod page;

use std::collections::BTreeMap;
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
use crate::model::Timestamp;
use crate::publish::Pages;

/// Gathering takes no longer than this, or the mill does not answer.
const PATIENCE: Duration = Duration::from_secs(20);
const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// How much of what goes on is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Counters and states.
    Numbers,
    /// The last days' articles as well.
    Lately,
}

/// What goes on, at one moment.
#[derive(Debug, Clone, Default)]
pub struct Insight {
    /// The moment.
    pub now: Timestamp,
    /// Why it is not ready; empty when scheduler, store and publisher make progress.
    pub unready: Vec<String>,
    /// What needs attention, the worst first.
    pub troubles: Vec<Trouble>,
    /// What the last reload came to, if there was one.
    pub reload: Option<ReloadInsight>,
    /// By the order of the config.
    pub sources: Vec<SourceInsight>,
    /// All of them.
    pub categories: Vec<CategoryInsight>,
    /// Articles ever stored.
    pub items: u64,
    /// Seconds for which the oldest change waits to be published; 0 for none.
    pub unpublished_for: i64,
    /// Bytes of the store on its disk.
    pub store_bytes: u64,
    /// Bytes that are free there.
    pub free_bytes: Option<u64>,
    /// Days until its disk is full, at the present rate.
    pub days_left: Option<u64>,
    /// New articles of the last 48 hours, by the hour, the oldest first.
    pub by_hour: Vec<usize>,
    /// Those by the time from publication to here: up to 5, 15 and 30 minutes, 1, 3, 12 hours, more.
    pub by_delay: Vec<usize>,
}

/// Something that needs attention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Which texts of a theme name it and say what to do, without `trouble_` and `way_`.
    pub kind: String,
    /// What it is about: a source's id, or nothing.
    pub about: String,
    /// Its name for people.
    pub name: String,
    /// More.
    pub text: String,
    /// When it began.
    pub since: Timestamp,
}

impl Trouble {
    /// What it is, in the words of a theme.
    pub fn title(&self, word: impl Fn(&str) -> String) -> String {
        word(&format!("trouble_{}", self.kind)).replace("{name}", &self.name)
    }

    /// What to do about it, in the words of a theme.
    pub fn way_out(&self, word: impl Fn(&str) -> String) -> String {
        word(&format!("way_{}", self.kind)).replace("{about}", &self.about)
    }
}

/// What a reload came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReloadInsight {
    /// Which text of the theme names it, without `reload_`: `done`, `same`, `refused`, `held`.
    pub outcome: &'static str,
    /// What is different since, for people.
    pub changes: Vec<String>,
    /// When.
    pub at: Timestamp,
}

/// A source.
#[derive(Debug, Clone, Default)]
pub struct SourceInsight {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether it is polled: not switched off, and not gone.
    pub enabled: bool,
    /// When it was last read well.
    pub last_good: Option<Timestamp>,
    /// When something new last came, since the process began.
    pub last_new: Option<Timestamp>,
    /// When it is asked again.
    pub next: Option<Timestamp>,
    /// Failed polls in a row.
    pub fails: u32,
    /// What the last failure said.
    pub error: Option<String>,
    /// New items a day.
    pub a_day: f64,
    /// Share of 304s.
    pub unmodified: Option<f64>,
    /// Repairs that its last document needed.
    pub repairs: usize,
    /// Records that its last poll held back.
    pub held: usize,
    /// What its polls came to, since the process began.
    pub polls: BTreeMap<&'static str, u64>,
    /// Why they failed.
    pub errors: BTreeMap<String, u64>,
    /// What was decided about its records.
    pub decisions: BTreeMap<&'static str, u64>,
}

/// A category.
#[derive(Debug, Clone, Default)]
pub struct CategoryInsight {
    /// Its slug.
    pub slug: String,
    /// When what it publishes last changed.
    pub changed: Timestamp,
    /// When its newest article was published.
    pub newest: Option<Timestamp>,
}

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
