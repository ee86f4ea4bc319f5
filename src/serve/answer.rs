//! From bytes to answers: headers, and the bytes in every encoding, made once and kept ready.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ALLOW, CACHE_CONTROL, CONTENT_DISPOSITION,
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    LAST_MODIFIED, LOCATION, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use http_body_util::Full;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use super::conditions::{Encoding, has_already};
use super::file::FileMark;
use crate::model::Timestamp;
use crate::publish::Pictures;
use crate::sink::{brotli, gzip};

/// What is sent.
pub(super) type Sent = Response<Full<Bytes>>;

/// Only smaller answers are not worth compressing, in bytes.
const COMPRESS_FROM: usize = 512;
/// How long an answer may be kept without asking, and be used while asking.
const FRESH: &str = "public, max-age=300, stale-while-revalidate=600";

/// What pages may load: no scripts and no styles but the site's own; pictures as the site shows them.
pub(super) fn policy(pictures: Pictures) -> HeaderValue {
    HeaderValue::from_static(match pictures {
        Pictures::Origin => {
            "default-src 'none'; style-src 'self'; img-src * data:; media-src *; base-uri 'none'; \
             form-action 'self'; frame-ancestors 'none'"
        }
        Pictures::Link | Pictures::None => {
            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; \
             frame-ancestors 'none'"
        }
    })
}

/// What is to be answered.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) bytes: Bytes,
    media_type: &'static str,
    modified: Option<Timestamp>,
    /// `Content-Location`, or `Location` of a redirect.
    location: Option<String>,
    /// The name under which a browser keeps it.
    download: Option<&'static str>,
    /// The file that it was read from.
    pub(super) file: Option<FileMark>,
    /// Nobody may keep it.
    pub(super) passing: bool,
}

impl Reply {
    pub(super) fn file(
        bytes: Vec<u8>,
        media_type: &'static str,
        mark: FileMark,
        location: Option<String>,
    ) -> Self {
        Self { modified: Some(mark.modified), location, file: Some(mark), ..Self::made(bytes, media_type) }
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
            file: None,
            passing: false,
        }
    }

    /// The same, true for this moment alone.
    pub(super) fn kept_by_nobody(self) -> Self {
        Self { passing: true, ..self }
    }

    /// The same, to be kept as a file.
    pub(super) fn download(self, name: &'static str) -> Self {
        Self { download: Some(name), ..self }
    }

    pub(super) fn moved(target: String) -> Self {
        Self { location: Some(target), ..Self::page(StatusCode::MOVED_PERMANENTLY, String::new()) }
    }

    /// Sends it as it is, to be kept by nobody but what has moved for good.
    pub(super) fn send(self, policy: &HeaderValue, request: &Parts) -> Sent {
        let mut headers = self.common(policy);
        match self.status {
            StatusCode::MOVED_PERMANENTLY => constant(&mut headers, CACHE_CONTROL, "public, max-age=86400"),
            status => {
                constant(&mut headers, CACHE_CONTROL, "no-store");
                if status == StatusCode::METHOD_NOT_ALLOWED {
                    constant(&mut headers, ALLOW, "GET, HEAD");
                }
            }
        }
        respond(request, self.status, headers, self.bytes)
    }

    /// What it carries whatever becomes of it.
    fn common(&self, policy: &HeaderValue) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(16);
        secure(&mut headers, policy);
        constant(&mut headers, CONTENT_TYPE, self.media_type);
        // Scripts of other sites may read feeds, not pages.
        if !self.media_type.starts_with("text/html") {
            constant(&mut headers, ACCESS_CONTROL_ALLOW_ORIGIN, "*");
            constant(&mut headers, ACCESS_CONTROL_EXPOSE_HEADERS, "ETag");
        }
        if let Some(location) = &self.location {
            let name = if self.status == StatusCode::OK { CONTENT_LOCATION } else { LOCATION };
            set(&mut headers, name, location);
        }
        if let Some(name) = self.download {
            set(&mut headers, CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\""));
        }
        headers
    }
}

/// What every answer carries, whoever made it.
fn secure(headers: &mut HeaderMap, policy: &HeaderValue) {
    constant(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    constant(headers, REFERRER_POLICY, "no-referrer");
    headers.insert(CONTENT_SECURITY_POLICY, policy.clone());
}

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
    unchanged: [OnceLock<HeaderMap>; 3],
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
        (self.plain.bytes.len() as u64) * 2 + 8_192
    }

    /// The encoding in which a request gets it.
    pub(super) fn encoding(&self, headers: &HeaderMap) -> Encoding {
        if self.compresses { Encoding::wanted(headers) } else { Encoding::Identity }
    }

    /// The answer to a request, if all of it is there; else it wants [`Ready::prepare`].
    pub(super) fn answer(&self, request: &Parts, encoding: Encoding) -> Option<Sent> {
        if has_already(&request.headers, &self.hash, self.modified) {
            let mut response = Response::new(Full::default());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.headers_mut() = self.unchanged(encoding).clone();
            return Some(response);
        }
        let variant = match encoding {
            Encoding::Identity => &self.plain,
            Encoding::Gzip => self.gzip.get()?,
            Encoding::Brotli => self.brotli.get()?,
        };
        Some(respond(request, StatusCode::OK, variant.headers.clone(), variant.bytes.clone()))
    }

    /// Makes the bytes of an encoding; others who want them wait.
    pub(super) async fn prepare(&self, encoding: Encoding) {
        let cell = match encoding {
            Encoding::Identity => return,
            Encoding::Gzip => &self.gzip,
            Encoding::Brotli => &self.brotli,
        };
        cell.get_or_init(|| async {
            let plain = self.plain.bytes.clone();
            let pack = if encoding == Encoding::Brotli { brotli } else { gzip };
            let made = tokio::task::spawn_blocking(move || pack(&plain)).await;
            let mut headers = self.plain.headers.clone();
            // What cannot be compressed is sent as it is, under the plain tag.
            let Ok(Ok(bytes)) = made else { return Variant { headers, bytes: self.plain.bytes.clone() } };
            set(&mut headers, ETAG, &tag(&self.hash, encoding));
            constant(&mut headers, CONTENT_ENCODING, encoding.name());
            Variant { headers, bytes: bytes.into() }
        })
        .await;
    }

    fn unchanged(&self, encoding: Encoding) -> &HeaderMap {
        self.unchanged[encoding as usize].get_or_init(|| {
            let mut headers = self.plain.headers.clone();
            headers.remove(CONTENT_TYPE);
            headers.remove(CONTENT_DISPOSITION);
            set(&mut headers, ETAG, &tag(&self.hash, encoding));
            headers
        })
    }
}

fn tag(hash: &str, encoding: Encoding) -> String {
    format!("\"{hash}{}\"", encoding.suffix())
}

fn respond(request: &Parts, status: StatusCode, mut headers: HeaderMap, bytes: Bytes) -> Sent {
    let body = if request.method == Method::HEAD {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        Full::default()
    } else {
        Full::new(bytes)
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// What a browser is told that wants to know whether a script may ask with its validators.
pub(super) fn preflight(policy: &HeaderValue, request: &Parts) -> Sent {
    let mut headers = HeaderMap::with_capacity(8);
    secure(&mut headers, policy);
    constant(&mut headers, ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    constant(&mut headers, axum::http::header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD");
    constant(
        &mut headers,
        axum::http::header::ACCESS_CONTROL_ALLOW_HEADERS,
        "If-None-Match, If-Modified-Since",
    );
    constant(&mut headers, axum::http::header::ACCESS_CONTROL_MAX_AGE, "86400");
    respond(request, StatusCode::NO_CONTENT, headers, Bytes::new())
}

fn constant(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn compresses(media_type: &str) -> bool {
    media_type.starts_with("text/") || media_type.contains("xml") || media_type.contains("json")
}

fn http_date(at: Timestamp) -> String {
    let seconds = u64::try_from(at.unix()).unwrap_or_default();
    httpdate::fmt_http_date(std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds))
}
