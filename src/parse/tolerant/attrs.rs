//! Attributes of a start tag, read leniently: unquoted, without a value, or repeated.

use memchr::memchr;

/// The most attributes that are read of one tag; the rest is ignored.
const MOST: usize = 64;

/// The part of a start tag between its name and its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attrs<'a>(pub(crate) &'a str);

impl<'a> Attrs<'a> {
    /// Returns the names and values as written, with their references undecoded.
    pub(crate) fn iter(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        Iter { rest: self.0 }.take(MOST)
    }

    /// Returns the value of the first attribute of this name, ignoring ASCII case; a prefix is part of the
    /// name.
    pub(crate) fn get(self, local: &str) -> Option<&'a str> {
        self.iter().find(|(name, _)| name.eq_ignore_ascii_case(local)).map(|(_, value)| value)
    }
}

struct Iter<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let (text, bytes) = (self.rest, self.rest.as_bytes());
        let past = |from: usize, passed: fn(&u8) -> bool| {
            let tail = bytes.get(from..).unwrap_or_default();
            from + tail.iter().position(|b| !passed(b)).unwrap_or(tail.len())
        };
        let begin = past(0, |b| b.is_ascii_whitespace() || matches!(b, b'/' | b'"' | b'\'' | b'='));
        if begin == bytes.len() {
            return None;
        }
        let end = past(begin, |b| !b.is_ascii_whitespace() && *b != b'=');
        let name = text.get(begin..end)?;
        let sign = past(end, u8::is_ascii_whitespace);
        if bytes.get(sign) != Some(&b'=') {
            self.rest = text.get(end..).unwrap_or_default();
            return Some((name, ""));
        }
        let open = past(sign + 1, u8::is_ascii_whitespace);
        let (value, rest) = if let Some(quote @ (b'"' | b'\'')) = bytes.get(open) {
            let body = text.get(open + 1..).unwrap_or_default();
            let close = memchr(*quote, body.as_bytes()).unwrap_or(body.len());
            (body.get(..close), body.get(close + 1..))
        } else {
            let close = past(open, |b| !b.is_ascii_whitespace());
            (text.get(open..close), text.get(close..))
        };
        self.rest = rest.unwrap_or_default();
        Some((name, value.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_as_people_write_them() {
        for (text, want) in [
            (r#" a="1" b = '2'"#, vec![("a", "1"), ("b", "2")]),
            (" a=1 b c=3/", vec![("a", "1"), ("b", ""), ("c", "3/")]),
            (r#" a="open"#, vec![("a", "open")]),
            (r#" a="1"b="2" / "#, vec![("a", "1"), ("b", "2")]),
            ("", vec![]),
        ] {
            assert_eq!(Attrs(text).iter().collect::<Vec<_>>(), want, "{text}");
        }
        assert_eq!(Attrs(" HREF=x href=y").get("href"), Some("x"));
    }
}
