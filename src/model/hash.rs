//! A versioned hash of what one source sends about one item (RULES 1.5).

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The version of the hashed fields. Bump it when they change: old hashes then never equal new ones, and the
/// first poll after the upgrade adopts the new hash without an update.
pub const VERSION: u8 = 1;

/// A version byte and 15 bytes of a SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ContentHash([u8; 16]);

impl ContentHash {
    /// Hashes named fields. Empty ones do not count, so a field added later does not change the hash of records
    /// that lack it.
    #[must_use]
    pub fn of(fields: &[(&str, &str)]) -> Self {
        let mut hash = Sha256::new();
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
            hash.update((name.len() as u64).to_be_bytes());
            hash.update(name.as_bytes());
            hash.update((value.len() as u64).to_be_bytes());
            hash.update(value.as_bytes());
        }
        let digest = hash.finalize();
        let mut bytes = [VERSION; 16];
        bytes[1..].copy_from_slice(&digest[..15]);
        Self(bytes)
    }

    /// Returns whether both hashes have the same version.
    #[must_use]
    pub fn comparable(&self, other: &Self) -> bool {
        self.0[0] == other.0[0]
    }

    /// Returns the 16 bytes, for keys.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_fields_do_not_count_and_borders_do() {
        let one = ContentHash::of(&[("title", "a"), ("text", "bc")]);
        assert_eq!(one, ContentHash::of(&[("title", "a"), ("extra", ""), ("text", "bc")]));
        assert_ne!(one, ContentHash::of(&[("title", "ab"), ("text", "c")]));
        assert_ne!(one, ContentHash::of(&[("text", "a"), ("title", "bc")]));
    }
}
