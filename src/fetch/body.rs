//! Reads a body piece by piece and stops at the cap.
//!
//! The cap counts decoded bytes, so it holds for bombs of every coding: the client's decoders hand out
//! a few kilobytes at a time, and one byte too many ends the request. The client drops
//! `Content-Length` and `Content-Encoding` of what it decodes, so the size on the wire is unknown here
//! and no ratio is taken. Of a gzip body of several members they read the first.

use bytes::{Bytes, BytesMut};

use super::budget::{Budget, SMALL};
use super::{FetchError, cause};
use crate::model::http::Room;

/// Room made beforehand at most: a declared length costs the sender nothing.
const MAX_RESERVE: u64 = 256 * 1024;

/// The whole body with its share of the memory for bodies, or an error if it is larger than
/// `limit` or ends early.
pub(super) async fn read(
    mut response: reqwest::Response,
    host: &str,
    limit: u64,
    budget: &Budget,
) -> Result<(Bytes, Room), FetchError> {
    let declared = response.content_length().unwrap_or(0);
    if declared > limit {
        return Err(FetchError::TooLarge { host: host.to_owned(), limit });
    }
    let mut room = budget.share(declared).await;
    let mut paid = declared > SMALL;
    let mut body = BytesMut::with_capacity(usize::try_from(declared.min(MAX_RESERVE)).unwrap_or(0));
    while let Some(piece) = response.chunk().await.map_err(|error| cause::of_body(error, host))? {
        let length = u64::try_from(body.len() + piece.len()).unwrap_or(u64::MAX);
        if length > limit {
            return Err(FetchError::TooLarge { host: host.to_owned(), limit });
        }
        if !paid && length > SMALL {
            // How large it gets nobody knows.
            room = budget.share(limit).await;
            paid = true;
        }
        body.extend_from_slice(&piece);
    }
    Ok((body.freeze(), room))
}
