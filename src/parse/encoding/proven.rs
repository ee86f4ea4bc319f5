//! Encodings that the bytes themselves prove, whatever the label: ISO-2022-JP, and UTF-8 that was encoded a
//! second time.

use std::sync::LazyLock;

use encoding_rs::{Encoding, ISO_2022_JP};

use crate::model::text::character;

/// Escapes that begin Japanese text (RFC 1468 and JIS X 0212).
const JAPANESE: [&[u8]; 4] = [b"\x1b$B", b"\x1b$@", b"\x1b$(D", b"\x1b$(B"];
/// Continuation bytes that must appear as characters of their own before UTF-8 counts as encoded twice: a
/// text may mention one or two such characters.
const PROOF: usize = 3;
/// The characters of windows-1252 at 0x80 to 0x9F.
static HIGH: LazyLock<Vec<Option<char>>> =
    LazyLock::new(|| (0x80..0xA0_u8).map(|byte| character(&byte.to_string())).collect());

/// Recognizes ISO-2022-JP: seven-bit bytes, and escapes that no other encoding has.
pub(super) fn iso_2022_jp(bytes: &[u8]) -> Option<&'static Encoding> {
    let at = memchr::memchr(0x1B, bytes)?;
    let rest = bytes.get(at..)?;
    let escaped = JAPANESE.iter().any(|escape| memchr::memmem::find(rest, escape).is_some());
    if !escaped || !bytes.is_ascii() {
        return None;
    }
    let (text, _) = ISO_2022_JP.decode_without_bom_handling(bytes);
    let (mut read, mut lost) = (0_usize, 0_usize);
    for sign in text.chars().filter(|sign| !sign.is_ascii()) {
        if sign == char::REPLACEMENT_CHARACTER { lost += 1 } else { read += 1 }
    }
    (read > 10 * lost).then_some(ISO_2022_JP)
}

/// Returns the original of a text that was encoded as UTF-8 twice.
///
/// Every non-ASCII character must be one byte of a whole UTF-8 sequence, as windows-1252 or Latin-1 shows it;
/// a single exception proves the contrary.
pub(super) fn encoded_twice(text: &str) -> Option<String> {
    let mut meant = String::new();
    let (mut rest, mut proof) = (text, 0_usize);
    loop {
        let plain = Encoding::ascii_valid_up_to(rest.as_bytes());
        let (ascii, after) = rest.split_at(plain);
        if after.is_empty() {
            if proof < PROOF {
                return None;
            }
            meant.push_str(ascii);
            return Some(meant);
        }
        let end = after.bytes().position(|byte| byte.is_ascii()).unwrap_or(after.len());
        let (run, next) = after.split_at(end);
        let bytes = run.chars().map(byte_of).collect::<Option<Vec<u8>>>()?;
        let once = std::str::from_utf8(&bytes).ok()?;
        if once.chars().any(|sign| matches!(sign, '\u{80}'..='\u{9F}')) {
            return None;
        }
        proof += bytes.len() - once.chars().count();
        if meant.is_empty() {
            meant.reserve(text.len());
        }
        meant.push_str(ascii);
        meant.push_str(once);
        rest = next;
    }
}

/// Returns the byte that a character stands for in windows-1252, or in Latin-1.
fn byte_of(sign: char) -> Option<u8> {
    u8::try_from(u32::from(sign)).ok().or_else(|| {
        let place = HIGH.iter().position(|shown| *shown == Some(sign))?;
        u8::try_from(place).ok().map(|place| 0x80 + place)
    })
}

#[cfg(test)]
mod tests {
    use encoding_rs::WINDOWS_1252;

    use super::*;

    /// Encodes a text as a program does that reads UTF-8 as windows-1252.
    fn twice(text: &str) -> String {
        WINDOWS_1252.decode_without_bom_handling(text.as_bytes()).0.into_owned()
    }

    #[test]
    fn utf_8_that_was_encoded_twice() {
        for text in ["Café, thé, crème brûlée", "中国新闻", "Новости дня", "“Quoted” – 🎉", "été à Genève"]
        {
            assert_eq!(encoded_twice(&twice(text)).as_deref(), Some(text), "{text}");
            let latin: String = text.bytes().map(char::from).collect();
            assert_eq!(encoded_twice(&latin).as_deref(), Some(text), "{text}");
            assert_eq!(encoded_twice(text), None, "{text}");
        }
        for text in [
            "plain",
            "Why does my page show Ã© for an e with an accent, and Ã¨?",
            "São Paulo; NÃO; Â«",
            &format!("{} but also é", twice("Café, thé, crème brûlée")),
            &format!("{} and 报", twice("Café, thé, crème brûlée")),
        ] {
            assert_eq!(encoded_twice(text), None, "{text}");
        }
    }

    #[test]
    fn japanese_in_seven_bits() {
        let (bytes, ..) = ISO_2022_JP.encode("<t>新しい橋</t>");
        assert_eq!(iso_2022_jp(&bytes), Some(ISO_2022_JP));
        for other in [&b"<t>a</t>"[..], b"<t>\x1b[1mbold\x1b[0m</t>", "<t>\u{1b}$B橋</t>".as_bytes(), b""] {
            assert_eq!(iso_2022_jp(other), None);
        }
    }
}
