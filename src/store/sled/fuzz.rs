//! Entry points for fuzzing: each codec decodes bytes and encodes the result again. A new codec gets a function
//! here.

use super::bodies::{framed, pack, unpack};
use super::log::{Entered, slot_bytes, slot_in};
use super::{alias, bodies, records, slots};
use crate::model::Body;
use crate::store::StoreError;

/// Decodes and encodes an item's record; `key` begins with the item's code.
#[must_use]
pub fn item(key: &[u8], record: &[u8]) -> Option<Vec<u8>> {
    let (place, item) = records::item(key, record).ok()?;
    records::of_item(place, records::first_of(record).ok()?, item).ok()
}

/// Decodes and encodes a listing's record.
#[must_use]
pub fn listing(record: &[u8]) -> Option<Vec<u8>> {
    let (sighting, began) = records::listing(record).ok()?;
    records::of_listing(&sighting, began.as_ref()).ok()
}

/// Decodes and encodes a record of slots; `key` is that of a category's quarter of a hundred.
#[must_use]
pub fn slots(key: &[u8], record: &[u8]) -> Option<Vec<u8>> {
    slots::within(key, record).map(|slots| slots::record(&slots))
}

/// Decodes and encodes a slot.
#[must_use]
pub fn slot(bytes: &[u8]) -> Option<Vec<u8>> {
    slot_in(bytes).as_ref().map(slot_bytes)
}

/// Decodes and encodes the entry of an item in a category.
#[must_use]
pub fn entered(value: &[u8]) -> Option<Vec<u8>> {
    Entered::read(value).as_ref().map(Entered::bytes)
}

/// Decodes and encodes a part of a group of aliases.
#[must_use]
pub fn aliases(part: &[u8]) -> Option<Vec<u8>> {
    let written = |entry: alias::Entry<'_>| Some(alias::entry_bytes(entry.alias()?, entry.code()));
    alias::entries(part)
        .map(|entry| entry.and_then(written))
        .collect::<Option<Vec<_>>>()
        .map(|all| all.concat())
}

/// Decodes and encodes the first frame of a file of texts.
#[must_use]
pub fn frame(bytes: &[u8]) -> Option<Vec<u8>> {
    let (key, payload) = framed(bytes)?;
    let mut written = Vec::new();
    bodies::frame(&mut written, key, payload).ok().map(|_| written)
}

/// Decodes and encodes a packed body, without any dictionary.
#[must_use]
pub fn body(packed: &[u8]) -> Option<Vec<u8>> {
    let read: Body = unpack(packed, |_| Err(StoreError::Damaged { what: "dictionary" })).ok()?;
    pack(&read, None).ok()
}
