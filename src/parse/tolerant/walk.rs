//! The walk over the tokens. No tree is built and nothing recurses; depth, text and counts are bounded.

use super::meaning::Within;
use super::names::lower;
use super::state::{Start, Walker};
use super::tokens::{Tag, Token};
use crate::model::nesting::is_void;

/// The most elements open at once; deeper ones are skipped.
const MAX_DEPTH: usize = 128;

impl<'a> Walker<'a, '_> {
    /// Reads the document to its end.
    pub(super) fn run(&mut self) {
        loop {
            let at = self.tokens.position();
            let Some(token) = self.tokens.next() else { break };
            if let Some(fault) = self.tokens.fault.take() {
                self.repairs.note(at, fault);
            }
            match token {
                Token::Text(raw) => self.text(raw),
                Token::CData(raw) => self.cdata(raw),
                Token::Start(tag) => self.start(tag, at),
                Token::End(name) => self.end(name, at),
                Token::Doctype(body) => self.entities.declare(body),
            }
        }
        if !self.stack.is_empty() {
            self.repairs.note(self.tokens.position(), "the document ends before its elements do");
        }
        self.cut = !self.stack.is_empty();
        self.close_to(0);
    }

    fn text(&mut self, raw: &str) {
        if self.ignored > 0 {
            return;
        }
        let Some(capture) = self.capture.as_mut() else { return };
        capture.text(&self.entities.decode(raw));
    }

    fn cdata(&mut self, raw: &str) {
        if let Some(capture) = self.capture.as_mut().filter(|_| self.ignored == 0) {
            capture.cdata(raw);
        }
    }

    fn start(&mut self, tag: Tag<'a>, at: usize) {
        let depth = self.stack.len();
        let lower = lower(tag.name);
        let local = lower.rsplit(':').next().unwrap_or_default();
        if depth >= MAX_DEPTH {
            if !matches!(local, "item" | "entry") || self.overflow == 0 {
                self.overflow += usize::from(!tag.empty);
                return;
            }
            self.overflow = 0;
        }
        self.enter(tag);
        let (ns, written) = self.scope.resolve(tag.name);
        let start = Start { tag, ns, local, written };
        match self.within_capture(start, at) {
            Within::Text(kind) => self.open(tag, kind),
            Within::Nothing => {
                let kind = self.meaning(start, at);
                self.open(tag, kind);
            }
        }
    }

    fn end(&mut self, name: &'a str, at: usize) {
        if self.overflow > 0 {
            let local = name.rsplit(':').next().unwrap_or_default();
            if !["item", "entry", "channel", "rss", "feed"].iter().any(|s| s.eq_ignore_ascii_case(local)) {
                self.overflow -= 1;
                return;
            }
            self.overflow = 0;
        }
        let Some(place) = self.stack.iter().rposition(|open| open.name.eq_ignore_ascii_case(name)) else {
            if !is_void(name) {
                self.repairs.note(at, "an end tag without its start");
            }
            return;
        };
        if place + 1 < self.stack.len() {
            self.repairs.note(at, "an element that was not closed");
        }
        self.close_to(place);
    }
}
