//! Queries about items: lists, all of one item, and the codes by which people name one.

use std::sync::Arc;

use serde_json::Value;

use super::answers::{ItemAnswer, ItemRow, value};
use super::mill::Mill;
use crate::model::{CategoryId, InfoCode, Item, chain};
use crate::sink::OutputKey;
use crate::store::{Store, StoreError, Window};

/// The error message for a code that names no item.
pub(super) const NO_ITEM: &str =
    "there is no item with this code; `feedmill item find TEXT` searches titles and codes";

/// Returns the newest items of a category, or of the whole site.
pub(super) async fn items(mill: &Arc<Mill>, category: Option<String>, limit: usize) -> Result<Value, String> {
    let own = Arc::clone(mill);
    let found = mill.store.call(move |store| {
        let id = match &category {
            None => CategoryId::SITE,
            Some(name) => match store.find_category(name)? {
                Some(found) => found.id,
                None => {
                    return Ok(Err(format!("there is no category `{name}`; see `feedmill category list`")));
                }
            },
        };
        let window = Window { items: limit, age: -1, most: limit, archived: true };
        Ok(Ok(rows(&own, store, &store.items_in(id, window)?)?))
    });
    value(&found.await.map_err(|e| chain(&e))??)
}

fn rows(mill: &Mill, store: &dyn Store, items: &[Item]) -> Result<Vec<ItemRow>, StoreError> {
    items.iter().map(|item| row(mill, store, item)).collect()
}

pub(super) fn row(mill: &Mill, store: &dyn Store, item: &Item) -> Result<ItemRow, StoreError> {
    let mut categories = Vec::new();
    for id in &item.categories {
        categories.extend(store.category(*id)?.map(|c| c.slug.to_string()));
    }
    Ok(ItemRow {
        info_code: item.code.text(mill.config.ingest.bare_space.as_ref()),
        title: item.title.clone(),
        published: item.published.rfc3339(),
        categories,
        url: mill.pages.url(&OutputKey::Article(item.permalink.clone())),
    })
}

/// Returns items whose title or code contains a text.
pub(super) async fn find(mill: &Arc<Mill>, text: String, limit: usize) -> Result<Value, String> {
    let own = Arc::clone(mill);
    let found = mill.store.call(move |store| rows(&own, store, &store.find(&text, limit)?));
    value(&found.await.map_err(|e| chain(&e))?)
}

/// Returns everything that is stored of one item.
pub(super) async fn item(mill: &Arc<Mill>, code: String) -> Result<Value, String> {
    let own = Arc::clone(mill);
    let found = mill.store.call(move |store| {
        for code in readings(&own, &code) {
            if let Some(item) = store.item(&code)? {
                let past = store.past(&code)?;
                return Ok(Some(ItemAnswer {
                    row: row(&own, store, &item)?,
                    id: own.pages.published_id(&code),
                    body: store.body(&code)?,
                    revisions: past.revisions,
                    listings: store.listings(&code)?,
                    item,
                }));
            }
        }
        Ok(None)
    });
    value(&found.await.map_err(|e| chain(&e))?.ok_or_else(|| NO_ITEM.to_owned())?)
}

/// Returns the codes that a person may mean: the one as written, and its canonical forms by the sources'
/// rules.
pub(super) fn readings(mill: &Mill, code: &str) -> Vec<InfoCode> {
    let bare = mill.config.ingest.bare_space.as_ref();
    let mut all: Vec<InfoCode> = InfoCode::parse(code, bare).into_iter().collect();
    let (space, listed) = code.split_once('~').unwrap_or((bare.map_or("", |s| s.as_str()), code));
    for source in mill.sources().filter(|source| source.code_space.as_str() == space) {
        let canonical = source.canonical_code(listed);
        all.push(InfoCode::new(source.code_space.clone(), &canonical));
    }
    all.dedup();
    all
}

/// Returns the code under which the store has an item or its tombstone, so that withdrawn and erased items
/// are found too.
pub(super) fn known(mill: &Mill, store: &dyn Store, code: &str) -> Result<Option<InfoCode>, StoreError> {
    for code in readings(mill, code) {
        if store.item(&code)?.is_some() || store.tombstone(&code)?.is_some() {
            return Ok(Some(code));
        }
    }
    Ok(None)
}
