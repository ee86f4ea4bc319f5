//! People in RSS: a name and an e-mail address in one text.

use super::text;
use crate::model::Author;

/// Characters around an address, or between it and a name.
const AROUND: [char; 9] = ['(', ')', '<', '>', '[', ']', ',', ';', '"'];

/// Parses a person: `a@example.org (Name)`, `Name <a@example.org>`, `Name (mailto:a@example.org)`, an address
/// or a name.
#[must_use]
pub(super) fn person(raw: &str) -> Author {
    let raw = text::title(raw);
    let Some((before, address, after)) = address(&raw) else {
        return Author { name: raw, email: None, uri: None };
    };
    let edge = |part: &str| part.trim_matches(|c: char| c.is_whitespace() || AROUND.contains(&c)).to_owned();
    let (before, after) = (edge(before), edge(after));
    let name = [before, after].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    // `a@example.org (a@example.org)` names nobody.
    let name = if name.eq_ignore_ascii_case(address) { String::new() } else { name };
    Author { name, email: Some(address.to_owned()), uri: None }
}

/// Moves the address out of a person's name; a name that is only an address stays as it is.
#[must_use]
pub(super) fn with_address(author: Author) -> Author {
    if author.email.is_some() || !author.name.contains('@') {
        return author;
    }
    let read = person(&author.name);
    if read.name.is_empty() || read.email.is_none() { author } else { Author { uri: author.uri, ..read } }
}

/// Returns the only address in a text, with the text before and after it.
fn address(raw: &str) -> Option<(&str, &str, &str)> {
    let ends = |c: char| c.is_whitespace() || AROUND.contains(&c);
    let at = raw.find('@')?;
    let begin = raw.get(..at)?.char_indices().rev().find(|(_, c)| ends(*c));
    let begin = begin.map_or(0, |(found, c)| found + c.len_utf8());
    let end = raw.get(at..)?.find(ends).map_or(raw.len(), |found| at + found);
    let (before, after) = (raw.get(..begin)?, raw.get(end..)?);
    let stated = raw.get(begin..end)?;
    let stated = match stated.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => stated.get(7..)?,
        _ => stated,
    };
    let (user, host) = stated.split_once('@')?;
    let sound = !user.is_empty() && host.starts_with(char::is_alphanumeric) && !host.contains('@');
    // With several people, the name that belongs to an address is unknown.
    let alone = !after.contains('@') || after.contains(stated);
    (sound && alone).then_some((before, stated, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people() {
        for (raw, name, email) in [
            ("Ada", "Ada", None),
            ("a@b.example", "", Some("a@b.example")),
            ("a@b.example (Ada L.)", "Ada L.", Some("a@b.example")),
            ("Ada L. <a@b.example>", "Ada L.", Some("a@b.example")),
            ("Ada L. (mailto:a@b.example)", "Ada L.", Some("a@b.example")),
            ("Ada L. (MAILTO:a@b.example)", "Ada L.", Some("a@b.example")),
            ("Ada L. (a@b.example)", "Ada L.", Some("a@b.example")),
            ("Ada [a@b.example]", "Ada", Some("a@b.example")),
            ("Ada, a@b.example", "Ada", Some("a@b.example")),
            ("mailto:a@b.example", "", Some("a@b.example")),
            ("a@b.example (a@b.example)", "", Some("a@b.example")),
            ("\"Ada\" <a@b.example>", "Ada", Some("a@b.example")),
            ("@ada", "@ada", None),
            ("Ada @ Berlin", "Ada @ Berlin", None),
            ("Ada (Berlin)", "Ada (Berlin)", None),
            ("a@b.example, c@d.example", "a@b.example, c@d.example", None),
            ("", "", None),
        ] {
            let author = person(raw);
            assert_eq!((author.name.as_str(), author.email.as_deref()), (name, email), "{raw}");
        }
    }
}
