//! What passes between a source and the fetcher.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use super::Timestamp;

/// One GET that a source asks for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Absolute http or https address.
    pub url: Url,
    /// Extra headers of the source's own (name, value).
    pub headers: Vec<(String, String)>,
    /// What the last good answer gave for conditional requests.
    pub validators: Validators,
    /// Hash ([`address_hash`]) of the address that gave them, where it is on another site than
    /// `url`: they mean nothing to anybody else.
    pub validators_of: Option<u64>,
    /// Asked through this HTTP proxy.
    pub proxy: Option<Arc<Url>>,
    /// Whether robots.txt is asked first: for pages, not for feeds and APIs.
    pub robots: bool,
    /// One of many at first contact: its host is asked more slowly.
    pub unhurried: bool,
}

impl Request {
    /// A plain GET without validators.
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

/// Tells addresses apart where keeping them whole would be too much; their fragment does not count.
#[must_use]
pub fn address_hash(url: &Url) -> u64 {
    let mut url = url.clone();
    url.set_fragment(None);
    let digest = Sha256::digest(url.as_str());
    digest.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

/// Host and port as one string: two ports of one machine are two servers.
#[must_use]
pub fn host_of(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default())
}

/// ETag and Last-Modified, opaque: returned as they came (RFC 9110, 13.1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Validators {
    /// `ETag`, quotes and weakness mark included; at most 1,000 bytes.
    pub etag: Option<String>,
    /// `Last-Modified` as it was sent; at most 100 bytes.
    pub last_modified: Option<String>,
}

impl Validators {
    /// Takes over what a 304 brings anew (RFC 9111, 4.3.4).
    pub fn renew(&mut self, newer: Self) {
        self.etag = newer.etag.or(self.etag.take());
        self.last_modified = newer.last_modified.or(self.last_modified.take());
    }
}

/// A good answer.
#[derive(Debug, Clone)]
pub enum Response {
    /// Nothing has changed since the validators were given.
    NotModified(NotModified),
    /// 200 with its body.
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
    /// Newer validators, where it brings some (RFC 9111, 4.3.4).
    pub validators: Validators,
    /// Where permanent redirects alone have led, if any did.
    pub moved: Option<Url>,
}

/// A body and what came with it.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The address that answered, after redirects: the base of relative links.
    pub url: Url,
    /// `Content-Type` as it was sent.
    pub content_type: Option<String>,
    /// Decoded body, within the cap.
    pub body: Bytes,
    /// For the next conditional request.
    pub validators: Validators,
    /// How long the answer may be kept.
    pub freshness: Freshness,
    /// Where permanent redirects (301, 308) alone have led, if any did.
    pub moved: Option<Url>,
    /// Keeps the body's share of the memory for bodies; given back when all is taken in.
    pub permit: BodyPermit,
}

/// A share of the memory for bodies; dropping the last clone gives it back.
#[derive(Clone, Default)]
pub struct BodyPermit(Option<Arc<dyn Any + Send + Sync>>);

impl BodyPermit {
    /// Holds `share` until the last clone is dropped.
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
