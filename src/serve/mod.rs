//! HTTP for readers: outputs with strong ETags, 304, brotli and gzip, and the names that feed readers probe.
//!
//! Owns: routes from addresses to outputs, conditional requests (RFC 9110, 13), the response cache, limits on
//! clients, security headers, the status page. Does not own: the bytes (`publish` writes the files, and
//! renders pages of the store on request), polling: it knows neither sources nor the fetcher.
//!
//! hyper serves the connections without a web framework: most requests cost one lookup in the response cache,
//! and a router with boxed bodies would cost more than that.

mod cached_response;
mod connection;
mod file_snapshot;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzz;
mod outputs;
mod request_headers;
mod response;
mod response_cache;
mod route;
mod server;
mod site;
mod status;
mod timeouts;
mod traffic;

pub use response::Body;
pub use server::{ServeOptions, Server};
pub use status::{
    CategoryStatus, ReloadStatus, SourceStatus, StatusDetail, StatusProvider, StatusReport, StatusServer,
    Trouble,
};
pub use traffic::Traffic;
