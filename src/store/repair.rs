//! Mending what a look through the store finds. Items, texts, categories and sources are what is
//! true; everything else is made from them again, or deleted where it belongs to nothing.
//!
//! Afterwards all that is published counts as changed, and where an item or a text was lost, the
//! sources that list it are asked as if for the first time.

use std::collections::{BTreeMap, BTreeSet};

use super::check::{self, Findings, Watch, code_in, readable, with_site};
use super::codec::{self, u32_at};
use super::commit;
use super::open::{Open, T, backend, category_key};
use super::texts::{self, Balance, Place};
use super::write::{self, abort, delete, put, transact, tree};
use super::{Result, Sighting, Tombstone, Withdrawer, alias, log, paths, read, record, slots, sources};
use crate::model::{Body, Category, CategoryId, ContentHash, Item, Slug, Timestamp};

/// Rounds of mending: what one round mends may show the next what is left.
const ROUNDS: usize = 4;

/// Mends the store; nobody else may use it meanwhile. Gives what was found in all, and mended.
///
/// # Errors
/// Those of the store: a page that cannot be read cannot be mended here.
pub(super) fn repair(open: &Open, now: Timestamp, watch: Watch<'_>) -> Result<Findings> {
    let _writing = open.writing();
    // What is on the disk counts.
    open.roster.forget();
    let mut all = Findings::default();
    let mut lost = false;
    for round in 0..ROUNDS {
        let found = check::walk(open, watch, &mut |tree, key, faults| {
            lost |= mend(open, tree, key, now)?;
            Ok(faults.clone())
        })?;
        if round == 0 {
            all = found.clone();
        }
        if found.faults == 0 {
            break;
        }
    }
    let left = check::walk(open, watch, &mut |_, _, faults| Ok(faults.clone()))?;
    all.mended = all.faults.saturating_sub(left.faults);
    if all.faults > 0 {
        settle(open, lost, now)?;
    }
    let balanced = texts::is_balanced(open)?;
    texts::recount(open)?;
    if !balanced && all.faults == 0 {
        all.faults += 1;
        all.mended += 1;
    }
    open.sync()?;
    Ok(all)
}

/// Mends one record; `true` when something of an item is lost by it.
fn mend(open: &Open, at: T, key: &[u8], now: Timestamp) -> Result<bool> {
    match at {
        T::Item => return item(open, key, now),
        T::Category => category(open, key, now)?,
        T::Source => source(open, key, now)?,
        T::Tomb => tombstone(open, key, now)?,
        T::Seal => seal(open, key)?,
        T::CatSeq => {
            let id = CategoryId(u32_at(key, 0).unwrap_or_default());
            let said =
                |number, slot: &[u8]| Ok(id != CategoryId::SITE && log::is_said(open, id, number, slot)?);
            slots::sift(open, key, said)?;
        }
        T::Alias => alias::mend(open, key, |code| check::known_code(open, code))?,
        T::Sys => sys(open, key)?,
        T::CategoryKey => match read::get(open, T::CategoryKey, key)?.filter(|id| id.len() == 4) {
            Some(id) => category(open, &id, now)?,
            None => transact(open, |tx| delete(tx, at, key))?,
        },
        // Indexes and leftovers: what is true makes the right ones again.
        _ => transact(open, |tx| delete(tx, at, key))?,
    }
    Ok(false)
}

fn item(open: &Open, key: &[u8], now: Timestamp) -> Result<bool> {
    let item = readable(read::item(open, key))?.flatten().filter(|item| item.code.key() == key);
    let Some(item) = item else {
        transact(open, |tx| delete(tx, T::Item, key))?;
        forget(open, key, true)?;
        return Ok(true);
    };
    let out = read::get(open, T::Tomb, key)?.is_some();
    if let Some(record) = read::get(open, T::Item, key)?
        && let Some((_, listing)) = record::first(&record)?
        && readable(record::listing(listing))?.is_none()
    {
        transact(open, |tx| commit::put_first(tx, key, &record, &[]))?;
    }
    let named = read::get(open, T::Item, key)?.and_then(|record| texts::named(&record));
    let torn = named.is_none_or(|place| place == Place::NONE) || readable(read::body(open, key))?.is_none();
    if torn {
        let empty = codec::pack(&Body::default(), None)?;
        let places = open.texts.append(&[(key, &empty)])?;
        open.texts.sync()?;
        transact(open, |tx| {
            let mut balance = Balance::default();
            let records = places.iter().map(|place| (*place, item.clone()));
            records.into_iter().try_for_each(|record| commit::touch_record(tx, key, record, &mut balance))?;
            balance.settle(tx)
        })?;
        forget(open, key, false)?;
    }
    let Some(item) = read::item(open, key)? else { return Ok(true) };
    index(open, key, item, out, now)?;
    Ok(torn)
}

/// Makes all indexes of an item anew; arrival numbers that are right stay.
fn index(open: &Open, key: &[u8], mut item: Item, out: bool, now: Timestamp) -> Result<()> {
    let mut known = Vec::new();
    for id in item.categories.clone() {
        if readable(read::category(open, id))?.flatten().is_some() {
            known.push(id);
        }
    }
    item.categories = known;
    let mut wrong = Vec::new();
    for id in with_site(&item) {
        let at = codec::time_key(id, item.published, key);
        let entry = read::get(open, T::CatTime, &at)?;
        let good =
            entry.as_ref().is_some_and(|entry| log::is_in_order(open, id, key, entry).unwrap_or(false));
        if out == entry.is_some() || (!out && !good) {
            let shown = entry.and_then(|entry| entry.first().copied()) != Some(0);
            wrong.push((id, at, shown));
        }
    }
    transact(open, |tx| {
        paths::lead(tx, key, &item)?;
        commit::touch_item(tx, key, &item)?;
        let mut touched: BTreeMap<CategoryId, Category> = BTreeMap::new();
        for (id, at, shown) in &wrong {
            tree(tx, T::CatTime).remove(at.as_slice())?;
            write::touch(tx, *id, now, &mut touched)?;
            if let Some(category) = touched.get_mut(id).filter(|_| !out) {
                log::enter(tx, key, &item, category, *shown)?;
            }
        }
        for category in touched.values_mut() {
            let generation = write::next(tx, "generation")?;
            write::put_category(tx, category, generation)?;
        }
        Ok(())
    })?;
    let archived = wrong.iter().filter(|(_, _, shown)| !shown).map(|(id, ..)| *id).collect();
    commit::close_archived(open, &archived)
}

/// Makes the sources that list an item see it as changed, or as unknown.
fn forget(open: &Open, key: &[u8], unknown: bool) -> Result<()> {
    let entries: Vec<_> = open.tree(T::Seen).scan_prefix(key).flatten().collect();
    for (at, value) in entries {
        let never = if unknown { None } else { never_seen(&value)? };
        transact(open, |tx| match &never {
            Some(listing) => put(tx, T::Seen, &at, listing),
            None => delete(tx, T::Seen, &at),
        })?;
    }
    let Some(item) = read::get(open, T::Item, key)? else { return Ok(()) };
    let first = match readable(record::first(&item))?.flatten() {
        Some((number, listing)) => {
            never_seen(listing)?.map(|never| record::first_bytes(number, &never)).unwrap_or_default()
        }
        None => return Ok(()),
    };
    transact(open, |tx| commit::put_first(tx, key, &item, &first))
}

/// A listing of something that its source never listed so; `None` where it cannot be read.
fn never_seen(listing: &[u8]) -> Result<Option<Vec<u8>>> {
    let Some((sighting, began)) = readable(record::listing(listing))? else { return Ok(None) };
    let sighting = Sighting { listed: ContentHash::of(&[("lost", "text")]), detail: None, ..sighting };
    record::of_listing(&sighting, began.as_ref()).map(Some)
}

/// A category that cannot be read comes back from its names; counters come from its entries.
fn category(open: &Open, key: &[u8], now: Timestamp) -> Result<()> {
    let Some(id) = u32_at(key, 0).map(CategoryId) else { return Ok(()) };
    let read = readable(read::category(open, id))?.flatten().filter(|category| category.id == id);
    let names = |kind| name_of(open, kind, key);
    let mut category = match read {
        Some(category) => category,
        None if id == CategoryId::SITE => Category {
            id,
            slug: Slug::site(),
            name: String::new(),
            generation: 0,
            changed_at: now,
            newest: None,
            arrivals: 0,
        },
        None => {
            let name = names(b'n')?;
            let slug = names(b's')?.and_then(|slug| Slug::new(&slug));
            let slug = slug.unwrap_or_else(|| Slug::from_name(name.as_deref().unwrap_or_default()));
            let name = name.unwrap_or_else(|| slug.to_string());
            Category { id, slug, name, generation: 0, changed_at: now, newest: None, arrivals: 0 }
        }
    };
    category.newest = check::newest(open, id)?;
    category.arrivals = category.arrivals.max(check::last_arrival(open, id)?);
    let merged = read::merged(open, &category)?;
    transact(open, |tx| {
        let mut category = category.clone();
        if id != CategoryId::SITE && category.sealed() > 0 {
            log::note_anew(tx, id, category.sealed())?;
        }
        let generation = write::next(tx, "generation")?;
        write::put_category(tx, &mut category, generation)?;
        if id != CategoryId::SITE && !merged {
            put(tx, T::CategoryKey, &category_key(b's', category.slug.as_str()), key)?;
            let name = category_key(b'n', &category.name);
            if tree(tx, T::CategoryKey).get(&name)?.is_none() {
                put(tx, T::CategoryKey, &name, key)?;
            }
        }
        Ok(())
    })
}

/// The first name (`n`) or slug (`s`) that leads to a category.
fn name_of(open: &Open, kind: u8, id: &[u8]) -> Result<Option<String>> {
    for entry in open.tree(T::CategoryKey).scan_prefix([kind]) {
        let (name, leads) = entry.map_err(|e| backend("read", e))?;
        if leads == id {
            return Ok(name.get(1..).map(|name| String::from_utf8_lossy(name).into_owned()));
        }
    }
    Ok(None)
}

/// What cannot be read of a source is made anew, and its record is stored once more.
fn source(open: &Open, key: &[u8], now: Timestamp) -> Result<()> {
    let number = u32_at(key, 0).unwrap_or_default();
    let Some(id) = sources::names(open)?.remove(&number) else {
        return transact(open, |tx| delete(tx, T::Source, key));
    };
    sources::put_states(open, [(&id, &sources::state_or_new(open, &id, now)?)])
}

/// What cannot be read of a tombstone still keeps its item out.
fn tombstone(open: &Open, key: &[u8], now: Timestamp) -> Result<()> {
    if code_in(key).is_none() {
        return transact(open, |tx| delete(tx, T::Tomb, key));
    }
    let erased = read::get(open, T::Item, key)?.is_none();
    let read = read::get(open, T::Tomb, key)?;
    let read = read.and_then(|bytes| codec::decode::<Tombstone>("tombstone", &bytes).ok());
    let stone = read.map_or_else(
        || Tombstone { at: now, by: Withdrawer::Admin, why: "its record was damaged".to_owned(), erased },
        |stone| Tombstone { erased, ..stone },
    );
    transact(open, |tx| put(tx, T::Tomb, key, &codec::encode("tombstone", &stone).map_err(abort)?))
}

/// A hundred that is sealed is noted anew; others are forgotten.
fn seal(open: &Open, key: &[u8]) -> Result<()> {
    if let (Some(id), Some(page)) = (u32_at(key, 0).map(CategoryId), u32_at(key, 4))
        && readable(read::category(open, id))?.flatten().is_some_and(|category| page <= category.sealed())
    {
        return transact(open, |tx| log::note_anew(tx, id, page));
    }
    transact(open, |tx| delete(tx, T::Seal, key))
}

fn sys(open: &Open, key: &[u8]) -> Result<()> {
    if key != b"generation" {
        return Ok(());
    }
    let last = open.tree(T::Changed).last().map_err(|e| backend("read", e))?;
    let last = last.and_then(|(key, _)| codec::u64_at(&key, 0)).unwrap_or_default();
    transact(open, |tx| put(tx, T::Sys, key, &last.to_be_bytes()))
}

/// All that is published is looked at again, and what was lost is asked for again.
fn settle(open: &Open, lost: bool, now: Timestamp) -> Result<()> {
    write::new_identity(open)?;
    let mut all: BTreeSet<CategoryId> = read::categories(open)?.iter().map(|category| category.id).collect();
    all.insert(CategoryId::SITE);
    for id in all {
        transact(open, |tx| {
            let mut touched = BTreeMap::new();
            write::touch(tx, id, now, &mut touched)?;
            for category in touched.values_mut() {
                let generation = write::next(tx, "generation")?;
                write::put_category(tx, category, generation)?;
            }
            Ok(())
        })?;
    }
    if lost { sources::forget_documents(open) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::super::open::NAMES;
    use super::super::{Change, Ending, Event, Happening, Placement, SledStore, Store};
    use super::*;
    use crate::model::{CodeSpace, InfoCode, SourceId, Validators};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(1_800_000_000 + seconds)
    }

    fn filled(folder: &std::path::Path) -> (SledStore, CategoryId) {
        let store = SledStore::open(&folder.join("store"), 1 << 20).unwrap();
        let source = SourceId::new("s").unwrap();
        store.register(std::slice::from_ref(&source), at(0)).unwrap();
        let home = store.ensure_category("甲报", None, at(0)).unwrap().id;
        for n in 0..6 {
            let code = InfoCode::new(CodeSpace::new("s").unwrap(), &format!("code-{n}"));
            let mut change = Change::of(code.clone());
            let shown = |category| Placement { category, shown: true };
            change.enters = vec![shown(home), shown(CategoryId::SITE)];
            change.body = Some(Body { html: format!("<p>{n}</p>"), ..Body::default() });
            change.sighting = Some((
                source.clone(),
                Sighting {
                    first: at(0),
                    last: at(0),
                    listed: ContentHash::of(&[]),
                    guid: None,
                    checks: 0,
                    detail: None,
                },
            ));
            change.aliases = vec![(source.clone(), (super::super::AliasKind::Link, [n; 16]))];
            change.event = Some(Event {
                at: at(0),
                what: Happening::Inserted,
                source: None,
                why: String::new(),
                known_by: String::new(),
                answer: None,
            });
            change.item = Some(Item {
                code,
                title: n.to_string(),
                link: None,
                excerpt: String::new(),
                media_name: None,
                image: None,
                published: at(i64::from(n)),
                updated: at(0),
                first_seen: at(0),
                home,
                categories: vec![home],
                permalink: format!("jia/2027/{n}.html"),
                lead: source.clone(),
                rank: 0,
                revisions: 0,
                generation: 0,
                touched: 0,
                imported: false,
            });
            store.commit(vec![change], at(0)).unwrap();
        }
        let out = InfoCode::new(CodeSpace::new("s").unwrap(), "code-5");
        let stone = Tombstone { at: at(9), by: Withdrawer::Admin, why: "x".into(), erased: false };
        store.withdraw(&out, &stone).unwrap();
        (store, home)
    }

    fn faults(store: &SledStore) -> Vec<String> {
        store.check(&mut |_, _, _| {}).unwrap().told
    }

    fn mended(store: &SledStore, what: &str) -> Findings {
        let found = store.repair(at(20), &mut |_, _, _| {}).unwrap();
        assert_eq!(faults(store), Vec::<String>::new(), "{what}");
        assert_eq!(found.mended, found.faults, "{what}");
        found
    }

    /// Trees in which a record may be missing without anyone being able to tell.
    fn silent(tree: usize) -> bool {
        let trees = [
            T::Item,
            T::Seen,
            T::Alias,
            T::History,
            T::Sys,
            T::SourceKey,
            T::Source,
            T::Path,
            T::Tomb,
            T::Touched,
        ];
        trees.into_iter().any(|silent| silent as usize == tree) || NAMES[tree] == "cat_key"
    }

    #[test]
    fn whatever_record_is_missing_or_garbled_is_found_and_mended() {
        let folder = tempfile::tempdir().unwrap();
        let (store, home) = filled(folder.path());
        assert_eq!(faults(&store), Vec::<String>::new());
        for (tree, name) in NAMES.iter().enumerate().filter(|(_, name)| !["sys", "source_key"].contains(name))
        {
            for garble in [false, true] {
                let hurt = store.with(|open| {
                    let tree = &open.trees()[tree];
                    let Some((key, value)) = tree.iter().flatten().next_back() else { return Ok(None) };
                    if garble {
                        let value: Vec<u8> = value.iter().map(|byte| byte ^ 0x55).collect();
                        tree.insert(&key, value).unwrap();
                    } else {
                        tree.remove(&key).unwrap();
                    }
                    Ok(Some(value))
                });
                let Some(value) = hurt.unwrap() else { continue };
                let what = format!("{name}, garbled: {garble}");
                let can_be_seen = if garble { !value.is_empty() } else { !silent(tree) };
                assert!(!can_be_seen || !faults(&store).is_empty(), "{what}");
                mended(&store, &what);
            }
        }
        // Two of six items were hurt themselves; one is withdrawn.
        assert!(store.category(home).unwrap().is_some_and(|category| category.name == "甲报"));
        assert_eq!(store.arrivals(home, 0, 99).unwrap().len(), 4);
    }

    #[test]
    fn a_lost_text_is_asked_for_again() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = filled(folder.path());
        let source = SourceId::new("s").unwrap();
        let mut state = store.source(&source).unwrap();
        state.validators.etag = Some("1".into());
        state.memory.body = Some([1; 16]);
        store.complete(&[Ending::of(source.clone(), state)]).unwrap();
        let code = InfoCode::new(CodeSpace::new("s").unwrap(), "code-2");
        let before = store.sightings(&source, std::slice::from_ref(&code)).unwrap();
        let identity = store.identity().unwrap();
        let hurt = |open: &Open| {
            let record = read::get(open, T::Item, code.key())?.unwrap();
            open.texts.blank(texts::named(&record).unwrap())
        };
        store.with(hurt).unwrap();
        let found = mended(&store, "a text");
        assert_eq!(found.kinds.len(), 1, "{found:?}");
        assert_eq!(store.body(&code).unwrap(), Body::default());
        assert_ne!(store.sightings(&source, std::slice::from_ref(&code)).unwrap(), before);
        let state = store.source(&source).unwrap();
        assert_eq!((state.validators, state.memory.body), (Validators::default(), None));
        assert_ne!(store.identity().unwrap(), identity, "the outputs are looked at again");
    }
}
