//! Deciding about the records of one document, one after the other; nothing is stored yet.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tracing::{debug, error};

use super::circumstances::{Arrival, Circumstances, Decided, Tally};
use super::decide::{Decision, MAX_REVISIONS, check_due, decide, settled};
use super::details::Detailed;
use super::draft::{self, Draft};
use super::identity::{Listed, entry_order};
use super::routing::Routing;
use super::{article, ruling};
use crate::model::text::clip_bytes;
use crate::model::{Category, CategoryId, Cursor, InfoCode, Item, Signs, SourceId, Timestamp, item::caps};
use crate::rules::Verdict;
use crate::source::Source;
use crate::store::{
    Basis, Change, Event, EventKind, Name, Placement, Result, Revision, Sighting, Store, Tombstone,
    WithdrawnBy,
};

/// One document on its way into the store; runs on a blocking thread.
pub(super) struct Taking {
    of: Circumstances,
    /// What was published once.
    published: Cursor,
    changes: Vec<Decided>,
    tally: Tally,
    /// New items without a date so far.
    undated: i64,
    /// The newspaper's name that the last record had, and the categories that it came to.
    routed: Option<(Option<String>, Vec<Category>)>,
}

impl Taking {
    /// Ready to decide about records of a document.
    pub(super) fn new(circumstances: &Circumstances) -> Self {
        Self {
            of: circumstances.clone(),
            published: Cursor::default(),
            changes: Vec::new(),
            tally: Tally::default(),
            undated: 0,
            routed: None,
        }
    }

    /// Decides once more about records of which something else stood when they were to be stored.
    pub(super) fn again(
        self,
        store: &dyn Store,
        routing: &Routing,
        mut records: Vec<Detailed>,
    ) -> Result<Vec<Decided>> {
        let codes: Vec<InfoCode> = records.iter().map(|record| record.listed.code.clone()).collect();
        let names: Vec<Name> = codes.into_iter().map(Name::Code).collect();
        for (record, known) in records.iter_mut().zip(store.known(&self.of.source.id, &names)?) {
            record.listed.sighting = known.sighting;
        }
        Ok(self.run(store, routing, records)?.1)
    }

    /// Decides about all records; gives what is to be stored, in the order in which it enters.
    pub(super) fn run(
        mut self,
        store: &dyn Store,
        routing: &Routing,
        ready: Vec<Detailed>,
    ) -> Result<(Tally, Vec<Decided>)> {
        self.published = store.published()?;
        let (settled, open): (Vec<_>, Vec<_>) =
            ready.into_iter().partition(|one| one.hash.is_none() && settled(&one.listed, self.of.now));
        self.tally.unchanged += settled.len();
        for one in &settled {
            self.tally.note_check(one.listed.sighting.as_ref());
        }
        let codes: Vec<InfoCode> = open.iter().map(|one| one.listed.code.clone()).collect();
        let bases = if codes.is_empty() { Vec::new() } else { store.bases(&codes)? };
        for ((detailed, code), basis) in open.into_iter().zip(codes).zip(bases) {
            // The cleaning of hostile HTML is other people's code: what breaks in one record must
            // not cost the others.
            let done = catch_unwind(AssertUnwindSafe(|| self.one(store, routing, detailed, basis)));
            if let Ok(result) = done {
                result?;
            } else {
                error!(source.id = %self.of.source.id, info_code = %code, "a record could not be taken in");
                self.tally
                    .broken
                    .push(format!("{}: it cannot be cleaned; this is a fault of feedmill", code.code()));
            }
        }
        let mut changes = std::mem::take(&mut self.changes);
        changes.sort_by(|a, b| entry_order(age_of(&a.change), age_of(&b.change)));
        if self.of.arrival != Arrival::Done {
            self.hold_back_newcomers(&mut changes);
        }
        Ok((self.tally, changes))
    }

    fn one(
        &mut self,
        store: &dyn Store,
        routing: &Routing,
        detailed: Detailed,
        mut basis: Basis,
    ) -> Result<()> {
        let Detailed { listed, hash } = &detailed;
        let hash = *hash;
        let source = Arc::clone(&self.of.source);
        if listed.sighting.is_none() {
            self.tally.arrived.push(listed.entry.published.or(listed.entry.updated));
        }
        if let Some(tombstone) = basis.tombstone.clone() {
            if !self.came_back(store, listed, &tombstone)? {
                return self.refuse(store, detailed, basis, &tombstone);
            }
            basis = store.basis(&listed.code)?;
        }
        let item = basis.item.clone();
        let (mut decision, mut reason) = decide(item.as_ref(), listed, &source.id, source.rank, self.of.now);
        if let (Some(seen), Some(hash), Decision::Keep | Decision::Note) = (&listed.sighting, hash, decision)
        {
            let leads = item.as_ref().is_some_and(|item| item.lead == source.id);
            (decision, reason) = match seen.detail {
                Some(before) if before != hash && leads => (Decision::Revise, "its detail changed"),
                _ => (Decision::Note, "its detail was looked at again"),
            };
        }
        debug!(source.id = %source.id, info_code = %listed.code, rule = ?listed.rule, decision = ?decision, reason, "decided");
        let mut change = Change::on(listed.code.clone(), basis);
        let sighting = self.sighting(listed, hash);
        self.tally.note_check(Some(&sighting));
        change.sighting = Some((source.id.clone(), sighting));
        change.aliases = listed.aliases().into_iter().map(|alias| (source.id.clone(), alias)).collect();
        change.event = self.event(decision, reason, listed, item.is_some());
        match (decision, item) {
            (Decision::Keep, _) => {
                self.tally.unchanged += 1;
                return Ok(());
            }
            (_, None) => self.insert(store, routing, listed, &mut change)?,
            (decision, Some(item)) => self.touch(store, routing, listed, item, decision, &mut change)?,
        }
        self.changes.push(Decided { change, detailed });
        Ok(())
    }

    /// What its source deleted, and now lists again, is back.
    fn came_back(&mut self, store: &dyn Store, listed: &Listed, tombstone: &Tombstone) -> Result<bool> {
        if tombstone.by != WithdrawnBy::Source || tombstone.erased {
            return Ok(false);
        }
        let why = format!("{} lists it again", self.of.source.id);
        let back = store.restore(&listed.code, tombstone, &why, self.of.now)?;
        self.tally.joined += usize::from(back);
        Ok(back)
    }

    /// A withdrawn item that is listed again stays out; that it was is noted, and told once.
    fn refuse(
        &mut self,
        store: &dyn Store,
        detailed: Detailed,
        basis: Basis,
        tombstone: &Tombstone,
    ) -> Result<()> {
        let listed = &detailed.listed;
        let mut change = Change::on(listed.code.clone(), basis);
        let source = self.of.source.id.clone();
        change.sighting = Some((source.clone(), self.sighting(listed, detailed.hash)));
        // It is known under its new guid as well, or the next poll would take it for another article.
        change.aliases = listed.aliases().into_iter().map(|alias| (source.clone(), alias)).collect();
        let told = tombstone.by == WithdrawnBy::Rule;
        if !told && listed.sighting.as_ref().is_none_or(|seen| seen.last <= tombstone.at) {
            let why = format!("withdrawn at {}: {}", tombstone.at.rfc3339(), tombstone.why);
            change.event = Some(self.told(EventKind::Refused, &why, listed));
        }
        if told && !tombstone.erased && !self.of.source.has_details() {
            self.keep_up(store, listed, tombstone, &mut change)?;
        }
        let same = listed.sighting.as_ref().is_some_and(|seen| seen.listed == listed.hash);
        if change.tombstone.is_none() && !same {
            change.tombstone = Some(self.known_by(listed, tombstone));
        }
        self.tally.unchanged += 1;
        self.changes.push(Decided { change, detailed });
        Ok(())
    }

    /// A tombstone with the signs of its item as its source gives it now: by these it is known under another guid.
    fn known_by(&self, listed: &Listed, tombstone: &Tombstone) -> Tombstone {
        let Draft { title, excerpt, .. } = draft::draft(&self.of.source, &listed.entry);
        let date = listed.entry.published.or(listed.entry.updated);
        Tombstone { signs: Some(Signs::new(&listed.code, &title, &excerpt, date)), ..tombstone.clone() }
    }

    /// Keeps what a rule has taken out as its source gives it now: other rules may let it in when it is listed no
    /// more.
    fn keep_up(
        &mut self,
        store: &dyn Store,
        listed: &Listed,
        tombstone: &Tombstone,
        change: &mut Change,
    ) -> Result<()> {
        let source = Arc::clone(&self.of.source);
        let Some(mut item) = change.basis.item.clone() else { return Ok(()) };
        if decide(Some(&item), listed, &source.id, source.rank, self.of.now).0 != Decision::Revise {
            return Ok(());
        }
        let mut draft = draft::draft(&source, &listed.entry);
        let mut categories = Vec::new();
        for id in &item.categories {
            categories.extend(store.category(*id)?);
        }
        self.judged(store, &mut draft, Some(item.published), categories)?;
        if self.revise(store, &mut item, draft, change)? {
            change.item = Some(item);
        }
        // It stays out, and nothing that is published changes.
        change.tombstone = change.item.is_some().then(|| tombstone.clone());
        Ok(())
    }

    /// What a decision adds to the item's story; nothing for what every poll sees.
    fn event(&self, decision: Decision, reason: &str, listed: &Listed, known: bool) -> Option<Event> {
        let what = match decision {
            _ if !known => EventKind::Inserted,
            Decision::Revise => EventKind::Revised,
            Decision::Insert | Decision::Note if listed.sighting.is_none() => EventKind::Listed,
            _ => return None,
        };
        Some(self.told(what, reason, listed))
    }

    fn told(&self, what: EventKind, why: &str, listed: &Listed) -> Event {
        Event {
            at: self.of.now,
            what,
            source: Some(self.of.source.id.clone()),
            why: clip_bytes(why, 300),
            known_by: listed.rule.to_string(),
            answer: Some(self.of.answer),
        }
    }

    fn sighting(&self, listed: &Listed, detail: Option<crate::model::ContentHash>) -> Sighting {
        match &listed.sighting {
            Some(seen) => Sighting {
                first: seen.first,
                last: self.of.now.max(seen.last),
                listed: listed.hash,
                guid: listed.guid.or(seen.guid),
                checks: seen.checks + u8::from(detail.is_some() && check_due(seen, self.of.now)),
                detail: detail.or(seen.detail),
            },
            None => Sighting {
                first: self.of.now,
                last: self.of.now,
                listed: listed.hash,
                guid: listed.guid,
                checks: 0,
                detail,
            },
        }
    }

    /// The categories that the source's config sends a record to.
    fn route(
        &mut self,
        store: &dyn Store,
        routing: &Routing,
        media_name: Option<&str>,
    ) -> Result<Vec<Category>> {
        // All of a document mostly go the same way.
        if let Some((_, known)) = self.routed.as_ref().filter(|(name, _)| name.as_deref() == media_name) {
            return Ok(known.clone());
        }
        let route = routing.route(
            store,
            &self.of.source,
            media_name,
            self.of.arrival != Arrival::Done,
            self.of.now,
        )?;
        self.tally.waiting.extend(route.waiting);
        let mut categories = vec![route.category];
        for choice in &self.of.source.also {
            categories.push(ruling::ensure(store, choice, self.of.now)?);
        }
        self.routed = Some((media_name.map(str::to_owned), categories.clone()));
        Ok(categories)
    }

    /// What the rules make of a draft: it is rewritten, and its categories are theirs.
    fn judged(
        &mut self,
        store: &dyn Store,
        draft: &mut Draft,
        published: Option<Timestamp>,
        categories: Vec<Category>,
    ) -> Result<(Verdict, Vec<Category>)> {
        let rules = Arc::clone(&self.of.options.rules);
        let verdict = if rules.is_empty() {
            Verdict::default()
        } else {
            let subject = ruling::subject(draft, ruling::age(published, self.of.now));
            let verdict = ruling::judge(&rules, store, &subject, &self.of.source.id, &categories);
            ruling::count(&mut self.tally.counts, &verdict);
            verdict
        };
        ruling::rewrite(draft, &verdict, &self.of.source.cleaner);
        let categories = ruling::placed(store, &verdict, categories, self.of.now)?;
        Ok((verdict, categories))
    }

    fn insert(
        &mut self,
        store: &dyn Store,
        routing: &Routing,
        listed: &Listed,
        change: &mut Change,
    ) -> Result<()> {
        let mut draft = draft::draft(&self.of.source, &listed.entry);
        let routed = self.route(store, routing, draft.media_name.as_deref())?;
        let published = listed.entry.published.or(listed.entry.updated);
        let (verdict, categories) = self.judged(store, &mut draft, published, routed)?;
        let Some(home) = categories.first() else { return Ok(()) };
        let place = (self.of.options.zone, self.of.options.bare_space.as_ref());
        let mut article =
            article::new_article(&self.of.source, listed, draft, home, place, (self.of.now, self.undated));
        self.undated += i64::from(published.is_none());
        article.item.categories.extend(categories.iter().skip(1).map(|category| category.id));
        article.item.categories[1..].sort_unstable();
        if verdict.dropped.is_some() {
            // Kept, and out: changed rules may let it in again.
            let why = verdict.told();
            change.tombstone = Some(Tombstone::new(self.of.now, WithdrawnBy::Rule, why, false));
            self.tally.dropped += 1;
        } else {
            let places = article.item.categories.iter().copied().chain([CategoryId::SITE]);
            change.enters = places.map(shown).collect();
            self.tally.inserted += 1;
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

    fn touch(
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
        // Where a record goes is decided when it is first listed, or says something new.
        let mut joins = false;
        let mut draft = None;
        if revises || first_listing {
            let unnamed = source_routes(&self.of.source, listed) || !self.of.options.rules.is_empty();
            draft = (revises || unnamed).then(|| draft::draft(&self.of.source, &listed.entry));
            let named =
                draft.as_ref().map_or(listed.entry.media_name.as_deref(), |d| d.media_name.as_deref());
            let named = named.map(str::to_owned);
            let mut categories = self.route(store, routing, named.as_deref())?;
            if let Some(draft) = &mut draft {
                let (verdict, placed) = self.judged(store, draft, Some(item.published), categories)?;
                // What stands already is dropped by `reroute` alone (RULES 5.5).
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
                // The same set whichever source came first; the home category leads.
                item.categories[1..].sort_unstable();
                change.enters.push(shown(category.id));
            }
        }
        let draft = draft.filter(|_| revises);
        let revised = match draft {
            Some(draft) => self.revise(store, &mut item, draft, change)?,
            None => false,
        };
        if let Some(event) = &mut change.event {
            settle_event(event, joins, revised, item.revisions > MAX_REVISIONS);
        }
        self.tally.joined += usize::from(joins && !revised);
        self.tally.updated += usize::from(revised);
        self.tally.unchanged += usize::from(!joins && !revised);
        if joins || revised || change.item.is_some() {
            change.item = Some(item);
        }
        Ok(())
    }

    /// Puts a draft into its item; `true` when what is published changes.
    fn revise(&self, store: &dyn Store, item: &mut Item, draft: Draft, change: &mut Change) -> Result<bool> {
        let body = store.body(&item.code)?;
        let real = item.title != draft.title || body.html != draft.body.html;
        let differs = real
            || item.link != draft.link
            || item.media_name != draft.media_name
            || item.image != draft.image
            || body != draft.body;
        let took_over = item.lead != self.of.source.id || item.rank != self.of.source.rank;
        let before = std::mem::replace(&mut item.lead, self.of.source.id.clone());
        item.rank = self.of.source.rank;
        if !differs {
            if took_over {
                change.item = Some(item.clone());
            }
            return Ok(false);
        }
        let public = self.published.covers(item.generation);
        // What an import brought is only now seen at its source: no change of the article.
        let first_hand = item.imported && before == SourceId::import();
        if real && public && !first_hand {
            item.revisions += 1;
            if item.revisions > MAX_REVISIONS {
                change.item = Some(item.clone());
                return Ok(false);
            }
            change.replaces = Some(Revision {
                replaced_at: self.of.now,
                title: item.title.clone(),
                excerpt: item.excerpt.clone(),
                lead: before,
            });
            item.updated = self.of.now.max(item.published);
        }
        item.title = draft.title;
        item.link = draft.link;
        item.excerpt = draft.excerpt;
        item.media_name = draft.media_name;
        item.image = draft.image;
        change.body = Some(draft.body);
        Ok(true)
    }

    /// RULES 3.1: a new source enters each window with a bounded number of its newest items; the
    /// rest of them goes straight to the archive, in whichever poll it is taken in.
    fn hold_back_newcomers(&self, changes: &mut [Decided]) {
        let mut entered: BTreeMap<CategoryId, usize> = BTreeMap::new();
        for change in changes.iter_mut().rev().map(|decided| &mut decided.change) {
            if let Arrival::Going(since) = self.of.arrival {
                let old = change.item.as_ref().is_some_and(|item| item.published <= since);
                change.enters.iter_mut().for_each(|placement| placement.shown &= !old);
                continue;
            }
            for placement in &mut change.enters {
                let (category, site) = self.of.options.newcomers;
                let most = if placement.category == CategoryId::SITE { site } else { category };
                let count = entered.entry(placement.category).or_default();
                *count += 1;
                placement.shown = *count <= most;
            }
        }
    }
}

/// What a further listing came to, once that is known.
fn settle_event(event: &mut Event, joins: bool, revised: bool, too_often: bool) {
    event.what = match event.what {
        EventKind::Revised if too_often && !revised => EventKind::Counted,
        EventKind::Revised if !revised && joins => EventKind::Joined,
        // What it says now is what it said: another source gives it, that is all.
        EventKind::Revised if !revised => EventKind::Listed,
        EventKind::Listed if joins => EventKind::Joined,
        what => what,
    };
}

/// Whether only the text can tell which newspaper's category the record goes to.
fn source_routes(source: &Source, listed: &Listed) -> bool {
    source.route_by_media && listed.entry.media_name.is_none()
}

fn shown(category: CategoryId) -> Placement {
    Placement { category, shown: true }
}

fn age_of(change: &Change) -> (Timestamp, &InfoCode) {
    (change.item.as_ref().map_or(Timestamp::EPOCH, |item| item.published), &change.code)
}
