//! Cutting a text into what cleaning leaves as it is and what it has to look at.
//!
//! Most of an article are paragraphs of text with hardly a tag in them. Parsing, reducing and
//! writing such a paragraph gives the same bytes again, and takes nearly all the time that cleaning
//! takes. So a text that is well nested is cut at the ends of its outermost elements; what has only bare
//! elements of the list, and text as the sanitiser would write it, is kept, and the rest is cleaned. A
//! text in which anything is unknown or unusual is not cut at all.

use super::allowed::ELEMENTS;
use super::settled::{follows, is_untidy, may_hold_text, name_of};

/// A piece of a text; all pieces together are the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Cleaning would give it back.
    Clean(&'a str),
    /// It has to be cleaned, and can be by itself.
    Odd(&'a str),
}

/// The pieces of a text, in order; `None` where it has to be cleaned whole. Linear in its length.
pub(super) fn pieces(html: &str) -> Option<Vec<Piece<'_>>> {
    let mut cut = Cut { html, pieces: Vec::new(), from: 0, odd: false };
    let mut open: Vec<&str> = Vec::new();
    let (mut at, mut before) = (0, "");
    while let Some(found) = memchr::memchr(b'<', &html.as_bytes()[at..]) {
        let start = at + found;
        let text = &html[at..start];
        let (tag, after) = html[start + 1..].split_once('>')?;
        if !may_hold_text(open.last().copied(), text) {
            return None;
        }
        if open.is_empty() && !text.is_empty() {
            // Without an element around it only text that stays may stand apart.
            is_written_so(text).then(|| cut.end(start))?;
        }
        let bare = is_bare(tag)?;
        cut.odd |= !bare || !is_written_so(text) || is_untidy(before, text, tag);
        // A parser drops a line break right behind `<pre>`.
        cut.odd |= tag == "pre" && after.starts_with('\n');
        follows(&mut open, tag.trim_end_matches(['/', ' '])).then_some(())?;
        at = html.len() - after.len();
        before = tag;
        if open.is_empty() {
            cut.end(at);
        }
    }
    let rest = &html[at..];
    if !open.is_empty() || !is_written_so(rest) {
        return None;
    }
    cut.end(html.len());
    Some(cut.pieces)
}

struct Cut<'a> {
    html: &'a str,
    pieces: Vec<Piece<'a>>,
    from: usize,
    odd: bool,
}

impl Cut<'_> {
    /// Ends a piece; neighbours of a kind are one.
    fn end(&mut self, at: usize) {
        let mut from = std::mem::replace(&mut self.from, at);
        let odd = std::mem::take(&mut self.odd);
        if from == at {
            return;
        }
        if let Some(Piece::Clean(last) | Piece::Odd(last)) =
            self.pieces.pop_if(|last| matches!(last, Piece::Odd(_)) == odd)
        {
            from -= last.len();
        }
        let piece = &self.html[from..at];
        self.pieces.push(if odd { Piece::Odd(piece) } else { Piece::Clean(piece) });
    }
}

/// Whether a tag, given without its brackets, is written as the sanitiser writes it and has no
/// attribute; `None` where it may be read as something else, or is of no element of the list.
fn is_bare(tag: &str) -> Option<bool> {
    let name = name_of(tag.strip_prefix('/').unwrap_or(tag));
    // What a `span` holds stays.
    if name != "span" && ELEMENTS.binary_search(&name).is_err() {
        return None;
    }
    if tag.starts_with('/') {
        return (tag.len() == name.len() + 1).then_some(name != "span");
    }
    let rest = tag[name.len()..].trim_end_matches('/');
    let closed = rest.len() < tag.len() - name.len();
    if closed && !crate::model::nesting::is_void(name) {
        return None;
    }
    has_plain_attributes(rest).then_some(rest.is_empty() && !closed && name != "span" && name != "img")
}

/// Whether these are attributes as everybody reads them: each a name of small letters and a value in double
/// quotes, with single spaces between.
fn has_plain_attributes(mut rest: &str) -> bool {
    rest = rest.trim_end_matches(' ');
    while !rest.is_empty() {
        let Some((name, value)) = rest.strip_prefix(' ').and_then(|rest| rest.split_once("=\"")) else {
            return false;
        };
        let named = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        let Some((_, after)) = value.split_once('"').filter(|_| named) else { return false };
        rest = after;
    }
    true
}

/// Whether a text is what the sanitiser would write for it.
fn is_written_so(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(found) = bytes[from..].iter().position(|byte| ODD[usize::from(*byte)]) {
        let at = from + found;
        from = at + 1;
        let as_it_is = match bytes[at] {
            b'&' => ["amp;", "lt;", "gt;", "nbsp;"].iter().any(|name| text[from..].starts_with(name)),
            // U+FEC0 to U+FEFF, with the byte order mark, and U+FFC0 to U+FFFF.
            0xEF => !matches!(bytes.get(from), Some(0xBB | 0xBF)),
            _ => false,
        };
        if !as_it_is {
            return false;
        }
    }
    true
}

/// Bytes of which a text may be written another way than it is: `&`, `>`, and the first of control
/// characters and of the space that does not break.
const ODD: [bool; 256] = {
    let mut odd = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        odd[byte] = byte != b'\n' as usize && byte != b'\t' as usize;
        byte += 1;
    }
    odd[b'&' as usize] = true;
    odd[b'>' as usize] = true;
    odd[0x7F] = true;
    odd[0xC2] = true;
    odd[0xEF] = true;
    odd
};

#[cfg(test)]
mod tests {
    use super::Piece::{Clean, Odd};
    use super::*;

    #[test]
    fn texts_are_cut_at_what_is_odd() {
        assert!(ELEMENTS.is_sorted());
        for (html, want) in [
            ("", vec![]),
            ("一 &amp; 二，", vec![Clean("一 &amp; 二，")]),
            (
                "<p>一<b>二</b><br>三</p>\n<ul><li>四</li></ul>",
                vec![Clean("<p>一<b>二</b><br>三</p>\n<ul><li>四</li></ul>")],
            ),
            (
                "<p>一</p><p><img src=\"x\"></p><p class=\"a\">二</p>三<p>四</p>",
                vec![
                    Clean("<p>一</p>"),
                    Odd("<p><img src=\"x\"></p><p class=\"a\">二</p>"),
                    Clean("三<p>四</p>"),
                ],
            ),
            ("<p>&mdash;</p>", vec![Odd("<p>&mdash;</p>")]),
            ("<p>a > b</p>", vec![Odd("<p>a > b</p>")]),
            ("<p>一<br /></p>", vec![Odd("<p>一<br /></p>")]),
            ("<p><br></p><p></p>", vec![Odd("<p><br></p><p></p>")]),
            ("<pre>\n一</pre>", vec![Odd("<pre>\n一</pre>")]),
            ("<img>", vec![Odd("<img>")]),
            ("<p><span id=\"a\">一</span></p>", vec![Odd("<p><span id=\"a\">一</span></p>")]),
        ] {
            assert_eq!(pieces(html), Some(want), "{html}");
        }
        for html in [
            "<script>x</script>",
            "<P>一</P>",
            "<p>一",
            "<p>一<p>二</p>",
            "<b><p>一</b></p>",
            "<p/>",
            "<p title='x'>一</p>",
            "<a href=x>一</a>",
            "<a href=\"x>y\">一</a>",
            "<a href=\"x\"title=\"y\">一</a>",
            "<!-- x --><p>一</p>",
            "<p>一</p>&mdash;",
            "一 <",
            "<table>一</table>",
            "<a><a></a></a>",
            "<svg></svg>",
        ] {
            assert_eq!(pieces(html), None, "{html}");
        }
    }
}
