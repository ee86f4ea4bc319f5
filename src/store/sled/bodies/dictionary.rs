//! Compression dictionaries: content that the store's own articles share, so that it need not be in each of
//! them. `maintenance::train` creates them; they are kept as long as the store.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::zstd_safe::{self, CCtx, DCtx};

use super::place::{DAMAGED, MAX_BODY};
use crate::store::sled::database::{Database, TreeId, backend};
use crate::store::{Result, StoreError};

/// Level of zstd: 3 takes a quarter more time for one to two percent less (real articles, 2026-11).
const ZSTD_LEVEL: i32 = 1;

/// One dictionary, ready for compression and decompression.
pub(crate) struct Dictionary {
    pub(crate) id: u32,
    encoder: EncoderDictionary<'static>,
    decoder: DecoderDictionary<'static>,
}

impl std::fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dictionary").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Dictionary {
    fn new(id: u32, bytes: &[u8]) -> Self {
        Self {
            id,
            encoder: EncoderDictionary::copy(bytes, ZSTD_LEVEL),
            decoder: DecoderDictionary::copy(bytes),
        }
    }

    pub(crate) fn pack(&self, raw: &[u8]) -> Result<Vec<u8>> {
        packed(raw, |context, out| context.compress_using_cdict(out, raw, self.encoder.as_cdict()))
    }

    pub(crate) fn unpack(&self, packed: &[u8], length: usize) -> Result<Vec<u8>> {
        unpacked(length, |context, out| context.decompress_using_ddict(out, packed, self.decoder.as_ddict()))
    }
}

thread_local! {
    // Their tables take longer to create than an article takes to compress.
    static PACKING: RefCell<CCtx<'static>> = RefCell::new(CCtx::create());
    static UNPACKING: RefCell<DCtx<'static>> = RefCell::new(DCtx::create());
}

/// Compresses a body without a dictionary.
pub(crate) fn pack(raw: &[u8]) -> Result<Vec<u8>> {
    packed(raw, |context, out| context.compress(out, raw, ZSTD_LEVEL))
}

/// Decompresses a body that was compressed without a dictionary.
pub(crate) fn unpack(packed: &[u8], length: usize) -> Result<Vec<u8>> {
    unpacked(length, |context, out| context.decompress(out, packed))
}

fn packed(
    raw: &[u8],
    work: impl FnOnce(&mut CCtx<'static>, &mut Vec<u8>) -> zstd_safe::SafeResult,
) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(zstd_safe::compress_bound(raw.len()));
    let done = PACKING.with_borrow_mut(|context| work(context, &mut out));
    let said = |code| std::io::Error::other(zstd_safe::get_error_name(code));
    done.map_err(|code| StoreError::Backend { action: "compress a body", source: Box::new(said(code)) })?;
    Ok(out)
}

fn unpacked(
    length: usize,
    work: impl FnOnce(&mut DCtx<'static>, &mut Vec<u8>) -> zstd_safe::SafeResult,
) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(length.min(MAX_BODY));
    let done = UNPACKING.with_borrow_mut(|context| work(context, &mut out));
    done.map_err(|_| DAMAGED)?;
    Ok(out)
}

/// The dictionaries that were read already.
#[derive(Debug, Default)]
pub(crate) struct Dictionaries(Mutex<HashMap<u32, Arc<Dictionary>>>);

impl Dictionaries {
    /// Returns a dictionary by its number.
    pub(crate) fn get(&self, db: &Database, id: u32) -> Result<Arc<Dictionary>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(dictionary) = known.get(&id) {
            return Ok(Arc::clone(dictionary));
        }
        let mut bytes = Vec::new();
        for entry in db.tree(TreeId::Dict).scan_prefix(id.to_be_bytes()) {
            bytes.extend_from_slice(&entry.map_err(|e| backend("read a dictionary", e))?.1);
        }
        if bytes.is_empty() {
            return Err(StoreError::Damaged { what: "dictionary" });
        }
        let dictionary = Arc::new(Dictionary::new(id, &bytes));
        known.insert(id, Arc::clone(&dictionary));
        Ok(dictionary)
    }

    /// Returns the dictionary that new bodies are compressed with.
    pub(crate) fn newest(&self, db: &Database) -> Result<Option<Arc<Dictionary>>> {
        match db.counter("dictionaries")? {
            0 => Ok(None),
            id => self.get(db, u32::try_from(id).unwrap_or(u32::MAX)).map(Some),
        }
    }
}
