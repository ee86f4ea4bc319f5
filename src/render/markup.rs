//! Writes XML element by element: declaration, style sheet, indentation, escaping.
//!
//! Own code instead of the two crates that read feeds, for `atom:source` without an invented date,
//! `at:deleted-entry`, one order of elements in all formats, and a third of the time, since the text of an
//! entry is copied once. Text may contain any character: what XML forbids is left out here, the one place
//! that all text passes (RULES 3.4).

use super::line::line;
use super::signs::{ILLEGAL, QUOTE, RESERVED, push};

/// A document under construction.
#[derive(Debug)]
pub(super) struct Markup {
    out: String,
    open: Vec<&'static str>,
}

/// An attribute: its name and any text.
pub(super) type Attribute<'a> = (&'static str, &'a str);

impl Markup {
    /// Begins a document, with a style sheet for browsers unless the address is empty.
    pub(super) fn document(css_url: &str, capacity: usize) -> Self {
        let mut out = String::with_capacity(capacity);
        out.push_str("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
        if !css_url.trim().is_empty() {
            // Predefined entities are allowed here, and an escaped `>` cannot end the instruction early.
            out.push_str("<?xml-stylesheet type=\"text/css\" href=\"");
            push_line(&mut out, css_url, true);
            out.push_str("\"?>\n");
        }
        Self { out, open: Vec::new() }
    }

    /// Begins an element that contains others.
    pub(super) fn open(&mut self, name: &'static str, attributes: &[Attribute<'_>]) {
        self.begin(name, attributes);
        self.out.push_str(">\n");
        self.open.push(name);
    }

    /// Ends the innermost open element.
    pub(super) fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            self.indent();
            self.end(name);
        }
    }

    /// Writes an empty element.
    pub(super) fn empty(&mut self, name: &'static str, attributes: &[Attribute<'_>]) {
        self.begin(name, attributes);
        self.out.push_str("/>\n");
    }

    /// Writes an element with one line of text.
    pub(super) fn line(&mut self, name: &'static str, attributes: &[Attribute<'_>], text: &str) {
        self.begin(name, attributes);
        self.out.push('>');
        push_line(&mut self.out, text, false);
        self.end(name);
    }

    /// Writes an element with text of many lines, whose white space is kept.
    pub(super) fn text(&mut self, name: &'static str, attributes: &[Attribute<'_>], text: &str) {
        self.begin(name, attributes);
        self.out.push('>');
        push(&mut self.out, text, ILLEGAL | RESERVED);
        self.end(name);
    }

    /// Writes an element as [`Markup::text`] does, but in a CDATA section.
    pub(super) fn cdata(&mut self, name: &'static str, text: &str) {
        self.begin(name, &[]);
        self.out.push_str("><![CDATA[");
        let from = self.out.len();
        push(&mut self.out, text, ILLEGAL);
        if memchr::memmem::find(&self.out.as_bytes()[from..], b"]]>").is_some() {
            let inner = self.out.split_off(from).replace("]]>", "]]]]><![CDATA[>");
            self.out.push_str(&inner);
        }
        self.out.push_str("]]>");
        self.end(name);
    }

    /// Ends all open elements and returns the document.
    pub(super) fn finish(mut self) -> Vec<u8> {
        while !self.open.is_empty() {
            self.close();
        }
        self.out.into_bytes()
    }

    fn begin(&mut self, name: &str, attributes: &[Attribute<'_>]) {
        self.indent();
        self.out.push('<');
        self.out.push_str(name);
        for (name, value) in attributes {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            push_line(&mut self.out, value, true);
            self.out.push('"');
        }
    }

    fn end(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push_str(">\n");
    }

    fn indent(&mut self) {
        for _ in &self.open {
            self.out.push(' ');
        }
    }
}

/// Appends one line of text, escaped.
fn push_line(out: &mut String, text: &str, attribute: bool) {
    push(out, &line(text), if attribute { RESERVED | QUOTE } else { RESERVED });
}
