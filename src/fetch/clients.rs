//! The HTTP clients of a fetcher, each built when it is first needed: reading the system's certificates
//! takes longer than many a round of polls.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderValue};
use reqwest::{Client, ClientBuilder};
use url::Url;

use super::address_filter::AddressFilter;
use super::options::FetchOptions;
use super::{FetchError, decode, headers, hosts};

/// Header lines of one answer, at most: 100 cookies are a nuisance, 10,000 an attack.
const MAX_HEADERS: usize = 256;
const MAX_HEADER_BYTES: u32 = 64 * 1024;

#[derive(Debug)]
pub(super) struct Clients {
    options: FetchOptions,
    address_filter: AddressFilter,
    /// For `http`, without certificates. Its connections are closed after use, as are those of `secure`: on a
    /// reused connection of HTTP/1.1, a stray answer would be taken for that of the next request, since
    /// nothing distinguishes them.
    plain: Client,
    /// For `https`.
    secure: OnceLock<Client>,
    /// For hosts that are asked several times in a row and speak HTTP/2, whose answers have the number of
    /// their request.
    keeping: OnceLock<Client>,
    /// One for each proxy in use.
    proxied: Mutex<HashMap<String, Client>>,
}

impl Clients {
    /// Creates the plain client; the others are built when needed.
    ///
    /// # Errors
    /// If the user agent is not a valid header value.
    pub(super) fn new(options: FetchOptions, address_filter: AddressFilter) -> Result<Self, FetchError> {
        let plain =
            direct(&options, &address_filter, 0).tls_certs_only([]).build().map_err(FetchError::Setup)?;
        let (secure, keeping, proxied) = (OnceLock::new(), OnceLock::new(), Mutex::default());
        Ok(Self { options, address_filter, plain, secure, keeping, proxied })
    }

    /// Returns a client whose connections are closed after use.
    ///
    /// # Errors
    /// If the system offers no CA certificates.
    pub(super) fn closing(&self, url: &Url) -> Result<Client, FetchError> {
        if url.scheme() == "http" {
            return Ok(self.plain.clone());
        }
        made_once(&self.secure, || direct(&self.options, &self.address_filter, 0))
    }

    /// Returns a client that reuses connections, for `https` and HTTP/2.
    ///
    /// # Errors
    /// As [`Clients::closing`].
    pub(super) fn keeping(&self) -> Result<Client, FetchError> {
        let kept = self.options.per_host;
        made_once(&self.keeping, || direct(&self.options, &self.address_filter, kept).http2_prior_knowledge())
    }

    /// Returns a client that uses a proxy.
    ///
    /// # Errors
    /// As [`Clients::closing`].
    pub(super) fn through(&self, proxy: &Url) -> Result<Client, FetchError> {
        let mut proxied = self.proxied.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = proxied.get(proxy.as_str()) {
            return Ok(client.clone());
        }
        // The admin chose the proxy, so its own address is not checked; and the proxy resolves names.
        let through = reqwest::Proxy::all(proxy.as_str()).map_err(FetchError::Setup)?;
        let client = builder(&self.options, 0).proxy(through).build().map_err(FetchError::Setup)?;
        proxied.insert(proxy.to_string(), client.clone());
        Ok(client)
    }
}

fn made_once(cell: &OnceLock<Client>, how: impl FnOnce() -> ClientBuilder) -> Result<Client, FetchError> {
    if let Some(known) = cell.get() {
        return Ok(known.clone());
    }
    let made = how().build().map_err(FetchError::Setup)?;
    // Of two built at the same time, the first stays.
    Ok(cell.get_or_init(|| made).clone())
}

/// Returns the builder of a client without a proxy, whose names and addresses the address filter checks.
fn direct(options: &FetchOptions, address_filter: &AddressFilter, kept: usize) -> ClientBuilder {
    builder(options, kept).dns_resolver(address_filter.clone()).no_proxy()
}

/// Returns the builder of a client that keeps up to `kept` idle connections to a host.
fn builder(options: &FetchOptions, kept: usize) -> ClientBuilder {
    // A provider that a test or another fetcher has installed works as well.
    rustls::crypto::ring::default_provider().install_default().ok();
    Client::builder()
        .user_agent(options.user_agent.as_str())
        .default_headers(HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static(headers::ACCEPT_FEEDS)),
            (ACCEPT_ENCODING, HeaderValue::from_static(decode::OFFERED)),
        ]))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(options.connect_timeout)
        // A request has a deadline of its own: keepalive probes would only cost system calls.
        .tcp_keepalive(None)
        .tcp_keepalive_interval(None)
        .tcp_keepalive_retries(None)
        .tcp_user_timeout(None)
        .pool_max_idle_per_host(kept)
        .pool_idle_timeout(hosts::KEPT)
        .http1_max_headers(MAX_HEADERS)
        .http2_max_header_list_size(MAX_HEADER_BYTES)
}
