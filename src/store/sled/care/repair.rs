//! Mending what a look through the store finds. Items, texts, categories and sources are what is
//! true; everything else is made from them again, or deleted where it belongs to nothing.
//!
//! Afterwards all that is published counts as changed, and where an item or a text was lost, the
//! sources that list it are asked as if for the first time.

use std::collections::{BTreeMap, BTreeSet};

use super::check::{Findings, walk};
use crate::model::{Body, Category, CategoryId, Item, Slug, Timestamp};
use crate::store::sled::bodies::{Balance, Place, is_balanced, named, recount};
use crate::store::sled::categories::{self, put_category, touch};
use crate::store::sled::database::{
    READ, TreeId, abort, backend, category_key, code_in, decode, delete, encode, next, put, readable,
    time_key, tree, u32_at, u64_at,
};
use crate::store::sled::engine::Engine;
use crate::store::sled::item_writes::{put_first, touch_item, touch_record};
use crate::store::sled::leaving::with_site;
use crate::store::sled::lists::{last_arrival, newest};
use crate::store::sled::source_numbers::names;
use crate::store::sled::store::SledStore;
use crate::store::sled::withdraw::take_out_whole;
use crate::store::sled::{alias, articles, items, log, paths, records, slots, sources};
use crate::store::{Result, Tombstone, Watch, WithdrawnBy};

/// Rounds of mending: what one round mends may show the next what is left.
const ROUNDS: usize = 4;

impl SledStore {
    /// Mends what [`SledStore::check`] finds; writers wait meanwhile. All that is published then
    /// counts as changed.
    ///
    /// # Errors
    /// Those of the store.
    pub fn repair(&self, now: Timestamp, watch: Watch<'_>) -> Result<Findings> {
        self.write(|engine| repair(engine, now, watch))
    }
}

/// Mends the store; nobody else may use it meanwhile. Gives what was found in all, and mended.
///
/// # Errors
/// Those of the store: a page that cannot be read cannot be mended here.
fn repair(engine: &Engine, now: Timestamp, watch: Watch<'_>) -> Result<Findings> {
    let _writing = engine.db.writing();
    // What is on the disk counts.
    engine.sources.forget();
    let mut all = Findings::default();
    let mut lost = false;
    for round in 0..ROUNDS {
        let found = walk(engine, watch, &mut |tree, key, faults| {
            lost |= mend(engine, tree, key, now)?;
            Ok(faults.clone())
        })?;
        if round == 0 {
            all = found.clone();
        }
        if found.faults == 0 {
            break;
        }
    }
    let left = walk(engine, watch, &mut |_, _, faults| Ok(faults.clone()))?;
    all.mended = all.faults.saturating_sub(left.faults);
    if all.faults > 0 {
        settle(engine, lost, now)?;
    }
    let balanced = is_balanced(&engine.db)?;
    recount(&engine.db)?;
    if !balanced && all.faults == 0 {
        all.faults += 1;
        all.mended += 1;
    }
    engine.db.sync()?;
    Ok(all)
}

/// Mends one record; `true` when something of an item is lost by it.
fn mend(engine: &Engine, at: TreeId, key: &[u8], now: Timestamp) -> Result<bool> {
    match at {
        TreeId::Item => return item(engine, key, now),
        TreeId::Category => category(engine, key, now)?,
        TreeId::Source => source(engine, key, now)?,
        TreeId::Tomb => tombstone(engine, key, now)?,
        TreeId::Seal => seal(engine, key)?,
        TreeId::CatSeq => {
            let id = CategoryId(u32_at(key, 0).unwrap_or_default());
            let said = |number, slot: &[u8]| {
                Ok(id != CategoryId::SITE && log::is_said(&engine.db, id, number, slot)?)
            };
            slots::sift(&engine.db, key, said)?;
        }
        TreeId::Alias => alias::mend(&engine.db, key, |code| items::known_code(&engine.db, code))?,
        TreeId::Sys => sys(engine, key)?,
        TreeId::CategoryKey => match engine.db.get(TreeId::CategoryKey, key)?.filter(|id| id.len() == 4) {
            Some(id) => category(engine, &id, now)?,
            None => engine.db.transact(|tx| delete(tx, at, key))?,
        },
        // Indexes and leftovers: what is true makes the right ones again.
        _ => engine.db.transact(|tx| delete(tx, at, key))?,
    }
    Ok(false)
}

fn item(engine: &Engine, key: &[u8], now: Timestamp) -> Result<bool> {
    let item = readable(items::item(&engine.db, key))?.flatten().filter(|item| item.code.key() == key);
    let Some(item) = item else {
        engine.db.transact(|tx| delete(tx, TreeId::Item, key))?;
        forget(engine, key, true)?;
        return Ok(true);
    };
    let out = engine.db.get(TreeId::Tomb, key)?.is_some();
    if let Some(record) = engine.db.get(TreeId::Item, key)?
        && let Some((_, listing)) = records::first(&record)?
        && readable(records::listing(listing))?.is_none()
    {
        engine.db.transact(|tx| put_first(tx, key, &record, &[]))?;
    }
    let named = engine.db.get(TreeId::Item, key)?.and_then(|record| named(&record));
    let torn =
        named.is_none_or(|place| place == Place::NONE) || readable(articles::body(engine, key))?.is_none();
    if torn {
        let packed = engine.pack([&Body::default()])?;
        let places = engine.texts.append(&[(key, packed.first().map(Vec::as_slice).unwrap_or_default())])?;
        engine.texts.sync()?;
        engine.db.transact(|tx| {
            let mut balance = Balance::default();
            let records = places.iter().map(|place| (*place, item.clone()));
            records.into_iter().try_for_each(|record| touch_record(tx, key, record, &mut balance))?;
            balance.settle(tx)
        })?;
        forget(engine, key, false)?;
    }
    let Some(item) = items::item(&engine.db, key)? else { return Ok(true) };
    index(engine, key, item, out, now)?;
    Ok(torn)
}

/// Makes all indexes of an item anew; arrival numbers that are right stay.
fn index(engine: &Engine, key: &[u8], mut item: Item, out: bool, now: Timestamp) -> Result<()> {
    let mut known = Vec::new();
    for id in item.categories.clone() {
        if readable(categories::category(&engine.db, id))?.flatten().is_some() {
            known.push(id);
        }
    }
    item.categories = known;
    let mut wrong = Vec::new();
    for id in with_site(&item) {
        let at = time_key(id, item.published, key);
        let entry = engine.db.get(TreeId::CatTime, &at)?;
        let good =
            entry.as_ref().is_some_and(|entry| log::is_in_order(&engine.db, id, key, entry).unwrap_or(false));
        if out == entry.is_some() || (!out && !good) {
            let shown = entry.and_then(|entry| entry.first().copied()) != Some(0);
            wrong.push((id, at, shown));
        }
    }
    engine.db.transact(|tx| {
        paths::lead(tx, key, &item)?;
        touch_item(tx, key, &item)?;
        let mut touched: BTreeMap<CategoryId, Category> = BTreeMap::new();
        for (id, at, shown) in &wrong {
            tree(tx, TreeId::CatTime).remove(at.as_slice())?;
            touch(tx, *id, now, &mut touched)?;
            if let Some(category) = touched.get_mut(id).filter(|_| !out) {
                log::enter(tx, key, &item, category, *shown)?;
            }
        }
        for category in touched.values_mut() {
            let generation = next(tx, "generation")?;
            put_category(tx, category, generation)?;
        }
        Ok(())
    })?;
    let archived = wrong.iter().filter(|(_, _, shown)| !shown).map(|(id, ..)| *id).collect();
    log::close_all_archived(&engine.db, &archived)
}

/// Makes the sources that list an item see it as changed, or as unknown.
fn forget(engine: &Engine, key: &[u8], unknown: bool) -> Result<()> {
    let entries: Vec<_> = engine.db.tree(TreeId::Seen).scan_prefix(key).flatten().collect();
    for (at, value) in entries {
        let never = if unknown { None } else { never_seen(&value)? };
        engine.db.transact(|tx| match &never {
            Some(listing) => put(tx, TreeId::Seen, &at, listing),
            None => delete(tx, TreeId::Seen, &at),
        })?;
    }
    let Some(item) = engine.db.get(TreeId::Item, key)? else { return Ok(()) };
    let first = match readable(records::first(&item))?.flatten() {
        Some((number, listing)) => {
            never_seen(listing)?.map(|never| records::first_bytes(number, &never)).unwrap_or_default()
        }
        None => return Ok(()),
    };
    engine.db.transact(|tx| put_first(tx, key, &item, &first))
}

/// A listing of something that its source never listed so; `None` where it cannot be read.
fn never_seen(listing: &[u8]) -> Result<Option<Vec<u8>>> {
    let Some((sighting, began)) = readable(records::listing(listing))? else { return Ok(None) };
    records::of_listing(&sighting.never_listed(), began.as_ref()).map(Some)
}

/// A category that cannot be read comes back from its names; counters come from its entries.
fn category(engine: &Engine, key: &[u8], now: Timestamp) -> Result<()> {
    let Some(id) = u32_at(key, 0).map(CategoryId) else { return Ok(()) };
    let read = readable(categories::category(&engine.db, id))?.flatten().filter(|category| category.id == id);
    let names = |kind| name_of(engine, kind, key);
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
    category.newest = newest(&engine.db, id)?;
    category.arrivals = category.arrivals.max(last_arrival(&engine.db, id)?);
    let merged = categories::merged(&engine.db, &category)?;
    engine.db.transact(|tx| {
        let mut category = category.clone();
        if id != CategoryId::SITE && category.sealed() > 0 {
            log::note_anew(tx, id, category.sealed())?;
        }
        let generation = next(tx, "generation")?;
        put_category(tx, &mut category, generation)?;
        if id != CategoryId::SITE && !merged {
            put(tx, TreeId::CategoryKey, &category_key(b's', category.slug.as_str()), key)?;
            let name = category_key(b'n', &category.name);
            if tree(tx, TreeId::CategoryKey).get(&name)?.is_none() {
                put(tx, TreeId::CategoryKey, &name, key)?;
            }
        }
        Ok(())
    })
}

/// The first name (`n`) or slug (`s`) that leads to a category.
fn name_of(engine: &Engine, kind: u8, id: &[u8]) -> Result<Option<String>> {
    for entry in engine.db.tree(TreeId::CategoryKey).scan_prefix([kind]) {
        let (name, leads) = entry.map_err(|e| backend(READ, e))?;
        if leads == id {
            return Ok(name.get(1..).map(|name| String::from_utf8_lossy(name).into_owned()));
        }
    }
    Ok(None)
}

/// What cannot be read of a source is made anew, and its record is stored once more.
fn source(engine: &Engine, key: &[u8], now: Timestamp) -> Result<()> {
    let number = u32_at(key, 0).unwrap_or_default();
    let Some(id) = names(&engine.db)?.remove(&number) else {
        return engine.db.transact(|tx| delete(tx, TreeId::Source, key));
    };
    sources::put_states(engine, [(&id, &sources::state_or_new(engine, &id, now)?)])
}

/// What cannot be read of a tombstone still keeps its item out, and what was erased is not kept.
fn tombstone(engine: &Engine, key: &[u8], now: Timestamp) -> Result<()> {
    if code_in(key).is_none() {
        return engine.db.transact(|tx| delete(tx, TreeId::Tomb, key));
    }
    let read = engine.db.get(TreeId::Tomb, key)?;
    let read = read.and_then(|bytes| decode::<Tombstone>("tombstone", &bytes).ok());
    let item = readable(items::item(&engine.db, key))?.flatten();
    if let (Some(stone), Some(item)) = (read.as_ref().filter(|stone| stone.erased), &item) {
        return take_out_whole(engine, item, &with_site(item), stone);
    }
    let erased = engine.db.get(TreeId::Item, key)?.is_none();
    let stone = read.map_or_else(
        || Tombstone::new(now, WithdrawnBy::Admin, "its record was damaged", erased),
        |stone| Tombstone { erased, ..stone },
    );
    engine.db.transact(|tx| put(tx, TreeId::Tomb, key, &encode("tombstone", &stone).map_err(abort)?))
}

/// A hundred that is sealed is noted anew; others are forgotten.
fn seal(engine: &Engine, key: &[u8]) -> Result<()> {
    if let (Some(id), Some(page)) = (u32_at(key, 0).map(CategoryId), u32_at(key, 4))
        && readable(categories::category(&engine.db, id))?
            .flatten()
            .is_some_and(|category| page <= category.sealed())
    {
        return engine.db.transact(|tx| log::note_anew(tx, id, page));
    }
    engine.db.transact(|tx| delete(tx, TreeId::Seal, key))
}

fn sys(engine: &Engine, key: &[u8]) -> Result<()> {
    if key != b"generation" {
        return Ok(());
    }
    let last = engine.db.tree(TreeId::Changed).last().map_err(|e| backend(READ, e))?;
    let last = last.and_then(|(key, _)| u64_at(&key, 0)).unwrap_or_default();
    engine.db.transact(|tx| put(tx, TreeId::Sys, key, &last.to_be_bytes()))
}

/// All that is published is looked at again, and what was lost is asked for again.
fn settle(engine: &Engine, lost: bool, now: Timestamp) -> Result<()> {
    categories::new_identity(&engine.db)?;
    let mut all: BTreeSet<CategoryId> =
        categories::all(&engine.db)?.iter().map(|category| category.id).collect();
    all.insert(CategoryId::SITE);
    for id in all {
        engine.db.transact(|tx| {
            let mut touched = BTreeMap::new();
            touch(tx, id, now, &mut touched)?;
            for category in touched.values_mut() {
                let generation = next(tx, "generation")?;
                put_category(tx, category, generation)?;
            }
            Ok(())
        })?;
    }
    if lost { sources::forget_documents(engine) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CodeSpace, ContentHash, InfoCode, SourceId, Validators};
    use crate::store::{
        AliasKind, Categories, Change, Claimed, Event, EventKind, Items, Name, Placement, PollResult,
        Records, Sighting, Sources,
    };

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
            change.aliases = vec![(source.clone(), (AliasKind::Link, [n; 16]))];
            change.event = Some(Event {
                at: at(0),
                what: EventKind::Inserted,
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
        let stone = Tombstone::new(at(9), WithdrawnBy::Admin, "x", false);
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
    fn silent(tree: TreeId) -> bool {
        let trees = [
            TreeId::Item,
            TreeId::Seen,
            TreeId::Alias,
            TreeId::History,
            TreeId::Sys,
            TreeId::SourceKey,
            TreeId::Source,
            TreeId::Path,
            TreeId::Tomb,
            TreeId::Touched,
            TreeId::CategoryKey,
        ];
        trees.contains(&tree)
    }

    #[test]
    fn whatever_record_is_missing_or_garbled_is_found_and_mended() {
        let folder = tempfile::tempdir().unwrap();
        let (store, home) = filled(folder.path());
        assert_eq!(faults(&store), Vec::<String>::new());
        for id in TreeId::ALL.into_iter().filter(|id| ![TreeId::Sys, TreeId::SourceKey].contains(id)) {
            for garble in [false, true] {
                let hurt = store.with(|engine| {
                    let tree = engine.db.tree(id);
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
                let what = format!("{}, garbled: {garble}", id.name());
                let can_be_seen = if garble { !value.is_empty() } else { !silent(id) };
                assert!(!can_be_seen || !faults(&store).is_empty(), "{what}");
                mended(&store, &what);
            }
        }
        // Two of six items were hurt themselves; one is withdrawn.
        assert!(store.category(home).unwrap().is_some_and(|category| category.name == "甲报"));
        assert_eq!(store.arrivals(home, 0, 99).unwrap().len(), 4);
    }

    #[test]
    fn what_was_erased_is_not_kept_by_a_repair() {
        let folder = tempfile::tempdir().unwrap();
        let (store, home) = filled(folder.path());
        let code = InfoCode::new(CodeSpace::new("s").unwrap(), "code-2");
        // As a store might be of which half was lost.
        let stone = Tombstone::new(at(9), WithdrawnBy::Admin, "asked", true);
        let stand_beside = |engine: &Engine| {
            let bytes = encode("tombstone", &stone)?;
            engine.db.transact(|tx| put(tx, TreeId::Tomb, &code.key(), &bytes))
        };
        store.with(stand_beside).unwrap();
        assert!(!faults(&store).is_empty());
        mended(&store, "an erased item that is there");
        assert_eq!(store.item(&code).unwrap(), None);
        assert_eq!(store.body(&code).unwrap(), Body::default());
        let left = store.tombstone(&code).unwrap().unwrap();
        assert_eq!((left.at, left.erased, left.signs.is_some()), (stone.at, true, true));
        assert_eq!(store.arrivals(home, 0, 99).unwrap().len(), 4);
    }

    #[test]
    fn a_lost_text_is_asked_for_again() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = filled(folder.path());
        let source = SourceId::new("s").unwrap();
        let at = Timestamp::from_unix(5_000);
        let claimed = store.claim("test", std::slice::from_ref(&source), at, 60).unwrap().remove(0);
        let Claimed::Yours(mut claim) = claimed else { panic!("{claimed:?}") };
        let state = &mut claim.state;
        state.validators.etag = Some("1".into());
        state.memory.body = Some([1; 16]);
        store.complete(&[PollResult::of(*claim)]).unwrap();
        let code = InfoCode::new(CodeSpace::new("s").unwrap(), "code-2");
        let before = store.known(&source, &[Name::Code(code.clone())]).unwrap();
        let identity = store.identity().unwrap();
        let hurt = |engine: &Engine| {
            let record = engine.db.get(TreeId::Item, code.key())?.unwrap();
            engine.texts.blank(named(&record).unwrap())
        };
        store.with(hurt).unwrap();
        let found = mended(&store, "a text");
        assert_eq!(found.kinds.len(), 1, "{found:?}");
        assert_eq!(store.body(&code).unwrap(), Body::default());
        assert_ne!(store.known(&source, &[Name::Code(code.clone())]).unwrap(), before);
        let state = store.source(&source).unwrap();
        assert_eq!((state.validators, state.memory.body), (Validators::default(), None));
        assert_ne!(store.identity().unwrap(), identity, "the outputs are looked at again");
    }
}
