//! How to fetch, as the config sets it.

use std::time::Duration;

use ipnet::IpNet;

/// How to fetch; `Default` holds the values of the field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchOptions {
    /// `User-Agent` of every request.
    pub user_agent: String,
    /// Deadline of a whole request with its redirects and body; waiting for a turn does not count.
    pub timeout: Duration,
    /// Deadline of one connection, name and handshake included.
    pub connect_timeout: Duration,
    /// Largest decoded body in bytes.
    pub max_body: u64,
    /// Bytes of all bodies that are read or taken in at one time.
    pub max_bodies: u64,
    /// Redirects followed.
    pub max_redirects: u8,
    /// Requests at a time.
    pub concurrency: usize,
    /// Requests at a time to one host and port.
    pub per_host: usize,
    /// Between the starts of two requests to one host and port.
    pub host_spacing: Duration,
    /// The same at first contact with a source, for the details of what it lists.
    pub first_spacing: Duration,
    /// Inner addresses that may be asked all the same.
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
