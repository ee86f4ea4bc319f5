//! Exporting the store as a backup while it is in use.
//!
//! Items come first, in the order in which they arrived, each in its state when it is written. Items that
//! changed in the meantime follow once more, and finally, while writers wait, the last changes and everything
//! that is not stored by item. So the file describes the store at one moment, the end. (Only a listing without
//! any change may be slightly older.)

use std::collections::BTreeMap;
use std::path::Path;

use crate::model::{Category, CategoryId, InfoCode, Item, Slug, Timestamp};
use crate::store::backup::{
    self, CategoryLine, Entry, ErasedLine, Form, FormLine, Head, ItemLine, Line, Lines, Seal, SourceLine,
};
use crate::store::sled::database::{
    Database, READ, TreeId, backend, decode, every, page_key, time_at, time_key, u32_at, u64_at,
};
use crate::store::sled::engine::Engine;
use crate::store::sled::leaving::with_site;
use crate::store::sled::lists::{by_arrival, touched};
use crate::store::sled::log::{Entered, slot_in};
use crate::store::sled::source_numbers::{names, void_of};
use crate::store::sled::store::SledStore;
use crate::store::sled::{
    alias, articles, categories, items, paths, settings, slots, small_records, sources,
};
use crate::store::{Progress, RecordKind, Result, StoreError};

/// Small records that are read at once.
const RECORDS: usize = 500;

/// Items between two progress reports.
const STEP: u64 = 100;
/// Items changed in the meantime that are read at once.
const CHANGED_AT_ONCE: usize = 500;

impl SledStore {
    /// Writes the whole store into a file while it is in use (`store::backup`), and returns the file's size in
    /// bytes.
    ///
    /// # Errors
    /// Those of the store, and of the disk that is written to.
    pub fn export(&self, path: &Path, form: Form, now: Timestamp, progress: Progress<'_>) -> Result<u64> {
        self.with(|engine| backup::write(path, form, |lines| export(engine, lines, now, progress)))
    }
}

fn export(engine: &Engine, lines: &mut Lines<'_>, now: Timestamp, progress: Progress<'_>) -> Result<()> {
    let db = &engine.db;
    let begun = db.counter("generation")?;
    lines.put(&Line::Head(head(db, now)?))?;
    put_categories(db, lines)?;
    // In the order of their numbers, before items refer to them.
    put_sources(engine, lines)?;
    all_items(engine, lines, progress)?;
    let then = changed_since(engine, lines, begun, false)?;
    let _writing = db.writing();
    put_categories(db, lines)?;
    changed_since(engine, lines, then, true)?;
    erased(engine, lines)?;
    put_sources(engine, lines)?;
    put_aliases(db, lines)?;
    put_paths(db, lines)?;
    put_logs(db, lines)?;
    put_numbers(db, lines)
}

fn head(db: &Database, made: Timestamp) -> Result<Head> {
    Ok(Head {
        version: backup::VERSION,
        made,
        items: categories::arrivals_of_site(db)?,
        fixed: settings::fixed(db)?,
        complete: true,
    })
}

/// Writes all categories, merged ones and the whole site included.
fn put_categories(db: &Database, lines: &mut Lines<'_>) -> Result<()> {
    let mut leads: BTreeMap<(u32, u8), Vec<String>> = BTreeMap::new();
    for entry in db.tree(TreeId::CategoryKey) {
        let (key, id) = entry.map_err(|e| backend(READ, e))?;
        if let (Some((kind, name)), Some(id)) = (key.split_first(), u32_at(&id, 0)) {
            leads.entry((id, *kind)).or_default().push(String::from_utf8_lossy(name).into_owned());
        }
    }
    for entry in db.tree(TreeId::Category) {
        let category: Category = decode("category", &entry.map_err(|e| backend(READ, e))?.1)?;
        let mut lead = |kind| leads.remove(&(category.id.0, kind)).unwrap_or_default();
        let (slugs, names, seals) = (lead(b's'), lead(b'n'), seals(db, category.id)?);
        lines.put(&Line::Category(CategoryLine::of(category, slugs, names, seals)))?;
    }
    Ok(())
}

fn seals(db: &Database, id: CategoryId) -> Result<Vec<Seal>> {
    let mut seals = Vec::new();
    for entry in db.tree(TreeId::Seal).range(page_key(id, 0)..=page_key(id, u32::MAX)) {
        let (key, value) = entry.map_err(|e| backend(READ, e))?;
        let seal = || {
            Some(Seal { hundred: u32_at(&key, 4)?, sealed: u64_at(&value, 0)?, changed: u64_at(&value, 8)? })
        };
        seals.push(seal().ok_or(StoreError::Damaged { what: "seal" })?);
    }
    Ok(seals)
}

/// Writes the shown items in the order in which they arrived, then the withdrawn ones.
fn all_items(engine: &Engine, lines: &mut Lines<'_>, progress: Progress<'_>) -> Result<()> {
    let all = categories::arrivals_of_site(&engine.db)?;
    let shown = by_arrival(&engine.db)?.into_iter().map(|(_, code)| Ok(code));
    let out = engine.db.tree(TreeId::Tomb).iter().keys().map(|key| key.map(|key| key.to_vec()));
    for (done, code) in (1..).zip(shown.chain(out)) {
        let code = code.map_err(|e| backend(READ, e))?;
        let writing = engine.db.writing();
        put_item(engine, lines, &code)?;
        drop(writing);
        if done % STEP == 0 {
            progress(done, all.max(done));
        }
    }
    progress(all, all);
    Ok(())
}

/// Writes the items that changed after a generation, and returns the generation up to which this is complete.
/// With `locked`, the caller holds the writer's lock already.
fn changed_since(engine: &Engine, lines: &mut Lines<'_>, mut since: u64, locked: bool) -> Result<u64> {
    loop {
        let until = engine.db.counter("generation")?;
        if since >= until {
            return Ok(since);
        }
        let (changed, upto) = touched(&engine.db, (since, until), CHANGED_AT_ONCE)?;
        for item in changed {
            let _writing = (!locked).then(|| engine.db.writing());
            put_item(engine, lines, &item.code.key())?;
        }
        since = upto;
    }
}

fn put_item(engine: &Engine, lines: &mut Lines<'_>, key: &[u8]) -> Result<()> {
    let Some(item) = items::item(&engine.db, key)? else { return Ok(()) };
    lines.put(&Line::Item(Box::new(whole(engine, item)?)))
}

fn whole(engine: &Engine, item: Item) -> Result<ItemLine> {
    let db = &engine.db;
    let (key, code) = (item.code.key(), &item.code);
    let mut entries = Vec::new();
    for category in with_site(&item) {
        let entry = db.get(TreeId::CatTime, time_key(category, item.published, &key))?;
        if let Some(Entered { shown, first, latest }) = entry.as_deref().and_then(Entered::read) {
            entries.push(Entry { category, shown: shown == 1, first, latest });
        }
    }
    let archived = entries.iter().filter(|entry| !entry.shown).map(|entry| match entry.category {
        CategoryId::SITE => Ok(String::new()),
        id => slug(db, id).map(|slug| slug.to_string()),
    });
    let archived = archived.collect::<Result<_>>()?;
    let forms = articles::versions(engine, code)?.into_iter().map(|form| FormLine {
        since: form.item.touched,
        item: form.item,
        body: form.body,
    });
    Ok(ItemLine {
        home: slug(db, item.home)?,
        categories: item.categories.iter().map(|id| slug(db, *id)).collect::<Result<_>>()?,
        archived,
        body: articles::body(engine, &key)?,
        revisions: items::revisions(db, code)?,
        history: items::history(db, code)?,
        listings: items::listings(db, code)?,
        tombstone: items::tombstone(db, code)?,
        entries,
        forms: forms.collect(),
        item,
    })
}

fn slug(db: &Database, id: CategoryId) -> Result<Slug> {
    let category = categories::category(db, id)?;
    category.map(|category| category.slug).ok_or(StoreError::Damaged { what: "category" })
}

fn erased(engine: &Engine, lines: &mut Lines<'_>) -> Result<()> {
    let db = &engine.db;
    for entry in db.tree(TreeId::Tomb) {
        let (key, value) = entry.map_err(|e| backend(READ, e))?;
        let Some((code, _)) = InfoCode::from_key(&key) else { continue };
        if db.get(TreeId::Item, &key)?.is_none() {
            lines.put(&Line::Tombstone(ErasedLine {
                tombstone: decode("tombstone", &value)?,
                history: items::history(db, &code)?,
                listings: items::listings(db, &code)?,
                code,
            }))?;
        }
    }
    Ok(())
}

fn put_sources(engine: &Engine, lines: &mut Lines<'_>) -> Result<()> {
    for (number, id) in names(&engine.db)?.into_iter().collect::<BTreeMap<_, _>>() {
        let known = sources::is_known(engine, &id)?;
        let state = if known { Some(Box::new(sources::state(engine, &id)?)) } else { None };
        lines.put(&Line::Source(SourceLine { id, state, void: void_of(&engine.db, number)? }))?;
    }
    Ok(())
}

fn put_aliases(db: &Database, lines: &mut Lines<'_>) -> Result<()> {
    let names = names(db)?;
    for entry in alias::all(db) {
        let (number, (kind, hash), code) = entry?;
        if let Some(source) = names.get(&number).cloned() {
            lines.put(&Line::Alias { source, kind, hash, code })?;
        }
    }
    Ok(())
}

fn put_paths(db: &Database, lines: &mut Lines<'_>) -> Result<()> {
    for entry in every(db.tree(TreeId::Path)) {
        let (key, value) = entry.map_err(|e| backend(READ, e))?;
        let path = String::from_utf8_lossy(&key).into_owned();
        if let Some(to) = paths::redirect(&value) {
            lines.put(&Line::Redirect { from: path, to })?;
        } else if let Some((code, _)) = paths::article(&value).and_then(InfoCode::from_key) {
            lines.put(&Line::Page { path, code })?;
        }
    }
    Ok(())
}

/// Writes the logs, one line for each record of the store.
fn put_logs(db: &Database, lines: &mut Lines<'_>) -> Result<()> {
    for entry in every(db.tree(TreeId::CatSeq)) {
        let (key, value) = entry.map_err(|e| backend(READ, e))?;
        let damaged = StoreError::Damaged { what: "log" };
        let (Some(id), Some(own)) = (u32_at(&key, 0), slots::within(&key, &value)) else {
            return Err(damaged);
        };
        let named = |code: Vec<u8>| InfoCode::from_key(&code).map(|(code, _)| code);
        let slots = own.into_iter().filter_map(|(number, slot)| Some((number, slot_in(slot)?.named(named)?)));
        lines.put(&Line::Log { category: CategoryId(id), slots: slots.collect() })?;
    }
    Ok(())
}

fn put_numbers(db: &Database, lines: &mut Lines<'_>) -> Result<()> {
    for entry in db.tree(TreeId::Published) {
        let (key, value) = entry.map_err(|e| backend(READ, e))?;
        if let (Some(generation), Some(at)) = (u64_at(&key, 0), time_at(&value)) {
            lines.put(&Line::Published { generation, at })?;
        }
    }
    for kind in RecordKind::ALL {
        let mut after = Vec::new();
        loop {
            let some = small_records::after(db, kind, &after, RECORDS)?;
            let Some((last, _)) = some.last() else { break };
            after.clone_from(last);
            some.into_iter().try_for_each(|(key, value)| lines.put(&Line::Record { kind, key, value }))?;
        }
    }
    for (name, value) in settings::counters(db)? {
        lines.put(&Line::Counter { name, value })?;
    }
    Ok(())
}
