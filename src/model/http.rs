//! What passes between a source and the fetcher.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
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
    /// Whether robots.txt is asked first: for pages, not for feeds and APIs.
    pub robots: bool,
}

impl Request {
    /// A plain GET without validators.
    #[must_use]
    pub fn get(url: Url) -> Self {
        Self { url, headers: Vec::new(), validators: Validators::default(), robots: false }
    }
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

/// A good answer.
#[derive(Debug, Clone)]
pub enum Response {
    /// 304: nothing has changed since the validators were given.
    NotModified(Freshness),
    /// 200 with its body.
    Fetched(Fetched),
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
}

/// The earliest next request that an answer allows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Freshness {
    /// From `Cache-Control: max-age` less `Age`, else from `Expires` (RFC 9111, 4.2).
    pub until: Option<Timestamp>,
}
