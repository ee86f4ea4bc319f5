//! What the walker knows: the elements that are open, the text that is being read, and what has
//! been read so far.

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

/// An open element.
#[derive(Debug)]
pub(super) struct Open<'a> {
    pub(super) name: &'a str,
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
    pub(super) tokens: Tokens<'a>,
    pub(super) scope: Scope<'a>,
    pub(super) entities: Entities,
    pub(super) stack: Vec<Open<'a>>,
    /// Elements open beyond the deepest that is kept.
    pub(super) overflow: usize,
    pub(super) bases: Vec<Url>,
    /// How many bases were in force before the element that is being opened.
    pub(super) bases_before: usize,
    pub(super) ignored: usize,
    pub(super) asides: usize,
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

    /// What is being read: the item, what it says of its first feed, or the feed.
    pub(super) fn draft(&mut self) -> &mut Draft {
        self.origin.as_mut().or(self.item.as_mut()).unwrap_or(&mut self.feed)
    }

    pub(super) fn decode<'t>(&mut self, raw: &'t str) -> Cow<'t, str> {
        self.entities.decode(raw)
    }
}
