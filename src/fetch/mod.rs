//! HTTP: one guarded, bounded GET with its redirects, validators and freshness.
//!
//! It does not know sources, feeds or schedules, and it never tries again by itself: an error says
//! whether that is worth it, and when.

mod body;
mod cause;
mod error;
mod guard;
mod headers;
mod hosts;
mod redirect;
mod robots;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue, LOCATION};
use tokio::time::{Instant, timeout};

pub use self::error::FetchError;
pub use self::guard::Blocked;
use self::guard::Guard;
use self::hosts::Hosts;
use self::redirect::Trail;
use self::robots::Robots;
use crate::model::Timestamp;
use crate::model::http::{Fetched, Request, Response};

/// Lines of one header section: 100 cookies are a nuisance, 10,000 an attack.
const MAX_HEADERS: usize = 256;
const MAX_HEADER_BYTES: u32 = 64 * 1024;

/// How to fetch; `Default` holds the values of the field.
#[derive(Debug, Clone)]
pub struct FetchOptions {
    /// `User-Agent` of every request.
    pub user_agent: String,
    /// Deadline of a whole request with its redirects and body; waiting for a turn does not count.
    pub timeout: Duration,
    /// Deadline of one connection, name and handshake included.
    pub connect_timeout: Duration,
    /// Largest decoded body in bytes.
    pub max_body: u64,
    /// Redirects followed.
    pub max_redirects: u8,
    /// Requests at a time.
    pub concurrency: usize,
    /// Requests at a time to one host and port.
    pub per_host: usize,
    /// Between the starts of two requests to one host and port.
    pub host_spacing: Duration,
    /// Inner addresses that may be asked all the same.
    pub allow: Vec<IpNet>,
}

impl Default for FetchOptions {
    fn default() -> Self {
        Self {
            user_agent: concat!("feedmill/", env!("CARGO_PKG_VERSION")).to_owned(),
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            max_body: 15 * 1024 * 1024,
            max_redirects: 5,
            concurrency: 16,
            per_host: 2,
            host_spacing: Duration::from_millis(200),
            allow: Vec::new(),
        }
    }
}

/// Fetches; clones share connections and bounds.
#[derive(Debug, Clone)]
pub struct Fetcher {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    client: reqwest::Client,
    guard: Guard,
    hosts: Hosts,
    timeout: Duration,
    max_body: u64,
    max_redirects: u8,
    robots: Robots,
}

/// What one hop brought.
enum Hop {
    Answer(Response),
    Moved(Option<HeaderValue>),
}

impl Fetcher {
    /// Builds the client.
    ///
    /// # Errors
    ///
    /// If the user agent is no header value, or the system offers no CA certificates.
    #[expect(clippy::needless_pass_by_value, reason = "the options end here")]
    pub fn new(options: FetchOptions) -> Result<Self, FetchError> {
        let guard = Guard::new(&options.allow);
        let client = client(&options, guard.clone()).map_err(FetchError::Setup)?;
        let FetchOptions { timeout, max_body, max_redirects, concurrency, per_host, host_spacing, .. } =
            options;
        let hosts = Hosts::new(concurrency, per_host, host_spacing);
        let robots = Robots::default();
        Ok(Self {
            shared: Arc::new(Shared { client, guard, hosts, timeout, max_body, max_redirects, robots }),
        })
    }

    /// Sends one GET, conditional if `request` has validators, and follows its redirects.
    ///
    /// # Errors
    ///
    /// If no 200 with a whole body, and no 304 to a conditional request, came in time; or if the
    /// request asks for a page that robots.txt forbids.
    #[tracing::instrument(name = "fetch", skip_all, fields(http.host = request.url.host_str()))]
    pub async fn get(&self, request: &Request, now: Timestamp) -> Result<Response, FetchError> {
        if request.robots {
            self.shared.robots.check(self, &request.url, now).await?;
        }
        self.fetch(request, now).await
    }

    async fn fetch(&self, request: &Request, now: Timestamp) -> Result<Response, FetchError> {
        let shared = &*self.shared;
        let own = headers::of_request(request)?;
        let mut trail = Trail::new(request.url.clone(), shared.max_redirects);
        let mut left = shared.timeout;
        let begun = Instant::now();
        loop {
            shared.guard.check(trail.url())?;
            // The turn ends with its hop: holding one while waiting for the next could lock up all.
            let turn = shared.hosts.turn(trail.url()).await;
            let start = Instant::now();
            // A long wait for a turn must not make what the answer asks for look past.
            let now = now.plus(i64::try_from(begun.elapsed().as_secs()).unwrap_or(i64::MAX));
            let late = |_| FetchError::Timeout { host: trail.host(), limit: shared.timeout };
            let hop = timeout(left, shared.hop(&trail, &own, now)).await.map_err(late)??;
            left = left.saturating_sub(start.elapsed());
            drop(turn);
            match hop {
                Hop::Answer(response) => return Ok(response),
                Hop::Moved(location) => trail.follow(location.as_ref())?,
            }
        }
    }
}

impl Shared {
    async fn hop(&self, trail: &Trail, own: &HeaderMap, now: Timestamp) -> Result<Hop, FetchError> {
        let mut request = self.client.get(trail.url().clone());
        if trail.is_home() {
            request = request.headers(own.clone());
        }
        let host = trail.host();
        let response = request.send().await.map_err(|error| cause::of_send(error, &host))?;
        let fields = response.headers();
        let status = response.status().as_u16();
        tracing::debug!(http.host = host, http.status = status, "answered");
        match status {
            200 => self.answer(trail, response, now).await.map(Hop::Answer),
            // Unasked it would mean that all is read, with nothing ever read (RFC 9110, 15.4.5).
            304 if trail.is_home() && headers::is_conditional(own) => {
                Ok(Hop::Answer(Response::NotModified(headers::freshness(fields, now))))
            }
            301 | 302 | 303 | 307 | 308 => Ok(Hop::Moved(fields.get(LOCATION).cloned())),
            _ => {
                let asks = matches!(status, 429 | 503);
                let retry_after = if asks { headers::retry_after(fields, now) } else { None };
                Err(FetchError::Status { host, status, retry_after })
            }
        }
    }

    async fn answer(
        &self,
        trail: &Trail,
        response: reqwest::Response,
        now: Timestamp,
    ) -> Result<Response, FetchError> {
        let fields = response.headers();
        if let Some(coding) = headers::foreign_coding(fields) {
            return Err(FetchError::Coding { host: trail.host(), coding });
        }
        let content_type = headers::content_type(fields);
        let validators = headers::validators(fields);
        let freshness = headers::freshness(fields, now);
        let body = body::read(response, &trail.host(), self.max_body).await?;
        Ok(Response::Fetched(Fetched { url: trail.url().clone(), content_type, body, validators, freshness }))
    }
}

fn client(options: &FetchOptions, guard: Guard) -> reqwest::Result<reqwest::Client> {
    // A provider that is installed already, by a test or another fetcher, is as good.
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder()
        .user_agent(options.user_agent.as_str())
        .default_headers(HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(headers::ACCEPT_FEEDS))]))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        // A proxy would look names up itself, past the guard.
        .no_proxy()
        .dns_resolver(guard)
        .referer(false)
        .connect_timeout(options.connect_timeout)
        // No connection is used twice: a stray answer pushed onto an idle one would be taken for that of
        // the next request, and a server that closes it just then would cost a poll.
        .pool_max_idle_per_host(0)
        .http1_max_headers(MAX_HEADERS)
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        .build()
}
