//! The records of one document: identities, details, decisions.

use std::sync::Arc;

use super::decision::{Decision, decide, is_up_to_date, wants_detail};
use super::details::Detailed;
use super::document_context::{Arrival, DocumentContext};
use super::document_ingest::DocumentIngest;
use super::identity::{Identified, Listed, identify};
use super::pending::Pending;
use super::poller::Ingest;
use super::report::PollReport;
use super::routing::waiting;
use crate::model::text::clip_bytes;
use crate::model::{Document, InfoCode, SourceState, Timestamp};
use crate::source::Source;
use crate::store::{Basis, Result, Store};

/// Details fetched in one poll (RULES 1.11).
const MAX_DETAILS: usize = 50;
/// Records of the last poll that are remembered as held back, at most.
const HELD_SHOWN: usize = 5;

impl Ingest {
    /// Ingests a document, and returns a summary of it. Its changes may still be pending then.
    pub(super) async fn ingest_document(
        &self,
        source: &Source,
        document: Document,
        state: &mut SourceState,
        (report, pending): (&mut PollReport, &mut Pending),
    ) -> Result<DocumentSummary> {
        let now = self.clock.now();
        let answer = (now, report.bytes as u64);
        report.listed = document.entries.len();
        let document_beyond = document.beyond_cap;
        report.held = document_beyond;
        let arrival = match state.first_good {
            None => Arrival::First,
            Some(since) if state.arriving => Arrival::Going(since),
            Some(_) => Arrival::Done,
        };
        let shared = Arc::new(source.clone());
        let with_details = source.has_details();
        if with_details {
            // Which details are fetched depends on what is stored, so pending changes are waited for.
            self.store_pending(pending).await?;
        }
        let (identified, found, mut ready, wanted) = {
            let source = Arc::clone(&shared);
            self.call(move |store| sort_out(store, &source, document, with_details, now)).await?
        };
        let mut held = identified.held;
        let beyond = wanted.len().saturating_sub(MAX_DETAILS);
        state.arriving = arrival != Arrival::Done && beyond + document_beyond > 0;
        report.held += held.len() + beyond;
        let asked: Vec<Listed> = wanted.into_iter().take(MAX_DETAILS).collect();
        report.details = asked.len();
        let (good, failed, wait) = self.details(source, asked, arrival != Arrival::Done).await;
        report.wait = wait;
        state.arriving |= arrival != Arrival::Done && !failed.is_empty();
        report.held += failed.len();
        held.extend(failed);
        ready.extend(good);

        self.lock_decisions(pending, ready.iter().map(|detailed| &detailed.listed)).await?;
        let options = Arc::clone(&self.options);
        let context =
            Arc::new(DocumentContext { source: shared, epoch: state.epoch, options, arrival, now, answer });
        let (routing, own) = (Arc::clone(&self.routing), Arc::clone(&context));
        let (mut counts, decided) =
            self.call(move |store| DocumentIngest::new(&own).run(store, &routing, ready)).await?;
        self.add(pending, context, decided, std::mem::take(&mut counts.rule_hits)).await?;
        self.release_answers(source, &found.codes).await?;
        report.held += counts.broken.len();
        held.extend(counts.broken);
        let room = HELD_SHOWN.saturating_sub(state.held.len());
        state.held.extend(held.iter().take(room).map(|reason| clip_bytes(reason, 300)));
        report.inserted = counts.inserted;
        report.updated = counts.updated;
        report.joined = counts.joined;
        report.dropped = counts.dropped;
        report.unchanged = counts.unchanged;
        state.next_check = match (state.next_check, counts.next_check) {
            (Some(known), Some(next)) => Some(known.min(next)),
            (known, next) => known.or(next),
        };
        state.waiting_names = waiting(&state.waiting_names, &counts.waiting);
        Ok(DocumentSummary { arrived: counts.arrived, void: identified.void, ..found })
    }
}

impl Ingest {
    /// Keeps the answers of a source again that no longer lists an erased item.
    async fn release_answers(&self, source: &Source, listed: &[InfoCode]) -> Result<()> {
        let withheld = self.options.answers.as_ref().filter(|answers| answers.is_withheld(&source.id));
        let Some(answers) = withheld else { return Ok(()) };
        let codes = listed.to_vec();
        let lists = self.call(move |store| {
            for code in &codes {
                if store.tombstone(code)?.is_some_and(|stone| stone.erased) {
                    return Ok(true);
                }
            }
            Ok(false)
        });
        if !lists.await? {
            answers.release(&source.id);
        }
        Ok(())
    }

    /// Counts what [`Ingest::ingest_document`] would do with a document.
    pub(super) async fn preview_document(
        &self,
        source: &Source,
        document: Document,
        report: &mut PollReport,
    ) -> Result<()> {
        let (own, now) = (source.clone(), self.clock.now());
        report.listed = document.entries.len();
        report.held = document.beyond_cap;
        let details = source.has_details();
        let decided = self.call(move |store| {
            let (identified, _, ready, wanted) = sort_out(store, &own, document, details, now)?;
            let (known, asked) = (ready.len(), wanted.len());
            let listed: Vec<Listed> =
                ready.into_iter().map(|detailed| detailed.listed).chain(wanted).collect();
            let decided = listed.iter().zip(bases(store, &listed)?);
            let decisions: Vec<Decision> = decided
                .map(|(listed, basis)| decide(basis.item.as_ref(), listed, &own.id, own.rank, now).0)
                .collect();
            debug_assert!(decisions.len() == known + asked, "each record is decided once");
            Ok((identified.held.len(), asked, decisions))
        });
        let (held, asked, decisions) = decided.await?;
        let count = |wanted: Decision| decisions.iter().filter(|decision| **decision == wanted).count();
        report.held += held;
        report.details = asked.min(MAX_DETAILS);
        report.inserted = count(Decision::Insert);
        report.updated = count(Decision::Revise);
        report.unchanged = count(Decision::Keep) + count(Decision::Note);
        Ok(())
    }
}

/// A summary of a document, beside its records.
#[derive(Debug, Default)]
pub(super) struct DocumentSummary {
    /// Codes of all records.
    pub(super) codes: Vec<InfoCode>,
    /// Number of records that the source listed before.
    pub(super) known: usize,
    /// Date after which items should be listed; `None` where too few dates are known.
    pub(super) floor: Option<Timestamp>,
    /// Dates of records that are listed for the first time.
    pub(super) arrived: Vec<Option<Timestamp>>,
    /// Guids that were found to be void.
    pub(super) void: Vec<[u8; 16]>,
}

impl DocumentSummary {
    fn of(listed: &[Listed]) -> Self {
        let mut dates: Vec<Timestamp> = listed.iter().filter_map(|one| one.entry.published).collect();
        dates.sort_unstable_by(|a, b| b.cmp(a));
        // One old article that is pinned to the top must not make the window look long: the oldest tenth of the
        // dates does not count.
        let floor = if dates.len() >= 5 && dates.len() * 2 > listed.len() {
            dates.get((dates.len() - 1) * 9 / 10).copied()
        } else {
            None
        };
        Self {
            codes: listed.iter().map(|one| one.code.clone()).collect(),
            known: listed.iter().filter(|one| one.sighting.is_some()).count(),
            floor,
            ..Self::default()
        }
    }
}

/// Returns what is stored of the records' items, in their order.
fn bases(store: &dyn Store, listed: &[Listed]) -> Result<Vec<Basis>> {
    let codes: Vec<InfoCode> = listed.iter().map(|one| one.code.clone()).collect();
    if codes.is_empty() { Ok(Vec::new()) } else { store.bases(&codes) }
}

/// Finds the identities, and the records that need their detail first.
fn sort_out(
    store: &dyn Store,
    source: &Source,
    document: Document,
    with_details: bool,
    now: Timestamp,
) -> Result<(Identified, DocumentSummary, Vec<Detailed>, Vec<Listed>)> {
    let mut identified = identify(store, source, document)?;
    let found = DocumentSummary::of(&identified.listed);
    let mut ready = Vec::new();
    let mut wanted = Vec::new();
    let (open, done): (Vec<_>, Vec<_>) = std::mem::take(&mut identified.listed)
        .into_iter()
        .partition(|listed| with_details && !is_up_to_date(listed, now));
    ready.extend(done.into_iter().map(|listed| Detailed { listed, hash: None }));
    let bases = bases(store, &open)?;
    for (listed, basis) in open.into_iter().zip(bases) {
        let asks = wants_detail(basis.item.as_ref(), &listed, &source.id, source.rank, now);
        if asks && basis.tombstone.is_none() {
            wanted.push(listed);
        } else {
            ready.push(Detailed { listed, hash: None });
        }
    }
    // Newest first, because only some are fetched in one poll.
    wanted.sort_by_key(|listed| std::cmp::Reverse(listed.entry.published));
    Ok((identified, found, ready, wanted))
}
