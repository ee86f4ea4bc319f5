//! The ingest of one document: a decision on each record in turn; nothing is stored yet.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tracing::{debug, error};

use super::decision::{
    Correction, Decision, Outcome, check_due, correction, decide, is_changed, is_up_to_date,
};
use super::details::Detailed;
use super::document_context::{Arrival, Counts, DecidedChange, DocumentContext};
use super::draft::{self, Draft};
use super::identity::{Listed, entry_order};
use super::routing::Routing;
use crate::model::text::clip_bytes;
use crate::model::{Category, Cursor, InfoCode, Item, Signs, Timestamp};
use crate::store::{Basis, Change, Event, EventKind, Name, Result, Sighting, Store, Tombstone, WithdrawnBy};

/// The ingest of one document; runs on a blocking thread.
pub(super) struct DocumentIngest {
    pub(super) context: DocumentContext,
    /// Cursor of the last published generation.
    pub(super) published: Cursor,
    pub(super) changes: Vec<DecidedChange>,
    pub(super) counts: Counts,
    /// Number of new items without a date so far.
    pub(super) undated: i64,
    /// The newspaper's name of the last record, and its categories.
    pub(super) routed: Option<(Option<String>, Vec<Category>)>,
}

impl DocumentIngest {
    /// Creates the ingest of a document, with no decision made yet.
    pub(super) fn new(context: &DocumentContext) -> Self {
        Self {
            context: context.clone(),
            published: Cursor::default(),
            changes: Vec::new(),
            counts: Counts::default(),
            undated: 0,
            routed: None,
        }
    }

    /// Decides again on records whose items had changed before the commit.
    pub(super) fn again(
        self,
        store: &dyn Store,
        routing: &Routing,
        mut records: Vec<Detailed>,
    ) -> Result<Vec<DecidedChange>> {
        let codes: Vec<InfoCode> = records.iter().map(|record| record.listed.code.clone()).collect();
        let names: Vec<Name> = codes.into_iter().map(Name::Code).collect();
        for (record, known) in records.iter_mut().zip(store.known(&self.context.source.id, &names)?) {
            record.listed.sighting = known.sighting;
        }
        Ok(self.run(store, routing, records)?.1)
    }

    /// Decides on all records, and returns the changes in the order in which they are to be stored.
    pub(super) fn run(
        mut self,
        store: &dyn Store,
        routing: &Routing,
        ready: Vec<Detailed>,
    ) -> Result<(Counts, Vec<DecidedChange>)> {
        self.published = store.published()?;
        let (up_to_date, open): (Vec<_>, Vec<_>) = ready
            .into_iter()
            .partition(|one| one.hash.is_none() && is_up_to_date(&one.listed, self.context.now));
        self.counts.unchanged += up_to_date.len();
        for one in &up_to_date {
            self.counts.note_check(one.listed.sighting.as_ref());
        }
        let codes: Vec<InfoCode> = open.iter().map(|one| one.listed.code.clone()).collect();
        let bases = if codes.is_empty() { Vec::new() } else { store.bases(&codes)? };
        for ((detailed, code), basis) in open.into_iter().zip(codes).zip(bases) {
            // HTML is cleaned by third-party code: a panic in one record must not lose the others.
            let done = catch_unwind(AssertUnwindSafe(|| self.decide_record(store, routing, detailed, basis)));
            if let Ok(result) = done {
                result?;
            } else {
                error!(source.id = %self.context.source.id, info_code = %code, "a record could not be ingested");
                self.counts
                    .broken
                    .push(format!("{}: it cannot be cleaned; this is a fault of feedmill", code.code()));
            }
        }
        let mut changes = std::mem::take(&mut self.changes);
        changes.sort_by(|a, b| entry_order(age_of(&a.change), age_of(&b.change)));
        if self.context.arrival != Arrival::Done {
            self.hold_back_newcomers(&mut changes);
        }
        Ok((self.counts, changes))
    }

    /// Decides on one record.
    fn decide_record(
        &mut self,
        store: &dyn Store,
        routing: &Routing,
        detailed: Detailed,
        mut basis: Basis,
    ) -> Result<()> {
        let Detailed { listed, hash } = &detailed;
        let hash = *hash;
        let source = Arc::clone(&self.context.source);
        if listed.sighting.is_none() {
            self.counts.arrived.push(listed.entry.published.or(listed.entry.updated));
        }
        if let Some(tombstone) = basis.tombstone.clone() {
            if !self.restore_relisted(store, listed, &tombstone)? {
                return self.refuse(store, detailed, basis, &tombstone);
            }
            basis = store.basis(&listed.code)?;
        }
        let item = basis.item.clone();
        let (mut decision, mut reason) =
            decide(item.as_ref(), listed, &source.id, source.rank, self.context.now);
        if let (Some(seen), Some(hash), Decision::Keep | Decision::Note) = (&listed.sighting, hash, decision)
        {
            let leads = item.as_ref().is_some_and(|item| item.lead == source.id);
            (decision, reason) = match seen.detail {
                Some(before) if before != hash && leads => (Decision::Revise, "its detail changed"),
                _ => (Decision::Note, "its detail was looked at again"),
            };
        }
        if decision == Decision::Note
            && is_changed(listed)
            && let Some(item) = &item
        {
            match self.correction(store, item)? {
                Correction::Outranked => {}
                Correction::Counts => {
                    (decision, reason) =
                        (Decision::Revise, "the list that gave its content lists it no more");
                }
                Correction::WaitsUntil(time) => {
                    // The previous hash is kept, so that the next poll sees the correction again.
                    self.counts.note_time(time);
                    (decision, reason) = (Decision::Keep, "it waits until its first list has dropped it");
                }
            }
        }
        debug!(source.id = %source.id, info_code = %listed.code, rule = ?listed.rule, decision = ?decision, reason, "decided");
        let mut change = Change::on(listed.code.clone(), basis);
        let sighting = self.sighting(listed, hash);
        self.counts.note_check(Some(&sighting));
        change.sighting = Some((source.id.clone(), sighting));
        change.aliases = listed.aliases().into_iter().map(|alias| (source.id.clone(), alias)).collect();
        change.event = self.event(decision, reason, listed, item.is_some());
        match (decision, item) {
            (Decision::Keep, _) => {
                self.counts.unchanged += 1;
                return Ok(());
            }
            (_, None) => self.insert(store, routing, listed, &mut change)?,
            (decision, Some(item)) => self.update(store, routing, listed, item, decision, &mut change)?,
        }
        self.changes.push(DecidedChange { change, detailed });
        Ok(())
    }

    /// Returns the outcome of a correction of an item whose content is from another source.
    fn correction(&self, store: &dyn Store, item: &Item) -> Result<Correction> {
        // A stub whose detail was not fetched has no text to give.
        if item.lead == self.context.source.id || self.context.source.has_details() {
            return Ok(Correction::Outranked);
        }
        let listings = store.listings(&item.code)?;
        let lead = listings.iter().find(|(source, _)| *source == item.lead);
        Ok(lead.map_or(Correction::Outranked, |(_, seen)| correction(seen.last, self.context.now)))
    }

    /// Restores an item that its source deleted and now lists again; returns whether it did.
    fn restore_relisted(
        &mut self,
        store: &dyn Store,
        listed: &Listed,
        tombstone: &Tombstone,
    ) -> Result<bool> {
        if tombstone.by != WithdrawnBy::Source || tombstone.erased {
            return Ok(false);
        }
        let why = format!("{} lists it again", self.context.source.id);
        let back = store.restore(&listed.code, tombstone, &why, self.context.now)?;
        self.counts.joined += usize::from(back);
        Ok(back)
    }

    /// Keeps an item withdrawn that is listed again; the sighting is stored, and the event is recorded once.
    fn refuse(
        &mut self,
        store: &dyn Store,
        detailed: Detailed,
        basis: Basis,
        tombstone: &Tombstone,
    ) -> Result<()> {
        let listed = &detailed.listed;
        let mut change = Change::on(listed.code.clone(), basis);
        let source = self.context.source.id.clone();
        change.sighting = Some((source.clone(), self.sighting(listed, detailed.hash)));
        // Its new guid becomes an alias, or the next poll would take it for another article.
        change.aliases = listed.aliases().into_iter().map(|alias| (source.clone(), alias)).collect();
        let by_rule = tombstone.by == WithdrawnBy::Rule;
        if !by_rule && listed.sighting.as_ref().is_none_or(|seen| seen.last <= tombstone.at) {
            let why = format!("withdrawn at {}: {}", tombstone.at.rfc3339(), tombstone.why);
            change.event = Some(self.new_event(EventKind::Refused, &why, listed));
        }
        if by_rule && !tombstone.erased && !self.context.source.has_details() {
            self.update_dropped(store, listed, tombstone, &mut change)?;
        }
        let same = listed.sighting.as_ref().is_some_and(|seen| seen.listed == listed.hash);
        if change.tombstone.is_none() && !same {
            change.tombstone = Some(self.with_signs(listed, tombstone));
        }
        self.counts.unchanged += 1;
        self.changes.push(DecidedChange { change, detailed });
        Ok(())
    }

    /// Returns a tombstone with the current signs of its item, by which it is recognized under another guid.
    fn with_signs(&self, listed: &Listed, tombstone: &Tombstone) -> Tombstone {
        let Draft { title, excerpt, .. } = draft::draft(&self.context.source, &listed.entry);
        let date = listed.entry.published.or(listed.entry.updated);
        Tombstone { signs: Some(Signs::new(&listed.code, &title, &excerpt, date)), ..tombstone.clone() }
    }

    /// Updates a dropped item to what its source gives now, because changed rules may admit it when it is no
    /// longer listed.
    fn update_dropped(
        &mut self,
        store: &dyn Store,
        listed: &Listed,
        tombstone: &Tombstone,
        change: &mut Change,
    ) -> Result<()> {
        let source = Arc::clone(&self.context.source);
        let Some(mut item) = change.basis.item.clone() else { return Ok(()) };
        if decide(Some(&item), listed, &source.id, source.rank, self.context.now).0 != Decision::Revise {
            return Ok(());
        }
        let mut draft = draft::draft(&source, &listed.entry);
        let mut categories = Vec::new();
        for id in &item.categories {
            categories.extend(store.category(*id)?);
        }
        self.apply_rules(store, &mut draft, Some(item.published), categories)?;
        if self.revise(store, &mut item, draft, change)? == Outcome::Revised {
            change.item = Some(item);
        }
        // The item stays withdrawn, and nothing that is published changes.
        change.tombstone = change.item.is_some().then(|| tombstone.clone());
        Ok(())
    }

    /// Returns the event of a decision; `None` for what every poll sees.
    fn event(&self, decision: Decision, reason: &str, listed: &Listed, known: bool) -> Option<Event> {
        let what = match decision {
            _ if !known => EventKind::Inserted,
            Decision::Revise => EventKind::Revised,
            Decision::Insert | Decision::Note if listed.sighting.is_none() => EventKind::Listed,
            _ => return None,
        };
        Some(self.new_event(what, reason, listed))
    }

    fn new_event(&self, what: EventKind, why: &str, listed: &Listed) -> Event {
        Event {
            at: self.context.now,
            what,
            source: Some(self.context.source.id.clone()),
            why: clip_bytes(why, 300),
            known_by: listed.rule.to_string(),
            answer: Some(self.context.answer),
        }
    }

    fn sighting(&self, listed: &Listed, detail: Option<crate::model::ContentHash>) -> Sighting {
        match &listed.sighting {
            Some(seen) => Sighting {
                first: seen.first,
                last: self.context.now.max(seen.last),
                listed: listed.hash,
                guid: listed.guid.or(seen.guid),
                checks: seen.checks + u8::from(detail.is_some() && check_due(seen, self.context.now)),
                detail: detail.or(seen.detail),
            },
            None => Sighting {
                first: self.context.now,
                last: self.context.now,
                listed: listed.hash,
                guid: listed.guid,
                checks: 0,
                detail,
            },
        }
    }
}

fn age_of(change: &Change) -> (Timestamp, &InfoCode) {
    (change.item.as_ref().map_or(Timestamp::EPOCH, |item| item.published), &change.code)
}
