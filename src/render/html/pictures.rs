//! Replaces or removes the pictures of articles, as the config sets it (RULES 6.8).

use std::fmt::Write;

/// How pages show pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pictures {
    /// As pictures, loaded from their origin.
    #[default]
    Origin,
    /// As links that the reader may follow.
    Link,
    /// Not shown.
    None,
}

/// Returns clean HTML with its pictures as links, or without them. A link's text is the picture's own, or
/// else `label`. `html` must come from the cleaner: attributes are quoted by `"`.
#[must_use]
pub fn without_pictures(html: &str, pictures: Pictures, label: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    let mut in_link = 0_usize;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        out.push_str(before);
        let end = tag_end(tag);
        let (tag, after) = tag.split_at(end);
        rest = after;
        if tag.starts_with("<a ") || tag == "<a>" {
            in_link += 1;
        } else if tag == "</a>" {
            in_link = in_link.saturating_sub(1);
        }
        if tag.starts_with("<img") {
            let said = attribute(tag, "alt").filter(|alt| !alt.is_empty()).unwrap_or(label);
            match (pictures, attribute(tag, "src")) {
                // Links do not nest: inside a link only the text is written.
                (Pictures::Link, Some(_)) if in_link > 0 => out.push_str(said),
                (Pictures::Link, Some(src)) => {
                    // Writing to memory does not fail.
                    let _ = write!(
                        out,
                        "<a class=\"picture\" href=\"{src}\" rel=\"noopener noreferrer\">{said}</a>"
                    );
                }
                _ => {}
            }
        } else if !tag.starts_with("<source") && !tag.starts_with("<picture") && tag != "</picture>" {
            out.push_str(tag);
        }
    }
    out.push_str(rest);
    out
}

/// Returns the end of a tag: behind the first `>` outside quotes.
fn tag_end(tag: &str) -> usize {
    let mut quoted = false;
    for (at, byte) in tag.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'>' if !quoted => return at + 1,
            _ => {}
        }
    }
    tag.len()
}

/// Returns the value of an attribute, still escaped.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = tag;
    loop {
        let at = rest.find(name)?;
        let (before, found) = rest.split_at(at);
        let value = found[name.len()..].strip_prefix("=\"");
        if let Some(value) = value.filter(|_| before.ends_with(' ')) {
            return value.split('"').next();
        }
        rest = &found[name.len()..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_become_links_or_go() {
        let img = "<img src=\"https://a.example/p.jpg?a=1&amp;b\" alt=\"a > b\" loading=\"lazy\">";
        let link = "<a class=\"picture\" href=\"https://a.example/p.jpg?a=1&amp;b\" rel=\"noopener noreferrer\">a > b</a>";
        for (html, how, want) in [
            (format!("<p>x{img}y</p>"), Pictures::Link, format!("<p>x{link}y</p>")),
            (format!("<p>x{img}y</p>"), Pictures::None, "<p>xy</p>".to_owned()),
            (
                format!("<a href=\"https://b.example/\">{img}</a>"),
                Pictures::Link,
                "<a href=\"https://b.example/\">a > b</a>".to_owned(),
            ),
            (
                "<img src=\"https://a.example/1\">".to_owned(),
                Pictures::Link,
                "<a class=\"picture\" href=\"https://a.example/1\" rel=\"noopener noreferrer\">图</a>"
                    .to_owned(),
            ),
            ("<img data-src=\"x\">1 &lt; 2".to_owned(), Pictures::Link, "1 &lt; 2".to_owned()),
            (
                "<picture><source srcset=\"x\"><img src=\"y\"></picture>".to_owned(),
                Pictures::None,
                String::new(),
            ),
            ("<img src=\"x".to_owned(), Pictures::None, String::new()),
            ("没有图".to_owned(), Pictures::None, "没有图".to_owned()),
        ] {
            assert_eq!(without_pictures(&html, how, "图"), want, "{html}");
        }
    }
}
