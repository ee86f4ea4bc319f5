//! Whether a cleaned text is stable: whether a parser reads from it the very tree that it was
//! written from, so that cleaning it again changes nothing.
//!
//! HTML has trees that cannot be written down: a link in a link, a block in a paragraph, text between
//! the rows of a table. Repairing odd nesting makes them, and the next parser makes something else
//! of what was written (HTML Standard, 13.2.6 "Tree construction"). The check knows the rules by which
//! a start tag closes, moves or invents other elements, and is on the safe side: what it does not
//! know is not stable.

use crate::model::nesting::{is_formatting, is_void};

/// More elements open at once than articles have; far below the bounds of `nesting`.
const DEEP: usize = 60;
/// As [`DEEP`], of formatting elements alone.
const FORMATTED: usize = 6;

/// Whether another cleaning finds nothing to do. Linear in the length of `html`.
pub(super) fn is_stable(html: &str) -> bool {
    // A parser drops a line break right behind `<pre>`.
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

/// Whether a paragraph ends that is empty, or with a line break: what was in it went, and it should have
/// gone as well.
fn is_untidy(before: &str, text: &str, tag: &str) -> bool {
    tag == "/p" && matches!(name_of(before), "p" | "br") && is_blank(text)
}

/// Whether a text shows nothing.
fn is_blank(text: &str) -> bool {
    let mut rest = text.trim_start();
    while let Some(after) = rest.strip_prefix("&nbsp;") {
        rest = after.trim_start();
    }
    rest.is_empty()
}

/// The name in a start tag; nothing in an end tag.
fn name_of(tag: &str) -> &str {
    tag.split([' ', '/']).next().unwrap_or_default()
}

/// Takes a tag in; `false` where a parser would do more than open or close one element.
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

/// Whether text may stand where it stands; between the parts of a table it may not.
fn may_hold_text(parent: Option<&str>, text: &str) -> bool {
    let between = matches!(parent, Some("table" | "tbody" | "thead" | "tfoot" | "tr" | "colgroup"));
    !between || text.bytes().all(|byte| byte.is_ascii_whitespace())
}

/// Whether a start tag opens its element right where it stands.
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

/// Whether a new list is open between an element and the last one of its kind, which it would
/// close otherwise.
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

/// Elements that end an open paragraph.
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
