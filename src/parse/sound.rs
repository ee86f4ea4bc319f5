//! Decides which documents the `rss` and `atom_syndication` crates read correctly.
//!
//! One pass over the tokens looks for everything that they refuse or misread: other roots and namespaces,
//! entities, naked markup, repeated elements, `xml:base`, deep nesting (their readers recurse) and huge tags
//! (theirs are quadratic in attributes). The pass costs a fraction of what they cost, and no document has to
//! be read by both. Elements that neither crate's reader here uses are cut out of the crate's input, because
//! the crate would keep them; and long texts full of references are passed to it as CDATA, which means the
//! same.

mod fragments;
mod syntax;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use chrono::DateTime;

use super::tolerant::capture::MAX_TEXT;
use super::tolerant::names::{Field, Ns, Role, Scope, lower, role};
use super::tolerant::tokens::{Tag, Token, Tokens};
pub(super) use fragments::{Change, Fragments};
use syntax::{Told, namespaces, quoted, references};

/// Deepest nesting of sound feeds.
const MAX_DEPTH: usize = 12;
/// Longest tag of sound feeds, in bytes.
const MAX_TAG: usize = 8_192;

/// A crate that can read a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crate {
    Rss,
    Atom,
}

/// A document that a crate reads correctly.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sound {
    /// The crate.
    pub(super) by: Crate,
    /// Replacements in the crate's input, in order.
    pub(super) changes: Vec<Change>,
}

/// Returns the crate that reads this document correctly.
///
/// Returns `None` if none does, or if the document has more than `max_entries` items, all of which a crate
/// would keep in memory.
pub(super) fn served_by(text: &str, max_entries: usize) -> Option<Sound> {
    let mut tokens = Tokens::new(text);
    let mut check = Check::default();
    loop {
        check.begun = tokens.position();
        let Some(token) = tokens.next() else { break };
        check.ended = tokens.position();
        if tokens.fault.is_some() {
            return None;
        }
        match token {
            Token::Text(raw) | Token::CData(raw) if raw.len() > MAX_TEXT => return None,
            Token::Text(_) | Token::CData(_) if check.unread.is_some() => {}
            Token::Text(raw) => {
                if let Cow::Owned(decoded) = references(raw)? {
                    let instead = format!("<![CDATA[{decoded}]]>");
                    check.changes.push(Change { at: check.begun..check.ended, instead });
                }
                check.text(raw)?;
            }
            Token::CData(raw) => check.text(raw)?,
            Token::Start(tag) => check.start(tag)?,
            Token::End(name) => check.end(name)?,
            Token::Doctype(_) => return None,
        }
    }
    let dated = check.root == Some(Crate::Rss) || check.feed.has(Seen::UPDATED);
    let by = check
        .root
        .filter(|_| check.items <= max_entries && check.depth == 0 && dated && !check.feed.stands_in())?;
    Some(Sound { by, changes: check.changes })
}

/// Whether the crate receives an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Read,
    /// The element is cut out: nothing of it is used.
    Drop,
}

/// Elements that were seen in an item or in the channel, as bits.
#[derive(Debug, Default, Clone, Copy)]
struct Seen(u32);

impl Seen {
    const TITLE: u32 = 1 << 1;
    const TEXT: u32 = 1 << 2;
    /// Elements that replace a missing title, text or link.
    const OTHER_TITLE: u32 = 1 << 16;
    const OTHER_TEXT: u32 = 1 << 17;
    const UPDATED: u32 = 1 << 5;
    const CHANNEL: u32 = 1 << 20;
    const LINK: u32 = 1 << 3;
    const OTHER_LINK: u32 = 1 << 19;

    /// Sets a bit; returns `None` if it was set before.
    fn once(&mut self, bit: u32) -> Option<()> {
        (self.0 & bit == 0).then(|| self.0 |= bit)
    }

    /// Returns whether a title, text or link is missing that another element replaces.
    fn stands_in(self) -> bool {
        [(Self::OTHER_TITLE, Self::TITLE), (Self::OTHER_TEXT, Self::TEXT), (Self::OTHER_LINK, Self::LINK)]
            .into_iter()
            .any(|(other, own)| self.has(other) && !self.has(own))
    }

    fn has(self, bit: u32) -> bool {
        self.0 & bit != 0
    }
}

/// What the text that follows has to be.
#[derive(Debug, Default, Clone, Copy)]
enum Expect {
    #[default]
    Anything,
    Date,
    PlainText,
}

#[derive(Debug, Default)]
struct Check<'a> {
    root: Option<Crate>,
    scope: Scope<'a>,
    depth: usize,
    items: usize,
    /// Whether the open element may hold text only.
    leaf: bool,
    expect: Expect,
    in_item: bool,
    feed: Seen,
    item: Seen,
    /// Byte offsets of the current token.
    begun: usize,
    ended: usize,
    /// The open element that is cut out: its name, byte offset and depth.
    unread: Option<(&'a str, usize, usize)>,
    changes: Vec<Change>,
}

impl<'a> Check<'a> {
    fn start(&mut self, tag: Tag<'a>) -> Option<()> {
        let attrs = tag.attrs.0;
        if self.unread.is_some() {
            self.depth += usize::from(!tag.empty);
            // The readers accept these at any depth, so they cannot be cut out.
            return (!matches!(tag.name, "item" | "entry" | "channel")).then_some(());
        }
        if self.leaf || self.depth >= MAX_DEPTH || attrs.len() > MAX_TAG {
            return None;
        }
        let told = if attrs.is_empty() { Told::default() } else { quoted(attrs)? };
        if told.namespaces {
            self.scope.enter(&tag, self.depth);
            namespaces(tag, self.depth == 0)?;
        }
        self.depth += 1;
        if told.base || told.language {
            self.inherited(tag.name)?;
        }
        let fate = match self.root {
            None => self.begin(tag)?,
            Some(_) if tag.name.bytes().any(|b| b == b':') => self.extension(tag)?,
            Some(Crate::Rss) => self.rss(tag, told)?,
            Some(Crate::Atom) => self.atom(tag, told)?,
        };
        if fate == Fate::Drop {
            self.unread = Some((tag.name, self.begun, self.depth));
        }
        if tag.empty {
            self.end(tag.name)?;
        }
        Some(())
    }

    fn end(&mut self, name: &str) -> Option<()> {
        if let Some((unread, from, depth)) = self.unread {
            if self.depth > depth {
                self.depth -= 1;
                return Some(());
            }
            if unread != name {
                return None;
            }
            self.unread = None;
            self.changes.push(Change { at: from..self.ended, instead: String::new() });
        }
        self.depth = self.depth.checked_sub(1)?;
        self.scope.leave(self.depth);
        self.leaf = false;
        self.expect = Expect::Anything;
        if self.in_item && matches!(name, "item" | "entry") {
            self.in_item = false;
            // The crate fills in 1970 if an entry states no date.
            if self.item.stands_in() || self.root == Some(Crate::Atom) && !self.item.has(Seen::UPDATED) {
                return None;
            }
        }
        Some(())
    }

    fn begin(&mut self, tag: Tag<'a>) -> Option<Fate> {
        self.root = Some(match tag.name {
            "rss" if !tag.attrs.get("version")?.trim().is_empty() => Crate::Rss,
            "feed" if tag.attrs.get("xmlns")? == "http://www.w3.org/2005/Atom" => Crate::Atom,
            _ => return None,
        });
        Some(Fate::Read)
    }

    fn begin_item(&mut self, depth: usize) -> Option<Fate> {
        self.item = Seen::default();
        self.items += 1;
        self.in_item = true;
        (self.depth == depth).then_some(Fate::Read)
    }

    /// Checks an element of RSS itself: its place, that it occurs once, and that a leaf holds text only.
    fn rss(&mut self, tag: Tag<'a>, told: Told<'_>) -> Option<Fate> {
        match tag.name {
            "channel" if self.depth == 2 => return self.feed.once(Seen::CHANNEL).map(|()| Fate::Read),
            "channel" => return None,
            "item" => return self.begin_item(3),
            "skipHours" | "skipDays" => return Some(Fate::Read),
            _ => {}
        }
        let bit = match tag.name {
            "title" => Seen::TITLE,
            "description" => Seen::TEXT,
            "link" => Seen::LINK,
            "guid" => 1 << 4,
            "pubDate" => 1 << 6,
            "lastBuildDate" => 1 << 7,
            "author" => 1 << 8,
            "enclosure" => 1 << 9,
            "managingEditor" => 1 << 10,
            "language" => 1 << 11,
            "category" | "source" | "generator" | "ttl" | "hour" | "day" => 0,
            name => return self.unknown(name),
        };
        self.leaf = true;
        self.once(bit, 3)?;
        // An address or a type in an attribute that RSS does not define is left to the tolerant reader.
        let odd = match tag.name {
            // RSS defines no such element in the channel, but feeds have it.
            "author" => !self.in_item,
            "link" => told.address || told.rel.is_some(),
            "enclosure" => !states(tag, "url"),
            // The crate has no such field for an item.
            "language" => self.in_item,
            "title" | "description" => told.kind.is_some() || told.elsewhere,
            "category" => told.label,
            _ => false,
        };
        (!odd).then_some(Fate::Read)
    }

    fn atom(&mut self, tag: Tag<'a>, told: Told<'_>) -> Option<Fate> {
        let bit = match tag.name {
            "entry" => return self.begin_item(2),
            "author" => return Some(Fate::Read),
            // Without the attribute the address or the name is in the text.
            "link" if !states(tag, "href") => return None,
            "category" if !states(tag, "term") => return None,
            "link" => {
                return match told.rel.unwrap_or_default() {
                    "" | "alternate" | "enclosure" | "prev-archive" => {
                        self.leaf = true;
                        Some(Fate::Read)
                    }
                    // Another spelling of one of them, or a relation that is not used.
                    rel => {
                        (!rel.contains(|c: char| c == '/' || c.is_ascii_uppercase())).then_some(Fate::Drop)
                    }
                };
            }
            "title" => Seen::TITLE,
            "summary" | "subtitle" => Seen::TEXT,
            "content" => 1 << 3,
            "id" => 1 << 4,
            "updated" => Seen::UPDATED,
            "published" => 1 << 6,
            "category" | "name" | "email" | "uri" | "generator" => 0,
            name => return self.unknown(name),
        };
        self.leaf = true;
        self.once(bit, 2)?;
        let kind = told.kind;
        self.expect = match (tag.name, kind) {
            ("updated" | "published", _) => Expect::Date,
            ("content", None) => Expect::PlainText,
            _ => Expect::Anything,
        };
        let plain = kind.is_none_or(|kind| {
            matches!(kind, "text" | "html") || tag.name == "content" && kind == "text/html"
        });
        (plain && !told.elsewhere).then_some(Fate::Read)
    }

    /// Checks an element with `xml:base` or `xml:lang`, which the Atom crate keeps for the feed and its texts
    /// only.
    fn inherited(&self, name: &str) -> Option<()> {
        match self.root {
            None => (name == "feed").then_some(()),
            Some(Crate::Atom) => matches!(name, "title" | "summary" | "subtitle" | "content").then_some(()),
            Some(Crate::Rss) => None,
        }
    }

    /// Cuts out an element of which nothing is used; returns `None` if the tolerant reader would use it.
    fn unknown(&mut self, name: &str) -> Option<Fate> {
        if self.root == Some(Crate::Atom) && matches!(name, "url" | "homepage") {
            return None;
        }
        matches!(role(Ns::Plain, &lower(name), self.in_item), Role::Aside | Role::Ignore)
            .then_some(Fate::Drop)
    }

    /// Records an element that may occur once; `feed` is the depth of the feed's own children.
    fn once(&mut self, bit: u32, feed: usize) -> Option<()> {
        if self.in_item && self.depth == feed + 1 {
            self.item.once(bit)
        } else if !self.in_item && self.depth == feed {
            self.feed.once(bit)
        } else {
            // An element within an image or a person.
            Some(())
        }
    }

    /// Checks an element with a prefix: if it has a meaning, the crate's reader here has to know it.
    fn extension(&mut self, tag: Tag<'a>) -> Option<Fate> {
        let (ns, local) = self.scope.resolve(tag.name);
        let lower = lower(local);
        let role = role(ns, &lower, self.in_item);
        // The readers of the crates' output take these two from the extensions.
        let hint =
            Role::Field(Field::UpdatePeriod, 0) == role || Role::Field(Field::UpdateFrequency, 0) == role;
        if matches!(role, Role::Ignore | Role::Aside) {
            return Some(Fate::Drop);
        }
        if matches!(role, Role::Pass | Role::Deleted) || hint {
            return Some(Fate::Read);
        }
        if lower != local {
            return None;
        }
        if ns == Ns::Atom && role == Role::Link {
            let rel = tag.attrs.get("rel").unwrap_or("alternate");
            return match rel {
                "enclosure" => None,
                "alternate" => Some(self.stand_in(Seen::OTHER_LINK)),
                _ => Some(Fate::Read),
            };
        }
        if self.root == Some(Crate::Atom) || !self.scope.declares(tag.name) {
            return None;
        }
        self.module(ns, local, role)
    }

    /// Checks an element of an RSS module that the crate, or the reader of its output here, knows.
    fn module(&mut self, ns: Ns, local: &str, role: Role) -> Option<Fate> {
        let bit = match (ns, role) {
            (Ns::Content, _) => 1 << 12,
            (Ns::Dc, Role::Field(Field::Published, _)) => 1 << 13,
            (Ns::Dc, Role::Field(Field::Person | Field::Category, _)) if local != "author" => 0,
            (Ns::Dc, Role::Field(Field::Language, _)) => 1 << 14,
            (Ns::Dc, Role::Field(Field::Paper, _)) => 0,
            (_, Role::Picture) | (Ns::Media, Role::Enclosure) => return Some(Fate::Read),
            (Ns::Media, Role::Field(Field::Category | Field::Keywords, _))
                if self.depth == 3 + usize::from(self.in_item) =>
            {
                0
            }
            (Ns::Itunes | Ns::Media, Role::Field(Field::Title, _)) => {
                return Some(self.stand_in(Seen::OTHER_TITLE));
            }
            (Ns::Itunes | Ns::Media, Role::Field(Field::Summary, _)) => {
                return Some(self.stand_in(Seen::OTHER_TEXT));
            }
            (Ns::Itunes, Role::Field(Field::Person, _)) => 1 << 15,
            (Ns::Itunes, Role::Field(Field::Keywords, _)) => 1 << 18,
            // Categories of the feed itself are not used.
            (Ns::Itunes, Role::Field(Field::Category, _)) if !self.in_item => return Some(Fate::Drop),
            _ => return None,
        };
        self.leaf = true;
        self.once(bit, 3)?;
        Some(Fate::Read)
    }

    /// Records an element that can replace a title, text or link, and cuts it out.
    ///
    /// If the replaced element is missing, [`Seen::stands_in`] rejects the document, so the crate never needs
    /// this one.
    fn stand_in(&mut self, bit: u32) -> Fate {
        let seen = if self.in_item { &mut self.item } else { &mut self.feed };
        seen.0 |= bit;
        Fate::Drop
    }

    /// Checks a text: the Atom crate has its own reading of dates other than RFC 3339.
    fn text(&mut self, raw: &str) -> Option<()> {
        match self.expect {
            Expect::Anything => Some(()),
            Expect::Date => DateTime::parse_from_rfc3339(raw.trim()).ok().map(|_| ()),
            // HTML in content without a type is read as HTML, whatever RFC 4287 states.
            Expect::PlainText => (!raw.contains("</") && !raw.contains("&lt;/")).then_some(()),
        }
    }
}

/// Returns whether the tag has a non-empty attribute of exactly this name.
fn states(tag: Tag<'_>, name: &str) -> bool {
    tag.attrs.iter().any(|(known, value)| known == name && !value.trim().is_empty())
}
