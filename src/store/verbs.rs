//! The verbs on sled, each under guard.

use std::collections::{BTreeMap, BTreeSet};

use super::commit;
use super::open::Open;
use super::{
    Alias, AtPath, Change, Ending, Event, LogPage, Result, Retention, Revision, Sighting, SledStore,
    SourceRecord, Store, Tombstone, Window, alias, log, paths, read, sources, withdraw, write,
};
use crate::model::{
    Article, Body, Category, CategoryId, InfoCode, Item, Slug, SourceId, SourceState, Timestamp,
};

impl Store for SledStore {
    fn register(&self, sources: &[SourceId], now: Timestamp) -> Result<()> {
        self.write(|open| sources::register(open, sources, now))
    }
    fn claim_due(&self, now: Timestamp, limit: usize, lease: i64) -> Result<Vec<SourceId>> {
        self.write(|open| sources::claim_due(open, now, limit, lease))
    }
    fn release(&self, running: &[SourceId], now: Timestamp) -> Result<usize> {
        self.write(|open| sources::release(open, running, now))
    }
    fn next_due(&self) -> Result<Option<Timestamp>> {
        self.with(sources::next_due)
    }
    fn due_from(&self, time: Timestamp) -> Result<Vec<SourceId>> {
        self.with(|open| sources::due_from(open, time))
    }
    fn source(&self, id: &SourceId) -> Result<SourceState> {
        self.with(|open| sources::state(open, id))
    }
    fn sources(&self) -> Result<Vec<SourceRecord>> {
        self.with(sources::all)
    }
    fn void_guids(&self, id: &SourceId, guids: &[[u8; 16]]) -> Result<Vec<bool>> {
        self.with(|open| sources::void_guids(open, id, guids))
    }
    fn sightings(&self, id: &SourceId, codes: &[InfoCode]) -> Result<Vec<Option<Sighting>>> {
        self.with(|open| read::sightings(open, id, codes))
    }
    fn aliased(&self, id: &SourceId, alias: Alias) -> Result<Option<InfoCode>> {
        self.with(|open| alias::of_source(open, id, alias))
    }
    fn item(&self, code: &InfoCode) -> Result<Option<Item>> {
        self.with(|open| read::item(open, &code.key()))
    }
    fn body(&self, code: &InfoCode) -> Result<Body> {
        self.with(|open| read::body(open, &code.key()))
    }
    fn revisions(&self, code: &InfoCode) -> Result<Vec<Revision>> {
        self.with(|open| read::revisions(open, code))
    }
    fn listings(&self, code: &InfoCode) -> Result<Vec<(SourceId, Sighting)>> {
        self.with(|open| read::listings(open, code))
    }
    fn commit(&self, changes: Vec<Change>, now: Timestamp) -> Result<()> {
        self.write(|open| commit::commit(open, changes, now))
    }
    fn ensure_category(&self, name: &str, slug: Option<&Slug>, now: Timestamp) -> Result<Category> {
        // Asked for with each record that is new: most of the time nothing is written.
        match self.with(|open| write::category_as_it_is(open, name, slug))? {
            Some(known) => Ok(known),
            None => self.write(|open| write::ensure_category(open, name, slug, now)),
        }
    }
    fn find_category(&self, slug_or_name: &str) -> Result<Option<Category>> {
        self.with(|open| read::find_category(open, slug_or_name))
    }
    fn rename_category(&self, id: CategoryId, name: &str, slug: &Slug, now: Timestamp) -> Result<Category> {
        self.write(|open| write::rename_category(open, id, name, slug, now))
    }
    fn merge_category(&self, from: CategoryId, into: CategoryId, now: Timestamp) -> Result<()> {
        self.write(|open| write::merge_category(open, from, into, now))
    }
    fn alias_category(&self, id: CategoryId, old_slug: &str) -> Result<()> {
        self.write(|open| write::alias_category(open, id, old_slug))
    }
    fn slugs(&self) -> Result<Vec<(String, CategoryId)>> {
        self.with(read::slugs)
    }
    fn category(&self, id: CategoryId) -> Result<Option<Category>> {
        self.with(|open| read::category(open, id))
    }
    fn categories(&self) -> Result<Vec<Category>> {
        self.with(read::categories)
    }
    fn changed_since(&self, generation: u64) -> Result<Vec<Category>> {
        self.with(|open| read::changed_since(open, generation))
    }
    fn items_in(&self, category: CategoryId, window: Window) -> Result<Vec<Item>> {
        self.with(|open| read::items_in(open, category, window))
    }
    fn arrivals(&self, category: CategoryId, from: u32, to: u32) -> Result<Vec<Item>> {
        self.with(|open| read::arrivals(open, category, from, to))
    }
    fn neighbours(&self, category: CategoryId, item: &Item) -> Result<(Option<Item>, Option<Item>)> {
        self.with(|open| read::neighbours(open, category, item))
    }
    fn open_page(&self, category: CategoryId) -> Result<LogPage<Item>> {
        self.with(|open| log::open_page(open, category))
    }
    fn sealed_page(&self, category: CategoryId, number: u32) -> Result<LogPage<Article>> {
        self.with(|open| log::sealed_page(open, category, number))
    }
    fn resealed_since(&self, category: CategoryId, generation: u64) -> Result<BTreeSet<u32>> {
        self.with(|open| log::resealed_since(open, category, generation))
    }
    fn versions(&self, code: &InfoCode) -> Result<Vec<Article>> {
        self.with(|open| read::versions(open, code))
    }
    fn arrival_of(&self, category: CategoryId, item: &Item) -> Result<Option<u32>> {
        self.with(|open| read::arrival_of(open, category, item))
    }
    fn touched_since(&self, generation: u64, limit: usize) -> Result<Vec<Item>> {
        self.with(|open| read::touched_since(open, generation, limit))
    }
    fn find(&self, text: &str, limit: usize) -> Result<Vec<Item>> {
        self.with(|open| read::find(open, text, limit))
    }
    fn at_path(&self, path: &str) -> Result<Option<AtPath>> {
        self.with(|open| paths::at(open, path))
    }
    fn redirects(&self, after: &str, limit: usize) -> Result<Vec<(String, String)>> {
        self.with(|open| read::redirects(open, after, limit))
    }
    fn fix(&self, key: &'static str, value: &str, set: bool) -> Result<()> {
        self.write(|open| write::fix(open, key, value, set))
    }
    fn complete(&self, endings: &[Ending]) -> Result<()> {
        self.write(|open| {
            sources::complete(open, endings)?;
            open.sync()
        })
    }
    fn sync(&self) -> Result<()> {
        self.with(Open::sync)
    }
    fn history(&self, code: &InfoCode) -> Result<Vec<Event>> {
        self.with(|open| read::history(open, code))
    }
    fn withdraw(&self, code: &InfoCode, tombstone: &Tombstone) -> Result<bool> {
        self.write(|open| withdraw::withdraw(open, code, tombstone))
    }
    fn restore(&self, code: &InfoCode, why: &str, now: Timestamp) -> Result<bool> {
        self.write(|open| withdraw::restore(open, code, why, now))
    }
    fn reroute(&self, code: &InfoCode, to: &[CategoryId], why: &str, now: Timestamp) -> Result<bool> {
        self.write(|open| withdraw::reroute(open, code, to, why, now))
    }
    fn items_between(&self, category: CategoryId, from: Timestamp, to: Timestamp) -> Result<Vec<Item>> {
        self.with(|open| read::items_between(open, category, from, to))
    }
    fn bookmark(&self, name: &str) -> Result<Option<u64>> {
        self.with(|open| read::bookmark(open, name))
    }
    fn set_bookmark(&self, name: &str, generation: u64) -> Result<()> {
        self.write(|open| write::set_bookmark(open, name, generation))
    }
    fn tally(&self, counts: &BTreeMap<String, u64>) -> Result<()> {
        self.write(|open| write::tally(open, counts))
    }
    fn tallies(&self) -> Result<BTreeMap<String, u64>> {
        self.with(read::tallies)
    }
    fn tombstone(&self, code: &InfoCode) -> Result<Option<Tombstone>> {
        self.with(|open| read::tombstone(open, code))
    }
    fn sweep(&self, category: CategoryId, keep: Retention, limit: usize, now: Timestamp) -> Result<usize> {
        self.write(|open| withdraw::sweep(open, category, keep, limit, now))
    }
    fn mark_published(&self, generation: u64, now: Timestamp) -> Result<()> {
        self.write(|open| write::mark_published(open, generation, now))
    }
    fn published_at(&self, generation: u64) -> Result<Option<Timestamp>> {
        self.with(|open| read::published_at(open, generation))
    }
    fn published_generation(&self) -> Result<u64> {
        self.with(|open| read::counter(open, "published"))
    }
    fn identity(&self) -> Result<(u64, u64)> {
        self.with(|open| Ok((read::counter(open, "identity")?, read::counter(open, "renames")?)))
    }
    fn generation(&self) -> Result<u64> {
        self.with(|open| read::counter(open, "generation"))
    }
}
