//! The store in plain maps: nothing survives it. It says in the simplest way what each verb of
//! [`Store`] means, and the one on sled is tested against it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::clock;
use super::commit::{MAX_CHANGES, MAX_EVENTS};
use super::log::Slot;
use super::{
    Alias, AtPath, Change, Event, Gone, Happening, LogPage, Result, Retention, Revision, Sighting,
    SourceRecord, Store, StoreError, Tombstone, Window, Withdrawer, open::category_key,
};
use crate::model::text::clip_bytes;
use crate::model::{
    Article, Body, Category, CategoryId, InfoCode, Item, Slug, SourceId, SourceState, Timestamp,
};

/// The bytes of an [`InfoCode`], which are the order of items with equal times.
type Code = Vec<u8>;

/// A store that lives as long as its process.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Maps>);

#[derive(Debug, Default)]
struct Maps {
    /// Sources in the order in which they were first heard of.
    numbers: Vec<SourceId>,
    states: BTreeMap<SourceId, SourceState>,
    void: BTreeSet<(SourceId, [u8; 16])>,
    seen: BTreeMap<(Code, usize), Sighting>,
    aliases: BTreeMap<(SourceId, u8, [u8; 16]), InfoCode>,
    items: BTreeMap<Code, Item>,
    bodies: BTreeMap<Code, Body>,
    revisions: BTreeMap<(Code, u32), Revision>,
    history: BTreeMap<Code, Vec<Event>>,
    tombs: BTreeMap<Code, Tombstone>,
    categories: BTreeMap<CategoryId, Category>,
    names: BTreeMap<Vec<u8>, CategoryId>,
    /// (category, time, code) → whether it is shown, its first arrival number, and its last.
    entries: BTreeMap<(CategoryId, Timestamp, Code), (bool, u32, u32)>,
    /// The log of each category.
    slots: BTreeMap<(CategoryId, u32), Slot>,
    /// (category, hundred) → the generations under which it was sealed, and last changed.
    seals: BTreeMap<(CategoryId, u32), (u64, u64)>,
    /// Forms that items had, by the generation under which they began.
    versions: BTreeMap<(Code, u64), Article>,
    paths: BTreeMap<String, AtPath>,
    fixed: BTreeMap<&'static str, String>,
    published: BTreeMap<u64, Timestamp>,
    published_up_to: u64,
    bookmarks: BTreeMap<String, u64>,
    tallies: BTreeMap<String, u64>,
    generation: u64,
    renames: u64,
    clock: Timestamp,
}

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

    fn maps(&self) -> MutexGuard<'_, Maps> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn kind((kind, hash): Alias) -> (u8, [u8; 16]) {
    (kind as u8, hash)
}

impl Maps {
    fn number(&mut self, id: &SourceId) -> usize {
        self.numbers.iter().position(|known| known == id).unwrap_or_else(|| {
            self.numbers.push(id.clone());
            self.numbers.len() - 1
        })
    }

    fn state(&self, id: &SourceId) -> SourceState {
        self.states.get(id).cloned().unwrap_or_default()
    }

    fn put_state(&mut self, id: &SourceId, state: SourceState) {
        self.number(id);
        self.states.insert(id.clone(), state);
    }

    /// Gives a category the next generation, and a time that never goes back.
    fn touch(&mut self, id: CategoryId, now: Timestamp) {
        let Some(category) = self.categories.get_mut(&id) else { return };
        self.generation += 1;
        category.generation = self.generation;
        category.changed_at = category.changed_at.max(now);
    }

    fn put_item(&mut self, mut item: Item) {
        let key = item.code.key();
        item.touched = self.generation + 1;
        if !self.items.contains_key(&key) {
            item.generation = item.touched;
        }
        self.items.insert(key, item);
    }

    fn is_sealed(&self, id: CategoryId, number: u32) -> bool {
        let sealed = self.categories.get(&id).map_or(0, Category::sealed);
        number.div_ceil(Category::HUNDRED) <= sealed
    }

    /// The next arrival number, for this.
    fn append(&mut self, id: CategoryId, slot: Slot) -> u32 {
        let now = self.generation + 1;
        let Some(category) = self.categories.get_mut(&id) else { return 0 };
        category.arrivals += 1;
        if id == CategoryId::SITE {
            return category.arrivals;
        }
        self.slots.insert((id, category.arrivals), slot);
        if category.arrivals.is_multiple_of(Category::HUNDRED) {
            self.seals.insert((id, category.sealed()), (now, now));
        }
        category.arrivals
    }

    /// What went straight to the archive stands in a sealed hundred. `true` when one was closed.
    fn close_archived(&mut self, id: CategoryId) -> bool {
        let now = self.generation + 1;
        let Some(category) = self.categories.get_mut(&id).filter(|_| id != CategoryId::SITE) else {
            return false;
        };
        let last = self.slots.get(&(id, category.arrivals));
        let full = category.arrivals.is_multiple_of(Category::HUNDRED);
        if full || !matches!(last, Some(Slot::Archived(_))) {
            return false;
        }
        category.arrivals = category.arrivals.next_multiple_of(Category::HUNDRED);
        self.seals.insert((id, category.sealed()), (now, now));
        true
    }

    fn enter(&mut self, item: &Item, id: CategoryId, shown: bool) {
        let key = item.code.key();
        let at = (id, item.published, key.clone());
        if self.entries.contains_key(&at) || !self.categories.contains_key(&id) {
            return;
        }
        let plain = shown || id == CategoryId::SITE;
        if plain {
            self.close_archived(id);
        }
        let first = self.append(id, if plain { Slot::Arrived(key) } else { Slot::Archived(key) });
        self.entries.insert(at, (shown, first, first));
        if let Some(category) = self.categories.get_mut(&id) {
            category.newest = category.newest.max(Some(item.published));
        }
    }

    /// A changed item whose last number is in a sealed hundred gets a new one.
    fn again(&mut self, item: &Item, id: CategoryId) {
        let key = item.code.key();
        let at = (id, item.published, key.clone());
        let Some((shown, first, latest)) = self.entries.get(&at).copied() else { return };
        if self.is_sealed(id, latest) {
            self.close_archived(id);
            let number = self.append(id, Slot::Again(latest, key));
            self.entries.insert(at, (shown, first, number));
        }
    }

    fn mark_changed(&mut self, id: CategoryId, number: u32) {
        if id != CategoryId::SITE && self.is_sealed(id, number) {
            let now = self.generation + 1;
            let seal = self.seals.entry((id, number.div_ceil(Category::HUNDRED))).or_insert((u64::MAX, now));
            seal.1 = now;
        }
    }

    /// `false` when it was not in.
    fn go(&mut self, item: &Item, id: CategoryId, told: Option<Timestamp>) -> bool {
        let key = item.code.key();
        let Some((_, _, latest)) = self.entries.remove(&(id, item.published, key.clone())) else {
            return false;
        };
        if id == CategoryId::SITE {
            return true;
        }
        let told = told.map(|at| Slot::Gone(at, key));
        let mut number = Some(latest);
        while let Some(here) = number {
            let slot = match &told {
                Some(gone) => self.slots.insert((id, here), gone.clone()),
                None => self.slots.remove(&(id, here)),
            };
            self.mark_changed(id, here);
            number = match slot {
                Some(Slot::Again(before, _)) => Some(before),
                _ => None,
            };
        }
        if let Some(gone) = told.filter(|_| self.is_sealed(id, latest)) {
            self.close_archived(id);
            self.append(id, gone);
        }
        true
    }

    /// Takes back that an item went.
    fn unsay(&mut self, id: CategoryId, key: &Code) {
        let own = self.slots.range((id, 0)..=(id, u32::MAX));
        let said: Vec<u32> = own
            .filter(|(_, slot)| matches!(slot, Slot::Gone(_, gone) if gone == key))
            .map(|((_, number), _)| *number)
            .collect();
        for number in said {
            self.slots.remove(&(id, number));
            self.mark_changed(id, number);
        }
    }

    fn page<R>(&self, id: CategoryId, number: u32, load: impl Fn(&Code) -> Option<R>) -> LogPage<R> {
        let last = number.saturating_mul(Category::HUNDRED);
        let own = self.slots.range((id, last.saturating_sub(Category::HUNDRED - 1))..=(id, last));
        let mut seen = BTreeSet::new();
        let mut found = LogPage { entries: Vec::new(), gone: Vec::new() };
        for (_, slot) in own.rev() {
            if !seen.insert(slot.key().to_vec()) {
                continue;
            }
            match slot {
                Slot::Gone(at, key) => {
                    found.gone.extend(InfoCode::from_key(key).map(|(code, _)| Gone { code, at: *at }));
                }
                other => found.entries.extend(load(&other.key().to_vec())),
            }
        }
        found
    }

    /// The form that an item had under a generation.
    fn version_at(&self, key: &Code, generation: u64) -> Option<Article> {
        let item = self.items.get(key)?.clone();
        if item.touched > generation {
            let own = self.versions.range((key.clone(), 0)..=(key.clone(), u64::MAX));
            let best = own.reduce(|best, form| if form.0.1 <= generation { form } else { best });
            if let Some((_, article)) = best {
                return Some(article.clone());
            }
        }
        Some(Article { item, body: self.bodies.get(key).cloned().unwrap_or_default() })
    }

    /// The entries of a category, the oldest first.
    fn of(&self, id: CategoryId) -> impl DoubleEndedIterator<Item = (Timestamp, &Code, bool, u32)> {
        let first = (id, Timestamp::FIRST_STATED, Vec::new());
        let last = (CategoryId(id.0.saturating_add(1)), Timestamp::FIRST_STATED, Vec::new());
        let range = self.entries.range(first..last);
        range.map(|((_, at, code), (shown, first, _))| (*at, code, *shown, *first))
    }

    fn tell(&mut self, key: &Code, event: Event) {
        let story = self.history.entry(key.clone()).or_default();
        story.push(event);
        let surplus = story.len().saturating_sub(MAX_EVENTS);
        story.drain(..surplus);
    }

    fn apply(&mut self, change: Change, touched: &mut BTreeSet<CategoryId>) {
        let key = change.code.key();
        let shows = change.tombstone.is_none() && (change.body.is_some() || !change.enters.is_empty());
        let before = self.items.get(&key).cloned();
        if let Some(item) = before.as_ref().filter(|_| shows && change.item.is_some()) {
            let sealed = item.categories.iter().any(|id| {
                let entry = self.entries.get(&(*id, item.published, key.clone()));
                entry.is_some_and(|(_, first, _)| self.is_sealed(*id, *first))
            });
            if change.replaces.is_some() || sealed {
                let body = self.bodies.get(&key).cloned().unwrap_or_default();
                self.versions.insert((key.clone(), item.touched), Article { item: item.clone(), body });
            }
        }
        if let Some(body) = change.body {
            self.bodies.insert(key.clone(), body);
        }
        if let Some(item) = &change.item {
            if before.is_none() {
                self.paths.insert(item.permalink.clone(), AtPath::Article(item.code.clone()));
            }
            match &before {
                Some(before) if !shows => {
                    self.items.insert(key.clone(), Item { touched: before.touched, ..item.clone() });
                }
                _ => self.put_item(item.clone()),
            }
            if shows {
                touched.extend(item.categories.iter().chain(&[CategoryId::SITE]));
            }
            if change.replaces.is_some() {
                for id in item.categories.iter().filter(|id| touched.contains(id)) {
                    self.again(item, *id);
                }
            }
            for placement in &change.enters {
                if touched.contains(&placement.category) {
                    self.enter(item, placement.category, placement.shown);
                }
            }
            for path in change.paths.into_iter().filter(|path| path.len() <= 1_000) {
                let to = AtPath::Redirect(item.permalink.clone());
                self.paths.entry(path).or_insert(to);
            }
        }
        if let Some(tombstone) = change.tombstone {
            self.tombs.insert(key.clone(), tombstone);
        }
        if let Some(revision) = change.replaces {
            let number = change.item.as_ref().map_or(0, |item| item.revisions);
            self.revisions.insert((key.clone(), number), revision);
        }
        if let Some((source, sighting)) = change.sighting {
            let number = self.number(&source);
            self.seen.insert((key.clone(), number), sighting);
        }
        for (source, alias) in change.aliases {
            self.number(&source);
            let (kind, hash) = kind(alias);
            self.aliases.insert((source, kind, hash), change.code.clone());
        }
        if let Some(event) = change.event {
            self.tell(&key, event);
        }
    }

    fn leave(&mut self, item: &Item, leaves: &[CategoryId], now: Timestamp, told: Option<Timestamp>) {
        let left = self.go_all(item, leaves, told);
        self.were_left(left, now);
    }

    /// Those of the categories that it was in.
    fn go_all(
        &mut self,
        item: &Item,
        leaves: &[CategoryId],
        told: Option<Timestamp>,
    ) -> BTreeSet<CategoryId> {
        leaves.iter().copied().filter(|id| self.go(item, *id, told)).collect()
    }

    /// Each gets one generation, however many items left it at once.
    fn were_left(&mut self, left: BTreeSet<CategoryId>, now: Timestamp) {
        for id in left {
            let newest = self.of(id).next_back().map(|(at, ..)| at);
            if let Some(category) = self.categories.get_mut(&id) {
                category.newest = newest;
            }
            self.touch(id, now);
        }
    }

    fn take_out(&mut self, item: &Item, leaves: &[CategoryId], tombstone: &Tombstone) {
        if !tombstone.erased {
            self.put_item(item.clone());
        }
        let said = (tombstone.by != Withdrawer::Retention).then_some(tombstone.at);
        self.leave(item, leaves, tombstone.at, said);
        self.stay_out(item, tombstone);
    }

    fn stay_out(&mut self, item: &Item, tombstone: &Tombstone) {
        let key = item.code.key();
        self.tombs.insert(key.clone(), tombstone.clone());
        self.tell(&key, told(tombstone.at, Happening::Withdrawn, &tombstone.why));
        if tombstone.erased {
            self.items.remove(&key);
            self.bodies.remove(&key);
            self.revisions.retain(|(code, _), _| *code != key);
            self.versions.retain(|(code, _), _| *code != key);
        }
    }

    fn category_of(&self, kind: u8, name: &str) -> Option<Category> {
        self.names.get(&category_key(kind, name)).and_then(|id| self.categories.get(id)).cloned()
    }

    fn merged(&self, category: &Category) -> bool {
        let leads = self.names.get(&category_key(b's', category.slug.as_str()));
        category.newest.is_none()
            && category.id != CategoryId::SITE
            && leads.is_some_and(|id| *id != category.id)
    }

    fn named(&self, slug_or_name: &str) -> Option<Category> {
        self.category_of(b's', slug_or_name).or_else(|| self.category_of(b'n', slug_or_name))
    }
}

fn told(at: Timestamp, what: Happening, why: &str) -> Event {
    Event { at, what, source: None, why: clip_bytes(why, 300), known_by: String::new(), answer: None }
}

fn with_site(item: &Item) -> Vec<CategoryId> {
    item.categories.iter().copied().chain([CategoryId::SITE]).collect()
}

impl Store for MemoryStore {
    fn register(&self, sources: &[SourceId], now: Timestamp) -> Result<()> {
        let mut maps = self.maps();
        for id in sources {
            let mut state = maps.state(id);
            if !maps.numbers.contains(id) || state.next_poll == Timestamp::MAX {
                state.next_poll = now;
                "new source".clone_into(&mut state.why);
                maps.put_state(id, state);
            }
        }
        Ok(())
    }

    fn claim_due(&self, now: Timestamp, limit: usize, lease: i64) -> Result<Vec<SourceId>> {
        let mut maps = self.maps();
        let latest = maps.clock;
        let went_back = clock::went_back(latest, now);
        if went_back {
            for (number, record) in (0..).zip(self::sources(&maps)) {
                if let Some(state) = clock::planned_anew(number, &record.state, latest, now) {
                    maps.put_state(&record.id, state);
                }
            }
            if clock::far_back(latest, now) {
                let mut late: Vec<&Category> =
                    maps.categories.values().filter(|c| c.changed_at > now).collect();
                late.sort_by_key(|category| (category.id == CategoryId::SITE, &category.slug));
                for id in late.into_iter().map(|category| category.id).collect::<Vec<_>>() {
                    maps.touch(id, now);
                    maps.categories.entry(id).and_modify(|category| category.changed_at = now);
                }
            }
        }
        if went_back || clock::moved(latest, now) {
            maps.clock = now;
        }
        let mut due: Vec<(Timestamp, usize)> = Vec::new();
        for (number, id) in maps.numbers.iter().enumerate() {
            due.extend(
                maps.states.get(id).filter(|state| state.next_poll <= now).map(|s| (s.next_poll, number)),
            );
        }
        due.sort_unstable();
        due.truncate(limit);
        let claimed: Vec<SourceId> =
            due.into_iter().map(|(_, number)| maps.numbers[number].clone()).collect();
        for id in &claimed {
            let state = clock::claimed(maps.state(id), now, lease);
            maps.put_state(id, state);
        }
        Ok(claimed)
    }

    fn release(&self, running: &[SourceId], now: Timestamp) -> Result<usize> {
        let mut maps = self.maps();
        let mut released = 0;
        for record in self::sources(&maps).into_iter().filter(|record| !running.contains(&record.id)) {
            if let Some(state) = clock::given_back(&record.state, now) {
                maps.put_state(&record.id, state);
                released += 1;
            }
        }
        Ok(released)
    }

    fn next_due(&self) -> Result<Option<Timestamp>> {
        Ok(self.maps().states.values().map(|state| state.next_poll).min())
    }

    fn complete(&self, id: &SourceId, state: &SourceState, void: &[[u8; 16]]) -> Result<()> {
        let mut maps = self.maps();
        maps.put_state(id, clock::completed(state.clone()));
        maps.void.extend(void.iter().map(|guid| (id.clone(), *guid)));
        Ok(())
    }

    fn source(&self, id: &SourceId) -> Result<SourceState> {
        Ok(self.maps().state(id))
    }

    fn sources(&self) -> Result<Vec<SourceRecord>> {
        Ok(sources(&self.maps()))
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

    fn commit(&self, changes: Vec<Change>, now: Timestamp) -> Result<()> {
        let mut maps = self.maps();
        let mut touched = BTreeSet::new();
        let mut archived = BTreeSet::new();
        for change in changes {
            archived.extend(change.enters.iter().filter(|place| !place.shown).map(|place| place.category));
            maps.apply(change, &mut touched);
        }
        for id in touched {
            maps.touch(id, now);
        }
        for id in archived {
            if maps.close_archived(id) {
                maps.touch(id, Timestamp::EPOCH);
            }
        }
        Ok(())
    }

    fn withdraw(&self, code: &InfoCode, tombstone: &Tombstone) -> Result<bool> {
        let mut maps = self.maps();
        let key = code.key();
        let before = maps.tombs.get(&key).cloned();
        let Some(item) = maps.items.get(&key).cloned() else { return Ok(false) };
        if before.as_ref().is_some_and(|before| before.erased || !tombstone.erased) {
            return Ok(false);
        }
        let leaves = if before.is_some() { Vec::new() } else { with_site(&item) };
        maps.take_out(&item, &leaves, tombstone);
        Ok(true)
    }

    fn restore(&self, code: &InfoCode, why: &str, now: Timestamp) -> Result<bool> {
        let mut maps = self.maps();
        let key = code.key();
        let Some(item) = maps.items.get(&key).cloned().filter(|_| maps.tombs.contains_key(&key)) else {
            return Ok(false);
        };
        maps.tombs.remove(&key);
        maps.put_item(item.clone());
        let mut all = with_site(&item);
        all.sort_unstable();
        for id in &all {
            if *id != CategoryId::SITE {
                maps.unsay(*id, &key);
            }
            maps.enter(&item, *id, true);
        }
        for id in all {
            maps.touch(id, now);
        }
        maps.tell(&key, told(now, Happening::Restored, why));
        Ok(true)
    }

    fn reroute(&self, code: &InfoCode, to: &[CategoryId], why: &str, now: Timestamp) -> Result<bool> {
        let mut maps = self.maps();
        let key = code.key();
        let Some(item) = maps.items.get(&key).cloned() else { return Ok(false) };
        if to.is_empty() || item.categories == to {
            return Ok(false);
        }
        let body = maps.bodies.get(&key).cloned().unwrap_or_default();
        maps.versions.insert((key.clone(), item.touched), Article { item: item.clone(), body });
        let moved = Item { categories: to.to_vec(), ..item.clone() };
        maps.put_item(moved.clone());
        maps.tell(&key, told(now, Happening::Rerouted, why));
        if maps.tombs.contains_key(&key) {
            return Ok(true);
        }
        let leaves: Vec<CategoryId> = item.categories.iter().copied().filter(|id| !to.contains(id)).collect();
        maps.leave(&item, &leaves, now, Some(now));
        let mut all = with_site(&moved);
        all.sort_unstable();
        for id in all {
            maps.enter(&moved, id, true);
            maps.touch(id, now);
        }
        Ok(true)
    }

    fn items_between(&self, category: CategoryId, from: Timestamp, to: Timestamp) -> Result<Vec<Item>> {
        let maps = self.maps();
        let within = maps.of(category).filter(|(at, ..)| (from..to).contains(at));
        Ok(within.filter_map(|(_, code, ..)| maps.items.get(code).cloned()).collect())
    }

    fn bookmark(&self, name: &str) -> Result<Option<u64>> {
        Ok(self.maps().bookmarks.get(name).copied())
    }

    fn set_bookmark(&self, name: &str, generation: u64) -> Result<()> {
        self.maps().bookmarks.insert(name.to_owned(), generation);
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
        let mut maps = self.maps();
        let surplus = keep.items.map_or(0, |most| maps.of(category).count().saturating_sub(most));
        let old = |at: Timestamp| keep.age.is_some_and(|age| now.since(at) > age);
        let over: Vec<Code> = maps
            .of(category)
            .take(limit)
            .enumerate()
            .take_while(|(nth, (at, ..))| *nth < surplus || old(*at))
            .map(|(_, (_, code, ..))| code.clone())
            .collect();
        let why = "older than what its category keeps".to_owned();
        let tombstone = Tombstone { at: now, by: Withdrawer::Retention, why, erased: true };
        for at_once in over.chunks(MAX_CHANGES) {
            let mut left = BTreeSet::new();
            for key in at_once {
                let Some(mut item) = maps.items.get(key).cloned() else { continue };
                if item.categories.iter().all(|id| *id == category) {
                    left.extend(maps.go_all(&item, &with_site(&item), None));
                    maps.stay_out(&item, &tombstone);
                } else {
                    left.extend(maps.go_all(&item, &[category], None));
                    item.categories.retain(|id| *id != category);
                    maps.items.insert(key.clone(), item);
                }
            }
            maps.were_left(left, now);
        }
        Ok(over.len())
    }

    fn sync(&self) -> Result<()> {
        Ok(())
    }

    fn ensure_category(&self, name: &str, slug: Option<&Slug>, now: Timestamp) -> Result<Category> {
        let mut maps = self.maps();
        if let Some(known) = slug.and_then(|slug| maps.named(slug.as_str())) {
            if name.is_empty() || known.name == name {
                return Ok(known);
            }
            maps.renames += 1;
            name.clone_into(&mut maps.categories.entry(known.id).or_insert(known.clone()).name);
            maps.touch(known.id, now);
            maps.names.insert(category_key(b'n', name), known.id);
            maps.touch(CategoryId::SITE, now);
            return Ok(maps.categories[&known.id].clone());
        }
        if let Some(known) = maps.named(name).filter(|_| !name.is_empty()) {
            if let Some(slug) = slug {
                maps.names.entry(category_key(b's', slug.as_str())).or_insert(known.id);
            }
            return Ok(known);
        }
        let mut slug = slug.cloned().unwrap_or_else(|| Slug::from_name(name));
        while maps.named(slug.as_str()).is_some() {
            slug = slug.distinct(&format!("{name}{slug}"));
        }
        let name = if name.is_empty() { slug.as_str() } else { name }.to_owned();
        let id = CategoryId(u32::try_from(maps.categories.len()).unwrap_or(u32::MAX));
        for key in [category_key(b's', slug.as_str()), category_key(b'n', &name)] {
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
        for key in [category_key(b's', slug.as_str()), category_key(b'n', name)] {
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
        self.maps().names.entry(category_key(b's', old_slug)).or_insert(id);
        Ok(())
    }

    fn slugs(&self) -> Result<Vec<(String, CategoryId)>> {
        let maps = self.maps();
        let slugs = maps.names.iter().filter(|(key, _)| key.first() == Some(&b's'));
        Ok(slugs.map(|(key, id)| (String::from_utf8_lossy(&key[1..]).into_owned(), *id)).collect())
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
                maps.fixed.insert(key, value.to_owned());
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

fn sources(maps: &Maps) -> Vec<SourceRecord> {
    let mut all: Vec<SourceRecord> =
        maps.numbers.iter().map(|id| SourceRecord { id: id.clone(), state: maps.state(id) }).collect();
    all.sort_by(|a, b| a.id.cmp(&b.id));
    all
}
