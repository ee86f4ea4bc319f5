//! From bytes to answers: what is sent before them, whoever made them.

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ALLOW, CACHE_CONTROL, CONTENT_DISPOSITION,
    CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use bytes::Bytes;
use http_body_util::Full;

use super::file::FileMark;
use crate::model::Timestamp;
use crate::publish::Pictures;

/// What is sent.
pub(super) type Sent = Response<Body>;

/// The bytes of an answer.
pub type Body = Full<Bytes>;

/// What feeds and files may load when a browser shows them: the site's own style sheet.
const FILES: &str = "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'";

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
    pub(super) media_type: &'static str,
    pub(super) modified: Option<Timestamp>,
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
    pub(super) fn common(&self, policy: &HeaderValue) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(16);
        let page = self.media_type.starts_with("text/html");
        secure(&mut headers, if page { policy.clone() } else { HeaderValue::from_static(FILES) });
        constant(&mut headers, CONTENT_TYPE, self.media_type);
        // Scripts of other sites may read feeds, not pages.
        if !page {
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
fn secure(headers: &mut HeaderMap, policy: HeaderValue) {
    constant(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    constant(headers, REFERRER_POLICY, "no-referrer");
    headers.insert(CONTENT_SECURITY_POLICY, policy);
}

pub(super) fn respond(request: &Parts, status: StatusCode, mut headers: HeaderMap, bytes: Bytes) -> Sent {
    let body = if request.method == Method::HEAD {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        Body::default()
    } else {
        Body::new(bytes)
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// What a browser is told that wants to know whether a script may ask with its validators.
pub(super) fn preflight(request: &Parts) -> Sent {
    let mut headers = HeaderMap::with_capacity(8);
    secure(&mut headers, HeaderValue::from_static(FILES));
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

pub(super) fn constant(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}

pub(super) fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
