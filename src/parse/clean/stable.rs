//! Checks whether a cleaned text is stable: whether a parser reads from it the very tree that it was written
//! from, so that cleaning it again changes nothing.
//!
//! HTML has trees that cannot be written down: a link in a link, a block in a paragraph, text between the
//! rows of a table. Repairing odd nesting makes such trees, and the next parser makes something else of what
//! was written (HTML Standard, 13.2.6 "Tree construction"). The check follows the rules by which a start tag
//! closes, moves or invents other elements, and errs on the safe side: whatever they do not cover counts as
//! not stable.

use crate::model::nesting::{is_formatting, is_void};

/// The most elements open at once in a stable text: more than articles have, and far below the bounds of
/// `nesting`.
const DEEP: usize = 60;
/// The most formatting elements open at once in a stable text.
const FORMATTED: usize = 6;

/// Returns whether another cleaning would change nothing. Linear in the length of `html`.
pub(super) fn is_stable(html: &str) -> bool {
    // A parser drops a line break right after `<pre>`.
    if html.contains("<pre>\n") {
        return false;
    }
    let mut open: Vec<&str> = Vec::new();
    let (mut rest, mut before) = (html, "");
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        let Some((tag, after)) = tag[1..].split_once('>') else { return false };
        if is_untidy(before, text, tag)
            || !may_hold_text(open.last().copied(), text)
            || !follows(&mut open, tag)
        {
            return false;
        }
        (rest, before) = (after, tag);
    }
    open.is_empty()
}

/// Returns whether `tag` ends a paragraph that is empty or ends with a line break, which another cleaning
/// would remove.
fn is_untidy(before: &str, text: &str, tag: &str) -> bool {
    tag == "/p" && matches!(name_of(before), "p" | "br") && is_blank(text)
}

/// Returns whether a text is only whitespace and `&nbsp;`.
fn is_blank(text: &str) -> bool {
    let mut rest = text.trim_start();
    while let Some(after) = rest.strip_prefix("&nbsp;") {
        rest = after.trim_start();
    }
    rest.is_empty()
}

/// Returns the name in a start tag; empty for an end tag.
fn name_of(tag: &str) -> &str {
    tag.split([' ', '/']).next().unwrap_or_default()
}

/// Applies a tag to the open elements; returns `false` where a parser would do more than open or close one
/// element.
fn follows<'a>(open: &mut Vec<&'a str>, tag: &'a str) -> bool {
    if let Some(name) = tag.strip_prefix('/') {
        return open.pop() == Some(name);
    }
    let name = name_of(tag);
    if !may_stand(open, name) {
        return false;
    }
    if !is_void(name) {
        open.push(name);
    }
    open.len() <= DEEP && open.iter().filter(|name| is_formatting(name)).count() <= FORMATTED
}

/// Returns whether `text` may occur in `parent`; between the parts of a table only whitespace may.
fn may_hold_text(parent: Option<&str>, text: &str) -> bool {
    let between = matches!(parent, Some("table" | "tbody" | "thead" | "tfoot" | "tr" | "colgroup"));
    !between || text.bytes().all(|byte| byte.is_ascii_whitespace())
}

/// Returns whether a start tag opens its element right where it is written.
fn may_stand(open: &[&str], name: &str) -> bool {
    let parent = open.last().copied();
    let parts = match parent {
        Some("table") => Some(matches!(name, "caption" | "colgroup" | "tbody" | "thead" | "tfoot")),
        Some("tbody" | "thead" | "tfoot") => Some(name == "tr"),
        Some("tr") => Some(matches!(name, "td" | "th")),
        Some("colgroup") => Some(name == "col"),
        _ => None,
    };
    if let Some(fits) = parts {
        return fits;
    }
    match name {
        "caption" | "colgroup" | "col" | "tbody" | "thead" | "tfoot" | "tr" | "td" | "th" => false,
        "a" => !open.contains(&"a"),
        "li" => is_apart(open, &["li"]) && !open.contains(&"p"),
        "dt" | "dd" => is_apart(open, &["dt", "dd"]) && !open.contains(&"p"),
        "rb" | "rt" | "rp" | "rtc" => {
            !matches!(parent, Some("rb" | "rt" | "rp" | "rtc" | "p" | "li" | "dt" | "dd"))
        }
        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
            !open.contains(&"p") && !matches!(parent, Some("h1" | "h2" | "h3" | "h4" | "h5" | "h6"))
        }
        _ => !is_block(name) || !open.contains(&"p"),
    }
}

/// Returns whether an element leaves the last open one of its `kind` open: there is none, or a list, table
/// cell or quote was opened since.
fn is_apart(open: &[&str], kind: &[&str]) -> bool {
    for name in open.iter().rev() {
        if kind.contains(name) {
            return false;
        }
        if matches!(*name, "ul" | "ol" | "dl" | "td" | "th" | "blockquote") {
            return true;
        }
    }
    true
}

/// Returns whether an element ends an open paragraph.
fn is_block(name: &str) -> bool {
    matches!(
        name,
        "blockquote"
            | "details"
            | "div"
            | "dl"
            | "figcaption"
            | "figure"
            | "hr"
            | "ol"
            | "p"
            | "pre"
            | "summary"
            | "table"
            | "ul"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn articles_are_stable_and_odd_trees_are_not() {
        for html in [
            "",
            "一 &amp; 二",
            "<p>一<a href=\"x\">二<b>三</b></a><br>四</p>\n<ul><li>五<ul><li>六</li></ul></li><li>七</li></ul>",
            "<a><div><p>一</p></div></a><hr><img src=\"x\">",
            "<table><caption>一</caption><tbody>\n<tr><td>二<p>三</p></td><th></th></tr></tbody></table>",
            "<dl><dt>一</dt><dd>二<dl><dt>三</dt></dl></dd></dl><ruby>漢<rt>kan</rt></ruby>",
        ] {
            assert!(is_stable(html), "{html}");
        }
        for html in [
            "<a><div><a></a></div></a>",
            "<p><div></div></p>",
            "<p><b><ul></ul></b></p>",
            "<p></p>",
            "<p title=\"x\"> &nbsp;</p>",
            "<p>一<br title=\"x\"> </p>",
            "<pre>\n\n</pre>",
            "<h1><h2></h2></h1>",
            "<li><div><li></li></div></li>",
            "<table><tr><td></td></tr></table>",
            "<table><tbody>一<tr><td></td></tr></tbody></table>",
            "<table><tbody><tr><td></td></tr><p>一</p></tbody></table>",
            "<tr></tr>",
            "<ruby><rt>一<rt>二</rt></rt></ruby>",
            "<b>一</i>",
            "<b>一",
            "一 <",
        ] {
            assert!(!is_stable(html), "{html}");
        }
        assert!(!is_stable(&format!("{}{}", "<div>".repeat(61), "</div>".repeat(61))));
        assert!(!is_stable(&format!("{}{}", "<b>".repeat(7), "</b>".repeat(7))));
    }
}
