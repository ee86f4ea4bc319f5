//! The root element of a document, which tells its format.

/// Returns the local name of the first element, after prolog, comments and doctype.
pub(super) fn root_element(text: &str) -> Option<String> {
    let mut rest = text;
    loop {
        let at = rest.find('<')?;
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix("!--") {
            rest = &after[after.find("-->")? + 3..];
        } else if rest.starts_with(['?', '!']) {
            rest = &rest[rest.find('>')? + 1..];
        } else {
            let name: String =
                rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, ':' | '_' | '-')).collect();
            return Some(name.rsplit(':').next().unwrap_or_default().to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_found() {
        for (text, root) in [
            ("<?xml version='1.0'?><!-- <feed> --><rss version='2.0'>", Some("rss")),
            ("<!DOCTYPE rss><rdf:RDF>", Some("RDF")),
            ("<feed xmlns='x'>", Some("feed")),
            ("no markup", None),
        ] {
            assert_eq!(root_element(text).as_deref(), root, "{text}");
        }
    }
}
