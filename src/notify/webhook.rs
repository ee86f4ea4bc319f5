//! A webhook: its URL, its secret and its categories.

use url::Url;

/// A webhook of the configuration.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    /// URL that messages are posted to.
    pub url: Url,
    /// Key of the signature; messages are not signed without one.
    pub secret: Option<String>,
    /// Slugs or names of its categories; empty for all.
    pub categories: Vec<String>,
}

/// Omits the secret, which must not appear in logs.
impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook")
            .field("url", &self.url.as_str())
            .field("signed", &self.secret.is_some())
            .field("categories", &self.categories)
            .finish()
    }
}
