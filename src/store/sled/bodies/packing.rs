//! Packed texts: the body of an article, encoded and compressed.

use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};

use super::dictionary::{self, Dictionary};
use super::place::{DAMAGED, MAX_BODY};
use crate::store::sled::database::u32_at;
use crate::store::{Result, StoreError};

/// The version of packed texts.
const PACKED: u8 = 1;
/// Bytes of a packed text before its payload.
const BODY_HEAD: usize = 1 + 1 + 4 + 4 + 4;

/// Packs a body: version, codec (0 raw, 1 zstd, 2 zstd with a dictionary), dictionary, length and CRC of the
/// raw body, then its bytes.
pub(crate) fn pack<B: Serialize>(body: &B, with: Option<&Dictionary>) -> Result<Vec<u8>> {
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

/// Returns the length of a body before packing, in bytes, as its header states it.
pub(crate) fn raw_length(packed: &[u8]) -> u32 {
    u32_at(packed, 6).unwrap_or_default()
}

/// Unpacks what [`pack`] returned; `find` returns a dictionary by its number.
pub(crate) fn unpack<B: DeserializeOwned>(
    packed: &[u8],
    find: impl FnOnce(u32) -> Result<Arc<Dictionary>>,
) -> Result<B> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Body;
    use proptest::prelude::*;

    fn none(_: u32) -> Result<Arc<Dictionary>> {
        Err(StoreError::Damaged { what: "dictionary" })
    }

    #[test]
    fn a_flipped_byte_of_a_body_is_found() {
        let body = Body { html: "<p>文</p>".repeat(3_000), ..Body::default() };
        let packed = pack(&body, None).unwrap();
        for at in 0..packed.len().min(400) {
            let mut bad = packed.clone();
            bad[at] ^= 0x10;
            // Some bits (of the frame's header, of unused fields) do not matter; none may change what is read.
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
