//! Helpers for text that both parsing and publishing use: characters of XML, single lines, clipping, the text
//! of HTML.

pub use super::markup::{character, decode_references, html_to_text, push_named};

/// Returns text without the characters that XML 1.0 forbids (section 2.2); HTML in feeds must not contain them
/// either, not even as references.
#[must_use]
pub fn strip_illegal(text: &str) -> String {
    // Nearly all texts have none.
    if may_be_illegal(text) { text.chars().filter(|c| is_xml_char(*c)).collect() } else { text.to_owned() }
}

/// Returns whether a text has bytes of characters that [`is_xml_char`] refuses; some others share them.
fn may_be_illegal(text: &str) -> bool {
    let bytes = text.as_bytes();
    // U+0080 to U+00BF begin with C2, U+FFC0 to U+FFFF with EF BF.
    let alone = |b: u8| (b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r')) || b == 0x7F || b == 0xC2;
    bytes.iter().any(|b| alone(*b)) || bytes.windows(2).any(|pair| pair == [0xEF, 0xBF])
}

/// Returns whether XML 1.0 allows a character (production 2), except control characters that section 2.2
/// discourages.
#[must_use]
pub fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
        && !matches!(c, '\u{7F}'..='\u{84}' | '\u{86}'..='\u{9F}')
}

/// Returns plain text that stays the same if it is taken for HTML: some readers treat members that are plain by
/// their format (names, labels, titles in JSON) as HTML. A `<` that could begin a tag becomes its full-width
/// look-alike; `a < b` stays.
#[must_use]
pub fn inert(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        let opens =
            signs.peek().is_some_and(|next| next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?'));
        out.push(if sign == '<' && opens { '＜' } else { sign });
    }
    out
}

/// Returns a text on one line: all white space as single spaces, trimmed; an ideographic space within stays.
#[must_use]
pub fn one_line(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut line = String::with_capacity(text.len());
    // The word that is not yet copied begins at `word`; everything before `at` is scanned.
    let (mut word, mut at) = (0, 0);
    while let Some(found) = bytes[at..].iter().position(|byte| MAY_BE_GAP[usize::from(*byte)]) {
        let gap = at + found;
        let next_is_plain = || bytes.get(gap + 1).is_some_and(|next| !MAY_BE_GAP[usize::from(*next)]);
        if bytes[gap] == b' ' && gap > word && next_is_plain() {
            // Words with single spaces between them are copied as one.
            at = gap + 1;
            continue;
        }
        let sign = text[gap..].chars().next().unwrap_or_default();
        at = gap + sign.len_utf8();
        if sign.is_whitespace() && sign != '\u{3000}' || sign.is_control() {
            push_word(&mut line, &text[word..gap]);
            word = at;
        }
    }
    push_word(&mut line, &text[word..]);
    if line.trim().len() == line.len() { line } else { line.trim().to_owned() }
}

fn push_word(line: &mut String, word: &str) {
    if !word.is_empty() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
}

/// The first bytes of white space and control characters: those of ASCII, U+0080 to U+00BF, U+1680, and
/// U+2000 to U+205F. Some other characters begin with the same bytes.
const MAY_BE_GAP: [bool; 256] = {
    let mut gaps = [false; 256];
    let mut byte = 0;
    while byte <= 0x20 {
        gaps[byte] = true;
        byte += 1;
    }
    gaps[0x7F] = true;
    gaps[0xC2] = true;
    gaps[0xE1] = true;
    gaps[0xE2] = true;
    gaps
};

/// Returns the first `most` characters, with an ellipsis if something was cut.
#[must_use]
pub fn clip(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
    }
}

/// Returns the beginning of a text, at most `most` bytes, with an ellipsis if something was cut.
#[must_use]
pub fn clip_bytes(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(most.saturating_sub('…'.len_utf8()));
    format!("{}…", text[..end].trim_end())
}

/// Returns `text` with the characters that HTML reserves escaped.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_carry_goes() {
        for sign in '\0'..=char::MAX {
            let text = format!("文{sign}，");
            let want = if is_xml_char(sign) { text.clone() } else { "文，".to_owned() };
            assert_eq!(strip_illegal(&text), want, "{sign:?}");
        }
    }

    /// Does the same as [`one_line`], character by character.
    fn plainly(text: &str) -> String {
        let gap = |c: char| c.is_whitespace() && c != '\u{3000}' || c.is_control();
        let words: Vec<&str> = text.split(gap).filter(|word| !word.is_empty()).collect();
        words.join(" ").trim().to_owned()
    }

    #[test]
    fn every_gap_is_one_space() {
        for sign in '\0'..=char::MAX {
            for text in [format!("文{sign}a b{sign}{sign} “报”"), format!("{sign} a{sign}"), sign.to_string()]
            {
                assert_eq!(one_line(&text), plainly(&text), "{sign:?}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn lines_are_the_same_by_bytes(text in "[ab \n\u{A0}\u{2003}\u{3000}文“\u{85}é]{0,24}") {
            proptest::prop_assert_eq!(one_line(&text), plainly(&text));
        }
    }

    #[test]
    fn what_could_be_a_tag_is_none() {
        for (text, want) in [
            ("<script>x</script>", "＜script>x＜/script>"),
            ("<!-- a -->", "＜!-- a -->"),
            ("1 < 2, a <3", "1 < 2, a <3"),
            ("a <", "a <"),
        ] {
            assert_eq!(inert(text), want);
        }
    }
}
