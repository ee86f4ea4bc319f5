//! The errors of parsing.

use thiserror::Error;

/// The reason why a document cannot be read.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseError {
    /// Nothing but white space.
    #[error("the document is empty")]
    Empty,
    /// Not a known format.
    #[error("not a feed: the document begins with `{found}`; known are RSS, RDF, Atom and JSON Feed")]
    Unknown {
        /// The first characters.
        found: String,
    },
    /// A web page where a feed should be.
    #[error("not a feed but a web page (HTML); look for the feed's own address")]
    WebPage,
    /// A document of a known format that is broken.
    #[error("broken {format}: {detail}")]
    Broken {
        /// The format.
        format: &'static str,
        /// The fault, with its place if that is known.
        detail: String,
    },
}

impl ParseError {
    /// Returns a stable word for metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Unknown { .. } => "unknown_format",
            Self::WebPage => "web_page",
            Self::Broken { .. } => "broken",
        }
    }

    /// Returns `true` for every reason: the source may send a readable document at the next poll.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        true
    }
}
