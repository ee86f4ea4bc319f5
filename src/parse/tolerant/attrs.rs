//! Attributes as people write them: unquoted, without a value, twice.

/// Attributes that are read of one tag; the rest is passed over.
const MOST: usize = 64;

/// What stands between a tag's name and its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attrs<'a>(pub(crate) &'a str);

impl<'a> Attrs<'a> {
    /// Names and values as written, references undecoded.
    pub(crate) fn iter(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        Iter { rest: self.0 }.take(MOST)
    }

    /// The first attribute of this local name, whatever its prefix and case.
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
        let gap = |c: char| c.is_ascii_whitespace() || matches!(c, '/' | '"' | '\'' | '=');
        let rest = self.rest.trim_start_matches(gap);
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(|c: char| c.is_ascii_whitespace() || c == '=').unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let Some(after) = after.trim_start().strip_prefix('=') else {
            self.rest = after;
            return Some((name, ""));
        };
        let after = after.trim_start();
        let (value, rest) = match after.as_bytes().first() {
            Some(quote @ (b'"' | b'\'')) => {
                let body = after.get(1..).unwrap_or_default();
                body.split_once(char::from(*quote)).unwrap_or((body, ""))
            }
            _ => after.split_at(after.find(|c: char| c.is_ascii_whitespace()).unwrap_or(after.len())),
        };
        self.rest = rest;
        Some((name, value))
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
