//! A store that fails, to see what is left of the outputs then.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use feedmill::model::{
    Article, Body, Category, CategoryId, InfoCode, Item, Slug, SourceId, SourceState, Timestamp,
};
use feedmill::store::{
    Alias, AtPath, Basis, Change, Claim, Claimed, Event, LogPage, Move, PollResult, Result, Retention,
    Revision, Sighting, SourceRecord, Store, StoreError, Tombstone, Window,
};

/// Another store, whose reads of items and texts fail after the first few.
pub(crate) struct Broken<'a> {
    store: &'a dyn Store,
    left: AtomicUsize,
}

impl<'a> Broken<'a> {
    /// Fails after `reads` good reads.
    pub(crate) fn after(reads: usize, store: &'a dyn Store) -> Self {
        Self { store, left: AtomicUsize::new(reads) }
    }

    fn read(&self) -> Result<()> {
        let one_less = |left: usize| left.checked_sub(1);
        match self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less) {
            Ok(_) => Ok(()),
            Err(_) => Err(StoreError::Damaged { what: "sample" }),
        }
    }
}

impl Store for Broken<'_> {
    fn complete(&self, endings: &[PollResult]) -> Result<Vec<SourceId>> {
        self.store.complete(endings)
    }

    fn void_guids(&self, id: &SourceId, guids: &[[u8; 16]]) -> Result<Vec<bool>> {
        self.store.void_guids(id, guids)
    }

    fn register(&self, sources: &[SourceId], now: Timestamp) -> Result<()> {
        self.store.register(sources, now)
    }

    fn claim_due(&self, by: &str, now: Timestamp, limit: usize, lease: i64) -> Result<Vec<Claim>> {
        self.store.claim_due(by, now, limit, lease)
    }

    fn claim(&self, by: &str, ids: &[SourceId], now: Timestamp, lease: i64) -> Result<Vec<Claimed>> {
        self.store.claim(by, ids, now, lease)
    }

    fn renew(&self, id: &SourceId, epoch: u64, until: Timestamp) -> Result<bool> {
        self.store.renew(id, epoch, until)
    }

    fn release(&self, running: &[SourceId], now: Timestamp) -> Result<usize> {
        self.store.release(running, now)
    }

    fn slugs(&self) -> Result<Vec<(String, CategoryId)>> {
        self.read()?;
        self.store.slugs()
    }

    fn redirects(&self, after: &str, limit: usize) -> Result<Vec<(String, String)>> {
        self.read()?;
        self.store.redirects(after, limit)
    }

    fn next_due(&self) -> Result<Option<Timestamp>> {
        self.store.next_due()
    }

    fn due_from(&self, time: Timestamp) -> Result<Vec<SourceId>> {
        self.store.due_from(time)
    }

    fn source(&self, id: &SourceId) -> Result<SourceState> {
        self.store.source(id)
    }

    fn sources(&self) -> Result<Vec<SourceRecord>> {
        self.store.sources()
    }

    fn sightings(&self, id: &SourceId, codes: &[InfoCode]) -> Result<Vec<Option<Sighting>>> {
        self.store.sightings(id, codes)
    }

    fn aliased(&self, id: &SourceId, alias: Alias) -> Result<Option<InfoCode>> {
        self.store.aliased(id, alias)
    }

    fn item(&self, code: &InfoCode) -> Result<Option<Item>> {
        self.read()?;
        self.store.item(code)
    }

    fn body(&self, code: &InfoCode) -> Result<Body> {
        self.read()?;
        self.store.body(code)
    }

    fn revisions(&self, code: &InfoCode) -> Result<Vec<Revision>> {
        self.store.revisions(code)
    }

    fn listings(&self, code: &InfoCode) -> Result<Vec<(SourceId, Sighting)>> {
        self.store.listings(code)
    }

    fn basis(&self, code: &InfoCode) -> Result<Basis> {
        self.store.basis(code)
    }

    fn commit(&self, changes: Vec<Change>, now: Timestamp) -> Result<Vec<InfoCode>> {
        self.store.commit(changes, now)
    }

    fn sync(&self) -> Result<()> {
        self.store.sync()
    }

    fn ensure_category(&self, name: &str, slug: Option<&Slug>, now: Timestamp) -> Result<Category> {
        self.store.ensure_category(name, slug, now)
    }

    fn find_category(&self, slug_or_name: &str) -> Result<Option<Category>> {
        self.store.find_category(slug_or_name)
    }

    fn rename_category(&self, id: CategoryId, name: &str, slug: &Slug, now: Timestamp) -> Result<Category> {
        self.store.rename_category(id, name, slug, now)
    }
    fn merge_category(&self, from: CategoryId, into: CategoryId, now: Timestamp) -> Result<()> {
        self.store.merge_category(from, into, now)
    }
    fn alias_category(&self, id: CategoryId, old_slug: &str) -> Result<()> {
        self.store.alias_category(id, old_slug)
    }

    fn category(&self, id: CategoryId) -> Result<Option<Category>> {
        self.store.category(id)
    }

    fn categories(&self) -> Result<Vec<Category>> {
        self.store.categories()
    }

    fn changed_since(&self, generation: u64) -> Result<Vec<Category>> {
        self.store.changed_since(generation)
    }

    fn items_in(&self, category: CategoryId, window: Window) -> Result<Vec<Item>> {
        self.read()?;
        self.store.items_in(category, window)
    }

    fn arrivals(&self, category: CategoryId, from: u32, to: u32) -> Result<Vec<Item>> {
        self.read()?;
        self.store.arrivals(category, from, to)
    }

    fn open_page(&self, category: CategoryId) -> Result<LogPage<Item>> {
        self.read()?;
        self.store.open_page(category)
    }

    fn sealed_page(&self, category: CategoryId, number: u32) -> Result<LogPage<Article>> {
        self.read()?;
        self.store.sealed_page(category, number)
    }

    fn resealed_since(&self, category: CategoryId, generation: u64) -> Result<BTreeSet<u32>> {
        self.store.resealed_since(category, generation)
    }

    fn versions(&self, code: &InfoCode) -> Result<Vec<Article>> {
        self.read()?;
        self.store.versions(code)
    }

    fn arrival_of(&self, category: CategoryId, item: &Item) -> Result<Option<u32>> {
        self.store.arrival_of(category, item)
    }

    fn touched_since(&self, generation: u64, limit: usize) -> Result<Vec<Item>> {
        self.store.touched_since(generation, limit)
    }

    fn neighbours(&self, category: CategoryId, item: &Item) -> Result<(Option<Item>, Option<Item>)> {
        self.store.neighbours(category, item)
    }

    fn find(&self, text: &str, limit: usize) -> Result<Vec<Item>> {
        self.store.find(text, limit)
    }

    fn at_path(&self, path: &str) -> Result<Option<AtPath>> {
        self.store.at_path(path)
    }

    fn history(&self, code: &InfoCode) -> Result<Vec<Event>> {
        self.store.history(code)
    }

    fn withdraw(&self, code: &InfoCode, tombstone: &Tombstone) -> Result<bool> {
        self.store.withdraw(code, tombstone)
    }

    fn restore(&self, code: &InfoCode, tombstone: &Tombstone, why: &str, now: Timestamp) -> Result<bool> {
        self.store.restore(code, tombstone, why, now)
    }

    fn reroute(&self, code: &InfoCode, decided: &Move, now: Timestamp) -> Result<bool> {
        self.store.reroute(code, decided, now)
    }

    fn items_between(&self, category: CategoryId, from: Timestamp, to: Timestamp) -> Result<Vec<Item>> {
        self.read()?;
        self.store.items_between(category, from, to)
    }

    fn bookmark(&self, name: &str) -> Result<Option<u64>> {
        self.store.bookmark(name)
    }

    fn set_bookmark(&self, name: &str, generation: u64) -> Result<()> {
        self.store.set_bookmark(name, generation)
    }

    fn tally(&self, counts: &BTreeMap<String, u64>) -> Result<()> {
        self.store.tally(counts)
    }

    fn tallies(&self) -> Result<BTreeMap<String, u64>> {
        self.store.tallies()
    }

    fn tombstone(&self, code: &InfoCode) -> Result<Option<Tombstone>> {
        self.store.tombstone(code)
    }

    fn sweep(&self, category: CategoryId, keep: Retention, limit: usize, now: Timestamp) -> Result<usize> {
        self.store.sweep(category, keep, limit, now)
    }

    fn published_at(&self, generation: u64) -> Result<Option<Timestamp>> {
        self.store.published_at(generation)
    }

    fn mark_published(&self, generation: u64, now: Timestamp) -> Result<()> {
        self.store.mark_published(generation, now)
    }

    fn published_generation(&self) -> Result<u64> {
        self.store.published_generation()
    }

    fn fix(&self, key: &'static str, value: &str, set: bool) -> Result<()> {
        self.store.fix(key, value, set)
    }

    fn identity(&self) -> Result<(u64, u64)> {
        self.store.identity()
    }
    fn generation(&self) -> Result<u64> {
        self.store.generation()
    }
}
