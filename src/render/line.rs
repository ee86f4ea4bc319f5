//! Text on one line, restricted to the characters of XML 1.0.

use std::borrow::Cow;

use crate::model::text::{is_xml_char, one_line, strip_illegal};

/// Returns plain text, an id or an address on one line, without characters that XML forbids. White space is
/// collapsed here because XML would do so in attributes (section 3.3.3), and readers do it elsewhere.
pub(super) fn line(text: &str) -> Cow<'_, str> {
    // Most texts are one line already, but for white space around them: Chinese paragraphs begin with it.
    let trimmed = text.trim();
    if is_line(trimmed) { Cow::Borrowed(trimmed) } else { Cow::Owned(one_line(&strip_illegal(text))) }
}

/// Returns `true` only if a text is on one line already, which most are; `false` may also mean unknown.
fn is_line(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (mut at, mut after_space) = (0, true);
    while let Some(byte) = bytes.get(at) {
        let width = match byte {
            0x21..=0x7E => 1,
            // U+4000 to U+9FFF, most of what Chinese is written in.
            0xE4..=0xE9 => 3,
            _ => {
                let Some(c) = text[at..].chars().next() else { return false };
                let space = c.is_whitespace();
                let kept = is_xml_char(c) && (!space || !after_space && matches!(c, ' ' | '\u{3000}'));
                if !kept {
                    return false;
                }
                after_space = space;
                at += c.len_utf8();
                continue;
            }
        };
        after_space = false;
        at += width;
    }
    !after_space || text.is_empty()
}

/// Returns [`line()`], or `None` if it is empty: missing fields make no elements.
pub(super) fn some_line(text: &str) -> Option<Cow<'_, str>> {
    Some(line(text)).filter(|text| !text.is_empty())
}
