//! Changes of categories that an admin asks for: moving one item for ever, renaming or merging a category.

use std::sync::Arc;

use serde_json::{Value, json};

use super::category_merge;
use super::history::publish;
use super::items::{NO_ITEM, known};
use super::mill::Mill;
use crate::control::{Event, Events};
use crate::model::{Category, CategoryId, InfoCode, Slug, Timestamp, chain};
use crate::publish::PublishScope;
use crate::store::{Move, Mover, Store, StoreError};

/// Attempts at a move when the item keeps changing meanwhile.
const TRIES: usize = 5;

fn category(store: &dyn Store, name: &str) -> Result<Result<Category, String>, StoreError> {
    let found = store.find_category(name)?.filter(|category| category.id != CategoryId::SITE);
    Ok(found.ok_or_else(|| format!("there is no category `{name}`; see `feedmill category list`")))
}

/// Moves an item to a category for ever: no source and no rule moves it again.
pub(super) async fn move_item(mill: &Arc<Mill>, code: String, to: String) -> Result<Value, String> {
    let own = Arc::clone(mill);
    let now = mill.clock.now();
    let held = mill.hold().await;
    let done = mill.store.call(move |store| {
        let Some(code) = known(&own, store, &code)? else { return Ok(Err(NO_ITEM.to_owned())) };
        let to = match category(store, &to)? {
            Ok(to) => to,
            Err(why) => return Ok(Err(why)),
        };
        let changed = place(store, &code, &to, now)?;
        store.sync()?;
        Ok(changed.map(|changed| (to, changed)))
    });
    let (to, changed) = done.await.map_err(|e| chain(&e))??;
    drop(held);
    publish(mill).await?;
    Ok(json!({ "changed": changed, "category": to.slug.as_str(), "name": to.name }))
}

/// Moves an item to one category for ever; returns `false` if it is in that one alone already.
fn place(
    store: &dyn Store,
    code: &InfoCode,
    to: &Category,
    now: Timestamp,
) -> Result<Result<bool, String>, StoreError> {
    let why = format!("moved to {} by an admin", to.name);
    for _ in 0..TRIES {
        let Some(item) = store.item(code)? else { return Ok(Err(NO_ITEM.to_owned())) };
        let here = item.categories == [to.id];
        let decided = Move { from: item.categories, to: vec![to.id], why: why.clone(), by: Mover::Admin };
        let moved = store.reroute(code, &decided, now)?;
        if moved || here {
            return Ok(Ok(moved));
        }
    }
    Ok(Err("it changes all the time; try again".to_owned()))
}

/// Gives a category another name or slug; the old ones keep resolving to it.
pub(super) async fn rename(
    mill: &Arc<Mill>,
    old: String,
    name: Option<String>,
    slug: Option<String>,
) -> Result<Value, String> {
    let slug = match slug {
        Some(text) => Some(Slug::new(&text).ok_or_else(|| {
            format!(
                "`{text}` cannot be a slug: small letters, digits and `-`, such as `{}`",
                Slug::from_name(&text)
            )
        })?),
        None => None,
    };
    let now = mill.clock.now();
    let done = mill.store.call(move |store| {
        let before = match category(store, &old)? {
            Ok(before) => before,
            Err(why) => return Ok(Err(why)),
        };
        let slug = slug.unwrap_or_else(|| before.slug.clone());
        let name = name.unwrap_or_else(|| before.name.clone());
        for taken in [slug.as_str(), &name] {
            if let Some(other) = store.find_category(taken)?.filter(|other| other.id != before.id) {
                return Ok(Err(format!(
                    "`{taken}` leads to the category `{}`; to make one of two: `feedmill category merge`",
                    other.name
                )));
            }
        }
        let after = store.rename_category(before.id, &name, &slug, now)?;
        store.sync()?;
        Ok(Ok((before, after)))
    });
    let (before, after) = done.await.map_err(|e| chain(&e))??;
    mill.publish(PublishScope::Changed, |_, _| {}).await.map_err(|e| chain(&e))?;
    Ok(json!({
        "old_slug": before.slug.as_str(), "old_name": before.name,
        "slug": after.slug.as_str(), "name": after.name,
    }))
}

/// Merges one category into another ([`category_merge`]). A merge that is cut off is finished at the next
/// start.
pub(super) async fn merge(
    mill: &Arc<Mill>,
    from: String,
    into: String,
    dry_run: bool,
    events: &Events,
) -> Result<Value, String> {
    let found = mill.store.call(move |store| Ok((category(store, &from)?, category(store, &into)?)));
    let (from, into) = found.await.map_err(|e| chain(&e))?;
    let (from, into) = (from?, into?);
    if from.id == into.id {
        return Err(format!("`{}` and `{}` are one category already", from.slug, into.slug));
    }
    let items = if dry_run {
        let id = from.id;
        mill.store.call(move |store| category_merge::count(store, id)).await.map_err(|e| chain(&e))?
    } else {
        let (source, target, events) = (from.clone(), into.clone(), events.clone());
        let now = mill.clock.now();
        let done = mill.store.call(move |store| {
            category_merge::merge(store, &source, &target, now, &mut |looked| {
                let what = "items looked at".to_owned();
                let _ = events.try_send(Event::Progress { done: looked, of: looked, what });
            })
        });
        let moved = done.await.map_err(|e| chain(&e))?;
        mill.publish(PublishScope::Changed, |_, _| {}).await.map_err(|e| chain(&e))?;
        moved
    };
    Ok(json!({
        "dry_run": dry_run, "items": items, "from": from.slug.as_str(), "from_name": from.name,
        "into": into.slug.as_str(), "into_name": into.name,
    }))
}
