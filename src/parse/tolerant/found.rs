//! Stores what the walker reads: attributes and captured text become values of a draft.

use super::capture::{Capture, Mode};
use super::draft::speech;
use super::names::Field;
use super::state::{Kind, Start, Walker};
use super::tokens::Tag;
use crate::model::{Author, Enclosure};
use crate::parse::person::{person, with_address};
use crate::parse::resolve::absolute_html;
use crate::parse::{link, media_type};

impl<'a> Walker<'a, '_> {
    /// Returns an attribute with its references decoded, or `None` if it is missing or empty.
    fn attribute(&mut self, tag: Tag<'a>, name: &str) -> Option<String> {
        let raw = tag.attrs.get(name)?;
        Some(self.decode(raw).trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// Reads the attributes of a root or channel: `xml:lang`, and the address that CDF gives in `href`.
    pub(super) fn root_attributes(&mut self, tag: Tag<'a>) {
        if tag.attrs.0.is_empty() {
            return;
        }
        if let Some(language) = self.attribute(tag, "xml:lang") {
            self.feed.spoken(speech::WHOLE, &language);
        }
        if let Some(address) = self.attribute(tag, "href").and_then(|href| link::absolute(&href, self.base()))
        {
            self.feed.link.offer(6, address);
        }
    }

    pub(super) fn item_attributes(&mut self, tag: Tag<'a>) {
        if tag.attrs.0.is_empty() {
            return;
        }
        if let Some(language) = self.attribute(tag, "xml:lang") {
            self.draft().spoken(speech::WHOLE, &language);
        }
        if let Some(id) = self.attribute(tag, "rdf:about").or_else(|| self.attribute(tag, "about")) {
            self.draft().id.offer(1, id);
        }
        if let Some(address) = self.attribute(tag, "href").and_then(|href| link::absolute(&href, self.base()))
        {
            self.draft().link.offer(6, address);
        }
        if let Some(at) = self.attribute(tag, "lastmod").and_then(|d| self.context.date(&d)) {
            self.draft().moment(Field::Updated, 1, at);
        }
    }

    /// Reads the language of a text from its element, or from the first element within it.
    pub(super) fn language_of(&mut self, field: Field, tag: Tag<'a>, within: bool) {
        if tag.attrs.0.is_empty() || !tag.attrs.0.contains("lang") || self.penalty() > 0 {
            return;
        }
        let rank = match field {
            Field::Content => speech::CONTENT,
            Field::Summary => speech::SUMMARY,
            Field::Title => speech::TITLE,
            _ => return,
        };
        let html = if within { self.attribute(tag, "lang") } else { None };
        if let Some(language) = self.attribute(tag, "xml:lang").or(html) {
            self.draft().spoken(rank, &language);
        }
    }

    /// Reads a category from the attribute that Atom and iTunes name it in; returns `false` if there is none.
    pub(super) fn category_attributes(&mut self, tag: Tag<'a>) -> bool {
        let name = ["term", "text", "label"].iter().find_map(|name| self.attribute(tag, name));
        let Some(name) = name else { return false };
        if self.penalty() == 0 {
            self.draft().category(&name);
        }
        true
    }

    /// Offers the `src` of Atom content as the link (RFC 4287, 4.1.3.2).
    pub(super) fn content_address(&mut self, field: Field, tag: Tag<'a>) {
        if field == Field::Content
            && let Some(address) =
                self.attribute(tag, "src").and_then(|src| link::absolute(&src, self.base()))
        {
            self.draft().link.offer(25, address);
        }
    }

    /// Reads a `link`, whose address is its text in RSS and its `href` in Atom.
    pub(super) fn link(&mut self, start: Start<'a, '_>) -> Kind<'a> {
        let rel = self.attribute(start.tag, "rel").unwrap_or_default().to_ascii_lowercase();
        let rel = rel.rsplit('/').next().unwrap_or_default();
        let Some(href) = self.attribute(start.tag, "href") else {
            return match rel {
                "" | "alternate" => {
                    let rank = self.penalty();
                    self.capture = Some(Capture::new(Field::Link, rank, self.depth(), Mode::Auto));
                    Kind::Field
                }
                "enclosure" if self.item.is_some() => self.file(start.tag),
                _ => Kind::Ignore,
            };
        };
        let Some(address) = link::stated(&href, self.base()) else { return Kind::Ignore };
        let media_type = self.attribute(start.tag, "type");
        match rel {
            "" | "alternate" => {
                let page = media_type.as_deref().is_none_or(|t| t.contains("html"));
                let own = if self.format == Some("atom") { 0 } else { 5 };
                let rank = own + if page { 0 } else { 8 } + self.penalty();
                self.draft().link.offer(rank, address);
            }
            "prev-archive" if self.item.is_none() => self.feed.hints.prev_archive(address),
            "enclosure" if self.item.is_some() => {
                let length = self.attribute(start.tag, "length").and_then(|n| n.parse().ok());
                let media_type = media_type::of_file(media_type.as_deref(), None, &address);
                self.draft().enclosure(Enclosure { url: address, media_type, length });
            }
            _ => {}
        }
        Kind::Ignore
    }

    /// Records an `at:deleted-entry` (RFC 6721, 3).
    pub(super) fn deleted(&mut self, tag: Tag<'a>) {
        let (reference, when) = (self.attribute(tag, "ref"), self.attribute(tag, "when"));
        self.feed.hints.deleted(reference.as_deref(), when.as_deref());
    }

    /// Starts to capture a file whose address is the text of its element.
    pub(super) fn file(&mut self, tag: Tag<'a>) -> Kind<'a> {
        let mut capture = Capture::new(Field::File, self.penalty(), self.depth(), Mode::Auto);
        capture.media_type = self.attribute(tag, "type");
        capture.length = self.attribute(tag, "length").and_then(|length| length.parse().ok());
        self.capture = Some(capture);
        Kind::Field
    }

    /// Returns whether the tag of a file has a `url` or an `href`.
    pub(super) fn has_address(&mut self, tag: Tag<'a>) -> bool {
        self.attribute(tag, "url").or_else(|| self.attribute(tag, "href")).is_some()
    }

    /// Adds an `enclosure` or `media:content` to the item.
    pub(super) fn enclosure(&mut self, tag: Tag<'a>) {
        if self.item.is_none() {
            return;
        }
        let address = self.attribute(tag, "url").or_else(|| self.attribute(tag, "href"));
        let Some(url) = address.and_then(|a| link::stated(&a, self.base())) else { return };
        let (media_type, medium) = (self.attribute(tag, "type"), self.attribute(tag, "medium"));
        let media_type = media_type::of_file(media_type.as_deref(), medium.as_deref(), &url);
        let length = self.attribute(tag, "length").or_else(|| self.attribute(tag, "filesize"));
        let length = length.and_then(|n| n.parse().ok());
        self.draft().enclosure(Enclosure { url, media_type, length });
    }

    /// Offers the picture of a `media:thumbnail` or `itunes:image`.
    pub(super) fn picture(&mut self, tag: Tag<'a>) {
        let address = self.attribute(tag, "url").or_else(|| self.attribute(tag, "href"));
        let Some(address) = address.and_then(|a| link::absolute(&a, self.base())) else { return };
        let width = self.attribute(tag, "width");
        self.draft().picture(width.as_deref(), address);
    }

    /// Ends the source feed of an Atom item, whose title names the item's newspaper (RFC 4287, 4.2.11).
    pub(super) fn end_origin(&mut self) {
        if let (Some(mut origin), Some(item)) = (self.origin.take(), self.item.as_mut())
            && let Some(title) = origin.title()
        {
            item.paper(0, &title.plain);
        }
    }

    pub(super) fn end_field(&mut self, depth: usize) {
        if self.capture.as_ref().is_none_or(|capture| capture.depth != depth) {
            return;
        }
        let Some(capture) = self.capture.take() else { return };
        match capture.field {
            Field::PersonName | Field::PersonEmail | Field::PersonUri => {
                self.person_part(&capture);
                self.capture = self.suspended.take();
            }
            // A truncated address or title would be wrong.
            field if self.cut && !matches!(field, Field::Summary | Field::Content) => {}
            _ => self.store(&capture),
        }
    }

    fn store(&mut self, capture: &Capture) {
        let (rank, plain) = (capture.rank, capture.plain());
        match capture.field {
            Field::Title => {
                let title = capture.title(self.base());
                if !title.plain.is_empty() {
                    self.draft().title.offer(rank, title);
                }
            }
            Field::Link => {
                if let Some(address) = link::stated(plain, self.base()) {
                    self.draft().link.offer(rank, address);
                }
            }
            Field::File => {
                if let Some(url) = link::stated(plain, self.base()) {
                    let media_type = media_type::of_file(capture.media_type.as_deref(), None, &url);
                    self.draft().enclosure(Enclosure { url, media_type, length: capture.length });
                }
            }
            Field::Id | Field::Guid => self.identifier(capture),
            Field::Summary | Field::Content => {
                let html = absolute_html(&capture.html(), self.base()).into_owned();
                self.draft().html(capture.field, rank, html);
            }
            Field::Published | Field::Updated => {
                if let Some(at) = self.context.date(plain) {
                    self.draft().moment(capture.field, rank, at);
                }
            }
            Field::Category if rank < 10 => self.draft().category(plain),
            Field::Keywords if rank < 10 => plain.split(',').for_each(|word| self.draft().category(word)),
            Field::Paper if rank < 10 => self.draft().paper(rank, plain),
            Field::Language if !plain.is_empty() => {
                self.draft().language.offer(rank, plain.to_owned());
            }
            Field::Ttl => self.draft().hints.ttl(plain),
            Field::SkipHour => self.feed.hints.hour(plain),
            Field::SkipDay => self.feed.hints.day(plain),
            Field::UpdatePeriod => self.feed.hints.period(plain),
            Field::UpdateFrequency => self.feed.hints.frequency(plain),
            Field::Generator if rank < 10 => self.feed.hints.generator(plain),
            _ => {}
        }
    }

    fn identifier(&mut self, capture: &Capture) {
        let id = capture.plain();
        if id.is_empty() {
            return;
        }
        if self.item.is_none() && self.penalty() == 0 {
            // No items are distinguished by the feed's own id, so it may be made absolute.
            let joined = self.base().filter(|_| !id.contains(':')).and_then(|base| base.join(id).ok());
            let id = joined.map_or_else(|| id.to_owned(), String::from);
            if capture.field == Field::Id {
                self.feed.permalink(&id);
            }
            self.feed.id.offer(capture.rank, id);
            return;
        }
        // An Atom id need not be an address, but is the best one where no link is given.
        let permalink = capture.field == Field::Id || capture.permalink;
        let draft = self.draft();
        draft.id.offer(capture.rank, id.to_owned());
        if permalink {
            draft.permalink(id);
        }
    }

    fn person_part(&mut self, capture: &Capture) {
        let value = crate::parse::text::title(capture.plain());
        if value.is_empty() {
            return;
        }
        match capture.field {
            Field::PersonName => self.person.name = value,
            Field::PersonEmail => self.person.email = Some(value),
            _ => self.person.uri = Some(value),
        }
    }

    pub(super) fn end_person(&mut self) {
        let text = self.capture.take();
        let mut author = std::mem::take(&mut self.person);
        if author == Author::default()
            && let Some(text) = text.as_ref().filter(|_| !self.cut)
        {
            author = person(text.plain());
        }
        if self.penalty() == 0 {
            self.draft().person(with_address(author));
        }
    }

    pub(super) fn end_item(&mut self) {
        let Some(item) = self.item.take() else { return };
        if !self.cut || item.is_useful() {
            self.entries.push(item.into_entry());
        }
    }
}
