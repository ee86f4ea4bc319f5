//! Text on one line, as XML 1.0 can carry it.

use std::borrow::Cow;

use crate::model::text::{is_xml_char, one_line, strip_illegal};

/// Plain text, an id or an address: carried by XML, on one line. White space is collapsed
/// here because XML would do so in attributes (section 3.3.3), and readers do it elsewhere.
pub(super) fn line(text: &str) -> Cow<'_, str> {
    // Chinese texts begin with white space, which is the only thing that keeps most from being a line.
    let trimmed = text.trim();
    if is_line(trimmed) { Cow::Borrowed(trimmed) } else { Cow::Owned(one_line(&strip_illegal(text))) }
}

/// Whether a text is surely on one line already; it mostly is.
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

/// [`line()`], `None` where nothing is left: missing fields make no elements.
pub(super) fn some_line(text: &str) -> Option<Cow<'_, str>> {
    Some(line(text)).filter(|text| !text.is_empty())
}
