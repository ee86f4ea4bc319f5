//! Answers that are kept ready, by address, within a bound of memory.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::answer::Ready;

/// Ready answers. What is asked for often stays; a walk over the whole archive pushes nothing out.
pub(super) struct Shelf(Cache<Box<str>, Arc<Ready>, Weight>);

#[derive(Clone)]
struct Weight;

impl Weighter<Box<str>, Arc<Ready>> for Weight {
    fn weight(&self, address: &Box<str>, ready: &Arc<Ready>) -> u64 {
        address.len() as u64 + ready.weight()
    }
}

impl Shelf {
    /// For so many bytes.
    pub(super) fn new(bytes: u64) -> Self {
        let usual = usize::try_from(bytes / 32_768).unwrap_or(usize::MAX).clamp(64, 1 << 16);
        Self(Cache::with_weighter(usual, bytes, Weight))
    }

    pub(super) fn get(&self, address: &str) -> Option<Arc<Ready>> {
        self.0.get(address)
    }

    pub(super) fn put(&self, address: &str, ready: &Arc<Ready>) {
        self.0.insert(address.into(), Arc::clone(ready));
    }
}

impl std::fmt::Debug for Shelf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shelf").field("answers", &self.0.len()).finish()
    }
}
