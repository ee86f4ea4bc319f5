//! Categories and their lists in maps.

use super::MemoryStore;
use super::maps::Code;
use crate::model::{Article, Category, CategoryId, InfoCode, Item, Slug, Timestamp};
use crate::store::{Categories, LogPage, Result, Slot, StoreError, Window};

impl Categories for MemoryStore {
    fn ensure_category(&self, name: &str, slug: Option<&Slug>, now: Timestamp) -> Result<Category> {
        let mut maps = self.maps();
        if let Some(known) = slug.and_then(|slug| maps.named(slug.as_str())) {
            let is_merged = maps.categories.values().any(|c| c.id != known.id && Some(&c.slug) == slug);
            if name.is_empty() || known.name == name || is_merged {
                return Ok(known);
            }
            maps.renames += 1;
            name.clone_into(&mut maps.categories.entry(known.id).or_insert(known.clone()).name);
            maps.touch(known.id, now);
            maps.names.insert((b'n', name.to_owned()), known.id);
            maps.touch(CategoryId::SITE, now);
            return Ok(maps.categories[&known.id].clone());
        }
        if let Some(known) = maps.named(name).filter(|_| !name.is_empty()) {
            if let Some(slug) = slug {
                maps.names.entry((b's', slug.as_str().to_owned())).or_insert(known.id);
            }
            return Ok(known);
        }
        let mut slug = slug.cloned().unwrap_or_else(|| Slug::from_name(name));
        while maps.named(slug.as_str()).is_some() {
            slug = slug.distinct(&format!("{name}{slug}"));
        }
        let name = if name.is_empty() { slug.as_str() } else { name }.to_owned();
        let id = CategoryId(u32::try_from(maps.categories.len()).unwrap_or(u32::MAX));
        for key in [(b's', slug.as_str().to_owned()), (b'n', name.clone())] {
            maps.names.insert(key, id);
        }
        let category = Category { id, slug, name, generation: 0, changed_at: now, newest: None, arrivals: 0 };
        maps.categories.insert(id, category);
        maps.touch(id, now);
        maps.touch(CategoryId::SITE, now);
        Ok(maps.categories[&id].clone())
    }

    fn rename_category(&self, id: CategoryId, name: &str, slug: &Slug, now: Timestamp) -> Result<Category> {
        let mut maps = self.maps();
        maps.renames += 1;
        for key in [(b's', slug.as_str().to_owned()), (b'n', name.to_owned())] {
            maps.names.insert(key, id);
        }
        let Some(category) = maps.categories.get_mut(&id) else {
            return Err(StoreError::Damaged { what: "category" });
        };
        name.clone_into(&mut category.name);
        category.slug = slug.clone();
        maps.touch(id, now);
        maps.touch(CategoryId::SITE, now);
        Ok(maps.categories[&id].clone())
    }

    fn merge_category(&self, from: CategoryId, into: CategoryId, now: Timestamp) -> Result<()> {
        let mut maps = self.maps();
        maps.names.values_mut().filter(|id| **id == from).for_each(|id| *id = into);
        maps.renames += 1;
        maps.touch(into, now);
        maps.touch(CategoryId::SITE, now);
        Ok(())
    }

    fn alias_category(&self, id: CategoryId, old_slug: &str) -> Result<()> {
        self.maps().names.entry((b's', old_slug.to_owned())).or_insert(id);
        Ok(())
    }

    fn find_category(&self, slug_or_name: &str) -> Result<Option<Category>> {
        Ok(self.maps().named(slug_or_name))
    }

    fn category(&self, id: CategoryId) -> Result<Option<Category>> {
        Ok(self.maps().categories.get(&id).cloned())
    }

    fn categories(&self) -> Result<Vec<Category>> {
        let maps = self.maps();
        let mut all: Vec<Category> = maps.categories.values().cloned().collect();
        all.retain(|category| category.id != CategoryId::SITE && !maps.merged(category));
        all.sort_by(|a, b| a.slug.cmp(&b.slug));
        Ok(all)
    }

    fn slugs(&self) -> Result<Vec<(String, CategoryId)>> {
        let maps = self.maps();
        let slugs = maps.names.iter().filter(|((kind, _), _)| *kind == b's');
        Ok(slugs.map(|((_, slug), id)| (slug.clone(), *id)).collect())
    }

    fn items_in(&self, category: CategoryId, window: Window) -> Result<Vec<Item>> {
        let maps = self.maps();
        let mut items: Vec<Item> = Vec::new();
        let newest = maps.of(category).next_back().map_or(Timestamp::EPOCH, |(at, ..)| at);
        for (at, code, shown, _) in maps.of(category).rev() {
            let enough = items.len() >= window.items && newest.since(at) > window.age;
            if items.len() >= window.most || enough {
                break;
            }
            if window.archived || shown {
                items.extend(maps.items.get(code).cloned());
            }
        }
        Ok(items)
    }

    fn items_between(&self, category: CategoryId, from: Timestamp, to: Timestamp) -> Result<Vec<Item>> {
        let maps = self.maps();
        let within = maps.of(category).filter(|(at, ..)| (from..to).contains(at));
        Ok(within.filter_map(|(_, code, ..)| maps.items.get(code).cloned()).collect())
    }

    fn arrivals(&self, category: CategoryId, from: u32, to: u32) -> Result<Vec<Item>> {
        let maps = self.maps();
        if from > to {
            return Ok(Vec::new());
        }
        let came = maps.slots.range((category, from)..=(category, to)).filter_map(|(_, slot)| match slot {
            Slot::Arrived(key) | Slot::Archived(key) => maps.items.get(key).cloned(),
            _ => None,
        });
        Ok(came.collect())
    }

    fn open_page(&self, category: CategoryId) -> Result<LogPage<Item>> {
        let maps = self.maps();
        let sealed = maps.categories.get(&category).map_or(0, Category::sealed);
        Ok(maps.page(category, sealed + 1, |key| maps.items.get(key).cloned()))
    }

    fn sealed_page(&self, category: CategoryId, number: u32) -> Result<LogPage<Article>> {
        let maps = self.maps();
        let sealed = maps.seals.get(&(category, number)).map_or(u64::MAX, |(sealed, _)| *sealed);
        Ok(maps.page(category, number, |key| maps.version_at(key, sealed)))
    }

    fn arrival_of(&self, category: CategoryId, item: &Item) -> Result<Option<u32>> {
        let at = (category, item.published, item.code.key());
        Ok(self.maps().entries.get(&at).map(|(_, first, _)| *first))
    }

    fn neighbours(
        &self,
        category: CategoryId,
        (published, code): (Timestamp, &InfoCode),
    ) -> Result<(Option<Item>, Option<Item>)> {
        let maps = self.maps();
        let here = (published, &code.key());
        let load = |found: Option<(Timestamp, &Code, bool, u32)>| {
            found.and_then(|(_, code, ..)| maps.items.get(code).cloned())
        };
        let older = load(maps.of(category).rev().find(|(at, code, ..)| (*at, *code) < here));
        Ok((older, load(maps.of(category).find(|(at, code, ..)| (*at, *code) > here))))
    }
}
