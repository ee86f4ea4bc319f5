//! One item's story: what happened to it and why, and where it is shown; taking it out and in.

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

/// All that is known of how an item came to be what it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Story {
    /// InfoCode as text.
    pub info_code: String,
    /// The published id.
    pub id: String,
    /// Its title now; nothing when it is erased.
    pub title: Option<String>,
    /// Why it is out, if it is.
    pub tombstone: Option<Tombstone>,
    /// What happened, oldest first.
    pub events: Vec<Event>,
    /// Which sources list it, and since when.
    pub listings: Vec<(SourceId, Sighting)>,
    /// The source that gives its title and text, and its rank.
    pub given_by: Option<(SourceId, u32)>,
    /// How it looked before.
    pub revisions: Vec<Revision>,
    /// When the outputs first showed it; RFC 3339.
    pub published_at: Option<String>,
    /// When they first showed its present form; RFC 3339.
    pub shown_at: Option<String>,
    /// Where it is shown.
    pub places: Vec<Place>,
}

/// A category that shows an item.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Place {
    /// Its slug; empty for the whole site.
    pub category: String,
    /// Its number among all that ever came into the category.
    pub arrival: Option<u32>,
    /// Whether it stands in the feeds now; else it is on older pages only.
    pub in_feeds: bool,
    /// Addresses of the outputs.
    pub outputs: Vec<String>,
}

/// The story of one item.
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
        // By what it is known again is nobody's to read.
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

/// Puts a withdrawn item back, and into the outputs.
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
