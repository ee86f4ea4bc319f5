//! What a parser has to know beside the bytes.

use chrono_tz::Tz;
use url::Url;

use super::date::Dates;
use crate::model::Timestamp;

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
    /// The dates of the document that is being read.
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
    /// The instant that a date of the document names.
    #[must_use]
    pub fn date(&self, text: &str) -> Option<Timestamp> {
        self.dates.read(text, self.zone)
    }

    /// Reads one document, and once more where its dates prove that some of them were read in another order
    /// of day and month, or in another language, than they are written in. With it come its dates.
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
