//! The store in plain maps: nothing survives it. It says in the simplest way what each verb of
//! [`Store`] means, and the one on sled is tested against it.

mod backup;
mod maps;
mod moves;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use self::maps::{Code, Maps, kind, with_site};
use crate::model::{
    Article, Body, Category, CategoryId, InfoCode, Item, Slug, SourceId, SourceState, Timestamp,
};
use crate::store::claims;
use crate::store::{
    Alias, AtPath, Basis, Change, Claim, Claimed, Event, LogPage, Move, PollResult, Result, Retention,
    Revision, Sighting, Slot, SourceRecord, Store, StoreError, Tombstone, Window, bookmark_key,
};

/// A store that lives as long as its process.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Maps>);

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        let site = Category {
            id: CategoryId::SITE,
            slug: Slug::site(),
            name: String::new(),
            generation: 1,
            changed_at: Timestamp::EPOCH,
            newest: None,
            arrivals: 0,
        };
        let categories = BTreeMap::from([(CategoryId::SITE, site)]);
        Self(Mutex::new(Maps { categories, generation: 1, ..Maps::default() }))
    }

    fn of(maps: Maps) -> Self {
        Self(Mutex::new(maps))
    }

    fn maps(&self) -> MutexGuard<'_, Maps> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn register(&self, sources: &[SourceId], now: Timestamp) -> Result<()> {
        let mut maps = self.maps();
        for id in sources {
            if !maps.states.contains_key(id) {
                let mut state = maps.state(id);
                state.next_poll = now;
                "new source".clone_into(&mut state.why);
                maps.put_state(id, state);
            }
        }
        Ok(())
    }

    fn claim_due(&self, by: &str, now: Timestamp, limit: usize, lease: i64) -> Result<Vec<Claim>> {
        Ok(self.maps().claim_due(by, now, limit, lease))
    }

    fn claim(&self, by: &str, ids: &[SourceId], now: Timestamp, lease: i64) -> Result<Vec<Claimed>> {
        let mut maps = self.maps();
        let mut all = Vec::new();
        for id in ids {
            let before = maps.state(id);
            if let Some(until) = claims::taken_until(&before, now) {
                all.push(Claimed::Busy { by: before.claimed_by, until });
                continue;
            }
            let (claim, state) = claims::claimed(id.clone(), before, by, now, lease);
            maps.put_state(id, state);
            all.push(Claimed::Yours(Box::new(claim)));
        }
        Ok(all)
    }

    fn renew(&self, id: &SourceId, epoch: u64, until: Timestamp) -> Result<bool> {
        let mut maps = self.maps();
        let Some(state) = claims::renewed(&maps.state(id), epoch, until) else { return Ok(false) };
        maps.put_state(id, state);
        Ok(true)
    }

    fn release(&self, running: &[SourceId], now: Timestamp) -> Result<usize> {
        let mut maps = self.maps();
        let mut released = 0;
        for record in maps.sources().into_iter().filter(|record| !running.contains(&record.id)) {
            if let Some(state) = claims::given_back(&record.state, now) {
                maps.put_state(&record.id, state);
                released += 1;
            }
        }
        Ok(released)
    }

    fn next_due(&self) -> Result<Option<Timestamp>> {
        Ok(self.maps().states.values().map(|state| state.next_poll).min())
    }

    fn due_from(&self, time: Timestamp) -> Result<Vec<SourceId>> {
        Ok(self.maps().due_from(time))
    }

    fn complete(&self, results: &[PollResult]) -> Result<Vec<SourceId>> {
        let mut maps = self.maps();
        let mut refused = Vec::new();
        for result in results {
            let Some(state) = claims::completed(&maps.state(&result.id), result) else {
                refused.push(result.id.clone());
                continue;
            };
            maps.put_state(&result.id, state);
            maps.void.extend(result.void.iter().map(|guid| (result.id.clone(), *guid)));
        }
        Ok(refused)
    }

    fn source(&self, id: &SourceId) -> Result<SourceState> {
        Ok(self.maps().state(id))
    }

    fn sources(&self) -> Result<Vec<SourceRecord>> {
        Ok(self.maps().sources())
    }

    fn void_guids(&self, id: &SourceId, guids: &[[u8; 16]]) -> Result<Vec<bool>> {
        let maps = self.maps();
        Ok(guids.iter().map(|guid| maps.void.contains(&(id.clone(), *guid))).collect())
    }

    fn sightings(&self, id: &SourceId, codes: &[InfoCode]) -> Result<Vec<Option<Sighting>>> {
        let maps = self.maps();
        let number = maps.numbers.iter().position(|known| known == id);
        let seen = |code: &InfoCode| number.and_then(|number| maps.seen.get(&(code.key(), number)).cloned());
        Ok(codes.iter().map(seen).collect())
    }

    fn aliased(&self, id: &SourceId, alias: Alias) -> Result<Option<InfoCode>> {
        let (kind, hash) = kind(alias);
        Ok(self.maps().aliases.get(&(id.clone(), kind, hash)).cloned())
    }

    fn item(&self, code: &InfoCode) -> Result<Option<Item>> {
        Ok(self.maps().items.get(&code.key()).cloned())
    }

    fn body(&self, code: &InfoCode) -> Result<Body> {
        Ok(self.maps().bodies.get(&code.key()).cloned().unwrap_or_default())
    }

    fn revisions(&self, code: &InfoCode) -> Result<Vec<Revision>> {
        let key = code.key();
        let maps = self.maps();
        let own = maps.revisions.range((key.clone(), 0)..=(key, u32::MAX));
        Ok(own.map(|(_, revision)| revision.clone()).collect())
    }

    fn listings(&self, code: &InfoCode) -> Result<Vec<(SourceId, Sighting)>> {
        let key = code.key();
        let maps = self.maps();
        let own = maps.seen.range((key.clone(), 0)..=(key, usize::MAX));
        Ok(own.map(|((_, number), seen)| (maps.numbers[*number].clone(), seen.clone())).collect())
    }

    fn history(&self, code: &InfoCode) -> Result<Vec<Event>> {
        Ok(self.maps().history.get(&code.key()).cloned().unwrap_or_default())
    }

    fn basis(&self, code: &InfoCode) -> Result<Basis> {
        Ok(self.maps().basis(code))
    }

    fn commit(&self, changes: Vec<Change>, now: Timestamp) -> Result<Vec<InfoCode>> {
        let mut maps = self.maps();
        let (mut touched, mut refused) = (BTreeSet::new(), Vec::new());
        let mut archived = BTreeSet::new();
        for change in changes {
            archived.extend(change.enters.iter().filter(|place| !place.shown).map(|place| place.category));
            if maps.stands(&change) {
                maps.apply(change, &mut touched);
            } else {
                refused.push(change.code);
            }
        }
        for id in touched {
            maps.touch(id, now);
        }
        for id in archived {
            if maps.close_archived(id) {
                maps.touch(id, Timestamp::EPOCH);
            }
        }
        Ok(refused)
    }

    fn withdraw(&self, code: &InfoCode, tombstone: &Tombstone) -> Result<bool> {
        let mut maps = self.maps();
        let key = code.key();
        let before = maps.tombs.get(&key).cloned();
        let Some(item) = maps.items.get(&key).cloned() else { return Ok(false) };
        if before.as_ref().is_some_and(|before| !before.yields_to(tombstone)) {
            return Ok(false);
        }
        let leaves = if before.is_some() { Vec::new() } else { with_site(&item) };
        maps.take_out(&item, &leaves, tombstone);
        Ok(true)
    }

    fn restore(&self, code: &InfoCode, tombstone: &Tombstone, why: &str, now: Timestamp) -> Result<bool> {
        Ok(self.maps().restore(code, tombstone, why, now))
    }

    fn reroute(&self, code: &InfoCode, decided: &Move, now: Timestamp) -> Result<bool> {
        Ok(self.maps().reroute(code, decided, now))
    }

    fn items_between(&self, category: CategoryId, from: Timestamp, to: Timestamp) -> Result<Vec<Item>> {
        let maps = self.maps();
        let within = maps.of(category).filter(|(at, ..)| (from..to).contains(at));
        Ok(within.filter_map(|(_, code, ..)| maps.items.get(code).cloned()).collect())
    }

    fn bookmark(&self, name: &str) -> Result<Option<u64>> {
        Ok(self.maps().bookmarks.get(&bookmark_key(name)).copied())
    }

    fn set_bookmark(&self, name: &str, generation: u64) -> Result<()> {
        self.maps().bookmarks.insert(bookmark_key(name), generation);
        Ok(())
    }

    fn tally(&self, counts: &BTreeMap<String, u64>) -> Result<()> {
        let mut maps = self.maps();
        for (name, more) in counts {
            *maps.tallies.entry(name.clone()).or_default() += more;
        }
        Ok(())
    }

    fn tallies(&self) -> Result<BTreeMap<String, u64>> {
        Ok(self.maps().tallies.clone())
    }

    fn tombstone(&self, code: &InfoCode) -> Result<Option<Tombstone>> {
        Ok(self.maps().tombs.get(&code.key()).cloned())
    }

    fn sweep(&self, category: CategoryId, keep: Retention, limit: usize, now: Timestamp) -> Result<usize> {
        Ok(self.maps().sweep(category, keep, limit, now))
    }

    fn sync(&self) -> Result<()> {
        Ok(())
    }

    fn ensure_category(&self, name: &str, slug: Option<&Slug>, now: Timestamp) -> Result<Category> {
        let mut maps = self.maps();
        if let Some(known) = slug.and_then(|slug| maps.named(slug.as_str())) {
            let is_merged = maps.categories.values().any(|c| c.id != known.id && Some(&c.slug) == slug);
            if name.is_empty() || known.name == name || is_merged {
                return Ok(known);
            }
            maps.renames += 1;
            name.clone_into(&mut maps.categories.entry(known.id).or_insert(known.clone()).name);
            maps.touch(known.id, now);
            maps.names.insert((b'n', name.to_owned()), known.id);
            maps.touch(CategoryId::SITE, now);
            return Ok(maps.categories[&known.id].clone());
        }
        if let Some(known) = maps.named(name).filter(|_| !name.is_empty()) {
            if let Some(slug) = slug {
                maps.names.entry((b's', slug.as_str().to_owned())).or_insert(known.id);
            }
            return Ok(known);
        }
        let mut slug = slug.cloned().unwrap_or_else(|| Slug::from_name(name));
        while maps.named(slug.as_str()).is_some() {
            slug = slug.distinct(&format!("{name}{slug}"));
        }
        let name = if name.is_empty() { slug.as_str() } else { name }.to_owned();
        let id = CategoryId(u32::try_from(maps.categories.len()).unwrap_or(u32::MAX));
        for key in [(b's', slug.as_str().to_owned()), (b'n', name.clone())] {
            maps.names.insert(key, id);
        }
        let category = Category { id, slug, name, generation: 0, changed_at: now, newest: None, arrivals: 0 };
        maps.categories.insert(id, category);
        maps.touch(id, now);
        maps.touch(CategoryId::SITE, now);
        Ok(maps.categories[&id].clone())
    }

    fn find_category(&self, slug_or_name: &str) -> Result<Option<Category>> {
        Ok(self.maps().named(slug_or_name))
    }

    fn rename_category(&self, id: CategoryId, name: &str, slug: &Slug, now: Timestamp) -> Result<Category> {
        let mut maps = self.maps();
        maps.renames += 1;
        for key in [(b's', slug.as_str().to_owned()), (b'n', name.to_owned())] {
            maps.names.insert(key, id);
        }
        let Some(category) = maps.categories.get_mut(&id) else {
            return Err(StoreError::Damaged { what: "category" });
        };
        name.clone_into(&mut category.name);
        category.slug = slug.clone();
        maps.touch(id, now);
        maps.touch(CategoryId::SITE, now);
        Ok(maps.categories[&id].clone())
    }

    fn merge_category(&self, from: CategoryId, into: CategoryId, now: Timestamp) -> Result<()> {
        let mut maps = self.maps();
        maps.names.values_mut().filter(|id| **id == from).for_each(|id| *id = into);
        maps.renames += 1;
        maps.touch(into, now);
        maps.touch(CategoryId::SITE, now);
        Ok(())
    }

    fn alias_category(&self, id: CategoryId, old_slug: &str) -> Result<()> {
        self.maps().names.entry((b's', old_slug.to_owned())).or_insert(id);
        Ok(())
    }

    fn slugs(&self) -> Result<Vec<(String, CategoryId)>> {
        let maps = self.maps();
        let slugs = maps.names.iter().filter(|((kind, _), _)| *kind == b's');
        Ok(slugs.map(|((_, slug), id)| (slug.clone(), *id)).collect())
    }

    fn category(&self, id: CategoryId) -> Result<Option<Category>> {
        Ok(self.maps().categories.get(&id).cloned())
    }

    fn categories(&self) -> Result<Vec<Category>> {
        let maps = self.maps();
        let mut all: Vec<Category> = maps.categories.values().cloned().collect();
        all.retain(|category| category.id != CategoryId::SITE && !maps.merged(category));
        all.sort_by(|a, b| a.slug.cmp(&b.slug));
        Ok(all)
    }

    fn changed_since(&self, generation: u64) -> Result<Vec<Category>> {
        let maps = self.maps();
        let mut all: Vec<Category> = maps.categories.values().cloned().collect();
        all.retain(|category| category.generation > generation && !maps.merged(category));
        all.sort_by_key(|category| category.generation);
        Ok(all)
    }

    fn items_in(&self, category: CategoryId, window: Window) -> Result<Vec<Item>> {
        let maps = self.maps();
        let mut items: Vec<Item> = Vec::new();
        let newest = maps.of(category).next_back().map_or(Timestamp::EPOCH, |(at, ..)| at);
        for (at, code, shown, _) in maps.of(category).rev() {
            let enough = items.len() >= window.items && newest.since(at) > window.age;
            if items.len() >= window.most || enough {
                break;
            }
            if window.archived || shown {
                items.extend(maps.items.get(code).cloned());
            }
        }
        Ok(items)
    }

    fn arrivals(&self, category: CategoryId, from: u32, to: u32) -> Result<Vec<Item>> {
        let maps = self.maps();
        if from > to {
            return Ok(Vec::new());
        }
        let came = maps.slots.range((category, from)..=(category, to)).filter_map(|(_, slot)| match slot {
            Slot::Arrived(key) | Slot::Archived(key) => maps.items.get(key).cloned(),
            _ => None,
        });
        Ok(came.collect())
    }

    fn open_page(&self, category: CategoryId) -> Result<LogPage<Item>> {
        let maps = self.maps();
        let sealed = maps.categories.get(&category).map_or(0, Category::sealed);
        Ok(maps.page(category, sealed + 1, |key| maps.items.get(key).cloned()))
    }

    fn sealed_page(&self, category: CategoryId, number: u32) -> Result<LogPage<Article>> {
        let maps = self.maps();
        let sealed = maps.seals.get(&(category, number)).map_or(u64::MAX, |(sealed, _)| *sealed);
        Ok(maps.page(category, number, |key| maps.version_at(key, sealed)))
    }

    fn resealed_since(&self, category: CategoryId, generation: u64) -> Result<BTreeSet<u32>> {
        let maps = self.maps();
        let own = maps.seals.range((category, 0)..=(category, u32::MAX));
        Ok(own.filter(|(_, (_, changed))| *changed > generation).map(|((_, page), _)| *page).collect())
    }

    fn versions(&self, code: &InfoCode) -> Result<Vec<Article>> {
        let maps = self.maps();
        let own = maps.versions.range((code.key(), 0)..=(code.key(), u64::MAX));
        Ok(own.map(|(_, article)| article.clone()).collect())
    }

    fn arrival_of(&self, category: CategoryId, item: &Item) -> Result<Option<u32>> {
        let at = (category, item.published, item.code.key());
        Ok(self.maps().entries.get(&at).map(|(_, first, _)| *first))
    }

    fn touched_since(&self, generation: u64, limit: usize) -> Result<Vec<Item>> {
        let mut all: Vec<Item> = self.maps().items.values().cloned().collect();
        all.retain(|item| item.touched > generation);
        all.sort_by_key(|item| (item.touched, item.code.key()));
        if let Some(last) = limit.checked_sub(1).and_then(|last| all.get(last)).map(|item| item.touched) {
            all.retain(|item| item.touched <= last);
        }
        Ok(all)
    }

    fn neighbours(&self, category: CategoryId, item: &Item) -> Result<(Option<Item>, Option<Item>)> {
        let maps = self.maps();
        let here = (item.published, &item.code.key());
        let load = |found: Option<(Timestamp, &Code, bool, u32)>| {
            found.and_then(|(_, code, ..)| maps.items.get(code).cloned())
        };
        let older = load(maps.of(category).rev().find(|(at, code, ..)| (*at, *code) < here));
        Ok((older, load(maps.of(category).find(|(at, code, ..)| (*at, *code) > here))))
    }

    fn find(&self, text: &str, limit: usize) -> Result<Vec<Item>> {
        let wanted = text.to_lowercase();
        let maps = self.maps();
        let items = maps.of(CategoryId::SITE).rev().filter_map(|(_, code, ..)| maps.items.get(code));
        let found = items.filter(|item| {
            item.title.to_lowercase().contains(&wanted) || item.code.code().to_lowercase().contains(&wanted)
        });
        Ok(found.take(limit).cloned().collect())
    }

    fn at_path(&self, path: &str) -> Result<Option<AtPath>> {
        Ok(self.maps().paths.get(path).cloned())
    }

    fn redirects(&self, after: &str, limit: usize) -> Result<Vec<(String, String)>> {
        let maps = self.maps();
        let later = maps.paths.iter().filter(|(path, _)| path.as_str() > after);
        let moved = later.filter_map(|(path, stands)| match stands {
            AtPath::Redirect(target) => Some((path.clone(), target.clone())),
            AtPath::Article(_) => None,
        });
        Ok(moved.take(limit).collect())
    }

    fn mark_published(&self, generation: u64, now: Timestamp) -> Result<()> {
        let mut maps = self.maps();
        maps.published.entry(generation).or_insert(now);
        maps.published_up_to = generation;
        Ok(())
    }

    fn published_at(&self, generation: u64) -> Result<Option<Timestamp>> {
        Ok(self.maps().published.range(generation..).next().map(|(_, at)| *at))
    }

    fn published_generation(&self) -> Result<u64> {
        Ok(self.maps().published_up_to)
    }

    fn fix(&self, key: &'static str, value: &str, set: bool) -> Result<()> {
        let mut maps = self.maps();
        match maps.fixed.get(key) {
            None if set => {
                maps.fixed.insert(key.to_owned(), value.to_owned());
                Ok(())
            }
            Some(stored) if stored != value => {
                Err(StoreError::Fixed { key, stored: stored.clone(), asked: value.to_owned() })
            }
            _ => Ok(()),
        }
    }

    fn identity(&self) -> Result<(u64, u64)> {
        // Two that live in one process have different addresses.
        Ok((std::ptr::from_ref(self) as u64, self.maps().renames))
    }

    fn generation(&self) -> Result<u64> {
        Ok(self.maps().generation)
    }
}
