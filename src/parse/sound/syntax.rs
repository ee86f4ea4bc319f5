//! The parts of a sound document that are looked at by themselves: namespaces, attributes,
//! references.

use crate::parse::tolerant::names::{Ns, of_prefix, of_uri};
use crate::parse::tolerant::tokens::{Tag, head};

/// Known vocabularies must come under their usual prefixes, and those prefixes must mean them.
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
            // What stands under a prefix is looked at one by one.
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

/// Attributes as XML wants them; the `rss` crate drops all others without a word.
pub(super) fn quoted(attrs: &str) -> Option<()> {
    let mut rest = attrs.trim_ascii();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let name = name.trim_ascii_end();
        let after = after.trim_ascii_start();
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (_, tail) = after.get(1..)?.split_once(quote)?;
        rest = tail.trim_ascii_start();
        let apart = rest.is_empty() || rest.len() < tail.len();
        if !apart
            || name.is_empty()
            || name.contains(|c: char| c.is_ascii_whitespace() || matches!(c, '"' | '\''))
        {
            return None;
        }
    }
    Some(())
}

/// Only the five entities of XML, and numbers that mean themselves.
pub(super) fn references(raw: &str) -> Option<()> {
    let mut rest = raw;
    while let Some((_, after)) = rest.split_once('&') {
        let window = head(after, 12);
        let (name, _) = window.split_once(';')?;
        let sound = match name.strip_prefix('#') {
            Some(digits) => {
                let number = match digits.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => digits.parse().ok()?,
                };
                matches!(number, 9 | 10 | 13 | 32..=126 | 160..=0xD7FF | 0xE000..=0xFFFD | 0x1_0000..=0x10_FFFF)
            }
            None => matches!(name, "amp" | "lt" | "gt" | "quot" | "apos"),
        };
        if !sound {
            return None;
        }
        rest = after;
    }
    Some(())
}
