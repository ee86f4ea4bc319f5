//! The meaning of element names, whatever prefix, case or namespace they come under.

use std::borrow::Cow;

use super::tokens::Tag;

/// The most namespace declarations in force at once; more of them are hostile and are ignored.
const MOST: usize = 64;

/// The vocabularies that feeds are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::parse) enum Ns {
    /// RSS of any kind, or no namespace.
    Plain,
    Atom,
    Dc,
    DcTerms,
    Content,
    Itunes,
    Media,
    Xhtml,
    Rdf,
    /// SVG and `MathML`: kept in content, without their prefix.
    Drawing,
    Other,
}

/// The namespace declarations in force.
#[derive(Debug, Default)]
pub(in crate::parse) struct Scope<'a> {
    declared: Vec<(&'a str, Option<Ns>, usize)>,
}

impl<'a> Scope<'a> {
    /// Adds the declarations of a start tag at `depth`.
    pub(in crate::parse) fn enter(&mut self, tag: &Tag<'a>, depth: usize) {
        if tag.attrs.0.is_empty() || !tag.attrs.0.contains("xmlns") {
            return;
        }
        for (name, uri) in tag.attrs.iter() {
            let prefix = name.strip_prefix("xmlns:").or_else(|| (name == "xmlns").then_some(""));
            if let Some(prefix) = prefix
                && self.declared.len() < MOST
            {
                self.declared.push((prefix, of_uri(uri), depth));
            }
        }
    }

    /// Removes the declarations made at `depth` or deeper.
    pub(in crate::parse) fn leave(&mut self, depth: usize) {
        while self.declared.last().is_some_and(|(.., at)| *at >= depth) {
            self.declared.pop();
        }
    }

    /// Returns whether the prefix of a name is declared.
    pub(in crate::parse) fn declares(&self, name: &str) -> bool {
        let prefix = name.split_once(':').map_or("", |(prefix, _)| prefix);
        self.declared.iter().any(|(known, ..)| *known == prefix)
    }

    /// Returns the namespace and the local name. A prefix that is not declared, or is bound to an unknown
    /// address, has its usual meaning.
    pub(in crate::parse) fn resolve(&self, name: &'a str) -> (Ns, &'a str) {
        let colon = name.bytes().position(|b| b == b':');
        let (prefix, local) = colon.map_or(("", name), |at| (&name[..at], &name[at + 1..]));
        let declared =
            self.declared.iter().rev().find(|(known, ..)| *known == prefix).and_then(|(_, ns, _)| *ns);
        (declared.unwrap_or_else(|| of_prefix(prefix)), local)
    }
}

pub(in crate::parse) fn of_uri(uri: &str) -> Option<Ns> {
    let uri = uri.trim().to_ascii_lowercase();
    let uri = uri.replacen("https://", "http://", 1);
    let starts = |start: &str| uri.starts_with(start);
    Some(match uri.as_str() {
        "" => Ns::Plain,
        "http://www.w3.org/1999/xhtml" => Ns::Xhtml,
        "http://www.w3.org/2000/svg" | "http://www.w3.org/1998/math/mathml" => Ns::Drawing,
        "http://www.w3.org/1999/02/22-rdf-syntax-ns#" => Ns::Rdf,
        _ if starts("http://www.w3.org/2005/atom") || starts("http://purl.org/atom/") => Ns::Atom,
        _ if starts("http://purl.org/dc/elements/") => Ns::Dc,
        _ if starts("http://purl.org/dc/terms") => Ns::DcTerms,
        _ if starts("http://purl.org/rss/1.0/modules/content") => Ns::Content,
        _ if starts("http://purl.org/rss/1.0/modules/dcterms") => Ns::DcTerms,
        _ if starts("http://purl.org/rss/1.0/modules/") => return None,
        _ if uri.contains("dtds/podcast-1.0") => Ns::Itunes,
        _ if uri.contains("search.yahoo.com/mrss") || uri.ends_with("rssboard.org/media-rss") => Ns::Media,
        _ if starts("http://purl.org/rss/") || uri.contains("netscape.com/rdf/simple") => Ns::Plain,
        _ if uri.contains("userland.com/rss") || uri.ends_with("law.harvard.edu/tech/rss") => Ns::Plain,
        _ => return None,
    })
}

pub(in crate::parse) fn of_prefix(prefix: &str) -> Ns {
    match prefix {
        "" | "rss" | "rss1" | "rss2" => Ns::Plain,
        "atom" | "atom03" | "atom10" | "a10" => Ns::Atom,
        "dc" => Ns::Dc,
        "dcterms" | "dct" | "dcterm" => Ns::DcTerms,
        "content" => Ns::Content,
        "itunes" => Ns::Itunes,
        "media" => Ns::Media,
        "xhtml" | "html" => Ns::Xhtml,
        "rdf" => Ns::Rdf,
        "svg" | "math" | "mml" => Ns::Drawing,
        _ => Ns::Other,
    }
}

/// A text field of an item or of the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::parse) enum Field {
    Title,
    Link,
    Id,
    Guid,
    Summary,
    Content,
    Published,
    Updated,
    Person,
    PersonName,
    PersonEmail,
    PersonUri,
    Category,
    Keywords,
    /// The address of a file.
    File,
    /// The newspaper that an item was taken from.
    Paper,
    Language,
    Ttl,
    SkipHour,
    SkipDay,
    UpdatePeriod,
    UpdateFrequency,
    Generator,
}

impl Field {
    /// Returns whether the text of the field may be HTML.
    pub(in crate::parse) fn holds_markup(self) -> bool {
        matches!(self, Self::Title | Self::Summary | Self::Content)
    }
}

/// Returns a name in lower case, borrowed if it already is, as most are.
pub(in crate::parse) fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// The meaning of a start tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::parse) enum Role {
    Root(&'static str),
    Channel,
    Item,
    /// A field with its rank: of several elements for one field the lowest rank wins.
    Field(Field, u8),
    Link,
    Enclosure,
    /// A picture that represents the item.
    Picture,
    /// The feed that an item was taken from.
    Origin,
    /// The notice of a deleted entry; its contents are ignored.
    Deleted,
    /// A wrapper without a meaning of its own; its contents count.
    Pass,
    /// An element about something else; its contents are ignored.
    Ignore,
    /// An unknown element; its contents count only where nothing else is given.
    Aside,
}

/// Returns the role of an element; `item` is whether it is within an item.
pub(in crate::parse) fn role(ns: Ns, local: &str, item: bool) -> Role {
    match ns {
        _ if local == "deleted-entry" && !item => Role::Deleted,
        Ns::Other if !item && local == "updateperiod" => Role::Field(Field::UpdatePeriod, 0),
        Ns::Other if !item && local == "updatefrequency" => Role::Field(Field::UpdateFrequency, 0),
        Ns::Plain | Ns::Atom | Ns::Xhtml => plain(ns, local, item),
        Ns::Rdf => match local {
            "rdf" => Role::Root("rdf"),
            "seq" | "bag" | "li" => Role::Pass,
            _ => Role::Aside,
        },
        Ns::Dc => dublin_core(local),
        Ns::DcTerms => match local {
            "issued" => Role::Field(Field::Published, 1),
            "created" => Role::Field(Field::Published, 3),
            "modified" => Role::Field(Field::Updated, 1),
            _ => dublin_core(local),
        },
        Ns::Content if local == "encoded" => Role::Field(Field::Content, 0),
        Ns::Itunes => itunes(local, item),
        Ns::Media => media(local),
        Ns::Content | Ns::Drawing | Ns::Other => Role::Aside,
    }
}

fn plain(ns: Ns, local: &str, item: bool) -> Role {
    use Role::{Channel, Enclosure, Ignore, Item, Link, Origin, Pass, Root};
    match local {
        "rss" => Root("rss"),
        "rdf" => Root("rdf"),
        "feed" => Root("atom"),
        "channel" => Channel,
        "item" | "entry" => Item,
        "link" => Link,
        "enclosure" => Enclosure,
        "source" if item => Origin,
        "image" | "textinput" | "source" | "cloud" | "contributor" | "webmaster" | "owner" | "logo"
        | "icon" => Ignore,
        "items" | "html" | "head" | "br" | "hr" | "img" | "meta" | "input" | "p" | "categories"
        | "authors" | "enclosures" => Pass,
        "body" | "skiphours" | "skipdays" if !item => Pass,
        "div" if item && ns == Ns::Xhtml => Role::Field(Field::Content, 1),
        _ => plain_field(local, item).map_or(Role::Aside, |(field, rank)| Role::Field(field, rank)),
    }
}

fn plain_field(local: &str, item: bool) -> Option<(Field, u8)> {
    Some(match local {
        "title" => (Field::Title, 0),
        "id" => (Field::Id, 0),
        "guid" => (Field::Guid, 0),
        "description" | "summary" => (Field::Summary, 0),
        "subtitle" | "tagline" if !item => (Field::Summary, 0),
        "abstract" => (Field::Summary, 1),
        "info" if !item => (Field::Summary, 5),
        "content" => (Field::Content, 0),
        "body" | "fullitem" => (Field::Content, 1),
        "published" | "issued" | "pubdate" => (Field::Published, 0),
        "created" => (Field::Published, 3),
        "updated" | "modified" | "lastbuilddate" | "lastmod" => (Field::Updated, 0),
        "author" | "managingeditor" => (Field::Person, 0),
        "category" => (Field::Category, 0),
        "tag" if item => (Field::Category, 0),
        "tags" | "keywords" => (Field::Keywords, 0),
        "language" => (Field::Language, 0),
        "ttl" => (Field::Ttl, 0),
        "hour" if !item => (Field::SkipHour, 0),
        "day" if !item => (Field::SkipDay, 0),
        "generator" if !item => (Field::Generator, 0),
        _ => return None,
    })
}

/// Returns the role of a Dublin Core 1.1 element; the terms of the same names have the same roles.
fn dublin_core(local: &str) -> Role {
    match local {
        "title" => Role::Field(Field::Title, 1),
        "creator" | "author" => Role::Field(Field::Person, 1),
        "date" => Role::Field(Field::Published, 2),
        "description" | "abstract" => Role::Field(Field::Summary, 2),
        "subject" => Role::Field(Field::Category, 1),
        "publisher" => Role::Field(Field::Paper, 1),
        "language" => Role::Field(Field::Language, 1),
        _ => Role::Ignore,
    }
}

fn itunes(local: &str, item: bool) -> Role {
    match local {
        "title" => Role::Field(Field::Title, 2),
        "author" => Role::Field(Field::Person, 2),
        "summary" => Role::Field(Field::Summary, 3),
        "subtitle" if !item => Role::Field(Field::Summary, 4),
        "category" => Role::Field(Field::Category, 2),
        "keywords" => Role::Field(Field::Keywords, 2),
        "image" if item => Role::Picture,
        _ => Role::Ignore,
    }
}

/// Returns the role of a Media RSS 1.5.1 element; the title of a file is the item's only where it has no
/// other.
fn media(local: &str) -> Role {
    match local {
        "group" => Role::Pass,
        "content" => Role::Enclosure,
        "thumbnail" => Role::Picture,
        "title" => Role::Field(Field::Title, 5),
        "description" => Role::Field(Field::Summary, 6),
        "category" => Role::Field(Field::Category, 3),
        "keywords" => Role::Field(Field::Keywords, 3),
        _ => Role::Ignore,
    }
}
