//! HTTP responses: what stands at an address, and the headers that every response carries.

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL, CONTENT_DISPOSITION,
    CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use bytes::Bytes;
use http_body_util::Full;

use super::file_snapshot::FileSnapshot;
use crate::model::Timestamp;
use crate::publish::Pictures;

/// The body of a response.
pub type Body = Full<Bytes>;

/// `Content-Security-Policy` of feeds and files: a browser that shows them may load the site's style sheet
/// and pictures.
const FILE_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'";

/// Returns the `Content-Security-Policy` of pages: no scripts, only the site's styles, and pictures from
/// other sites only where articles show them.
pub(super) fn page_policy(pictures: Pictures) -> HeaderValue {
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

/// A representation (RFC 9110, 3.2) with its status: the response before the request's method, conditions and
/// `Accept-Encoding` are applied.
#[derive(Debug)]
pub(super) struct Representation {
    pub(super) status: StatusCode,
    pub(super) bytes: Bytes,
    pub(super) media_type: &'static str,
    pub(super) modified: Option<Timestamp>,
    /// `Content-Location` of a 200, `Location` of a redirect.
    location: Option<String>,
    /// File name in `Content-Disposition`.
    download: Option<&'static str>,
    /// The file that the bytes were read from.
    pub(super) file: Option<FileSnapshot>,
    /// Neither clients nor the response cache may store it.
    pub(super) no_store: bool,
}

impl Representation {
    pub(super) fn file(
        bytes: Vec<u8>,
        media_type: &'static str,
        file: FileSnapshot,
        location: Option<String>,
    ) -> Self {
        Self {
            modified: Some(file.modified),
            location,
            file: Some(file),
            ..Self::generated(bytes, media_type)
        }
    }

    /// Returns an HTML page made on request. It has no `Last-Modified`: it also changes with its neighbours
    /// and the theme, so only its ETag tells whether a client's copy is current.
    pub(super) fn html(html: String) -> Self {
        Self::page(StatusCode::OK, html)
    }

    pub(super) fn page(status: StatusCode, html: String) -> Self {
        Self { status, ..Self::generated(html.into_bytes(), "text/html; charset=utf-8") }
    }

    /// Returns a 200 with bytes made on request.
    pub(super) fn generated(bytes: Vec<u8>, media_type: &'static str) -> Self {
        Self {
            status: StatusCode::OK,
            bytes: bytes.into(),
            media_type,
            modified: None,
            location: None,
            download: None,
            file: None,
            no_store: false,
        }
    }

    /// Forbids clients and the response cache to store it.
    pub(super) fn with_no_store(self) -> Self {
        Self { no_store: true, ..self }
    }

    /// Makes browsers save it as a file of this name.
    pub(super) fn with_download(self, name: &'static str) -> Self {
        Self { download: Some(name), ..self }
    }

    pub(super) fn moved_permanently(target: String) -> Self {
        Self { location: Some(target), ..Self::page(StatusCode::MOVED_PERMANENTLY, String::new()) }
    }

    /// Returns the response for a representation that is not cached here. Clients may store redirects only.
    pub(super) fn into_response(self, page_policy: &HeaderValue, request: &Parts) -> Response<Body> {
        let mut headers = self.headers(page_policy);
        match self.status {
            StatusCode::MOVED_PERMANENTLY => {
                insert_static(&mut headers, CACHE_CONTROL, "public, max-age=86400");
            }
            status => {
                insert_static(&mut headers, CACHE_CONTROL, "no-store");
                if status == StatusCode::METHOD_NOT_ALLOWED {
                    insert_static(&mut headers, ALLOW, "GET, HEAD");
                }
            }
        }
        response(request, self.status, headers, self.bytes)
    }

    /// Returns the headers that do not depend on the request.
    pub(super) fn headers(&self, page_policy: &HeaderValue) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(16);
        let is_page = self.media_type.starts_with("text/html");
        let policy = if is_page { page_policy.clone() } else { HeaderValue::from_static(FILE_POLICY) };
        insert_security_headers(&mut headers, policy);
        insert_static(&mut headers, CONTENT_TYPE, self.media_type);
        // Scripts of other sites may read feeds, not pages.
        if !is_page {
            insert_static(&mut headers, ACCESS_CONTROL_ALLOW_ORIGIN, "*");
            insert_static(&mut headers, ACCESS_CONTROL_EXPOSE_HEADERS, "ETag");
        }
        if let Some(location) = &self.location {
            let name = if self.status == StatusCode::OK { CONTENT_LOCATION } else { LOCATION };
            insert(&mut headers, name, location);
        }
        if let Some(name) = self.download {
            insert(&mut headers, CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\""));
        }
        headers
    }
}

/// Inserts the headers that every response carries.
fn insert_security_headers(headers: &mut HeaderMap, policy: HeaderValue) {
    insert_static(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    insert_static(headers, REFERRER_POLICY, "no-referrer");
    headers.insert(CONTENT_SECURITY_POLICY, policy);
}

/// Returns a response; one to HEAD has the length of the bytes, not the bytes.
pub(super) fn response(
    request: &Parts,
    status: StatusCode,
    mut headers: HeaderMap,
    bytes: Bytes,
) -> Response<Body> {
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

/// Returns the response to a CORS preflight: other sites' scripts may send GET and HEAD with validators.
pub(super) fn preflight(request: &Parts) -> Response<Body> {
    let mut headers = HeaderMap::with_capacity(8);
    insert_security_headers(&mut headers, HeaderValue::from_static(FILE_POLICY));
    insert_static(&mut headers, ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    insert_static(&mut headers, ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD");
    insert_static(&mut headers, ACCESS_CONTROL_ALLOW_HEADERS, "If-None-Match, If-Modified-Since");
    insert_static(&mut headers, ACCESS_CONTROL_MAX_AGE, "86400");
    response(request, StatusCode::NO_CONTENT, headers, Bytes::new())
}

pub(super) fn insert_static(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}

/// Inserts a header; a value that no header may have is left out.
pub(super) fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
