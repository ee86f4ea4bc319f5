//! Limits the nesting of HTML before it is parsed: the tree builder's work grows with depth times length, and
//! open formatting elements are rebuilt in every new paragraph (HTML Standard, "reconstruct the active
//! formatting elements").

use std::borrow::Cow;
use std::collections::HashMap;

/// The most elements that may be open at once.
const MAX_OPEN: usize = 120;
/// The most formatting elements that may be open at once.
const MAX_FORMATTING: usize = 12;

/// Returns `html` without the start tags that would nest too deep; borrowed if there are none. Linear in its
/// length.
#[must_use]
pub fn bounded(html: &str) -> Cow<'_, str> {
    let mut open = Open::default();
    let mut kept: Option<String> = None;
    let mut copied = 0;
    let mut at = 0;
    while let Some(found) = html[at..].find('<') {
        let start = at + found;
        let end = tag_end(html, start);
        if !open.takes(&html[start..end]) {
            let out = kept.get_or_insert_default();
            out.push_str(&html[copied..start]);
            copied = end;
        }
        at = end;
    }
    match kept {
        None => Cow::Borrowed(html),
        Some(mut out) => {
            out.push_str(&html[copied..]);
            Cow::Owned(out)
        }
    }
}

/// Returns the offset behind the tag that begins at `start`. Quotes and comments are ignored: what a parser
/// might not take for a tag is counted all the same, so nothing can be hidden in them.
fn tag_end(html: &str, start: usize) -> usize {
    let rest = &html.as_bytes()[start + 1..];
    let named = match rest {
        [b'/', first, ..] | [first, ..] => first.is_ascii_alphabetic(),
        [] => false,
    };
    if !named {
        return start + 1;
    }
    // A parser reads a tag without an end up to the end of the text, and drops it.
    html[start..].find('>').map_or(html.len(), |end| start + end + 1)
}

#[derive(Debug, Default)]
struct Open {
    count: usize,
    formatting: usize,
    names: HashMap<String, usize>,
}

impl Open {
    /// Returns whether a tag may stay; text that is no tag always may.
    fn takes(&mut self, tag: &str) -> bool {
        let closes = tag.starts_with("</");
        let rest = tag.trim_start_matches(['<', '/']);
        let name: String = rest
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .take(40)
            .collect::<String>()
            .to_ascii_lowercase();
        if matches!(name.as_str(), "svg" | "math") {
            // In foreign content no element closes itself, and no article needs it.
            return closes;
        }
        if name.is_empty() || is_void(&name) || closes_itself(&name) {
            return true;
        }
        if closes {
            if let Some(count) = self.names.get_mut(&name).filter(|count| **count > 0) {
                *count -= 1;
                self.count -= 1;
                self.formatting -= usize::from(is_formatting(&name));
            }
            return true;
        }
        let formatting = is_formatting(&name);
        if self.count >= MAX_OPEN || (formatting && self.formatting >= MAX_FORMATTING) {
            return false;
        }
        self.count += 1;
        self.formatting += usize::from(formatting);
        *self.names.entry(name).or_default() += 1;
        true
    }
}

/// Returns whether an element of HTML is void: without content and end tag.
#[must_use]
pub fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "param"
            | "source"
            | "track"
            | "wbr"
    )
}

/// Returns whether an element is closed by a sibling: many in a row are not nested.
fn closes_itself(name: &str) -> bool {
    matches!(name, "p" | "li" | "dt" | "dd" | "tr" | "td" | "th" | "tbody" | "thead" | "tfoot" | "option")
}

/// Returns whether a parser reopens an element after a block that cut it off (HTML Standard, 13.2.4.3).
#[must_use]
pub fn is_formatting(name: &str) -> bool {
    matches!(
        name,
        "a" | "b"
            | "big"
            | "code"
            | "em"
            | "font"
            | "i"
            | "nobr"
            | "s"
            | "small"
            | "strike"
            | "strong"
            | "tt"
            | "u"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn articles_stay_as_they_are() {
        let html = "<div><p>一<b>二</b><br></p><ul><li>三<li>四</ul><img alt='a>b'></div>";
        assert!(matches!(bounded(html), Cow::Borrowed(_)));
        assert!(matches!(bounded(&"<p>一".repeat(5_000)), Cow::Borrowed(_)));
        assert!(matches!(bounded(&"<b>一</b>".repeat(5_000)), Cow::Borrowed(_)));
        assert!(matches!(bounded("1 < 2 <"), Cow::Borrowed(_)));
    }

    #[test]
    fn depth_is_cut_and_text_stays() {
        let deep = format!("{}文{}", "<div>".repeat(10_000), "</div>".repeat(10_000));
        let cut = bounded(&deep);
        assert_eq!(cut.matches("<div>").count(), MAX_OPEN);
        assert!(cut.contains('文'));
        let hidden = format!("<a \" {}", "<div>".repeat(10_000));
        assert!(bounded(&hidden).matches("<div>").count() <= MAX_OPEN + 1);
        let formatting = "<b a=1><b a=2>".repeat(500);
        assert_eq!(bounded(&formatting).matches("<b").count(), MAX_FORMATTING);
    }

    proptest! {
        #[test]
        fn any_text_is_taken(html in "(<|>|/|'|\"|b|div|p|=|文| ){0,200}") {
            prop_assert!(bounded(&html).len() <= html.len());
        }
    }
}
