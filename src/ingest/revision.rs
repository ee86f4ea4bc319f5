//! New items, and changes of known ones.

use super::article;
use super::decision::{Decision, MAX_REVISIONS, Outcome, REVISION_EVERY};
use super::document_ingest::DocumentIngest;
use super::draft::{self, Draft};
use super::identity::Listed;
use super::routing::Routing;
use super::volatile::comparable_html;
use crate::model::text::clip_bytes;
use crate::model::{CategoryId, Item, SourceId, item::caps};
use crate::source::Source;
use crate::store::{
    Change, Event, EventKind, Placement, Result, Revision, Sighting, Store, Tombstone, WithdrawnBy,
};

impl DocumentIngest {
    /// Makes a new item of a record.
    pub(super) fn insert(
        &mut self,
        store: &dyn Store,
        routing: &Routing,
        listed: &Listed,
        change: &mut Change,
    ) -> Result<()> {
        let mut draft = draft::draft(&self.context.source, &listed.entry);
        let routed = self.route(store, routing, draft.media_name.as_deref())?;
        let published = listed.entry.published.or(listed.entry.updated);
        let (verdict, categories) = self.apply_rules(store, &mut draft, published, routed)?;
        let Some(home) = categories.first() else { return Ok(()) };
        let place = (self.context.options.zone, self.context.options.bare_space.as_ref());
        let mut article = article::new_article(
            &self.context.source,
            listed,
            draft,
            home,
            place,
            (self.context.now, self.undated),
        );
        self.undated += i64::from(published.is_none());
        article.item.categories.extend(categories.iter().skip(1).map(|category| category.id));
        article.item.categories[1..].sort_unstable();
        if verdict.dropped.is_some() {
            // The item is kept, but withdrawn: changed rules may admit it again.
            let why = verdict.told();
            change.tombstone = Some(Tombstone::new(self.context.now, WithdrawnBy::Rule, why, false));
            self.counts.dropped += 1;
        } else {
            let places = article.item.categories.iter().copied().chain([CategoryId::SITE]);
            change.enters = places.map(shown).collect();
            self.counts.inserted += 1;
        }
        if let Some(event) = change.event.as_mut().filter(|_| !verdict.told().is_empty()) {
            event.why = clip_bytes(&format!("{}; {}", event.why, verdict.told()), 300);
            if verdict.dropped.is_some() {
                event.what = EventKind::Dropped;
            }
        }
        change.item = Some(article.item);
        change.body = Some(article.body);
        Ok(())
    }

    /// Applies a record to a known item: further categories, and what changed.
    pub(super) fn update(
        &mut self,
        store: &dyn Store,
        routing: &Routing,
        listed: &Listed,
        mut item: Item,
        decision: Decision,
        change: &mut Change,
    ) -> Result<()> {
        let revises = decision == Decision::Revise;
        let first_listing = listed.sighting.is_none();
        // The categories of a record are decided when it is first listed, or has changed.
        let mut joins = false;
        let mut draft = None;
        if revises || first_listing {
            let unnamed =
                source_routes(&self.context.source, listed) || !self.context.options.rules.is_empty();
            draft = (revises || unnamed).then(|| draft::draft(&self.context.source, &listed.entry));
            let named =
                draft.as_ref().map_or(listed.entry.media_name.as_deref(), |d| d.media_name.as_deref());
            let named = named.map(str::to_owned);
            let mut categories = self.route(store, routing, named.as_deref())?;
            if let Some(draft) = &mut draft {
                let (verdict, placed) = self.apply_rules(store, draft, Some(item.published), categories)?;
                // A stored item is dropped by `reroute` only (RULES 5.5).
                categories = if verdict.dropped.is_some() { Vec::new() } else { placed };
            }
            if change.basis.placed {
                categories.clear();
            }
            for category in categories {
                if item.categories.contains(&category.id) || item.categories.len() >= caps::CATEGORIES {
                    continue;
                }
                joins = true;
                item.categories.push(category.id);
                // The set is the same whichever source came first; the home category stays first.
                item.categories[1..].sort_unstable();
                change.enters.push(shown(category.id));
            }
        }
        let draft = draft.filter(|_| revises);
        let outcome = match draft {
            Some(draft) => self.revise(store, &mut item, draft, change)?,
            None => Outcome::Same,
        };
        let revised = outcome == Outcome::Revised;
        if outcome == Outcome::Waits {
            self.wait_to_revise(listed, &item, change);
        }
        if let Some(event) = &mut change.event {
            finish_event(event, joins, outcome);
        }
        self.counts.joined += usize::from(joins && !revised);
        self.counts.updated += usize::from(revised);
        self.counts.unchanged += usize::from(!joins && !revised);
        if joins || revised || change.item.is_some() {
            change.item = Some(item);
        }
        Ok(())
    }

    /// Copies a draft into its item, unless its published form has changed too often lately (RULES 1.5).
    pub(super) fn revise(
        &self,
        store: &dyn Store,
        item: &mut Item,
        draft: Draft,
        change: &mut Change,
    ) -> Result<Outcome> {
        let body = store.body(&item.code)?;
        let real = item.title != draft.title
            || (body.html != draft.body.html
                && comparable_html(&body.html) != comparable_html(&draft.body.html));
        let differs = real
            || item.link != draft.link
            || item.media_name != draft.media_name
            || item.image != draft.image
            || body != draft.body;
        let public = self.published.covers(item.generation);
        // An imported item is seen at its source for the first time: this is no change of the article.
        let first_hand = item.imported && item.lead == SourceId::import();
        let counts = real && public && !first_hand;
        if counts && self.has_to_wait(store, item, &draft)? {
            return Ok(Outcome::Waits);
        }
        let took_over = item.lead != self.context.source.id || item.rank != self.context.source.rank;
        let before = std::mem::replace(&mut item.lead, self.context.source.id.clone());
        item.rank = self.context.source.rank;
        if !differs {
            if took_over {
                change.item = Some(item.clone());
            }
            if before != item.lead {
                // Feeds name the source of an article.
                change.body = Some(body);
            }
            return Ok(Outcome::Same);
        }
        if counts {
            item.revisions += 1;
            change.replaces = Some(Revision {
                replaced_at: self.context.now,
                title: item.title.clone(),
                excerpt: item.excerpt.clone(),
                lead: before,
            });
            item.updated = self.context.now.max(item.published);
        }
        item.title = draft.title;
        item.link = draft.link;
        item.excerpt = draft.excerpt;
        item.media_name = draft.media_name;
        item.image = draft.image;
        change.body = Some(draft.body);
        Ok(Outcome::Revised)
    }

    /// Returns whether a change is one of many, or reverts an earlier one, and less than a day has passed since
    /// the last published one.
    fn has_to_wait(&self, store: &dyn Store, item: &Item, draft: &Draft) -> Result<bool> {
        if item.revisions == 0 || self.context.now.since(item.updated) >= REVISION_EVERY {
            return Ok(false);
        }
        if item.revisions >= MAX_REVISIONS {
            return Ok(true);
        }
        let earlier = store.past(&item.code)?.revisions;
        Ok(earlier.iter().any(|form| form.title == draft.title && form.excerpt == draft.excerpt))
    }

    /// Delays a change until it may be published: the next listing is compared again.
    fn wait_to_revise(&mut self, listed: &Listed, item: &Item, change: &mut Change) {
        self.counts.note_time(item.updated.plus(REVISION_EVERY));
        let Some((_, sighting)) = &mut change.sighting else { return };
        let waiting = Sighting { detail: sighting.detail, ..sighting.never_listed() };
        *sighting = waiting;
        if listed.sighting.as_ref().is_some_and(|seen| seen.listed == sighting.listed) {
            // The event is recorded once.
            change.event = None;
        }
    }
}

/// Corrects the kind of an event once the outcome of a further listing is known.
fn finish_event(event: &mut Event, joins: bool, outcome: Outcome) {
    let revised = outcome == Outcome::Revised;
    event.what = match event.what {
        EventKind::Revised if outcome == Outcome::Waits => EventKind::Counted,
        EventKind::Revised if !revised && joins => EventKind::Joined,
        // The content is the same; only its source has changed.
        EventKind::Revised if !revised => EventKind::Listed,
        EventKind::Listed if joins => EventKind::Joined,
        what => what,
    };
}

/// Returns whether only the text names the newspaper whose category the record gets.
fn source_routes(source: &Source, listed: &Listed) -> bool {
    source.route_by_media && listed.entry.media_name.is_none()
}

fn shown(category: CategoryId) -> Placement {
    Placement { category, shown: true }
}
