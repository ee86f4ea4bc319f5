//! The request headers that choose a response: `Accept-Encoding`, `If-None-Match` and `If-Modified-Since`.
//! Pure functions.

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_ENCODING, IF_MODIFIED_SINCE, IF_NONE_MATCH};

/// A content coding that responses can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Gzip,
    Brotli,
}

impl Encoding {
    pub(super) const ALL: [Self; 3] = [Self::Identity, Self::Gzip, Self::Brotli];

    /// Returns the name in `Content-Encoding`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Brotli => "br",
        }
    }

    /// Returns the end of its ETags: each encoding is a representation of its own (RFC 9110, 8.8.3.3).
    pub(super) fn etag_suffix(self) -> &'static str {
        match self {
            Self::Identity => "",
            Self::Gzip => "-gz",
            Self::Brotli => "-br",
        }
    }

    /// Returns the encoding that a client prefers; of equal ones brotli before gzip (RFC 9110, 12.5.3).
    pub(super) fn preferred(headers: &HeaderMap) -> Self {
        let (mut gzip, mut brotli, mut any) = (None, None, 0);
        for member in list(headers, &ACCEPT_ENCODING).take(MAX_MEMBERS) {
            let mut parts = member.split(';');
            let name = parts.next().unwrap_or_default().trim();
            let weight = parts.find_map(|part| weight(part.trim())).unwrap_or(1_000);
            match name {
                "gzip" | "x-gzip" => gzip = Some(weight),
                "br" => brotli = Some(weight),
                "*" => any = weight,
                _ => {}
            }
        }
        let (gzip, brotli) = (gzip.unwrap_or(any), brotli.unwrap_or(any));
        if brotli > 0 && brotli >= gzip {
            Self::Brotli
        } else if gzip > 0 {
            Self::Gzip
        } else {
            Self::Identity
        }
    }
}

/// Members of a list in a header that are read.
const MAX_MEMBERS: usize = 64;

/// Parses a weight such as `q=0.5`, in thousandths (RFC 9110, 12.4.2).
fn weight(parameter: &str) -> Option<u16> {
    let value = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="))?;
    let value: f32 = value.trim().parse().ok().filter(|value| (0.0..=1.0).contains(value))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
    Some((value * 1_000.0) as u16)
}

/// Returns whether the client's copy is current. `If-None-Match` takes precedence over `If-Modified-Since`
/// (RFC 9110, 13.2.2). The ETag of any encoding matches, since all encode the same bytes. `hash` is the ETag
/// of the identity encoding without quotes, `modified` is in seconds since 1970.
pub(super) fn is_not_modified(headers: &HeaderMap, hash: &str, modified: Option<u64>) -> bool {
    if headers.contains_key(IF_NONE_MATCH) {
        return list(headers, &IF_NONE_MATCH).take(MAX_MEMBERS).any(|etag| {
            let etag = etag.trim().trim_start_matches("W/").trim_matches('"');
            let bare =
                Encoding::ALL[1..].iter().find_map(|encoding| etag.strip_suffix(encoding.etag_suffix()));
            etag == "*" || bare.unwrap_or(etag) == hash
        });
    }
    let Some(modified) = modified else { return false };
    let since = headers.get(IF_MODIFIED_SINCE).and_then(|value| value.to_str().ok());
    let since = since.and_then(|text| httpdate::parse_http_date(text).ok());
    since.is_some_and(|since| {
        let since = since.duration_since(std::time::SystemTime::UNIX_EPOCH).map_or(0, |age| age.as_secs());
        modified <= since
    })
}

/// Returns the members of a comma-separated list, of all fields of that name.
fn list<'a>(headers: &'a HeaderMap, name: &axum::http::HeaderName) -> impl Iterator<Item = &'a str> {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(','))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        map
    }

    #[test]
    fn requests_with_validators_of_the_current_response_get_304() {
        let at = Some(1_640_066_107);
        for (pairs, want) in [
            (vec![(IF_NONE_MATCH, "\"abc\"")], true),
            (vec![(IF_NONE_MATCH, "W/\"abc-gz\"")], true),
            (vec![(IF_NONE_MATCH, "\"abc-br\"")], true),
            (vec![(IF_NONE_MATCH, "\"abc-xx\"")], false),
            (vec![(IF_NONE_MATCH, "\"x\", \"abc\"")], true),
            (vec![(IF_NONE_MATCH, "*")], true),
            (vec![(IF_NONE_MATCH, "\"x\""), (IF_MODIFIED_SINCE, "Tue, 21 Dec 2021 05:55:07 GMT")], false),
            (vec![(IF_MODIFIED_SINCE, "Tue, 21 Dec 2021 05:55:07 GMT")], true),
            (vec![(IF_MODIFIED_SINCE, "Tue, 21 Dec 2021 05:55:06 GMT")], false),
            (vec![(IF_MODIFIED_SINCE, "nonsense")], false),
            (vec![], false),
        ] {
            assert_eq!(is_not_modified(&headers(&pairs), "abc", at), want, "{pairs:?}");
        }
        assert!(!is_not_modified(
            &headers(&[(IF_MODIFIED_SINCE, "Tue, 21 Dec 2021 05:55:07 GMT")]),
            "abc",
            None
        ));
    }

    #[test]
    fn the_preferred_encoding_follows_weights() {
        use Encoding::{Brotli, Gzip, Identity};
        for (value, want) in [
            ("gzip, br", Brotli),
            ("gzip, deflate, br;q=0.9", Gzip),
            ("gzip;q=0.5, br;q=0.9", Brotli),
            ("br", Brotli),
            ("br;q=0, gzip", Gzip),
            ("gzip;q=0", Identity),
            ("gzip;q=0.000, *;q=0", Identity),
            ("*", Brotli),
            ("*, br;q=0", Gzip),
            ("identity", Identity),
            ("GZIP", Identity),
            ("gzip;q=9e999", Gzip),
            ("", Identity),
        ] {
            assert_eq!(Encoding::preferred(&headers(&[(ACCEPT_ENCODING, value)])), want, "{value}");
        }
    }
}
