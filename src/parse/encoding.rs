//! Decodes bytes to text.
//!
//! The encoding is taken from the first of these: BOM, the source's own setting, the escapes of ISO-2022-JP,
//! UTF-16 by its zero bytes, valid multi-byte UTF-8, the HTTP charset, the declaration in the document,
//! detection (RULES 8). Decoding never fails: a bad byte becomes U+FFFD.

mod declared;
mod packed;
mod proven;

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, GB18030, GBK, KOI8_R, KOI8_U, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::model::text::character;
use declared::declared;

/// Bytes that the detector reads at most: it tries all encodings, at 60 ns a byte.
const DETECTED: usize = 16 << 10;
/// Bytes of context before the first non-ASCII byte or escape.
const BEFORE: usize = 64;

/// Decodes a document, unpacking gzip; returns its text and the name of the encoding.
#[must_use]
pub fn decode<'a>(
    bytes: &'a [u8],
    content_type: Option<&str>,
    fixed: Option<&'static Encoding>,
) -> (Cow<'a, str>, &'static str) {
    if let Some(document) = packed::unpacked(bytes) {
        let (text, name) = decode_plain(&document, content_type, fixed);
        return (Cow::Owned(text.into_owned()), name);
    }
    decode_plain(bytes, content_type, fixed)
}

fn decode_plain<'a>(
    bytes: &'a [u8],
    content_type: Option<&str>,
    fixed: Option<&'static Encoding>,
) -> (Cow<'a, str>, &'static str) {
    let (text, name) = decode_once(bytes, content_type, fixed);
    if fixed.is_none()
        && name == UTF_8.name()
        && let Some(meant) = proven::encoded_twice(&text)
    {
        return (Cow::Owned(meant), name);
    }
    (text, name)
}

fn decode_once<'a>(
    bytes: &'a [u8],
    content_type: Option<&str>,
    fixed: Option<&'static Encoding>,
) -> (Cow<'a, str>, &'static str) {
    if let Some((name, text)) = utf32(bytes) {
        return (Cow::Owned(text), name);
    }
    if let Some((encoding, bom)) = Encoding::for_bom(bytes) {
        return (
            encoding.decode_without_bom_handling(bytes.get(bom..).unwrap_or_default()).0,
            encoding.name(),
        );
    }
    let fixed = fixed.or_else(|| proven::iso_2022_jp(bytes));
    // Valid UTF-8 that is not plain ASCII: no other encoding produces that by chance. Most feeds are valid
    // UTF-8: they are checked in one pass, and not copied.
    if fixed.is_none_or(|fixed| fixed == UTF_8)
        && utf16_without_bom(bytes).is_none()
        && let Some(text) = UTF_8.decode_without_bom_handling_and_without_replacement(bytes)
    {
        if fixed.is_some() || !text.is_ascii() {
            return (text, UTF_8.name());
        }
        // Plain ASCII reads the same in most encodings: only the name is still needed.
        let named = content_type.and_then(charset).or_else(|| declared(bytes));
        if let Some(encoding) = named.or_else(|| ascii(bytes, content_type))
            && encoding.is_ascii_compatible()
        {
            return (text, if encoding == GBK { GB18030 } else { encoding }.name());
        }
    }
    let encoding = fixed
        .or_else(|| utf16_without_bom(bytes))
        .or_else(|| content_type.and_then(charset).filter(|e| fits(e, bytes)))
        .or_else(|| declared(bytes).filter(|e| fits(e, bytes)))
        .or_else(|| ascii(bytes, content_type))
        .unwrap_or_else(|| detect(bytes));
    // Pages labelled GB2312 or GBK use characters beyond them; GB18030 has them all.
    let encoding = if encoding == GBK { GB18030 } else { encoding };
    (encoding.decode_without_bom_handling(bytes).0, encoding.name())
}

/// Replaces the controls U+0080 to U+009F by the characters of windows-1252.
///
/// In a feed they are never meant as controls: somewhere windows-1252 was read as Latin-1. U+0085 stays: XML
/// allows that line end.
#[must_use]
pub fn without_c1(text: Cow<'_, str>) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let c1 = |at: usize| matches!(bytes.get(at + 1), Some(0x80..=0x84 | 0x86..=0x9F));
    if !memchr::memchr_iter(0xC2, bytes).any(c1) {
        return text;
    }
    let meant = |c: char| match u32::from(c) {
        code @ (0x80..=0x84 | 0x86..=0x9F) => character(&code.to_string()).unwrap_or(c),
        _ => c,
    };
    Cow::Owned(text.chars().map(meant).collect())
}

/// Decodes UTF-32, which no browser reads and `encoding_rs` does not know, if the text begins with a BOM or
/// with a `<` of four bytes.
fn utf32(bytes: &[u8]) -> Option<(&'static str, String)> {
    let (name, bytes, read): (_, _, fn([u8; 4]) -> u32) = match bytes {
        [0xFF, 0xFE, 0, 0, rest @ ..] => ("UTF-32LE", rest, u32::from_le_bytes),
        [0, 0, 0xFE, 0xFF, rest @ ..] => ("UTF-32BE", rest, u32::from_be_bytes),
        [b'<', 0, 0, 0, ..] => ("UTF-32LE", bytes, u32::from_le_bytes),
        [0, 0, 0, b'<', ..] => ("UTF-32BE", bytes, u32::from_be_bytes),
        _ => return None,
    };
    let (units, _) = bytes.as_chunks::<4>();
    let text = units.iter().map(|unit| char::from_u32(read(*unit)).unwrap_or(char::REPLACEMENT_CHARACTER));
    Some((name, text.collect()))
}

/// Returns whether a label can be right.
///
/// Text labelled as UTF-8 that has more broken sequences than whole ones has a wrong label; a single bad byte
/// in UTF-8 is only a bad byte.
fn fits(encoding: &Encoding, bytes: &[u8]) -> bool {
    if encoding != UTF_8 {
        return true;
    }
    let (mut whole, mut broken) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        whole += chunk.valid().bytes().filter(|b| *b >= 0xC0).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    whole >= broken
}

/// Returns the encoding to name for plain ASCII, which reads the same in all; `None` for other bytes.
///
/// It is what RFC 3023, 3.1 gives `text/*` without a charset, else UTF-8.
fn ascii(bytes: &[u8], content_type: Option<&str>) -> Option<&'static Encoding> {
    let text = content_type.is_some_and(|t| t.trim_start().to_ascii_lowercase().starts_with("text/"));
    (bytes.is_ascii() && !bytes.contains(&0x1B)).then_some(if text { WINDOWS_1252 } else { UTF_8 })
}

/// Returns the encoding that a `Content-Type` names.
#[must_use]
pub fn charset(content_type: &str) -> Option<&'static Encoding> {
    let lower = content_type.to_ascii_lowercase();
    let value = lower.split(';').skip(1).find_map(|part| part.trim().strip_prefix("charset="))?;
    Encoding::for_label_no_replacement(value.trim_matches(['"', '\'', ' ']).as_bytes())
}

/// Recognizes UTF-16 without a BOM by a first `<` and another ASCII character, with zero bytes between them.
fn utf16_without_bom(bytes: &[u8]) -> Option<&'static Encoding> {
    match bytes {
        [b'<', 0, second, 0, ..] if second.is_ascii() && *second != 0 => Some(UTF_16LE),
        [0, b'<', 0, second, ..] if second.is_ascii() && *second != 0 => Some(UTF_16BE),
        _ => None,
    }
}

/// Returns the part of a text to detect its encoding from: it begins shortly before the first non-ASCII byte
/// or escape.
fn telling(bytes: &[u8]) -> &[u8] {
    let first = Encoding::ascii_valid_up_to(bytes);
    let escape = memchr::memchr(0x1B, bytes).unwrap_or(first);
    let from = first.min(escape).saturating_sub(BEFORE);
    let rest = bytes.get(from..).unwrap_or_default();
    rest.get(..DETECTED).unwrap_or(rest)
}

fn detect(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(telling(bytes), true);
    let guess = detector.guess(None, Utf8Detection::Allow);
    // The two differ in eight letters of Ukrainian only.
    let ukrainian = |b: &u8| matches!(b, 0xA4 | 0xA6 | 0xA7 | 0xAD | 0xB4 | 0xB6 | 0xB7 | 0xBD);
    if guess == KOI8_U && !bytes.iter().any(ukrainian) { KOI8_R } else { guess }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], content_type: Option<&str>) -> String {
        decode(bytes, content_type, None).0.into_owned()
    }

    #[test]
    fn order_of_evidence() {
        let gbk = GB18030.encode("<?xml version=\"1.0\" encoding=\"gb2312\"?><t>都市报镕</t>").0.into_owned();
        assert!(read(&gbk, None).contains("都市报镕"));
        assert!(read(&gbk, Some("text/xml; charset=GBK")).contains("都市报镕"));
        let utf8 = "<?xml version=\"1.0\" encoding=\"gbk\"?><t>都市报</t>".as_bytes();
        assert!(read(utf8, Some("text/xml; charset=gb2312")).contains("都市报"), "valid UTF-8 wins");
        let bom = [b"\xef\xbb\xbf".as_slice(), "报".as_bytes()].concat();
        assert_eq!(read(&bom, Some("text/xml; charset=gbk")), "报");
        let utf32: Vec<u8> = "<t>报</t>".chars().flat_map(|c| u32::from(c).to_be_bytes()).collect();
        assert_eq!(read(&utf32, None), "<t>报</t>");
        let koi8 =
            KOI8_R.encode("<?xml version=\"1.0\" encoding=\"utf-8\"?><t>Новости дня</t>").0.into_owned();
        assert!(read(&koi8, None).contains("Новости дня"), "a label that cannot be right");
        let utf16: Vec<u8> = "<t>报</t>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(read(&utf16, None), "<t>报</t>");
    }

    #[test]
    fn controls_are_windows_1252() {
        assert_eq!(without_c1("don\u{92}t \u{93}x\u{94}".into()), "don’t “x”");
        assert_eq!(without_c1("é\u{85}".into()), "é\u{85}");
    }

    #[test]
    fn one_bad_byte_costs_one_character() {
        let mut bytes = "<?xml version=\"1.0\" encoding=\"utf-8\"?><t>好报</t>".as_bytes().to_vec();
        let at = bytes.iter().position(|b| *b == 0xE5).unwrap();
        bytes.insert(at, 0xFF);
        let text = read(&bytes, None);
        assert!(text.contains("\u{FFFD}好报"), "{text}");
    }
}
