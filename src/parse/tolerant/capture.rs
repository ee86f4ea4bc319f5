//! The text of one element while it is read, and its interpretation once the element ends.

use std::borrow::Cow;
use std::ops::Range;

use data_encoding::BASE64_MIME_PERMISSIVE;
use url::Url;

use super::attrs::Attrs;
use super::names::{Field, Ns};
use super::tokens::Tag;
use crate::parse::text::{escape, looks_like_html};
use crate::parse::title::Title;

/// Longest text of one element, in bytes; the rest is dropped.
pub(in crate::parse) const MAX_TEXT: usize = 1 << 20;

/// The interpretation of an element's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// RSS, which declares no type: HTML, escaped or not.
    Auto,
    /// Plain text.
    Text,
    /// Atom without a type: plain text by RFC 4287, but content that is evidently HTML is HTML.
    Untyped,
    /// Escaped HTML.
    Html,
    /// Unescaped markup.
    Xml,
    /// Atom 1.0: markup within a `div` that is not part of it (RFC 4287, 3.1.1.3).
    Xhtml,
    Base64,
}

impl Mode {
    /// Returns whether the text is declared as markup.
    pub(super) fn is_xml(self) -> bool {
        matches!(self, Self::Xml | Self::Xhtml)
    }

    /// Returns the mode that an element's attributes declare in Atom 1.0 (RFC 4287, 3.1.1 and 4.1.3.3), Atom
    /// 0.3 (`type` and `mode`) or RSS.
    pub(super) fn of(ns: Ns, attrs: Attrs<'_>) -> Self {
        let lower = |name: &str| attrs.get(name).map(|v| v.trim().to_ascii_lowercase());
        let kind = lower("type").unwrap_or_default();
        match lower("mode").as_deref() {
            Some("base64") => return Self::Base64,
            Some("escaped") if kind.is_empty() || kind.contains("html") => return Self::Html,
            _ => {}
        }
        match kind.as_str() {
            "html" | "text/html" => Self::Html,
            "text" | "text/plain" => Self::Text,
            "" if ns == Ns::Atom => Self::Untyped,
            "" => Self::Auto,
            "xhtml" => Self::Xhtml,
            kind if kind.ends_with("xml") => Self::Xml,
            kind if kind.starts_with("text/") => Self::Text,
            kind if kind.contains('/') => Self::Base64,
            _ => Self::Auto,
        }
    }
}

/// An element whose text is being read.
#[derive(Debug)]
pub(super) struct Capture {
    pub field: Field,
    pub rank: u8,
    /// Index of the element on the stack.
    pub depth: usize,
    pub mode: Mode,
    /// Whether the text is a permanent address (`guid`).
    pub permalink: bool,
    /// The `type` attribute of a file whose address is the text.
    pub media_type: Option<String>,
    pub length: Option<u64>,
    text: String,
    markup: bool,
    /// Byte ranges of `text` that come from text tokens, with their references decoded.
    runs: Vec<Range<usize>>,
    /// What the child elements say about the text between them.
    children: Children,
}

impl Capture {
    pub(super) fn new(field: Field, rank: u8, depth: usize, mode: Mode) -> Self {
        Self {
            field,
            rank,
            depth,
            mode,
            permalink: false,
            media_type: None,
            length: None,
            text: String::new(),
            markup: mode.is_xml() && field.holds_markup(),
            runs: Vec::new(),
            children: Children::Frames,
        }
    }

    /// Returns whether nothing but whitespace was read so far.
    pub(super) fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    fn push(&mut self, piece: &str) {
        let room = MAX_TEXT.saturating_sub(self.text.len());
        self.text.push_str(super::tokens::head(piece, room));
    }

    /// Appends text with its references decoded.
    pub(super) fn text(&mut self, piece: &str) {
        let begin = self.text.len();
        self.push(piece);
        // In text declared as HTML, everything before the first child element is HTML.
        if self.field.holds_markup() && (self.markup || self.mode != Mode::Html) {
            match self.runs.last_mut() {
                Some(last) if last.end == begin => last.end = self.text.len(),
                _ => self.runs.push(begin..self.text.len()),
            }
        }
    }

    pub(super) fn cdata(&mut self, piece: &str) {
        if self.mode.is_xml() && self.markup {
            self.push(&escape(piece));
        } else {
            self.push(piece);
        }
    }

    /// Writes a start tag, with the attributes that HTML can have.
    pub(super) fn open(
        &mut self,
        name: &str,
        tag: &Tag<'_>,
        closed: bool,
        resolve: impl Fn(&str, &str) -> Option<String>,
    ) {
        self.markup = true;
        let local = name.rsplit(':').next().unwrap_or_default();
        self.children = self.children.max(Children::of(local, closed));
        self.push("<");
        self.push(name);
        for (key, value) in tag.attrs.iter().filter(|(key, _)| !key.starts_with("xml")) {
            let resolved = resolve(key, value);
            self.push(" ");
            self.push(key);
            self.push("=\"");
            self.push(&resolved.as_deref().unwrap_or(value).replace('"', "&quot;"));
            self.push("\"");
        }
        self.push(if closed { " />" } else { ">" });
    }

    pub(super) fn close(&mut self, name: &str) {
        self.push("</");
        self.push(name);
        self.push(">");
    }

    /// Returns the trimmed text, for values that are not HTML.
    pub(super) fn plain(&self) -> &str {
        self.text.trim()
    }

    /// Returns the text and its child elements as HTML.
    ///
    /// Escaped HTML that has an unescaped `<br/>` in it, or is wrapped in a `div`, is still HTML: its end
    /// tags show that. Any other text between elements is literal and is escaped again.
    fn html_of_both(&self) -> Cow<'_, str> {
        let escaped = || {
            let text: String = self.runs.iter().filter_map(|run| self.text.get(run.clone())).collect();
            let whole = self.children == Children::Frames || begins_with_a_block(&text);
            whole && looks_like_html(&text)
        };
        let may_be = !self.mode.is_xml() && self.mode != Mode::Text && self.children != Children::Blocks;
        if may_be && escaped() {
            return Cow::Borrowed(&self.text);
        }
        let mut html = String::with_capacity(self.text.len());
        let mut written = 0;
        for run in &self.runs {
            html.push_str(self.text.get(written..run.start).unwrap_or_default());
            for sign in self.text.get(run.clone()).unwrap_or_default().chars() {
                match sign {
                    '&' => html.push_str("&amp;"),
                    '<' => html.push_str("&lt;"),
                    '>' => html.push_str("&gt;"),
                    sign => html.push(sign),
                }
            }
            written = run.end;
        }
        html.push_str(self.text.get(written..).unwrap_or_default());
        Cow::Owned(html)
    }

    /// Returns the text as HTML or as plain text, by its mode and child elements.
    fn read(&self) -> Read {
        let trimmed = self.text.trim();
        if self.markup {
            let html = self.html_of_both();
            let trimmed = html.trim();
            let inner = if self.mode == Mode::Xhtml { without_div(trimmed) } else { trimmed };
            return Read::Html(inner.to_owned());
        }
        match self.mode {
            Mode::Base64 => match decode(trimmed) {
                Some(decoded) => Read::Html(decoded.trim().to_owned()),
                None => Read::Plain(trimmed.to_owned()),
            },
            Mode::Text => Read::Plain(trimmed.to_owned()),
            Mode::Untyped if self.field != Field::Content || !looks_like_html(trimmed) => {
                Read::Plain(trimmed.to_owned())
            }
            Mode::Auto if self.field == Field::Title => Read::Guess(trimmed.to_owned()),
            _ => Read::Html(trimmed.to_owned()),
        }
    }

    pub(super) fn html(&self) -> String {
        match self.read() {
            Read::Html(html) | Read::Guess(html) => html,
            Read::Plain(text) => escape(&text),
        }
    }

    pub(super) fn title(&self, base: Option<&Url>) -> Title {
        match self.read() {
            Read::Html(html) => Title::of_html(&html, base),
            Read::Guess(text) => Title::of_rss(&text, base),
            Read::Plain(text) => Title::of_text(&text),
        }
    }
}

/// The unescaped child elements of a text, by what they say about the escaped text between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Children {
    /// Void elements, such as `<br/>`, and `div`: they say nothing.
    Frames,
    /// Inline elements: escaped text is markup only if it begins with a block element.
    Inline,
    /// Any other elements: the text is written in them, and escaped text is literal.
    Blocks,
}

impl Children {
    fn of(local: &str, closed: bool) -> Self {
        let is = |known: &&str| known.eq_ignore_ascii_case(local);
        if closed || is(&"div") {
            Self::Frames
        } else if ["a", "b", "i", "u", "s", "em", "strong", "span", "font", "small", "sup", "sub"]
            .iter()
            .any(is)
        {
            Self::Inline
        } else {
            Self::Blocks
        }
    }
}

/// Returns whether a text begins with the start tag of a block element.
fn begins_with_a_block(text: &str) -> bool {
    let Some(tag) = text.trim_start().strip_prefix('<') else { return false };
    let name: String = tag.chars().take_while(char::is_ascii_alphanumeric).collect();
    ["p", "div", "ul", "ol", "h1", "h2", "h3", "h4", "blockquote", "table", "figure"]
        .iter()
        .any(|block| block.eq_ignore_ascii_case(&name))
}

enum Read {
    Html(String),
    Plain(String),
    /// An RSS title, whose type is not declared.
    Guess(String),
}

fn decode(base64: &str) -> Option<String> {
    String::from_utf8(BASE64_MIME_PERMISSIVE.decode(base64.as_bytes()).ok()?).ok()
}

/// Returns the contents of the one `div` around all of `html`, or `html` itself if there is none.
fn without_div(html: &str) -> &str {
    let Some(rest) = html.strip_prefix("<div") else { return html };
    if !rest.starts_with(['>', ' ']) {
        return html;
    }
    let inner = crate::model::markup::after_tag(rest);
    match inner.strip_suffix("</div>") {
        // A second `div` beside the first leaves an end tag before its start tag.
        Some(inner) if balanced(inner) => inner.trim(),
        _ => html,
    }
}

fn balanced(inner: &str) -> bool {
    let mut depth = 0_usize;
    for (at, _) in inner.match_indices('<') {
        let tag = inner.get(at + 1..).unwrap_or_default();
        if tag.starts_with("div") {
            depth += 1;
        } else if tag.starts_with("/div") {
            let Some(less) = depth.checked_sub(1) else { return false };
            depth = less;
        }
    }
    true
}
