//! Bytes of keys: big-endian numbers, so that they sort like their values.

use crate::model::{CategoryId, InfoCode, Timestamp};

/// Returns the key `dictionary | chunk`.
pub(crate) fn chunk_key(dictionary: u32, chunk: u16) -> Vec<u8> {
    [&dictionary.to_be_bytes()[..], &chunk.to_be_bytes()].concat()
}

/// Returns the key `category | published | code`: ordered by time within a category.
pub(crate) fn time_key(category: CategoryId, published: Timestamp, code: &[u8]) -> Vec<u8> {
    [&category.0.to_be_bytes()[..], &time(published), code].concat()
}

/// Returns the key `category | hundred`.
pub(crate) fn page_key(category: CategoryId, page: u32) -> Vec<u8> {
    [category.0.to_be_bytes(), page.to_be_bytes()].concat()
}

/// Returns the key `code | source`.
pub(crate) fn seen_key(code: &[u8], source: u32) -> Vec<u8> {
    [code, &source.to_be_bytes()].concat()
}

/// Returns the key `code | number of the event`.
pub(crate) fn event_key(code: &[u8], number: u64) -> Vec<u8> {
    [code, &number.to_be_bytes()].concat()
}

/// Returns the key `code | first generation of the form`.
pub(crate) fn version_key(code: &[u8], since: u64) -> Vec<u8> {
    [code, &since.to_be_bytes()].concat()
}

/// Returns the key `code | number of the revision`.
pub(crate) fn revision_key(code: &[u8], number: u32) -> Vec<u8> {
    [code, &number.to_be_bytes()].concat()
}

/// Returns the key of a name (`n`) or slug (`s`) of a category; only its first 400 bytes.
pub(crate) fn category_key(kind: u8, text: &str) -> Vec<u8> {
    let mut key = vec![kind];
    key.extend_from_slice(text.as_bytes());
    key.truncate(400);
    key
}

/// Returns the code that a key begins with, as bytes.
pub(crate) fn code_in(key: &[u8]) -> Option<&[u8]> {
    InfoCode::from_key(key).and_then(|(_, length)| key.get(..length))
}

/// Encodes a time. A [`Timestamp`] is never negative, so its bytes sort like its value.
pub(crate) fn time(at: Timestamp) -> [u8; 8] {
    at.unix().to_be_bytes()
}

/// Decodes the time that `bytes` begin with, as [`time`] encodes it.
pub(crate) fn time_at(bytes: &[u8]) -> Option<Timestamp> {
    u64_at(bytes, 0).and_then(|at| i64::try_from(at).ok()).map(Timestamp::from_unix)
}

/// Decodes the big-endian number of four bytes at `at`.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// Decodes the big-endian number of eight bytes at `at`.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}
