//! What a parser has to know beside the bytes.

use chrono_tz::Tz;
use url::Url;

/// What is known of a document before it is read.
#[derive(Debug, Clone)]
pub struct Context {
    /// Base of relative links: the address that answered.
    pub base: Option<Url>,
    /// `Content-Type` of the answer.
    pub content_type: Option<String>,
    /// Encoding that the source's config fixes.
    pub encoding: Option<&'static encoding_rs::Encoding>,
    /// Zone of dates that name none.
    pub zone: Tz,
    /// Most items to read of one document; the rest is counted.
    pub max_entries: usize,
}

impl Default for Context {
    fn default() -> Self {
        Self { base: None, content_type: None, encoding: None, zone: Tz::UTC, max_entries: 5_000 }
    }
}
