//! Bytes of records and keys: a version byte first, big-endian numbers in keys.

use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};

use super::dictionary::{self, Dictionary};
use super::{AliasKind, Result, StoreError};
use crate::model::text::clip_bytes;
use crate::model::{CategoryId, SourceState, Timestamp, Validators};

/// Version of every record this program writes (`migrate` tells them all).
pub(super) const FORMAT: u8 = 4;
/// Version of packed bodies, which did not change with later formats.
pub(super) const PACKED: u8 = 3;
/// No sled value is larger: a leaf of such values can never become a blob file, which sled
/// does not sync (see `docs/architecture.md`).
pub(super) const MAX_VALUE: usize = 6_000;
/// Bytes of a record at the most: one that also says where a text is has room for that.
const MAX_RECORD: usize = MAX_VALUE - 100;
/// Bytes before the payload of a packed body.
const BODY_HEAD: usize = 1 + 1 + 4 + 4 + 4;
/// zstd level: 3 takes a quarter more time for one to two parts in a hundred less (real articles, 2026-11).
pub(super) const ZSTD_LEVEL: i32 = 1;
/// Largest decoded body a record may claim, in bytes.
pub(super) const MAX_BODY: usize = 32 << 20;

/// A record as bytes.
pub(super) fn encode<T: Serialize>(what: &'static str, record: &T) -> Result<Vec<u8>> {
    let bytes = postcard::to_extend(record, vec![FORMAT]).map_err(|_| StoreError::Damaged { what })?;
    within(what, &bytes, MAX_RECORD)?;
    Ok(bytes)
}

/// A record from bytes; an unknown version is an error, never a guess.
pub(super) fn decode<T: DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T> {
    match bytes.split_first() {
        Some((&FORMAT, rest)) => postcard::from_bytes(rest).map_err(|_| StoreError::Damaged { what }),
        Some((&found, _)) => Err(StoreError::Format { found, known: FORMAT, kept: None }),
        None => Err(StoreError::Damaged { what }),
    }
}

/// A record whose fields have names, so that a later version may add some without a new format.
pub(super) fn encode_named<T: Serialize>(what: &'static str, record: &T) -> Result<Vec<u8>> {
    let mut bytes = vec![FORMAT];
    serde_json::to_writer(&mut bytes, record).map_err(|_| StoreError::Damaged { what })?;
    Ok(bytes)
}

/// Reads what [`encode_named`] wrote.
pub(super) fn decode_named<T: DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T> {
    match bytes.split_first() {
        Some((&FORMAT, rest)) => serde_json::from_slice(rest).map_err(|_| StoreError::Damaged { what }),
        Some((&found, _)) => Err(StoreError::Format { found, known: FORMAT, kept: None }),
        None => Err(StoreError::Damaged { what }),
    }
}

/// A source's state, which must never be too large to be kept: what is only told of it gives way.
pub(super) fn source_bytes(state: &SourceState) -> Result<Vec<u8>> {
    let mut bytes = encode_named("source", state)?;
    if bytes.len() > MAX_VALUE {
        let mut shorter = state.clone();
        while bytes.len() > MAX_VALUE && shorten(&mut shorter) {
            bytes = encode_named("source", &shorter)?;
        }
        fits("source", &bytes)?;
    }
    Ok(bytes)
}

/// Makes what is told of a source shorter; `false` when nothing is left to leave out.
fn shorten(state: &mut SourceState) -> bool {
    let lists = [&mut state.repairs, &mut state.held, &mut state.waiting_names];
    if let Some(list) = lists.into_iter().find(|list| !list.is_empty()) {
        list.truncate(list.len() / 2);
        return true;
    }
    let long = state.clone();
    // Texts, then, and validators that no honest server needs.
    state.validators = Validators::default();
    for text in [&mut state.why, &mut state.title] {
        *text = clip_bytes(text, 60);
    }
    state.last_error = state.last_error.take().map(|text| clip_bytes(&text, 60));
    *state != long
}

/// Refuses a value over the limit.
pub(super) fn fits(what: &'static str, bytes: &[u8]) -> Result<()> {
    within(what, bytes, MAX_VALUE)
}

fn within(what: &'static str, bytes: &[u8], limit: usize) -> Result<()> {
    if bytes.len() > limit {
        return Err(StoreError::TooLarge { what, bytes: bytes.len(), limit });
    }
    Ok(())
}

/// A body, packed: version, codec (0 raw, 1 zstd, 2 zstd with a dictionary), dictionary, length and
/// CRC of the raw body, then its bytes.
pub(super) fn pack<B: Serialize>(body: &B, with: Option<&Dictionary>) -> Result<Vec<u8>> {
    const WHAT: &str = "body";
    let raw = postcard::to_stdvec(body).map_err(|_| StoreError::Damaged { what: WHAT })?;
    let too_large = StoreError::TooLarge { what: WHAT, bytes: raw.len(), limit: MAX_BODY };
    if raw.len() > MAX_BODY {
        return Err(too_large);
    }
    let packed = match with {
        Some(dictionary) => dictionary.pack(&raw)?,
        None => dictionary::pack(&raw)?,
    };
    let (codec, payload) = match with {
        _ if packed.len() >= raw.len() => (0, &raw),
        Some(_) => (2, &packed),
        None => (1, &packed),
    };
    let named = with.filter(|_| codec == 2).map_or(0, |dictionary| dictionary.id);
    let mut bytes = Vec::with_capacity(BODY_HEAD + payload.len());
    bytes.extend_from_slice(&[PACKED, codec]);
    bytes.extend_from_slice(&named.to_be_bytes());
    bytes.extend_from_slice(&u32::try_from(raw.len()).map_err(|_| too_large)?.to_be_bytes());
    bytes.extend_from_slice(&crc32fast::hash(&raw).to_be_bytes());
    bytes.extend_from_slice(payload);
    Ok(bytes)
}

/// The length that a packed body says it has when it is unpacked, in bytes.
pub(super) fn raw_length(packed: &[u8]) -> u32 {
    u32_at(packed, 6).unwrap_or_default()
}

/// Reads what [`pack`] wrote; `find` finds a dictionary by its number.
pub(super) fn unpack<B: DeserializeOwned>(
    packed: &[u8],
    find: impl FnOnce(u32) -> Result<Arc<Dictionary>>,
) -> Result<B> {
    const DAMAGED: StoreError = StoreError::Damaged { what: "body" };
    let (head, payload) = packed.split_at_checked(BODY_HEAD).ok_or(DAMAGED)?;
    if head[0] != PACKED {
        return Err(StoreError::Format { found: head[0], known: PACKED, kept: None });
    }
    let number = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let length = usize::try_from(number(6)).unwrap_or(usize::MAX).min(MAX_BODY);
    let unpacked;
    let raw = match head[1] {
        0 => payload,
        1 => {
            unpacked = dictionary::unpack(payload, length)?;
            &unpacked
        }
        2 => {
            unpacked = find(number(2))?.unpack(payload, length)?;
            &unpacked
        }
        _ => return Err(DAMAGED),
    };
    if raw.len() != length || crc32fast::hash(raw) != number(10) {
        return Err(DAMAGED);
    }
    postcard::from_bytes(raw).map_err(|_| DAMAGED)
}

/// `dictionary | chunk`.
pub(super) fn chunk_key(dictionary: u32, chunk: u16) -> Vec<u8> {
    [&dictionary.to_be_bytes()[..], &chunk.to_be_bytes()].concat()
}

/// `category | published | code`: ordered by time within a category.
pub(super) fn time_key(category: CategoryId, published: Timestamp, code: &[u8]) -> Vec<u8> {
    [&category.0.to_be_bytes()[..], &time(published), code].concat()
}

/// `category | hundred`.
pub(super) fn page_key(category: CategoryId, page: u32) -> Vec<u8> {
    [category.0.to_be_bytes(), page.to_be_bytes()].concat()
}

/// `code | source`.
pub(super) fn seen_key(code: &[u8], source: u32) -> Vec<u8> {
    [code, &source.to_be_bytes()].concat()
}

/// The kind of an alias, by its byte.
pub(super) fn alias_kind(byte: u8) -> Option<AliasKind> {
    [AliasKind::Guid, AliasKind::Link, AliasKind::Text].into_iter().find(|kind| alias_byte(*kind) == byte)
}

/// The byte that stands for a kind of alias.
pub(super) fn alias_byte(kind: AliasKind) -> u8 {
    match kind {
        AliasKind::Guid => 1,
        AliasKind::Link => 2,
        AliasKind::Text => 3,
    }
}

/// `code | number of the event`.
pub(super) fn event_key(code: &[u8], number: u64) -> Vec<u8> {
    [code, &number.to_be_bytes()].concat()
}

/// `code | generation since when it looked so`.
pub(super) fn version_key(code: &[u8], since: u64) -> Vec<u8> {
    [code, &since.to_be_bytes()].concat()
}

/// `code | number of the revision`.
pub(super) fn revision_key(code: &[u8], number: u32) -> Vec<u8> {
    [code, &number.to_be_bytes()].concat()
}

/// A [`Timestamp`] is never negative, so its bytes sort like its value.
pub(super) fn time(at: Timestamp) -> [u8; 8] {
    at.unix().to_be_bytes()
}

/// The time that `bytes` begin with, as [`time`] writes it.
pub(super) fn time_at(bytes: &[u8]) -> Option<Timestamp> {
    u64_at(bytes, 0).and_then(|at| i64::try_from(at).ok()).map(Timestamp::from_unix)
}

/// The number at the start of `bytes`.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// The number at `at`.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Body;
    use proptest::prelude::*;

    fn none(_: u32) -> Result<Arc<Dictionary>> {
        Err(StoreError::Damaged { what: "dictionary" })
    }

    #[test]
    fn a_damaged_or_newer_record_is_an_error() {
        let good = encode("item", &"x".to_owned()).unwrap();
        assert_eq!(decode::<String>("item", &good).unwrap(), "x");
        assert!(matches!(decode::<String>("item", &[9, 1]), Err(StoreError::Format { found: 9, .. })));
        assert!(decode::<String>("item", &[]).is_err());
        assert!(encode("item", &"x".repeat(MAX_VALUE)).is_err());
    }

    #[test]
    fn a_talkative_source_is_kept_all_the_same() {
        let lines = vec!["\u{1}".repeat(300); 20];
        let mut state = SourceState { items: 7, held: lines.clone(), ..SourceState::default() };
        state.repairs.clone_from(&lines);
        state.waiting_names = lines;
        state.last_error = Some("\"".repeat(2_000));
        state.validators.etag = Some("\\".repeat(3_000));
        let back: SourceState = decode_named("source", &source_bytes(&state).unwrap()).unwrap();
        assert_eq!((back.items, back.held.len()), (7, 0));
        let newer = [&[FORMAT][..], br#"{"items":3,"of_tomorrow":true}"#].concat();
        assert_eq!(decode_named::<SourceState>("source", &newer).unwrap().items, 3);
    }

    #[test]
    fn a_flipped_byte_of_a_body_is_found() {
        let body = Body { html: "<p>文</p>".repeat(3_000), ..Body::default() };
        let packed = pack(&body, None).unwrap();
        for at in 0..packed.len().min(400) {
            let mut bad = packed.clone();
            bad[at] ^= 0x10;
            // Some bits (of the frame's header, of unused fields) do not matter; none may change
            // what is read.
            assert!(unpack::<Body>(&bad, none).map_or(true, |read| read == body), "byte {at}");
        }
    }

    proptest! {
        #[test]
        fn bodies_read_back(html in ".{0,9000}", seed in any::<[u8; 32]>()) {
            // Noise does not compress.
            let noise = data_encoding::HEXLOWER.encode(&seed);
            let body = Body { html: html + &noise, ..Body::default() };
            let packed = pack(&body, None).unwrap();
            prop_assert_eq!(raw_length(&packed) as usize, postcard::to_stdvec(&body).unwrap().len());
            prop_assert_eq!(unpack::<Body>(&packed, none).unwrap(), body);
        }
    }
}
