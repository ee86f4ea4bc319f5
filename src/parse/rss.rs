//! Reads RSS 0.9x to 2.0 with the `rss` crate, for documents that `sound` accepts.

use std::io::BufRead;

use rss::extension::Extension;
use rss::{Channel, Item};
use url::Url;

use super::person::person;
use super::resolve::absolute;
use super::title::Title;
use super::tolerant::draft::Draft;
use super::tolerant::hints::HintDraft;
use super::tolerant::names::Field;
use super::{Context, ParseError, link, media_type, text};
use crate::model::{Document, Enclosure, Entry};

/// Reads an RSS document in UTF-8 without an XML declaration.
///
/// # Errors
/// [`ParseError::Broken`] with the crate's reason.
pub fn parse(xml: impl BufRead, context: &Context) -> Result<Document, ParseError> {
    let mut channel = Channel::read_from(xml)
        .map_err(|error| ParseError::Broken { format: "RSS", detail: error.to_string() })?;
    let items = std::mem::take(&mut channel.items);
    let beyond_cap = items.len().saturating_sub(context.max_entries);
    let entries = items.into_iter().take(context.max_entries).map(|item| entry(item, context)).collect();
    Ok(Document {
        format: "rss".to_owned(),
        reader: "rss",
        beyond_cap,
        ..feed(&channel, context).into_document(entries)
    })
}

fn feed(channel: &Channel, context: &Context) -> Draft {
    let base = context.base.as_ref();
    let dc = channel.dublin_core_ext();
    let mut draft = Draft::default();
    hints(&mut draft.hints, channel, base);
    draft.title.offer(0, Title::of_rss(&channel.title, base));
    if let Some(address) = link::absolute(&channel.link, base) {
        draft.link.offer(0, address);
    }
    draft.html(Field::Summary, 0, absolute(channel.description.clone(), base));
    let dc_language = dc.and_then(|dc| dc.languages.first().map(String::as_str));
    if let Some(language) = channel.language().or(dc_language).map(str::trim).filter(|l| !l.is_empty()) {
        draft.language.offer(0, language.to_owned());
    }
    moment(&mut draft, Field::Updated, channel.last_build_date(), context);
    moment(&mut draft, Field::Published, channel.pub_date(), context);
    moment(&mut draft, Field::Published, dc.and_then(|dc| dc.dates.first().map(String::as_str)), context);
    let itunes = channel.itunes_ext().and_then(|itunes| itunes.author());
    let creators = dc.iter().flat_map(|dc| &dc.creators).map(String::as_str);
    channel
        .managing_editor()
        .into_iter()
        .chain(creators)
        .chain(itunes)
        .for_each(|raw| draft.person(person(raw)));
    draft
}

fn hints(hints: &mut HintDraft, channel: &Channel, base: Option<&Url>) {
    hints.ttl(channel.ttl().unwrap_or_default());
    channel.skip_hours().iter().for_each(|hour| hints.hour(hour));
    channel.skip_days().iter().for_each(|day| hints.day(day));
    hints.generator(channel.generator().unwrap_or_default());
    if let Some(syndication) = channel.syndication_ext() {
        hints.period(&syndication.period.to_string());
        hints.frequency(&syndication.frequency.to_string());
    }
    let links = channel.atom_ext().map(rss::extension::atom::AtomExtension::links).unwrap_or_default();
    links
        .iter()
        .filter(|l| l.rel == "prev-archive")
        .filter_map(|l| link::absolute(&l.href, base))
        .for_each(|address| hints.prev_archive(address));
    let deleted = channel.extensions().values().filter_map(|names| names.get("deleted-entry")).flatten();
    deleted.for_each(|entry| {
        let attr = |name: &str| entry.attrs.get(name).map(String::as_str);
        hints.deleted(attr("ref"), attr("when"));
    });
}

fn moment(draft: &mut Draft, field: Field, raw: Option<&str>, context: &Context) {
    if let Some(at) = raw.and_then(|raw| context.date(raw)) {
        draft.moment(field, 0, at);
    }
}

fn entry(mut item: Item, context: &Context) -> Entry {
    let base = context.base.as_ref();
    let mut draft = Draft::default();
    if let Some(title) = item.title.as_deref() {
        draft.title.offer(0, Title::of_rss(title, base));
    }
    if let Some(address) = item.link.as_deref().and_then(|l| link::stated(l, base)) {
        draft.link.offer(0, address);
    }
    if let Some(guid) = item.guid.take().filter(|guid| !guid.value.trim().is_empty()) {
        if guid.permalink {
            draft.permalink(guid.value.trim());
        }
        draft.id.offer(0, text::trimmed(guid.value));
    }
    moment(&mut draft, Field::Published, item.pub_date.as_deref(), context);
    people_and_labels(&mut draft, &item, context);
    enclosures(&mut draft, &item, base);
    pictures(&mut draft, &item, base);
    if let Some(title) = item.source.as_ref().and_then(rss::Source::title) {
        draft.paper(0, title);
    }
    draft.html(Field::Summary, 0, item.description.take().map(|raw| absolute(raw, base)).unwrap_or_default());
    draft.html(Field::Content, 0, item.content.take().map(|raw| absolute(raw, base)).unwrap_or_default());
    draft.into_entry()
}

fn people_and_labels(draft: &mut Draft, item: &Item, context: &Context) {
    let (dc, itunes) = (item.dublin_core_ext.as_ref(), item.itunes_ext.as_ref());
    moment(draft, Field::Published, dc.and_then(|dc| dc.dates.first().map(String::as_str)), context);
    let language = dc.and_then(|dc| dc.languages.first()).map(|language| language.trim());
    if let Some(language) = language.filter(|language| !language.is_empty()) {
        draft.language.offer(1, language.to_owned());
    }
    let creators = dc.iter().flat_map(|dc| &dc.creators).map(String::as_str);
    let speaker = itunes.and_then(|itunes| itunes.author());
    item.author
        .as_deref()
        .into_iter()
        .chain(creators)
        .chain(speaker)
        .for_each(|raw| draft.person(person(raw)));
    item.categories.iter().for_each(|category| draft.category(&category.name));
    dc.iter().flat_map(|dc| &dc.publishers).for_each(|name| draft.paper(1, name));
    dc.iter().flat_map(|dc| &dc.subjects).for_each(|subject| draft.category(subject));
    let media =
        |name: &str| item.extensions.get("media").and_then(|media| media.get(name)).into_iter().flatten();
    media("category").filter_map(|label| label.value.as_deref()).for_each(|label| draft.category(label));
    let words = media("keywords").filter_map(|words| words.value.as_deref());
    words.flat_map(|words| words.split(',')).for_each(|word| draft.category(word));
    let keywords = itunes.and_then(|itunes| itunes.keywords()).unwrap_or_default();
    keywords.split(',').for_each(|word| draft.category(word));
}

fn enclosures(draft: &mut Draft, item: &Item, base: Option<&Url>) {
    let own = item
        .enclosure
        .iter()
        .map(|e| (e.url.as_str(), Some(e.mime_type.as_str()), None, e.length.trim().parse().ok()));
    let media = media_contents(item).into_iter().map(|m| {
        let attr = |name: &str| m.attrs.get(name).map(String::as_str);
        let length = attr("fileSize").and_then(|size| size.trim().parse().ok());
        (attr("url").unwrap_or_default(), attr("type"), attr("medium"), length)
    });
    for (url, media_type, medium, length) in own.chain(media) {
        if let Some(url) = link::stated(url, base) {
            let media_type = media_type::of_file(media_type, medium, &url);
            draft.enclosure(Enclosure { url, media_type, length });
        }
    }
}

/// Adds the pictures: `media:thumbnail`, also inside `media:content` and `media:group`, and `itunes:image`.
fn pictures(draft: &mut Draft, item: &Item, base: Option<&Url>) {
    let direct = item.extensions.get("media").and_then(|media| media.get("thumbnail"));
    let groups = item.extensions.get("media").and_then(|media| media.get("group")).into_iter().flatten();
    let inner = groups.chain(media_contents(item)).filter_map(|outer| outer.children.get("thumbnail"));
    for thumbnail in direct.into_iter().chain(inner).flatten() {
        let attr = |name: &str| thumbnail.attrs.get(name).map(String::as_str);
        if let Some(address) = attr("url").and_then(|url| link::absolute(url, base)) {
            draft.picture(attr("width"), address);
        }
    }
    let itunes = item.itunes_ext.as_ref().and_then(|itunes| itunes.image());
    if let Some(address) = itunes.and_then(|url| link::absolute(url, base)) {
        draft.picture(None, address);
    }
}

/// Returns the `media:content` elements, also those inside `media:group`.
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
