//! Records on their way from one store into another: an export, a migration, a compaction. A record
//! that names a text travels with the text itself, and gets a new place where it arrives.
//!
//! A text travels packed (`codec::pack`); a form as the length of its item's record (four bytes),
//! that record, and the packed text, which may be missing. In formats 1 and 2 texts stood in sled
//! in parts, and travel as these.

use sled::{Batch, IVec};

use super::codec::{self, FORMAT, u32_at};
use super::open::{NAMES, Open, T, backend, corrupt};
use super::texts::{self, Place, Texts};
use super::{Result, StoreError, migrate};

/// Bytes that are written at once.
const AT_ONCE: usize = 1 << 20;
/// Bytes of a body's first part before its payload in formats 1 and 2; parts are counted at 10..12.
const OLD_HEAD: usize = 16;

/// Whether values of a tree travel with a text.
pub(super) fn has_texts(tree: usize) -> bool {
    tree == T::Body as usize || tree == T::Version as usize
}

/// A value as it travels; `tree` is its place in [`NAMES`].
///
/// # Errors
/// [`StoreError::Damaged`] where its text cannot be read.
pub(super) fn packed_up(texts: &Texts, tree: usize, key: &[u8], value: IVec) -> Result<Vec<u8>> {
    if !has_texts(tree) {
        return Ok(value.to_vec());
    }
    let damaged = StoreError::Damaged { what: "body" };
    let place = texts::named(&value).ok_or(damaged)?;
    if tree == T::Body as usize {
        return texts.read(key, place);
    }
    let item = value.get(1 + Place::BYTES..).unwrap_or_default();
    let code = key.get(..key.len().saturating_sub(8)).unwrap_or_default();
    let text = if place == Place::NONE { Vec::new() } else { texts.read(code, place)? };
    let length = u32::try_from(item.len()).unwrap_or(u32::MAX);
    Ok([&length.to_be_bytes()[..], item, &text].concat())
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
    /// Records written by tree.
    pub(super) written: [u64; NAMES.len()],
}

impl<'a> Arrival<'a> {
    pub(super) fn new(open: &'a Open, found: u8) -> Self {
        Self { open, found, waiting: Vec::new(), bytes: 0, parts: None, written: [0; NAMES.len()] }
    }

    /// Takes one record, in the order of its tree.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where it is no such record; those of the store.
    pub(super) fn take(&mut self, tree: usize, key: Vec<u8>, value: Vec<u8>) -> Result<()> {
        if tree == T::TextFile as usize {
            // Counted anew at the end.
            return Ok(());
        }
        if self.found < migrate::TEXTS_APART && has_texts(tree) {
            return self.part(tree, &key, &value);
        }
        let value = migrate::upgrade(self.found, tree, &key, value)?;
        if !has_texts(tree) {
            return self.wait(Waiting { tree, key, value, text: None });
        }
        if tree == T::Body as usize {
            let text = Some((key.clone(), value));
            return self.wait(Waiting { tree, key, value: Vec::new(), text });
        }
        let damaged = StoreError::Damaged { what: "version" };
        let code = key.get(..key.len().saturating_sub(8)).unwrap_or_default().to_vec();
        let length = u32_at(&value, 0).ok_or(damaged)? as usize;
        let (item, text) = value
            .get(4..)
            .and_then(|rest| rest.split_at_checked(length))
            .ok_or(StoreError::Damaged { what: "version" })?;
        let text = (!text.is_empty()).then(|| (code, text.to_vec()));
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
            let text = Some((key.clone(), packed));
            return self.wait(Waiting { tree, key, value: Vec::new(), text });
        }
        // A form was one text: its item and its body together.
        let find = |id| self.open.dictionaries.get(self.open, id);
        let form: crate::model::Article = codec::unpack(&packed, find)?;
        let code = key.get(..key.len().saturating_sub(8)).unwrap_or_default().to_vec();
        let value = codec::encode("item", &form.item)?;
        let text = Some((code, codec::pack(&form.body, None)?));
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
        for record in self.waiting.drain(..) {
            let value = if has_texts(record.tree) {
                let place = record.text.and_then(|_| places.next()).unwrap_or(Place::NONE);
                [&[FORMAT][..], &place.bytes(), &record.value].concat()
            } else {
                record.value
            };
            self.written[record.tree] += 1;
            batches[record.tree].get_or_insert_default().insert(record.key, value);
        }
        for (tree, batch) in batches.into_iter().enumerate() {
            if let Some(batch) = batch {
                self.open.trees()[tree].apply_batch(batch).map_err(|e| backend("be copied", e))?;
            }
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

    /// Ends: all is written and durable. Gives the records of each tree.
    ///
    /// # Errors
    /// As [`Arrival::take`]; [`StoreError::Corrupt`] where a text was cut off.
    pub(super) fn end(mut self) -> Result<[u64; NAMES.len()]> {
        self.write()?;
        if self.parts.is_some() {
            return Err(corrupt("be copied", "parts of a text are missing"));
        }
        self.open.texts.sync()?;
        texts::recount(self.open)?;
        self.open.sync()?;
        Ok(self.written)
    }
}
