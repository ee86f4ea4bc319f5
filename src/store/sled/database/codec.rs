//! Bytes of records: a version byte first, then the record.

use serde::{Serialize, de::DeserializeOwned};

use crate::store::{Result, StoreError};

/// The version of every record that this program writes (`maintenance::migrate` converts older ones).
pub(crate) const FORMAT: u8 = 1;
/// Bytes of a value in sled, at most: a leaf of such values can never become a blob file, which sled does not
/// sync (see `docs/decisions/texts-beside-sled.md`).
pub(crate) const MAX_VALUE: usize = 6_000;
/// Bytes of an encoded record, at most; the rest is room for the place of a text.
pub(crate) const MAX_RECORD: usize = MAX_VALUE - 100;

/// Encodes a record.
pub(crate) fn encode<T: Serialize>(what: &'static str, record: &T) -> Result<Vec<u8>> {
    let bytes = postcard::to_extend(record, vec![FORMAT]).map_err(|_| StoreError::Damaged { what })?;
    within(what, &bytes, MAX_RECORD)?;
    Ok(bytes)
}

/// Decodes a record; an unknown version is an error.
pub(crate) fn decode<T: DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T> {
    match bytes.split_first() {
        Some((&FORMAT, rest)) => postcard::from_bytes(rest).map_err(|_| StoreError::Damaged { what }),
        Some((&found, _)) => Err(StoreError::Format { found, known: FORMAT, kept: None }),
        None => Err(StoreError::Damaged { what }),
    }
}

/// Encodes a record with named fields, so that a later version may add some without a new format.
pub(crate) fn encode_named<T: Serialize>(what: &'static str, record: &T) -> Result<Vec<u8>> {
    let mut bytes = vec![FORMAT];
    serde_json::to_writer(&mut bytes, record).map_err(|_| StoreError::Damaged { what })?;
    Ok(bytes)
}

/// Decodes what [`encode_named`] encoded.
pub(crate) fn decode_named<T: DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T> {
    match bytes.split_first() {
        Some((&FORMAT, rest)) => serde_json::from_slice(rest).map_err(|_| StoreError::Damaged { what }),
        Some((&found, _)) => Err(StoreError::Format { found, known: FORMAT, kept: None }),
        None => Err(StoreError::Damaged { what }),
    }
}

/// Returns an error if a value is over the limit.
pub(crate) fn fits(what: &'static str, bytes: &[u8]) -> Result<()> {
    within(what, bytes, MAX_VALUE)
}

fn within(what: &'static str, bytes: &[u8], limit: usize) -> Result<()> {
    if bytes.len() > limit {
        return Err(StoreError::TooLarge { what, bytes: bytes.len(), limit });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_or_newer_record_is_an_error() {
        let good = encode("item", &"x".to_owned()).unwrap();
        assert_eq!(decode::<String>("item", &good).unwrap(), "x");
        assert!(matches!(decode::<String>("item", &[9, 1]), Err(StoreError::Format { found: 9, .. })));
        assert!(decode::<String>("item", &[]).is_err());
        assert!(encode("item", &"x".repeat(MAX_VALUE)).is_err());
    }
}
