//! A response kept in memory: headers and bytes, and the bytes of each encoding once a client asked for it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::header::{
    ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_TYPE, ETAG,
    LAST_MODIFIED, VARY,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use super::file_snapshot::FileSnapshot;
use super::request_headers::{Encoding, is_not_modified};
use super::response::{Body, Representation, insert, insert_static, response};
use crate::blocking;
use crate::model::Timestamp;
use crate::sink::{brotli, gzip};

/// Smaller bodies are not compressed, in bytes.
const MIN_COMPRESSED: usize = 512;
/// Memory of the headers and of the cache's entry, in bytes.
const OVERHEAD: u64 = 8_192;
/// `Cache-Control` of what may be cached.
const PUBLIC: &str = "public, max-age=300, stale-while-revalidate=600";

/// The bytes in one encoding, with their headers.
#[derive(Debug)]
struct Encoded {
    headers: HeaderMap,
    bytes: Bytes,
}

/// A successful response that can be sent in every encoding.
#[derive(Debug)]
pub(super) struct CachedResponse {
    /// The ETag of the identity encoding, without quotes.
    hash: String,
    /// Seconds since 1970.
    modified: Option<u64>,
    is_compressible: bool,
    identity: Encoded,
    gzip: OnceCell<Encoded>,
    brotli: OnceCell<Encoded>,
    /// Headers of a 304, by encoding.
    not_modified: [OnceLock<HeaderMap>; Encoding::ALL.len()],
    /// The latest revision of the outputs at which this response was current.
    revision: AtomicU64,
    pub(super) file: Option<FileSnapshot>,
}

impl CachedResponse {
    /// Returns the response for a representation that was made at `revision` of the outputs.
    pub(super) fn new(content: Representation, page_policy: &HeaderValue, revision: u64) -> Self {
        let mut headers = content.headers(page_policy);
        insert_static(&mut headers, CACHE_CONTROL, PUBLIC);
        insert_static(&mut headers, VARY, "Accept-Encoding");
        if let Some(at) = content.modified {
            insert(&mut headers, LAST_MODIFIED, &http_date(at));
        }
        let hash = HEXLOWER.encode(&Sha256::digest(&content.bytes)[..12]);
        insert(&mut headers, ETAG, &etag(&hash, Encoding::Identity));
        Self {
            hash,
            modified: content.modified.map(|at| u64::try_from(at.unix()).unwrap_or_default()),
            is_compressible: content.bytes.len() >= MIN_COMPRESSED && is_text(content.media_type),
            identity: Encoded { headers, bytes: content.bytes },
            gzip: OnceCell::new(),
            brotli: OnceCell::new(),
            not_modified: Default::default(),
            revision: AtomicU64::new(revision),
            file: content.file,
        }
    }

    /// Returns whether the response is known to be current at a revision of the outputs.
    pub(super) fn is_current_at(&self, revision: u64) -> bool {
        self.revision.load(Ordering::Acquire) == revision
    }

    /// Records that the response was compared with the outputs at a revision and is current.
    pub(super) fn set_current_at(&self, revision: u64) {
        self.revision.store(revision, Ordering::Release);
    }

    /// Returns whether both have the same bytes and headers.
    pub(super) fn equals(&self, other: &Self) -> bool {
        self.hash == other.hash && self.identity.headers == other.identity.headers
    }

    /// Returns about how much memory it takes with its compressed bodies, in bytes.
    pub(super) fn memory(&self) -> u64 {
        // Gzip and brotli together take less than the text.
        self.identity.bytes.len() as u64 * 2 + OVERHEAD
    }

    /// Returns the encoding in which a request gets it.
    pub(super) fn encoding(&self, headers: &HeaderMap) -> Encoding {
        if !self.is_compressible {
            return Encoding::Identity;
        }
        Encoding::preferred(headers)
    }

    /// Returns the response to a request; `None` if the bytes must be compressed first
    /// ([`CachedResponse::compress`]).
    pub(super) fn response(&self, request: &Parts, encoding: Encoding) -> Option<Response<Body>> {
        if is_not_modified(&request.headers, &self.hash, self.modified) {
            let mut response = Response::new(Body::default());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.headers_mut() = self.not_modified_headers(encoding).clone();
            return Some(response);
        }
        let encoded = match encoding {
            Encoding::Identity => &self.identity,
            encoding => self.compressed(encoding)?.get()?,
        };
        Some(response(request, StatusCode::OK, encoded.headers.clone(), encoded.bytes.clone()))
    }

    /// Compresses the bytes once; concurrent calls wait for the first.
    pub(super) async fn compress(&self, encoding: Encoding) {
        let compress = match encoding {
            Encoding::Identity => return,
            Encoding::Gzip => gzip,
            Encoding::Brotli => brotli,
        };
        let Some(cell) = self.compressed(encoding) else { return };
        cell.get_or_init(|| async {
            let identity = self.identity.bytes.clone();
            let compressed = blocking::run(move || compress(&identity)).await;
            let mut headers = self.identity.headers.clone();
            // What cannot be compressed is sent as it is, under the ETag of the identity encoding.
            let Ok(Ok(bytes)) = compressed else {
                return Encoded { headers, bytes: self.identity.bytes.clone() };
            };
            insert(&mut headers, ETAG, &etag(&self.hash, encoding));
            insert_static(&mut headers, CONTENT_ENCODING, encoding.name());
            Encoded { headers, bytes: bytes.into() }
        })
        .await;
    }

    fn compressed(&self, encoding: Encoding) -> Option<&OnceCell<Encoded>> {
        match encoding {
            Encoding::Identity => None,
            Encoding::Gzip => Some(&self.gzip),
            Encoding::Brotli => Some(&self.brotli),
        }
    }

    fn not_modified_headers(&self, encoding: Encoding) -> &HeaderMap {
        self.not_modified[encoding as usize].get_or_init(|| {
            let mut headers = self.identity.headers.clone();
            headers.remove(CONTENT_TYPE);
            headers.remove(CONTENT_DISPOSITION);
            // The ETag is enough for a cache to update its copy (RFC 9110, 15.4.5).
            headers.remove(LAST_MODIFIED);
            headers.remove(ACCESS_CONTROL_EXPOSE_HEADERS);
            insert(&mut headers, ETAG, &etag(&self.hash, encoding));
            headers
        })
    }
}

fn etag(hash: &str, encoding: Encoding) -> String {
    format!("\"{hash}{}\"", encoding.etag_suffix())
}

fn is_text(media_type: &str) -> bool {
    media_type.starts_with("text/") || media_type.contains("xml") || media_type.contains("json")
}

/// Formats a time as `Last-Modified` (RFC 9110, 5.6.7).
fn http_date(at: Timestamp) -> String {
    let seconds = u64::try_from(at.unix()).unwrap_or_default();
    httpdate::fmt_http_date(std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds))
}
