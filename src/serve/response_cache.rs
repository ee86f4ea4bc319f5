//! Responses kept in memory by path, up to a number of bytes.

use std::sync::Arc;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use super::cached_response::CachedResponse;

/// Shards of the cache, each with its own lock. An entry larger than a shard is not kept, so there are few,
/// whatever the number of processors.
const SHARDS: usize = 4;

/// Responses by path. Those requested often stay: a crawl of the whole archive does not evict them.
pub(super) struct ResponseCache(Cache<Box<str>, Arc<CachedResponse>, ByMemory>);

/// Weighs entries by the bytes that they take in memory.
#[derive(Clone)]
struct ByMemory;

impl Weighter<Box<str>, Arc<CachedResponse>> for ByMemory {
    fn weight(&self, path: &Box<str>, response: &Arc<CachedResponse>) -> u64 {
        path.len() as u64 + response.memory()
    }
}

impl ResponseCache {
    /// Returns an empty cache of at most so many bytes.
    pub(super) fn new(bytes: u64) -> Self {
        let entries = usize::try_from(bytes / 32_768).unwrap_or(usize::MAX).clamp(64, 1 << 16);
        let options = OptionsBuilder::new()
            .shards(SHARDS)
            .estimated_items_capacity(entries)
            .weight_capacity(bytes)
            .build();
        Self(match options {
            Ok(options) => Cache::with_options(
                options,
                ByMemory,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            ),
            // `build` fails only where a capacity is not set; both are.
            Err(_) => Cache::with_weighter(entries, bytes, ByMemory),
        })
    }

    pub(super) fn get(&self, path: &str) -> Option<Arc<CachedResponse>> {
        self.0.get(path)
    }

    pub(super) fn insert(&self, path: &str, response: &Arc<CachedResponse>) {
        self.0.insert(path.into(), Arc::clone(response));
    }
}

impl std::fmt::Debug for ResponseCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseCache").field("responses", &self.0.len()).finish()
    }
}
