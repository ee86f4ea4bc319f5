//! RSS 0.9x to 2.0 and RDF, read by the `rss` crate.

use rss::extension::Extension;
use rss::{Channel, Item};

use super::{Context, ParseError, date, link, text};
use crate::model::{Author, Document, Enclosure, Entry};

/// Reads an RSS document (UTF-8, no XML declaration).
///
/// # Errors
/// [`ParseError::Broken`] with the crate's reason.
pub fn parse(xml: &str, context: &Context) -> Result<Document, ParseError> {
    let channel = Channel::read_from(xml.as_bytes())
        .map_err(|error| ParseError::Broken { format: "RSS", detail: error.to_string() })?;
    let base = context.base.as_ref();
    let dc = channel.dublin_core_ext();
    let language = channel.language.clone().or_else(|| dc.and_then(|dc| dc.languages.first().cloned()));
    let updated = channel.last_build_date().or_else(|| channel.pub_date());
    Ok(Document {
        format: if xml.contains("<rdf:RDF") { "rdf" } else { "rss" }.to_owned(),
        title: text::title(&channel.title),
        link: link::absolute(&channel.link, base),
        language: language.clone().map(|l| l.trim().to_owned()).filter(|l| !l.is_empty()),
        subtitle: Some(text::html_to_text(&channel.description)).filter(|s| !s.is_empty()),
        updated: updated.and_then(|d| date::parse(d, context.zone)),
        authors: channel.managing_editor().map(person).into_iter().collect(),
        ttl_minutes: channel.ttl().and_then(|ttl| ttl.trim().parse().ok()),
        entries: channel.items.into_iter().map(|item| entry(item, context)).collect(),
        ..Document::default()
    })
}

fn entry(item: Item, context: &Context) -> Entry {
    let base = context.base.as_ref();
    let dc = item.dublin_core_ext.as_ref();
    let permalink = item.guid.as_ref().filter(|guid| guid.permalink).map(|guid| guid.value.as_str());
    let date = item.pub_date.as_deref().or_else(|| dc.and_then(|dc| dc.dates.first().map(String::as_str)));
    let mut authors: Vec<Author> = item.author.as_deref().map(person).into_iter().collect();
    authors.extend(dc.iter().flat_map(|dc| &dc.creators).map(|name| person(name)));
    authors.dedup();
    Entry {
        link: item
            .link
            .as_deref()
            .and_then(|l| link::absolute(l, base))
            .or_else(|| permalink.and_then(|l| link::absolute(l, None))),
        title: item.title.as_deref().map(text::title).unwrap_or_default(),
        published: date.and_then(|d| date::parse(d, context.zone)),
        updated: None,
        categories: item
            .categories
            .iter()
            .map(|category| text::title(&category.name))
            .chain(dc.iter().flat_map(|dc| &dc.subjects).map(|s| text::title(s)))
            .filter(|name| !name.is_empty())
            .collect(),
        enclosures: enclosures(&item, context),
        authors,
        summary: item.description.filter(|s| !s.trim().is_empty()),
        content: item.content.filter(|s| !s.trim().is_empty()),
        guid: item.guid.map(|guid| guid.value.trim().to_owned()).filter(|g| !g.is_empty()),
        ..Entry::default()
    }
}

fn enclosures(item: &Item, context: &Context) -> Vec<Enclosure> {
    let base = context.base.as_ref();
    let own =
        item.enclosure.iter().map(|e| (e.url.as_str(), Some(e.mime_type.as_str()), e.length.parse().ok()));
    let media = media_contents(item).into_iter().map(|m| {
        let attr = |name: &str| m.attrs.get(name).map(String::as_str);
        (attr("url").unwrap_or_default(), attr("type"), attr("fileSize").and_then(|s| s.parse().ok()))
    });
    let mut all: Vec<Enclosure> = Vec::new();
    for (url, media_type, length) in own.chain(media) {
        if let Some(url) = link::absolute(url, base)
            && !all.iter().any(|known| known.url == url)
        {
            let media_type = media_type.map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
            all.push(Enclosure { url, media_type, length });
        }
    }
    all
}

/// `media:content`, also inside `media:group`.
fn media_contents(item: &Item) -> Vec<&Extension> {
    let Some(media) = item.extensions.get("media") else { return Vec::new() };
    let direct = media.get("content").into_iter().flatten();
    let grouped = media
        .get("group")
        .into_iter()
        .flatten()
        .flat_map(|group| group.children.get("content").into_iter().flatten());
    direct.chain(grouped).collect()
}

/// `a@example.org (Name)`, `Name <a@example.org>`, an address or a name.
#[must_use]
pub fn person(raw: &str) -> Author {
    let raw = text::title(raw);
    let split = raw
        .split_once('(')
        .map(|(mail, name)| (mail, name.trim_end_matches([')', ' '])))
        .or_else(|| raw.split_once('<').map(|(name, mail)| (mail.trim_end_matches(['>', ' ']), name)));
    match split {
        Some((mail, name)) if mail.contains('@') => {
            Author { name: name.trim().to_owned(), email: Some(mail.trim().to_owned()), uri: None }
        }
        _ if raw.contains('@') && !raw.contains(' ') => {
            Author { name: String::new(), email: Some(raw), uri: None }
        }
        _ => Author { name: raw, email: None, uri: None },
    }
}
