//! The body as HTML blocks that kramdown passes through unchanged.
//!
//! It does so if a block starts with a block element, at most three spaces from the margin, and if its tags
//! nest correctly. Any `CommonMark` converter agrees if there is no blank line within.

use dom_query::{Document, NodeRef};

use super::markup::{self, Token};
use crate::model::text;

/// Elements that may be at the top level: kramdown treats the other allowed ones as text.
const BLOCKS: [&str; 25] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "center",
    "details",
    "div",
    "dl",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "ul",
];

/// Elements that a `<p>` may contain; a run with any other is put into a `<div>`.
const PHRASES: [&str; 42] = [
    "a", "abbr", "acronym", "audio", "b", "bdi", "bdo", "br", "cite", "code", "data", "del", "dfn", "em",
    "font", "i", "img", "ins", "kbd", "mark", "picture", "q", "rp", "rt", "rtc", "ruby", "s", "samp",
    "small", "source", "span", "strike", "strong", "sub", "sup", "time", "track", "tt", "u", "var", "video",
    "wbr",
];

/// The deepest nesting. kramdown recurses, and deeper nesting could crash the build of the whole site.
const DEEPEST: usize = 100;

/// Returns sanitised HTML that renders the same and that neither Liquid nor kramdown acts on.
pub(super) fn inert(html: &str) -> String {
    let html = text::strip_illegal(html).replace("\r\n", "\n").replace('\r', "\n");
    let html = html.trim();
    let written = written(html).or_else(|| written(&wrapped(html))).unwrap_or_else(|| as_text(html));
    without_liquid(&written)
}

/// Returns `html` without blank lines in its blocks, or `None` if it is not made of blocks alone.
fn written(html: &str) -> Option<String> {
    let tokens = markup::tokens(html)?;
    let mut out = String::with_capacity(html.len());
    let mut open: Vec<&str> = Vec::new();
    for token in tokens {
        let within = !open.is_empty();
        if open.len() > DEEPEST {
            return None;
        }
        match token {
            Token::Text(text) if within => push_lines(&mut out, text, open.contains(&"pre")),
            Token::Text(joint) if is_joint(joint) => out.push_str(joint),
            Token::Open { name, whole } if within || BLOCKS.contains(&name) => {
                push_lines(&mut out, whole, false);
                if !markup::is_void(name) {
                    open.push(name);
                }
            }
            Token::Close { name, whole } if open.pop() == Some(name) => out.push_str(whole),
            _ => return None,
        }
    }
    open.is_empty().then_some(out)
}

/// Returns whether kramdown sees a block after this white space: four columns would make it code.
fn is_joint(text: &str) -> bool {
    let last = text.rsplit('\n').next().unwrap_or_default();
    text.bytes().all(|b| b == b' ' || b == b'\n') && last.len() <= 3
}

/// Appends a part of a block; a blank line loses its newline, or has it escaped in preformatted text.
fn push_lines(out: &mut String, part: &str, preformatted: bool) {
    for (nth, line) in part.split('\n').enumerate() {
        if nth > 0 {
            end_line(out, preformatted);
        }
        out.push_str(line);
    }
}

fn end_line(out: &mut String, preformatted: bool) {
    let start = out.rfind('\n').map_or(0, |at| at + 1);
    if !out[start..].trim_ascii().is_empty() {
        out.push('\n');
    } else if preformatted {
        out.push_str("&#10;");
    } else {
        out.truncate(start);
    }
}

/// Returns the same nodes, with every run of text and phrases at the top level in an element of its own.
fn wrapped(html: &str) -> String {
    let document = Document::fragment(html);
    let (mut out, mut run, mut only_phrases) = (String::new(), String::new(), true);
    for node in document.html_root().children() {
        let name = node.node_name().unwrap_or_default();
        if node.is_element() && BLOCKS.contains(&&*name) {
            flush(&mut out, &mut run, only_phrases);
            only_phrases = true;
            out.push_str(&node.html());
        } else if node.is_element() || node.is_text() && !node.text().trim().is_empty() {
            only_phrases &= is_phrase(&node);
            run.push_str(&node.html());
        } else if node.is_text() && !run.is_empty() {
            run.push_str(&node.text());
        } else if node.is_text() {
            let text = node.text();
            out.push_str(if is_joint(&text) { &text } else { "\n" });
        }
    }
    flush(&mut out, &mut run, only_phrases);
    out.trim().to_owned()
}

fn flush(out: &mut String, run: &mut String, only_phrases: bool) {
    let element = if only_phrases { "p" } else { "div" };
    if !run.is_empty() {
        out.extend(["<", element, ">", run.trim(), "</", element, ">"]);
        // White space that separated two blocks must not be lost with the run.
        if run.ends_with('\n') {
            out.push('\n');
        }
        run.clear();
    }
}

fn is_phrase(node: &NodeRef<'_>) -> bool {
    let known = |node: &NodeRef<'_>| {
        !node.is_element() || node.node_name().is_some_and(|name| PHRASES.contains(&&*name))
    };
    known(node) && node.descendants_it().all(|inner| known(&inner))
}

/// Returns the text alone: the last resort, for HTML that no sanitiser writes.
fn as_text(html: &str) -> String {
    let text = text::html_to_text(html);
    if text.is_empty() { text } else { format!("<p>{}</p>", text::escape(&text)) }
}

/// Replaces the brace of `{{`, `{%` and `{:` by a character reference, which means the same in text and
/// attributes.
fn without_liquid(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html.chars().peekable();
    while let Some(c) = rest.next() {
        if c == '{' && matches!(rest.peek(), Some('{' | '%' | ':')) {
            out.push_str("&#123;");
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_bodies_stay() {
        for html in [
            "",
            "<p>一</p>\n <p>二</p><p class=\"em_media\">三</p>",
            "<p>a {b} { c</p>",
            "<hr><p>a<br>b</p>",
            "<p>a</p>\n\n<p>b</p>",
            "<pre>a\n  b</pre>",
            "<p><img src=\"http://x.example/?a&amp;b>\" alt=\"\"></p>",
        ] {
            assert_eq!(inert(html), html);
        }
    }

    #[test]
    fn others_become_blocks() {
        for (html, want) in [
            ("一", "<p>一</p>"),
            ("一<b>二</b>\n<p>三</p>四", "<p>一<b>二</b></p>\n<p>三</p><p>四</p>"),
            ("<p>a</p>\n     <p>b</p>\t<p>c</p>", "<p>a</p>\n<p>b</p>\n<p>c</p>"),
            ("<p>a</p>　　<p>b</p>", "<p>a</p>\n<p>b</p>"),
            (
                "<a href=\"http://x.example/\"><div>a</div></a>",
                "<div><a href=\"http://x.example/\"><div>a</div></a></div>",
            ),
            ("<li>a</li>", "<div><li>a</li></div>"),
            ("<ul><li>a</li></ul>", "<ul><li>a</li></ul>"),
            ("</p>{: onclick='x'}", "<p></p><p>&#123;: onclick='x'}</p>"),
            ("<p>a", "<p>a</p>"),
            ("<p>a<br />b</p>", "<p>a<br>b</p>"),
            ("<p markdown=\"1\">*a* &lt;</p>", "<p>*a* &lt;</p>"),
            ("<p><script>a</script>b<!-- c --></p>", "<p>b</p>"),
            ("<!-- c --><p>b</p>", "<p>b</p>"),
            ("<p>{{{a}} {% b %}</p>", "<p>&#123;&#123;{a}} &#123;% b %}</p>"),
            ("<p title=\"{{a\n \n b\">c\n\n \nd\r\n\r\ne</p>", "<p title=\"&#123;{a\n b\">c\nd\ne</p>"),
            ("<pre>a\n\n \n\nb</pre>", "<pre>a\n&#10; \n&#10;b</pre>"),
        ] {
            assert_eq!(inert(html), want);
        }
        let deep = format!("{}a{}", "<div>".repeat(200), "</div>".repeat(200));
        assert_eq!(inert(&deep), "<p>a</p>");
    }
}
