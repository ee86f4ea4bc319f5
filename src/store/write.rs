//! The writing verbs on sled, but for those about sources (`sources`): every one is a transaction over the trees it touches.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

use sled::Transactional;
use sled::transaction::{ConflictableTransactionError, ConflictableTransactionResult, TransactionalTree};

use super::codec::{self, u64_at};
use super::open::{Open, T, backend, category_key, transaction_error};
use super::{Result, StoreError, read};
use crate::model::{Category, CategoryId, Slug, Timestamp};

pub(super) type Tx<'a> = &'a [TransactionalTree];
pub(super) type TxResult<T> = ConflictableTransactionResult<T, StoreError>;

pub(super) fn abort(error: StoreError) -> ConflictableTransactionError<StoreError> {
    ConflictableTransactionError::Abort(error)
}

pub(super) fn transact<R>(store: &Open, work: impl Fn(Tx<'_>) -> TxResult<R>) -> Result<R> {
    let done = store.trees().transaction(|tx| work(tx)).map_err(transaction_error)?;
    store.wrote();
    Ok(done)
}

pub(super) fn tree(tx: Tx<'_>, tree: T) -> &TransactionalTree {
    &tx[tree as usize]
}

pub(super) fn put(tx: Tx<'_>, at: T, key: &[u8], value: &[u8]) -> TxResult<()> {
    codec::fits("stored", value).map_err(abort)?;
    tree(tx, at).insert(key, value)?;
    Ok(())
}

pub(super) fn delete(tx: Tx<'_>, at: T, key: &[u8]) -> TxResult<()> {
    tree(tx, at).remove(key)?;
    Ok(())
}

/// The next value of a counter.
pub(super) fn next(tx: Tx<'_>, name: &str) -> TxResult<u64> {
    let sys = tree(tx, T::Sys);
    let value = sys.get(name)?.and_then(|bytes| u64_at(&bytes, 0)).unwrap_or_default() + 1;
    sys.insert(name, &value.to_be_bytes())?;
    Ok(value)
}

pub(super) fn ensure_site(store: &Open) -> Result<()> {
    if read::category(store, CategoryId::SITE)?.is_some() {
        return Ok(());
    }
    let site = Category {
        id: CategoryId::SITE,
        slug: Slug::site(),
        name: String::new(),
        generation: 0,
        changed_at: Timestamp::EPOCH,
        newest: None,
        arrivals: 0,
    };
    new_identity(store)?;
    transact(store, |tx| {
        let generation = next(tx, "generation")?;
        put_category(tx, &mut site.clone(), generation)
    })
}

/// A number that no other store has.
pub(super) fn new_identity(store: &Open) -> Result<()> {
    let identity = RandomState::new().hash_one(0_u8);
    transact(store, |tx| put(tx, T::Sys, b"identity", &identity.to_be_bytes()))
}

/// Stores the record under a new generation and moves its entry in the index of changes.
pub(super) fn put_category(tx: Tx<'_>, category: &mut Category, generation: u64) -> TxResult<()> {
    let key = |generation: u64| [&generation.to_be_bytes()[..], &category.id.0.to_be_bytes()].concat();
    if category.generation != 0 {
        tree(tx, T::Changed).remove(key(category.generation))?;
    }
    tree(tx, T::Changed).insert(key(generation), &[])?;
    category.generation = generation;
    let bytes = codec::encode("category", category).map_err(abort)?;
    put(tx, T::Category, &category.id.0.to_be_bytes(), &bytes)
}

/// The category of that name and slug, where it is there and has both.
pub(super) fn category_as_it_is(store: &Open, name: &str, slug: Option<&Slug>) -> Result<Option<Category>> {
    let by = slug.map_or(name, Slug::as_str);
    let known = if by.is_empty() { None } else { read::find_category(store, by)? };
    Ok(known.filter(|known| slug.is_none() || name.is_empty() || known.name == name))
}

pub(super) fn ensure_category(
    store: &Open,
    name: &str,
    slug: Option<&Slug>,
    now: Timestamp,
) -> Result<Category> {
    let _writing = store.writing();
    let by_slug = slug.map(|slug| read::find_category(store, slug.as_str())).transpose()?.flatten();
    let by_name = if name.is_empty() { None } else { read::find_category(store, name)? };
    if let Some(known) = by_slug {
        // Only who names the slug may rename; a source's name for it may be an old one.
        return if name.is_empty() || known.name == name {
            Ok(known)
        } else {
            rename(store, known, name, now)
        };
    }
    if let Some(known) = by_name {
        // First given, kept for ever (RULES 5.2): a slug that comes later only leads to it.
        if let Some(slug) = slug {
            lead_to(store, known.id, slug.as_str())?;
        }
        return Ok(known);
    }
    let mut slug = slug.cloned().unwrap_or_else(|| Slug::from_name(name));
    while read::find_category(store, slug.as_str())?.is_some() {
        slug = slug.distinct(&format!("{name}{slug}"));
    }
    let name = if name.is_empty() { slug.as_str() } else { name };
    transact(store, |tx| {
        let id = CategoryId(u32::try_from(next(tx, "categories")?).unwrap_or(u32::MAX));
        let generation = next(tx, "generation")?;
        let mut category = Category {
            id,
            slug: slug.clone(),
            name: name.to_owned(),
            generation: 0,
            changed_at: now,
            newest: None,
            arrivals: 0,
        };
        put_category(tx, &mut category, generation)?;
        for key in [category_key(b's', slug.as_str()), category_key(b'n', name)] {
            put(tx, T::CategoryKey, &key, &id.0.to_be_bytes())?;
        }
        touch_site(tx, now)?;
        Ok(category)
    })
}

/// A new or renamed category changes the site's lists of categories.
fn touch_site(tx: Tx<'_>, now: Timestamp) -> TxResult<()> {
    let Some(bytes) = tree(tx, T::Category).get(CategoryId::SITE.0.to_be_bytes())? else {
        return Ok(());
    };
    let mut site: Category = codec::decode("category", &bytes).map_err(abort)?;
    site.changed_at = site.changed_at.max(now);
    let generation = next(tx, "generation")?;
    put_category(tx, &mut site, generation)
}

/// Writes a category under its name and slug; those that it had go on leading to it.
fn rename(store: &Open, mut known: Category, name: &str, now: Timestamp) -> Result<Category> {
    name.clone_into(&mut known.name);
    known.changed_at = known.changed_at.max(now);
    transact(store, |tx| {
        let mut category = known.clone();
        next(tx, "renames")?;
        let generation = next(tx, "generation")?;
        put_category(tx, &mut category, generation)?;
        for key in [category_key(b's', category.slug.as_str()), category_key(b'n', name)] {
            put(tx, T::CategoryKey, &key, &category.id.0.to_be_bytes())?;
        }
        touch_site(tx, now)?;
        Ok(category)
    })
}

pub(super) fn rename_category(
    store: &Open,
    id: CategoryId,
    name: &str,
    slug: &Slug,
    now: Timestamp,
) -> Result<Category> {
    let _writing = store.writing();
    let Some(mut category) = read::category(store, id)? else {
        return Err(StoreError::Damaged { what: "category" });
    };
    category.slug = slug.clone();
    rename(store, category, name, now)
}

pub(super) fn merge_category(store: &Open, from: CategoryId, into: CategoryId, now: Timestamp) -> Result<()> {
    let _writing = store.writing();
    let mut leads = Vec::new();
    for entry in store.tree(T::CategoryKey) {
        let (key, id) = entry.map_err(|e| backend("read", e))?;
        if id == from.0.to_be_bytes() {
            leads.push(key);
        }
    }
    let Some(target) = read::category(store, into)? else {
        return Err(StoreError::Damaged { what: "category" });
    };
    transact(store, |tx| {
        for key in &leads {
            put(tx, T::CategoryKey, key, &into.0.to_be_bytes())?;
        }
        Ok(())
    })?;
    let name = target.name.clone();
    rename(store, target, &name, now).map(|_| ())
}

pub(super) fn alias_category(store: &Open, id: CategoryId, old_slug: &str) -> Result<()> {
    let _writing = store.writing();
    lead_to(store, id, old_slug)
}

fn lead_to(store: &Open, id: CategoryId, old_slug: &str) -> Result<()> {
    let key = category_key(b's', old_slug);
    if read::get(store, T::CategoryKey, &key)?.is_none() {
        transact(store, |tx| put(tx, T::CategoryKey, &key, &id.0.to_be_bytes()))?;
    }
    Ok(())
}

pub(super) fn fix(store: &Open, key: &'static str, value: &str, set: bool) -> Result<()> {
    let name = format!("fixed.{key}");
    match read::get(store, T::Sys, &name)? {
        None if !set => Ok(()),
        None => {
            store.tree(T::Sys).insert(name, value).map_err(|e| backend("set a value", e))?;
            store.wrote();
            Ok(())
        }
        Some(stored) if &stored[..] == value.as_bytes() => Ok(()),
        Some(stored) => Err(StoreError::Fixed {
            key,
            stored: String::from_utf8_lossy(&stored).into_owned(),
            asked: value.to_owned(),
        }),
    }
}

pub(super) fn set_bookmark(store: &Open, name: &str, generation: u64) -> Result<()> {
    let _writing = store.writing();
    transact(store, |tx| put(tx, T::Sys, read::bookmark_key(name).as_bytes(), &generation.to_be_bytes()))
}

pub(super) fn tally(store: &Open, counts: &BTreeMap<String, u64>) -> Result<()> {
    let _writing = store.writing();
    transact(store, |tx| {
        for (name, more) in counts {
            let key = format!("{}{name}", read::TALLY);
            let known = tree(tx, T::Sys).get(&key)?.and_then(|value| u64_at(&value, 0)).unwrap_or_default();
            tree(tx, T::Sys).insert(key.as_str(), &(known + more).to_be_bytes())?;
        }
        Ok(())
    })
}

/// Publishes that are remembered by their time.
const PUBLISHES: usize = 20_000;

pub(super) fn mark_published(store: &Open, generation: u64, now: Timestamp) -> Result<()> {
    let _writing = store.writing();
    let number = generation.to_be_bytes();
    let known = read::get(store, T::Published, number)?.is_some();
    let published = store.tree(T::Published);
    let oldest =
        if published.len() > PUBLISHES { published.first().map_err(|e| backend("read", e))? } else { None };
    transact(store, |tx| {
        if let Some((oldest, _)) = &oldest {
            tree(tx, T::Published).remove(oldest)?;
        }
        if !known {
            put(tx, T::Published, &number, &codec::time(now))?;
        }
        put(tx, T::Sys, b"published", &number)
    })
}

/// The generation that the categories of this transaction begin with when it ends.
pub(super) fn upcoming(tx: Tx<'_>) -> TxResult<u64> {
    let bytes = tree(tx, T::Sys).get("generation")?;
    Ok(bytes.and_then(|b| u64_at(&b, 0)).unwrap_or_default() + 1)
}

/// Loads a category into `touched` and moves its `changed_at`.
pub(super) fn touch(
    tx: Tx<'_>,
    id: CategoryId,
    now: Timestamp,
    touched: &mut BTreeMap<CategoryId, Category>,
) -> TxResult<()> {
    if touched.contains_key(&id) {
        return Ok(());
    }
    if let Some(bytes) = tree(tx, T::Category).get(id.0.to_be_bytes())? {
        let mut category: Category = codec::decode("category", &bytes).map_err(abort)?;
        // A clock that went back must not make an output look older than it was.
        category.changed_at = category.changed_at.max(now);
        touched.insert(id, category);
    }
    Ok(())
}
