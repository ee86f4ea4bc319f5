//! Extracts the text of HTML and resolves its references in one pass, without a tree: titles and digests are
//! read for every item, and a tree costs time quadratic in its depth.

use std::borrow::Cow;

use markup5ever::data::NAMED_ENTITIES;
use memchr::{memchr, memchr2, memchr3};

use super::text::one_line;

/// The characters of the numeric references 128 to 159: windows-1252, as HTML 13.2.5.80 requires and feeds
/// intend.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
];

/// Returns the character of a numeric reference, given without `&#` and `;`: `8217` or `x2019`.
#[must_use]
pub fn character(digits: &str) -> Option<char> {
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => number(hex, 16)?,
        None if digits.bytes().all(|b| b.is_ascii_digit()) => number(digits, 10)?,
        _ => return None,
    };
    let mapped =
        usize::try_from(code).ok().and_then(|c| c.checked_sub(128)).and_then(|i| WINDOWS_1252.get(i));
    Some(match (code, mapped) {
        (_, Some(c)) => *c,
        (0, None) => char::REPLACEMENT_CHARACTER,
        (code, None) => char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
    })
}

/// Returns digits as a number; one that is too large becomes `u32::MAX`, which is no character.
fn number(digits: &str, radix: u32) -> Option<u32> {
    (!digits.is_empty()).then(|| u32::from_str_radix(digits, radix).unwrap_or(u32::MAX))
}

/// Appends the characters of a named reference (HTML 13.5); returns whether the name exists.
///
/// `lang` and `rang` are those of XHTML 1.0, to whose declarations feeds refer; HTML 5 gave the names to other
/// characters.
pub fn push_named(name: &str, out: &mut String) -> bool {
    let (first, second) = match name {
        "amp" => (u32::from('&'), 0),
        "lt" => (u32::from('<'), 0),
        "gt" => (u32::from('>'), 0),
        "quot" => (u32::from('"'), 0),
        "lang" => (0x2329, 0),
        "rang" => (0x232A, 0),
        // The table has names with and without their semicolon, and prefixes of names as zeros.
        _ => NAMED_ENTITIES.get(format!("{name};").as_str()).copied().unwrap_or_default(),
    };
    out.extend([first, second].into_iter().filter(|code| *code != 0).filter_map(char::from_u32));
    first != 0
}

/// Returns text with its references resolved; unknown ones stay unchanged.
#[must_use]
pub fn decode_references(text: &str) -> Cow<'_, str> {
    let Some(first) = memchr(b'&', text.as_bytes()) else { return Cow::Borrowed(text) };
    let (plain, mut rest) = text.split_at(first);
    let mut out = String::with_capacity(text.len());
    out.push_str(plain);
    while let Some(after) = rest.strip_prefix('&') {
        rest = reference(after, &mut out);
        let (plain, next) = rest.split_at(memchr(b'&', rest.as_bytes()).unwrap_or(rest.len()));
        out.push_str(plain);
        rest = next;
    }
    Cow::Owned(out)
}

/// Appends the character of the reference that begins with `&` and `after`; returns the rest behind it.
fn reference<'a>(after: &'a str, out: &mut String) -> &'a str {
    let window = after.get(..after.floor_char_boundary(40)).unwrap_or_default();
    if let Some((name, _)) = window.split_once(';') {
        let written = match name.strip_prefix('#').map(character) {
            Some(c) => {
                out.extend(c);
                c.is_some()
            }
            None => push_named(name, out),
        };
        if written {
            return after.get(name.len() + 1..).unwrap_or_default();
        }
    }
    // The names that HTML has always accepted without a semicolon.
    for (name, c) in [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("nbsp", '\u{A0}')] {
        if let Some(rest) = after.strip_prefix(name)
            && !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '=')
        {
            out.push(c);
            return rest;
        }
    }
    out.push('&');
    after
}

/// Returns the text of HTML on one line, with a space between blocks.
#[must_use]
pub fn html_to_text(html: &str) -> String {
    if memchr2(b'<', b'&', html.as_bytes()).is_none() {
        return one_line(html);
    }
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = memchr(b'<', rest.as_bytes()) {
        let (plain, tag) = rest.split_at(at);
        out.push_str(&decode_references(plain));
        rest = after_markup(tag, &mut out);
    }
    out.push_str(&decode_references(rest));
    one_line(&out)
}

/// Skips the markup at the start of `tag` and returns the rest; a `<` that begins no markup is appended.
fn after_markup<'a>(tag: &'a str, out: &mut String) -> &'a str {
    let body = tag.get(1..).unwrap_or_default();
    if let Some(comment) = body.strip_prefix("!--") {
        // `<!-->` and `<!--->` are whole comments (HTML 13.2.5.43).
        if let Some(rest) = comment.strip_prefix('>').or_else(|| comment.strip_prefix("->")) {
            return rest;
        }
        return comment.find("-->").and_then(|end| comment.get(end + 3..)).unwrap_or_default();
    }
    let name_at = body.strip_prefix('/').unwrap_or(body);
    if !name_at.starts_with(|c: char| c.is_ascii_alphabetic()) {
        if body.starts_with(['!', '?', '/']) {
            return body.find('>').and_then(|end| body.get(end + 1..)).unwrap_or_default();
        }
        out.push('<');
        return body;
    }
    let end =
        name_at.find(|c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/')).unwrap_or(name_at.len());
    let name = name_at.get(..end).unwrap_or_default().to_ascii_lowercase();
    let after = after_tag(name_at);
    if is_block(&name) {
        out.push(' ');
    }
    if body.len() == name_at.len() && matches!(name.as_str(), "script" | "style" | "template" | "noscript") {
        return after_element(after, &name);
    }
    after
}

/// Returns the rest behind the `>` of a tag; `>` within a quoted value does not end it.
pub(crate) fn after_tag(tag: &str) -> &str {
    // Unless a quote comes first, the first `>` is the end.
    if let Some(end) = memchr3(b'>', b'"', b'\'', tag.as_bytes())
        && tag.as_bytes()[end] == b'>'
    {
        return tag.get(end + 1..).unwrap_or_default();
    }
    let mut quote = None;
    let mut before = b' ';
    for (i, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (None, b'"' | b'\'') if before == b'=' => quote = Some(byte),
            (None, b'>') => return tag.get(i + 1..).unwrap_or_default(),
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            before = byte;
        }
    }
    ""
}

/// Returns the rest behind the end tag of an element whose content is no text.
fn after_element<'a>(rest: &'a str, name: &str) -> &'a str {
    let end = rest
        .match_indices("</")
        .map(|(at, _)| at + 2)
        .find(|at| rest.get(*at..*at + name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)));
    end.and_then(|at| rest.get(at..)).map(after_tag).unwrap_or_default()
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "br" | "p"
            | "div"
            | "li"
            | "ul"
            | "ol"
            | "dt"
            | "dd"
            | "table"
            | "tr"
            | "td"
            | "th"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "hr"
            | "blockquote"
            | "pre"
            | "section"
            | "article"
            | "figure"
            | "figcaption"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_html() {
        for (html, text) in [
            ("<p>一</p><p>二<br>三</p><script>if (a<b) x</script>", "一 二 三"),
            ("a < b &amp; c &copy; &nope; &AMP;", "a < b & c © &nope; &"),
            ("<a title=\"x>y\">z</a><!-- n > m -->!", "z!"),
            ("vor<p>nach", "vor nach"),
            ("a<b", "a"),
            ("<!-->甲<!--->乙", "甲乙"),
            ("&#146;&#x2014;&#xD800;", "’—\u{FFFD}"),
            ("x<style>p{}</style>y</", "xy"),
        ] {
            assert_eq!(html_to_text(html), text, "{html}");
        }
    }

    #[test]
    fn hostile_html_is_read_in_one_pass() {
        for piece in ["<div>", "<!--", "<script>", "</", "<a b=\"", "&#"] {
            assert!(html_to_text(&piece.repeat(200_000)).len() <= 400_000, "{piece}");
        }
    }
}
