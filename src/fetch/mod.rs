//! HTTP: one guarded, bounded GET with its redirects, validators and freshness.
//!
//! It does not know sources, feeds or schedules, and it never tries again by itself: an error says
//! whether that is worth it, and when.

mod address_filter;
mod blocked;
mod body;
mod budget;
mod cause;
mod clients;
pub mod decode;
mod error;
mod headers;
mod hop_headers;
mod hosts;
mod jar;
mod options;
mod redirect;
mod robots;
#[cfg(test)]
mod tests;
mod transport;

use std::sync::Arc;

pub use self::blocked::Blocked;
pub use self::error::FetchError;
pub use self::options::FetchOptions;
use self::robots::Robots;
use self::transport::Transport;
use crate::model::Timestamp;
use crate::model::http::{Request, Response};

/// Fetches; clones share connections and bounds.
#[derive(Debug, Clone)]
pub struct Fetcher {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    transport: Transport,
    robots: Robots,
}

impl Fetcher {
    /// Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// If the user agent is no header value.
    pub fn new(options: FetchOptions) -> Result<Self, FetchError> {
        let transport = Transport::new(options)?;
        Ok(Self { shared: Arc::new(Shared { transport, robots: Robots::default() }) })
    }

    /// Sends one GET, conditional if `request` has validators, and follows its redirects.
    ///
    /// # Errors
    ///
    /// If no 200 with a whole body, and no 304 to a conditional request, came in time; or if the
    /// request asks for a page that robots.txt forbids.
    #[tracing::instrument(name = "fetch", skip_all, fields(http.host = request.url.host_str()))]
    pub async fn get(&self, request: &Request, now: Timestamp) -> Result<Response, FetchError> {
        let Shared { transport, robots } = &*self.shared;
        if request.robots {
            transport.get(request, robots, now).await
        } else {
            transport.get(request, &(), now).await
        }
    }
}
