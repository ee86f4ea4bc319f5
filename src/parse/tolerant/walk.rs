//! The walk over the tokens: what is open, and what each start and end means there. No tree
//! is built and nothing recurs; depth, text and counts are bounded.

use std::borrow::Cow;

use url::Url;

use super::capture::Capture;
use super::draft::Draft;
use super::meaning::Within;
use super::names::{Ns, Scope, lower};
use super::refs::Entities;
use super::repairs::Repairs;
use super::tokens::{Tag, Token, Tokens};
use crate::model::nesting::is_void;
use crate::model::{Author, Entry};
use crate::parse::Context;

/// Elements that are open at once; what is deeper is passed over.
const MAX_DEPTH: usize = 128;

/// What an open element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// Root, channel, and wrappers without a meaning of their own.
    Pass,
    Item,
    Field,
    Person,
    Ignore,
    Aside,
    /// The feed that an item was taken from.
    Origin,
    /// Markup within a text, under the name it is written out with.
    Inline(&'a str),
}

#[derive(Debug)]
pub(super) struct Open<'a> {
    name: &'a str,
    pub kind: Kind<'a>,
    /// Place of the base in force before this element, where it sets its own.
    pub(super) bases: usize,
}

/// A start tag with what its name means.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start<'a, 'l> {
    pub tag: Tag<'a>,
    pub ns: Ns,
    /// Local name in lower case.
    pub local: &'l str,
    /// Local name as written.
    pub written: &'a str,
}

/// The reader's state.
#[derive(Debug)]
pub(super) struct Walker<'a, 'c> {
    tokens: Tokens<'a>,
    scope: Scope<'a>,
    entities: Entities,
    pub(super) stack: Vec<Open<'a>>,
    /// Elements open beyond the deepest that is kept.
    overflow: usize,
    pub(super) bases: Vec<Url>,
    /// How many bases were in force before the element that is being opened.
    bases_before: usize,
    pub(super) ignored: usize,
    asides: usize,
    pub(super) capture: Option<Capture>,
    /// The author whose name, address or page is being read.
    pub(super) suspended: Option<Capture>,
    pub(super) person: Author,
    pub(super) feed: Draft,
    pub(super) item: Option<Draft>,
    /// What an Atom item says of the feed that it was taken from.
    pub(super) origin: Option<Draft>,
    pub(super) entries: Vec<Entry>,
    pub(super) beyond: usize,
    pub(super) format: Option<&'static str>,
    pub(super) repairs: Repairs<'a>,
    pub(super) context: &'c Context,
    /// The document has ended within what is being closed.
    pub(super) cut: bool,
}

impl<'a, 'c> Walker<'a, 'c> {
    pub(super) fn new(text: &'a str, context: &'c Context) -> Self {
        Self {
            tokens: Tokens::new(text),
            scope: Scope::default(),
            entities: Entities::default(),
            stack: Vec::with_capacity(16),
            overflow: 0,
            bases: context.base.iter().cloned().collect(),
            bases_before: 0,
            ignored: 0,
            asides: 0,
            capture: None,
            suspended: None,
            person: Author::default(),
            feed: Draft::default(),
            item: None,
            origin: None,
            entries: Vec::new(),
            beyond: 0,
            format: None,
            repairs: Repairs::new(text),
            context,
            cut: false,
        }
    }

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

    /// How many elements are open.
    pub(super) fn depth(&self) -> usize {
        self.stack.len()
    }

    /// The base of relative addresses here.
    pub(super) fn base(&self) -> Option<&Url> {
        self.bases.last()
    }

    /// What stands in unknown elements counts less.
    pub(super) fn penalty(&self) -> u8 {
        if self.asides > 0 { 10 } else { 0 }
    }

    pub(super) fn draft(&mut self) -> &mut Draft {
        self.origin.as_mut().or(self.item.as_mut()).unwrap_or(&mut self.feed)
    }

    pub(super) fn decode<'t>(&mut self, raw: &'t str) -> Cow<'t, str> {
        self.entities.decode(raw)
    }

    fn text(&mut self, raw: &str) {
        if self.ignored > 0 {
            return;
        }
        let Some(capture) = self.capture.as_mut() else { return };
        let text = self.entities.decode(raw);
        match text {
            // Within markup a reference stays one where HTML needs it.
            Cow::Owned(text) if capture.is_markup() => {
                capture.text(&text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"));
            }
            text => capture.text(&text),
        }
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

    /// Puts an element's namespaces and base in force; once more when something was closed for it.
    pub(super) fn enter(&mut self, tag: Tag<'a>) {
        self.bases_before = self.bases.len();
        self.scope.enter(&tag, self.stack.len());
        self.enter_base(tag);
    }

    fn enter_base(&mut self, tag: Tag<'a>) {
        if tag.attrs.0.is_empty() || !tag.attrs.0.contains("xml:base") {
            return;
        }
        let Some(raw) = tag.attrs.get("xml:base") else { return };
        let own = self.entities.decode(raw);
        let own = match self.bases.last() {
            Some(base) => base.join(own.trim()).ok(),
            None => Url::parse(own.trim()).ok(),
        };
        self.bases.extend(own);
    }

    fn open(&mut self, tag: Tag<'a>, kind: Option<Kind<'a>>) {
        let bases = self.bases_before;
        let Some(kind) = kind else {
            self.bases.truncate(bases);
            self.scope.leave(self.stack.len());
            return;
        };
        self.ignored += usize::from(kind == Kind::Ignore);
        self.asides += usize::from(kind == Kind::Aside);
        self.stack.push(Open { name: tag.name, kind, bases });
        if tag.empty {
            self.close_to(self.stack.len() - 1);
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

    /// Closes what is open from the top down to `place`.
    pub(super) fn close_to(&mut self, place: usize) {
        while self.stack.len() > place {
            let Some(open) = self.stack.pop() else { return };
            let depth = self.stack.len();
            match open.kind {
                Kind::Inline(name) => {
                    if let Some(capture) = self.capture.as_mut() {
                        capture.close(name);
                    }
                }
                Kind::Field => self.end_field(depth),
                Kind::Person => self.end_person(),
                Kind::Item => self.end_item(),
                Kind::Ignore => self.ignored = self.ignored.saturating_sub(1),
                Kind::Aside => self.asides = self.asides.saturating_sub(1),
                Kind::Origin => self.end_origin(),
                Kind::Pass => {}
            }
            self.bases.truncate(open.bases);
            self.scope.leave(depth);
        }
    }
}
