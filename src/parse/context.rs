//! The parser's input beside the bytes of a document.

use chrono_tz::Tz;
use url::Url;

use super::date::Dates;
use crate::model::Timestamp;

/// Settings and metadata of a document that is to be parsed.
#[derive(Debug, Clone)]
pub struct Context {
    /// Base of relative links: the final address of the response.
    pub base: Option<Url>,
    /// `Content-Type` of the response.
    pub content_type: Option<String>,
    /// Encoding that the source's config sets.
    pub encoding: Option<&'static encoding_rs::Encoding>,
    /// Zone of dates that name none.
    pub zone: Tz,
    /// Items to read of one document, at most; the rest is counted.
    pub max_entries: usize,
    /// The dates of the document that is being parsed.
    pub dates: Dates,
}

impl Default for Context {
    fn default() -> Self {
        Self {
            base: None,
            content_type: None,
            encoding: None,
            zone: Tz::UTC,
            max_entries: 5_000,
            dates: Dates::default(),
        }
    }
}

impl Context {
    /// Returns the instant that a date of the document names.
    #[must_use]
    pub fn date(&self, text: &str) -> Option<Timestamp> {
        self.dates.read(text, self.zone)
    }

    /// Reads a document and returns it with its dates.
    ///
    /// Reads it a second time if its dates prove that some of them were read in a wrong order of day and
    /// month, or in a wrong language.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn dated<T, E>(&self, read: impl Fn(&Self) -> Result<T, E>) -> Result<(T, Dates), E> {
        let mut context = self.clone();
        let mut document = read(&context)?;
        if let Some(proven) = context.dates.proven() {
            context.dates = proven;
            document = read(&context)?;
        }
        Ok((document, context.dates))
    }
}
