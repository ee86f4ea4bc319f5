//! HTTP: one guarded, bounded GET with its redirects, validators and freshness.
//!
//! It does not know sources, feeds or schedules, and it never tries again by itself: an error says
//! whether that is worth it, and when.

mod body;
mod budget;
mod cause;
pub mod decode;
mod error;
mod guard;
mod headers;
mod hosts;
mod jar;
mod redirect;
mod robots;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, COOKIE, HeaderMap, HeaderValue, LOCATION, SET_COOKIE};
use tokio::time::{Instant, timeout};

use self::budget::Budget;
pub use self::error::FetchError;
pub use self::guard::Blocked;
use self::guard::Guard;
use self::hosts::{Hosts, Turn};
use self::redirect::Trail;
use self::robots::Robots;
use crate::model::Timestamp;
use crate::model::http::{Fetched, NotModified, Request, Response, address_hash};

/// Lines of one header section: 100 cookies are a nuisance, 10,000 an attack.
const MAX_HEADERS: usize = 256;
const MAX_HEADER_BYTES: u32 = 64 * 1024;

/// How to fetch; `Default` holds the values of the field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchOptions {
    /// `User-Agent` of every request.
    pub user_agent: String,
    /// Deadline of a whole request with its redirects and body; waiting for a turn does not count.
    pub timeout: Duration,
    /// Deadline of one connection, name and handshake included.
    pub connect_timeout: Duration,
    /// Largest decoded body in bytes.
    pub max_body: u64,
    /// Bytes of all bodies that are read or taken in at one time.
    pub max_bodies: u64,
    /// Redirects followed.
    pub max_redirects: u8,
    /// Requests at a time.
    pub concurrency: usize,
    /// Requests at a time to one host and port.
    pub per_host: usize,
    /// Between the starts of two requests to one host and port.
    pub host_spacing: Duration,
    /// The same at first contact with a source, for the details of what it lists.
    pub first_spacing: Duration,
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
            max_bodies: 96 * 1024 * 1024,
            max_redirects: 5,
            concurrency: 16,
            per_host: 2,
            host_spacing: Duration::from_millis(200),
            first_spacing: Duration::from_secs(2),
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
    /// Its connections are closed after use: on a kept one of HTTP/1.1 a stray answer would be taken
    /// for that of the next request, and nothing tells them apart.
    client: reqwest::Client,
    /// For hosts that are asked several times in a row and speak HTTP/2, whose answers bear the number
    /// of their request. Made when the first is met.
    keeping: OnceLock<reqwest::Client>,
    /// One client for each proxy in use.
    proxied: Mutex<HashMap<String, reqwest::Client>>,
    options: FetchOptions,
    budget: Budget,
    guard: Guard,
    hosts: Hosts,
    robots: Robots,
}

/// What one hop brought.
enum Hop {
    Answer(Box<Response>),
    Moved { to: Option<HeaderValue>, permanent: bool, cookies: Vec<HeaderValue> },
}

impl Fetcher {
    /// Builds the client.
    ///
    /// # Errors
    ///
    /// If the user agent is no header value, or the system offers no CA certificates.
    pub fn new(options: FetchOptions) -> Result<Self, FetchError> {
        let guard = Guard::new(&options.allow);
        let once = client(&options, 0).dns_resolver(guard.clone()).no_proxy();
        let once = once.build().map_err(FetchError::Setup)?;
        let hosts = Hosts::new(options.concurrency, options.per_host);
        let budget = Budget::new(options.max_bodies, options.max_body);
        let (proxied, robots) = (Mutex::default(), Robots::default());
        Ok(Self {
            shared: Arc::new(Shared {
                client: once,
                keeping: OnceLock::new(),
                proxied,
                options,
                budget,
                guard,
                hosts,
                robots,
            }),
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
        let asking = Asking::of(request)?;
        let mut trail = Trail::new(request.url.clone(), shared.options.max_redirects);
        let mut left = shared.options.timeout;
        let begun = Instant::now();
        loop {
            shared.guard.check(trail.url())?;
            // The turn ends with its hop: holding one while waiting for the next could lock up all.
            let options = &shared.options;
            let spacing = if request.unhurried { options.first_spacing } else { options.host_spacing };
            let turn = shared.hosts.turn(trail.url(), spacing).await;
            let kept = turn.keeps() && request.proxy.is_none() && trail.url().scheme() == "https";
            let client = shared.client_for(request, kept)?;
            let start = Instant::now();
            // A long wait for a turn must not make what the answer asks for look past.
            let now = now.plus(i64::try_from(begun.elapsed().as_secs()).unwrap_or(i64::MAX));
            let late = |_| FetchError::Timeout { host: trail.host(), limit: shared.options.timeout };
            let hop = shared.hop(&client, &trail, &asking, &turn, now);
            let mut hop = timeout(left, hop).await.map_err(late)?;
            if kept && hop.as_ref().is_err_and(FetchError::is_unanswered) {
                // A server may close a kept connection just when it is used again, or no longer speak
                // HTTP/2; a GET that was not answered may be sent once more (RFC 9110, 9.2.2).
                turn.spoke_http2(false);
                left = left.saturating_sub(start.elapsed());
                let fresh = shared.hop(&shared.client, &trail, &asking, &turn, now);
                hop = timeout(left, fresh).await.map_err(late)?;
            }
            left = left.saturating_sub(start.elapsed());
            drop(turn);
            match hop? {
                Hop::Answer(response) => return Ok(*response),
                Hop::Moved { to, permanent, cookies } => {
                    trail.follow(to.as_ref(), permanent, &cookies)?;
                }
            }
        }
    }
}

/// What of a request is sent with each of its hops.
struct Asking {
    /// The source's own headers: only for its own origin, for they may hold keys.
    own: HeaderMap,
    /// The validators, and the hash of the address that gave them if it is on another site.
    conditions: HeaderMap,
    given_by: Option<u64>,
}

impl Asking {
    fn of(request: &Request) -> Result<Self, FetchError> {
        Ok(Self {
            own: headers::of_source(request)?,
            conditions: headers::conditions(&request.validators),
            given_by: request.validators_of,
        })
    }

    /// The headers of a hop, and whether it can be answered with 304.
    fn at(&self, trail: &Trail) -> (HeaderMap, bool) {
        let mut headers = if trail.is_home() { self.own.clone() } else { HeaderMap::new() };
        if let Some(cookies) = trail.cookies() {
            headers.entry(COOKIE).or_insert(cookies);
        }
        let theirs = match self.given_by {
            Some(given_by) => address_hash(trail.url()) == given_by,
            None => trail.is_home(),
        };
        let conditional = !self.conditions.is_empty() && theirs;
        if conditional {
            headers.extend(self.conditions.clone());
        }
        (headers, conditional)
    }
}

impl Shared {
    /// The client that fits: through the source's proxy, or with kept connections where the host
    /// is asked again shortly.
    fn client_for(&self, request: &Request, kept: bool) -> Result<reqwest::Client, FetchError> {
        let Some(proxy) = &request.proxy else {
            return if kept { self.keeping() } else { Ok(self.client.clone()) };
        };
        let mut proxied = self.proxied.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = proxied.get(proxy.as_str()) {
            return Ok(client.clone());
        }
        // The admin chose the proxy, so its own address is not judged; and it looks names up itself.
        let through = reqwest::Proxy::all(proxy.as_str()).map_err(FetchError::Setup)?;
        let client = client(&self.options, 0).proxy(through).build().map_err(FetchError::Setup)?;
        proxied.insert(proxy.to_string(), client.clone());
        Ok(client)
    }

    fn keeping(&self) -> Result<reqwest::Client, FetchError> {
        if let Some(known) = self.keeping.get() {
            return Ok(known.clone());
        }
        let made = client(&self.options, self.options.per_host).http2_prior_knowledge();
        let made = made.dns_resolver(self.guard.clone()).no_proxy().build().map_err(FetchError::Setup)?;
        // Of two that are made at once the first stays.
        Ok(self.keeping.get_or_init(|| made).clone())
    }

    async fn hop(
        &self,
        client: &reqwest::Client,
        trail: &Trail,
        asking: &Asking,
        turn: &Turn,
        now: Timestamp,
    ) -> Result<Hop, FetchError> {
        let (sent, conditional) = asking.at(trail);
        let host = trail.host();
        let response = client.get(trail.url().clone()).headers(sent).send().await;
        let response = response.map_err(|error| cause::of_send(error, &host))?;
        turn.spoke_http2(response.version() == reqwest::Version::HTTP_2);
        let fields = response.headers();
        let status = response.status().as_u16();
        tracing::debug!(http.host = host, http.status = status, "answered");
        match status {
            200 => self.answer(trail, response, now).await.map(|answer| Hop::Answer(Box::new(answer))),
            // Unasked it would mean that all is read, with nothing ever read (RFC 9110, 15.4.5).
            304 if conditional => Ok(Hop::Answer(Box::new(Response::NotModified(NotModified {
                freshness: headers::freshness(fields, now),
                validators: headers::validators(fields),
                moved: trail.moved().cloned(),
            })))),
            301 | 302 | 303 | 307 | 308 => Ok(Hop::Moved {
                to: fields.get(LOCATION).cloned(),
                permanent: matches!(status, 301 | 308),
                cookies: fields.get_all(SET_COOKIE).iter().cloned().collect(),
            }),
            _ if headers::is_challenge(fields) => Err(FetchError::Challenge { host }),
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
        if headers::is_ambiguous(fields) {
            return Err(FetchError::Framing { host: trail.host() });
        }
        let content_type = headers::content_type(fields);
        let validators = headers::validators(fields);
        let freshness = headers::freshness(fields, now);
        let (body, room) = body::read(response, &trail.host(), self.options.max_body, &self.budget).await?;
        Ok(Response::Fetched(Fetched {
            url: trail.url().clone(),
            content_type,
            body,
            validators,
            freshness,
            moved: trail.moved().cloned(),
            room,
        }))
    }
}

/// A client that keeps so many idle connections to a host; the resolver is the caller's choice.
fn client(options: &FetchOptions, kept: usize) -> reqwest::ClientBuilder {
    // A provider that is installed already, by a test or another fetcher, is as good.
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder()
        .user_agent(options.user_agent.as_str())
        .default_headers(HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static(headers::ACCEPT_FEEDS)),
            (ACCEPT_ENCODING, HeaderValue::from_static(decode::OFFERED)),
        ]))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(options.connect_timeout)
        // A request has a deadline of its own: probes of its connection would only cost system calls.
        .tcp_keepalive(None)
        .tcp_keepalive_interval(None)
        .tcp_keepalive_retries(None)
        .tcp_user_timeout(None)
        .pool_max_idle_per_host(kept)
        .pool_idle_timeout(hosts::KEPT)
        .http1_max_headers(MAX_HEADERS)
        .http2_max_header_list_size(MAX_HEADER_BYTES)
}
