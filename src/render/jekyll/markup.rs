//! Splits HTML, as a serialiser writes it, into tags and text. HTML written in any other way is refused, so
//! that kramdown's reading of a tag cannot differ from this one.

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Text between tags.
    Text(&'a str),
    /// `<name a="b">`
    Open { name: &'a str, whole: &'a str },
    /// `</name>`
    Close { name: &'a str, whole: &'a str },
}

/// Elements that contain no markup or another language, or that kramdown takes for void ones.
const REFUSED: [&str; 16] = [
    "script",
    "style",
    "textarea",
    "title",
    "xmp",
    "iframe",
    "noembed",
    "noframes",
    "noscript",
    "plaintext",
    "template",
    "svg",
    "math",
    "select",
    "command",
    "keygen",
];

/// Returns whether an element never has an end tag.
pub(super) fn is_void(name: &str) -> bool {
    const VOID: [&str; 13] = [
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr",
    ];
    VOID.contains(&name)
}

/// Returns the parts of `html` in order, or `None` if it is not as a serialiser writes it.
pub(super) fn tokens(html: &str) -> Option<Vec<Token<'_>>> {
    let (mut found, mut rest) = (Vec::new(), html);
    while !rest.is_empty() {
        let (head, tail) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
        if !head.is_empty() {
            found.push(Token::Text(head));
        }
        rest = tail;
        if !tail.is_empty() {
            let (token, after) = tag(tail)?;
            found.push(token);
            rest = after;
        }
    }
    Some(found)
}

/// Returns the tag at the start of `html`, and the rest behind it.
fn tag(html: &str) -> Option<(Token<'_>, &str)> {
    let inner = html.strip_prefix('<')?;
    let (closing, inner) = inner.strip_prefix('/').map_or((false, inner), |inner| (true, inner));
    let (name, mut rest) = take(inner, |c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || REFUSED.contains(&name) {
        return None;
    }
    while let Some(inner) = rest.strip_prefix(' ').filter(|_| !closing) {
        rest = attribute(inner)?;
    }
    let after = rest.strip_prefix('>')?;
    let whole = &html[..html.len() - after.len()];
    let token = if closing { Token::Close { name, whole } } else { Token::Open { name, whole } };
    Some((token, after))
}

/// Returns the rest behind the attribute `name="value"`; refuses `markdown`, on which kramdown acts.
fn attribute(html: &str) -> Option<&str> {
    let (name, rest) = take(html, |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let good = name.starts_with(|c: char| c.is_ascii_lowercase()) && name != "markdown";
    let (_, rest) = rest.strip_prefix("=\"")?.split_once('"')?;
    good.then_some(rest)
}

fn take(text: &str, fits: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !fits(c)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serialised_markup_only() {
        assert_eq!(
            tokens("<p class=\"a\">b</p>"),
            Some(vec![
                Token::Open { name: "p", whole: "<p class=\"a\">" },
                Token::Text("b"),
                Token::Close { name: "p", whole: "</p>" },
            ])
        );
        for good in ["", "a", "<h1>", "<img src=\"a>b\" alt=\"\">", "<td colspan=\"2\" data-x=\"<\">"] {
            assert!(tokens(good).is_some(), "{good}");
        }
        for bad in [
            "<",
            "a<b",
            "<P>",
            "<br />",
            "<p class=a>",
            "<p class='a'>",
            "<p a>",
            "<p  a=\"\">",
            "</p >",
            "<!-- a -->",
            "<?a?>",
            "<script>",
            "<p markdown=\"1\">",
            "<p a=\"b\"c=\"d\">",
            "<1>",
            "<p\n>",
        ] {
            assert_eq!(tokens(bad), None, "{bad}");
        }
    }
}
