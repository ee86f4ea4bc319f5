//! The allow-list, written out: a new version of the sanitiser's crate must not widen what is kept.
//! `docs/allow-list.md` documents it for users, and a test compares the two.

use std::collections::{HashMap, HashSet};

use ammonia::{Builder, UrlRelative};
use dom_query::Document;

/// Elements that are kept.
const ELEMENTS: [&str; 69] = [
    "a",
    "abbr",
    "acronym",
    "audio",
    "b",
    "bdi",
    "bdo",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "data",
    "dd",
    "del",
    "details",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "rp",
    "rt",
    "rtc",
    "ruby",
    "s",
    "samp",
    "small",
    "source",
    "strike",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "time",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
    "video",
    "wbr",
];

/// Elements that are removed with their contents; other unlisted elements are replaced by theirs.
pub(super) const WHOLE: [&str; 13] = [
    "script", "style", "noscript", "template", "iframe", "object", "form", "select", "textarea", "button",
    "svg", "math", "title",
];

const CELLS: &[&str] = &["align", "char", "charoff"];

/// Attributes that are kept, by element; `title` is kept on any element.
const ATTRIBUTES: [(&str, &[&str]); 22] = [
    ("a", &["href", "hreflang"]),
    ("audio", &["src", "controls"]),
    ("bdo", &["dir"]),
    ("blockquote", &["cite"]),
    ("col", &["align", "char", "charoff", "span"]),
    ("colgroup", &["align", "char", "charoff", "span"]),
    ("del", &["cite", "datetime"]),
    ("hr", &["align", "size", "width"]),
    ("img", &["src", "srcset", "alt", "width", "height", "loading", "referrerpolicy"]),
    ("ins", &["cite", "datetime"]),
    ("ol", &["start"]),
    ("q", &["cite"]),
    ("source", &["src", "type"]),
    ("table", &["align", "char", "charoff", "summary"]),
    ("tbody", CELLS),
    ("td", &["align", "char", "charoff", "colspan", "headers", "rowspan"]),
    ("tfoot", CELLS),
    ("th", &["align", "char", "charoff", "colspan", "headers", "rowspan", "scope"]),
    ("thead", CELLS),
    ("time", &["datetime"]),
    ("tr", CELLS),
    ("video", &["src", "controls", "poster", "width", "height"]),
];

/// Elements that may keep classes.
const CLASSED: [&str; 10] = ["p", "div", "blockquote", "ul", "ol", "li", "table", "figure", "pre", "code"];

/// Schemes that addresses may have.
pub(super) const SCHEMES: [&str; 3] = ["http", "https", "mailto"];

/// Removes from the tree what the sanitiser would remove from the text, so that elements emptied by it can be
/// found before it runs.
pub(super) fn reduce(document: &Document) {
    let root = document.root();
    for node in root.descendants() {
        let name = node.node_name();
        let name = name.as_deref().unwrap_or_default();
        if node.is_comment() || WHOLE.contains(&name) {
            node.remove_from_parent();
        } else if node.is_element() && !ELEMENTS.contains(&name) && !matches!(name, "html" | "head" | "body")
        {
            if let Some(first) = node.first_child() {
                node.insert_siblings_before(&first);
            }
            node.remove_from_parent();
        }
    }
}

/// Returns the sanitiser of this list; of classes it keeps only `keep_classes`.
pub(super) fn sanitiser(keep_classes: &[String]) -> Builder<'static> {
    let mut builder = Builder::default();
    builder
        .tags(HashSet::from(ELEMENTS))
        .clean_content_tags(HashSet::from(WHOLE))
        .generic_attributes(HashSet::from(["title"]))
        .tag_attributes(
            ATTRIBUTES
                .iter()
                .map(|&(tag, names)| (tag, names.iter().copied().collect()))
                .collect::<HashMap<_, _>>(),
        )
        .url_schemes(HashSet::from(SCHEMES))
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer"));
    if !keep_classes.is_empty() {
        // Leaked: rules are compiled once, live as long as the process, and are few and small.
        let classes: Vec<&'static str> =
            keep_classes.iter().map(|class| &*Box::leak(class.clone().into_boxed_str())).collect();
        for tag in CLASSED {
            builder.add_allowed_classes(tag, classes.iter().copied());
        }
    }
    builder
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Returns the names in backticks in the section of the page under `heading`.
    fn quoted(page: &str, heading: &str) -> BTreeSet<String> {
        let part = page.split("\n## ").find(|part| part.starts_with(heading)).unwrap();
        part.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    #[test]
    fn the_page_for_people_says_the_same() {
        let page = include_str!("../../../docs/allow-list.md");
        let elements = quoted(page, "Elements");
        for name in ELEMENTS.iter().chain(&WHOLE) {
            assert!(elements.contains(*name), "`{name}` is not on the page");
        }
        for name in &elements {
            let known = ELEMENTS.contains(&name.as_str()) || WHOLE.contains(&name.as_str());
            assert!(known || ["hidden", "display: none", "video_hosts"].contains(&name.as_str()), "`{name}`");
        }
        let attributes = quoted(page, "Attributes");
        for (tag, names) in ATTRIBUTES {
            for name in names {
                assert!(attributes.iter().any(|a| a.split('=').next() == Some(name)), "`{tag} {name}`");
            }
        }
    }
}
