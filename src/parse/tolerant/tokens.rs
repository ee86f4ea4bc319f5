//! Scans markup into tokens, for documents that no XML parser accepts.
//!
//! `quick-xml` ends at the first error of syntax and would search again from there, which hostile input makes
//! quadratic; this scanner never fails, never recurses and reads no character more than a fixed number of
//! times.

use memchr::{memchr, memchr2, memchr2_iter, memchr3_iter, memmem};

use super::attrs::Attrs;

/// Longest document type declaration that is read with its internal subset, in bytes.
const DOCTYPE: usize = 65_536;
const CDATA_OPEN: &str = "<![CDATA[";
const COMMENT_OPEN: &str = "<!--";

/// A start tag, its name and attributes as written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tag<'a> {
    pub(crate) name: &'a str,
    pub(crate) attrs: Attrs<'a>,
    /// Whether the tag closes itself (`<x/>`).
    pub(crate) empty: bool,
}

/// One piece of the document.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Token<'a> {
    /// Text with its references undecoded.
    Text(&'a str),
    CData(&'a str),
    Start(Tag<'a>),
    End(&'a str),
    /// The text between `<!DOCTYPE` and its `>`.
    Doctype(&'a str),
}

/// The result of scanning `<!`.
enum Declared<'a> {
    Token(Token<'a>),
    Passed,
    Nothing,
}

/// A scanner over the tokens of a document.
#[derive(Debug)]
pub(crate) struct Tokens<'a> {
    text: &'a str,
    at: usize,
    /// Offset after which there is no `-->`.
    no_comment_end: usize,
    /// Offset of the last `]]>` found, so that it is not searched twice.
    cdata_end: Option<usize>,
    no_cdata_end: bool,
    /// Whether a document type declaration was read.
    typed: bool,
    /// The scanner's own last repair, until the walker takes it.
    pub(crate) fault: Option<&'static str>,
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            no_comment_end: usize::MAX,
            cdata_end: None,
            no_cdata_end: false,
            typed: false,
            fault: None,
        }
    }

    /// Returns the byte offset of the next token.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    /// Returns the next token, or `None` at the end of the document.
    pub(crate) fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let rest = self.rest();
            let bytes = rest.as_bytes();
            if bytes.is_empty() {
                return None;
            }
            if bytes.first() != Some(&b'<') {
                return Some(self.text_run(0));
            }
            match bytes.get(1) {
                Some(b'!') => match self.declaration(rest) {
                    Declared::Token(token) => return Some(token),
                    Declared::Passed => {}
                    Declared::Nothing => return Some(self.stray_angle()),
                },
                Some(b'?') => self.instruction(rest),
                Some(b'/') if bytes.get(2).copied().is_some_and(names) => return Some(self.end_tag(rest)),
                Some(c) if names(*c) => return Some(self.start_tag(rest)),
                _ => return Some(self.stray_angle()),
            }
        }
    }

    /// Returns the text up to the next `<`, which is searched for after `skip` bytes.
    fn text_run(&mut self, skip: usize) -> Token<'a> {
        let rest = self.rest();
        let tail = rest.as_bytes().get(skip..).unwrap_or_default();
        let end = memchr(b'<', tail).map_or(rest.len(), |i| i + skip);
        self.at += end;
        Token::Text(rest.get(..end).unwrap_or_default())
    }

    /// Reads a `<` that begins nothing as text.
    fn stray_angle(&mut self) -> Token<'a> {
        self.fault = Some("`<` that begins no tag, read as text");
        self.text_run(1)
    }

    /// Scans what begins with `<!`: a comment, a CDATA section, a DOCTYPE or another declaration.
    fn declaration(&mut self, rest: &'a str) -> Declared<'a> {
        if rest.starts_with(CDATA_OPEN) {
            return Declared::Token(self.cdata());
        }
        if rest.starts_with(COMMENT_OPEN) {
            return if self.comment(rest) { Declared::Passed } else { Declared::Nothing };
        }
        let kind = rest.get(2..).unwrap_or_default();
        if !kind.as_bytes().first().is_some_and(u8::is_ascii_alphabetic) {
            return Declared::Nothing;
        }
        let is_doctype = kind.get(..7).is_some_and(|word| word.eq_ignore_ascii_case("doctype"));
        // Only the first DOCTYPE is searched for an internal subset.
        let subset = is_doctype && !std::mem::replace(&mut self.typed, true);
        let end = if subset { doctype_end(rest) } else { None };
        let end = end.unwrap_or_else(|| short_end(rest).saturating_sub(1));
        self.at += end + 1;
        let body = rest.get(9..end).unwrap_or_default();
        if is_doctype { Declared::Token(Token::Doctype(body)) } else { Declared::Passed }
    }

    /// Skips a comment; returns `false` if it has no end and so is none.
    fn comment(&mut self, rest: &str) -> bool {
        if self.at >= self.no_comment_end {
            return false;
        }
        if let Some(end) = rest.get(4..).and_then(|tail| memmem::find(tail.as_bytes(), b"-->")) {
            self.at += 4 + end + 3;
            return true;
        }
        self.no_comment_end = self.at;
        self.fault = Some("a comment without an end");
        false
    }

    /// Scans a CDATA section up to `]]>`.
    ///
    /// A section that runs over the end of its item, into another section or to the end of the document, was
    /// not closed and ends with the item.
    fn cdata(&mut self) -> Token<'a> {
        let start = self.at + CDATA_OPEN.len();
        let (end, another) = self.find_cdata_end(start);
        let body = self.slice(start, end.unwrap_or(self.text.len()));
        if another
            && let Some(cut) = item_end(body)
            && (end.is_none() || body.get(cut..).is_some_and(|tail| tail.contains(CDATA_OPEN)))
        {
            self.fault = Some("a CDATA section without an end");
            self.at = start + cut;
            return Token::CData(body.get(..cut).unwrap_or_default());
        }
        if end.is_none() {
            self.fault = Some("a CDATA section without an end");
        }
        self.at = end.map_or(self.text.len(), |end| end + 3);
        Token::CData(body)
    }

    /// Returns where the section ends, and whether it may have to end earlier, because it has no end or
    /// another section begins in it. Brackets are rare in texts, so one search for them finds both.
    fn find_cdata_end(&mut self, from: usize) -> (Option<usize>, bool) {
        let known = self.cdata_end.filter(|known| *known >= from);
        if self.no_cdata_end || known.is_some() {
            return (known, true);
        }
        let bytes = self.text.as_bytes().get(from..).unwrap_or_default();
        let mut another = false;
        let end = memchr2_iter(b']', b'[', bytes).find(|at| {
            let rest = bytes.get(*at..).unwrap_or_default();
            another |= rest.starts_with(b"[CDATA[") && bytes.get(..*at).is_some_and(|b| b.ends_with(b"<!"));
            rest.starts_with(b"]]>")
        });
        self.cdata_end = end.map(|at| from + at);
        self.no_cdata_end = end.is_none();
        (self.cdata_end, another || end.is_none())
    }

    /// Skips an instruction (`<?…?>`) up to its first `>`, since many lack the second `?`.
    fn instruction(&mut self, rest: &str) {
        self.at += short_end(rest);
    }

    fn end_tag(&mut self, rest: &'a str) -> Token<'a> {
        if let Some(name) = bare_name(rest, 2) {
            self.at += name.len() + 3;
            return Token::End(name);
        }
        let body = rest.get(2..).unwrap_or_default();
        let end = memchr2(b'>', b'<', body.as_bytes()).unwrap_or(body.len());
        let closed = body.as_bytes().get(end) == Some(&b'>');
        if !closed {
            self.fault = Some("an end tag without `>`");
        }
        self.at += 2 + end + usize::from(closed);
        let name = body.get(..end).unwrap_or_default();
        let cut = name.bytes().position(|b| b.is_ascii_whitespace() || b == b'/').unwrap_or(name.len());
        Token::End(name.get(..cut).unwrap_or_default())
    }

    fn start_tag(&mut self, rest: &'a str) -> Token<'a> {
        if let Some(name) = bare_name(rest, 1) {
            self.at += name.len() + 2;
            return Token::Start(Tag { name, attrs: Attrs(""), empty: false });
        }
        let (end, closed) = tag_end(rest);
        if !closed {
            self.fault = Some("a start tag without `>`");
        }
        let body = rest.get(1..end).unwrap_or_default();
        self.at += end + usize::from(closed);
        let (body, empty) = match body.strip_suffix('/') {
            Some(body) => (body, true),
            None => (body, false),
        };
        let split = body.bytes().position(|b| b.is_ascii_whitespace() || matches!(b, b'/' | b'"' | b'\''));
        let (name, attrs) = body.split_at(split.unwrap_or(body.len()));
        Token::Start(Tag { name, attrs: Attrs(attrs), empty })
    }
}

/// Returns the name of a tag that has nothing else, like most tags; it begins after `skip` bytes.
fn bare_name(rest: &str, skip: usize) -> Option<&str> {
    let name = rest.as_bytes().get(skip..)?;
    let end =
        name.iter().position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b':' | b'_' | b'-' | b'.')))?;
    (name.get(end) == Some(&b'>')).then(|| rest.get(skip..skip + end)).flatten()
}

/// Returns whether a byte can begin a name.
fn names(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b':' || byte >= 0x80
}

/// Returns at most the first `most` bytes of `text`, cut at a character boundary.
pub(crate) fn head(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or_default()
}

/// Returns where the start tag at the beginning of `rest` ends, and whether its `>` is there.
///
/// A quoted value ends at its quote; one that holds another tag was not closed, and the tag ends at the first
/// `>` in it.
fn tag_end(rest: &str) -> (usize, bool) {
    let bytes = rest.as_bytes();
    let tail = bytes.get(1..).unwrap_or_default();
    if let Some(end) = memchr2(b'>', b'<', tail)
        && tail.get(end) == Some(&b'>')
        && memchr2(b'"', b'\'', &tail[..end]).is_none()
    {
        return (end + 1, true);
    }
    let mut at = 1;
    loop {
        let Some(found) = bytes.get(at..).and_then(|tail| tail.iter().position(|b| MARKS.contains(b))) else {
            return (rest.len(), false);
        };
        at += found;
        match bytes.get(at) {
            Some(b'>') => return (at, true),
            Some(b'<') => return (at, false),
            Some(quote) if begins_value(bytes, at) => match value_end(bytes, at + 1, *quote) {
                Ok(close) => at = close + 1,
                Err(end) => return end.unwrap_or((rest.len(), false)),
            },
            _ => at += 1,
        }
    }
}

const MARKS: &[u8; 4] = b"\"'><";

/// Returns whether the quote at `at` follows a `=`.
fn begins_value(bytes: &[u8], at: usize) -> bool {
    bytes.iter().take(at).rev().find(|b| !b.is_ascii_whitespace()) == Some(&b'=')
}

/// Returns the offset of the quote that ends a value.
///
/// # Errors
/// The end of the tag, if there is one, when the value holds another tag or never ends and so was not closed.
fn value_end(bytes: &[u8], from: usize, quote: u8) -> Result<usize, Option<(usize, bool)>> {
    let mut first_end = None;
    let tail = bytes.get(from..).unwrap_or_default();
    for at in memchr3_iter(quote, b'<', b'>', tail).map(|at| from + at) {
        match bytes.get(at) {
            Some(b'>') => first_end = first_end.or(Some((at, true))),
            Some(b'<') => {
                if bytes.get(at + 1).is_some_and(|c| names(*c) || *c == b'/' || *c == b'!') {
                    return Err(first_end.or(Some((at, false))));
                }
            }
            _ => return Ok(at),
        }
    }
    Err(first_end)
}

/// Returns the length of a declaration or instruction, which ends at its first `>` or before the next `<`.
fn short_end(rest: &str) -> usize {
    let body = rest.get(2..).unwrap_or_default();
    let end = memchr2(b'>', b'<', body.as_bytes()).unwrap_or(body.len());
    2 + end + usize::from(body.as_bytes().get(end) == Some(&b'>'))
}

/// Returns the offset of the `>` that ends a DOCTYPE with its internal subset.
fn doctype_end(rest: &str) -> Option<usize> {
    let window = head(rest, DOCTYPE);
    let open = window.find(['[', '>'])?;
    if window.as_bytes().get(open) == Some(&b'>') {
        return Some(open);
    }
    let close = window.get(open..).and_then(|subset| subset.find(']'));
    match close {
        Some(close) => window.get(open + close..)?.find('>').map(|end| open + close + end),
        None => window.find('>'),
    }
}

/// Returns the offset of the first end tag of an item.
fn item_end(body: &str) -> Option<usize> {
    body.match_indices("</").map(|(at, _)| at).find(|at| {
        let name = body.get(at + 2..).unwrap_or_default();
        let is = |word: &str| name.get(..word.len()).is_some_and(|n| n.eq_ignore_ascii_case(word));
        is("item>") || is("entry>")
    })
}
