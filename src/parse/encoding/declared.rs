//! The encoding that a document itself names, in its XML declaration or in the head of a page.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::model::markup::after_tag;
use crate::parse::root::root_element;
use crate::parse::tolerant::attrs::Attrs;

/// Bytes that are searched for an XML declaration.
const DECLARATION: usize = 1_024;
/// Bytes of a page that are searched for `<meta>`: scripts may precede it.
const HEAD: usize = 16 << 10;
/// Roots of documents in which `<meta>` does not describe the document itself.
const NO_PAGES: [&str; 9] =
    ["rss", "feed", "rdf", "channel", "item", "entry", "urlset", "sitemapindex", "opml"];

/// Returns the encoding that a document names.
pub(super) fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    xml(bytes).or_else(|| page(bytes))
}

fn xml(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(bytes.get(..DECLARATION).unwrap_or(bytes));
    // Only within the XML declaration: elsewhere the word means something else.
    let (declaration, _) = head.split_once("?>").or_else(|| head.split_once('>'))?;
    let (_, after) = declaration.split_once("encoding")?;
    let value = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let label = value.get(1..)?.split(quote).next()?;
    // A declaration that was readable as bytes cannot be UTF-16.
    Encoding::for_label_no_replacement(label.trim().as_bytes()).filter(|e| *e != UTF_16LE && *e != UTF_16BE)
}

/// Returns the encoding of `<meta charset>`, or of `<meta http-equiv=content-type>` (HTML, 13.2.3.2 "prescan
/// a byte stream").
fn page(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(bytes.get(..HEAD).unwrap_or(bytes));
    let root = root_element(head.trim_start_matches('\u{FEFF}'))?.to_ascii_lowercase();
    if NO_PAGES.contains(&root.as_str()) || head.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let mut rest = &*head;
    loop {
        rest = rest.get(rest.find('<')? + 1..)?;
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.get(comment.find("-->")?..)?;
            continue;
        }
        let Some(tag) = rest.get(..4).filter(|name| name.eq_ignore_ascii_case("meta")).and(rest.get(4..))
        else {
            continue;
        };
        if !tag.starts_with(|c: char| c.is_ascii_whitespace() || c == '/') {
            continue;
        }
        rest = after_tag(tag);
        let attrs = tag.get(..tag.len() - rest.len()).unwrap_or_default();
        if let Some(named) = of_meta(Attrs(attrs.trim_end_matches('>'))) {
            return Some(named);
        }
    }
}

fn of_meta(attrs: Attrs<'_>) -> Option<&'static Encoding> {
    let label = attrs.get("charset").map(str::trim).or_else(|| of_content_type(attrs))?;
    let named = Encoding::for_label_no_replacement(label.as_bytes())?;
    Some(match named.name() {
        // A page that was readable as bytes is in neither of these (HTML, 13.2.3.2).
        "UTF-16LE" | "UTF-16BE" => UTF_8,
        "x-user-defined" => WINDOWS_1252,
        _ => named,
    })
}

fn of_content_type(attrs: Attrs<'_>) -> Option<&str> {
    attrs.get("http-equiv").filter(|kind| kind.trim().eq_ignore_ascii_case("content-type"))?;
    let content = attrs.get("content")?;
    let at = content.to_ascii_lowercase().find("charset")? + "charset".len();
    let value = content.get(at..)?.trim_start().strip_prefix('=')?.trim_start();
    let value = value.trim_start_matches(['"', '\'']);
    value.split(|c: char| c.is_ascii_whitespace() || matches!(c, ';' | '"' | '\'')).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_documents_name() {
        for (head, want) in [
            ("<?xml version='1.0' encoding='gb2312'?><rss>", Some("GBK")),
            ("<!doctype html><html><head><meta charset=\"gbk\">", Some("GBK")),
            ("<META CHARSET=windows-1250>", Some("windows-1250")),
            (
                "<meta name=a><meta http-equiv='Content-Type' content='text/html; charset=Shift_JIS'/>",
                Some("Shift_JIS"),
            ),
            ("<meta content=\"text/html;charset = 'euc-kr'\" http-equiv=content-type>", Some("EUC-KR")),
            ("<!-- <meta charset=big5> --><meta charset=gbk>", Some("GBK")),
            ("<meta charset=utf-16><p>", Some("UTF-8")),
            ("<meta charset=nothing><meta charset=big5>", Some("Big5")),
            ("<meta charset=iso-2022-kr>", None),
            ("<metadata charset=big5>", None),
            ("<meta name=description content='charset=big5'>", None),
            ("<rss version='2.0'><channel><description><meta charset=big5>", None),
            ("{\"a\": \"<meta charset=big5>\"}", None),
            ("<?xml version='1.0'?><feed xmlns='x'><content><meta charset=big5>", None),
        ] {
            assert_eq!(declared(head.as_bytes()).map(Encoding::name), want, "{head}");
        }
        let far = format!("<html><head><script>{}</script><meta charset=gbk>", "x".repeat(9_000));
        assert_eq!(declared(far.as_bytes()).map(Encoding::name), Some("GBK"));
    }
}
