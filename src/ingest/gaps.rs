//! Windows that ran over: a full document without a known item means that items were missed. The document
//! before it is fetched once, and the source is polled more often for a day.

use tracing::warn;
use url::Url;

use super::document::DocumentSummary;
use super::pending::Pending;
use super::poller::Ingest;
use super::report::{PollError, PollReport};
use crate::model::{Document, Hints, Response, SourceState, chain};
use crate::source::{Kind, Source};
use crate::store::StoreError;

/// Smallest list that can show a gap.
const FULL_FROM: usize = 5;

impl DocumentSummary {
    /// Returns whether the window ran over since the state `before`: no listed item is known, and the list is
    /// at least as long as the window was.
    pub(super) fn overruns(&self, before: &SourceState) -> bool {
        let listed = self.codes.len();
        before.first_good.is_some()
            && !before.arriving
            && before.memory.window > 0
            && self.known == 0
            && listed >= FULL_FROM
            && listed >= usize::try_from(before.memory.window).unwrap_or(usize::MAX)
    }
}

impl Ingest {
    /// Fetches and ingests the document before the window, once.
    pub(super) async fn fill_gap(
        &self,
        source: &Source,
        hints: &Hints,
        state: &mut SourceState,
        (report, pending): (&mut PollReport, &mut Pending),
        found: &mut DocumentSummary,
    ) -> Result<(), StoreError> {
        report.overrun = true;
        state.memory.overrun = Some(self.clock.now());
        state.memory.gaps = state.memory.gaps.saturating_add(1);
        let Some(url) = before_window(source, hints) else {
            warn!(source.id = %source.id, "its window ran over: items may be missing; it is asked more often");
            return Ok(());
        };
        match self.older(source, url).await {
            Ok(older) => {
                let mut part = PollReport { bytes: report.bytes, ..PollReport::default() };
                let more = self.ingest_document(source, older, state, (&mut part, pending)).await?;
                warn!(
                    source.id = %source.id, inserted = part.inserted, known = more.known,
                    "its window ran over; the document before it was taken in"
                );
                report.add(&part);
                found.void.extend(more.void);
                found.arrived.extend(more.arrived);
            }
            Err(error) => warn!(
                source.id = %source.id, error = chain(&error),
                "its window ran over, and the document before it cannot be had"
            ),
        }
        Ok(())
    }

    async fn older(&self, source: &Source, url: Url) -> Result<Document, PollError> {
        let request = source.before_window(url);
        match self.fetcher.get(&request, self.clock.now()).await? {
            Response::Fetched(fetched) => Ok(self.parse(source, fetched, true).await?.0),
            Response::NotModified(_) => Ok(Document::default()),
        }
    }
}

/// Returns the address of RFC 5005's archive document, or of the second page of a `WordPress` feed.
fn before_window(source: &Source, hints: &Hints) -> Option<Url> {
    if let Some(archive) = hints.prev_archive.as_deref().and_then(|address| Url::parse(address).ok()) {
        return Some(archive);
    }
    let wordpress =
        hints.generator.as_deref().is_some_and(|name| name.to_ascii_lowercase().contains("wordpress"));
    if !wordpress || !matches!(source.kind, Kind::Feed) {
        return None;
    }
    let mut second = source.url.clone();
    second.query_pairs_mut().append_pair("paged", "2");
    Some(second)
}

impl PollReport {
    /// Adds the counts of a further document of the same poll.
    fn add(&mut self, part: &Self) {
        self.listed += part.listed;
        self.inserted += part.inserted;
        self.updated += part.updated;
        self.joined += part.joined;
        self.unchanged += part.unchanged;
        self.held += part.held;
        self.details += part.details;
        self.wait = self.wait.max(part.wait);
    }
}
