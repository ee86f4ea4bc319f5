//! Records on their way from one store into another: an export, a migration, a compaction. A record
//! that names a text travels with the text itself, and gets a new place where it arrives.
//!
//! An item, or a form that it had, travels as the length of its record (four bytes), the record
//! without a place, and the packed text (`codec::pack`), which may be missing. The order of changes, and
//! live bytes, are made anew where they arrive. In formats 1 and 2 texts stood in sled in parts, and
//! travel as these. Before format 4 listings, aliases, slots and paths had a record each: they come
//! together where they arrive.

use std::collections::BTreeMap;

use sled::{Batch, IVec};

use super::codec::{self, FORMAT, PACKED, u32_at};
use super::open::{NAMES, Open, T, backend, corrupt};
use super::texts::{self, Place, Texts};
use super::walk::every;
use super::{Result, StoreError, alias, commit, migrate, paths, read, record, shrink, slots, write};
use crate::model::{CategoryId, Item};

/// Bytes that are written at once.
const AT_ONCE: usize = 1 << 20;
/// Bytes of a body's first part before its payload in formats 1 and 2; parts are counted at 10..12.
const OLD_HEAD: usize = 16;

/// Whether values of a tree travel with a text.
pub(super) fn has_texts(tree: usize) -> bool {
    tree == T::Item as usize || tree == T::Version as usize
}

/// A value of format `found` as it travels; `tree` is its place in [`NAMES`].
///
/// # Errors
/// [`StoreError::Damaged`] where its text cannot be read.
pub(super) fn packed_up(texts: &Texts, found: u8, tree: usize, key: &[u8], value: &[u8]) -> Result<Vec<u8>> {
    if !has_texts(tree) {
        return Ok(value.to_vec());
    }
    let place = texts::named_in(value, found).ok_or(StoreError::Damaged { what: "item" })?;
    let text = if place == Place::NONE { Vec::new() } else { texts.read(code_in(tree, key), place)? };
    let item = value.get(1 + Place::BYTES..).unwrap_or_default();
    let length = u32::try_from(item.len()).unwrap_or(u32::MAX);
    Ok([&length.to_be_bytes()[..], item, &text].concat())
}

/// The code in the key of an item or of a form.
fn code_in(tree: usize, key: &[u8]) -> &[u8] {
    let rest = if tree == T::Version as usize { 8 } else { 0 };
    key.get(..key.len().saturating_sub(rest)).unwrap_or_default()
}

/// An item's record of earlier formats has no first listing in it.
const NO_LISTING: [u8; 2] = [0; 2];
/// Records that share a transaction where they come together.
const TOGETHER: usize = 300;

/// A record that waits to be written: its tree, key, what stands after a place, and the key and bytes of
/// its text.
struct Waiting {
    tree: usize,
    key: Vec<u8>,
    value: Vec<u8>,
    text: Option<(Vec<u8>, Vec<u8>)>,
}

/// Takes travelling records into a store that nobody else uses.
pub(super) struct Arrival<'a> {
    open: &'a Open,
    /// Their format.
    found: u8,
    waiting: Vec<Waiting>,
    bytes: usize,
    /// Parts of an old text, and how many there must be.
    parts: Option<(usize, Vec<u8>, u16, Vec<u8>)>,
}

impl<'a> Arrival<'a> {
    pub(super) fn new(open: &'a Open, found: u8) -> Self {
        Self { open, found, waiting: Vec::new(), bytes: 0, parts: None }
    }

    /// Takes one record, in the order of its tree.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where it is no such record; those of the store.
    pub(super) fn take(&mut self, tree: usize, key: Vec<u8>, value: Vec<u8>) -> Result<()> {
        let is = |own: T| tree == own as usize;
        // The whole site had slots in earlier formats.
        let of_site = is(T::CatSeq) && key.starts_with(&CategoryId::SITE.0.to_be_bytes());
        if is_made_anew(tree) || of_site {
            return Ok(());
        }
        if self.found < migrate::TEXTS_APART && (is(T::Body) || is(T::Version)) {
            return self.part(tree, &key, &value);
        }
        if !has_texts(tree) {
            let value = migrate::upgrade(self.found, tree, &key, value)?;
            return self.wait(Waiting { tree, key, value, text: None });
        }
        if self.found < migrate::TEXTS_APART {
            let value = migrate::upgrade(self.found, tree, &key, value)?;
            let value = of_old(value.get(1..).unwrap_or_default())?;
            return self.wait(Waiting { tree, key, value, text: None });
        }
        let damaged = StoreError::Damaged { what: NAMES[tree] };
        let length = u32_at(&value, 0).map_or(usize::MAX, |length| length as usize);
        let parts = value.get(4..).and_then(|rest| rest.split_at_checked(length));
        let (item, text) = parts.ok_or(damaged)?;
        let text = (!text.is_empty()).then(|| (code_in(tree, &key).to_vec(), text.to_vec()));
        let value = if self.found < migrate::TOGETHER { of_old(item)? } else { item.to_vec() };
        self.wait(Waiting { tree, key, value, text })
    }

    /// A part of a text of formats 1 and 2.
    fn part(&mut self, tree: usize, key: &[u8], value: &[u8]) -> Result<()> {
        let damaged = || StoreError::Damaged { what: NAMES[tree] };
        let (own, number) = key.split_last_chunk::<2>().ok_or_else(damaged)?;
        let number = u16::from_be_bytes(*number);
        if number == 0 {
            let parts = value.get(10..12).ok_or_else(damaged)?;
            if value.first() != Some(&self.found) || value.len() < OLD_HEAD || self.parts.is_some() {
                return Err(damaged());
            }
            let parts = u16::from_be_bytes([parts[0], parts[1]]);
            // The present head is the old one without the count of parts.
            let packed = [&[PACKED], &value[1..10], &value[12..]].concat();
            self.parts = Some((tree, own.to_vec(), parts, packed));
        } else {
            let (same, known, _, packed) = self.parts.as_mut().ok_or_else(damaged)?;
            if *same != tree || known != own {
                return Err(damaged());
            }
            packed.extend_from_slice(value);
        }
        match self.parts.take() {
            Some((tree, own, parts, packed)) if number + 1 >= parts => self.whole(tree, own, packed),
            more => {
                self.parts = more;
                Ok(())
            }
        }
    }

    fn whole(&mut self, tree: usize, key: Vec<u8>, packed: Vec<u8>) -> Result<()> {
        if tree == T::Body as usize {
            // Its item came before it, and has waited for it.
            let waits = |record: &Waiting| record.tree == T::Item as usize && record.key == key;
            if let Some(waiting) = self.waiting.iter_mut().rev().find(|record| waits(record)) {
                waiting.text = Some((key, packed));
                return Ok(());
            }
            let Some(record) = read::get(self.open, T::Item, &key)? else { return Ok(()) };
            let value = record.get(1 + Place::BYTES..).unwrap_or_default().to_vec();
            let text = Some((key.clone(), packed));
            return self.wait(Waiting { tree: T::Item as usize, key, value, text });
        }
        // A form was one text: its item and its body together.
        let find = |id| self.open.dictionaries.get(self.open, id);
        let form: crate::model::Article = codec::unpack(&packed, find)?;
        let value = [&NO_LISTING, &record::item_bytes(form.item)?[..]].concat();
        let text = Some((code_in(tree, &key).to_vec(), codec::pack(&form.body, None)?));
        self.wait(Waiting { tree, key, value, text })
    }

    fn wait(&mut self, record: Waiting) -> Result<()> {
        self.bytes +=
            record.key.len() + record.value.len() + record.text.as_ref().map_or(0, |(_, t)| t.len());
        self.waiting.push(record);
        if self.bytes >= AT_ONCE || self.waiting.len() >= shrink::BATCH { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<()> {
        self.bytes = 0;
        let texts: Vec<_> = self
            .waiting
            .iter()
            .filter_map(|record| record.text.as_ref())
            .map(|(key, text)| (&key[..], &text[..]))
            .collect();
        let mut places = self.open.texts.append(&texts)?.into_iter();
        let mut batches: [Option<Batch>; NAMES.len()] = [const { None }; NAMES.len()];
        let mut touched: BTreeMap<u64, Vec<Vec<u8>>> = BTreeMap::new();
        let mut alone = Vec::new();
        for record in self.waiting.drain(..) {
            let value = if has_texts(record.tree) {
                let place = record.text.and_then(|_| places.next()).unwrap_or(Place::NONE);
                [&[FORMAT][..], &place.bytes(), &record.value].concat()
            } else {
                record.value
            };
            if record.tree == T::Item as usize {
                let generation = record::item(&record.key, &value)?.1.touched;
                touched.entry(generation).or_default().push(record.key.clone());
            }
            let grouped = record.tree == T::CatSeq as usize || record.tree == T::Alias as usize;
            if grouped && self.found < migrate::TOGETHER {
                alone.push((record.tree, record.key, value));
                continue;
            }
            batches[record.tree].get_or_insert_default().insert(record.key, value);
        }
        for (tree, batch) in batches.into_iter().enumerate() {
            if let Some(batch) = batch {
                self.open.trees()[tree].apply_batch(batch).map_err(|e| backend("be copied", e))?;
            }
        }
        for (generation, codes) in touched {
            write::transact(self.open, |tx| {
                codes.iter().try_for_each(|code| record::note_anew(tx, generation, code))
            })?;
        }
        for some in alone.chunks(TOGETHER) {
            write::transact(self.open, |tx| {
                some.iter().try_for_each(|(tree, key, value)| put_together(tx, *tree, key, value))
            })?;
        }
        self.open.wrote();
        Ok(())
    }

    /// Writes what waits, so that it can be read.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn settle(&mut self) -> Result<()> {
        self.write()
    }

    /// Ends: all is written and durable.
    ///
    /// # Errors
    /// As [`Arrival::take`]; [`StoreError::Corrupt`] where a text was cut off.
    pub(super) fn end(mut self) -> Result<()> {
        self.write()?;
        if self.parts.is_some() {
            return Err(corrupt("be copied", "parts of a text are missing"));
        }
        if self.found < migrate::TOGETHER {
            bring_together(self.open)?;
        }
        self.open.roster.forget();
        self.open.texts.sync()?;
        texts::recount(self.open)?;
        self.open.sync()
    }
}

/// Whether nothing of a tree travels: what stands in it is made where the records arrive, if at all.
fn is_made_anew(tree: usize) -> bool {
    [T::TextFile, T::Touched, T::Due].into_iter().any(|own| own as usize == tree)
}

/// Whether a record, as it travels, is one of those that [`counted`] counts where they arrive.
pub(super) fn counts(found: u8, tree: usize, key: &[u8], value: &[u8]) -> bool {
    let is = |own: T| tree == own as usize;
    let apart = found < migrate::TOGETHER;
    let parts = found < migrate::TEXTS_APART && is(T::Version);
    let of_site = apart && is(T::CatSeq) && key.starts_with(&CategoryId::SITE.0.to_be_bytes());
    let by_name = apart && is(T::Path) && paths::redirect(value).is_none();
    !(is_made_anew(tree) || is(T::Body) || parts || of_site || by_name)
}

/// How many of the records that [`counts`] tells have arrived.
///
/// # Errors
/// Those of the store.
pub(super) fn counted(open: &Open, found: u8, tree: usize) -> Result<usize> {
    let failed = |error| backend("be copied", error);
    let is = |own: T| tree == own as usize;
    let all = &open.trees()[tree];
    let parts = found < migrate::TEXTS_APART && is(T::Version);
    if is_made_anew(tree) || is(T::Body) || parts {
        return Ok(0);
    }
    if found >= migrate::TOGETHER {
        return Ok(every(all).count());
    }
    let mut count = 0;
    for record in every(all) {
        let (key, value) = record.map_err(failed)?;
        count += match tree {
            _ if is(T::CatSeq) => slots::within(&key, &value).map_or(0, |slots| slots.len()),
            _ if is(T::Alias) => alias::count_in(&key, &value),
            _ if is(T::Path) => usize::from(paths::redirect(&value).is_some()),
            _ => 1,
        };
    }
    if is(T::Seen) {
        for entry in every(open.tree(T::Item)) {
            count += usize::from(!record::first_of(&entry.map_err(failed)?.1)?.is_empty());
        }
    }
    Ok(count)
}

/// What stands in a record behind the place of a text, of an item as earlier formats kept it.
fn of_old(item: &[u8]) -> Result<Vec<u8>> {
    let item: Item = postcard::from_bytes(item).map_err(|_| StoreError::Damaged { what: "item" })?;
    Ok([&NO_LISTING, &record::item_bytes(item)?[..]].concat())
}

/// A slot, or an alias, as each stood in a record of its own: `category | number`, or `source | kind | hash`.
fn put_together(tx: write::Tx<'_>, tree: usize, key: &[u8], value: &[u8]) -> write::TxResult<()> {
    let damaged = || write::abort(StoreError::Damaged { what: NAMES[tree] });
    let first = u32_at(key, 0).ok_or_else(damaged)?;
    if tree == T::CatSeq as usize {
        return slots::put(tx, CategoryId(first), u32_at(key, 4).ok_or_else(damaged)?, value);
    }
    let kind = key.get(4).copied().and_then(codec::alias_kind).ok_or_else(damaged)?;
    let hash = key.get(5..).and_then(|hash| hash.try_into().ok()).ok_or_else(damaged)?;
    alias::put(tx, first, (kind, hash), value)
}

/// Puts first listings into the records of their items, and forgets paths that their names tell.
fn bring_together(open: &Open) -> Result<()> {
    in_steps(open, T::Seen, |listings| {
        write::transact(open, |tx| listings.iter().try_for_each(|(key, value)| join_item(tx, key, value)))
    })?;
    in_steps(open, T::Path, |all| {
        let mut needless = Vec::new();
        for (path, value) in all {
            if paths::is_needless(open, path, value)? {
                needless.push(path);
            }
        }
        write::transact(open, |tx| needless.iter().try_for_each(|path| write::delete(tx, T::Path, path)))
    })
}

/// Gives `step` all records of a tree, some at a time.
fn in_steps(open: &Open, tree: T, step: impl Fn(&[(IVec, IVec)]) -> Result<()>) -> Result<()> {
    let mut waiting = Vec::new();
    for entry in every(open.tree(tree)) {
        waiting.push(entry.map_err(|e| backend("be copied", e))?);
        if waiting.len() >= TOGETHER {
            step(&std::mem::take(&mut waiting))?;
        }
    }
    step(&waiting)
}

/// Puts a listing into its item's record, if that has none.
fn join_item(tx: write::Tx<'_>, key: &[u8], listing: &[u8]) -> write::TxResult<()> {
    let Some((code, source)) = key.split_last_chunk::<4>() else { return Ok(()) };
    let Some(item) = write::tree(tx, T::Item).get(code)? else { return Ok(()) };
    if !record::first_of(&item).map_err(write::abort)?.is_empty() {
        return Ok(());
    }
    write::delete(tx, T::Seen, key)?;
    commit::put_first(tx, code, &item, &record::first_bytes(u32::from_be_bytes(*source), listing))
}
