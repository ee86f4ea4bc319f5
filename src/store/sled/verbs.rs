//! The verbs of the contract on sled; a panic of sled becomes an error in each. A new verb gets a line here.

use std::collections::{BTreeMap, BTreeSet};

use super::store::SledStore;
use super::{
    articles, categories, claiming, commit, items, known, lists, log, log_pages, paths, settings,
    small_records, sources, sweep, withdraw,
};
use crate::model::{
    Article, Body, Category, CategoryId, Cursor, InfoCode, Item, Slug, SourceId, SourceState, Timestamp,
};
use crate::store::{
    Act, AtPath, Basis, Categories, Change, Changes, Claim, Claimed, Items, Known, LogPage, Name, Past,
    PollResult, RecordKind, Records, Result, Retention, Sighting, SourceRecord, Sources, Tombstone, Window,
};

impl Sources for SledStore {
    fn register(&self, sources: &[SourceId], now: Timestamp) -> Result<()> {
        self.write(|engine| claiming::register(engine, sources, now))
    }
    fn claim_due(&self, by: &str, now: Timestamp, limit: usize, lease: i64) -> Result<Vec<Claim>> {
        self.write(|engine| claiming::claim_due(engine, by, now, limit, lease))
    }
    fn claim(&self, by: &str, ids: &[SourceId], now: Timestamp, lease: i64) -> Result<Vec<Claimed>> {
        self.write(|engine| claiming::claim(engine, by, ids, now, lease))
    }
    fn renew(&self, id: &SourceId, epoch: u64, until: Timestamp) -> Result<bool> {
        self.write(|engine| claiming::renew(engine, id, epoch, until))
    }
    fn complete(&self, results: &[PollResult]) -> Result<Vec<SourceId>> {
        self.write(|engine| {
            let refused = claiming::complete(engine, results)?;
            engine.db.sync()?;
            Ok(refused)
        })
    }
    fn release(&self, worker: &str, running: &[SourceId], now: Timestamp) -> Result<usize> {
        self.write(|engine| claiming::release(engine, worker, running, now))
    }
    fn due(&self, from: Timestamp, limit: usize) -> Result<Vec<(Timestamp, SourceId)>> {
        self.with(|engine| sources::due_from(engine, from, limit))
    }
    fn source(&self, id: &SourceId) -> Result<SourceState> {
        self.with(|engine| sources::state(engine, id))
    }
    fn sources(&self) -> Result<Vec<SourceRecord>> {
        self.with(sources::all)
    }
}

impl Items for SledStore {
    fn known(&self, id: &SourceId, names: &[Name]) -> Result<Vec<Known>> {
        self.with(|engine| known::known(engine, id, names))
    }
    fn bases(&self, codes: &[InfoCode]) -> Result<Vec<Basis>> {
        self.with(|engine| codes.iter().map(|code| items::basis(&engine.db, code)).collect())
    }
    fn body(&self, code: &InfoCode) -> Result<Body> {
        self.with(|engine| articles::body(engine, &code.key()))
    }
    fn listings(&self, code: &InfoCode) -> Result<Vec<(SourceId, Sighting)>> {
        self.with(|engine| items::listings(&engine.db, code))
    }
    fn past(&self, code: &InfoCode) -> Result<Past> {
        self.with(|engine| items::past(&engine.db, code))
    }
    fn versions(&self, code: &InfoCode) -> Result<Vec<Article>> {
        self.with(|engine| articles::versions(engine, code))
    }
    fn find(&self, text: &str, limit: usize) -> Result<Vec<Item>> {
        self.with(|engine| lists::find(&engine.db, text, limit))
    }
    fn at_path(&self, path: &str) -> Result<Option<AtPath>> {
        self.with(|engine| paths::at(&engine.db, path))
    }
    fn redirects(&self, after: &str, limit: usize) -> Result<Vec<(String, String)>> {
        self.with(|engine| lists::redirects(&engine.db, after, limit))
    }
    fn commit(&self, changes: Vec<Change>, now: Timestamp) -> Result<Vec<InfoCode>> {
        self.write(|engine| commit::commit(engine, changes, now))
    }
    fn act(&self, code: &InfoCode, act: Act<'_>, now: Timestamp) -> Result<bool> {
        self.write(|engine| match act {
            Act::Withdraw(tombstone) => withdraw::withdraw(engine, code, tombstone),
            Act::Restore { tombstone, why } => withdraw::restore(engine, code, tombstone, why, now),
            Act::Move(decided) => withdraw::reroute(&engine.db, code, decided, now),
        })
    }
    fn sweep(&self, category: CategoryId, keep: Retention, limit: usize, now: Timestamp) -> Result<usize> {
        self.write(|engine| sweep::sweep(&engine.db, category, keep, limit, now))
    }
    fn item(&self, code: &InfoCode) -> Result<Option<Item>> {
        self.with(|engine| items::item(&engine.db, &code.key()))
    }
    fn tombstone(&self, code: &InfoCode) -> Result<Option<Tombstone>> {
        self.with(|engine| items::tombstone(&engine.db, code))
    }
}

impl Categories for SledStore {
    fn ensure_category(&self, name: &str, slug: Option<&Slug>, now: Timestamp) -> Result<Category> {
        // Called for each new record: most of the time nothing is written.
        match self.with(|engine| categories::category_as_it_is(&engine.db, name, slug))? {
            Some(known) => Ok(known),
            None => self.write(|engine| categories::ensure_category(&engine.db, name, slug, now)),
        }
    }
    fn rename_category(&self, id: CategoryId, name: &str, slug: &Slug, now: Timestamp) -> Result<Category> {
        self.write(|engine| categories::rename_category(&engine.db, id, name, slug, now))
    }
    fn merge_category(&self, from: CategoryId, into: CategoryId, now: Timestamp) -> Result<()> {
        self.write(|engine| categories::merge_category(&engine.db, from, into, now))
    }
    fn alias_category(&self, id: CategoryId, old_slug: &str) -> Result<()> {
        self.write(|engine| categories::alias_category(&engine.db, id, old_slug))
    }
    fn find_category(&self, slug_or_name: &str) -> Result<Option<Category>> {
        self.with(|engine| categories::find(&engine.db, slug_or_name))
    }
    fn category(&self, id: CategoryId) -> Result<Option<Category>> {
        self.with(|engine| categories::category(&engine.db, id))
    }
    fn categories(&self) -> Result<Vec<Category>> {
        self.with(|engine| categories::all(&engine.db))
    }
    fn slugs(&self) -> Result<Vec<(String, CategoryId)>> {
        self.with(|engine| categories::slugs(&engine.db))
    }
    fn items_in(&self, category: CategoryId, window: Window) -> Result<Vec<Item>> {
        self.with(|engine| lists::items_in(&engine.db, category, window))
    }
    fn items_between(&self, category: CategoryId, from: Timestamp, to: Timestamp) -> Result<Vec<Item>> {
        self.with(|engine| lists::items_between(&engine.db, category, from, to))
    }
    fn arrivals(&self, category: CategoryId, from: u32, to: u32) -> Result<Vec<Item>> {
        self.with(|engine| lists::arrivals(&engine.db, category, from, to))
    }
    fn open_page(&self, category: CategoryId) -> Result<LogPage<Item>> {
        self.with(|engine| log_pages::open_page(engine, category))
    }
    fn sealed_page(&self, category: CategoryId, number: u32) -> Result<LogPage<Article>> {
        self.with(|engine| log_pages::sealed_page(engine, category, number))
    }
    fn arrival_of(&self, category: CategoryId, item: &Item) -> Result<Option<u32>> {
        self.with(|engine| lists::arrival_of(&engine.db, category, item))
    }
    fn neighbours(
        &self,
        category: CategoryId,
        at: (Timestamp, &InfoCode),
    ) -> Result<(Option<Item>, Option<Item>)> {
        self.with(|engine| lists::neighbours(&engine.db, category, at))
    }
}

impl Changes for SledStore {
    fn cursor(&self) -> Result<Cursor> {
        self.with(|engine| engine.db.counter("generation").map(Cursor::at))
    }
    fn changed_since(&self, after: &Cursor) -> Result<Vec<Category>> {
        self.with(|engine| categories::changed_since(&engine.db, after.generation()))
    }
    fn touched(&self, after: &Cursor, until: &Cursor, limit: usize) -> Result<(Vec<Item>, Cursor)> {
        self.with(|engine| {
            let (items, upto) = lists::touched(&engine.db, (after.generation(), until.generation()), limit)?;
            Ok((items, Cursor::at(upto)))
        })
    }
    fn resealed_since(&self, category: CategoryId, generation: u64) -> Result<BTreeSet<u32>> {
        self.with(|engine| log::resealed_since(&engine.db, category, generation))
    }
    fn mark_published(&self, upto: &Cursor, now: Timestamp) -> Result<()> {
        self.write(|engine| settings::mark_published(&engine.db, upto.generation(), now))
    }
    fn published(&self) -> Result<Cursor> {
        self.with(|engine| engine.db.counter("published").map(Cursor::at))
    }
    fn published_at(&self, change: u64) -> Result<Option<Timestamp>> {
        self.with(|engine| settings::published_at(&engine.db, change))
    }
}

impl Records for SledStore {
    fn record(&self, kind: RecordKind, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.with(|engine| small_records::get(&engine.db, kind, key))
    }
    fn records(&self, kind: RecordKind, after: &[u8], limit: usize) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        self.with(|engine| small_records::after(&engine.db, kind, after, limit))
    }
    fn put_records(&self, kind: RecordKind, records: &[(Vec<u8>, Option<Vec<u8>>)]) -> Result<()> {
        self.write(|engine| small_records::put_all(&engine.db, kind, records))
    }
    fn add_counts(&self, counts: &BTreeMap<String, u64>) -> Result<()> {
        self.write(|engine| settings::add_counts(&engine.db, counts))
    }
    fn tallies(&self) -> Result<BTreeMap<String, u64>> {
        self.with(|engine| settings::tallies(&engine.db))
    }
    fn fix(&self, key: &'static str, value: &str, set: bool) -> Result<()> {
        self.write(|engine| settings::fix(&engine.db, key, value, set))
    }
    fn identity(&self) -> Result<(u64, u64)> {
        self.with(|engine| Ok((engine.db.counter("identity")?, engine.db.counter("renames")?)))
    }
    fn sync(&self) -> Result<()> {
        self.with(|engine| engine.db.sync())
    }
}
