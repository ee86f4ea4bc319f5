//! Categories: their records, and the names and slugs that resolve to them.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

use super::database::{
    Database, READ, TreeId, Tx, TxResult, abort, backend, category_key, decode, encode, next, put, tree,
    u32_at, u64_at,
};
use crate::model::{Category, CategoryId, Slug, Timestamp};
use crate::store::{Result, StoreError};

pub(super) fn category(db: &Database, id: CategoryId) -> Result<Option<Category>> {
    db.get(TreeId::Category, id.0.to_be_bytes())?.map(|bytes| decode("category", &bytes)).transpose()
}

pub(super) fn find(db: &Database, slug_or_name: &str) -> Result<Option<Category>> {
    for kind in [b's', b'n'] {
        if let Some(value) = db.get(TreeId::CategoryKey, category_key(kind, slug_or_name))?
            && let Some(id) = u32_at(&value, 0)
        {
            return category(db, CategoryId(id));
        }
    }
    Ok(None)
}

pub(super) fn slugs(db: &Database) -> Result<Vec<(String, CategoryId)>> {
    let mut slugs = Vec::new();
    for entry in db.tree(TreeId::CategoryKey).scan_prefix(category_key(b's', "")) {
        let (key, value) = entry.map_err(|e| backend(READ, e))?;
        let id = u32_at(&value, 0).map(CategoryId).ok_or(StoreError::Damaged { what: "slug" })?;
        slugs.push((String::from_utf8_lossy(&key[1..]).into_owned(), id));
    }
    Ok(slugs)
}

/// Returns whether a category was merged into another: it has no items, and its slug resolves to the other.
pub(super) fn merged(db: &Database, category: &Category) -> Result<bool> {
    if category.newest.is_some() || category.id == CategoryId::SITE {
        return Ok(false);
    }
    let leads = db.get(TreeId::CategoryKey, category_key(b's', category.slug.as_str()))?;
    let leads = leads.and_then(|value| u32_at(&value, 0)).filter(|id| *id != category.id.0);
    Ok(leads.map(|id| self::category(db, CategoryId(id))).transpose()?.flatten().is_some())
}

pub(super) fn all(db: &Database) -> Result<Vec<Category>> {
    let mut all = Vec::new();
    for entry in db.tree(TreeId::Category) {
        let category: Category = decode("category", &entry.map_err(|e| backend(READ, e))?.1)?;
        if category.id != CategoryId::SITE && !merged(db, &category)? {
            all.push(category);
        }
    }
    all.sort_by(|a, b| a.slug.cmp(&b.slug));
    Ok(all)
}

pub(super) fn changed_since(db: &Database, generation: u64) -> Result<Vec<Category>> {
    let start = generation.saturating_add(1).to_be_bytes();
    let mut changed = Vec::new();
    for entry in db.tree(TreeId::Changed).range(start..) {
        let (key, _) = entry.map_err(|e| backend(READ, e))?;
        if let Some(id) = u32_at(&key, 8)
            && let Some(category) = category(db, CategoryId(id))?
            && !merged(db, &category)?
        {
            changed.push(category);
        }
    }
    Ok(changed)
}

/// Returns how many items ever arrived in the whole site.
pub(super) fn arrivals_of_site(db: &Database) -> Result<u64> {
    Ok(category(db, CategoryId::SITE)?.map_or(0, |site| u64::from(site.arrivals)))
}

pub(super) fn ensure_site(db: &Database) -> Result<()> {
    if category(db, CategoryId::SITE)?.is_some() {
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
    new_identity(db)?;
    db.transact(|tx| {
        let generation = next(tx, "generation")?;
        put_category(tx, &mut site.clone(), generation)
    })
}

/// Writes a new random identity, which no other store has.
pub(super) fn new_identity(db: &Database) -> Result<()> {
    let identity = RandomState::new().hash_one(0_u8);
    db.transact(|tx| put(tx, TreeId::Sys, b"identity", &identity.to_be_bytes()))
}

/// Writes the record under a new generation and moves its entry in the index of changes.
pub(super) fn put_category(tx: Tx<'_>, category: &mut Category, generation: u64) -> TxResult<()> {
    let key = |generation: u64| [&generation.to_be_bytes()[..], &category.id.0.to_be_bytes()].concat();
    if category.generation != 0 {
        tree(tx, TreeId::Changed).remove(key(category.generation))?;
    }
    tree(tx, TreeId::Changed).insert(key(generation), &[])?;
    category.generation = generation;
    let bytes = encode("category", category).map_err(abort)?;
    put(tx, TreeId::Category, &category.id.0.to_be_bytes(), &bytes)
}

/// Returns the category with this name and slug, if it exists and has both.
pub(super) fn category_as_it_is(db: &Database, name: &str, slug: Option<&Slug>) -> Result<Option<Category>> {
    let by = slug.map_or(name, Slug::as_str);
    let known = if by.is_empty() { None } else { find(db, by)? };
    Ok(known.filter(|known| slug.is_none() || name.is_empty() || known.name == name))
}

pub(super) fn ensure_category(
    db: &Database,
    name: &str,
    slug: Option<&Slug>,
    now: Timestamp,
) -> Result<Category> {
    let _writing = db.writing();
    let by_slug = slug.map(|slug| find(db, slug.as_str())).transpose()?.flatten();
    let by_name = if name.is_empty() { None } else { find(db, name)? };
    if let Some(known) = by_slug {
        // Only a caller that names the slug may rename; a source's name for it may be an old one.
        let same = name.is_empty() || known.name == name;
        return if same || is_of_merged(db, &known, slug)? {
            Ok(known)
        } else {
            rename(db, known, name, now)
        };
    }
    if let Some(known) = by_name {
        // The first slug is kept for ever (RULES 5.2): a later one only resolves to the category.
        if let Some(slug) = slug {
            lead_to(db, known.id, slug.as_str())?;
        }
        return Ok(known);
    }
    let mut slug = slug.cloned().unwrap_or_else(|| Slug::from_name(name));
    while find(db, slug.as_str())?.is_some() {
        slug = slug.distinct(&format!("{name}{slug}"));
    }
    let name = if name.is_empty() { slug.as_str() } else { name };
    db.transact(|tx| {
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
            put(tx, TreeId::CategoryKey, &key, &id.0.to_be_bytes())?;
        }
        touch_site(tx, now)?;
        Ok(category)
    })
}

/// Returns whether this slug is that of another category, which was merged into this one.
fn is_of_merged(db: &Database, into: &Category, slug: Option<&Slug>) -> Result<bool> {
    for entry in db.tree(TreeId::Category) {
        let category: Category = decode("category", &entry.map_err(|e| backend(READ, e))?.1)?;
        if category.id != into.id && Some(&category.slug) == slug {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Gives the site a new generation, because a new or renamed category changes its lists of categories.
fn touch_site(tx: Tx<'_>, now: Timestamp) -> TxResult<()> {
    let Some(bytes) = tree(tx, TreeId::Category).get(CategoryId::SITE.0.to_be_bytes())? else {
        return Ok(());
    };
    let mut site: Category = decode("category", &bytes).map_err(abort)?;
    site.changed_at = site.changed_at.max(now);
    let generation = next(tx, "generation")?;
    put_category(tx, &mut site, generation)
}

/// Writes a category with a new name; its old name and slug keep resolving to it.
fn rename(db: &Database, mut known: Category, name: &str, now: Timestamp) -> Result<Category> {
    name.clone_into(&mut known.name);
    known.changed_at = known.changed_at.max(now);
    db.transact(|tx| {
        let mut category = known.clone();
        next(tx, "renames")?;
        let generation = next(tx, "generation")?;
        put_category(tx, &mut category, generation)?;
        for key in [category_key(b's', category.slug.as_str()), category_key(b'n', name)] {
            put(tx, TreeId::CategoryKey, &key, &category.id.0.to_be_bytes())?;
        }
        touch_site(tx, now)?;
        Ok(category)
    })
}

pub(super) fn rename_category(
    db: &Database,
    id: CategoryId,
    name: &str,
    slug: &Slug,
    now: Timestamp,
) -> Result<Category> {
    let _writing = db.writing();
    let Some(mut category) = category(db, id)? else {
        return Err(StoreError::Damaged { what: "category" });
    };
    category.slug = slug.clone();
    rename(db, category, name, now)
}

pub(super) fn merge_category(
    db: &Database,
    from: CategoryId,
    into: CategoryId,
    now: Timestamp,
) -> Result<()> {
    let _writing = db.writing();
    let mut leads = Vec::new();
    for entry in db.tree(TreeId::CategoryKey) {
        let (key, id) = entry.map_err(|e| backend(READ, e))?;
        if id == from.0.to_be_bytes() {
            leads.push(key);
        }
    }
    let Some(target) = category(db, into)? else {
        return Err(StoreError::Damaged { what: "category" });
    };
    db.transact(|tx| {
        for key in &leads {
            put(tx, TreeId::CategoryKey, key, &into.0.to_be_bytes())?;
        }
        Ok(())
    })?;
    let name = target.name.clone();
    rename(db, target, &name, now).map(|_| ())
}

pub(super) fn alias_category(db: &Database, id: CategoryId, old_slug: &str) -> Result<()> {
    let _writing = db.writing();
    lead_to(db, id, old_slug)
}

fn lead_to(db: &Database, id: CategoryId, old_slug: &str) -> Result<()> {
    let key = category_key(b's', old_slug);
    if db.get(TreeId::CategoryKey, &key)?.is_none() {
        db.transact(|tx| put(tx, TreeId::CategoryKey, &key, &id.0.to_be_bytes()))?;
    }
    Ok(())
}

/// Loads a category into `touched` and updates its `changed_at`.
pub(super) fn touch(
    tx: Tx<'_>,
    id: CategoryId,
    now: Timestamp,
    touched: &mut BTreeMap<CategoryId, Category>,
) -> TxResult<()> {
    if touched.contains_key(&id) {
        return Ok(());
    }
    if let Some(bytes) = tree(tx, TreeId::Category).get(id.0.to_be_bytes())? {
        let mut category: Category = decode("category", &bytes).map_err(abort)?;
        // A clock that went back must not make an output look older than it was.
        category.changed_at = category.changed_at.max(now);
        touched.insert(id, category);
    }
    Ok(())
}

/// Returns whether a category exists and was not merged into another.
pub(super) fn leads_to_itself(tx: Tx<'_>, id: CategoryId) -> TxResult<bool> {
    let Some(bytes) = tree(tx, TreeId::Category).get(id.0.to_be_bytes())? else { return Ok(false) };
    if id == CategoryId::SITE {
        return Ok(true);
    }
    let category: Category = decode("category", &bytes).map_err(abort)?;
    let leads = tree(tx, TreeId::CategoryKey).get(category_key(b's', category.slug.as_str()))?;
    Ok(leads.is_some_and(|leads| leads == id.0.to_be_bytes()))
}

/// Raises the count of categories to at least this number, of an imported category.
pub(super) fn count(tx: Tx<'_>, id: CategoryId) -> TxResult<()> {
    let sys = tree(tx, TreeId::Sys);
    let known = sys.get("categories")?.and_then(|value| u64_at(&value, 0)).unwrap_or_default();
    put(tx, TreeId::Sys, b"categories", &known.max(u64::from(id.0)).to_be_bytes())
}
