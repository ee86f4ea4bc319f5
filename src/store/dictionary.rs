//! Compression dictionaries: what the store's own articles have in common, so that each of them
//! need not say it again. Trained once there are enough, kept as long as the store.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::zstd_safe::{self, CCtx, DCtx};

use super::codec::{MAX_BODY, MAX_VALUE, ZSTD_LEVEL, chunk_key, u64_at};
use super::open::{Open, T, backend};
use super::{Result, StoreError, read, write};

/// Bytes of a dictionary: twice as much saves 2 % more (`docs/architecture.md`).
const SIZE: usize = 64 << 10;
/// Bodies before the first training; fewer say too little.
const ENOUGH: u64 = 1_000;
/// Bodies and bytes to train on, at most.
const SAMPLES: usize = 4_000;
const SAMPLE_BYTES: usize = 12 << 20;
/// A further training when there are so many times the items of the last one.
const GROWTH: u64 = 8;

/// One dictionary, ready for both ways.
pub(super) struct Dictionary {
    pub(super) id: u32,
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

    pub(super) fn pack(&self, raw: &[u8]) -> Result<Vec<u8>> {
        packed(raw, |context, out| context.compress_using_cdict(out, raw, self.encoder.as_cdict()))
    }

    pub(super) fn unpack(&self, packed: &[u8], length: usize) -> Result<Vec<u8>> {
        unpacked(length, |context, out| context.decompress_using_ddict(out, packed, self.decoder.as_ddict()))
    }
}

thread_local! {
    // Their tables take longer to make than an article takes to be packed.
    static PACKING: RefCell<CCtx<'static>> = RefCell::new(CCtx::create());
    static UNPACKING: RefCell<DCtx<'static>> = RefCell::new(DCtx::create());
}

/// Packs a body without a dictionary.
pub(super) fn pack(raw: &[u8]) -> Result<Vec<u8>> {
    packed(raw, |context, out| context.compress(out, raw, ZSTD_LEVEL))
}

/// Unpacks a body that was packed without a dictionary.
pub(super) fn unpack(packed: &[u8], length: usize) -> Result<Vec<u8>> {
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
    done.map_err(|_| StoreError::Damaged { what: "body" })?;
    Ok(out)
}

/// Those that were read already.
#[derive(Debug, Default)]
pub(super) struct Dictionaries(Mutex<HashMap<u32, Arc<Dictionary>>>);

impl Dictionaries {
    /// One by its number.
    pub(super) fn get(&self, open: &Open, id: u32) -> Result<Arc<Dictionary>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(dictionary) = known.get(&id) {
            return Ok(Arc::clone(dictionary));
        }
        let mut bytes = Vec::new();
        for entry in open.tree(T::Dict).scan_prefix(id.to_be_bytes()) {
            bytes.extend_from_slice(&entry.map_err(|e| backend("read a dictionary", e))?.1);
        }
        if bytes.is_empty() {
            return Err(StoreError::Damaged { what: "dictionary" });
        }
        let dictionary = Arc::new(Dictionary::new(id, &bytes));
        known.insert(id, Arc::clone(&dictionary));
        Ok(dictionary)
    }

    /// The one that new bodies are packed with.
    pub(super) fn newest(&self, open: &Open) -> Result<Option<Arc<Dictionary>>> {
        match read::counter(open, "dictionaries")? {
            0 => Ok(None),
            id => self.get(open, u32::try_from(id).unwrap_or(u32::MAX)).map(Some),
        }
    }
}

/// Trains a dictionary if there are bodies enough for the first, or many more than for the last.
/// Gives its size in bytes, when one was made.
///
/// # Errors
/// Those of the store; bodies that have nothing in common are no error.
pub(super) fn train(open: &Open) -> Result<Option<usize>> {
    let items = read::arrivals_of_site(open)?;
    let before = read::get(open, T::Sys, "trained")?.and_then(|v| u64_at(&v, 0));
    if items < before.map_or(ENOUGH, |before| before.max(ENOUGH).saturating_mul(GROWTH)) {
        return Ok(None);
    }
    let samples = samples(open)?;
    let Ok(bytes) = zstd::dict::from_samples(&samples, SIZE) else { return Ok(None) };
    let _writing = open.writing();
    write::transact(open, |tx| {
        let id = u32::try_from(write::next(tx, "dictionaries")?).unwrap_or(u32::MAX);
        for (number, chunk) in (0..).zip(bytes.chunks(MAX_VALUE)) {
            write::put(tx, T::Dict, &chunk_key(id, number), chunk)?;
        }
        write::put(tx, T::Sys, b"trained", &items.to_be_bytes())
    })?;
    Ok(Some(bytes.len()))
}

/// Bodies spread over the whole store, as they were before they were packed.
fn samples(open: &Open) -> Result<Vec<Vec<u8>>> {
    let step = usize::try_from(read::arrivals_of_site(open)?).unwrap_or(usize::MAX).div_ceil(SAMPLES).max(1);
    let mut samples = Vec::new();
    let mut bytes = 0;
    for entry in open.tree(T::Item).iter().keys().step_by(step) {
        let key = entry.map_err(|e| backend("read bodies", e))?;
        let body = read::body(open, &key)?;
        let raw = postcard::to_stdvec(&body).map_err(|_| StoreError::Damaged { what: "body" })?;
        bytes += raw.len();
        samples.push(raw);
        if samples.len() >= SAMPLES || bytes >= SAMPLE_BYTES {
            break;
        }
    }
    Ok(samples)
}
