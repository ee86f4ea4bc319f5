//! Verbs that change many things: claims, withdrawals, restores, moves and retention.

use std::collections::BTreeSet;

use super::maps::{Code, Maps, told, with_site};
use crate::model::{Article, Category, CategoryId, InfoCode, Item, SourceId, SourceState, Timestamp};
use crate::store::claims;
use crate::store::{
    Claim, EventKind, MAX_CHANGES, Move, Mover, RecordKind, Retention, Tombstone, WithdrawnBy,
};

impl Maps {
    pub(super) fn due_from(&self, time: Timestamp, limit: usize) -> Vec<(Timestamp, SourceId)> {
        let mut due: Vec<(Timestamp, usize, &SourceId)> = Vec::new();
        for (number, id) in self.numbers.iter().enumerate() {
            let next = self.states.get(id).map(|state| state.next_poll).filter(|next| *next >= time);
            due.extend(next.map(|next| (next, number, id)));
        }
        due.sort_unstable();
        due.into_iter().take(limit).map(|(next, _, id)| (next, id.clone())).collect()
    }

    /// Returns until when a source's host asked not to be polled.
    pub(super) fn pause(&self, state: &SourceState, now: Timestamp) -> Option<Timestamp> {
        let known = self.records.get(&(RecordKind::Host, state.host.clone().into_bytes()));
        known.and_then(|bytes| claims::pause_in(bytes, now))
    }

    pub(super) fn claim_due(&mut self, by: &str, now: Timestamp, limit: usize, lease: i64) -> Vec<Claim> {
        let maps = self;
        let latest = maps.clock;
        let went_back = claims::went_back(latest, now);
        if went_back {
            for (number, record) in (0..).zip(maps.sources()) {
                if let Some(state) = claims::planned_anew(number, &record.state, latest, now) {
                    maps.put_state(&record.id, state);
                }
            }
            if claims::far_back(latest, now) {
                let mut late: Vec<&Category> =
                    maps.categories.values().filter(|c| c.changed_at > now).collect();
                late.sort_by_key(|category| (category.id == CategoryId::SITE, &category.slug));
                for id in late.into_iter().map(|category| category.id).collect::<Vec<_>>() {
                    maps.touch(id, now);
                    maps.categories.entry(id).and_modify(|category| category.changed_at = now);
                }
            }
        }
        if went_back || claims::moved(latest, now) {
            maps.clock = now;
        }
        let mut due: Vec<(Timestamp, usize)> = Vec::new();
        for (number, id) in maps.numbers.iter().enumerate() {
            due.extend(
                maps.states.get(id).filter(|state| state.next_poll <= now).map(|s| (s.next_poll, number)),
            );
        }
        due.sort_unstable();
        due.truncate(limit);
        let mut claimed = Vec::new();
        for (_, number) in due {
            let id = maps.numbers[number].clone();
            let before = maps.state(&id);
            if let Some(until) = maps.pause(&before, now) {
                maps.put_state(&id, before.resting(until));
                continue;
            }
            let (claim, state) = claims::claimed(id, before, by, now, lease);
            maps.put_state(&claim.id, state);
            claimed.push(claim);
        }
        claimed
    }

    pub(super) fn withdraw(&mut self, code: &InfoCode, tombstone: &Tombstone) -> bool {
        let key = code.key();
        let before = self.tombs.get(&key);
        let yields = before.is_none_or(|before| before.yields_to(tombstone));
        let Some(item) = self.items.get(&key).filter(|_| yields).cloned() else { return false };
        let leaves = if before.is_some() { Vec::new() } else { with_site(&item) };
        self.take_out(&item, &leaves, tombstone);
        true
    }

    pub(super) fn restore(
        &mut self,
        code: &InfoCode,
        tombstone: &Tombstone,
        why: &str,
        now: Timestamp,
    ) -> bool {
        let maps = self;
        let key = code.key();
        let Some(item) = maps.items.get(&key).cloned().filter(|_| maps.tombs.get(&key) == Some(tombstone))
        else {
            return false;
        };
        maps.tombs.remove(&key);
        maps.put_item(item.clone());
        maps.enter_all(&item, &item.categories, now);
        let listings = maps.seen.range_mut((key.clone(), 0)..=(key.clone(), usize::MAX));
        let mut sources = Vec::new();
        for ((_, number), sighting) in listings {
            *sighting = sighting.never_listed();
            sources.push(maps.numbers[*number].clone());
        }
        for source in sources {
            if let Some(state) = maps.states.get_mut(&source) {
                state.forget_document();
            }
        }
        maps.tell(&key, told(now, EventKind::Restored, why));
        true
    }

    pub(super) fn reroute(&mut self, code: &InfoCode, decided: &Move, now: Timestamp) -> bool {
        let maps = self;
        let key = code.key();
        let Some(item) = maps.items.get(&key).cloned() else { return false };
        let Move { from, to, why, by } = decided;
        let stays = *by == Mover::Rules && maps.basis(code).placed;
        if to.is_empty() || item.categories != *from || stays {
            return false;
        }
        if *by == Mover::Admin {
            maps.records.insert((RecordKind::Placement, key.clone()), Vec::new());
        }
        if from == to {
            return false;
        }
        maps.keep_form(&item);
        let moved = Item { categories: to.clone(), ..item.clone() };
        maps.put_item(moved.clone());
        maps.tell(&key, told(now, EventKind::Rerouted, why));
        if maps.tombs.contains_key(&key) {
            return true;
        }
        let leaves: Vec<CategoryId> = from.iter().copied().filter(|id| !to.contains(id)).collect();
        let comes: Vec<CategoryId> = to.iter().copied().filter(|id| !from.contains(id)).collect();
        maps.leave(&item, &leaves, now, Some(now));
        maps.enter_all(&moved, &comes, now);
        true
    }

    /// Stores the present form of an item as an earlier one.
    fn keep_form(&mut self, item: &Item) {
        let key = item.code.key();
        let body = self.bodies.get(&key).cloned().unwrap_or_default();
        self.versions.insert((key, item.touched), Article { item: item.clone(), body });
    }

    /// Adds an item to all its categories in which it is not; in those of `back`, entries that report it as
    /// gone are removed.
    fn enter_all(&mut self, item: &Item, back: &[CategoryId], now: Timestamp) {
        let key = item.code.key();
        let mut all = with_site(item);
        all.sort_unstable();
        for id in &all {
            if back.contains(id) {
                self.unsay(*id, &key);
            }
            self.enter(item, *id, true);
            self.touch(*id, now);
        }
    }

    pub(super) fn sweep(
        &mut self,
        category: CategoryId,
        keep: Retention,
        limit: usize,
        now: Timestamp,
    ) -> usize {
        let maps = self;
        let surplus = keep.items.map_or(0, |most| maps.of(category).count().saturating_sub(most));
        let old = |at: Timestamp| keep.age.is_some_and(|age| now.since(at) > age);
        let over: Vec<Code> = maps
            .of(category)
            .take(limit)
            .enumerate()
            .take_while(|(nth, (at, ..))| *nth < surplus || old(*at))
            .map(|(_, (_, code, ..))| code.clone())
            .collect();
        let why = "older than what its category keeps".to_owned();
        let tombstone = Tombstone::new(now, WithdrawnBy::Retention, why, true);
        for at_once in over.chunks(MAX_CHANGES) {
            let mut left = BTreeSet::new();
            for key in at_once {
                let Some(mut item) = maps.items.get(key).cloned() else { continue };
                if item.categories.iter().all(|id| *id == category) {
                    left.extend(maps.go_all(&item, &with_site(&item), None));
                    maps.stay_out(&item, &tombstone);
                } else {
                    left.extend(maps.go_all(&item, &[category], None));
                    maps.keep_form(&item);
                    item.categories.retain(|id| *id != category);
                    // An item names its categories, so its pages in the others change.
                    left.extend(with_site(&item));
                    maps.put_item(item);
                }
            }
            maps.were_left(left, now);
        }
        over.len()
    }
}
