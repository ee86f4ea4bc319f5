//! The state of the walker: the open elements, the text being captured, and the values read so far.

use std::borrow::Cow;

use url::Url;

use super::capture::Capture;
use super::draft::Draft;
use super::names::{Ns, Scope};
use super::refs::Entities;
use super::repairs::Repairs;
use super::tokens::{Tag, Tokens};
use crate::model::{Author, Entry};
use crate::parse::Context;

/// The kind of an open element.
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
    /// Markup within a text, with the name it is written under.
    Inline(&'a str),
}

/// An open element.
#[derive(Debug)]
pub(super) struct Open<'a> {
    pub(super) name: &'a str,
    pub kind: Kind<'a>,
    /// Length of the walker's `bases` before this element, restored when it closes.
    pub(super) bases: usize,
}

/// A start tag with its name resolved.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start<'a, 'l> {
    pub tag: Tag<'a>,
    pub ns: Ns,
    /// Local name in lower case.
    pub local: &'l str,
    /// Local name as written.
    pub written: &'a str,
}

/// The state of the walk over one document.
#[derive(Debug)]
pub(super) struct Walker<'a, 'c> {
    pub(super) tokens: Tokens<'a>,
    pub(super) scope: Scope<'a>,
    pub(super) entities: Entities,
    pub(super) stack: Vec<Open<'a>>,
    /// Number of elements open beyond the maximum depth.
    pub(super) overflow: usize,
    pub(super) bases: Vec<Url>,
    /// Length of `bases` before the element that is being opened.
    pub(super) bases_before: usize,
    pub(super) ignored: usize,
    pub(super) asides: usize,
    pub(super) capture: Option<Capture>,
    /// The capture of an author while its name, email or page is being captured.
    pub(super) suspended: Option<Capture>,
    pub(super) person: Author,
    pub(super) feed: Draft,
    pub(super) item: Option<Draft>,
    /// The draft of the feed that an Atom item was taken from, while it is read.
    pub(super) origin: Option<Draft>,
    pub(super) entries: Vec<Entry>,
    pub(super) beyond: usize,
    pub(super) format: Option<&'static str>,
    pub(super) repairs: Repairs<'a>,
    pub(super) context: &'c Context,
    /// Whether the document ended within the elements that are being closed.
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

    /// Returns the number of open elements.
    pub(super) fn depth(&self) -> usize {
        self.stack.len()
    }

    /// Returns the base of relative addresses in the current element.
    pub(super) fn base(&self) -> Option<&Url> {
        self.bases.last()
    }

    /// Returns the number to add to ranks: 10 within unknown elements, else 0.
    pub(super) fn penalty(&self) -> u8 {
        if self.asides > 0 { 10 } else { 0 }
    }

    /// Returns the draft being filled: that of the item's source feed, the item, or the feed.
    pub(super) fn draft(&mut self) -> &mut Draft {
        self.origin.as_mut().or(self.item.as_mut()).unwrap_or(&mut self.feed)
    }

    pub(super) fn decode<'t>(&mut self, raw: &'t str) -> Cow<'t, str> {
        self.entities.decode(raw)
    }
}
