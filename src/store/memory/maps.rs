//! The maps, and changes that touch several of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::text::clip_bytes;
use crate::model::{Article, Body, Category, CategoryId, InfoCode, Item, SourceId, SourceState, Timestamp};
use crate::store::claims;
use crate::store::{
    Alias, AtPath, Basis, Change, Event, EventKind, Gone, LogPage, MAX_EVENTS, Past, Placement, RecordKind,
    Revision, Sighting, Slot, SourceRecord, Tombstone, WithdrawnBy,
};

/// The bytes of an [`InfoCode`], which order items with equal times.
pub(super) type Code = Vec<u8>;

#[derive(Debug, Default)]
pub(super) struct Maps {
    /// Sources in the order in which they were first seen.
    pub(super) numbers: Vec<SourceId>,
    pub(super) states: BTreeMap<SourceId, SourceState>,
    pub(super) void: BTreeSet<(SourceId, [u8; 16])>,
    pub(super) seen: BTreeMap<(Code, usize), Sighting>,
    pub(super) aliases: BTreeMap<(SourceId, u8, [u8; 16]), InfoCode>,
    pub(super) items: BTreeMap<Code, Item>,
    pub(super) bodies: BTreeMap<Code, Body>,
    pub(super) revisions: BTreeMap<(Code, u32), Revision>,
    pub(super) history: BTreeMap<Code, Vec<Event>>,
    pub(super) tombs: BTreeMap<Code, Tombstone>,
    pub(super) categories: BTreeMap<CategoryId, Category>,
    /// `n` name or `s` slug → the category that it resolves to.
    pub(super) names: BTreeMap<(u8, String), CategoryId>,
    /// (category, time, code) → whether it is shown, its first arrival number, and its last.
    pub(super) entries: BTreeMap<(CategoryId, Timestamp, Code), (bool, u32, u32)>,
    /// The log of each category.
    pub(super) slots: BTreeMap<(CategoryId, u32), Slot<Code>>,
    /// (category, hundred) → the generations under which it was sealed, and last changed.
    pub(super) seals: BTreeMap<(CategoryId, u32), (u64, u64)>,
    /// Forms that items had, by the generation under which they began.
    pub(super) versions: BTreeMap<(Code, u64), Article>,
    pub(super) paths: BTreeMap<String, AtPath>,
    pub(super) fixed: BTreeMap<String, String>,
    pub(super) published: BTreeMap<u64, Timestamp>,
    pub(super) published_up_to: u64,
    pub(super) records: BTreeMap<(RecordKind, Vec<u8>), Vec<u8>>,
    pub(super) tallies: BTreeMap<String, u64>,
    pub(super) generation: u64,
    /// The generation of the item changed last.
    pub(super) noted: u64,
    pub(super) renames: u64,
    pub(super) clock: Timestamp,
}

pub(super) fn kind((kind, hash): Alias) -> (u8, [u8; 16]) {
    (kind as u8, hash)
}

impl Maps {
    pub(super) fn number(&mut self, id: &SourceId) -> usize {
        self.numbers.iter().position(|known| known == id).unwrap_or_else(|| {
            self.numbers.push(id.clone());
            self.numbers.len() - 1
        })
    }

    /// Returns all sources with their states, by id.
    pub(super) fn sources(&self) -> Vec<SourceRecord> {
        let record = |id: &SourceId| SourceRecord { id: id.clone(), state: self.state(id) };
        let mut all: Vec<SourceRecord> = self.numbers.iter().map(record).collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all
    }

    pub(super) fn state(&self, id: &SourceId) -> SourceState {
        self.states.get(id).cloned().unwrap_or_default()
    }

    pub(super) fn put_state(&mut self, id: &SourceId, state: SourceState) {
        self.number(id);
        self.states.insert(id.clone(), state);
    }

    /// Gives a category the next generation; its `changed_at` never goes back.
    pub(super) fn touch(&mut self, id: CategoryId, now: Timestamp) {
        let Some(category) = self.categories.get_mut(&id) else { return };
        self.generation += 1;
        category.generation = self.generation;
        category.changed_at = category.changed_at.max(now);
    }

    pub(super) fn put_item(&mut self, mut item: Item) {
        let key = item.code.key();
        item.touched = self.generation + 1;
        self.noted = item.touched;
        if !self.items.contains_key(&key) {
            item.generation = item.touched;
        }
        self.items.insert(key, item);
    }

    pub(super) fn is_sealed(&self, id: CategoryId, number: u32) -> bool {
        let sealed = self.categories.get(&id).map_or(0, Category::sealed);
        number.div_ceil(Category::HUNDRED) <= sealed
    }

    /// Appends an entry to a category's log, and returns its arrival number.
    pub(super) fn append(&mut self, id: CategoryId, slot: Slot<Code>) -> u32 {
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

    /// Seals the last hundred if its last entry went straight to the archive. Returns `true` if it was closed.
    pub(super) fn close_archived(&mut self, id: CategoryId) -> bool {
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

    /// Returns the first unused number of the last hundred, if it was closed before it was full.
    fn room_in_closed(&self, id: CategoryId) -> Option<u32> {
        let end = self.categories.get(&id)?.arrivals;
        if end == 0 || !end.is_multiple_of(Category::HUNDRED) {
            return None;
        }
        let own = (id, end + 1 - Category::HUNDRED)..=(id, end);
        let ((_, number), slot) = self.slots.range(own).next_back()?;
        (*number < end && matches!(slot, Slot::Archived(_))).then_some(number + 1)
    }

    pub(super) fn enter(&mut self, item: &Item, id: CategoryId, shown: bool) {
        let key = item.code.key();
        let at = (id, item.published, key.clone());
        if self.entries.contains_key(&at) || !self.categories.contains_key(&id) {
            return;
        }
        let plain = shown || id == CategoryId::SITE;
        if plain {
            self.close_archived(id);
        }
        let room = if plain { None } else { self.room_in_closed(id) };
        let slot = if plain { Slot::Arrived(key) } else { Slot::Archived(key) };
        let first = match room {
            Some(number) => {
                self.slots.insert((id, number), slot);
                self.mark_changed(id, number);
                number
            }
            None => self.append(id, slot),
        };
        self.entries.insert(at, (shown, first, first));
        if let Some(category) = self.categories.get_mut(&id) {
            category.newest = category.newest.max(Some(item.published));
        }
    }

    /// Gives a changed item whose last number is in a sealed hundred a new one.
    pub(super) fn again(&mut self, item: &Item, id: CategoryId) {
        let key = item.code.key();
        let at = (id, item.published, key.clone());
        let Some((shown, first, latest)) = self.entries.get(&at).copied() else { return };
        if self.is_sealed(id, latest) {
            self.close_archived(id);
            let number = self.append(id, Slot::Again { before: latest, code: key });
            self.entries.insert(at, (shown, first, number));
        }
    }

    pub(super) fn mark_changed(&mut self, id: CategoryId, number: u32) {
        if id != CategoryId::SITE && self.is_sealed(id, number) {
            let now = self.generation + 1;
            let seal = self.seals.entry((id, number.div_ceil(Category::HUNDRED))).or_insert((u64::MAX, now));
            seal.1 = now;
        }
    }

    /// Removes an item from a category; returns `false` if it was not in it.
    pub(super) fn go(&mut self, item: &Item, id: CategoryId, told: Option<Timestamp>) -> bool {
        let key = item.code.key();
        let Some((_, _, latest)) = self.entries.remove(&(id, item.published, key.clone())) else {
            return false;
        };
        if id == CategoryId::SITE {
            return true;
        }
        let told = told.map(|at| Slot::Gone { at, code: key });
        let mut number = Some(latest);
        while let Some(here) = number {
            let slot = match &told {
                Some(gone) => self.slots.insert((id, here), gone.clone()),
                None => self.slots.remove(&(id, here)),
            };
            self.mark_changed(id, here);
            number = match slot {
                Some(Slot::Again { before, .. }) => Some(before),
                _ => None,
            };
        }
        if let Some(gone) = told.filter(|_| self.is_sealed(id, latest)) {
            self.close_archived(id);
            self.append(id, gone);
        }
        true
    }

    /// Removes the log entries that report an item as gone.
    pub(super) fn unsay(&mut self, id: CategoryId, key: &Code) {
        let own = self.slots.range((id, 0)..=(id, u32::MAX));
        let said: Vec<u32> = own
            .filter(|(_, slot)| matches!(slot, Slot::Gone { code, .. } if code == key))
            .map(|((_, number), _)| *number)
            .collect();
        for number in said {
            self.slots.remove(&(id, number));
            self.mark_changed(id, number);
        }
    }

    pub(super) fn page<R>(
        &self,
        id: CategoryId,
        number: u32,
        load: impl Fn(&Code) -> Option<R>,
    ) -> LogPage<R> {
        let last = number.saturating_mul(Category::HUNDRED);
        let own = self.slots.range((id, last.saturating_sub(Category::HUNDRED - 1))..=(id, last));
        let mut seen = BTreeSet::new();
        let mut found = LogPage { entries: Vec::new(), gone: Vec::new() };
        for (_, slot) in own.rev() {
            if !seen.insert(slot.code().clone()) {
                continue;
            }
            match slot {
                Slot::Gone { at, code } => {
                    found.gone.extend(InfoCode::from_key(code).map(|(code, _)| Gone { code, at: *at }));
                }
                other => found.entries.extend(load(other.code())),
            }
        }
        found
    }

    /// Returns the form that an item had under a generation.
    pub(super) fn version_at(&self, key: &Code, generation: u64) -> Option<Article> {
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

    /// Returns the entries of a category, oldest first.
    pub(super) fn of(
        &self,
        id: CategoryId,
    ) -> impl DoubleEndedIterator<Item = (Timestamp, &Code, bool, u32)> {
        let first = (id, Timestamp::FIRST_STATED, Vec::new());
        let last = (CategoryId(id.0.saturating_add(1)), Timestamp::FIRST_STATED, Vec::new());
        let range = self.entries.range(first..last);
        range.map(|((_, at, code), (shown, first, _))| (*at, code, *shown, *first))
    }

    pub(super) fn tell(&mut self, key: &Code, event: Event) {
        let story = self.history.entry(key.clone()).or_default();
        story.push(event);
        let surplus = story.len().saturating_sub(MAX_EVENTS);
        story.drain(..surplus);
    }

    pub(super) fn basis(&self, code: &InfoCode) -> Basis {
        let key = code.key();
        let item = self.items.get(&key).cloned();
        let placed = item.is_some() && self.records.contains_key(&(RecordKind::Placement, key.clone()));
        Basis { item, tombstone: self.tombs.get(&key).cloned(), placed }
    }

    /// Returns whether everything that a change was decided on is unchanged.
    pub(super) fn stands(&self, change: &Change) -> bool {
        let late = |(source, epoch): &(SourceId, u64)| !claims::is_last(&self.state(source), *epoch);
        if change.claim.as_ref().is_some_and(late) {
            return false;
        }
        let mut now = self.basis(&change.code);
        if change.enters.is_empty() {
            now.placed = change.basis.placed;
        }
        let stays = |placement: &Placement| {
            self.categories.get(&placement.category).is_some_and(|category| {
                category.id == CategoryId::SITE
                    || self.names.get(&(b's', category.slug.to_string())) == Some(&category.id)
            })
        };
        now == change.basis && change.enters.iter().all(stays)
    }

    pub(super) fn apply(&mut self, change: Change, touched: &mut BTreeSet<CategoryId>) {
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
                    self.unsay(placement.category, &key);
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

    pub(super) fn leave(
        &mut self,
        item: &Item,
        leaves: &[CategoryId],
        now: Timestamp,
        told: Option<Timestamp>,
    ) {
        let left = self.go_all(item, leaves, told);
        self.were_left(left, now);
    }

    /// Removes an item from categories, and returns those that it was in.
    pub(super) fn go_all(
        &mut self,
        item: &Item,
        leaves: &[CategoryId],
        told: Option<Timestamp>,
    ) -> BTreeSet<CategoryId> {
        leaves.iter().copied().filter(|id| self.go(item, *id, told)).collect()
    }

    /// Gives each category one generation, however many items left it at once.
    pub(super) fn were_left(&mut self, left: BTreeSet<CategoryId>, now: Timestamp) {
        for id in left {
            let newest = self.of(id).next_back().map(|(at, ..)| at);
            if let Some(category) = self.categories.get_mut(&id) {
                category.newest = newest;
            }
            self.touch(id, now);
        }
    }

    pub(super) fn take_out(&mut self, item: &Item, leaves: &[CategoryId], tombstone: &Tombstone) {
        if !tombstone.erased {
            self.put_item(item.clone());
        }
        let said = (tombstone.by != WithdrawnBy::Retention).then_some(tombstone.at);
        self.leave(item, leaves, tombstone.at, said);
        self.stay_out(item, tombstone);
    }

    pub(super) fn stay_out(&mut self, item: &Item, tombstone: &Tombstone) {
        let key = item.code.key();
        self.tombs.insert(key.clone(), tombstone.of(item));
        self.tell(&key, told(tombstone.at, EventKind::Withdrawn, &tombstone.why));
        if tombstone.erased {
            self.items.remove(&key);
            self.bodies.remove(&key);
            self.revisions.retain(|(code, _), _| *code != key);
            self.versions.retain(|(code, _), _| *code != key);
        }
    }

    pub(super) fn past(&self, key: &Code) -> Past {
        let revisions = self.revisions.range((key.clone(), 0)..=(key.clone(), u32::MAX));
        Past {
            history: self.history.get(key).cloned().unwrap_or_default(),
            revisions: revisions.map(|(_, revision)| revision.clone()).collect(),
        }
    }

    pub(super) fn category_of(&self, kind: u8, name: &str) -> Option<Category> {
        self.names.get(&(kind, name.to_owned())).and_then(|id| self.categories.get(id)).cloned()
    }

    pub(super) fn merged(&self, category: &Category) -> bool {
        let leads = self.names.get(&(b's', category.slug.to_string()));
        category.newest.is_none()
            && category.id != CategoryId::SITE
            && leads.is_some_and(|id| *id != category.id)
    }

    pub(super) fn named(&self, slug_or_name: &str) -> Option<Category> {
        self.category_of(b's', slug_or_name).or_else(|| self.category_of(b'n', slug_or_name))
    }
}

pub(super) fn told(at: Timestamp, what: EventKind, why: &str) -> Event {
    Event { at, what, source: None, why: clip_bytes(why, 300), known_by: String::new(), answer: None }
}

pub(super) fn with_site(item: &Item) -> Vec<CategoryId> {
    item.categories.iter().copied().chain([CategoryId::SITE]).collect()
}
