//! Serving: outputs over HTTP with strong ETags, 304, gzip, and the names that readers probe.
//!
//! Owns: addresses to outputs, conditional requests (RFC 9110, 13), compressed variants,
//! security headers. Does not own: the bytes (`publish` writes them, or renders pages of the
//! store on request), polling: it knows neither sources nor the fetcher.

mod answer;
mod names;
mod outputs;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{Method, Request, Response, StatusCode};
use axum::middleware::map_response;
use axum::routing::any;
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::publish::Pages;
use crate::store::Handle;

use answer::{Cached, Reply};
use outputs::Outputs;

/// A request that takes longer is cut off.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Serves one site.
#[derive(Debug, Clone)]
pub struct Server {
    outputs: Arc<Outputs>,
    variants: Arc<Cached>,
}

impl Server {
    /// Serves the output directory, and pages that are rendered from the store.
    #[must_use]
    pub fn new(pages: Arc<Pages>, store: Handle) -> Self {
        Self { outputs: Arc::new(Outputs::new(pages, store)), variants: Arc::new(Cached::default()) }
    }

    /// Serves until `stop` ends; requests in flight are answered.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn run<F>(self, listener: TcpListener, stop: F) -> std::io::Result<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let router = Router::new()
            .route("/healthz", any(healthy))
            .fallback(answer_one)
            .layer(CatchPanicLayer::new())
            .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_TIMEOUT))
            .layer(map_response(answer::secured))
            .with_state(self);
        axum::serve(listener, router).with_graceful_shutdown(stop).await
    }

    async fn answer(&self, request: &Parts) -> Response<Body> {
        if !matches!(request.method, Method::GET | Method::HEAD) {
            let reply = self.outputs.message(StatusCode::METHOD_NOT_ALLOWED, None);
            return self.variants.respond(request, reply).await;
        }
        let reply = self.outputs.find(request.uri.path(), request.uri.query()).await;
        self.variants.respond(request, reply).await
    }
}

async fn answer_one(State(server): State<Server>, request: Request<Body>) -> Response<Body> {
    // The body is not ours to read; what is left is shared between threads freely.
    let (parts, _) = request.into_parts();
    server.answer(&parts).await
}

async fn healthy() -> &'static str {
    "ok\n"
}

/// What stands at an address.
#[derive(Debug)]
enum Found {
    /// Bytes.
    Bytes(Reply),
    /// Moved for good, to this absolute or relative address.
    Moved(String),
    /// Was here and is withdrawn.
    Gone,
}
