//! The second stage: reads documents that the crates refuse or would misread.
//!
//! Owns: the scanner for markup that is no XML, the meaning of names in all dialects, and the repairs. Does
//! not own: dates, encodings and the text of titles. The scanner never fails, nothing recurses, and no
//! character is read more than a few times: time and memory are linear in the document.
//!
//! Add a new element name in `names`, and what it stores in `found`.

pub(crate) mod attrs;
pub(in crate::parse) mod capture;
pub(in crate::parse) mod draft;
mod found;
pub(in crate::parse) mod hints;
mod meaning;
pub(in crate::parse) mod names;
mod refs;
mod repairs;
mod stack;
mod state;
pub(crate) mod tokens;
mod walk;

#[cfg(test)]
mod tests;

use super::{Context, ParseError};
use crate::model::Document;

/// Reads a document in any XML format; `Ok(None)` when it holds neither a feed nor an item.
///
/// # Errors
/// [`ParseError::Broken`] when it ends before its title or an item could be read.
pub fn parse(text: &str, context: &Context) -> Result<Option<Document>, ParseError> {
    let mut walker = state::Walker::new(text, context);
    walker.run();
    let Some(format) = walker.format else { return Ok(None) };
    if walker.cut && walker.entries.is_empty() && walker.feed.is_untitled() {
        return Err(ParseError::Broken { format, detail: "it ends before its first item does".to_owned() });
    }
    let feed = walker.feed;
    let mut entries = walker.entries;
    if format == "atom" && !feed.authors.is_empty() {
        // RFC 4287, 4.1.2: an entry without authors has those of the feed.
        for entry in entries.iter_mut().filter(|entry| entry.authors.is_empty()) {
            entry.authors.clone_from(&feed.authors);
        }
    }
    let mut document = feed.into_document(entries);
    format.clone_into(&mut document.format);
    document.beyond_cap = walker.beyond;
    document.repairs = walker.repairs.into_list();
    document.reader = "tolerant";
    Ok(Some(document))
}
