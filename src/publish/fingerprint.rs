//! The fingerprint of what the bytes of outputs depend on besides the store.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// The version of the writers. Bump it when their bytes change for the same items, so that every output is
/// rendered again.
const RENDERER: u32 = 5;

/// Returns 16 hex digits over the version of the writers and `parts`.
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
