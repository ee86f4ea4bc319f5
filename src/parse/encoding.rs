//! Bytes to text. Order: the source's own setting, BOM, valid multi-byte UTF-8, the HTTP
//! charset, the declaration in the document, detection (RULES 8). Never fails: a bad byte
//! becomes U+FFFD and everything else stays.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, GB18030, GBK, UTF_8, UTF_16BE, UTF_16LE};

/// How far into a document a declaration is looked for, in bytes.
const DECLARATION: usize = 1_024;

/// The text and the encoding that it was read in.
#[must_use]
pub fn decode<'a>(
    bytes: &'a [u8],
    content_type: Option<&str>,
    fixed: Option<&'static Encoding>,
) -> (Cow<'a, str>, &'static Encoding) {
    if let Some((encoding, bom)) = Encoding::for_bom(bytes) {
        return (encoding.decode_without_bom_handling(&bytes[bom..]).0, encoding);
    }
    let encoding = fixed
        .or_else(|| is_multibyte_utf8(bytes).then_some(UTF_8))
        .or_else(|| utf16_without_bom(bytes))
        .or_else(|| content_type.and_then(charset))
        .or_else(|| declared(bytes))
        .unwrap_or_else(|| detect(bytes));
    // GB2312 and GBK pages use characters beyond them; GB18030 holds them all.
    let encoding = if encoding == GBK { GB18030 } else { encoding };
    (encoding.decode_without_bom_handling(bytes).0, encoding)
}

/// The encoding that a `Content-Type` names.
#[must_use]
pub fn charset(content_type: &str) -> Option<&'static Encoding> {
    let lower = content_type.to_ascii_lowercase();
    let value = lower.split(';').skip(1).find_map(|part| part.trim().strip_prefix("charset="))?;
    Encoding::for_label(value.trim_matches(['"', '\'', ' ']).as_bytes())
}

/// Valid UTF-8 that is not plain ASCII: no other encoding produces that by chance.
fn is_multibyte_utf8(bytes: &[u8]) -> bool {
    !bytes.is_ascii() && std::str::from_utf8(bytes).is_ok()
}

/// `<` and `?`, or `<` and a letter, with zero bytes between them.
fn utf16_without_bom(bytes: &[u8]) -> Option<&'static Encoding> {
    match bytes {
        [b'<', 0, second, 0, ..] if second.is_ascii() && *second != 0 => Some(UTF_16LE),
        [0, b'<', 0, second, ..] if second.is_ascii() && *second != 0 => Some(UTF_16BE),
        _ => None,
    }
}

fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(DECLARATION)]);
    let after = head.split_once("encoding").map(|(_, after)| after)?;
    let value = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let label = value[1..].split(quote).next()?;
    // A declaration that was itself readable as bytes cannot be UTF-16.
    Encoding::for_label(label.trim().as_bytes()).filter(|e| *e != UTF_16LE && *e != UTF_16BE)
}

fn detect(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Allow)
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
        let utf16: Vec<u8> = "<t>报</t>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(read(&utf16, None), "<t>报</t>");
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
