//! Answers that are kept ready, by address, within a bound of memory.

use std::sync::Arc;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use super::ready::Ready;

/// Parts of the shelf, each with a lock of its own. Nothing is kept that is larger than one of them: so they are
/// few, however many processors there are.
const PARTS: usize = 4;

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
        let options = OptionsBuilder::new()
            .shards(PARTS)
            .estimated_items_capacity(usual)
            .weight_capacity(bytes)
            .build();
        Self(match options {
            Ok(options) => Cache::with_options(
                options,
                Weight,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            ),
            // It misses nothing above, and would not say so.
            Err(_) => Cache::with_weighter(usual, bytes, Weight),
        })
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
