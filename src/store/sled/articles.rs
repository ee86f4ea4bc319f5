//! Texts of items, and their earlier forms.

use super::bodies::{Place, named};
use super::database::{Database, READ, TreeId, backend, u64_at, version_key};
use super::engine::Engine;
use super::{items, records};
use crate::model::{Article, Body, InfoCode};
use crate::store::{Result, StoreError};

pub(super) fn body(engine: &Engine, key: &[u8]) -> Result<Body> {
    match body_now(engine, key) {
        // It may have been moved or erased in the meantime.
        Err(StoreError::Damaged { .. }) => body_now(engine, key),
        read => read,
    }
}

fn body_now(engine: &Engine, key: &[u8]) -> Result<Body> {
    engine.db.get(TreeId::Item, key)?.map_or(Ok(Body::default()), |record| text(engine, key, &record))
}

/// Returns the text that a record refers to; empty if it refers to none.
fn text(engine: &Engine, key: &[u8], record: &[u8]) -> Result<Body> {
    let place = named(record).ok_or(StoreError::Damaged { what: "body" })?;
    if place == Place::NONE {
        return Ok(Body::default());
    }
    let packed = engine.texts.read(key, place)?;
    engine.unpack(&packed)
}

/// Returns the form that an item had under a generation: the last that began by then, or the oldest known.
pub(super) fn version_at(engine: &Engine, key: &[u8], generation: u64) -> Result<Option<Article>> {
    let Some(item) = items::item(&engine.db, key)? else { return Ok(None) };
    if item.touched > generation
        && let Some(since) = versions_since(&engine.db, key)?
            .into_iter()
            .reduce(|best, since| if since <= generation { since } else { best })
    {
        return version(engine, key, since).map(Some);
    }
    let body = body(engine, key)?;
    Ok(Some(Article { item, body }))
}

/// Returns the earlier forms of an item, oldest first.
pub(super) fn versions(engine: &Engine, code: &InfoCode) -> Result<Vec<Article>> {
    let key = code.key();
    versions_since(&engine.db, &key)?.into_iter().map(|since| version(engine, &key, since)).collect()
}

fn versions_since(db: &Database, key: &[u8]) -> Result<Vec<u64>> {
    let mut all: Vec<u64> = Vec::new();
    for at in db.tree(TreeId::Version).scan_prefix(key).keys() {
        all.extend(u64_at(&at.map_err(|e| backend(READ, e))?, key.len()));
    }
    all.dedup();
    Ok(all)
}

pub(super) fn version(engine: &Engine, key: &[u8], since: u64) -> Result<Article> {
    let at = version_key(key, since);
    let load = || {
        let record = engine.db.get(TreeId::Version, &at)?.ok_or(StoreError::Damaged { what: "version" })?;
        Ok(Article { item: records::item(key, &record)?.1, body: text(engine, key, &record)? })
    };
    match load() {
        Err(StoreError::Damaged { .. }) => load(),
        read => read,
    }
}
