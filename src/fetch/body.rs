//! Reads a body piece by piece, decodes it ([`decode`](super::decode)), and stops at the limits.

use bytes::Bytes;

use super::budget::{Budget, SMALL};
use super::decode::{Decoder, Fault};
use super::{FetchError, cause, headers};
use crate::model::http::BodyPermit;

/// Reads and decodes the whole body; returns it with its permit for the memory that it occupies.
///
/// # Errors
///
/// If it is larger than `limit` or far larger than what was sent, ends early, or does not have the declared
/// coding.
pub(super) async fn read(
    mut response: reqwest::Response,
    host: &str,
    limit: u64,
    budget: &Budget,
) -> Result<(Bytes, BodyPermit), FetchError> {
    let codings = headers::codings(response.headers());
    let unknown = |coding: String| FetchError::Coding { host: host.to_owned(), coding: clip(&coding) };
    let mut decoder = Decoder::new(&codings, limit).map_err(unknown)?;
    let declared = response.content_length().unwrap_or(0);
    if declared > limit {
        return Err(FetchError::TooLarge { host: host.to_owned(), limit });
    }
    let mut permit = budget.share(declared).await;
    let mut paid = declared > SMALL && codings.is_empty();
    let wrong = |fault| of_fault(fault, host, limit);
    while let Some(piece) = response.chunk().await.map_err(|error| cause::of_body(error, host))? {
        let length = decoder.feed(&piece).map_err(wrong)?;
        if !paid && length > SMALL {
            // The final size is unknown.
            drop(std::mem::take(&mut permit));
            permit = budget.share(limit).await;
            paid = true;
        }
    }
    Ok((decoder.end().map_err(wrong)?, permit))
}

fn of_fault(fault: Fault, host: &str, limit: u64) -> FetchError {
    let host = host.to_owned();
    match fault {
        Fault::TooLarge => FetchError::TooLarge { host, limit },
        Fault::Truncated(source) => FetchError::Truncated { host, source: source.into() },
        Fault::Malformed(source) => FetchError::Decode { host, source: source.into() },
        Fault::Unknown(coding) => FetchError::Coding { host, coding: clip(&coding) },
    }
}

/// Returns a coding shortened for an error message.
fn clip(coding: &str) -> String {
    coding.chars().take(40).collect()
}
