//! Why an answer cannot be used by a source; the messages say what to do.

use thiserror::Error;

use crate::parse::ParseError;

/// Why an answer cannot be used by a source.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceError {
    /// The document cannot be read.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// The answer is JSON, but not of the configured shape.
    #[error("the answer has no list at `{pointer}`; check `items` of the source")]
    NoList {
        /// The JSON Pointer.
        pointer: String,
    },
    /// A template whose result is not an address.
    #[error("`{url}` is not an address; check the template of the source")]
    BadUrl {
        /// The result of the template.
        url: String,
    },
    /// A page that no longer matches what its rule expects.
    #[error(
        "the page no longer matches its rule: {what}; look at it and mend the selectors (nothing is removed)"
    )]
    Drift {
        /// The missing part.
        what: String,
    },
    /// A challenge page (a test for human visitors) in place of the answer.
    #[error(
        "a challenge was sent in place of the document; ask the site's operator to let feedmill through, or give \
         the source the headers or the proxy that the site accepts"
    )]
    Challenge,
    /// A login form in place of the answer.
    #[error("a log-in page was sent in place of the document; give the source what it needs under `headers`")]
    Login,
    /// The detail has no text.
    #[error("the detail has no text at {pointers}")]
    NoText {
        /// The JSON Pointers that were tried.
        pointers: String,
    },
}

impl SourceError {
    /// Returns a stable word for metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Parse(error) => error.kind(),
            Self::NoList { .. } => "no_list",
            Self::BadUrl { .. } => "bad_url",
            Self::Drift { .. } => "drift",
            Self::Challenge => "challenge",
            Self::Login => "login",
            Self::NoText { .. } => "no_text",
        }
    }

    /// Returns whether a later poll may succeed without a change of the config.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        !matches!(self, Self::BadUrl { .. })
    }
}
