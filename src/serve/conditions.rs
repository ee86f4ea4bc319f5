//! What a request asks for beside its address: which encoding, and what it has already. Pure.

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_ENCODING, IF_MODIFIED_SINCE, IF_NONE_MATCH};

/// How an answer's bytes are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Gzip,
    Brotli,
}

impl Encoding {
    pub(super) const ALL: [Self; 3] = [Self::Identity, Self::Gzip, Self::Brotli];

    /// As `Content-Encoding` names it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Brotli => "br",
        }
    }

    /// What its tags end in: another encoding is another representation (RFC 9110, 8.8.3.3).
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Identity => "",
            Self::Gzip => "-gz",
            Self::Brotli => "-br",
        }
    }

    /// The best that a client takes: brotli, then gzip, unless it ranks them otherwise.
    pub(super) fn wanted(headers: &HeaderMap) -> Self {
        let (mut gzip, mut brotli, mut any) = (None, None, 0);
        for part in values(headers, &ACCEPT_ENCODING).take(LIST) {
            let mut pieces = part.split(';');
            let name = pieces.next().unwrap_or_default().trim();
            let weight = pieces.find_map(|piece| weight(piece.trim())).unwrap_or(1_000);
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

/// Members of a list in a header that are looked at.
const LIST: usize = 64;

/// `q=0.5` in thousandths; nothing for what is no weight.
fn weight(piece: &str) -> Option<u16> {
    let value = piece.strip_prefix("q=").or_else(|| piece.strip_prefix("Q="))?;
    let value: f32 = value.trim().parse().ok().filter(|value| (0.0..=1.0).contains(value))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
    Some((value * 1_000.0) as u16)
}

/// Whether the client has it already. `If-None-Match` goes before `If-Modified-Since` (RFC 9110,
/// 13.2.2). A tag of another encoding counts: its bytes say the same.
pub(super) fn has_already(headers: &HeaderMap, hash: &str, modified: Option<u64>) -> bool {
    if headers.contains_key(IF_NONE_MATCH) {
        return values(headers, &IF_NONE_MATCH).take(LIST).any(|tag| {
            let tag = tag.trim().trim_start_matches("W/").trim_matches('"');
            let bare = Encoding::ALL[1..].iter().find_map(|encoding| tag.strip_suffix(encoding.suffix()));
            tag == "*" || bare.unwrap_or(tag) == hash
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

fn values<'a>(headers: &'a HeaderMap, name: &axum::http::HeaderName) -> impl Iterator<Item = &'a str> {
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
    fn conditional_requests() {
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
            assert_eq!(has_already(&headers(&pairs), "abc", at), want, "{pairs:?}");
        }
        assert!(!has_already(&headers(&[(IF_MODIFIED_SINCE, "Tue, 21 Dec 2021 05:55:07 GMT")]), "abc", None));
    }

    #[test]
    fn encodings() {
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
            assert_eq!(Encoding::wanted(&headers(&[(ACCEPT_ENCODING, value)])), want, "{value}");
        }
    }
}
