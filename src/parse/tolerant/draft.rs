//! An item, or the feed itself, while it is read.

use super::hints::HintDraft;
use super::names::Field;
use crate::model::{Author, Document, Enclosure, Entry, Timestamp};
use crate::parse::title::Title;
use crate::parse::{link, text};

/// The most categories, authors or enclosures that are kept of one item.
const MOST: usize = 256;

/// Ranks of `xml:lang`: the language of the content comes first, and all come after the elements that name a
/// language (`language`, `dc:language`).
pub(in crate::parse) mod speech {
    pub(in crate::parse) const CONTENT: u8 = 2;
    pub(in crate::parse) const SUMMARY: u8 = 3;
    pub(in crate::parse) const WHOLE: u8 = 4;
    pub(in crate::parse) const TITLE: u8 = 5;
}

/// A value with its rank, of which the lowest wins; of equal ranks the first value stays.
#[derive(Debug)]
pub(in crate::parse) struct Slot<T>(Option<(u8, T)>);

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Slot<T> {
    pub(in crate::parse) fn offer(&mut self, rank: u8, value: T) {
        if self.0.as_ref().is_none_or(|(known, _)| rank < *known) {
            self.0 = Some((rank, value));
        }
    }

    /// Works like `offer`, but of equal ranks the last value stays.
    fn replace(&mut self, rank: u8, value: T) {
        if self.0.as_ref().is_none_or(|(known, _)| rank <= *known) {
            self.0 = Some((rank, value));
        }
    }

    fn take(self) -> Option<T> {
        self.0.map(|(_, value)| value)
    }
}

/// The values found so far.
#[derive(Debug, Default)]
pub(in crate::parse) struct Draft {
    pub(in crate::parse) title: Slot<Title>,
    pub(in crate::parse) link: Slot<String>,
    pub(in crate::parse) id: Slot<String>,
    pub(in crate::parse) summary: Slot<String>,
    pub(in crate::parse) content: Slot<String>,
    pub(in crate::parse) published: Slot<Timestamp>,
    pub(in crate::parse) updated: Slot<Timestamp>,
    pub(in crate::parse) language: Slot<String>,
    /// The newspaper that the item was taken from.
    pub(in crate::parse) paper: Slot<String>,
    /// Width in pixels (0 if none is stated) and address of the picture.
    picture: Option<(u32, String)>,
    pub(in crate::parse) authors: Vec<Author>,
    pub(in crate::parse) categories: Vec<String>,
    pub(in crate::parse) enclosures: Vec<Enclosure>,
    pub(in crate::parse) hints: HintDraft,
}

impl Draft {
    pub(in crate::parse) fn person(&mut self, author: Author) {
        let empty = author.name.is_empty() && author.email.is_none() && author.uri.is_none();
        let known = self
            .authors
            .iter()
            .any(|a| a == &author || !a.name.is_empty() && a.name == author.name && author.email.is_none());
        if !empty && !known && self.authors.len() < MOST {
            self.authors.push(author);
        }
    }

    pub(in crate::parse) fn category(&mut self, name: &str) {
        let name = text::title(name);
        if !name.is_empty() && self.categories.len() < MOST && !self.categories.contains(&name) {
            self.categories.push(name);
        }
    }

    pub(in crate::parse) fn enclosure(&mut self, enclosure: Enclosure) {
        if let Some(known) = self.enclosures.iter_mut().find(|known| known.url == enclosure.url) {
            known.media_type = known.media_type.take().or(enclosure.media_type);
            known.length = known.length.or(enclosure.length);
        } else if self.enclosures.len() < MOST {
            self.enclosures.push(enclosure);
        }
    }

    /// Keeps the widest picture, of equal widths the first.
    pub(in crate::parse) fn picture(&mut self, width: Option<&str>, address: String) {
        let width = width.and_then(|width| width.trim().parse().ok()).unwrap_or_default();
        if self.picture.as_ref().is_none_or(|(known, _)| width > *known) {
            self.picture = Some((width, address));
        }
    }

    /// Offers the language that an element names with `xml:lang` or `lang`.
    pub(in crate::parse) fn spoken(&mut self, rank: u8, tag: &str) {
        let tag = tag.trim().replace('_', "-");
        if !tag.is_empty() {
            self.language.offer(rank, tag);
        }
    }

    /// Offers the name of the newspaper that an item came from.
    pub(in crate::parse) fn paper(&mut self, rank: u8, name: &str) {
        let name = text::title(name);
        if !name.is_empty() {
            self.paper.offer(rank, name);
        }
    }

    /// Offers HTML for the summary or the content. A second, different summary of rank 0 is taken for the
    /// content.
    pub(in crate::parse) fn html(&mut self, field: Field, rank: u8, html: String) {
        if html.is_empty() && rank > 0 {
            return;
        }
        let second =
            self.summary.0.as_ref().is_some_and(|(known, first)| {
                (*known, rank) == (0, 0) && !first.is_empty() && *first != html
            });
        if field == Field::Content {
            self.content.offer(rank, html);
        } else if second {
            self.content.offer(9, html);
        } else {
            self.summary.offer(rank, html);
        }
    }

    pub(in crate::parse) fn moment(&mut self, field: Field, rank: u8, at: Timestamp) {
        if field == Field::Updated {
            self.updated.replace(rank, at);
        } else {
            self.published.offer(rank, at);
        }
    }

    /// Returns whether a truncated item has a title and a link or id, and so may be kept.
    pub(in crate::parse) fn is_useful(&self) -> bool {
        self.title.0.is_some() && (self.link.0.is_some() || self.id.0.is_some())
    }

    /// Takes the title out of the draft.
    pub(in crate::parse) fn title(&mut self) -> Option<Title> {
        std::mem::take(&mut self.title).take()
    }

    /// Returns whether no title was read.
    pub(in crate::parse) fn is_untitled(&self) -> bool {
        self.title.0.is_none()
    }

    pub(in crate::parse) fn into_entry(self) -> Entry {
        let title = self.title.take().unwrap_or_default();
        let guid = self.id.take();
        Entry {
            title: title.plain,
            title_markup: title.markup,
            link: self.link.take(),
            guid,
            published: self.published.take(),
            updated: self.updated.take(),
            authors: self.authors,
            categories: self.categories,
            summary: self.summary.take().filter(|html| !html.is_empty()),
            content: self.content.take().filter(|html| !html.is_empty()),
            enclosures: self.enclosures,
            language: self.language.take(),
            media_name: self.paper.take(),
            picture: self.picture.map(|(_, address)| address),
            ..Entry::default()
        }
    }

    pub(in crate::parse) fn into_document(self, entries: Vec<Entry>) -> Document {
        let title = self.title.take().unwrap_or_default();
        Document {
            title: title.plain,
            title_markup: title.markup,
            link: self.link.take(),
            id: self.id.take(),
            language: self.language.take(),
            subtitle: self.summary.take(),
            updated: self.updated.take().or_else(|| self.published.take()),
            authors: self.authors,
            hints: self.hints.into_hints(),
            entries,
            ..Document::default()
        }
    }

    /// Offers a permanent identifier as the link if no link is given.
    pub(in crate::parse) fn permalink(&mut self, id: &str) {
        if self.link.0.is_none()
            && let Some(url) = link::absolute(id, None)
        {
            self.link.offer(30, url);
        }
    }
}
