//! An upstream on a free port of 127.0.0.1 whose documents a test can change, and which records the
//! requests.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

/// A request that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Path and query.
    pub(crate) path: String,
    /// Whether it was conditional.
    pub(crate) conditional: bool,
    /// The status of the answer.
    pub(crate) status: u16,
}

/// The server; it ends with the test's runtime. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Upstream {
    base: String,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Path and query → status, media type, body.
    documents: HashMap<String, (u16, &'static str, String)>,
    asked: Vec<Asked>,
    no_validators: bool,
    /// Blanks appended to the last answer, if each gets one more.
    padding: Option<usize>,
}

impl Upstream {
    /// Starts a server without documents: everything is 404.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Mutex::new(Shared::default()));
        let own = Arc::clone(&shared);
        let answer = get(move |uri: Uri, headers: HeaderMap| {
            std::future::ready(own.lock().unwrap().answer(&uri, &headers))
        });
        drop(tokio::spawn(axum::serve(listener, answer).into_future()));
        Self { base, shared }
    }

    /// Returns `http://127.0.0.1:PORT`, without a slash at the end.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Serves a JSON document at a path (with its query).
    pub(crate) fn json(&self, path: &str, document: &serde_json::Value) {
        self.put(path, 200, "application/json; charset=utf-8", document.to_string());
    }

    /// Serves an RSS document at a path.
    pub(crate) fn rss(&self, path: &str, document: String) {
        self.put(path, 200, "application/rss+xml; charset=utf-8", document);
    }

    /// Answers a path with a status without body from now on.
    pub(crate) fn fail(&self, path: &str, status: u16) {
        self.put(path, status, "text/plain", String::new());
    }

    /// Sends no validators from now on and answers every request in full.
    pub(crate) fn without_validators(&self) {
        self.shared.lock().unwrap().no_validators = true;
    }

    /// Works as [`Upstream::without_validators`], and makes all answers differ in their bytes.
    pub(crate) fn never_the_same(&self) {
        let mut shared = self.shared.lock().unwrap();
        shared.no_validators = true;
        shared.padding = Some(0);
    }

    /// Returns the requests since the last call, in the order of arrival.
    pub(crate) fn take_asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.shared.lock().unwrap().asked)
    }

    /// Serves any document at a path.
    pub(crate) fn put(&self, path: &str, status: u16, media_type: &'static str, body: String) {
        self.shared.lock().unwrap().documents.insert(path.to_owned(), (status, media_type, body));
    }
}

impl Shared {
    fn answer(&mut self, uri: &Uri, headers: &HeaderMap) -> Response {
        let path = uri.path_and_query().map_or_else(String::new, ToString::to_string);
        let condition = headers.get(IF_NONE_MATCH);
        let response = match self.documents.get(&path) {
            None => StatusCode::NOT_FOUND.into_response(),
            Some((200, media_type, body)) => {
                let mut hasher = DefaultHasher::new();
                body.hash(&mut hasher);
                let tag = format!("\"{:x}\"", hasher.finish());
                if self.no_validators {
                    let blanks = self.padding.as_mut().map_or(0, |blanks| {
                        *blanks += 1;
                        *blanks
                    });
                    ([(CONTENT_TYPE, *media_type)], body.clone() + &" ".repeat(blanks)).into_response()
                } else if condition.is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
                    (StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response()
                } else {
                    ([(CONTENT_TYPE, (*media_type).to_owned()), (ETAG, tag)], body.clone()).into_response()
                }
            }
            Some((status, ..)) => StatusCode::from_u16(*status).unwrap().into_response(),
        };
        let status = response.status().as_u16();
        self.asked.push(Asked { path, conditional: condition.is_some(), status });
        response
    }
}
