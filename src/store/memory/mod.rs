//! The store in plain maps, lost with its process. It is the simplest implementation of
//! [`crate::store::Store`], and the one on sled is tested against it.

mod backup;
mod categories;
mod changes;
mod items;
mod maps;
mod moves;
mod records;
mod sources;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use self::maps::Maps;
use crate::model::{Category, CategoryId, Slug, Timestamp};

/// A store that lives as long as its process.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Maps>);

impl MemoryStore {
    /// Creates an empty store.
    #[must_use]
    pub fn new() -> Self {
        let site = Category {
            id: CategoryId::SITE,
            slug: Slug::site(),
            name: String::new(),
            generation: 1,
            changed_at: Timestamp::EPOCH,
            newest: None,
            arrivals: 0,
        };
        let categories = BTreeMap::from([(CategoryId::SITE, site)]);
        Self(Mutex::new(Maps { categories, generation: 1, ..Maps::default() }))
    }

    fn of(maps: Maps) -> Self {
        Self(Mutex::new(maps))
    }

    fn maps(&self) -> MutexGuard<'_, Maps> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
