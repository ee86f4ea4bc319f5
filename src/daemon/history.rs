//! One item's history: what happened to it and why, and where it is published; restoring it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answers::value;
use super::items::{NO_ITEM, known};
use super::mill::Mill;
use crate::model::{CategoryId, InfoCode, Item, SourceId, Timestamp, chain};
use crate::publish::PublishScope;
use crate::sink::{FeedFormat, OutputKey};
use crate::store::{Basis, Event, Revision, Sighting, Store, StoreError, Tombstone};

/// An item's history, and the reasons for its present state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Story {
    /// The infoCode as text.
    pub info_code: String,
    /// The published id.
    pub id: String,
    /// The title now; `None` if the item is erased.
    pub title: Option<String>,
    /// The tombstone, if the item is withdrawn.
    pub tombstone: Option<Tombstone>,
    /// Events, oldest first.
    pub events: Vec<Event>,
    /// Sources that list it, and since when.
    pub listings: Vec<(SourceId, Sighting)>,
    /// The source that provides its title and text, and that source's rank.
    pub given_by: Option<(SourceId, u32)>,
    /// Earlier revisions.
    pub revisions: Vec<Revision>,
    /// When it was first published: RFC 3339.
    pub published_at: Option<String>,
    /// When its present revision was first published: RFC 3339.
    pub shown_at: Option<String>,
    /// Categories that show it.
    pub places: Vec<Place>,
}

/// A category that shows an item.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Place {
    /// The category's slug; empty for the whole site.
    pub category: String,
    /// The item's number among all that ever came into the category.
    pub arrival: Option<u32>,
    /// Whether the feeds list it now; otherwise only older pages do.
    pub in_feeds: bool,
    /// Addresses of the outputs.
    pub outputs: Vec<String>,
}

/// Returns the history of one item.
pub(super) async fn explain(mill: &Arc<Mill>, code: String) -> Result<Value, String> {
    let own = Arc::clone(mill);
    let found = mill.store.call(move |store| match known(&own, store, &code)? {
        Some(code) => story(&own, store, &code).map(Some),
        None => Ok(None),
    });
    value(&found.await.map_err(|e| chain(&e))?.ok_or_else(|| NO_ITEM.to_owned())?)
}

fn story(mill: &Mill, store: &dyn Store, code: &InfoCode) -> Result<Story, StoreError> {
    let Basis { item, tombstone, .. } = store.basis(code)?;
    let past = store.past(code)?;
    let shown = |generation: u64| store.published_at(generation).map(|at| at.map(Timestamp::rfc3339));
    Ok(Story {
        info_code: code.text(mill.config.ingest.bare_space.as_ref()),
        id: mill.pages.published_id(code),
        title: item.as_ref().map(|item| item.title.clone()),
        events: past.history,
        listings: store.listings(code)?,
        given_by: item.as_ref().map(|item| (item.lead.clone(), item.rank)),
        revisions: past.revisions,
        published_at: item.as_ref().map_or(Ok(None), |item| shown(item.generation))?,
        shown_at: item.as_ref().map_or(Ok(None), |item| shown(item.touched))?,
        places: match &item {
            Some(item) if tombstone.is_none() => places(mill, store, item)?,
            _ => Vec::new(),
        },
        // The data that recognizes an erased item is not shown.
        tombstone: tombstone.map(|tombstone| Tombstone { signs: None, ..tombstone }),
    })
}

pub(super) fn places(mill: &Mill, store: &dyn Store, item: &Item) -> Result<Vec<Place>, StoreError> {
    let windows = &mill.pages.options.windows;
    let mut places = Vec::new();
    for id in item.categories.iter().chain(&[CategoryId::SITE]) {
        let Some(category) = store.category(*id)? else { continue };
        let whole = *id == CategoryId::SITE;
        let window = if whole { windows.site() } else { windows.category() };
        let in_feeds = store.items_in(*id, window)?.iter().any(|shown| shown.code == item.code);
        let mut keys = vec![OutputKey::Article(item.permalink.clone())];
        if in_feeds {
            keys.extend(FeedFormat::ALL.map(|format| {
                if whole {
                    OutputKey::SiteFeed(format)
                } else {
                    OutputKey::Feed(category.slug.clone(), format)
                }
            }));
        }
        places.push(Place {
            category: if whole { String::new() } else { category.slug.to_string() },
            arrival: store.arrival_of(*id, item)?,
            in_feeds,
            outputs: keys.iter().map(|key| mill.pages.url(key)).collect(),
        });
    }
    Ok(places)
}

/// Restores a withdrawn item, and publishes it.
pub(super) async fn restore(mill: &Arc<Mill>, code: String, why: String) -> Result<Value, String> {
    let own = Arc::clone(mill);
    let now = mill.clock.now();
    let done = mill.store.call(move |store| {
        let Some(code) = known(&own, store, &code)? else { return Ok(None) };
        let tombstone = store.tombstone(&code)?;
        let changed = tombstone.map_or(Ok(false), |stone| store.restore(&code, &stone, &why, now))?;
        store.sync()?;
        Ok(Some(changed))
    });
    let changed = done.await.map_err(|e| chain(&e))?.ok_or_else(|| NO_ITEM.to_owned())?;
    publish(mill).await?;
    Ok(json!({ "done": "restored", "changed": changed }))
}

pub(super) async fn publish(mill: &Mill) -> Result<(), String> {
    mill.publish(PublishScope::Changed, |_, _| {}).await.map(|_| ()).map_err(|e| chain(&e))
}
