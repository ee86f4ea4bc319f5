//! What fuzzing reaches of the store: each codec reads bytes and writes again what it read.

use super::bodies::{framed, pack, unpack};
use super::log::{Entered, slot_bytes, slot_in};
use super::{alias, bodies, records, slots};
use crate::model::Body;
use crate::store::StoreError;

/// An item's record; `key` begins with the item's code.
#[must_use]
pub fn item(key: &[u8], record: &[u8]) -> Option<Vec<u8>> {
    let (place, item) = records::item(key, record).ok()?;
    records::of_item(place, records::first_of(record).ok()?, item).ok()
}

/// A listing's record.
#[must_use]
pub fn listing(record: &[u8]) -> Option<Vec<u8>> {
    let (sighting, began) = records::listing(record).ok()?;
    records::of_listing(&sighting, began.as_ref()).ok()
}

/// A record of slots; `key` is that of a category's quarter of a hundred.
#[must_use]
pub fn slots(key: &[u8], record: &[u8]) -> Option<Vec<u8>> {
    slots::within(key, record).map(|slots| slots::record(&slots))
}

/// What a slot says.
#[must_use]
pub fn slot(bytes: &[u8]) -> Option<Vec<u8>> {
    slot_in(bytes).as_ref().map(slot_bytes)
}

/// What is said of an item in a category.
#[must_use]
pub fn entered(value: &[u8]) -> Option<Vec<u8>> {
    Entered::read(value).as_ref().map(Entered::bytes)
}

/// A part of a group of aliases.
#[must_use]
pub fn aliases(part: &[u8]) -> Option<Vec<u8>> {
    let written = |entry: alias::Entry<'_>| Some(alias::entry_bytes(entry.alias()?, entry.code()));
    alias::entries(part)
        .map(|entry| entry.and_then(written))
        .collect::<Option<Vec<_>>>()
        .map(|all| all.concat())
}

/// The frame that bytes of a file of texts begin with.
#[must_use]
pub fn frame(bytes: &[u8]) -> Option<Vec<u8>> {
    let (key, payload) = framed(bytes)?;
    let mut written = Vec::new();
    bodies::frame(&mut written, key, payload).ok().map(|_| written)
}

/// A packed body, where no dictionary is known.
#[must_use]
pub fn body(packed: &[u8]) -> Option<Vec<u8>> {
    let read: Body = unpack(packed, |_| Err(StoreError::Damaged { what: "dictionary" })).ok()?;
    pack(&read, None).ok()
}
