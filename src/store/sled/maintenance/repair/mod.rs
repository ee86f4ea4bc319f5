//! Repairing the faults that a check finds. Items, texts, categories and sources are authoritative; everything
//! else is rebuilt from them, or deleted if it belongs to nothing.
//!
//! Afterwards everything published counts as changed, and if an item or a text was lost, the sources that list
//! it are fetched as if for the first time.

mod article;
mod others;

use std::collections::{BTreeMap, BTreeSet};

use super::check::{Findings, walk};
use crate::model::{CategoryId, Timestamp};
use crate::store::sled::bodies::{is_balanced, recount};
use crate::store::sled::categories::{self, put_category, touch};
use crate::store::sled::database::{TreeId, delete, next, u32_at};
use crate::store::sled::engine::Engine;
use crate::store::sled::{alias, items, log, slots, sources};
use crate::store::{Result, Watch};
use article::item;
use others::{category, seal, source, sys, tombstone};

pub(super) use article::{forget, put_text};

/// Rounds of repair, at most: one round may reveal further faults for the next.
const ROUNDS: usize = 4;

/// Repairs the store while it holds the writer's lock. Returns what was found, and what was repaired.
///
/// # Errors
/// Those of the store: a page that cannot be read cannot be repaired here.
pub(super) fn repair(engine: &Engine, now: Timestamp, watch: Watch<'_>) -> Result<Findings> {
    let _writing = engine.db.writing();
    // The records on the disk are authoritative.
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
        finish(engine, lost, now)?;
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

/// Repairs one record; returns `true` if something of an item is lost by it.
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
        // Indexes and remains: the repair of authoritative records rebuilds the right ones.
        _ => engine.db.transact(|tx| delete(tx, at, key))?,
    }
    Ok(false)
}

/// Makes outputs check everything again, and, after a loss, sources be fetched again.
pub(super) fn finish(engine: &Engine, lost: bool, now: Timestamp) -> Result<()> {
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
    use crate::model::{Body, CodeSpace, ContentHash, InfoCode, Item, SourceId, Validators};
    use crate::store::sled::bodies::named;
    use crate::store::sled::database::{encode, put};
    use crate::store::{
        AliasKind, Categories, Change, Claimed, Event, EventKind, Items, Name, Placement, PollResult,
        Records, Sighting, SledStore, Sources, Tombstone, WithdrawnBy,
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

    /// Returns whether a missing record of a tree can be undetectable.
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
        // Two of six items were damaged themselves; one is withdrawn.
        assert!(store.category(home).unwrap().is_some_and(|category| category.name == "甲报"));
        assert_eq!(store.arrivals(home, 0, 99).unwrap().len(), 4);
    }

    #[test]
    fn what_was_erased_is_not_kept_by_a_repair() {
        let folder = tempfile::tempdir().unwrap();
        let (store, home) = filled(folder.path());
        let code = InfoCode::new(CodeSpace::new("s").unwrap(), "code-2");
        // As in a store that lost half of its changes.
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

    /// Checks that a text which was erased stays gone even if damage lost the log that records the erasure.
    #[test]
    fn what_was_erased_stays_so_where_the_store_has_forgotten_it() {
        let folder = tempfile::tempdir().unwrap();
        let (store, home) = filled(folder.path());
        let code = InfoCode::new(CodeSpace::new("s").unwrap(), "code-2");
        let forget = |engine: &Engine| {
            let record = engine.db.get(TreeId::Item, code.key())?.unwrap();
            engine.texts.blank(named(&record).unwrap())
        };
        store.with(forget).unwrap();
        store.repair(at(9), &mut |_, _, _| {}).unwrap();
        assert_eq!(faults(&store), Vec::<String>::new());
        assert_eq!(store.item(&code).unwrap(), None);
        assert!(store.tombstone(&code).unwrap().is_some_and(|stone| stone.erased && stone.signs.is_some()));
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
            engine.texts.spoil(named(&record).unwrap())
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
