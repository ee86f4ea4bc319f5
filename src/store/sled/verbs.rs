//! The verbs of the contract on sled, each under guard.

use std::collections::{BTreeMap, BTreeSet};

use super::store::SledStore;
use super::{
    alias, articles, categories, claiming, commit, items, lists, log, log_pages, paths, settings, sources,
    sweep, withdraw,
};
use crate::model::{
    Article, Body, Category, CategoryId, InfoCode, Item, Slug, SourceId, SourceState, Timestamp,
};
use crate::store::{
    Alias, AtPath, Basis, Change, Claim, Claimed, Event, LogPage, Move, PollResult, Result, Retention,
    Revision, Sighting, SourceRecord, Store, Tombstone, Window,
};

impl Store for SledStore {
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
    fn release(&self, running: &[SourceId], now: Timestamp) -> Result<usize> {
        self.write(|engine| claiming::release(engine, running, now))
    }
    fn next_due(&self) -> Result<Option<Timestamp>> {
        self.with(sources::next_due)
    }
    fn due_from(&self, time: Timestamp) -> Result<Vec<SourceId>> {
        self.with(|engine| sources::due_from(engine, time))
    }
    fn source(&self, id: &SourceId) -> Result<SourceState> {
        self.with(|engine| sources::state(engine, id))
    }
    fn sources(&self) -> Result<Vec<SourceRecord>> {
        self.with(sources::all)
    }
    fn void_guids(&self, id: &SourceId, guids: &[[u8; 16]]) -> Result<Vec<bool>> {
        self.with(|engine| sources::void_guids(engine, id, guids))
    }
    fn sightings(&self, id: &SourceId, codes: &[InfoCode]) -> Result<Vec<Option<Sighting>>> {
        self.with(|engine| match sources::number(engine, id)? {
            Some(number) => items::sightings(&engine.db, number, codes),
            None => Ok(vec![None; codes.len()]),
        })
    }
    fn aliased(&self, id: &SourceId, alias: Alias) -> Result<Option<InfoCode>> {
        self.with(|engine| match sources::number(engine, id)? {
            Some(number) => alias::find(&engine.db, number, alias),
            None => Ok(None),
        })
    }
    fn item(&self, code: &InfoCode) -> Result<Option<Item>> {
        self.with(|engine| items::item(&engine.db, &code.key()))
    }
    fn body(&self, code: &InfoCode) -> Result<Body> {
        self.with(|engine| articles::body(engine, &code.key()))
    }
    fn revisions(&self, code: &InfoCode) -> Result<Vec<Revision>> {
        self.with(|engine| items::revisions(&engine.db, code))
    }
    fn listings(&self, code: &InfoCode) -> Result<Vec<(SourceId, Sighting)>> {
        self.with(|engine| items::listings(&engine.db, code))
    }
    fn basis(&self, code: &InfoCode) -> Result<Basis> {
        self.with(|engine| items::basis(&engine.db, code))
    }
    fn commit(&self, changes: Vec<Change>, now: Timestamp) -> Result<Vec<InfoCode>> {
        self.write(|engine| commit::commit(engine, changes, now))
    }
    fn ensure_category(&self, name: &str, slug: Option<&Slug>, now: Timestamp) -> Result<Category> {
        // Asked for with each record that is new: most of the time nothing is written.
        match self.with(|engine| categories::category_as_it_is(&engine.db, name, slug))? {
            Some(known) => Ok(known),
            None => self.write(|engine| categories::ensure_category(&engine.db, name, slug, now)),
        }
    }
    fn find_category(&self, slug_or_name: &str) -> Result<Option<Category>> {
        self.with(|engine| categories::find(&engine.db, slug_or_name))
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
    fn slugs(&self) -> Result<Vec<(String, CategoryId)>> {
        self.with(|engine| categories::slugs(&engine.db))
    }
    fn category(&self, id: CategoryId) -> Result<Option<Category>> {
        self.with(|engine| categories::category(&engine.db, id))
    }
    fn categories(&self) -> Result<Vec<Category>> {
        self.with(|engine| categories::all(&engine.db))
    }
    fn changed_since(&self, generation: u64) -> Result<Vec<Category>> {
        self.with(|engine| categories::changed_since(&engine.db, generation))
    }
    fn items_in(&self, category: CategoryId, window: Window) -> Result<Vec<Item>> {
        self.with(|engine| lists::items_in(&engine.db, category, window))
    }
    fn arrivals(&self, category: CategoryId, from: u32, to: u32) -> Result<Vec<Item>> {
        self.with(|engine| lists::arrivals(&engine.db, category, from, to))
    }
    fn neighbours(&self, category: CategoryId, item: &Item) -> Result<(Option<Item>, Option<Item>)> {
        self.with(|engine| lists::neighbours(&engine.db, category, item))
    }
    fn open_page(&self, category: CategoryId) -> Result<LogPage<Item>> {
        self.with(|engine| log_pages::open_page(engine, category))
    }
    fn sealed_page(&self, category: CategoryId, number: u32) -> Result<LogPage<Article>> {
        self.with(|engine| log_pages::sealed_page(engine, category, number))
    }
    fn resealed_since(&self, category: CategoryId, generation: u64) -> Result<BTreeSet<u32>> {
        self.with(|engine| log::resealed_since(&engine.db, category, generation))
    }
    fn versions(&self, code: &InfoCode) -> Result<Vec<Article>> {
        self.with(|engine| articles::versions(engine, code))
    }
    fn arrival_of(&self, category: CategoryId, item: &Item) -> Result<Option<u32>> {
        self.with(|engine| lists::arrival_of(&engine.db, category, item))
    }
    fn touched_since(&self, generation: u64, limit: usize) -> Result<Vec<Item>> {
        self.with(|engine| lists::touched_since(&engine.db, generation, limit))
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
    fn fix(&self, key: &'static str, value: &str, set: bool) -> Result<()> {
        self.write(|engine| settings::fix(&engine.db, key, value, set))
    }
    fn complete(&self, results: &[PollResult]) -> Result<Vec<SourceId>> {
        self.write(|engine| {
            let refused = claiming::complete(engine, results)?;
            engine.db.sync()?;
            Ok(refused)
        })
    }
    fn sync(&self) -> Result<()> {
        self.with(|engine| engine.db.sync())
    }
    fn history(&self, code: &InfoCode) -> Result<Vec<Event>> {
        self.with(|engine| items::history(&engine.db, code))
    }
    fn withdraw(&self, code: &InfoCode, tombstone: &Tombstone) -> Result<bool> {
        self.write(|engine| withdraw::withdraw(engine, code, tombstone))
    }
    fn restore(&self, code: &InfoCode, tombstone: &Tombstone, why: &str, now: Timestamp) -> Result<bool> {
        self.write(|engine| withdraw::restore(engine, code, tombstone, why, now))
    }
    fn reroute(&self, code: &InfoCode, decided: &Move, now: Timestamp) -> Result<bool> {
        self.write(|engine| withdraw::reroute(&engine.db, code, decided, now))
    }
    fn items_between(&self, category: CategoryId, from: Timestamp, to: Timestamp) -> Result<Vec<Item>> {
        self.with(|engine| lists::items_between(&engine.db, category, from, to))
    }
    fn bookmark(&self, name: &str) -> Result<Option<u64>> {
        self.with(|engine| settings::bookmark(&engine.db, name))
    }
    fn set_bookmark(&self, name: &str, generation: u64) -> Result<()> {
        self.write(|engine| settings::set_bookmark(&engine.db, name, generation))
    }
    fn tally(&self, counts: &BTreeMap<String, u64>) -> Result<()> {
        self.write(|engine| settings::tally(&engine.db, counts))
    }
    fn tallies(&self) -> Result<BTreeMap<String, u64>> {
        self.with(|engine| settings::tallies(&engine.db))
    }
    fn tombstone(&self, code: &InfoCode) -> Result<Option<Tombstone>> {
        self.with(|engine| items::tombstone(&engine.db, code))
    }
    fn sweep(&self, category: CategoryId, keep: Retention, limit: usize, now: Timestamp) -> Result<usize> {
        self.write(|engine| sweep::sweep(&engine.db, category, keep, limit, now))
    }
    fn mark_published(&self, generation: u64, now: Timestamp) -> Result<()> {
        self.write(|engine| settings::mark_published(&engine.db, generation, now))
    }
    fn published_at(&self, generation: u64) -> Result<Option<Timestamp>> {
        self.with(|engine| settings::published_at(&engine.db, generation))
    }
    fn published_generation(&self) -> Result<u64> {
        self.with(|engine| engine.db.counter("published"))
    }
    fn identity(&self) -> Result<(u64, u64)> {
        self.with(|engine| Ok((engine.db.counter("identity")?, engine.db.counter("renames")?)))
    }
    fn generation(&self) -> Result<u64> {
        self.with(|engine| engine.db.counter("generation"))
    }
}
