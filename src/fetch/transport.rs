//! One GET with its redirects: permits, the choice of the client, and the meaning of each status.

use reqwest::Client;
use reqwest::header::{HeaderValue, LOCATION, SET_COOKIE};
use tokio::time::{Instant, timeout};
use url::Url;

use super::address_filter::AddressFilter;
use super::budget::Budget;
use super::clients::Clients;
use super::error::FetchError;
use super::hop_headers::HopHeaders;
use super::hosts::{Hosts, RequestPermit};
use super::options::FetchOptions;
use super::redirect::Trail;
use super::{body, cause, headers};
use crate::model::http::{Fetched, NotModified, Request, Response, Unchanged};
use crate::model::{Timestamp, Validators};

/// Sends requests, within the bounds of the options.
#[derive(Debug)]
pub(super) struct Transport {
    clients: Clients,
    options: FetchOptions,
    budget: Budget,
    address_filter: AddressFilter,
    hosts: Hosts,
}

/// Says which pages may be asked for.
pub(super) trait Allowance {
    /// Refuses a page.
    ///
    /// # Errors
    /// [`FetchError::Robots`], or why nobody knows.
    fn check(
        &self,
        transport: &Transport,
        url: &Url,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), FetchError>> + Send;
}

/// Everything may be asked for.
impl Allowance for () {
    async fn check(&self, _: &Transport, _: &Url, _: Timestamp) -> Result<(), FetchError> {
        Ok(())
    }
}

/// What one hop brought.
enum Hop {
    Answer(Box<Response>),
    /// The server refuses the condition, not the request (RFC 9110, 15.5.13).
    ConditionFailed,
    Moved {
        to: Option<HeaderValue>,
        permanent: bool,
        cookies: Vec<HeaderValue>,
    },
}

impl Transport {
    /// Creates a transport; sends nothing.
    ///
    /// # Errors
    /// If the user agent is not a valid header value.
    pub(super) fn new(options: FetchOptions) -> Result<Self, FetchError> {
        let address_filter = AddressFilter::new(&options.allow);
        let clients = Clients::new(options.clone(), address_filter.clone())?;
        let hosts = Hosts::new(options.concurrency, options.per_host);
        let budget = Budget::new(options.max_bodies, options.max_body);
        Ok(Self { clients, options, budget, address_filter, hosts })
    }

    /// Sends one GET, conditional if `request` has validators, and follows its redirects where `allowance` lets it.
    ///
    /// # Errors
    /// If no 200 with a whole body, and no 304 to a conditional request, came in time, or a page is not allowed.
    pub(super) async fn get(
        &self,
        request: &Request,
        allowance: &(impl Allowance + Sync),
        now: Timestamp,
    ) -> Result<Response, FetchError> {
        let mut hop_headers = HopHeaders::of(request)?;
        let mut trail = Trail::new(request.url.clone(), self.options.max_redirects);
        let mut left = self.options.timeout;
        let begun = Instant::now();
        loop {
            self.address_filter.check(trail.url())?;
            allowance.check(self, trail.url(), now).await?;
            // The permit ends with its hop: holding one while waiting for the next could lock up all.
            let options = &self.options;
            let spacing = if request.unhurried { options.first_spacing } else { options.host_spacing };
            let permit = self.hosts.permit(trail.url(), spacing).await;
            let kept = permit.keeps() && request.proxy.is_none() && trail.url().scheme() == "https";
            let client = self.client_for(request, trail.url(), kept)?;
            let start = Instant::now();
            // After a long wait for a permit, times in the answer count from now.
            let now = now.plus(i64::try_from(begun.elapsed().as_secs()).unwrap_or(i64::MAX));
            if let Some(until) = permit.rests(now) {
                return Err(FetchError::Rests { host: trail.host(), until });
            }
            let late = |_| FetchError::Timeout { host: trail.host(), limit: self.options.timeout };
            let hop = self.hop(&client, &trail, &hop_headers, &permit, now);
            let mut hop = timeout(left, hop).await.map_err(late)?;
            if kept && hop.as_ref().is_err_and(FetchError::is_unanswered) {
                // A server may close a kept connection just when it is used again, or no longer speak
                // HTTP/2; a GET that was not answered may be sent once more (RFC 9110, 9.2.2).
                permit.spoke_http2(false);
                left = left.saturating_sub(start.elapsed());
                let closing = self.clients.closing(trail.url())?;
                let fresh = self.hop(&closing, &trail, &hop_headers, &permit, now);
                hop = timeout(left, fresh).await.map_err(late)?;
            }
            left = left.saturating_sub(start.elapsed());
            drop(permit);
            match hop? {
                Hop::Answer(response) => return Ok(*response),
                Hop::ConditionFailed => hop_headers.drop_conditions(),
                Hop::Moved { to, permanent, cookies } => {
                    trail.follow(to.as_ref(), permanent, &cookies)?;
                }
            }
        }
    }

    /// Returns the client for a request: one for the source's proxy, or one that reuses connections if the
    /// host was asked a moment ago.
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
        hop_headers: &HopHeaders,
        permit: &RequestPermit,
        now: Timestamp,
    ) -> Result<Hop, FetchError> {
        let (sent, conditional) = hop_headers.at(trail);
        let host = trail.host();
        let response = client.get(trail.url().clone()).headers(sent).send().await;
        let response = response.map_err(|error| cause::of_send(error, &host))?;
        permit.spoke_http2(response.version() == reqwest::Version::HTTP_2);
        let fields = response.headers();
        let status = response.status().as_u16();
        tracing::debug!(http.host = host, http.status = status, "answered");
        match status {
            // 203 is a 200 that a proxy has changed (RFC 9110, 15.3.4).
            200 | 203 => {
                let answer = self.answer(trail, response, conditional, now).await;
                answer.map(|answer| Hop::Answer(Box::new(answer)))
            }
            412 if conditional => Ok(Hop::ConditionFailed),
            // Unasked it would mean that all is read, with nothing ever read (RFC 9110, 15.4.5).
            304 if conditional => Ok(Hop::Answer(Box::new(Response::NotModified(NotModified {
                by: Unchanged::NotModified,
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
                // A 429 is about the whole host; a 503 may be about one address that cannot be generated.
                if let Some(until) = retry_after.filter(|_| status == 429) {
                    permit.let_rest(until);
                }
                Err(FetchError::Status { host, status, retry_after })
            }
        }
    }

    async fn answer(
        &self,
        trail: &Trail,
        response: reqwest::Response,
        conditional: bool,
        now: Timestamp,
    ) -> Result<Response, FetchError> {
        let fields = response.headers();
        if headers::is_ambiguous(fields) {
            return Err(FetchError::Framing { host: trail.host() });
        }
        let content_type = headers::content_type(fields);
        let validators = headers::validators(fields);
        let freshness = headers::freshness(fields, now);
        let (body, body_permit) =
            body::read(response, &trail.host(), self.options.max_body, &self.budget).await?;
        if conditional && body.trim_ascii().is_empty() {
            // A server that means 304; the validators are not those of anything that was read.
            let (validators, moved) = (Validators::default(), trail.moved().cloned());
            let by = Unchanged::Empty;
            return Ok(Response::NotModified(NotModified { by, freshness, validators, moved }));
        }
        Ok(Response::Fetched(Fetched {
            url: trail.url().clone(),
            content_type,
            body,
            validators,
            freshness,
            moved: trail.moved().cloned(),
            permit: body_permit,
        }))
    }
}
