//! Finds the characters of a text that a document cannot contain as they are. Most texts have few of them, so
//! bytes are looked up in a table, and the stretches in between are copied as a whole.

use std::borrow::Cow;

/// The beginnings of markup: `&`, `<`, `>`.
pub(super) const RESERVED: u8 = 1;
/// The end of an attribute: `"`.
pub(super) const QUOTE: u8 = 2;
/// Characters that XML forbids (see [`is_xml_char`](crate::model::text::is_xml_char)), and the line ends that
/// an XML reader normalizes (section 2.11).
pub(super) const ILLEGAL: u8 = 4;

/// The classes of characters that each byte of UTF-8 may begin.
const SIGNS: [u8; 256] = {
    let mut signs = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        signs[byte] = ILLEGAL;
        byte += 1;
    }
    signs[b'\t' as usize] = 0;
    signs[b'\n' as usize] = 0;
    signs[0x7F] = ILLEGAL;
    // 0xC2 begins U+0080 to U+00BF, with the control characters; 0xEF begins U+F000 to U+FFFF, with the two
    // noncharacters.
    signs[0xC2] = ILLEGAL;
    signs[0xEF] = ILLEGAL;
    signs[b'&' as usize] = RESERVED;
    signs[b'<' as usize] = RESERVED;
    signs[b'>' as usize] = RESERVED;
    signs[b'"' as usize] = QUOTE;
    signs
};

/// Appends a text, with the characters of the classes `signs` replaced.
pub(super) fn push(out: &mut String, text: &str, signs: u8) {
    let mut copied = 0;
    while let Some((at, length, instead)) = next(text, copied, signs) {
        out.push_str(&text[copied..at]);
        out.push_str(instead);
        copied = at + length;
    }
    out.push_str(&text[copied..]);
}

/// Returns the text without characters that XML forbids, and with normalized line ends.
pub(super) fn legal(text: &str) -> Cow<'_, str> {
    if next(text, 0, ILLEGAL).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    push(&mut out, text, ILLEGAL);
    Cow::Owned(out)
}

/// Returns the first match from `from` on: its offset, its length in bytes, and its replacement.
fn next(text: &str, from: usize, signs: u8) -> Option<(usize, usize, &'static str)> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| SIGNS[usize::from(*byte)] & signs != 0)?;
        let follows = |n: usize| bytes.get(at + n).copied().unwrap_or_default();
        let (length, instead) = match bytes[at] {
            b'&' => (1, "&amp;"),
            b'<' => (1, "&lt;"),
            b'>' => (1, "&gt;"),
            b'"' => (1, "&quot;"),
            b'\r' if follows(1) != b'\n' => (1, "\n"),
            // NEL, U+0085, is no control character to XML.
            0xC2 if (0x80..0xA0).contains(&follows(1)) && follows(1) != 0x85 => (2, ""),
            0xEF if follows(1) == 0xBF && follows(2) >= 0xBE => (3, ""),
            0xC2 | 0xEF => {
                at += 2;
                continue;
            }
            _ => (1, ""),
        };
        return Some((at, length, instead));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::text::is_xml_char;
    use proptest::prelude::*;

    /// Does the same as `push`, character by character.
    fn plainly(text: &str, signs: u8) -> String {
        let mut out = String::new();
        for (at, c) in text.char_indices() {
            match c {
                '&' if signs & RESERVED != 0 => out.push_str("&amp;"),
                '<' if signs & RESERVED != 0 => out.push_str("&lt;"),
                '>' if signs & RESERVED != 0 => out.push_str("&gt;"),
                '"' if signs & QUOTE != 0 => out.push_str("&quot;"),
                '\r' if signs & ILLEGAL != 0 && text[at + 1..].starts_with('\n') => {}
                '\r' if signs & ILLEGAL != 0 => out.push('\n'),
                c if signs & ILLEGAL != 0 && !is_xml_char(c) => {}
                c => out.push(c),
            }
        }
        out
    }

    #[test]
    fn every_character_that_xml_cannot_carry() {
        let all: String = ('\0'..='\u{FFFF}').chain(['\u{10000}', '\u{1F5DE}', '\u{10FFFF}']).collect();
        for signs in 0..8 {
            let mut out = String::new();
            push(&mut out, &all, signs);
            assert!(out == plainly(&all, signs), "signs {signs}");
        }
        assert!(legal(&all).chars().all(is_xml_char));
        assert!(matches!(legal("上海，“报”（一）\n\t&<"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn bytes_and_characters_find_the_same(text in "([a-c&<>\"\r\n\u{7F}-\u{A1}\u{FFFD}-\u{FFFF}，文]|\\PC){0,40}") {
            for signs in 0..8 {
                let mut out = String::new();
                push(&mut out, &text, signs);
                prop_assert_eq!(out, plainly(&text, signs));
            }
        }
    }
}
