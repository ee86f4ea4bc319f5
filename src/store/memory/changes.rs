//! What changed, in maps.

use std::collections::BTreeSet;

use super::MemoryStore;
use crate::model::{Category, CategoryId, Cursor, Item, Timestamp};
use crate::store::{Changes, Result};

impl Changes for MemoryStore {
    fn cursor(&self) -> Result<Cursor> {
        Ok(Cursor::at(self.maps().generation))
    }

    fn changed_since(&self, after: &Cursor) -> Result<Vec<Category>> {
        let maps = self.maps();
        let mut all: Vec<Category> = maps.categories.values().cloned().collect();
        all.retain(|category| !after.covers(category.generation) && !maps.merged(category));
        all.sort_by_key(|category| category.generation);
        Ok(all)
    }

    fn touched(&self, after: &Cursor, until: &Cursor, limit: usize) -> Result<(Vec<Item>, Cursor)> {
        let mut all: Vec<Item> = self.maps().items.values().cloned().collect();
        all.retain(|item| !after.covers(item.touched) && until.covers(item.touched));
        all.sort_by_key(|item| (item.touched, item.code.key()));
        let mut upto = until.clone();
        if let Some(last) = limit.checked_sub(1).and_then(|last| all.get(last)).map(|item| item.touched) {
            upto = Cursor::at(last);
            all.retain(|item| item.touched <= last);
        }
        Ok((all, upto))
    }

    fn resealed_since(&self, category: CategoryId, generation: u64) -> Result<BTreeSet<u32>> {
        let maps = self.maps();
        let own = maps.seals.range((category, 0)..=(category, u32::MAX));
        Ok(own.filter(|(_, (_, changed))| *changed > generation).map(|((_, page), _)| *page).collect())
    }

    fn mark_published(&self, upto: &Cursor, now: Timestamp) -> Result<()> {
        let mut maps = self.maps();
        maps.published.entry(upto.generation()).or_insert(now);
        maps.published_up_to = upto.generation();
        Ok(())
    }

    fn published(&self) -> Result<Cursor> {
        Ok(Cursor::at(self.maps().published_up_to))
    }

    fn published_at(&self, change: u64) -> Result<Option<Timestamp>> {
        Ok(self.maps().published.range(change..).next().map(|(_, at)| *at))
    }
}
