//! Messages to webhooks: which items of a category are new, changed or withdrawn.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Webhook;
use crate::model::{Category, CategoryId, Cursor, Item};
use crate::publish::Pages;
use crate::sink::{FeedFormat, OutputKey};
use crate::store::{Result, Store};

/// What happened to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It was published for the first time.
    New,
    /// It changed.
    Changed,
    /// It is no longer published.
    Withdrawn,
}

/// An item of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MessageItem {
    /// What happened to it.
    pub change: Change,
    /// Id in the feeds (the Atom id).
    pub id: String,
    /// Title, plain text.
    pub title: String,
    /// URL of the original article, or of its page on the site if it has none.
    pub url: String,
    /// URL of its page on the site.
    pub page: String,
    /// Time of publication (RFC 3339).
    pub published: String,
    /// Time of the last change (RFC 3339).
    pub updated: String,
}

/// The category of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MessageCategory {
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// URL of its Atom feed.
    pub feed: String,
}

/// The body of a request to a webhook: the changes of one category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// URL of the site.
    pub site: String,
    /// The category.
    pub category: MessageCategory,
    /// Grows with every change, so that a receiver recognises repeated messages.
    pub generation: u64,
    /// New, changed and withdrawn items, in the order of the changes.
    pub items: Vec<MessageItem>,
}

/// Returns the messages for a webhook about changes after `from` and up to `upto`, of about `limit` items,
/// and the cursor up to which they cover all changes.
///
/// # Errors
/// Errors of the store.
pub fn messages(
    store: &dyn Store,
    pages: &Pages,
    hook: &Webhook,
    (from, upto): (&Cursor, &Cursor),
    limit: usize,
) -> Result<(Vec<Message>, Cursor)> {
    let (items, covered) = store.touched(from, upto, limit)?;
    let end = items.last().map_or(0, |item| item.touched);
    let mut all: BTreeMap<CategoryId, Message> = BTreeMap::new();
    for item in items {
        let gone = store.tombstone(&item.code)?.is_some();
        // An item that a rule dropped on arrival was never published.
        if gone && item.touched == item.generation {
            continue;
        }
        let change = message_item(pages, &item, gone, from);
        for id in &item.categories {
            let Some(category) = store.category(*id)?.filter(|category| wants(hook, category)) else {
                continue;
            };
            let message = all.entry(*id).or_insert_with(|| Message {
                site: pages.options.site.url.to_string(),
                category: MessageCategory {
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
    Ok((all.into_values().collect(), covered))
}

/// Returns whether a webhook is configured for a category.
fn wants(hook: &Webhook, category: &Category) -> bool {
    let named = |name: &String| *name == category.name || name == category.slug.as_str();
    hook.categories.is_empty() || hook.categories.iter().any(named)
}

fn message_item(pages: &Pages, item: &Item, gone: bool, from: &Cursor) -> MessageItem {
    let page = pages.url(&OutputKey::Article(item.permalink.clone()));
    MessageItem {
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
