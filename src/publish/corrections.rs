//! The corrections of a category: a feed of earlier versions of its current articles with readable
//! differences, if the config switches it on.

use std::collections::BTreeMap;

use super::error::PublishError;
use super::feeds::{entry, feed_id, frame};
use super::keys::file;
use super::pages::{Names, Pages};
use super::select::Chosen;
use crate::model::{Article, Category, InfoCode, Item};
use crate::render::{OutputEntry, atom, difference};
use crate::sink::{File, OutputKey};
use crate::store::{Handle, Store};

/// The most corrections in the feed.
const MOST: usize = 50;

/// Renders the feed of corrections.
pub(super) fn corrections(
    pages: &Pages,
    store: &dyn Store,
    category: &Category,
    names: &Names,
) -> Result<File, PublishError> {
    let mut items: BTreeMap<InfoCode, Item> = BTreeMap::new();
    let window = store.items_in(category.id, pages.options.windows.category())?;
    // An article that is corrected after its hundred was sealed is in the open hundred again.
    for item in window.into_iter().chain(store.open_page(category.id)?.entries) {
        if item.revisions > 0 {
            items.insert(item.code.clone(), item);
        }
    }
    let mut entries: Vec<OutputEntry> = Vec::new();
    for item in items.into_values() {
        let mut forms = store.versions(&item.code)?;
        forms.push(Handle::article(store, item)?);
        let pairs = forms.iter().zip(forms.iter().skip(1));
        entries.extend(pairs.filter_map(|(before, after)| correction(pages, before, after, names)));
    }
    entries.sort_by(|a, b| b.updated.cmp(&a.updated).then_with(|| a.id.cmp(&b.id)));
    entries.truncate(MOST);
    let mut feed = frame(pages, category);
    let key = OutputKey::Corrections(category.slug.clone());
    feed.id = feed_id(pages, &format!("{}:corrections", category.slug));
    feed.title = format!("{} - {}", category.name, pages.text("corrections_heading"));
    feed.atom_url = pages.url(&key);
    // Of the corrections only: a new article is no correction.
    feed.updated = entries.first().map(|entry| entry.updated).unwrap_or_default();
    feed.entries = entries;
    Ok(file(&key, atom::render(&feed)))
}

/// Returns the entry for one change; `None` unless title or text changed.
fn correction(pages: &Pages, before: &Article, after: &Article, names: &Names) -> Option<OutputEntry> {
    let html = difference((&before.item.title, &before.body.html), (&after.item.title, &after.body.html))?;
    let mut entry = entry(pages, Chosen { article: after.clone(), full: false, in_window: true }, names);
    entry.id = format!("{}:{}", entry.id, after.item.revisions);
    entry.title = format!("{}{}", pages.text("correction_title"), entry.title);
    entry.published = after.item.updated;
    entry.html = Some(html);
    entry.image = None;
    entry.enclosures = Vec::new();
    Some(entry)
}
