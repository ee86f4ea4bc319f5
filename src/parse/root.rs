//! What kind of document a text is, by its first element.

/// Local name of the first element, prolog, comments and doctype passed over.
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
