//! A source's own codes: the place of the code in a record, and its canonical form (RULES 1.1, 1.3).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use crate::model::{Entry, Pattern};

/// Characters of a code that are percent-encoded in an address: all but letters, digits and `-_.~`.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The place of a source's own code in a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeFrom {
    /// In the mapped field `code`.
    Field,
    /// The guid.
    Guid,
    /// The link.
    Link,
    /// The query parameter of the link with this name.
    Query(String),
}

/// How a source's own codes are read.
#[derive(Debug, Clone, PartialEq)]
pub struct CodeRule {
    /// The place of the code.
    pub from: CodeFrom,
    /// The pattern of the code within that value; without it, the whole value is the code.
    pub pattern: Option<Pattern>,
    /// The canonical form, with `$1` for groups of the pattern; without it, the whole match.
    pub canonical: Option<String>,
}

impl CodeRule {
    /// Returns the code as the entry lists it; `None` when there is none or the pattern does not match.
    #[must_use]
    pub fn listed(&self, entry: &Entry) -> Option<String> {
        let value = match &self.from {
            CodeFrom::Field => entry.code.clone(),
            CodeFrom::Guid => entry.guid.clone(),
            CodeFrom::Link => entry.link.clone(),
            CodeFrom::Query(name) => query(entry.link.as_deref()?, name),
        }?;
        let value = value.trim();
        if value.is_empty() {
            return None;
        }
        match &self.pattern {
            Some(pattern) => pattern.find(value).map(|found| found.as_str().to_owned()),
            None => Some(value.to_owned()),
        }
    }

    /// Returns the canonical form of a listed code; `None` when the pattern does not match.
    #[must_use]
    pub fn canonical(&self, listed: &str) -> Option<String> {
        match (&self.pattern, &self.canonical) {
            (Some(pattern), Some(template)) => {
                let groups = pattern.captures(listed)?;
                let mut code = String::new();
                groups.expand(template, &mut code);
                Some(code)
            }
            (Some(pattern), None) => pattern.find(listed).map(|found| found.as_str().to_owned()),
            (None, _) => Some(listed.to_owned()),
        }
    }
}

fn query(link: &str, name: &str) -> Option<String> {
    let url = Url::parse(link).ok()?;
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// Percent-encodes a code for use in an address.
#[must_use]
pub fn percent(code: &str) -> String {
    utf8_percent_encode(code, KEPT).to_string()
}

/// Fills `{code}` (as listed) and `{info_code}` (canonical) in a template.
#[must_use]
pub fn fill(template: &str, code: &str, info_code: &str, escape: fn(&str) -> String) -> String {
    template.replace("{code}", &escape(code)).replace("{info_code}", &escape(info_code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nw() -> CodeRule {
        CodeRule {
            from: CodeFrom::Field,
            pattern: Some(regex::Regex::new(r"^(?:NW)?(\d{18})$").unwrap().into()),
            canonical: Some("NW$1".to_owned()),
        }
    }

    #[test]
    fn both_copies_have_one_code() {
        for listed in ["202112212221043837", "NW202112212221043837"] {
            assert_eq!(nw().canonical(listed).as_deref(), Some("NW202112212221043837"));
            let entry = Entry { code: Some(listed.to_owned()), ..Entry::default() };
            assert_eq!(nw().listed(&entry).as_deref(), Some(listed));
        }
        assert_eq!(nw().canonical("-202205262391921712"), None);
    }

    #[test]
    fn codes_of_links() {
        let entry = Entry {
            link: Some("https://a.example/show?x=1&infoCode=NW1".to_owned()),
            guid: Some("tag:a,2020:77".to_owned()),
            ..Entry::default()
        };
        let rule = |from| CodeRule { from, pattern: None, canonical: None };
        assert_eq!(rule(CodeFrom::Query("infoCode".into())).listed(&entry).as_deref(), Some("NW1"));
        assert_eq!(rule(CodeFrom::Field).listed(&entry), None);
        let by_guid = CodeRule {
            from: CodeFrom::Guid,
            pattern: Some(regex::Regex::new(r"\d+$").unwrap().into()),
            canonical: None,
        };
        assert_eq!(by_guid.listed(&entry).as_deref(), Some("77"));
        assert_eq!(fill("http://x/{code}?i={info_code}", "a/b", "c", percent), "http://x/a%2Fb?i=c");
    }
}
