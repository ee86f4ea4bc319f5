//! Checks of single parts of a sound document: namespaces, attributes, references.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter, memmem};

use crate::parse::tolerant::names::{Ns, of_prefix, of_uri};
use crate::parse::tolerant::tokens::Tag;

/// Shortest text that is worth rewriting, in bytes.
const LONG: usize = 256;

/// Checks that known vocabularies have their usual prefixes, and that those prefixes mean them.
pub(super) fn namespaces(tag: Tag<'_>, root: bool) -> Option<()> {
    for (name, uri) in tag.attrs.iter() {
        let Some(prefix) = name.strip_prefix("xmlns") else { continue };
        let prefix = prefix.trim_start_matches(':');
        let usual = match of_uri(uri) {
            Some(Ns::Dc) => prefix == "dc" && uri == rss::extension::dublincore::NAMESPACE,
            Some(Ns::Content) => prefix == "content",
            Some(Ns::Itunes) => {
                prefix == "itunes" && uri.eq_ignore_ascii_case(rss::extension::itunes::NAMESPACE)
            }
            Some(Ns::Media) => prefix == "media",
            // Elements with such a prefix are checked one by one.
            Some(Ns::Atom) => !prefix.is_empty() || root,
            Some(Ns::Plain) => prefix.is_empty(),
            Some(Ns::DcTerms | Ns::Rdf | Ns::Xhtml | Ns::Drawing | Ns::Other) => !prefix.is_empty(),
            None => prefix.is_empty() || of_prefix(prefix) == Ns::Other,
        };
        if !usual {
            return None;
        }
    }
    Some(())
}

/// The attributes of an element that decide which reader gets the document.
#[expect(clippy::struct_excessive_bools, reason = "each is an attribute that is there or not")]
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Told<'a> {
    /// Whether it has `xmlns` or `xmlns:…`.
    pub(super) namespaces: bool,
    /// Whether it has `xml:base`.
    pub(super) base: bool,
    /// Whether it has `xml:lang`.
    pub(super) language: bool,
    /// `type`.
    pub(super) kind: Option<&'a str>,
    /// Whether it has `href`.
    pub(super) address: bool,
    /// `rel`.
    pub(super) rel: Option<&'a str>,
    /// Whether it has `mode` or `src`: its text is encoded, or is in another place.
    pub(super) elsewhere: bool,
    /// Whether it has `term`, `text` or `label`: the name of a category.
    pub(super) label: bool,
}

/// Parses attributes that are well-formed XML, with sound references in their values.
///
/// Returns `None` for all others, which the `rss` crate drops silently.
pub(super) fn quoted(attrs: &str) -> Option<Told<'_>> {
    let mut told = Told::default();
    let bytes = attrs.as_bytes();
    let past = |from: usize, passed: fn(&u8) -> bool| -> Option<usize> {
        Some(from + bytes.get(from..)?.iter().position(|b| !passed(b))?)
    };
    let mut at = 0;
    while let Some(begin) = past(at, u8::is_ascii_whitespace) {
        let end = past(begin, |b| !b.is_ascii_whitespace() && !matches!(b, b'=' | b'"' | b'\''))?;
        let sign = past(end, u8::is_ascii_whitespace).filter(|sign| bytes.get(*sign) == Some(&b'='))?;
        let open = past(sign + 1, u8::is_ascii_whitespace)?;
        let quote = *bytes.get(open).filter(|b| matches!(b, b'"' | b'\''))?;
        let close = open + 1 + memchr(quote, bytes.get(open + 1..)?)?;
        let (name, value) = (attrs.get(begin..end)?, attrs.get(open + 1..close)?);
        let apart = bytes.get(close + 1).is_none_or(u8::is_ascii_whitespace);
        if name.is_empty() || !apart {
            return None;
        }
        references(value)?;
        told.note(name, value);
        at = close + 1;
    }
    Some(told)
}

impl<'a> Told<'a> {
    fn note(&mut self, name: &str, value: &'a str) {
        if name.starts_with("xml") {
            self.namespaces |= name.starts_with("xmlns");
            self.base |= name == "xml:base";
            self.language |= name == "xml:lang";
            return;
        }
        let is = |word: &str| name.eq_ignore_ascii_case(word);
        if is("type") {
            self.kind = self.kind.or(Some(value));
        } else if is("rel") {
            self.rel = self.rel.or(Some(value));
        } else if is("href") {
            self.address = true;
        } else if is("mode") || is("src") {
            self.elsewhere = true;
        } else if is("term") || is("text") || is("label") {
            self.label = true;
        }
    }
}

/// Checks that a text has only the five entities of XML, and numbers that mean themselves.
///
/// A long text with references is returned decoded if a CDATA section can hold it: a crate allocates one
/// piece of text for every reference, which costs more than all else.
pub(super) fn references(raw: &str) -> Option<Cow<'_, str>> {
    let (long, mut copied) = (raw.len() >= LONG, 0);
    let mut decoded = String::with_capacity(if long { raw.len() } else { 0 });
    for at in memchr_iter(b'&', raw.as_bytes()) {
        let (meant, length) = reference(raw.as_bytes().get(at + 1..)?)?;
        if long {
            decoded.push_str(raw.get(copied..at)?);
            decoded.push(meant);
            copied = at + 1 + length;
        }
    }
    if copied == 0 {
        return Some(Cow::Borrowed(raw));
    }
    decoded.push_str(raw.get(copied..)?);
    // A carriage return written as a reference is not a line end (XML 1.0, 2.11).
    let held =
        memmem::find(decoded.as_bytes(), b"]]>").is_none() && memchr(b'\r', decoded.as_bytes()).is_none();
    Some(if held { Cow::Owned(decoded) } else { Cow::Borrowed(raw) })
}

/// Returns the character that the text after `&` names, and its length with the semicolon.
fn reference(after: &[u8]) -> Option<(char, usize)> {
    Some(match after {
        [b'l', b't', b';', ..] => ('<', 3),
        [b'g', b't', b';', ..] => ('>', 3),
        [b'a', b'm', b'p', b';', ..] => ('&', 4),
        [b'q', b'u', b'o', b't', b';', ..] => ('"', 5),
        [b'a', b'p', b'o', b's', b';', ..] => ('\'', 5),
        [b'#', digits @ ..] => {
            let end = digits.iter().take(9).position(|b| *b == b';')?;
            let digits = std::str::from_utf8(digits.get(..end)?).ok()?;
            let number = match digits.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            let sound = matches!(number, 9 | 10 | 13 | 32..=126 | 160..=0xD7FF | 0xE000..=0xFFFD | 0x1_0000..=0x10_FFFF);
            (char::from_u32(number).filter(|_| sound)?, end + 2)
        }
        _ => return None,
    })
}
