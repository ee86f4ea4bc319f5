//! Cleaning what can be cleaned without a parser.
//!
//! Most of an article are paragraphs of text with a few common tags in them. Parsing, reducing and
//! writing such a paragraph takes nearly all the time that cleaning takes, and gives the same bytes but
//! for attributes. So a text that is well nested is cut at the ends of its outermost elements: what has
//! only elements of the list, attributes in double quotes, and text as the sanitiser would write it, is
//! written here, and the rest is cleaned as ever. A text in which anything is unknown or unusual is not
//! cut at all. That both ways come to the same is a property test of `clean`.

use super::allowed::{ATTRIBUTES, ELEMENTS};
use super::settled::{follows, is_blank, may_hold_text, name_of};
use crate::model::nesting::is_void;
use crate::parse::link;

/// A piece of a text; all pieces one after the other are the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// It is clean.
    Clean {
        /// What cleaning makes of it.
        html: String,
        /// Its first picture.
        image: Option<&'a str>,
    },
    /// It has to be cleaned, and can be by itself.
    Odd(&'a str),
}

/// What a source wants, as far as attributes tell of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wishes {
    /// Some classes stay.
    pub(super) classes: bool,
    /// Links lose what tracks readers.
    pub(super) strip_tracking: bool,
}

/// The pieces of a text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pieces<'a> {
    /// In order; two neighbours are of two kinds.
    pub(super) pieces: Vec<Piece<'a>>,
    /// Elements gave way to what they held, which may now be nested in another way.
    pub(super) unwrapped: bool,
}

/// Cuts a text; `None` where it has to be cleaned whole. Linear in its length.
pub(super) fn pieces(html: &str, wishes: Wishes) -> Option<Pieces<'_>> {
    let mut cut = Cut { html, wishes, ..Cut::default() };
    let mut open: Vec<&str> = Vec::new();
    let mut at = 0;
    // The last tag that stays, and whether nothing but white space came since.
    let (mut before, mut blank) = ("", true);
    while let Some(found) = memchr::memchr(b'<', &html.as_bytes()[at..]) {
        let start = at + found;
        let text = &html[at..start];
        let (inner, after) = html[start + 1..].split_once('>')?;
        let tag = Tag::read(inner)?;
        if open.is_empty() {
            cut.end(start, is_written_so(text))?;
            cut.bare = tag.name() == "span";
        } else {
            cut.odd |= !is_written_so(text);
        }
        if !may_hold_text(open.last().copied(), text) || !follows(&mut open, inner) {
            return None;
        }
        blank &= is_blank(text);
        // What shows nothing goes, and so does a line break that a parser finds right behind `<pre>`.
        cut.odd |= inner == "/p" && blank && matches!(before, "p" | "br");
        cut.odd |= inner == "pre" && after.starts_with('\n');
        at = html.len() - after.len();
        cut.take(&tag, start, at);
        if tag.name() != "span" {
            (before, blank) = (if inner.starts_with('/') { "" } else { tag.name() }, true);
        }
        if open.is_empty() {
            cut.end(at, true)?;
        }
    }
    cut.end(html.len(), is_written_so(&html[at..]) && open.is_empty())?;
    Some(cut.done)
}

/// A tag as nearly everybody writes it: in small letters, and of an element that is on the list, or leaves what
/// it holds.
enum Tag<'a> {
    /// `exact` where nothing stands beside the name.
    Start {
        name: &'a str,
        attributes: &'a str,
        exact: bool,
    },
    End(&'a str),
}

impl<'a> Tag<'a> {
    fn read(inner: &'a str) -> Option<Self> {
        let known = |name: &str| name == "span" || ELEMENTS.binary_search(&name).is_ok();
        if let Some(name) = inner.strip_prefix('/') {
            return known(name).then_some(Self::End(name));
        }
        let name = name_of(inner);
        let rest = &inner[name.len()..];
        let (attributes, closed) = rest.strip_suffix('/').map_or((rest, false), |rest| (rest, true));
        let attributes = attributes.trim_end_matches(' ');
        let sound =
            known(name) && (!closed || is_void(name)) && Attributes(attributes).all(|one| one.is_some());
        sound.then_some(Self::Start { name, attributes, exact: rest.is_empty() })
    }

    fn name(&self) -> &'a str {
        match self {
            Self::Start { name, .. } | Self::End(name) => name,
        }
    }
}

/// Attributes as nearly everybody writes them: a space, a name of small letters, and a value in double
/// quotes; a `None` for what is another way.
#[derive(Clone)]
struct Attributes<'a>(&'a str);

impl<'a> Iterator for Attributes<'a> {
    type Item = Option<(&'a str, &'a str)>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = std::mem::take(&mut self.0);
        if rest.is_empty() {
            return None;
        }
        let one = || {
            let (name, value) = rest.strip_prefix(' ')?.split_once("=\"")?;
            let (value, after) = value.split_once('"')?;
            let named =
                !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
            named.then_some((name, value, after))
        };
        Some(one().map(|(name, value, after)| {
            self.0 = after;
            (name, value)
        }))
    }
}

#[derive(Default)]
struct Cut<'a> {
    html: &'a str,
    wishes: Wishes,
    done: Pieces<'a>,
    /// Where the piece at hand begins, and up to where it is written to `out`.
    begun: usize,
    written: usize,
    out: String,
    image: Option<&'a str>,
    /// Its outermost element leaves what it holds, and so white space at the ends of it.
    bare: bool,
    /// It has to be cleaned.
    odd: bool,
}

impl<'a> Cut<'a> {
    /// Writes a tag that stands between `start` and `end`, if it is not as it stands.
    fn take(&mut self, tag: &Tag<'a>, start: usize, end: usize) {
        let (name, attributes, stays) = match *tag {
            Tag::Start { name, attributes, exact } => {
                (name, attributes, exact && !matches!(name, "a" | "img" | "span"))
            }
            Tag::End(name) => (name, "", name != "span"),
        };
        if stays {
            return;
        }
        self.out.push_str(&self.html[self.written..start]);
        self.written = end;
        self.odd |= self.start_tag(name, attributes).is_none();
    }

    /// Writes a start tag with the attributes that stay; `None` where that takes more than is known here.
    fn start_tag(&mut self, name: &'a str, attributes: &'a str) -> Option<()> {
        if matches!(name, "audio" | "video" | "source") {
            return None;
        }
        let mut out = format!("<{name}");
        let all = Attributes(attributes).flatten();
        for (number, (attribute, value)) in all.clone().enumerate() {
            let again = all.clone().take(number).any(|(other, _)| other == attribute);
            let hides = attribute == "hidden" || (attribute == "style" && value.contains("display"));
            let lazy = name == "img" && attribute.starts_with("data-");
            if again || hides || lazy || (attribute == "class" && self.wishes.classes) || number > MANY {
                return None;
            }
            if !stays(name, attribute) {
                continue;
            }
            match attribute {
                "href" if self.is_address(value) => {}
                "src" if self.is_address(value) => {
                    self.image.get_or_insert(value);
                }
                "alt" | "title" | "width" | "height" | "align" | "colspan" | "rowspan" | "start"
                    if is_value(value) => {}
                _ => return None,
            }
            out.extend([" ", attribute, "=\"", value, "\""]);
        }
        match name {
            "a" => out.push_str(" rel=\"noopener noreferrer\""),
            "img" => out.push_str(" loading=\"lazy\" referrerpolicy=\"no-referrer\""),
            _ => {}
        }
        if name == "span" {
            self.done.unwrapped = true;
        } else {
            self.out.push_str(&out);
            self.out.push('>');
        }
        Some(())
    }

    /// Whether an address stays as it is.
    fn is_address(&self, value: &str) -> bool {
        is_value(value)
            && (value.starts_with("http://") || value.starts_with("https://"))
            && link::absolute(value, None).is_some_and(|absolute| absolute == value)
            && !(self.wishes.strip_tracking && value.contains('?'))
    }

    /// Ends a piece, if it can be cleaned by itself.
    fn end(&mut self, at: usize, sound: bool) -> Option<()> {
        if !sound || (self.odd && self.bare) {
            return None;
        }
        let piece = &self.html[self.begun..at];
        if self.odd {
            self.out.clear();
            self.image = None;
            match self.done.pieces.last_mut() {
                Some(Piece::Odd(last)) => *last = &self.html[self.begun - last.len()..at],
                _ => self.done.pieces.push(Piece::Odd(piece)),
            }
        } else if !piece.is_empty() {
            self.out.push_str(&self.html[self.written..at]);
            if let Some(Piece::Clean { html, image }) = self.done.pieces.last_mut() {
                html.push_str(&self.out);
                self.out.clear();
                *image = image.or(self.image.take());
            } else {
                let (html, image) = (std::mem::take(&mut self.out), self.image.take());
                self.done.pieces.push(Piece::Clean { html, image });
            }
        }
        (self.begun, self.written, self.odd) = (at, at, false);
        Some(())
    }
}

/// More attributes than any tag has that is looked at here.
const MANY: usize = 12;

/// Whether the list has an attribute.
fn stays(name: &str, attribute: &str) -> bool {
    let own =
        || ATTRIBUTES.iter().find(|(tag, _)| *tag == name).is_some_and(|(_, own)| own.contains(&attribute));
    attribute == "title" || own()
}

/// Whether the value of an attribute is written as it stands.
fn is_value(value: &str) -> bool {
    !value.contains(['&', '<', '\n', '\t']) && is_written_so(value)
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
    use super::*;

    /// Each piece as what comes of it, the odd ones in brackets.
    fn cut(html: &str) -> Option<String> {
        let pieces = pieces(html, Wishes::default())?.pieces;
        Some(pieces.iter().fold(String::new(), |all, piece| match piece {
            Piece::Clean { html, .. } => all + html,
            Piece::Odd(html) => format!("{all}[{html}]"),
        }))
    }

    #[test]
    fn texts_are_cut_at_what_is_odd() {
        assert!(ELEMENTS.is_sorted());
        for same in
            ["", "一 &amp; 二，", "<p>一<b>二</b><br>三</p>\n<ul><li>四</li></ul>", "<p>一</p>\n二<hr>"]
        {
            assert_eq!(cut(same).as_deref(), Some(same));
        }
        for (html, want) in [
            ("<p>一</p><p>&mdash;</p><p>&ldquo;</p>三", "<p>一</p>[<p>&mdash;</p><p>&ldquo;</p>]三"),
            ("<p>a > b</p>", "[<p>a > b</p>]"),
            ("<p>一<br /></p>", "[<p>一<br /></p>]"),
            ("<p >一<br />二<br >三</p>", "<p>一<br>二<br>三</p>"),
            ("<p><br></p><p></p>", "[<p><br></p><p></p>]"),
            ("<p><span> </span></p>", "[<p><span> </span></p>]"),
            ("<pre>\n一</pre>", "[<pre>\n一</pre>]"),
            ("<p class=\"a\" style=\"b\"><span id=\"a\">一</span></p>", "<p>一</p>"),
            ("<p style=\"display:none\">一</p>", "[<p style=\"display:none\">一</p>]"),
            ("<a>一</a>", "<a rel=\"noopener noreferrer\">一</a>"),
            (
                "<a href=\"http://x.example/\" target=\"b\" title=\"c\">一</a>",
                "<a href=\"http://x.example/\" title=\"c\" rel=\"noopener noreferrer\">一</a>",
            ),
            ("<a href=\"/x\">一</a>", "[<a href=\"/x\">一</a>]"),
            ("<a href=\"javascript:x\">一</a>", "[<a href=\"javascript:x\">一</a>]"),
            (
                "<img src=\"http://x.example/a.jpg\" alt=\"\" onerror=\"x\"/>",
                "<img src=\"http://x.example/a.jpg\" alt=\"\" loading=\"lazy\" referrerpolicy=\"no-referrer\">",
            ),
            ("<img data-src=\"x\">", "[<img data-src=\"x\">]"),
            ("<img src=\"a\" src=\"b\">", "[<img src=\"a\" src=\"b\">]"),
        ] {
            assert_eq!(cut(html).as_deref(), Some(want), "{html}");
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
            "<span> &mdash;</span>",
        ] {
            assert_eq!(cut(html), None, "{html}");
        }
    }
}
