//! Why an answer means nothing to a source, in words that say what to do.

use thiserror::Error;

use crate::parse::ParseError;

/// Why an answer means nothing to a source.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceError {
    /// The document cannot be read.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// The answer is JSON, but not of the shape the config says.
    #[error("the answer has no list at `{pointer}`; check `items` of the source")]
    NoList {
        /// The JSON Pointer.
        pointer: String,
    },
    /// A template gave no address.
    #[error("`{url}` is not an address; check the template of the source")]
    BadUrl {
        /// What the template gave.
        url: String,
    },
    /// A page that no longer looks as its rule says.
    #[error(
        "the page no longer matches its rule: {what}; look at it and mend the selectors (nothing is removed)"
    )]
    Drift {
        /// What is missing.
        what: String,
    },
    /// A test whether a person asks, in place of the answer.
    #[error(
        "a challenge was sent in place of the document; ask the site's operator to let feedmill through, or give \
         the source the headers or the proxy that the site accepts"
    )]
    Challenge,
    /// A form to log in, in place of the answer.
    #[error("a log-in page was sent in place of the document; give the source what it needs under `headers`")]
    Login,
    /// The detail holds no text.
    #[error("the detail has no text at {pointers}")]
    NoText {
        /// The JSON Pointers looked at.
        pointers: String,
    },
}

impl SourceError {
    /// A stable word for metrics.
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

    /// An upstream may mend its answer by itself.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        !matches!(self, Self::BadUrl { .. })
    }
}
