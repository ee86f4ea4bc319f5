//! Writes OPML 2.0: a list of feeds to subscribe to.

use super::markup::Markup;
use super::xml::or;

/// One feed of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// Name of the feed, plain text.
    pub title: String,
    /// Address of the feed, absolute.
    pub xml_url: String,
    /// The page that belongs to it, absolute.
    pub html_url: Option<String>,
}

/// Renders the list as OPML 2.0. It has no date: that would change with every article, or need a time of its
/// own that adds nothing to `Last-Modified`.
#[must_use]
pub fn render(title: &str, language: &str, outlines: &[Outline]) -> Vec<u8> {
    let mut out = Markup::document("", 200 + outlines.len() * 300);
    out.open("opml", &[("version", "2.0")]);
    out.open("head", &[]);
    out.line("title", &[], title);
    out.line("docs", &[], "http://opml.org/spec2.opml");
    out.close();
    out.open("body", &[]);
    for one in outlines {
        // `text` is the one required attribute; readers of OPML 1 look for `title`.
        let title = or(&one.title, &one.xml_url);
        let mut attributes =
            vec![("type", "rss"), ("text", title), ("title", title), ("xmlUrl", one.xml_url.as_str())];
        attributes.extend(one.html_url.as_deref().map(|url| ("htmlUrl", url)));
        if !language.trim().is_empty() {
            attributes.push(("language", language));
        }
        out.empty("outline", &attributes);
    }
    out.finish()
}
