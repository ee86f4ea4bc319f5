//! Making a store from a complete backup, with all its numbers: outputs rendered from it equal those of the
//! exported store, byte for byte.
//!
//! The store is made in a folder of its own, which nobody else uses; the caller puts it in place when it is
//! complete. Texts are packed anew, with a dictionary trained on the first of them.

use std::collections::BTreeMap;
use std::path::Path;

use super::story::put_story;
use super::{add, disk, train};
use crate::model::{Body, Category, CategoryId, InfoCode, SourceId};
use crate::store::backup::{self, CategoryLine, Entry, ErasedLine, Head, ItemLine, Line, Seal, SourceLine};
use crate::store::claims;
use crate::store::sled::alias::{self, Growing};
use crate::store::sled::bodies::{Place, recount};
use crate::store::sled::categories::{new_identity, put_category};
use crate::store::sled::database::{
    READ, TreeId, Tx, TxResult, abort, backend, catching_panics, category_key, delete, encode, put,
    revision_key, time, time_key, version_key,
};
use crate::store::sled::engine::Engine;
use crate::store::sled::leaving::with_site;
use crate::store::sled::log::{Entered, note_page, slot_bytes};
use crate::store::sled::source_numbers::{number_in, put_void};
use crate::store::sled::touched::{forget_touched, note_touched};
use crate::store::sled::{categories, items, paths, records, settings, slots, small_records, sources};
use crate::store::{Alias, Progress, Result, Slot, StoreError};

/// Limits of a batch: items that share a transaction, and bytes of texts before packing.
const ITEMS_AT_ONCE: usize = 100;
const TEXTS_AT_ONCE: usize = 8 << 20;
/// Items on whose texts the dictionary is trained.
const TO_TRAIN_ON: u64 = 4_000;

/// Makes a store in `folder`, which is cleared first, from the backup in `file`. One that is not complete is
/// imported as into an empty store, with new numbers.
///
/// # Errors
/// [`StoreError::Unusable`] if the file is damaged, [`StoreError::Format`] if another feedmill wrote it,
/// [`StoreError::Full`] if there is no room. A partial store is left for the caller to clear.
pub(super) fn restore(file: &Path, folder: &Path, cache: u64, progress: Progress<'_>) -> Result<()> {
    disk::clear(folder)?;
    let head = backup::head(file)?;
    catching_panics("be imported", || {
        if !head.complete {
            let engine = Engine::at(folder, cache)?;
            add::add(&engine, file, head.made, progress)?;
            return Ok(());
        }
        let engine = Engine::bare(folder, cache)?;
        engine.db.check_format()?;
        let mut loading = Loading::new(&engine);
        backup::read(file, progress, |line| loading.take(line))?;
        loading.end()
    })
}

fn incomplete(what: &str) -> StoreError {
    StoreError::Unusable { detail: format!("{what} missing in it") }
}

struct Loading<'a> {
    engine: &'a Engine,
    waiting: Vec<ItemLine>,
    bytes: usize,
    taken: u64,
    aliases: BTreeMap<String, Vec<(Alias, Vec<u8>)>>,
}

impl<'a> Loading<'a> {
    fn new(engine: &'a Engine) -> Self {
        Self { engine, waiting: Vec::new(), bytes: 0, taken: 0, aliases: BTreeMap::new() }
    }

    fn take(&mut self, line: Line) -> Result<()> {
        let db = &self.engine.db;
        match line {
            Line::Head(Head { fixed, .. }) => settings::put_fixed(db, &fixed),
            Line::Category(line) => self.category(&line),
            Line::Source(line) => self.source(&line),
            Line::Item(line) => self.item(*line),
            Line::Tombstone(line) => self.erased(&line),
            Line::Alias { source, kind, hash, code } => {
                let own = self.aliases.entry(source.as_str().to_owned()).or_default();
                own.push(((kind, hash), code.key()));
                if own.len() >= alias::STEP { self.aliases() } else { Ok(()) }
            }
            Line::Redirect { from, to } => db.transact(|tx| paths::put_redirect(tx, &from, &to)),
            Line::Page { path, code } => db.transact(|tx| paths::keep(tx, &code.key(), &path)),
            Line::Log { category, slots } => self.log(category, slots),
            Line::Published { generation, at } => {
                let key = generation.to_be_bytes();
                db.transact(|tx| put(tx, TreeId::Published, &key, &time(at)))
            }
            Line::Counter { name, value } => settings::put_counter(db, &name, value),
            Line::Record { kind, key, value } => small_records::put_all(db, kind, &[(key, Some(value))]),
            Line::End { .. } => Ok(()),
        }
    }

    /// Stores a category, over what an earlier line stored of it.
    fn category(&self, line: &CategoryLine) -> Result<()> {
        let Some(numbers) = &line.numbers else { return Err(incomplete("the numbers of a category are")) };
        let id = numbers.id;
        let before = categories::category(&self.engine.db, id)?;
        let mut category = Category {
            id,
            slug: line.slug.clone(),
            name: line.name.clone(),
            generation: before.map_or(0, |before| before.generation),
            changed_at: numbers.changed_at,
            newest: numbers.newest,
            arrivals: numbers.arrivals,
        };
        let key = id.0.to_be_bytes();
        self.engine.db.transact(|tx| {
            let named = |kind, names: &[String]| {
                names
                    .iter()
                    .try_for_each(|name| put(tx, TreeId::CategoryKey, &category_key(kind, name), &key))
            };
            named(b's', &numbers.slugs)?;
            named(b'n', &numbers.names)?;
            let seal = |seal: &Seal| note_page(tx, id, seal.hundred, seal.sealed, seal.changed);
            numbers.seals.iter().try_for_each(seal)?;
            categories::count(tx, id)?;
            put_category(tx, &mut category.clone(), numbers.generation)
        })?;
        category.generation = numbers.generation;
        Ok(())
    }

    fn source(&self, SourceLine { id, state, void }: &SourceLine) -> Result<()> {
        self.engine.db.transact(|tx| {
            number_in(tx, id)?;
            put_void(tx, id, void)
        })?;
        let Some(state) = state else { return Ok(()) };
        sources::put_states(self.engine, [(id, &claims::brought((**state).clone()))])
    }

    fn item(&mut self, line: ItemLine) -> Result<()> {
        if self.waiting.iter().any(|waiting| waiting.item.code == line.item.code) {
            self.store()?;
        }
        self.bytes +=
            line.body.html.len() + line.forms.iter().map(|form| form.body.html.len()).sum::<usize>();
        self.waiting.push(line);
        let full = self.waiting.len() >= ITEMS_AT_ONCE || self.bytes >= TEXTS_AT_ONCE;
        if full { self.store() } else { Ok(()) }
    }

    /// Stores the waiting items.
    fn store(&mut self) -> Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        self.bytes = 0;
        let mut stored = Vec::with_capacity(waiting.len());
        for line in &waiting {
            self.forget(&line.item.code)?;
            stored.push((line, self.texts(line)?));
        }
        let put_all = |tx: Tx<'_>| stored.iter().try_for_each(|(line, places)| put_item(tx, line, places));
        self.engine.db.transact(put_all)?;
        let before = self.taken;
        self.taken += waiting.len() as u64;
        if before < TO_TRAIN_ON && self.taken >= TO_TRAIN_ON {
            train::train_on(self.engine, self.taken)?;
        }
        Ok(())
    }

    /// Appends the texts of an item and of its forms, each distinct one once, and returns their places, the
    /// item's last.
    fn texts(&self, line: &ItemLine) -> Result<Vec<Place>> {
        let bodies: Vec<&Body> = line.forms.iter().map(|form| &form.body).chain([&line.body]).collect();
        let mut new: Vec<&Body> = Vec::new();
        for body in &bodies {
            if !new.contains(body) {
                new.push(body);
            }
        }
        let (key, packed) = (line.item.code.key(), self.engine.pack(new.iter().copied())?);
        let texts: Vec<_> = packed.iter().map(|packed| (&key[..], &packed[..])).collect();
        let places = self.engine.texts.append(&texts)?;
        let place = |body: &&Body| new.iter().position(|known| known == body).and_then(|at| places.get(at));
        Ok(bodies.iter().map(|body| place(body).copied().unwrap_or(Place::NONE)).collect())
    }

    /// Deletes what an earlier line stored of an item.
    fn forget(&self, code: &InfoCode) -> Result<()> {
        let (db, key) = (&self.engine.db, code.key());
        let Some(item) = items::item(db, &key)? else { return Ok(()) };
        let mut going = vec![(TreeId::Item, key.clone()), (TreeId::Tomb, key.clone())];
        for tree in [TreeId::Version, TreeId::Revision, TreeId::Seen, TreeId::History] {
            for at in db.tree(tree).scan_prefix(&key).keys() {
                going.push((tree, at.map_err(|e| backend(READ, e))?.to_vec()));
            }
        }
        going.extend(
            with_site(&item).into_iter().map(|id| (TreeId::CatTime, time_key(id, item.published, &key))),
        );
        db.transact(|tx| {
            going.iter().try_for_each(|(tree, key)| delete(tx, *tree, key))?;
            forget_touched(tx, item.touched, &key)
        })
    }

    fn erased(&mut self, line: &ErasedLine) -> Result<()> {
        self.store()?;
        self.forget(&line.code)?;
        let tombstone = encode("tombstone", &line.tombstone)?;
        self.engine.db.transact(|tx| {
            put(tx, TreeId::Tomb, &line.code.key(), &tombstone)?;
            put_story(tx, &line.code, &line.history, &line.listings)
        })
    }

    /// Stores the waiting aliases.
    fn aliases(&mut self) -> Result<()> {
        for (source, own) in std::mem::take(&mut self.aliases) {
            let Some(source) = SourceId::new(&source) else { continue };
            self.engine.db.transact(|tx| {
                let mut growing = Growing::of(tx, number_in(tx, &source)?)?;
                own.iter().try_for_each(|(alias, code)| growing.put(tx, *alias, code))?;
                growing.end(tx)
            })?;
        }
        Ok(())
    }

    fn log(&self, category: CategoryId, slots: Vec<(u32, Slot<InfoCode>)>) -> Result<()> {
        let named = |(number, slot): (u32, Slot<InfoCode>)| {
            slot.named(|code| Some(code.key())).map(|slot| (number, slot_bytes(&slot)))
        };
        let slots: Vec<_> = slots.into_iter().filter_map(named).collect();
        self.engine.db.transact(|tx| {
            slots.iter().try_for_each(|(number, slot)| slots::put(tx, category, *number, slot))
        })
    }

    /// Stores what is waiting and makes everything durable, under a new identity, so that outputs are checked
    /// again.
    fn end(mut self) -> Result<()> {
        self.store()?;
        self.aliases()?;
        let engine = self.engine;
        if categories::category(&engine.db, CategoryId::SITE)?.is_none() {
            return Err(incomplete("the whole site is"));
        }
        engine.texts.sync()?;
        recount(&engine.db)?;
        new_identity(&engine.db)?;
        engine.db.sync()
    }
}

/// Writes an item with all its records; `places` are those of its forms' texts, its own last.
fn put_item(tx: Tx<'_>, line: &ItemLine, places: &[Place]) -> TxResult<()> {
    let (item, key) = (&line.item, line.item.code.key());
    let own = places.last().copied().unwrap_or(Place::NONE);
    put(tx, TreeId::Item, &key, &records::of_item(own, &[], item.clone()).map_err(abort)?)?;
    note_touched(tx, item.touched, &key)?;
    for (form, place) in line.forms.iter().zip(places) {
        let record = records::of_item(*place, &[], form.item.clone()).map_err(abort)?;
        put(tx, TreeId::Version, &version_key(&key, form.since), &record)?;
    }
    for Entry { category, shown, first, latest } in &line.entries {
        let entered = Entered { shown: u8::from(*shown), first: *first, latest: *latest };
        put(tx, TreeId::CatTime, &time_key(*category, item.published, &key), &entered.bytes())?;
    }
    for (number, revision) in (1..).zip(&line.revisions) {
        let bytes = encode("revision", revision).map_err(abort)?;
        put(tx, TreeId::Revision, &revision_key(&key, number), &bytes)?;
    }
    if let Some(tombstone) = &line.tombstone {
        put(tx, TreeId::Tomb, &key, &encode("tombstone", tombstone).map_err(abort)?)?;
    }
    put_story(tx, &item.code, &line.history, &line.listings)
}
