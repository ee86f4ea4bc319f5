//! Answers that are ready: the bytes in every encoding, made once and kept.

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

use super::answer::{Body, Reply, Sent, constant, respond, set};
use super::conditions::{Encoding, has_already};
use super::file::FileMark;
use crate::blocking;
use crate::model::Timestamp;
use crate::sink::{brotli, gzip};

/// Only smaller answers are not worth compressing, in bytes.
const COMPRESS_FROM: usize = 512;
/// How long an answer may be kept without asking, and be used while asking.
const FRESH: &str = "public, max-age=300, stale-while-revalidate=600";

/// The bytes in one encoding, with all that is sent before them.
#[derive(Debug)]
struct Variant {
    headers: HeaderMap,
    bytes: Bytes,
}

/// An answer that is ready to be sent in every encoding.
#[derive(Debug)]
pub(super) struct Ready {
    hash: String,
    modified: Option<u64>,
    compresses: bool,
    plain: Variant,
    gzip: OnceCell<Variant>,
    brotli: OnceCell<Variant>,
    /// Headers of a 304 for each encoding.
    unchanged: [OnceLock<HeaderMap>; Encoding::ALL.len()],
    /// The state of the site at which it was last known to be right.
    seen: AtomicU64,
    pub(super) file: Option<FileMark>,
}

impl Ready {
    /// Makes it ready.
    pub(super) fn new(reply: Reply, policy: &HeaderValue, seen: u64) -> Self {
        let mut headers = reply.common(policy);
        constant(&mut headers, CACHE_CONTROL, FRESH);
        constant(&mut headers, VARY, "Accept-Encoding");
        if let Some(at) = reply.modified {
            set(&mut headers, LAST_MODIFIED, &http_date(at));
        }
        let hash = HEXLOWER.encode(&Sha256::digest(&reply.bytes)[..12]);
        set(&mut headers, ETAG, &tag(&hash, Encoding::Identity));
        Self {
            hash,
            modified: reply.modified.map(|at| u64::try_from(at.unix()).unwrap_or_default()),
            compresses: reply.bytes.len() >= COMPRESS_FROM && compresses(reply.media_type),
            plain: Variant { headers, bytes: reply.bytes },
            gzip: OnceCell::new(),
            brotli: OnceCell::new(),
            unchanged: Default::default(),
            seen: AtomicU64::new(seen),
            file: reply.file,
        }
    }

    /// Whether it was right at a state of the site.
    pub(super) fn is_of(&self, state: u64) -> bool {
        self.seen.load(Ordering::Acquire) == state
    }

    /// It was looked at, and is right.
    pub(super) fn confirm(&self, state: u64) {
        self.seen.store(state, Ordering::Release);
    }

    /// Whether another says the same in the same words.
    pub(super) fn equals(&self, other: &Self) -> bool {
        self.hash == other.hash && self.plain.headers == other.plain.headers
    }

    /// About how much memory it takes with what is made of it later, in bytes.
    pub(super) fn weight(&self) -> u64 {
        self.plain.bytes.len() as u64 * 2 + 8_192
    }

    /// The encoding in which a request gets it.
    pub(super) fn encoding(&self, headers: &HeaderMap) -> Encoding {
        if !self.compresses {
            return Encoding::Identity;
        }
        Encoding::wanted(headers)
    }

    /// The answer to a request, if all of it is there; else it wants [`Ready::prepare`].
    pub(super) fn answer(&self, request: &Parts, encoding: Encoding) -> Option<Sent> {
        if has_already(&request.headers, &self.hash, self.modified) {
            let mut response = Response::new(Body::default());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.headers_mut() = self.unchanged(encoding).clone();
            return Some(response);
        }
        let variant = match encoding {
            Encoding::Identity => &self.plain,
            encoding => self.cell(encoding)?.get()?,
        };
        let (headers, bytes) = (variant.headers.clone(), variant.bytes.clone());
        Some(respond(request, StatusCode::OK, headers, bytes))
    }

    /// Makes the bytes of an encoding; others who want them wait.
    pub(super) async fn prepare(&self, encoding: Encoding) {
        let pack = match encoding {
            Encoding::Identity => return,
            Encoding::Gzip => gzip,
            Encoding::Brotli => brotli,
        };
        let Some(cell) = self.cell(encoding) else { return };
        cell.get_or_init(|| async {
            let plain = self.plain.bytes.clone();
            let made = blocking::run(move || pack(&plain)).await;
            let mut headers = self.plain.headers.clone();
            // What cannot be compressed is sent as it is, under the plain tag.
            let Ok(Ok(bytes)) = made else { return Variant { headers, bytes: self.plain.bytes.clone() } };
            set(&mut headers, ETAG, &tag(&self.hash, encoding));
            constant(&mut headers, CONTENT_ENCODING, encoding.name());
            Variant { headers, bytes: bytes.into() }
        })
        .await;
    }

    fn cell(&self, encoding: Encoding) -> Option<&OnceCell<Variant>> {
        match encoding {
            Encoding::Identity => None,
            Encoding::Gzip => Some(&self.gzip),
            Encoding::Brotli => Some(&self.brotli),
        }
    }

    fn unchanged(&self, encoding: Encoding) -> &HeaderMap {
        self.unchanged[encoding as usize].get_or_init(|| {
            let mut headers = self.plain.headers.clone();
            headers.remove(CONTENT_TYPE);
            headers.remove(CONTENT_DISPOSITION);
            // The tag says it (RFC 9110, 15.4.5), and who asked by it knows it.
            headers.remove(LAST_MODIFIED);
            headers.remove(ACCESS_CONTROL_EXPOSE_HEADERS);
            set(&mut headers, ETAG, &tag(&self.hash, encoding));
            headers
        })
    }
}

fn tag(hash: &str, encoding: Encoding) -> String {
    format!("\"{hash}{}\"", encoding.suffix())
}

fn compresses(media_type: &str) -> bool {
    media_type.starts_with("text/") || media_type.contains("xml") || media_type.contains("json")
}

fn http_date(at: Timestamp) -> String {
    let seconds = u64::try_from(at.unix()).unwrap_or_default();
    httpdate::fmt_http_date(std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds))
}
