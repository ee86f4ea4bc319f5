//! What the bytes of outputs depend on beside the store, in a few digits.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// Bump when a writer's bytes change for the same items: every output is then rendered again.
const RENDERER: u32 = 5;

/// 16 hex digits over what the bytes of all outputs depend on beside the store.
pub(super) fn fingerprint(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    hash.update(RENDERER.to_be_bytes());
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut hex = HEXLOWER.encode(&hash.finalize());
    hex.truncate(16);
    hex
}
