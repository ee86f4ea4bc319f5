//! From bytes to an answer: validators, conditional requests, compression, headers.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use axum::body::Body;
use axum::http::header::{
    ACCEPT_ENCODING, ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW, CACHE_CONTROL, CONTENT_DISPOSITION,
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use crate::model::Timestamp;

/// Only smaller answers are not worth compressing, in bytes.
const COMPRESS_FROM: usize = 512;
/// Compressed variants kept, in bytes; when they grow beyond it all go.
const KEEP: usize = 32 << 20;
/// Pages carry no scripts and no styles of their own; pictures come from their origin.
const CSP: &str = "default-src 'none'; style-src 'self'; img-src * data:; media-src *; \
                   base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// What is to be answered.
#[derive(Debug)]
pub(super) struct Reply {
    status: StatusCode,
    bytes: Bytes,
    media_type: &'static str,
    modified: Option<Timestamp>,
    /// `Content-Location`, or `Location` of a redirect.
    location: Option<String>,
    /// The name under which a browser keeps it.
    download: Option<&'static str>,
}

impl Reply {
    pub(super) fn file(
        bytes: Vec<u8>,
        media_type: &'static str,
        at: Timestamp,
        location: Option<String>,
    ) -> Self {
        Self {
            status: StatusCode::OK,
            bytes: bytes.into(),
            media_type,
            modified: Some(at),
            location,
            download: None,
        }
    }

    /// A page made on request: it changes with its neighbours and the theme too, so that only
    /// its ETag tells whether a client has it.
    pub(super) fn html(html: String) -> Self {
        Self::page(StatusCode::OK, html)
    }

    pub(super) fn page(status: StatusCode, html: String) -> Self {
        Self { status, ..Self::made(html.into_bytes(), "text/html; charset=utf-8") }
    }

    /// What is made on request.
    pub(super) fn made(bytes: Vec<u8>, media_type: &'static str) -> Self {
        Self {
            status: StatusCode::OK,
            bytes: bytes.into(),
            media_type,
            modified: None,
            location: None,
            download: None,
        }
    }

    /// The same, to be kept as a file.
    pub(super) fn download(self, name: &'static str) -> Self {
        Self { download: Some(name), ..self }
    }

    pub(super) fn moved(target: String) -> Self {
        Self { location: Some(target), ..Self::page(StatusCode::MOVED_PERMANENTLY, String::new()) }
    }
}

/// Compressed variants by ETag: made at the first request that wants one.
#[derive(Debug, Default)]
pub(super) struct Cached(Mutex<HashMap<String, Bytes>>);

impl Cached {
    /// The answer to `request`.
    pub(super) async fn respond(&self, request: &Parts, reply: Reply) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = reply.status;
        common(&reply, response.headers_mut());
        if reply.status != StatusCode::OK {
            return send(request, response, reply.bytes);
        }
        let gzip = reply.bytes.len() >= COMPRESS_FROM
            && compresses(reply.media_type)
            && accepts_gzip(&request.headers);
        let hash = HEXLOWER.encode(&Sha256::digest(&reply.bytes)[..12]);
        // Another encoding is another representation (RFC 9110, 8.8.3.3).
        let etag = if gzip { format!("\"{hash}-gz\"") } else { format!("\"{hash}\"") };
        let headers = response.headers_mut();
        set(headers, ETAG, &etag);
        if not_modified(&request.headers, &hash, reply.modified) {
            headers.remove(CONTENT_TYPE);
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        if !gzip {
            return send(request, response, reply.bytes);
        }
        set(headers, CONTENT_ENCODING, "gzip");
        let packed = self.packed(&hash, reply.bytes).await;
        send(request, response, packed)
    }

    async fn packed(&self, hash: &str, bytes: Bytes) -> Bytes {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(hash).cloned();
        if let Some(known) = known {
            return known;
        }
        let fallback = bytes.clone();
        let packed = tokio::task::spawn_blocking(move || compress(&bytes)).await.unwrap_or(fallback);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.values().map(Bytes::len).sum::<usize>() + packed.len() > KEEP {
            kept.clear();
        }
        kept.insert(hash.to_owned(), packed.clone());
        packed
    }
}

fn compress(bytes: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 3), Compression::new(6));
    // Writing to memory does not fail; were it to, an empty body would be a visible fault.
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.unwrap_or_default().into()
}

/// What every answer carries, whoever made it.
pub(super) async fn secured(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    set(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(headers, CONTENT_SECURITY_POLICY, CSP);
    set(headers, REFERRER_POLICY, "no-referrer");
    response
}

fn common(reply: &Reply, headers: &mut HeaderMap) {
    set(headers, CONTENT_TYPE, reply.media_type);
    let html = reply.media_type.starts_with("text/html");
    if !html {
        set(headers, ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    }
    match reply.status {
        StatusCode::OK => {
            set(headers, CACHE_CONTROL, "public, max-age=300, stale-while-revalidate=600");
            set(headers, VARY, "Accept-Encoding");
        }
        StatusCode::MOVED_PERMANENTLY => set(headers, CACHE_CONTROL, "public, max-age=86400"),
        StatusCode::METHOD_NOT_ALLOWED => set(headers, ALLOW, "GET, HEAD"),
        _ => set(headers, CACHE_CONTROL, "no-store"),
    }
    if let Some(location) = &reply.location {
        let name = if reply.status == StatusCode::OK { CONTENT_LOCATION } else { LOCATION };
        set(headers, name, location);
    }
    if let Some(name) = reply.download {
        set(headers, CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\""));
    }
    if let Some(at) = reply.modified {
        set(headers, LAST_MODIFIED, &http_date(at));
    }
}

fn send(request: &Parts, mut response: Response<Body>, bytes: Bytes) -> Response<Body> {
    set(response.headers_mut(), CONTENT_LENGTH, &bytes.len().to_string());
    if request.method != Method::HEAD {
        *response.body_mut() = Body::from(bytes);
    }
    response
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// `If-None-Match` before `If-Modified-Since` (RFC 9110, 13.2.2).
fn not_modified(headers: &HeaderMap, hash: &str, modified: Option<Timestamp>) -> bool {
    let mut tags = headers.get_all(IF_NONE_MATCH).iter().filter_map(|v| v.to_str().ok()).peekable();
    if tags.peek().is_some() {
        return tags.flat_map(|list| list.split(',')).any(|tag| {
            let tag = tag.trim().trim_start_matches("W/").trim_matches('"');
            tag == "*" || tag.strip_suffix("-gz").unwrap_or(tag) == hash
        });
    }
    let since = headers.get(IF_MODIFIED_SINCE).and_then(|v| v.to_str().ok());
    let since = since.and_then(|text| httpdate::parse_http_date(text).ok());
    match (since, modified) {
        (Some(since), Some(modified)) => {
            let since = since.duration_since(std::time::SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_secs());
            u64::try_from(modified.unix()).is_ok_and(|modified| modified <= since)
        }
        _ => false,
    }
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT_ENCODING).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(',')).any(
        |part| {
            let mut pieces = part.split(';').map(str::trim);
            let name = pieces.next().unwrap_or_default();
            let refused = pieces.any(|p| p.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0_f32)));
            matches!(name, "gzip" | "x-gzip" | "*") && !refused
        },
    )
}

fn compresses(media_type: &str) -> bool {
    media_type.starts_with("text/") || media_type.contains("xml") || media_type.contains("json")
}

fn http_date(at: Timestamp) -> String {
    let seconds = u64::try_from(at.unix()).unwrap_or_default();
    httpdate::fmt_http_date(std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        map
    }

    #[test]
    fn conditional_requests() {
        let at = Some(Timestamp::from_unix(1_640_066_107));
        for (pairs, want) in [
            (vec![(IF_NONE_MATCH, "\"abc\"")], true),
            (vec![(IF_NONE_MATCH, "W/\"abc-gz\"")], true),
            (vec![(IF_NONE_MATCH, "\"x\", \"abc\"")], true),
            (vec![(IF_NONE_MATCH, "*")], true),
            (vec![(IF_NONE_MATCH, "\"x\""), (IF_MODIFIED_SINCE, "Tue, 21 Dec 2021 05:55:07 GMT")], false),
            (vec![(IF_MODIFIED_SINCE, "Tue, 21 Dec 2021 05:55:07 GMT")], true),
            (vec![(IF_MODIFIED_SINCE, "Tue, 21 Dec 2021 05:55:06 GMT")], false),
            (vec![(IF_MODIFIED_SINCE, "nonsense")], false),
            (vec![], false),
        ] {
            assert_eq!(not_modified(&headers(&pairs), "abc", at), want, "{pairs:?}");
        }
    }

    #[test]
    fn encodings() {
        for (value, want) in
            [("gzip, br", true), ("br", false), ("gzip;q=0", false), ("*", true), ("GZIP", false)]
        {
            assert_eq!(accepts_gzip(&headers(&[(ACCEPT_ENCODING, value)])), want, "{value}");
        }
    }
}
