//! Titles and other plain text, made from what feeds send.

use std::borrow::Cow;

pub use crate::model::text::{clip, escape, html_to_text, one_line};

/// Trims a text; copies it only if there is white space to remove.
#[must_use]
pub fn trimmed(text: String) -> String {
    match text.trim() {
        inner if inner.len() == text.len() => text,
        inner => inner.to_owned(),
    }
}

/// Returns a title as plain text on one line.
///
/// Markup is removed and entities are decoded once more only if there is evidence of them: a known element or
/// a whole entity reference.
#[must_use]
pub fn title(raw: &str) -> String {
    let text = if has_markup(raw) { Cow::Owned(html_to_text(raw)) } else { Cow::Borrowed(raw) };
    one_line(&text)
}

/// Returns whether text that is declared plain is HTML after all: it has an end tag and known markup.
#[must_use]
pub fn looks_like_html(text: &str) -> bool {
    text.contains("</") && has_markup(text)
}

/// The HTML elements that occur in titles.
const INLINE: &[&str] = &[
    "a", "b", "i", "u", "p", "s", "em", "strong", "br", "span", "div", "sup", "sub", "font", "img", "code",
    "tt", "small", "big", "abbr", "cite", "q", "h1", "h2",
];

/// Longest name of a reference, in bytes.
const MAX_NAME: usize = 8;

/// Returns whether a text has an HTML tag (`<b>`, `</p>`, `<br/>`) or an entity (`&amp;`, `&#8220;`).
fn has_markup(text: &str) -> bool {
    text.match_indices('<').any(|(at, _)| {
        let rest = text[at + 1..].trim_start_matches('/');
        let name: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
        let known = INLINE.iter().any(|known| known.eq_ignore_ascii_case(&name));
        known && rest[name.len()..].starts_with(['>', ' ', '/'])
    }) || text.match_indices('&').any(|(at, _)| {
        let rest = &text[at + 1..];
        // The bound keeps a text full of `&` from being scanned to its end for each of them.
        rest.bytes().take(MAX_NAME + 1).position(|b| b == b';').is_some_and(|end| {
            let name = &rest[..end];
            (2..=MAX_NAME).contains(&name.len())
                && (name.bytes().all(|b| b.is_ascii_alphanumeric())
                    || name.strip_prefix('#').is_some_and(|n| {
                        n.trim_start_matches(['x', 'X']).bytes().all(|b| b.is_ascii_hexdigit())
                    }))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_plain_text() {
        for (raw, plain) in [
            ("A &amp; B", "A & B"),
            ("A & B", "A & B"),
            ("AT&T; x", "AT&T; x"),
            ("<b>好</b>消息", "好消息"),
            ("1 < 2 > 0", "1 < 2 > 0"),
            ("《<蒙特利尔>》", "《<蒙特利尔>》"),
            (" 两\n 行 ", "两 行"),
            ("潍柴动力　巴拉德", "潍柴动力　巴拉德"),
            ("{{ x }} &#8220;q&#8221;", "{{ x }} “q”"),
        ] {
            assert_eq!(title(raw), plain, "{raw}");
        }
    }

    #[test]
    fn text_of_blocks_does_not_run_together() {
        assert_eq!(html_to_text("<p>一</p><p>二<br>三</p><script>x</script>"), "一 二 三");
        assert_eq!(clip("一二三", 2), "一二…");
        assert_eq!(clip("一二", 2), "一二");
    }
}
