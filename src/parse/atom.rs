//! Reads Atom 1.0 (RFC 4287) with the `atom_syndication` crate, for documents that `sound` accepts.

use std::io::BufRead;

use atom_syndication::{Content, Feed, Link, Person, Text, TextType};
use url::Url;

use super::person::with_address;
use super::resolve::absolute;
use super::title::Title;
use super::tolerant::draft::{Draft, speech};
use super::tolerant::names::Field;
use super::{Context, ParseError, link, media_type, text};
use crate::model::{Author, Document, Enclosure, Entry, Timestamp};

/// Authors of the feed that an entry without authors gets, at most.
const MAX_AUTHORS: usize = 32;

/// Reads an Atom document in UTF-8 without an XML declaration.
///
/// # Errors
/// [`ParseError::Broken`] with the crate's reason.
pub fn parse(xml: impl BufRead, context: &Context) -> Result<Document, ParseError> {
    let mut feed = Feed::read_from(xml)
        .map_err(|error| ParseError::Broken { format: "Atom", detail: error.to_string() })?;
    let own = based(context.base.as_ref(), feed.base.as_deref());
    let base = own.as_ref();
    let entries = std::mem::take(&mut feed.entries);
    let beyond_cap = entries.len().saturating_sub(context.max_entries);
    let mut draft = Draft::default();
    hints(&mut draft, &feed, base);
    draft.title.offer(0, title(&feed.title, base));
    links(&mut draft, &feed.links, base, false);
    let subtitle = feed.subtitle.as_ref().and_then(|subtitle| subtitle.lang.as_deref());
    spoken(&mut draft, speech::WHOLE, feed.lang.as_deref());
    spoken(&mut draft, speech::SUMMARY, subtitle);
    spoken(&mut draft, speech::TITLE, feed.title.lang.as_deref());
    if let Some(id) = Some(feed.id.trim()).filter(|id| !id.is_empty()) {
        let joined = base.filter(|_| !id.contains(':')).and_then(|base| base.join(id).ok());
        let id = joined.map_or_else(|| id.to_owned(), String::from);
        draft.permalink(&id);
        draft.id.offer(0, id);
    }
    if let Some(subtitle) = feed.subtitle.take() {
        draft.html(Field::Summary, 0, markup(subtitle, base));
    }
    if let Some(at) = Timestamp::stated(feed.updated.timestamp()) {
        draft.moment(Field::Updated, 0, at);
    }
    feed.authors.into_iter().for_each(|person| draft.person(author(person)));
    let authors = draft.authors.clone();
    let entries = entries.into_iter().take(context.max_entries).map(|e| entry(e, base, &authors)).collect();
    let document = draft.into_document(entries);
    Ok(Document { format: "atom".to_owned(), reader: "atom", beyond_cap, ..document })
}

fn spoken(draft: &mut Draft, rank: u8, tag: Option<&str>) {
    draft.spoken(rank, tag.unwrap_or_default());
}

fn hints(draft: &mut Draft, feed: &Feed, base: Option<&Url>) {
    let hints = &mut draft.hints;
    hints.generator(feed.generator.as_ref().map_or("", |generator| &generator.value));
    feed.links
        .iter()
        .filter(|l| l.rel == "prev-archive")
        .filter_map(|l| link::absolute(&l.href, base))
        .for_each(|address| hints.prev_archive(address));
    for names in feed.extensions.values() {
        let value = |name: &str| {
            let found = names.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            found.and_then(|(_, all)| all.first()).and_then(|first| first.value.as_deref())
        };
        if let Some(period) = value("updatePeriod") {
            hints.period(period);
            hints.frequency(value("updateFrequency").unwrap_or_default());
        }
        for entry in names.get("deleted-entry").into_iter().flatten() {
            let attr = |name: &str| entry.attrs.get(name).map(String::as_str);
            hints.deleted(attr("ref"), attr("when"));
        }
    }
}

fn entry(entry: atom_syndication::Entry, base: Option<&Url>, feed_authors: &[Author]) -> Entry {
    let mut draft = Draft::default();
    draft.title.offer(0, title(&entry.title, base));
    spoken(&mut draft, speech::TITLE, entry.title.lang.as_deref());
    spoken(&mut draft, speech::SUMMARY, entry.summary.as_ref().and_then(|summary| summary.lang.as_deref()));
    spoken(&mut draft, speech::CONTENT, entry.content.as_ref().and_then(|content| content.lang.as_deref()));
    links(&mut draft, &entry.links, base, true);
    if let Some(id) = Some(entry.id.trim()).filter(|id| !id.is_empty()) {
        draft.id.offer(0, id.to_owned());
        draft.permalink(id);
    }
    if let Some(at) = entry.published.and_then(|at| Timestamp::stated(at.timestamp())) {
        draft.moment(Field::Published, 0, at);
    }
    if let Some(at) = Timestamp::stated(entry.updated.timestamp()) {
        draft.moment(Field::Updated, 0, at);
    }
    entry.authors.into_iter().for_each(|person| draft.person(author(person)));
    if draft.authors.is_empty() {
        // Every such entry gets a copy, so the number is bounded.
        draft.authors = feed_authors.iter().take(MAX_AUTHORS).cloned().collect();
    }
    entry.categories.iter().for_each(|category| draft.category(&category.term));
    if let Some(summary) = entry.summary {
        draft.html(Field::Summary, 0, markup(summary, base));
    }
    if let Some(content) = entry.content.and_then(|content| content_markup(content, base)) {
        draft.html(Field::Content, 0, content);
    }
    draft.into_entry()
}

/// Adds the links: `rel=alternate`, web pages before other types (RFC 4287, 4.2.7.2), and enclosures.
fn links(draft: &mut Draft, links: &[Link], base: Option<&Url>, item: bool) {
    for l in links {
        let Some(address) = link::stated(&l.href, base) else { continue };
        match l.rel.as_str() {
            "alternate" | "" => {
                let page = l.mime_type.as_deref().is_none_or(|t| t.contains("html"));
                draft.link.offer(if page { 0 } else { 8 }, address);
            }
            "enclosure" if item => draft.enclosure(Enclosure {
                media_type: media_type::of_file(l.mime_type.as_deref(), None, &address),
                url: address,
                length: l.length.as_deref().and_then(|n| n.trim().parse().ok()),
            }),
            _ => {}
        }
    }
}

fn author(person: Person) -> Author {
    let line = |text: String| Some(text::one_line(&text)).filter(|text| !text.is_empty());
    with_address(Author {
        name: text::title(&person.name),
        email: person.email.and_then(line),
        uri: person.uri.and_then(line),
    })
}

/// Resolves `xml:base` against the outer base (XML Base, 4).
fn based(outer: Option<&Url>, own: Option<&str>) -> Option<Url> {
    match (outer, own.map(str::trim)) {
        (Some(outer), Some(own)) => outer.join(own).ok().or_else(|| Some(outer.clone())),
        (None, Some(own)) => Url::parse(own).ok(),
        (outer, None) => outer.cloned(),
    }
}

fn title(construct: &Text, base: Option<&Url>) -> Title {
    match construct.r#type {
        TextType::Text => Title::of_text(&construct.value),
        _ => Title::of_html(&construct.value, based(base, construct.base.as_deref()).as_ref()),
    }
}

fn markup(construct: Text, base: Option<&Url>) -> String {
    let own = construct.base.map(|own| based(base, Some(&own)));
    let base = own.as_ref().map_or(base, Option::as_ref);
    hypertext(construct.value, construct.r#type == TextType::Text, base)
}

fn content_markup(content: Content, base: Option<&Url>) -> Option<String> {
    let plain = matches!(content.content_type.as_deref(), None | Some("text"));
    let own = content.base.map(|own| based(base, Some(&own)));
    let base = own.as_ref().map_or(base, Option::as_ref);
    let html = hypertext(content.value?, plain, base);
    Some(html).filter(|html| !html.is_empty())
}

/// Converts the value of a text construct to HTML.
fn hypertext(value: String, plain: bool, base: Option<&Url>) -> String {
    if plain { text::escape(value.trim()) } else { absolute(value, base) }
}
