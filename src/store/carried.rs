//! Records on their way from one store into another: an export, a migration, a compaction. A record
//! that names a text travels with the text itself, and gets a new place where it arrives.
//!
//! An item, or a form that it had, travels as the length of its record (four bytes), the record
//! without a place, and the packed text (`codec::pack`), which may be missing. The order of changes, and
//! live bytes, are made anew where they arrive. In formats 1 and 2 texts stood in sled in parts, and
//! travel as these.

use std::collections::BTreeMap;

use sled::Batch;

use super::codec::{self, FORMAT, u32_at};
use super::open::{NAMES, Open, T, backend, corrupt};
use super::texts::{self, Place, Texts};
use super::{Result, StoreError, migrate, read, record, write};
use crate::model::CategoryId;

/// Bytes that are written at once.
const AT_ONCE: usize = 1 << 20;
/// Bytes of a body's first part before its payload in formats 1 and 2; parts are counted at 10..12.
const OLD_HEAD: usize = 16;

/// Whether values of a tree travel with a text.
pub(super) fn has_texts(tree: usize) -> bool {
    tree == T::Item as usize || tree == T::Version as usize
}

/// A value as it travels; `tree` is its place in [`NAMES`].
///
/// # Errors
/// [`StoreError::Damaged`] where its text cannot be read.
pub(super) fn packed_up(texts: &Texts, tree: usize, key: &[u8], value: &[u8]) -> Result<Vec<u8>> {
    if !has_texts(tree) {
        return Ok(value.to_vec());
    }
    let place = texts::named(value).ok_or(StoreError::Damaged { what: "item" })?;
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
        if is(T::TextFile) || is(T::Touched) || of_site {
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
            return self.wait(Waiting { tree, key, value: value[1..].to_vec(), text: None });
        }
        let damaged = StoreError::Damaged { what: NAMES[tree] };
        let length = u32_at(&value, 0).map_or(usize::MAX, |length| length as usize);
        let parts = value.get(4..).and_then(|rest| rest.split_at_checked(length));
        let (item, text) = parts.ok_or(damaged)?;
        let text = (!text.is_empty()).then(|| (code_in(tree, &key).to_vec(), text.to_vec()));
        let value = item.to_vec();
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
            let packed = [&[FORMAT], &value[1..10], &value[12..]].concat();
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
        let value = codec::encode("item", &form.item)?[1..].to_vec();
        let text = Some((code_in(tree, &key).to_vec(), codec::pack(&form.body, None)?));
        self.wait(Waiting { tree, key, value, text })
    }

    fn wait(&mut self, record: Waiting) -> Result<()> {
        self.bytes +=
            record.key.len() + record.value.len() + record.text.as_ref().map_or(0, |(_, t)| t.len());
        self.waiting.push(record);
        if self.bytes >= AT_ONCE { self.write() } else { Ok(()) }
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
        for record in self.waiting.drain(..) {
            let value = if has_texts(record.tree) {
                let place = record.text.and_then(|_| places.next()).unwrap_or(Place::NONE);
                [&[FORMAT][..], &place.bytes(), &record.value].concat()
            } else {
                record.value
            };
            if record.tree == T::Item as usize {
                let generation = record::item(&value)?.1.touched;
                touched.entry(generation).or_default().push(record.key.clone());
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
        self.open.texts.sync()?;
        texts::recount(self.open)?;
        self.open.sync()
    }
}
