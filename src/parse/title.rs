//! The title of a feed or an item, which formats declare to be text or HTML, or nothing.

use url::Url;

use super::resolve::absolute_html;
use super::text::{html_to_text, one_line, title};
use super::tolerant::attrs::Attrs;
use crate::model::markup::after_tag;
use crate::model::text::decode_references;

/// A title as plain text, and as the source sent it where that differs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Title {
    /// Plain text on one line.
    pub plain: String,
    /// HTML, not cleaned.
    pub markup: Option<String>,
}

impl Title {
    /// Creates a title from text that the format declares to be plain.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        Self { plain: one_line(text), markup: None }
    }

    /// Creates a title from text that the format declares to be HTML; its relative addresses become absolute.
    #[must_use]
    pub fn of_html(html: &str, base: Option<&Url>) -> Self {
        Self::new(html_to_text(html), html, base)
    }

    /// Creates a title from RSS, which does not declare whether it is text or HTML.
    #[must_use]
    pub fn of_rss(raw: &str, base: Option<&Url>) -> Self {
        let plain = title(raw);
        if raw.contains('<') { Self::new(plain, raw, base) } else { Self { plain, markup: None } }
    }

    fn new(plain: String, html: &str, base: Option<&Url>) -> Self {
        let html = html.trim();
        let plain = if plain.is_empty() { in_pictures(html).unwrap_or_default() } else { plain };
        let markup = (html != plain).then(|| absolute_html(html, base).into_owned());
        Self { plain, markup }
    }
}

/// Returns the `alt` or `title` of the first picture that has one, for a title without words.
fn in_pictures(html: &str) -> Option<String> {
    let mut rest = html;
    loop {
        let tag = rest.get(rest.find('<')? + 1..)?;
        rest = after_tag(tag);
        let tag = tag.get(..tag.len() - rest.len()).unwrap_or_default().trim_end_matches('>');
        let Some((name, attrs)) = tag.split_once(|c: char| c.is_ascii_whitespace() || c == '/') else {
            continue;
        };
        if name.eq_ignore_ascii_case("img") {
            let attrs = Attrs(attrs);
            let said = ["alt", "title"].iter().filter_map(|name| attrs.get(name));
            if let Some(said) =
                said.map(|said| one_line(&decode_references(said))).find(|said| !said.is_empty())
            {
                return Some(said);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_that_is_a_picture_is_what_it_says() {
        for (html, want) in [
            ("<img src=x alt='A &amp; B'>", "A & B"),
            ("<a href=y><img src=x><IMG alt=\"Storm\"/></a>", "Storm"),
            ("<img src=x alt='' title=T>", "T"),
            ("<img src=x>", ""),
            ("<b>Words</b> <img alt=A>", "Words"),
            ("", ""),
        ] {
            assert_eq!(Title::of_html(html, None).plain, want, "{html}");
            assert_eq!(Title::of_rss(html, None).plain, want, "{html}");
        }
    }
}
