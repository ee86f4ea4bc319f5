//! The title of a feed or an item, which formats declare to be text or HTML, or nothing.

use url::Url;

use super::resolve::absolute_html;
use super::text::{html_to_text, one_line, title};

/// A title as plain text, and as the source sent it where that says more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Title {
    /// Plain text on one line.
    pub plain: String,
    /// HTML, not cleaned.
    pub markup: Option<String>,
}

impl Title {
    /// A title that is plain text by declaration.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        Self { plain: one_line(text), markup: None }
    }

    /// A title that is HTML by declaration; relative addresses in it are made absolute.
    #[must_use]
    pub fn of_html(html: &str, base: Option<&Url>) -> Self {
        Self::new(html_to_text(html), html, base)
    }

    /// A title of RSS, which does not say what it is.
    #[must_use]
    pub fn of_rss(raw: &str, base: Option<&Url>) -> Self {
        let plain = title(raw);
        if raw.contains('<') { Self::new(plain, raw, base) } else { Self { plain, markup: None } }
    }

    fn new(plain: String, html: &str, base: Option<&Url>) -> Self {
        let html = html.trim();
        let markup = (html != plain).then(|| absolute_html(html, base).into_owned());
        Self { plain, markup }
    }
}
