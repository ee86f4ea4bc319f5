//! What a webhook is told.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Webhook;
use crate::model::{Category, CategoryId, Cursor, Item};
use crate::publish::Pages;
use crate::sink::{FeedFormat, OutputKey};
use crate::store::{Result, Store};

/// What became of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It is published for the first time.
    New,
    /// Something of it changed.
    Changed,
    /// It is not published any more.
    Withdrawn,
}

/// One item of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TellItem {
    /// What became of it.
    pub change: Change,
    /// Its published id.
    pub id: String,
    /// Plain text.
    pub title: String,
    /// The original article, else its page here.
    pub url: String,
    /// Its page here.
    pub page: String,
    /// RFC 3339.
    pub published: String,
    /// RFC 3339.
    pub updated: String,
}

/// The category of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TellCategory {
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Its Atom feed.
    pub feed: String,
}

/// What a webhook gets: one category's news.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// The site's address.
    pub site: String,
    /// The category.
    pub category: TellCategory,
    /// Grows with every change: a receiver can tell what it had already.
    pub generation: u64,
    /// What is new, changed or withdrawn, in the order of the changes.
    pub items: Vec<TellItem>,
}

/// What a hook is to be told of changes after `from` that were published by `upto`, about `limit`
/// items; and up to where that tells it all.
///
/// # Errors
/// Those of the store.
pub fn messages(
    store: &dyn Store,
    pages: &Pages,
    hook: &Webhook,
    (from, upto): (&Cursor, &Cursor),
    limit: usize,
) -> Result<(Vec<Message>, Cursor)> {
    let (items, told) = store.touched(from, upto, limit)?;
    let end = items.last().map_or(0, |item| item.touched);
    let mut all: BTreeMap<CategoryId, Message> = BTreeMap::new();
    for item in items {
        let gone = store.tombstone(&item.code)?.is_some();
        // What a rule dropped when it came was never there.
        if gone && item.touched == item.generation {
            continue;
        }
        let change = tell(pages, &item, gone, from);
        for id in &item.categories {
            let Some(category) = store.category(*id)?.filter(|category| wants(hook, category)) else {
                continue;
            };
            let message = all.entry(*id).or_insert_with(|| Message {
                site: pages.options.site.url.to_string(),
                category: TellCategory {
                    feed: pages.url(&OutputKey::Feed(category.slug.clone(), FeedFormat::Atom)),
                    slug: category.slug.to_string(),
                    name: category.name,
                },
                generation: end,
                items: Vec::new(),
            });
            message.items.push(change.clone());
        }
    }
    Ok((all.into_values().collect(), told))
}

fn wants(hook: &Webhook, category: &Category) -> bool {
    let named = |name: &String| *name == category.name || name == category.slug.as_str();
    hook.categories.is_empty() || hook.categories.iter().any(named)
}

fn tell(pages: &Pages, item: &Item, gone: bool, from: &Cursor) -> TellItem {
    let page = pages.url(&OutputKey::Article(item.permalink.clone()));
    TellItem {
        change: match gone {
            true => Change::Withdrawn,
            false if !from.covers(item.generation) => Change::New,
            false => Change::Changed,
        },
        id: pages.published_id(&item.code),
        title: item.title.clone(),
        url: item.link.clone().unwrap_or_else(|| page.clone()),
        page,
        published: item.published.rfc3339(),
        updated: item.updated.rfc3339(),
    }
}
