//! Reasons for which a fetch fails, each with what to do, and with a kind that metrics can count.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use super::blocked::Blocked;
use crate::model::Timestamp;

/// A failed fetch. No message contains a path, a query or a byte of the body: they may be secret or hostile.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The client could not be built.
    #[error("the HTTP client cannot be set up; check `fetch.user_agent` and the system's CA certificates")]
    Setup(#[source] reqwest::Error),
    /// A header of the source is malformed, or reserved for the fetcher.
    #[error("the header `{name}` cannot be sent; correct it or take it out of `headers`")]
    Header {
        /// The header's name as configured.
        name: String,
    },
    /// The scheme is neither http nor https.
    #[error("the scheme `{scheme}` is not fetched; write an http or https address")]
    Scheme {
        /// The scheme.
        scheme: String,
    },
    /// The site's robots.txt forbids the page.
    #[error(
        "{host} does not want this page fetched (robots.txt); ask its operator, or set `ignore_robots` to \
         the reason why you may"
    )]
    Robots {
        /// The host.
        host: String,
    },
    /// The site's robots.txt could not be asked for, which forbids its pages (RFC 9309, 2.3.1.4).
    #[error("{host} could not be asked for its robots.txt, without which no page of it is fetched")]
    RobotsUnread {
        /// The host.
        host: String,
        /// What became of the request for it.
        #[source]
        why: Arc<FetchError>,
    },
    /// Refused by the address filter.
    #[error(transparent)]
    Blocked(#[from] Blocked),
    /// A redirect that is not followed.
    #[error("the redirect from {host} is not followed: {reason}; write the final address in the source")]
    Redirect {
        /// The host that sent it.
        host: String,
        /// The reason why not.
        reason: &'static str,
    },
    /// The name has no address.
    #[error("the name {host} cannot be resolved; check its spelling and the DNS")]
    Dns {
        /// The name.
        host: String,
        /// The resolver's error.
        source: reqwest::Error,
    },
    /// The connection failed, or ended before the answer.
    #[error("no answer from {host}; it is tried again later")]
    Connect {
        /// The host.
        host: String,
        /// The client's error.
        source: reqwest::Error,
    },
    /// The handshake failed or the certificate is not valid.
    #[error("no safe connection to {host}; its certificate has to be valid for that name")]
    Tls {
        /// The host.
        host: String,
        /// The client's error.
        source: reqwest::Error,
    },
    /// The deadline has passed.
    #[error("{host} has not answered in full within {limit:?}; raise `fetch.timeout` if it needs longer")]
    Timeout {
        /// The host.
        host: String,
        /// The deadline.
        limit: Duration,
    },
    /// The answer is not valid HTTP.
    #[error("the answer from {host} is not valid HTTP; its operator has to mend that")]
    Http {
        /// The host.
        host: String,
        /// The client's error.
        source: reqwest::Error,
    },
    /// The answer declares the length of its body twice.
    #[error("the answer from {host} says its length in two ways; its operator has to mend that")]
    Framing {
        /// The host.
        host: String,
    },
    /// The status means that there is no document.
    #[error("{host} answers {status} ({}); {}", meaning(*status), way_out(*status))]
    Status {
        /// The host.
        host: String,
        /// The status code.
        status: u16,
        /// The earliest next request, from the `Retry-After` of a 429 or 503.
        retry_after: Option<Timestamp>,
    },
    /// No request was sent: the host has asked for a pause in its answer to another one.
    #[error("{host} asked for a pause; it is asked again when that is over")]
    Rests {
        /// The host.
        host: String,
        /// Earliest next request.
        until: Timestamp,
    },
    /// The answer is a test for human visitors in place of the document.
    #[error(
        "{host} wants to see whether a person asks (a challenge); ask its operator to let feedmill through, or \
         give the source the headers or the proxy that it accepts"
    )]
    Challenge {
        /// The host.
        host: String,
    },
    /// The body is larger than the limit.
    #[error("the body from {host} exceeds {limit} bytes; raise `fetch.max_body` if that is meant")]
    TooLarge {
        /// The host.
        host: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// The body ended early.
    #[error("the body from {host} ends early; it is tried again later")]
    Truncated {
        /// The host.
        host: String,
        /// The cause.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The body does not have the declared `Content-Encoding` or framing.
    #[error("the body from {host} cannot be decoded; its operator has to mend that")]
    Decode {
        /// The host.
        host: String,
        /// The cause.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The body has a coding that was not offered.
    #[error("the body from {host} is coded as `{coding}`; only one of gzip, br, zstd and deflate is read")]
    Coding {
        /// The host.
        host: String,
        /// The coding, cut to 40 characters.
        coding: String,
    },
}

impl FetchError {
    /// Returns a stable word for metrics and status pages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Setup(_) | Self::Header { .. } => "config",
            Self::Scheme { .. } => "scheme",
            Self::Blocked(_) => "blocked",
            Self::Robots { .. } => "robots",
            Self::RobotsUnread { why, .. } => why.kind(),
            Self::Redirect { .. } => "redirect",
            Self::Dns { .. } => "dns",
            Self::Connect { .. } => "connect",
            Self::Tls { .. } => "tls",
            Self::Timeout { .. } => "timeout",
            Self::Http { .. } | Self::Framing { .. } => "http",
            Self::Status { status: 410, .. } => "gone",
            Self::Status { status: 204 | 205, .. } => "not_a_feed",
            Self::Status { .. } => "http_status",
            Self::Rests { .. } => "rests",
            Self::Challenge { .. } => "challenge",
            Self::TooLarge { .. } => "too_large",
            Self::Truncated { .. } => "truncated",
            Self::Decode { .. } | Self::Coding { .. } => "decode",
        }
    }

    /// Returns whether the same request may succeed later without any change.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Dns { .. }
            | Self::Connect { .. }
            | Self::Timeout { .. }
            | Self::Truncated { .. }
            | Self::Rests { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
            Self::RobotsUnread { why, .. } => why.is_transient(),
            _ => false,
        }
    }

    /// Returns the earliest next request that the server has asked for, at most a day ahead.
    #[must_use]
    pub fn retry_after(&self) -> Option<Timestamp> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            Self::Rests { until, .. } => Some(*until),
            _ => None,
        }
    }

    /// Returns the error with its `Retry-After` counted from when the answer came, `seconds` after it was
    /// asked for.
    #[must_use]
    pub fn after(mut self, seconds: i64) -> Self {
        if let Self::Status { retry_after: Some(at), .. } = &mut self {
            *at = at.plus(seconds.max(0));
        }
        self
    }

    /// Returns whether there was no answer.
    pub(super) fn is_unanswered(&self) -> bool {
        matches!(self, Self::Connect { .. } | Self::Http { .. } | Self::Tls { .. })
    }

    /// Returns the status code of an answer without a document.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// Returns what a status means.
fn meaning(status: u16) -> &'static str {
    match status {
        204 | 205 => "no content",
        206 => "part of the content",
        304 => "not modified, though nothing was asked that way",
        400 => "bad request",
        401 => "credentials required",
        403 => "forbidden",
        404 => "not found",
        407 => "proxy credentials required",
        408 => "request timeout",
        410 => "gone",
        429 => "rate limited",
        451 => "unavailable for legal reasons",
        500..=599 => "server error",
        _ => "no document",
    }
}

fn way_out(status: u16) -> &'static str {
    match status {
        401 | 403 => "give it the header it wants under `headers`, or ask its operator",
        404 => "check the address of the source",
        410 => "remove the source or give it a new address",
        429 => "poll it less often",
        408 | 425 | 500..=599 => "it is tried again later",
        _ => "check the address in a browser",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_slow_answer_asks_for_counts_from_its_end() {
        let at = Timestamp::from_unix;
        let asks = |retry_after| FetchError::Status { host: "a".to_owned(), status: 503, retry_after };
        assert_eq!(asks(Some(at(103))).after(2).retry_after(), Some(at(105)));
        assert_eq!(asks(Some(at(103))).after(-9).retry_after(), Some(at(103)));
        assert_eq!(asks(None).after(2).retry_after(), None);
    }
}
