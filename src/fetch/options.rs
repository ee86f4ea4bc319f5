//! The settings of the fetcher.

use std::time::Duration;

use ipnet::IpNet;

/// The settings of the fetcher; `Default` has the built-in values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchOptions {
    /// `User-Agent` of every request.
    pub user_agent: String,
    /// The deadline of a whole request with its redirects and body; waiting for permits does not count.
    pub timeout: Duration,
    /// The deadline of one connection, DNS and handshake included.
    pub connect_timeout: Duration,
    /// The largest decoded body in bytes.
    pub max_body: u64,
    /// Bytes of all bodies that are read or processed at a time.
    pub max_bodies: u64,
    /// Redirects followed at most.
    pub max_redirects: u8,
    /// Requests at a time.
    pub concurrency: usize,
    /// Requests at a time to one host and port.
    pub per_host: usize,
    /// The pause between the starts of two requests to one host and port.
    pub host_spacing: Duration,
    /// The same for the detail pages at first contact with a source.
    pub first_spacing: Duration,
    /// Inner addresses that may be fetched all the same.
    pub allow: Vec<IpNet>,
}

impl Default for FetchOptions {
    fn default() -> Self {
        Self {
            user_agent: concat!("feedmill/", env!("CARGO_PKG_VERSION")).to_owned(),
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            max_body: 15 * 1024 * 1024,
            max_bodies: 96 * 1024 * 1024,
            max_redirects: 5,
            concurrency: 16,
            per_host: 2,
            host_spacing: Duration::from_millis(200),
            first_spacing: Duration::from_secs(2),
            allow: Vec::new(),
        }
    }
}
