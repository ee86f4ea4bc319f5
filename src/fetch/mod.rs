//! HTTP: one guarded, bounded GET with its redirects, validators and freshness.
//!
//! It does not know sources, feeds or schedules, and it never tries again by itself: an error says
//! whether that is worth it, and when.

mod blocked;
mod body;
mod budget;
mod cause;
mod clients;
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

use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use reqwest::Client;
use reqwest::header::{COOKIE, HeaderMap, HeaderValue, LOCATION, SET_COOKIE};
use tokio::time::{Instant, timeout};
use url::Url;

pub use self::blocked::Blocked;
use self::budget::Budget;
use self::clients::Clients;
pub use self::error::FetchError;
use self::guard::Guard;
use self::hosts::{Hosts, Turn};
use self::redirect::Trail;
use self::robots::Robots;
use crate::model::Timestamp;
use crate::model::http::{Fetched, NotModified, Request, Response, address_hash};

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
    clients: Clients,
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
    /// Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// If the user agent is no header value.
    pub fn new(options: FetchOptions) -> Result<Self, FetchError> {
        let guard = Guard::new(&options.allow);
        let clients = Clients::new(options.clone(), guard.clone())?;
        let hosts = Hosts::new(options.concurrency, options.per_host);
        let budget = Budget::new(options.max_bodies, options.max_body);
        let robots = Robots::default();
        Ok(Self { shared: Arc::new(Shared { clients, options, budget, guard, hosts, robots }) })
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
            let client = shared.client_for(request, trail.url(), kept)?;
            let start = Instant::now();
            // A long wait for a turn must not make what the answer asks for look past.
            let now = now.plus(i64::try_from(begun.elapsed().as_secs()).unwrap_or(i64::MAX));
            if let Some(until) = turn.rests(now) {
                return Err(FetchError::Rests { host: trail.host(), until });
            }
            let late = |_| FetchError::Timeout { host: trail.host(), limit: shared.options.timeout };
            let hop = shared.hop(&client, &trail, &asking, &turn, now);
            let mut hop = timeout(left, hop).await.map_err(late)?;
            if kept && hop.as_ref().is_err_and(FetchError::is_unanswered) {
                // A server may close a kept connection just when it is used again, or no longer speak
                // HTTP/2; a GET that was not answered may be sent once more (RFC 9110, 9.2.2).
                turn.spoke_http2(false);
                left = left.saturating_sub(start.elapsed());
                let closing = shared.clients.closing(trail.url())?;
                let fresh = shared.hop(&closing, &trail, &asking, &turn, now);
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
    fn client_for(&self, request: &Request, url: &Url, kept: bool) -> Result<Client, FetchError> {
        match &request.proxy {
            Some(proxy) => self.clients.through(proxy),
            None if kept => self.clients.keeping(),
            None => self.clients.closing(url),
        }
    }

    async fn hop(
        &self,
        client: &Client,
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
                // It says that of the server; a 503 may be one address that cannot be made.
                if let Some(until) = retry_after.filter(|_| status == 429) {
                    turn.let_rest(until);
                }
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
