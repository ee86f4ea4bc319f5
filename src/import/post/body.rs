//! The parts of a first-site post below its front matter.

/// The line with the links back to the category and the home page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Footer<'a> {
    /// The category's tag, which follows 返回.
    pub tag: &'a str,
    /// The last part of the category's address.
    pub slug: &'a str,
}

/// Splits off the footer: the links to the category and to the home page, in one line or two. Both must be
/// there, so that the last link of another blog's post is not mistaken for a footer.
pub(super) fn cut_footer(body: &str) -> (&str, Option<Footer<'_>>) {
    let (mut text, mut category, mut home) = (body.trim_end(), None, false);
    while category.is_none() || !home {
        let (above, line) = last_line(text);
        let Some(links) = back_links(line) else { break };
        for (name, address) in links {
            if name == "首页" {
                home = true;
            } else {
                category = Some(Footer { tag: name, slug: slug_of(address) });
            }
        }
        text = above;
    }
    match category.filter(|_| home) {
        Some(footer) => (text, Some(footer)),
        None => (body, None),
    }
}

/// Splits off the line `<address>`; the address may be empty.
pub(super) fn cut_link(text: &str) -> (&str, Option<&str>) {
    let (above, line) = last_line(text.trim_end());
    let inner = line.trim().strip_prefix('<').and_then(|line| line.strip_suffix('>'));
    let is_link = |inner: &&str| {
        let web = inner.starts_with("http://") || inner.starts_with("https://");
        inner.is_empty() || (web && !inner.contains(['<', '>', ' ']))
    };
    match inner.filter(is_link) {
        Some(inner) => (above, Some(inner)),
        None => (text, None),
    }
}

/// Splits off the quote at the top. In a digest of several lines only the first begins with `>`.
pub(super) fn cut_quote(text: &str) -> (Option<String>, &str) {
    let text = text.trim_start();
    if !text.starts_with('>') {
        return (None, text);
    }
    let (mut quote, mut end) = (Vec::new(), 0);
    for line in text.split_inclusive('\n') {
        let bare = line.trim();
        if bare.is_empty() || has_tag(bare) && !bare.starts_with('>') {
            break;
        }
        quote.push(bare.strip_prefix('>').unwrap_or(bare).trim_start());
        end += line.len();
    }
    (Some(quote.join("\n")), text.get(end..).unwrap_or_default())
}

/// Returns whether a text has an HTML tag or comment; `市盈率<20` and `a<b` have none.
pub(super) fn has_tag(text: &str) -> bool {
    text.match_indices('<').any(|(at, _)| {
        let after = text.get(at + 1..).unwrap_or_default();
        let name = after.strip_prefix('/').unwrap_or(after);
        let rest = name.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
        let named = name.starts_with(|c: char| c.is_ascii_alphabetic());
        after.starts_with("!--")
            || named && rest.starts_with([' ', '\t', '\n', '/', '>']) && rest.contains('>')
    })
}

/// Returns the text above the last line, without trailing white space, and the last line.
fn last_line(text: &str) -> (&str, &str) {
    let (above, line) = text.rsplit_once('\n').unwrap_or(("", text));
    (above.trim_end(), line)
}

/// Returns name and address of each `[返回name](address)` in a line that contains nothing else.
fn back_links(line: &str) -> Option<Vec<(&str, &str)>> {
    // Some addresses contain brackets, so a link ends where the next one begins.
    let inner = line.trim().strip_prefix("[返回")?.strip_suffix(')')?;
    inner.split(")｜[返回").map(|link| link.split_once("](")).collect()
}

/// Returns the `name` of `/category/name.html`, `/name/` or `../name/`.
fn slug_of(address: &str) -> &str {
    let last = address.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    last.strip_suffix(".html").unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn footers() {
        let table = [
            (
                "a\n\n[返回甲报新闻](//x/category/jiabao.html)｜[返回首页](//x/)\n",
                "a",
                Some(("甲报新闻", "jiabao")),
            ),
            ("a\n\n[返回甲新闻](../emnews/)\n[返回首页](../)", "a", Some(("甲新闻", "emnews"))),
            (
                "[返回甲(乙)新闻](//x/category/jia(yi) b.html)｜[返回首页](//x/)",
                "",
                Some(("甲(乙)新闻", "jia(yi) b")),
            ),
            ("a\n\n[返回首页](/)\n", "a\n\n[返回首页](/)\n", None),
            ("a\n[返回目录](/list/)", "a\n[返回目录](/list/)", None),
            ("a [返回甲](b)｜[返回首页](c)", "a [返回甲](b)｜[返回首页](c)", None),
            ("", "", None),
        ];
        for (body, rest, footer) in table {
            let footer = footer.map(|(tag, slug)| Footer { tag, slug });
            assert_eq!(cut_footer(body), (rest, footer), "{body}");
        }
    }

    #[test]
    fn links() {
        let table = [
            ("a\n\n<http://x.example/1>\n", "a", Some("http://x.example/1")),
            ("a\n<>", "a", Some("")),
            ("<https://x.example/>", "", Some("https://x.example/")),
            ("a\n<p>b</p>", "a\n<p>b</p>", None),
            ("a <http://x.example/1>", "a <http://x.example/1>", None),
        ];
        for (text, rest, link) in table {
            assert_eq!(cut_link(text), (rest, link), "{text}");
        }
    }

    #[test]
    fn quotes() {
        let table = [
            ("\n> a b\n\n<p>c</p>", Some("a b"), "\n<p>c</p>"),
            (">a\nb\n> c\n<p>d</p>", Some("a\nb\nc"), "<p>d</p>"),
            ("> \n\n<p>c</p>", Some(""), "\n<p>c</p>"),
            ("a\n> b", None, "a\n> b"),
            ("> a", Some("a"), ""),
        ];
        for (text, quote, rest) in table {
            assert_eq!(cut_quote(text), (quote.map(str::to_owned), rest), "{text}");
        }
    }

    #[test]
    fn tags() {
        for text in ["a<br>", "<p class=\"x\">", "</b >", "<!-- x", "<hr/>", "1<2 <p>"] {
            assert!(has_tag(text), "{text}");
        }
        for text in ["", "PE<20", "a<b", "a<b且c>d", "< p >", "<甲>", "<p"] {
            assert!(!has_tag(text), "{text}");
        }
    }
}
