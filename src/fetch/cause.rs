//! Classifies the client's errors by their causes.

use std::error::Error;
use std::io::{self, ErrorKind};

use super::FetchError;
use super::blocked::Blocked;

/// Two messages of hyper, whose types cannot be reached through reqwest: the connection ended before the
/// headers, and something failed below the body. Tests check both.
const NO_HEAD: &str = "connection closed before message completed";
const NO_BODY: &str = "error reading a body from connection";

/// Classifies an error from before the headers of the answer.
///
/// The deadline of the whole request is not the client's, so a timeout here is one of the connection.
pub(super) fn of_send(error: reqwest::Error, host: &str) -> FetchError {
    if let Some(blocked) = chain(&error).find_map(|cause| cause.downcast_ref::<Blocked>()) {
        return FetchError::Blocked(blocked.clone());
    }
    // The address may contain keys in its query.
    let (host, source) = (host.to_owned(), error.without_url());
    if source.is_dns() {
        return FetchError::Dns { host, source };
    }
    if source.is_connect() {
        // An interrupted handshake shows as an early end; a plain connection never does.
        let tls = chain(&source).any(<dyn Error>::is::<rustls::Error>)
            || io_kinds(&source).any(|kind| kind == ErrorKind::UnexpectedEof);
        return if tls { FetchError::Tls { host, source } } else { FetchError::Connect { host, source } };
    }
    if is_cut(&source) || says(&source, NO_HEAD) {
        return FetchError::Connect { host, source };
    }
    FetchError::Http { host, source }
}

/// Classifies an error from within the body.
pub(super) fn of_body(error: reqwest::Error, host: &str) -> FetchError {
    let (host, source) = (host.to_owned(), error.without_url());
    let malformed =
        io_kinds(&source).any(|kind| matches!(kind, ErrorKind::InvalidData | ErrorKind::InvalidInput));
    let below = says(&source, NO_BODY);
    if is_cut(&source) || (below && !malformed) {
        FetchError::Truncated { host, source: source.into() }
    } else if below {
        FetchError::Http { host, source }
    } else {
        FetchError::Decode { host, source: source.into() }
    }
}

/// Returns whether the connection ended before the message did.
fn is_cut(error: &reqwest::Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, TimedOut, UnexpectedEof};
    io_kinds(error).any(|kind| {
        matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | TimedOut | UnexpectedEof)
    })
}

fn says(error: &reqwest::Error, text: &str) -> bool {
    chain(error).any(|cause| cause.to_string() == text)
}

fn io_kinds(error: &reqwest::Error) -> impl Iterator<Item = ErrorKind> {
    chain(error).filter_map(|cause| cause.downcast_ref()).map(io::Error::kind)
}

/// Returns an error and its causes. [`io::Error`]'s source is that of the error it wraps, so the wrapped
/// error is inserted.
fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let first: &(dyn Error + 'static) = error;
    std::iter::successors(Some(first), |&error| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        }
    })
}
