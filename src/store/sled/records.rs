//! Records of several parts.
//!
//! The record of an item (`TreeId::Item`) and that of an earlier form (`TreeId::Version`): the place of the
//! text, the item's first listing (none for a form), and the item. The record of a listing (`TreeId::Seen`, or
//! in its item's record): the sighting, and the event that it began with.

use super::bodies::{Place, named};
use super::database::{FORMAT, decode, encode, u32_at};
use crate::model::{InfoCode, Item};
use crate::store::{Event, Result, Sighting, StoreError};

/// Bytes of an item's record before the length of its first listing.
const HEAD: usize = 1 + Place::BYTES;

/// Endings of a permalink in a record: for a page named after the code alone, and for one named after its space
/// and code; the last escapes a permalink that itself ends with one of these.
const NAMED: [char; 3] = ['\u{1}', '\u{2}', '\u{3}'];

/// Encodes an item's record; `first` comes from [`first_bytes`] or [`first_of`], empty for none.
pub(super) fn of_item(place: Place, first: &[u8], item: Item) -> Result<Vec<u8>> {
    let item = item_bytes(item)?;
    let length = u16::try_from(first.len()).map_err(|_| StoreError::Damaged { what: "sighting" })?;
    Ok([&[FORMAT][..], &place.bytes(), &length.to_be_bytes(), first, &item].concat())
}

/// Encodes an item without what follows from its key: its code, and the name of its page if it is named after
/// that.
pub(super) fn item_bytes(mut item: Item) -> Result<Vec<u8>> {
    item.permalink = shortened(&item.permalink, &item.code);
    let mut bytes = encode("item", &item)?;
    bytes.drain(..=code_bytes(&item.code)?.len());
    Ok(bytes)
}

/// Encodes a code as an encoded item begins with it.
fn code_bytes(code: &InfoCode) -> Result<Vec<u8>> {
    postcard::to_stdvec(code).map_err(|_| StoreError::Damaged { what: "code" })
}

fn page_names(code: &InfoCode) -> [String; 2] {
    [format!("{}.html", code.code()), format!("{code}.html")]
}

fn shortened(permalink: &str, code: &InfoCode) -> String {
    for (name, end) in page_names(code).iter().zip(NAMED) {
        if let Some(folder) = permalink.strip_suffix(name.as_str()) {
            return format!("{folder}{end}");
        }
    }
    let end = if permalink.ends_with(NAMED) { NAMED.last() } else { None };
    permalink.chars().chain(end.copied()).collect()
}

fn restored(mut permalink: String, code: &InfoCode) -> String {
    let end = NAMED.iter().position(|end| permalink.ends_with(*end));
    if let Some(end) = end {
        permalink.pop();
        permalink.push_str(page_names(code).get(end).map_or("", String::as_str));
    }
    permalink
}

/// Encodes an item's first listing, by the number of its source, for the item's record.
pub(super) fn first_bytes(source: u32, listing: &[u8]) -> Vec<u8> {
    [&source.to_be_bytes(), listing].concat()
}

/// Returns the encoded first listing in an item's record; empty if there is none.
///
/// # Errors
/// [`StoreError::Damaged`].
pub(super) fn first_of(record: &[u8]) -> Result<&[u8]> {
    Ok(parts(record)?.0)
}

/// Returns the first listing in an item's record: the number of its source, and the bytes from [`of_listing`].
///
/// # Errors
/// As [`first_of`].
pub(super) fn first(record: &[u8]) -> Result<Option<(u32, &[u8])>> {
    let first = first_of(record)?;
    if first.is_empty() {
        return Ok(None);
    }
    let number = u32_at(first, 0).ok_or(StoreError::Damaged { what: "sighting" })?;
    Ok(Some((number, &first[4..])))
}

/// Returns an item's record with another first listing.
///
/// # Errors
/// As [`first_of`].
pub(super) fn with_first(record: &[u8], first: &[u8]) -> Result<Vec<u8>> {
    let (_, item) = parts(record)?;
    let length = u16::try_from(first.len()).map_err(|_| StoreError::Damaged { what: "sighting" })?;
    Ok([&record[..HEAD], &length.to_be_bytes(), first, item].concat())
}

/// Returns the first listing and the item of a record, as bytes.
fn parts(record: &[u8]) -> Result<(&[u8], &[u8])> {
    let parts = record.get(HEAD..).and_then(|rest| {
        let (length, rest) = rest.split_first_chunk::<2>()?;
        rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
    });
    parts.ok_or(StoreError::Damaged { what: "item" })
}

/// Decodes what [`of_item`] encoded; `key` begins with the item's code.
///
/// # Errors
/// [`StoreError::Damaged`], or [`StoreError::Format`] of another feedmill.
pub(super) fn item(key: &[u8], bytes: &[u8]) -> Result<(Place, Item)> {
    match bytes.first() {
        Some(&FORMAT) => {}
        Some(&found) => return Err(StoreError::Format { found, known: FORMAT, kept: None }),
        None => return Err(StoreError::Damaged { what: "item" }),
    }
    let place = named(bytes).ok_or(StoreError::Damaged { what: "item" })?;
    let (code, _) = InfoCode::from_key(key).ok_or(StoreError::Damaged { what: "code" })?;
    let whole = [&code_bytes(&code)?, parts(bytes)?.1].concat();
    let mut item: Item = postcard::from_bytes(&whole).map_err(|_| StoreError::Damaged { what: "item" })?;
    item.permalink = restored(item.permalink, &code);
    Ok((place, item))
}

/// Encodes a listing's record.
pub(super) fn of_listing(sighting: &Sighting, began: Option<&(u64, Event)>) -> Result<Vec<u8>> {
    encode("sighting", &(sighting, began))
}

/// Decodes what [`of_listing`] encoded.
///
/// # Errors
/// As [`item`].
pub(super) fn listing(bytes: &[u8]) -> Result<(Sighting, Option<(u64, Event)>)> {
    decode("sighting", bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CodeSpace;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_item_reads_back(
            text in "[a-zA-Z0-9文~ ]{1,90}|NW[0-9]{18}",
            folder in "([a-z文]{0,5}/){0,3}",
            name in "[\u{1}-\u{4}a-z/.]{0,4}",
            kind in 0..4_usize,
            first in prop::collection::vec(any::<u8>(), 5..300),
        ) {
            let code = InfoCode::new(CodeSpace::new("s").unwrap(), &text);
            let [bare, spaced] = page_names(&code);
            let name = [bare, spaced, format!("{}.html", code.file_name(None)), name][kind].clone();
            let item = Item { permalink: format!("{folder}{name}"), ..Item::sample(code.clone()) };
            let record = of_item(Place::NONE, &first, item.clone()).unwrap();
            prop_assert_eq!(&self::item(&code.key(), &record).unwrap().1, &item);
            prop_assert_eq!(first_of(&record).unwrap(), &first[..]);
            let without = with_first(&record, &[]).unwrap();
            prop_assert_eq!(self::item(&code.key(), &without).unwrap().1, item);
            prop_assert_eq!(self::first(&without).unwrap(), None);
            for cut in 0..without.len() {
                prop_assert!(self::item(&code.key(), &without[..cut]).is_err());
            }
        }
    }
}
