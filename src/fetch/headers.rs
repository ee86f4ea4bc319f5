//! Reads and writes the headers of requests and answers. Pure: the time is an argument.

use std::time::UNIX_EPOCH;

use reqwest::header::{
    AGE, AsHeaderName, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, DATE, ETAG, EXPIRES,
    HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, RETRY_AFTER,
    TRANSFER_ENCODING,
};

use super::FetchError;
use crate::model::Timestamp;
use crate::model::http::{Freshness, Request, Validators};

/// The value of `Accept`, the same as Miniflux's: feeds first, then pages (sources may be pages), then
/// anything.
pub(super) const ACCEPT_FEEDS: &str = "application/xml, application/atom+xml, application/rss+xml, \
    application/rdf+xml, application/feed+json, text/html, */*;q=0.9";

/// The longest wait that an answer can ask for, in seconds (RULES 6.5).
const DAY: i64 = 24 * 60 * 60;
const MAX_ETAG: usize = 1000;
const MAX_LAST_MODIFIED: usize = 100;
const MAX_CONTENT_TYPE: usize = 1000;

/// Headers that a source must not set: they belong to the connection (RFC 9110, 7.6.1) or name another host
/// than the one that the address filter has checked.
const OWN: [&str; 9] = [
    "accept-encoding",
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Returns the source's own headers, which only the first origin may see.
pub(super) fn of_source(request: &Request) -> Result<HeaderMap, FetchError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let refused = || FetchError::Header { name: name.clone() };
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refused())?;
        if OWN.contains(&key.as_str()) {
            return Err(refused());
        }
        let mut value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| refused())?;
        // They may contain tokens, so they are not shown in debug output.
        value.set_sensitive(true);
        headers.append(key, value);
    }
    Ok(headers)
}

/// Returns the headers that make a request conditional.
pub(super) fn conditions(validators: &Validators) -> HeaderMap {
    let mut headers = HeaderMap::new();
    // Opaque, so sent as received (RFC 9110, 8.8.3); one that is not a valid header value is omitted.
    for (name, text) in [(IF_NONE_MATCH, &validators.etag), (IF_MODIFIED_SINCE, &validators.last_modified)] {
        if let Some(value) = text.as_ref().and_then(|text| HeaderValue::from_bytes(text.as_bytes()).ok()) {
            headers.insert(name, value);
        }
    }
    headers
}

/// Returns `ETag` and `Last-Modified` as received; an oversized one is omitted, not cut.
pub(super) fn validators(headers: &HeaderMap) -> Validators {
    Validators {
        etag: text(headers, ETAG, MAX_ETAG),
        last_modified: text(headers, LAST_MODIFIED, MAX_LAST_MODIFIED),
    }
}

/// Returns `Content-Type` as received.
pub(super) fn content_type(headers: &HeaderMap) -> Option<String> {
    text(headers, CONTENT_TYPE, MAX_CONTENT_TYPE)
}

/// Returns whether the answer declares itself to be a test for human visitors (Cloudflare).
pub(super) fn is_challenge(headers: &HeaderMap) -> bool {
    headers.get("cf-mitigated").is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"challenge"))
}

/// Returns the codings of the body in the order in which they were applied (RFC 9110, 8.4), in lower case.
pub(super) fn codings(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(CONTENT_ENCODING).iter();
    let text: Vec<String> =
        values.map(|value| String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase()).collect();
    let codings = text.iter().flat_map(|value| value.split(',')).map(str::trim);
    codings.filter(|coding| !coding.is_empty() && *coding != "identity").map(str::to_owned).collect()
}

/// Returns whether two headers declare where the body ends: an attack on a recipient that uses the other one
/// (RFC 9112, 6.3).
pub(super) fn is_ambiguous(headers: &HeaderMap) -> bool {
    headers.contains_key(TRANSFER_ENCODING) && headers.contains_key(CONTENT_LENGTH)
}

/// Returns how long the answer is fresh (RFC 9111, 4.2.1): `max-age`, else `Expires` − `Date`, both less
/// `Age`; at most a day.
pub(super) fn freshness(headers: &HeaderMap, now: Timestamp) -> Freshness {
    let lifetime = match cache_control(headers) {
        CacheControl::MaxAge(seconds) => Some(seconds),
        CacheControl::Revalidate => None,
        CacheControl::Silent => headers.get(EXPIRES).map(|_| {
            // An unreadable Expires, "0" above all, means expired (RFC 9111, 5.3).
            let sent = date(headers, DATE).unwrap_or(now);
            date(headers, EXPIRES).map_or(0, |expires| expires.since(sent))
        }),
    };
    let age = text(headers, AGE, 20).and_then(|text| seconds(&text)).unwrap_or(0);
    Freshness { until: lifetime.map(|lifetime| now.plus(lifetime.saturating_sub(age).clamp(0, DAY))) }
}

/// Returns the earliest next request (RFC 9110, 10.2.3): `Retry-After` is seconds or a date, at most a day
/// ahead.
///
/// Returns `None` if it is unreadable or past. A date is compared with the server's own clock if it sent
/// that.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    let wait = match seconds(&text(headers, RETRY_AFTER, 100)?) {
        Some(seconds) => seconds,
        None => date(headers, RETRY_AFTER)?.since(date(headers, DATE).unwrap_or(now)),
    };
    (wait >= 0).then(|| now.plus(wait.min(DAY)))
}

#[derive(Debug, PartialEq, Eq)]
enum CacheControl {
    MaxAge(i64),
    /// `no-cache` or `no-store`: the answer is never fresh (RFC 9111, 5.2.2).
    Revalidate,
    Silent,
}

fn cache_control(headers: &HeaderMap) -> CacheControl {
    let mut found = CacheControl::Silent;
    for value in headers.get_all(CACHE_CONTROL) {
        let value = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        for directive in value.split(',') {
            let (name, argument) = directive.split_once('=').unwrap_or((directive, ""));
            match name.trim() {
                // `no-cache="set-cookie"` is about that field alone.
                "no-store" => return CacheControl::Revalidate,
                "no-cache" if argument.is_empty() => return CacheControl::Revalidate,
                // The first of several counts (RFC 9111, 4.2.1); an unreadable one means stale.
                "max-age" if found == CacheControl::Silent => {
                    let age = seconds(argument.trim().trim_matches('"')).unwrap_or(0);
                    found = CacheControl::MaxAge(age);
                }
                _ => {}
            }
        }
    }
    found
}

/// Parses delta seconds: digits only; an overflow becomes the largest value (RFC 9111, 1.2.2).
fn seconds(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(i64::MAX))
}

fn date(headers: &HeaderMap, name: impl AsHeaderName) -> Option<Timestamp> {
    let time = httpdate::parse_http_date(&text(headers, name, 100)?).ok()?;
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp::from_unix(i64::try_from(since.as_secs()).ok()?))
}

/// Returns the first value of a header if it is UTF-8, not empty and no longer than `limit` bytes.
fn text(headers: &HeaderMap, name: impl AsHeaderName, limit: usize) -> Option<String> {
    let value = headers.get(name)?.as_bytes();
    let text = str::from_utf8(value).ok().filter(|text| !text.is_empty() && text.len() <= limit)?;
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    const NOW: Timestamp = Timestamp::EPOCH;

    fn map(lines: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines.split('|').filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').unwrap();
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_bytes(value.trim().as_bytes()).unwrap());
        }
        headers
    }

    /// Returns 2026-11-24T00:00:00Z, as in the `Date` headers below.
    fn now() -> Timestamp {
        NOW.plus(1_795_478_400)
    }

    #[test]
    fn freshness_table() {
        for (lines, expected) in [
            ("", None),
            ("cache-control: max-age=600", Some(600)),
            ("cache-control: public, MAX-AGE=600 , s-maxage=5", Some(600)),
            ("cache-control: max-age=\"600\"", Some(600)),
            ("cache-control: max-age=600, max-age=9", Some(600)),
            ("cache-control: public|cache-control: max-age=60", Some(60)),
            ("cache-control: max-age=600|age: 100", Some(500)),
            ("cache-control: max-age=600|age: 1000", Some(0)),
            ("cache-control: max-age=600|age: x", Some(600)),
            ("cache-control: max-age=0", Some(0)),
            ("cache-control: max-age=-5", Some(0)),
            ("cache-control: max-age", Some(0)),
            ("cache-control: max-age=2147483647", Some(DAY)),
            ("cache-control: max-age=99999999999999999999999", Some(DAY)),
            ("cache-control: no-cache, max-age=600", None),
            ("cache-control: max-age=600, no-store", None),
            ("cache-control: no-cache=\"set-cookie\", max-age=600", Some(600)),
            ("cache-control: max-age=60|expires: Tue, 24 Nov 2026 01:00:00 GMT", Some(60)),
            ("expires: Tue, 24 Nov 2026 01:00:00 GMT", Some(3600)),
            ("expires: Tue, 24 Nov 2026 01:00:00 GMT|date: Tue, 24 Nov 2026 00:30:00 GMT", Some(1800)),
            (
                "expires: Tue, 24 Nov 2026 01:00:00 GMT|date: Tue, 24 Nov 2026 00:30:00 GMT|age: 800",
                Some(1000),
            ),
            ("expires: Tuesday, 24-Nov-26 01:00:00 GMT", Some(3600)),
            ("expires: Tue Nov 24 01:00:00 2026", Some(3600)),
            ("expires: Fri, 31 Dec 9999 23:59:59 GMT", Some(DAY)),
            ("expires: Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("expires: 0", Some(0)),
            ("expires: -1", Some(0)),
            ("cache-control: no-cache|expires: Tue, 24 Nov 2026 01:00:00 GMT", None),
        ] {
            let until = freshness(&map(lines), now()).until;
            assert_eq!(until.map(|until| until.since(now())), expected, "{lines}");
        }
    }

    #[test]
    fn retry_after_table() {
        for (lines, expected) in [
            ("", None),
            ("retry-after: 30", Some(30)),
            ("retry-after: 0", Some(0)),
            ("retry-after: 999999999999", Some(DAY)),
            ("retry-after: 99999999999999999999999999", Some(DAY)),
            ("retry-after: -5", None),
            ("retry-after: soon", None),
            ("retry-after: Tue, 24 Nov 2026 00:01:00 GMT", Some(60)),
            ("retry-after: Tue, 24 Nov 2026 00:01:00 GMT|date: Tue, 24 Nov 2026 00:00:30 GMT", Some(30)),
            ("retry-after: Mon, 23 Nov 2026 00:01:00 GMT", None),
            ("retry-after: Fri, 31 Dec 9999 23:59:59 GMT", Some(DAY)),
        ] {
            let wait = retry_after(&map(lines), now()).map(|until| until.since(now()));
            assert_eq!(wait, expected, "{lines}");
        }
    }

    #[test]
    fn validators_are_opaque_and_capped() {
        let long =
            |length: usize| format!("etag: {}|last-modified: {}", "e".repeat(length), "m".repeat(length));
        for (lines, etag, last_modified) in [
            ("etag: W/\"abc\"".to_owned(), Some("W/\"abc\"".to_owned()), None),
            ("etag: a\"bä".to_owned(), Some("a\"bä".to_owned()), None),
            ("etag: \"1\"|etag: \"2\"".to_owned(), Some("\"1\"".to_owned()), None),
            ("last-modified: Yesterday, 99 Foo".to_owned(), None, Some("Yesterday, 99 Foo".to_owned())),
            ("etag: ".to_owned(), None, None),
            (long(100), Some("e".repeat(100)), Some("m".repeat(100))),
            (long(101), Some("e".repeat(101)), None),
            (long(1000), Some("e".repeat(1000)), None),
            (long(1001), None, None),
        ] {
            assert_eq!(validators(&map(&lines)), Validators { etag, last_modified }, "{lines}");
        }
        let mut latin = HeaderMap::new();
        latin.insert(ETAG, HeaderValue::from_bytes(b"\"\xe4\"").unwrap());
        assert_eq!(validators(&latin), Validators::default());
    }

    #[test]
    fn requests_keep_validators_and_refuse_foreign_fields() {
        let mut request = Request::get(Url::parse("http://example.org/").unwrap());
        request.headers = vec![("X-Key".to_owned(), "s3cret".to_owned())];
        request.validators.etag = Some("W/\"ä\"".to_owned());
        request.validators.last_modified = Some("never\n".to_owned());
        assert_eq!(of_source(&request).unwrap()["x-key"], "s3cret");
        let headers = conditions(&request.validators);
        assert_eq!(headers["if-none-match"].as_bytes(), "W/\"ä\"".as_bytes());
        assert!(!headers.contains_key("if-modified-since"), "a line break was let through");
        for (name, value) in [("Host", "inner"), ("Connection", "x"), ("a b", "x"), ("x", "a\r\nb: c")] {
            request.headers = vec![(name.to_owned(), value.to_owned())];
            let error = of_source(&request).unwrap_err();
            assert_eq!((error.kind(), error.is_transient()), ("config", false), "{name}");
        }
    }

    #[test]
    fn codings_in_their_order() {
        for (lines, expected) in [
            ("", &[][..]),
            ("content-encoding: identity", &[]),
            ("content-encoding: gzip, BR", &["gzip", "br"]),
            ("content-encoding: X-Odd|content-encoding: gzip", &["x-odd", "gzip"]),
        ] {
            assert_eq!(codings(&map(lines)), expected, "{lines}");
        }
        assert!(is_ambiguous(&map("content-length: 1|transfer-encoding: chunked")));
    }
}
