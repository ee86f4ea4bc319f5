//! What changed, in maps.

use std::collections::BTreeSet;

use super::MemoryStore;
use crate::model::{Category, CategoryId, Item, Timestamp};
use crate::store::{Changes, Result};

impl Changes for MemoryStore {
    fn generation(&self) -> Result<u64> {
        Ok(self.maps().generation)
    }

    fn changed_since(&self, generation: u64) -> Result<Vec<Category>> {
        let maps = self.maps();
        let mut all: Vec<Category> = maps.categories.values().cloned().collect();
        all.retain(|category| category.generation > generation && !maps.merged(category));
        all.sort_by_key(|category| category.generation);
        Ok(all)
    }

    fn touched_since(&self, generation: u64, limit: usize) -> Result<Vec<Item>> {
        let mut all: Vec<Item> = self.maps().items.values().cloned().collect();
        all.retain(|item| item.touched > generation);
        all.sort_by_key(|item| (item.touched, item.code.key()));
        if let Some(last) = limit.checked_sub(1).and_then(|last| all.get(last)).map(|item| item.touched) {
            all.retain(|item| item.touched <= last);
        }
        Ok(all)
    }

    fn resealed_since(&self, category: CategoryId, generation: u64) -> Result<BTreeSet<u32>> {
        let maps = self.maps();
        let own = maps.seals.range((category, 0)..=(category, u32::MAX));
        Ok(own.filter(|(_, (_, changed))| *changed > generation).map(|((_, page), _)| *page).collect())
    }

    fn mark_published(&self, generation: u64, now: Timestamp) -> Result<()> {
        let mut maps = self.maps();
        maps.published.entry(generation).or_insert(now);
        maps.published_up_to = generation;
        Ok(())
    }

    fn published_generation(&self) -> Result<u64> {
        Ok(self.maps().published_up_to)
    }

    fn published_at(&self, generation: u64) -> Result<Option<Timestamp>> {
        Ok(self.maps().published.range(generation..).next().map(|(_, at)| *at))
    }
}
