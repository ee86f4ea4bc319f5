//! Outputs besides the site's own files, each for its own readers: article pages for static hosts, a Jekyll
//! site, JSON lines for other programs.
//!
//! Adding a sink: 1 a file here with a type that implements [`Sink`]; 2 its options in `publish::options` and
//! one line in [`all`]; 3 its keys in `config`.

mod articles;
mod hundreds;
mod jekyll;
mod json_lines;
mod sink;

use super::options::{Articles, PublishOptions};

use sink::Sink;

/// Returns the sinks that the config switches on.
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
