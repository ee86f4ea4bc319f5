//! Character and entity references in documents that declare less than they use.

use std::borrow::Cow;

use memchr::memchr;

use super::attrs::Attrs;
use crate::model::text::{character, push_named};

/// The most entities that one document may declare; further ones are ignored.
const MOST: usize = 64;
/// Longest literal value of a declared entity, in bytes; a longer one is cut.
const VALUE: usize = 1_024;
/// Bytes that all declared entities of one document may expand to, which stops an entity bomb.
const BUDGET: usize = 65_536;

/// The entities that a document declares, and the part of its budget that is spent.
#[derive(Debug, Default)]
pub(super) struct Entities {
    declared: Vec<(String, String)>,
    spent: usize,
}

impl Entities {
    /// Reads `<!ENTITY name "value">`; external and parameter entities are never fetched.
    pub(super) fn declare(&mut self, doctype: &str) {
        for (at, _) in doctype.match_indices("<!ENTITY") {
            let body = doctype.get(at + 8..).unwrap_or_default().trim_start();
            let Some((name, rest)) = body.split_once(|c: char| c.is_ascii_whitespace()) else { continue };
            let rest = rest.trim_start();
            if name == "%" || !rest.starts_with(['"', '\'']) || self.declared.len() >= MOST {
                continue;
            }
            // The value is quoted like that of an attribute, so it is parsed as one.
            let Some((_, value)) = Attrs(&format!("v={}", super::tokens::head(rest, VALUE + 2)))
                .iter()
                .next()
                .map(|(n, v)| (n, v.to_owned()))
            else {
                continue;
            };
            let value = self.decode(&value).into_owned();
            self.declared.push((name.to_owned(), value));
        }
    }

    /// Returns `raw` with its references resolved; unknown ones stay as written.
    pub(super) fn decode<'a>(&mut self, raw: &'a str) -> Cow<'a, str> {
        let Some(first) = memchr(b'&', raw.as_bytes()) else { return Cow::Borrowed(raw) };
        let mut out = String::with_capacity(raw.len());
        let (plain, mut rest) = raw.split_at(first);
        out.push_str(plain);
        while let Some(after) = rest.strip_prefix('&') {
            let name = reference(after);
            if name.is_some_and(|name| self.push(name, &mut out)) {
                rest = after.get(name.map_or(0, str::len) + 1..).unwrap_or_default();
            } else {
                out.push('&');
                rest = after;
            }
            let (plain, next) = rest.split_at(memchr(b'&', rest.as_bytes()).unwrap_or(rest.len()));
            out.push_str(plain);
            rest = next;
        }
        Cow::Owned(out)
    }

    fn push(&mut self, name: &str, out: &mut String) -> bool {
        if let Some(digits) = name.strip_prefix('#') {
            return character(digits).is_some_and(|c| {
                out.push(c);
                true
            });
        }
        if let Some((_, value)) = self.declared.iter().find(|(known, _)| known == name) {
            if self.spent + value.len() > BUDGET {
                return false;
            }
            self.spent += value.len();
            out.push_str(value);
            return true;
        }
        push_named(name, out)
    }
}

/// Returns the name between `&` and `;`, if it is well-formed and shorter than 40 bytes.
fn reference(after: &str) -> Option<&str> {
    let window = super::tokens::head(after, 40);
    let name = window.get(..window.find(';')?)?;
    let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '#' | '_' | '-' | '.');
    (!name.is_empty() && name.chars().all(sound)).then_some(name)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn references() {
        let mut entities = Entities::default();
        entities.declare(
            r#" rss [<!ENTITY paper "Die Zeitung"><!ENTITY % p "x"><!ENTITY e SYSTEM "file:///x">]"#,
        );
        for (raw, want) in [
            ("a & b &amp; c", "a & b & c"),
            ("&#146;&#x93;&#8364;", "’“€"),
            ("&hellip;&Eacute;&nichts;", "…É&nichts;"),
            ("&paper; &e; &p;", "Die Zeitung &e; &p;"),
            ("?a=1&b=2&copy=3", "?a=1&b=2&copy=3"),
            ("&#0;&#x110000;", "\u{FFFD}\u{FFFD}"),
        ] {
            assert_eq!(entities.decode(raw), want, "{raw}");
        }
    }

    #[test]
    fn a_bomb_stays_small() {
        let mut doctype = format!("[<!ENTITY a0 \"{}\">", "x".repeat(900));
        for i in 1..40 {
            let _ = write!(doctype, "<!ENTITY a{i} \"&a{};&a{};\">", i - 1, i - 1);
        }
        let mut entities = Entities::default();
        entities.declare(&doctype);
        assert!(entities.decode(&"&a39;".repeat(1_000)).len() < 2 * BUDGET);
    }
}
