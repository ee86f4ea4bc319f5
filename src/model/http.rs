//! Requests of sources and the answers of the fetcher.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use super::Timestamp;

/// One GET of a source.
#[derive(Debug, Clone)]
pub struct Request {
    /// Absolute http or https address.
    pub url: Url,
    /// Extra headers of the source's own (name, value).
    pub headers: Vec<(String, String)>,
    /// The validators of the last good answer, for conditional requests.
    pub validators: Validators,
    /// Hash ([`address_hash`]) of the address that sent the validators, if it is on another site than `url`:
    /// they are only valid there.
    pub validators_of: Option<u64>,
    /// The HTTP proxy to use.
    pub proxy: Option<Arc<Url>>,
    /// Whether robots.txt is obeyed: for pages, not for feeds and APIs.
    pub robots: bool,
    /// Whether it is one of many at first contact, which are spaced more widely.
    pub unhurried: bool,
}

impl Request {
    /// Creates a plain GET without validators.
    #[must_use]
    pub fn get(url: Url) -> Self {
        Self {
            url,
            headers: Vec::new(),
            validators: Validators::default(),
            validators_of: None,
            proxy: None,
            robots: false,
            unhurried: false,
        }
    }
}

/// Hashes an address without its fragment, to compare addresses without storing them.
#[must_use]
pub fn address_hash(url: &Url) -> u64 {
    let mut url = url.clone();
    url.set_fragment(None);
    let digest = Sha256::digest(url.as_str());
    digest.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

/// Returns host and port as one string: two ports of one machine are two servers.
#[must_use]
pub fn host_of(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default())
}

/// `ETag` and `Last-Modified`, opaque: sent back unchanged (RFC 9110, 13.1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Validators {
    /// `ETag`, quotes and weakness mark included; at most 1,000 bytes.
    pub etag: Option<String>,
    /// `Last-Modified` as it was sent; at most 100 bytes.
    pub last_modified: Option<String>,
}

impl Validators {
    /// Adopts the validators of a 304 (RFC 9111, 4.3.4).
    pub fn renew(&mut self, newer: Self) {
        self.etag = newer.etag.or(self.etag.take());
        self.last_modified = newer.last_modified.or(self.last_modified.take());
    }
}

/// A successful answer.
#[derive(Debug, Clone)]
pub enum Response {
    /// Nothing has changed since the validators were given.
    NotModified(NotModified),
    /// 200 with a body.
    Fetched(Fetched),
}

/// How a server says that nothing has changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unchanged {
    /// By the status 304.
    #[default]
    NotModified,
    /// By the bytes that it has sent before, with the status 200.
    SameBytes,
    /// By an empty answer to a conditional request, with the status 200.
    Empty,
}

/// What comes with an answer that brings nothing new.
#[derive(Debug, Clone, Default)]
pub struct NotModified {
    /// How the server says so.
    pub by: Unchanged,
    /// How long the answer may be kept.
    pub freshness: Freshness,
    /// Newer validators, if it sent some (RFC 9111, 4.3.4).
    pub validators: Validators,
    /// The address that permanent redirects alone led to, if there were any.
    pub moved: Option<Url>,
}

/// A body and its metadata.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The address that answered, after redirects: the base of relative links.
    pub url: Url,
    /// `Content-Type` as it was sent.
    pub content_type: Option<String>,
    /// Decoded body, within the cap.
    pub body: Bytes,
    /// Validators for the next conditional request.
    pub validators: Validators,
    /// Time for which the answer is fresh.
    pub freshness: Freshness,
    /// The address that permanent redirects (301, 308) alone led to, if there were any.
    pub moved: Option<Url>,
    /// The body's share of the memory for bodies, released once its items are stored.
    pub permit: BodyPermit,
}

/// A share of the memory for bodies; dropping the last clone releases it.
#[derive(Clone, Default)]
pub struct BodyPermit(Option<Arc<dyn Any + Send + Sync>>);

impl BodyPermit {
    /// Creates a permit that holds `share` until the last clone is dropped.
    #[must_use]
    pub fn of(share: Arc<dyn Any + Send + Sync>) -> Self {
        Self(Some(share))
    }
}

impl fmt::Debug for BodyPermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "BodyPermit" } else { "BodyPermit(none)" })
    }
}

/// The earliest next request that an answer allows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Freshness {
    /// From `Cache-Control: max-age` less `Age`, else from `Expires` (RFC 9111, 4.2).
    pub until: Option<Timestamp>,
}
