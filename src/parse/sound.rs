//! Which documents the `rss` and `atom_syndication` crates read right.
//!
//! One pass over the tokens looks for everything that they refuse or misread: other roots and
//! namespaces, entities, naked markup, repeated elements, `xml:base`, deep nesting (their
//! readers recur) and huge tags (theirs are quadratic in attributes). The pass costs a
//! fraction of what they cost, and no document has to be read by both.

mod syntax;
#[cfg(test)]
mod tests;

use chrono::DateTime;

use super::tolerant::capture::MAX_TEXT;
use super::tolerant::names::{Field, Ns, Role, Scope, lower, role};
use super::tolerant::tokens::{Tag, Token, Tokens};
use syntax::{Told, namespaces, quoted, references};

/// Deepest nesting of sound feeds.
const MAX_DEPTH: usize = 12;
/// Longest tag of sound feeds, in bytes.
const MAX_TAG: usize = 8_192;

/// A crate that can read the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crate {
    Rss,
    Atom,
}

/// The crate that reads this document right; `None` when none does, or when it holds more items
/// than are wanted, all of which a crate would keep.
pub(super) fn served_by(text: &str, max_entries: usize) -> Option<Crate> {
    let mut tokens = Tokens::new(text);
    let mut check = Check::default();
    while let Some(token) = tokens.next() {
        if tokens.fault.is_some() {
            return None;
        }
        match token {
            Token::Text(raw) | Token::CData(raw) if raw.len() > MAX_TEXT => return None,
            Token::Text(raw) => {
                references(raw)?;
                check.text(raw)?;
            }
            Token::CData(raw) => check.text(raw)?,
            Token::Start(tag) => check.start(tag)?,
            Token::End(name) => check.end(name)?,
            Token::Doctype(_) => return None,
        }
    }
    let dated = check.root == Some(Crate::Rss) || check.feed.has(Seen::UPDATED);
    check.root.filter(|_| check.items <= max_entries && check.depth == 0 && dated && !check.feed.stands_in())
}

/// What may stand once within an item, or within the channel.
#[derive(Debug, Default, Clone, Copy)]
struct Seen(u32);

impl Seen {
    const TITLE: u32 = 1 << 1;
    const TEXT: u32 = 1 << 2;
    /// Elements that stand in for a title, a text or a link.
    const OTHER_TITLE: u32 = 1 << 16;
    const OTHER_TEXT: u32 = 1 << 17;
    const UPDATED: u32 = 1 << 5;
    const CHANNEL: u32 = 1 << 20;
    const LINK: u32 = 1 << 3;
    const OTHER_LINK: u32 = 1 << 19;

    /// `None` when it was seen before.
    fn once(&mut self, bit: u32) -> Option<()> {
        (self.0 & bit == 0).then(|| self.0 |= bit)
    }

    /// Whether something must stand in for the title, the text or the link.
    fn stands_in(self) -> bool {
        [(Self::OTHER_TITLE, Self::TITLE), (Self::OTHER_TEXT, Self::TEXT), (Self::OTHER_LINK, Self::LINK)]
            .into_iter()
            .any(|(other, own)| self.has(other) && !self.has(own))
    }

    fn has(self, bit: u32) -> bool {
        self.0 & bit != 0
    }
}

/// What the text that follows must be.
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
    /// An element is open that must hold text only.
    leaf: bool,
    expect: Expect,
    in_item: bool,
    feed: Seen,
    item: Seen,
}

impl<'a> Check<'a> {
    fn start(&mut self, tag: Tag<'a>) -> Option<()> {
        let attrs = tag.attrs.0;
        if self.leaf || self.depth >= MAX_DEPTH || attrs.len() > MAX_TAG {
            return None;
        }
        let told = if attrs.is_empty() { Told::default() } else { quoted(attrs)? };
        if told.namespaces {
            self.scope.enter(&tag, self.depth);
            namespaces(tag, self.depth == 0)?;
        }
        self.depth += 1;
        if told.base {
            self.base(tag.name)?;
        }
        match self.root {
            None => self.begin(tag)?,
            Some(_) if tag.name.bytes().any(|b| b == b':') => self.extension(tag)?,
            Some(Crate::Rss) => self.rss(tag, told)?,
            Some(Crate::Atom) => self.atom(tag, told)?,
        }
        if tag.empty {
            self.end(tag.name)?;
        }
        Some(())
    }

    fn end(&mut self, name: &str) -> Option<()> {
        self.depth = self.depth.checked_sub(1)?;
        self.scope.leave(self.depth);
        self.leaf = false;
        self.expect = Expect::Anything;
        if self.in_item && matches!(name, "item" | "entry") {
            self.in_item = false;
            // The crate puts 1970 where an entry states no date.
            if self.item.stands_in() || self.root == Some(Crate::Atom) && !self.item.has(Seen::UPDATED) {
                return None;
            }
        }
        Some(())
    }

    fn begin(&mut self, tag: Tag<'a>) -> Option<()> {
        self.root = Some(match tag.name {
            "rss" if !tag.attrs.get("version")?.trim().is_empty() => Crate::Rss,
            "feed" if tag.attrs.get("xmlns")? == "http://www.w3.org/2005/Atom" => Crate::Atom,
            _ => return None,
        });
        Some(())
    }

    fn begin_item(&mut self, depth: usize) -> Option<()> {
        self.item = Seen::default();
        self.items += 1;
        self.in_item = true;
        (self.depth == depth).then_some(())
    }

    /// Elements of the feed's own vocabulary: where, once, and leaves with text only.
    fn rss(&mut self, tag: Tag<'a>, told: Told<'_>) -> Option<()> {
        match tag.name {
            "channel" if self.depth == 2 => return self.feed.once(Seen::CHANNEL),
            "channel" => return None,
            "item" => return self.begin_item(3),
            "image" | "textInput" | "skipHours" | "skipDays" => return Some(()),
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
            "category" | "comments" | "source" | "copyright" | "webMaster" | "generator" | "docs"
            | "cloud" | "ttl" | "rating" | "url" | "width" | "height" | "name" | "hour" | "day" => 0,
            name => return self.unknown(name),
        };
        self.leaf = true;
        self.once(bit, 3)?;
        // What says its address or its type in an attribute is read as RSS does not define it.
        let odd = match tag.name {
            // RSS has no such element in the channel, but people write it.
            "author" => !self.in_item,
            "link" => told.address,
            "title" | "description" => told.kind.is_some() || told.elsewhere,
            "category" => told.label,
            _ => false,
        };
        (!odd).then_some(())
    }

    fn atom(&mut self, tag: Tag<'a>, told: Told<'_>) -> Option<()> {
        let bit = match tag.name {
            "entry" => return self.begin_item(2),
            "author" | "contributor" => return Some(()),
            "title" => Seen::TITLE,
            "summary" | "subtitle" => Seen::TEXT,
            "content" => 1 << 3,
            "id" => 1 << 4,
            "updated" => Seen::UPDATED,
            "published" => 1 << 6,
            "link" | "category" | "name" | "email" | "uri" | "rights" | "generator" | "logo" | "icon" => 0,
            name => return self.unknown(name),
        };
        self.leaf = true;
        self.once(bit, 2)?;
        let kind = told.kind.filter(|_| tag.name != "link");
        self.expect = match (tag.name, kind) {
            ("updated" | "published", _) => Expect::Date,
            ("content", None) => Expect::PlainText,
            _ => Expect::Anything,
        };
        let plain = kind.is_none_or(|kind| {
            matches!(kind, "text" | "html") || tag.name == "content" && kind == "text/html"
        });
        (plain && !told.elsewhere).then_some(())
    }

    /// The Atom crate keeps the base of a feed and of its texts.
    fn base(&self, name: &str) -> Option<()> {
        match self.root {
            None => (name == "feed").then_some(()),
            Some(Crate::Atom) => matches!(name, "title" | "summary" | "subtitle" | "content").then_some(()),
            Some(Crate::Rss) => None,
        }
    }

    /// An element that no reader of feeds knows; the crates skip it as the tolerant reader does.
    fn unknown(&mut self, name: &str) -> Option<()> {
        self.leaf = true;
        if self.root == Some(Crate::Atom) && matches!(name, "url" | "homepage") {
            return None;
        }
        matches!(role(Ns::Plain, &lower(name), self.in_item), Role::Aside | Role::Ignore).then_some(())
    }

    /// Notes an element that may stand once; `feed` is the depth of the feed's own children.
    fn once(&mut self, bit: u32, feed: usize) -> Option<()> {
        if self.in_item && self.depth == feed + 1 {
            self.item.once(bit)
        } else if !self.in_item && self.depth == feed {
            self.feed.once(bit)
        } else {
            // Within an image or a person.
            Some(())
        }
    }

    /// Elements under a prefix: those that mean something must be among those that are read.
    fn extension(&mut self, tag: Tag<'a>) -> Option<()> {
        let (ns, local) = self.scope.resolve(tag.name);
        let lower = lower(local);
        let role = role(ns, &lower, self.in_item);
        // Of the last two the crates' readers here take what they say from the extensions.
        let hint =
            Role::Field(Field::UpdatePeriod, 0) == role || Role::Field(Field::UpdateFrequency, 0) == role;
        if matches!(role, Role::Ignore | Role::Aside | Role::Pass | Role::Deleted) || hint {
            return Some(());
        }
        if lower != local {
            return None;
        }
        if ns == Ns::Atom && role == Role::Link {
            let rel = tag.attrs.get("rel").unwrap_or("alternate");
            return match rel {
                "enclosure" => None,
                "alternate" => {
                    self.stand_in(Seen::OTHER_LINK);
                    Some(())
                }
                _ => Some(()),
            };
        }
        if self.root == Some(Crate::Atom) || !self.scope.declares(tag.name) {
            return None;
        }
        self.module(ns, local, role)
    }

    /// An element of a module of RSS that the crate, or its reader here, knows.
    fn module(&mut self, ns: Ns, local: &str, role: Role) -> Option<()> {
        let bit = match (ns, role) {
            (Ns::Content, _) => 1 << 12,
            (Ns::Dc, Role::Field(Field::Published, _)) => 1 << 13,
            (Ns::Dc, Role::Field(Field::Person | Field::Category, _)) if local != "author" => 0,
            (Ns::Dc, Role::Field(Field::Language, _)) => 1 << 14,
            (Ns::Dc, Role::Field(Field::Paper, _)) => 0,
            (_, Role::Picture) => return Some(()),
            (Ns::Media, Role::Enclosure) => return Some(()),
            (Ns::Media, Role::Field(Field::Category | Field::Keywords, _))
                if self.depth == 3 + usize::from(self.in_item) =>
            {
                0
            }
            (Ns::Itunes | Ns::Media, Role::Field(Field::Title, _)) => self.stand_in(Seen::OTHER_TITLE),
            (Ns::Itunes | Ns::Media, Role::Field(Field::Summary, _)) => self.stand_in(Seen::OTHER_TEXT),
            (Ns::Itunes, Role::Field(Field::Person, _)) => 1 << 15,
            (Ns::Itunes, Role::Field(Field::Keywords, _)) => 1 << 18,
            // Of the feed they say nothing that is kept.
            (Ns::Itunes, Role::Field(Field::Category, _)) if !self.in_item => return Some(()),
            _ => return None,
        };
        self.leaf = true;
        self.once(bit, 3)
    }

    /// Notes an element that may stand in for another; it may stand more than once.
    fn stand_in(&mut self, bit: u32) -> u32 {
        let seen = if self.in_item { &mut self.item } else { &mut self.feed };
        seen.0 |= bit;
        0
    }

    /// The Atom crate reads other dates than RFC 3339 in a way of its own.
    fn text(&mut self, raw: &str) -> Option<()> {
        match self.expect {
            Expect::Anything => Some(()),
            Expect::Date => DateTime::parse_from_rfc3339(raw.trim()).ok().map(|_| ()),
            // HTML in content without a type is HTML, whatever RFC 4287 says.
            Expect::PlainText => (!raw.contains("</") && !raw.contains("&lt;/")).then_some(()),
        }
    }
}
