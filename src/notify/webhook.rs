//! A webhook: its address, its key and what it is told of.

use url::Url;

/// A webhook as the config names it.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Where.
    pub url: Url,
    /// Key of the signature; without it there is none.
    pub secret: Option<String>,
    /// Slugs or names of the categories that it is told of; all, when empty.
    pub categories: Vec<String>,
}

/// The secret stays out of logs.
impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook")
            .field("url", &self.url.as_str())
            .field("signed", &self.secret.is_some())
            .field("categories", &self.categories)
            .finish()
    }
}
