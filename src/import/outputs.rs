//! Restores items from the outputs after the loss of a store: the JSON Feeds in the output directory still
//! contain the newest articles of every category, complete and with their ids. The paths of the articles'
//! pages come from the category pages, since feeds do not contain them; they depend on which source was
//! polled first.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use percent_encoding::percent_decode_str;
use regex::Regex;
use serde::Deserialize;

use super::ImportError;
use crate::ingest::article;
use crate::model::item::caps;
use crate::model::text::{clip, clip_bytes, html_to_text};
use crate::model::{
    Author, Body, Category, CategoryId, CodeSpace, Enclosure, InfoCode, Item, Slug, SourceId, Timestamp,
};
use crate::store::{Change, Event, EventKind, Placement, Store};

/// Items stored in one transaction.
const STEP: usize = 30;
/// Bytes of a feed, at most: more than is ever published.
const MAX_FEED: u64 = 64 << 20;

/// The settings that the outputs were published with.
#[derive(Debug, Clone)]
pub struct Published {
    /// The authority of published ids.
    pub id_authority: String,
    /// The code space whose codes are written without it.
    pub bare_space: Option<CodeSpace>,
    /// The time zone of the day in permalinks.
    pub zone: chrono_tz::Tz,
}

#[derive(Deserialize)]
struct Feed {
    #[serde(default)]
    title: String,
    items: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
    url: Option<String>,
    #[serde(default)]
    title: String,
    summary: Option<String>,
    content_html: Option<String>,
    image: Option<String>,
    date_published: Timestamp,
    date_modified: Timestamp,
    #[serde(default)]
    authors: Vec<Person>,
    #[serde(default)]
    tags: Vec<String>,
    language: Option<String>,
    #[serde(default)]
    attachments: Vec<Attachment>,
    #[serde(rename = "_feedmill")]
    own: Option<Own>,
}

#[derive(Deserialize)]
struct Person {
    name: String,
    url: Option<String>,
}

#[derive(Deserialize)]
struct Attachment {
    url: String,
    mime_type: Option<String>,
    size_in_bytes: Option<u64>,
}

#[derive(Deserialize, Default)]
struct Own {
    publisher: Option<String>,
}

/// What was restored from the outputs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TakenBack {
    /// Items that the store did not have.
    pub items: usize,
    /// Texts of items without one.
    pub texts: usize,
}

/// Stores the items of the category feeds in `output` that the store does not have, and the texts of items
/// without one; blocks. Unreadable feeds are skipped, since they may be damaged as well.
///
/// # Errors
/// [`ImportError::Store`].
pub fn take_back(
    store: &dyn Store,
    output: &Path,
    how: &Published,
    now: Timestamp,
) -> Result<TakenBack, ImportError> {
    let mut found: BTreeMap<InfoCode, (Entry, Vec<Category>)> = BTreeMap::new();
    for (slug, feed) in feeds(output) {
        let category = store.ensure_category(feed.title.trim(), Some(&slug), now)?;
        for entry in feed.items {
            let Some(code) = code_of(&entry.id, how) else { continue };
            found.entry(code).or_insert_with(|| (entry, Vec::new())).1.push(category.clone());
        }
    }
    let pages = pages(output);
    let mut changes = Vec::new();
    let mut texts = Vec::new();
    for (code, (entry, categories)) in found {
        let item = store.item(&code)?;
        if store.tombstone(&code)?.is_some() || item.is_some() && store.body(&code)? != Body::default() {
            continue;
        }
        let page = pages.get(&code.file_name(how.bare_space.as_ref())).cloned();
        let Some(change) = change(code, entry, &categories, page, how, now) else { continue };
        match item {
            None => changes.push(change),
            Some(item) => texts.extend(text_of(store, item, change)?),
        }
    }
    changes.sort_by_key(|change| change.item.as_ref().map(|item| item.published));
    let taken = TakenBack { items: stored(store, changes, now)?, texts: stored(store, texts, now)? };
    store.sync()?;
    Ok(taken)
}

/// Returns the change that adds only its text to an item.
fn text_of(store: &dyn Store, item: Item, published: Change) -> Result<Option<Change>, ImportError> {
    let Some(body) = published.body.filter(|body| !body.html.is_empty()) else { return Ok(None) };
    let mut change = Change::on(item.code.clone(), store.basis(&item.code)?);
    (change.item, change.body) = (Some(item), Some(body));
    Ok(Some(change))
}

/// Stores changes; returns how many were not refused.
fn stored(store: &dyn Store, mut changes: Vec<Change>, now: Timestamp) -> Result<usize, ImportError> {
    let mut all = changes.len();
    while !changes.is_empty() {
        let rest = changes.split_off(changes.len().min(STEP));
        all -= store.commit(std::mem::replace(&mut changes, rest), now)?.len();
    }
    Ok(all)
}

/// Returns the readable JSON Feeds of categories, in the order of their slugs.
fn feeds(output: &Path) -> BTreeMap<Slug, Feed> {
    let entries = fs::read_dir(output.join("feed")).into_iter().flatten().flatten();
    let read = |path: &Path| {
        let slug = Slug::new(path.file_name()?.to_str()?.strip_suffix(".json")?)?;
        let small = fs::metadata(path).is_ok_and(|meta| meta.len() <= MAX_FEED);
        let feed: Feed = serde_json::from_slice(&fs::read(path).ok().filter(|_| small)?).ok()?;
        Some((slug, feed))
    };
    entries.filter_map(|entry| read(&entry.path())).collect()
}

/// Returns the path of each article's page by the file name of its code, from the links of the category
/// pages.
fn pages(output: &Path) -> BTreeMap<String, String> {
    let Ok(link) = Regex::new(r#"href="[^"]*?([a-z0-9-]+/\d{4}/\d\d/\d\d/([A-Za-z0-9_~-]+)\.html)""#) else {
        return BTreeMap::new();
    };
    let entries = fs::read_dir(output.join("category")).into_iter().flatten().flatten();
    let pages = entries.filter_map(|entry| fs::read_to_string(entry.path()).ok());
    let links = |page: String| -> Vec<(String, String)> {
        link.captures_iter(&page).map(|found| (found[2].to_owned(), found[1].to_owned())).collect()
    };
    pages.flat_map(links).collect()
}

/// Returns the code of a published id, `tag:<authority>:<code>` (RULES 3.3).
fn code_of(id: &str, how: &Published) -> Option<InfoCode> {
    let code = id.strip_prefix("tag:")?.strip_prefix(how.id_authority.as_str())?.strip_prefix(':')?;
    InfoCode::parse(&percent_decode_str(code).decode_utf8().ok()?, how.bare_space.as_ref())
}

fn change(
    code: InfoCode,
    entry: Entry,
    categories: &[Category],
    page: Option<String>,
    how: &Published,
    now: Timestamp,
) -> Option<Change> {
    let own = entry.own.unwrap_or_default();
    // The page's path begins with the home category's slug.
    let of_home = |category: &&Category| {
        page.as_ref().is_some_and(|page| page.starts_with(&format!("{}/", category.slug)))
    };
    let home = categories.iter().find(of_home).or(categories.first())?;
    let file = code.file_name(how.bare_space.as_ref());
    let permalink = page.unwrap_or_else(|| article::permalink(home, entry.date_published, how.zone, &file));
    let mut ids: Vec<CategoryId> = categories.iter().map(|c| c.id).filter(|id| *id != home.id).collect();
    ids.sort_unstable();
    ids.insert(0, home.id);
    ids.truncate(caps::CATEGORIES);
    let html = entry.content_html.unwrap_or_default();
    let text = html_to_text(&html);
    let excerpt = entry.summary.unwrap_or(text);
    let names: Vec<&str> = categories.iter().map(|category| category.name.as_str()).collect();
    let mut change = Change::of(code.clone());
    change.enters =
        ids.iter().chain(&[CategoryId::SITE]).map(|&category| Placement { category, shown: true }).collect();
    change.item = Some(Item {
        code,
        title: clip_bytes(&entry.title, caps::TITLE),
        // An entry without an original links to its own page.
        link: entry.url.filter(|url| !url.ends_with(&permalink) && url.len() <= caps::URL),
        excerpt: clip_bytes(&clip(&excerpt, caps::EXCERPT), caps::EXCERPT_BYTES),
        media_name: own.publisher.map(|name| clip_bytes(&clip(&name, caps::NAME), caps::NAME_BYTES)),
        image: entry.image.filter(|url| url.len() <= caps::URL),
        published: entry.date_published,
        updated: entry.date_modified,
        first_seen: now,
        home: home.id,
        categories: ids,
        permalink: clip_bytes(&permalink, 400),
        lead: SourceId::import(),
        rank: u32::MAX,
        revisions: 0,
        generation: 0,
        touched: 0,
        imported: true,
    });
    change.body = Some(Body {
        html,
        digest: None,
        authors: entry.authors.into_iter().take(caps::LIST).map(author).collect(),
        tags: entry.tags.into_iter().filter(|tag| !names.contains(&tag.as_str())).take(caps::LIST).collect(),
        enclosures: entry.attachments.into_iter().take(caps::LIST).map(enclosure).collect(),
        language: entry.language,
    });
    change.event = Some(Event {
        at: now,
        what: EventKind::TakenBack,
        source: None,
        why: "the store was lost; it came back from what was published".to_owned(),
        known_by: String::new(),
        answer: None,
    });
    Some(change)
}

fn author(person: Person) -> Author {
    Author { name: person.name, email: None, uri: person.url }
}

fn enclosure(attachment: Attachment) -> Enclosure {
    Enclosure { url: attachment.url, media_type: attachment.mime_type, length: attachment.size_in_bytes }
}
