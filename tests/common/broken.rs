//! A store that fails, to check what is left of the outputs.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};

use feedmill::model::{
    Article, Body, Category, CategoryId, Cursor, InfoCode, Item, Slug, SourceId, SourceState, Timestamp,
};
use feedmill::store::{
    Act, AtPath, Basis, Categories, Change, Changes, Claim, Claimed, Items, Known, LogPage, Name, Past,
    PollResult, RecordKind, Records, Result, Retention, Sighting, SourceRecord, Sources, Store, StoreError,
    Window,
};

/// Wraps a store; its reads of items and texts, or its writes, fail after a given number.
pub(crate) struct Broken<S> {
    store: S,
    reads: AtomicUsize,
    writes: AtomicUsize,
}

impl<S> Broken<S> {
    /// Creates a store whose reads fail after `reads` reads.
    pub(crate) fn after(reads: usize, store: S) -> Self {
        Self { store, reads: AtomicUsize::new(reads), writes: AtomicUsize::new(usize::MAX) }
    }

    /// Creates a store that accepts `writes` writes and then no more, as if the process had ended there.
    pub(crate) fn cut_after(writes: usize, store: S) -> Self {
        Self { store, reads: AtomicUsize::new(usize::MAX), writes: AtomicUsize::new(writes) }
    }

    /// Returns how many writes are left.
    pub(crate) fn writes_left(&self) -> usize {
        self.writes.load(Ordering::SeqCst)
    }

    fn read(&self) -> Result<()> {
        one_less(&self.reads)
    }

    fn write(&self) -> Result<()> {
        one_less(&self.writes)
    }
}

fn one_less(left: &AtomicUsize) -> Result<()> {
    match left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
        Ok(_) => Ok(()),
        Err(_) => Err(StoreError::Damaged { what: "sample" }),
    }
}

impl<S: Deref<Target: Store> + Send + Sync> Sources for Broken<S> {
    fn register(&self, sources: &[SourceId], now: Timestamp) -> Result<()> {
        self.write()?;
        self.store.register(sources, now)
    }
    fn claim_due(&self, by: &str, now: Timestamp, limit: usize, lease: i64) -> Result<Vec<Claim>> {
        self.write()?;
        self.store.claim_due(by, now, limit, lease)
    }
    fn claim(&self, by: &str, ids: &[SourceId], now: Timestamp, lease: i64) -> Result<Vec<Claimed>> {
        self.write()?;
        self.store.claim(by, ids, now, lease)
    }
    fn renew(&self, id: &SourceId, epoch: u64, until: Timestamp) -> Result<bool> {
        self.write()?;
        self.store.renew(id, epoch, until)
    }
    fn complete(&self, results: &[PollResult]) -> Result<Vec<SourceId>> {
        self.write()?;
        self.store.complete(results)
    }
    fn release(&self, worker: &str, running: &[SourceId], now: Timestamp) -> Result<usize> {
        self.write()?;
        self.store.release(worker, running, now)
    }
    fn due(&self, from: Timestamp, limit: usize) -> Result<Vec<(Timestamp, SourceId)>> {
        self.store.due(from, limit)
    }
    fn source(&self, id: &SourceId) -> Result<SourceState> {
        self.store.source(id)
    }
    fn sources(&self) -> Result<Vec<SourceRecord>> {
        self.store.sources()
    }
}

impl<S: Deref<Target: Store> + Send + Sync> Items for Broken<S> {
    fn known(&self, id: &SourceId, names: &[Name]) -> Result<Vec<Known>> {
        self.store.known(id, names)
    }
    fn bases(&self, codes: &[InfoCode]) -> Result<Vec<Basis>> {
        self.store.bases(codes)
    }
    fn body(&self, code: &InfoCode) -> Result<Body> {
        self.read()?;
        self.store.body(code)
    }
    fn listings(&self, code: &InfoCode) -> Result<Vec<(SourceId, Sighting)>> {
        self.store.listings(code)
    }
    fn past(&self, code: &InfoCode) -> Result<Past> {
        self.store.past(code)
    }
    fn versions(&self, code: &InfoCode) -> Result<Vec<Article>> {
        self.read()?;
        self.store.versions(code)
    }
    fn find(&self, text: &str, limit: usize) -> Result<Vec<Item>> {
        self.store.find(text, limit)
    }
    fn at_path(&self, path: &str) -> Result<Option<AtPath>> {
        self.store.at_path(path)
    }
    fn redirects(&self, after: &str, limit: usize) -> Result<Vec<(String, String)>> {
        self.read()?;
        self.store.redirects(after, limit)
    }
    fn commit(&self, changes: Vec<Change>, now: Timestamp) -> Result<Vec<InfoCode>> {
        self.write()?;
        self.store.commit(changes, now)
    }
    fn act(&self, code: &InfoCode, act: Act<'_>, now: Timestamp) -> Result<bool> {
        self.write()?;
        self.store.act(code, act, now)
    }
    fn sweep(&self, category: CategoryId, keep: Retention, limit: usize, now: Timestamp) -> Result<usize> {
        self.write()?;
        self.store.sweep(category, keep, limit, now)
    }
    fn item(&self, code: &InfoCode) -> Result<Option<Item>> {
        self.read()?;
        self.store.item(code)
    }
}

impl<S: Deref<Target: Store> + Send + Sync> Categories for Broken<S> {
    fn ensure_category(&self, name: &str, slug: Option<&Slug>, now: Timestamp) -> Result<Category> {
        self.write()?;
        self.store.ensure_category(name, slug, now)
    }
    fn rename_category(&self, id: CategoryId, name: &str, slug: &Slug, now: Timestamp) -> Result<Category> {
        self.write()?;
        self.store.rename_category(id, name, slug, now)
    }
    fn merge_category(&self, from: CategoryId, into: CategoryId, now: Timestamp) -> Result<()> {
        self.write()?;
        self.store.merge_category(from, into, now)
    }
    fn alias_category(&self, id: CategoryId, old_slug: &str) -> Result<()> {
        self.write()?;
        self.store.alias_category(id, old_slug)
    }
    fn find_category(&self, slug_or_name: &str) -> Result<Option<Category>> {
        self.store.find_category(slug_or_name)
    }
    fn category(&self, id: CategoryId) -> Result<Option<Category>> {
        self.store.category(id)
    }
    fn categories(&self) -> Result<Vec<Category>> {
        self.store.categories()
    }
    fn slugs(&self) -> Result<Vec<(String, CategoryId)>> {
        self.read()?;
        self.store.slugs()
    }
    fn items_in(&self, category: CategoryId, window: Window) -> Result<Vec<Item>> {
        self.read()?;
        self.store.items_in(category, window)
    }
    fn items_between(&self, category: CategoryId, from: Timestamp, to: Timestamp) -> Result<Vec<Item>> {
        self.read()?;
        self.store.items_between(category, from, to)
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
    fn arrival_of(&self, category: CategoryId, item: &Item) -> Result<Option<u32>> {
        self.store.arrival_of(category, item)
    }
    fn neighbours(
        &self,
        category: CategoryId,
        at: (Timestamp, &InfoCode),
    ) -> Result<(Option<Item>, Option<Item>)> {
        self.store.neighbours(category, at)
    }
}

impl<S: Deref<Target: Store> + Send + Sync> Changes for Broken<S> {
    fn cursor(&self) -> Result<Cursor> {
        self.store.cursor()
    }
    fn changed_since(&self, after: &Cursor) -> Result<Vec<Category>> {
        self.store.changed_since(after)
    }
    fn touched(&self, after: &Cursor, until: &Cursor, limit: usize) -> Result<(Vec<Item>, Cursor)> {
        self.store.touched(after, until, limit)
    }
    fn resealed_since(&self, category: CategoryId, generation: u64) -> Result<BTreeSet<u32>> {
        self.store.resealed_since(category, generation)
    }
    fn mark_published(&self, upto: &Cursor, now: Timestamp) -> Result<()> {
        self.write()?;
        self.store.mark_published(upto, now)
    }
    fn published(&self) -> Result<Cursor> {
        self.store.published()
    }
    fn published_at(&self, change: u64) -> Result<Option<Timestamp>> {
        self.store.published_at(change)
    }
}

impl<S: Deref<Target: Store> + Send + Sync> Records for Broken<S> {
    fn record(&self, kind: RecordKind, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.store.record(kind, key)
    }
    fn records(&self, kind: RecordKind, after: &[u8], limit: usize) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        self.store.records(kind, after, limit)
    }
    fn put_records(&self, kind: RecordKind, records: &[(Vec<u8>, Option<Vec<u8>>)]) -> Result<()> {
        self.write()?;
        self.store.put_records(kind, records)
    }
    fn add_counts(&self, counts: &BTreeMap<String, u64>) -> Result<()> {
        self.write()?;
        self.store.add_counts(counts)
    }
    fn tallies(&self) -> Result<BTreeMap<String, u64>> {
        self.store.tallies()
    }
    fn fix(&self, key: &'static str, value: &str, set: bool) -> Result<()> {
        self.write()?;
        self.store.fix(key, value, set)
    }
    fn identity(&self) -> Result<(u64, u64)> {
        self.store.identity()
    }
    fn sync(&self) -> Result<()> {
        self.write()?;
        self.store.sync()
    }
}
