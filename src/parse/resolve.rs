//! Makes addresses within HTML absolute, at the parse stage: only here the base is known.

use std::borrow::Cow;

use memchr::memchr;
use url::Url;

use super::pictures::{LATE, LATE_SETS, is_address, sizes};
use super::text::trimmed;
use super::tolerant::attrs::Attrs;
use crate::model::markup::after_tag;
use crate::model::text::decode_references;

/// Returns HTML with its relative addresses made absolute.
#[must_use]
pub fn absolute_html<'a>(html: &'a str, base: Option<&Url>) -> Cow<'a, str> {
    if base.is_none() {
        return Cow::Borrowed(html);
    }
    let mut out = String::new();
    let mut written = 0;
    let mut rest = html;
    while let Some(at) = memchr(b'<', rest.as_bytes()) {
        let tag = rest.get(at + 1..).unwrap_or_default();
        if !tag.starts_with(|c: char| c.is_ascii_alphabetic()) {
            rest = tag;
            continue;
        }
        rest = after_tag(tag);
        let tag = tag.get(..tag.len() - rest.len()).unwrap_or_default();
        let tag = tag.strip_suffix('>').unwrap_or(tag);
        let Some(name) = tag.bytes().position(|b| b.is_ascii_whitespace()) else { continue };
        for (key, value) in Attrs(tag.get(name..).unwrap_or_default()).iter() {
            if let Some(address) = attribute(key, value, base) {
                // The value is a slice of `html`, so the difference of the pointers is its offset.
                let from = value.as_ptr() as usize - html.as_ptr() as usize;
                out.push_str(html.get(written..from).unwrap_or_default());
                out.push_str(&address);
                written = from + value.len();
            }
        }
    }
    if written == 0 {
        return Cow::Borrowed(html);
    }
    out.push_str(html.get(written..).unwrap_or_default());
    Cow::Owned(out)
}

/// Trims a text and makes its relative addresses absolute; copies it only if something changes.
#[must_use]
pub fn absolute(html: String, base: Option<&Url>) -> String {
    if let Cow::Owned(changed) = absolute_html(html.trim(), base) {
        return changed;
    }
    trimmed(html)
}

/// Returns the absolute form of an attribute that holds a relative address; `None` if nothing changes.
#[must_use]
pub fn attribute(key: &str, value: &str, base: Option<&Url>) -> Option<String> {
    let base = base?;
    let is = |name: &&str| key.eq_ignore_ascii_case(name);
    if ADDRESSES.iter().any(is) {
        relative(value, base)
    } else if LATE.iter().any(is) {
        is_address(value).then(|| relative(value, base)).flatten()
    } else if is(&"srcset") || LATE_SETS.iter().any(is) {
        source_set(value, base)
    } else {
        None
    }
}

/// Attributes that hold one address (HTML, "Attributes").
const ADDRESSES: &[&str] = &["href", "src", "poster", "cite", "action", "background", "longdesc"];

fn relative(value: &str, base: &Url) -> Option<String> {
    let trimmed = value.trim();
    if trimmed.is_empty() || trimmed.starts_with('#') || has_scheme(trimmed) {
        return None;
    }
    let joined = base.join(&decode_references(trimmed)).ok()?;
    let escaped = joined.as_str().replace('&', "&amp;").replace('"', "%22").replace('\'', "%27");
    Some(escaped.replace('<', "%3C"))
}

fn has_scheme(address: &str) -> bool {
    let end = address.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '-' | '.'));
    end.is_some_and(|end| end > 0 && address.as_bytes().get(end) == Some(&b':'))
}

/// Makes the addresses of a `srcset` absolute: `a.jpg 1x, b.jpg 2x` (HTML 4.8.4.2.1).
fn source_set(value: &str, base: &Url) -> Option<String> {
    let mut changed = false;
    let parts: Vec<String> = sizes(value)
        .into_iter()
        .map(|(address, size)| {
            let absolute = relative(address, base);
            changed |= absolute.is_some();
            format!("{} {size}", absolute.as_deref().unwrap_or(address)).trim_end().to_owned()
        })
        .collect();
    changed.then(|| parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_absolute() {
        let base = Url::parse("https://zeitung.example/a/feed.xml").unwrap();
        for (html, want) in [
            (
                r#"<a href="b?x=1&amp;y=2">b</a>"#,
                r#"<a href="https://zeitung.example/a/b?x=1&amp;y=2">b</a>"#,
            ),
            ("<img src='/c.png' alt=x>", "<img src='https://zeitung.example/c.png' alt=x>"),
            ("<img data-src=//cdn.example/d>", "<img data-src=https://cdn.example/d>"),
            (
                r#"<img srcset="e 1x, https://f.example/f 2x">"#,
                r#"<img srcset="https://zeitung.example/a/e 1x, https://f.example/f 2x">"#,
            ),
            (r##"<a href="#top" title="/x">1 < 2</a>"##, r##"<a href="#top" title="/x">1 < 2</a>"##),
            ("<a href=\"mailto:a@b.example\">", "<a href=\"mailto:a@b.example\">"),
        ] {
            assert_eq!(absolute_html(html, Some(&base)), want);
        }
        assert_eq!(absolute_html("<a href=x>", None), "<a href=x>");
    }
}
