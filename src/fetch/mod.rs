//! HTTP: one bounded GET with address filter, redirects, validators and freshness.
//!
//! It does not know sources, feeds or schedules, and never repeats a failed request by itself: an error says
//! whether and when that is worthwhile.

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

/// The HTTP fetcher; clones share connections and bounds.
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
    /// Creates a fetcher; sends nothing.
    ///
    /// # Errors
    ///
    /// If the user agent is not a valid header value.
    pub fn new(options: FetchOptions) -> Result<Self, FetchError> {
        let transport = Transport::new(options)?;
        Ok(Self { shared: Arc::new(Shared { transport, robots: Robots::default() }) })
    }

    /// Sends one GET, conditional if `request` has validators, and follows its redirects.
    ///
    /// # Errors
    ///
    /// If no 200 with a whole body, and no 304 to a conditional request, came in time; or if the request is
    /// for a page that robots.txt forbids.
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
