//! Articles in maps.

use std::collections::BTreeSet;

use super::MemoryStore;
use super::maps::{Maps, kind};
use crate::model::{Article, Body, CategoryId, InfoCode, Item, SourceId, Timestamp};
use crate::store::{
    Act, AliasKind, AtPath, Basis, Change, Items, Known, Name, Past, Result, Retention, Sighting,
};

impl Items for MemoryStore {
    fn known(&self, id: &SourceId, names: &[Name]) -> Result<Vec<Known>> {
        let maps = self.maps();
        let number = maps.numbers.iter().position(|known| known == id);
        let seen = |code: &InfoCode| number.and_then(|number| maps.seen.get(&(code.key(), number)).cloned());
        let known = |name: &Name| {
            let (void, code) = match name {
                Name::Code(code) => (false, Some(code.clone())),
                Name::Alias(alias) => {
                    let void = alias.0 == AliasKind::Guid && maps.void.contains(&(id.clone(), alias.1));
                    let (kind, hash) = kind(*alias);
                    (void, maps.aliases.get(&(id.clone(), kind, hash)).cloned())
                }
            };
            Known { void, sighting: code.as_ref().and_then(seen), code }
        };
        Ok(names.iter().map(known).collect())
    }

    fn bases(&self, codes: &[InfoCode]) -> Result<Vec<Basis>> {
        let maps = self.maps();
        Ok(codes.iter().map(|code| maps.basis(code)).collect())
    }

    fn body(&self, code: &InfoCode) -> Result<Body> {
        Ok(self.maps().bodies.get(&code.key()).cloned().unwrap_or_default())
    }

    fn listings(&self, code: &InfoCode) -> Result<Vec<(SourceId, Sighting)>> {
        let key = code.key();
        let maps = self.maps();
        let own = maps.seen.range((key.clone(), 0)..=(key, usize::MAX));
        Ok(own.map(|((_, number), seen)| (maps.numbers[*number].clone(), seen.clone())).collect())
    }

    fn past(&self, code: &InfoCode) -> Result<Past> {
        Ok(self.maps().past(&code.key()))
    }

    fn versions(&self, code: &InfoCode) -> Result<Vec<Article>> {
        let maps = self.maps();
        let own = maps.versions.range((code.key(), 0)..=(code.key(), u64::MAX));
        Ok(own.map(|(_, article)| article.clone()).collect())
    }

    fn find(&self, text: &str, limit: usize) -> Result<Vec<Item>> {
        let wanted = text.to_lowercase();
        let maps = self.maps();
        let items = maps.of(CategoryId::SITE).rev().filter_map(|(_, code, ..)| maps.items.get(code));
        let found = items.filter(|item| {
            item.title.to_lowercase().contains(&wanted) || item.code.code().to_lowercase().contains(&wanted)
        });
        Ok(found.take(limit).cloned().collect())
    }

    fn at_path(&self, path: &str) -> Result<Option<AtPath>> {
        Ok(self.maps().paths.get(path).cloned())
    }

    fn redirects(&self, after: &str, limit: usize) -> Result<Vec<(String, String)>> {
        let maps = self.maps();
        let later = maps.paths.iter().filter(|(path, _)| path.as_str() > after);
        let moved = later.filter_map(|(path, stands)| match stands {
            AtPath::Redirect(target) => Some((path.clone(), target.clone())),
            AtPath::Article(_) => None,
        });
        Ok(moved.take(limit).collect())
    }

    fn commit(&self, changes: Vec<Change>, now: Timestamp) -> Result<Vec<InfoCode>> {
        Ok(self.change(|maps| maps.commit(changes, now)))
    }

    fn act(&self, code: &InfoCode, act: Act<'_>, now: Timestamp) -> Result<bool> {
        Ok(self.change(|maps| match act {
            Act::Withdraw(tombstone) => maps.withdraw(code, tombstone),
            Act::Restore { tombstone, why } => maps.restore(code, tombstone, why, now),
            Act::Move(decided) => maps.reroute(code, decided, now),
        }))
    }

    fn sweep(&self, category: CategoryId, keep: Retention, limit: usize, now: Timestamp) -> Result<usize> {
        Ok(self.change(|maps| maps.sweep(category, keep, limit, now)))
    }
}

impl MemoryStore {
    /// Changes items, and raises the generation to that of the items changed, so that a consumer that walks all
    /// items finds them even if they are in no category.
    fn change<R>(&self, work: impl FnOnce(&mut Maps) -> R) -> R {
        let mut maps = self.maps();
        let done = work(&mut maps);
        maps.generation = maps.generation.max(maps.noted);
        done
    }
}

impl Maps {
    fn commit(&mut self, changes: Vec<Change>, now: Timestamp) -> Vec<InfoCode> {
        let (mut touched, mut refused) = (BTreeSet::new(), Vec::new());
        let mut archived = BTreeSet::new();
        for change in changes {
            archived.extend(change.enters.iter().filter(|place| !place.shown).map(|place| place.category));
            if self.stands(&change) {
                self.apply(change, &mut touched);
            } else {
                refused.push(change.code);
            }
        }
        for id in touched {
            self.touch(id, now);
        }
        for id in archived {
            if self.close_archived(id) {
                self.touch(id, Timestamp::EPOCH);
            }
        }
        refused
    }
}
