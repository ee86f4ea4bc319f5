//! Outputs beside the site's own files, each in a directory of its own kind and for its own
//! readers: article pages for static hosts, a Jekyll site, JSON lines for other programs.
//!
//! Adding a sink: 1 a file here with a type that implements [`Sink`]; 2 its options and one line
//! in [`all`]; 3 its keys in `config`.

mod articles;
mod hundreds;
mod jekyll;
mod json_lines;

use super::{Articles, PublishError, PublishOptions, Run};
use crate::model::Cursor;

pub use jekyll::JekyllOptions;
pub use json_lines::JsonLinesOptions;

/// An output that follows single items.
///
/// It keeps a record beside its files: up to where they show what changed, a fingerprint of what else their bytes
/// depend on, and what it shows of each hundred of a category, so that nothing outlives its item
/// ([`hundreds`]). Cost follows the items that changed, not those that are stored.
pub(super) trait Sink {
    /// Brings it up to all that was stored by `upto`.
    ///
    /// # Errors
    /// [`PublishError`]; its files are then whole, old or new, and the next publish goes on.
    fn publish(&self, run: &mut Run<'_>, upto: &Cursor) -> Result<(), PublishError>;
}

/// Those that the config switches on.
pub(super) fn all(options: &PublishOptions) -> Vec<Box<dyn Sink + '_>> {
    let mut sinks: Vec<Box<dyn Sink + '_>> = Vec::new();
    match options.articles {
        Articles::Files => sinks.push(Box::new(articles::ArticleFiles)),
        Articles::OnRequest => sinks.push(Box::new(articles::NoFiles)),
    }
    if let Some(jekyll) = &options.jekyll {
        sinks.push(Box::new(jekyll::Jekyll(jekyll)));
    }
    if let Some(lines) = &options.json_lines {
        sinks.push(Box::new(json_lines::JsonLines(lines)));
    }
    sinks
}
