//! XML element by element: declaration, style sheet, indentation, escaping.
//!
//! Own code instead of the two crates that read feeds: `atom:source` without an invented date,
//! `at:deleted-entry`, one order of elements for all, and a third of the time, for the text of an
//! entry is copied once. Text may hold any character: what XML cannot carry is left out here, at
//! the one place that all text passes (RULES 3.4).

use super::line::line;
use super::signs::{ILLEGAL, QUOTE, RESERVED, push};

/// A document that is being written.
#[derive(Debug)]
pub(super) struct Markup {
    out: String,
    open: Vec<&'static str>,
}

/// An attribute: name and any text.
pub(super) type Attribute<'a> = (&'static str, &'a str);

impl Markup {
    /// A document with a style sheet for browsers; none for an empty address.
    pub(super) fn document(css_url: &str, capacity: usize) -> Self {
        let mut out = String::with_capacity(capacity);
        out.push_str("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
        if !css_url.trim().is_empty() {
            // Pseudo-attributes take the predefined entities; `>` escaped cannot end it early.
            out.push_str("<?xml-stylesheet type=\"text/css\" href=\"");
            push_line(&mut out, css_url, true);
            out.push_str("\"?>\n");
        }
        Self { out, open: Vec::new() }
    }

    /// Begins an element that holds others.
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

    /// An element with nothing in it.
    pub(super) fn empty(&mut self, name: &'static str, attributes: &[Attribute<'_>]) {
        self.begin(name, attributes);
        self.out.push_str("/>\n");
    }

    /// An element with one line of text.
    pub(super) fn line(&mut self, name: &'static str, attributes: &[Attribute<'_>], text: &str) {
        self.begin(name, attributes);
        self.out.push('>');
        push_line(&mut self.out, text, false);
        self.end(name);
    }

    /// An element with text of many lines, whose white space counts.
    pub(super) fn text(&mut self, name: &'static str, attributes: &[Attribute<'_>], text: &str) {
        self.begin(name, attributes);
        self.out.push('>');
        push(&mut self.out, text, ILLEGAL | RESERVED);
        self.end(name);
    }

    /// As [`Markup::text`], in a CDATA section.
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

    /// Ends all that is open.
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

/// One line of text, escaped.
fn push_line(out: &mut String, text: &str, attribute: bool) {
    push(out, &line(text), if attribute { RESERVED | QUOTE } else { RESERVED });
}
