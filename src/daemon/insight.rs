//! Gathers the state of the mill for the status page, its feed, the metrics and `feedmill status`.

use std::path::Path;
use std::sync::Arc;

use super::mill::{Live, Mill};
use super::reload_outcome::{Outcome, Reloaded};
use super::troubles::of_source;
use crate::blocking;
use crate::model::{CategoryId, SourceState, Timestamp};
use crate::publish::Pages;
use crate::serve::{CategoryStatus, ReloadStatus, SourceStatus, StatusDetail, StatusProvider, StatusReport};
use crate::source::Source;
use crate::store::{Categories, Changes, Sources, StoreError};

/// Hours that the status page shows.
const HOURS: usize = 48;
const HOUR: i64 = 3_600;
/// Upper bounds of the classes of delay, in seconds.
const DELAYS: [i64; 6] = [300, 900, 1_800, HOUR, 3 * HOUR, 12 * HOUR];

/// Returns a function that gathers the state of the mill in use.
pub(super) fn gather(live: Live) -> StatusProvider {
    Arc::new(move |depth| {
        let mill = Arc::clone(&live.borrow());
        Box::pin(async move {
            let own = Arc::clone(&mill);
            let found = blocking::run(move || own.insight(depth)).await;
            let insight = found.unwrap_or_else(|error| StatusReport {
                unready: vec![format!("what goes on cannot be gathered: {error}")],
                ..StatusReport::default()
            });
            (insight, Arc::clone(&mill.pages) as Arc<Pages>)
        })
    })
}

impl Mill {
    /// Returns the state of the mill; blocks.
    pub(super) fn insight(&self, depth: StatusDetail) -> StatusReport {
        let now = self.clock.now();
        let mut insight =
            StatusReport { now, reload: self.last_reload.get().map(shown), ..StatusReport::default() };
        let stored = self.stored(&mut insight, depth);
        self.room(&mut insight);
        self.add_troubles(&mut insight, stored);
        insight
    }

    fn stored(&self, insight: &mut StatusReport, depth: StatusDetail) -> Result<(), StoreError> {
        let store = &self.backend;
        for source in self.sources() {
            let state = store.source(&source.id)?;
            insight.troubles.extend(of_source(source, &state, insight.now));
            insight.sources.push(self.source_insight(source, state));
        }
        let shown = store.published()?;
        let waiting = store.changed_since(&shown)?.into_iter().map(|category| category.changed_at).min();
        insight.unpublished_for = waiting.map_or(0, |since| insight.now.since(since).max(0));
        insight.items = store.category(CategoryId::SITE)?.map_or(0, |site| u64::from(site.arrivals));
        insight.categories = store
            .categories()?
            .into_iter()
            .map(|category| CategoryStatus {
                slug: category.slug.to_string(),
                changed: category.changed_at,
                newest: category.newest,
            })
            .collect();
        if depth == StatusDetail::RecentItems {
            self.lately(insight)?;
        }
        Ok(())
    }

    fn source_insight(&self, source: &Source, state: SourceState) -> SourceStatus {
        let counts = self.counts.of(&source.id);
        let error = Some(state.memory.alarm.clone()).filter(|alarm| !alarm.is_empty()).or(state.last_error);
        SourceStatus {
            id: source.id.to_string(),
            name: source.name.clone(),
            enabled: source.enabled && !state.memory.gone,
            last_good: state.last_good,
            last_new: counts.last_new,
            next: (source.enabled && !state.memory.gone).then_some(state.next_poll),
            fails: state.fails,
            error,
            a_day: state.memory.habits.a_day(),
            unmodified: state.memory.unmodified_share().map(f64::from),
            repairs: state.repairs.len(),
            held: state.held.len(),
            polls: counts.polls,
            errors: counts.errors,
            decisions: counts.decisions,
        }
    }

    /// Adds the articles of the last [`HOURS`]: when they came, and how long after their publication.
    fn lately(&self, insight: &mut StatusReport) -> Result<(), StoreError> {
        let begin = insight.now.plus(-HOUR * i64::try_from(HOURS).unwrap_or_default());
        insight.by_hour = vec![0; HOURS];
        insight.by_delay = vec![0; DELAYS.len() + 1];
        for item in self.backend.items_between(CategoryId::SITE, begin, Timestamp::MAX)? {
            let hour = usize::try_from(item.first_seen.since(begin) / HOUR).unwrap_or(HOURS).min(HOURS - 1);
            insight.by_hour[hour] += 1;
            let delay = item.first_seen.since(item.published);
            let bound = DELAYS.iter().position(|bound| delay <= *bound).unwrap_or(DELAYS.len());
            insight.by_delay[bound] += 1;
        }
        Ok(())
    }

    /// Adds the free bytes of the store's disk, and the days for which they last: from the bytes that an
    /// article takes, and the articles a day that the sources have been bringing.
    fn room(&self, insight: &mut StatusReport) {
        let path = &self.config.store.path;
        insight.store_bytes = on_disk(path);
        insight.free_bytes =
            rustix::fs::statvfs(path).ok().map(|stat| stat.f_bavail.saturating_mul(stat.f_frsize));
        let a_day: f64 = insight.sources.iter().map(|source| source.a_day).sum();
        let Some(free) = insight.free_bytes.filter(|_| insight.items >= 100 && a_day > 0.0) else { return };
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a forecast"
        )]
        let days = {
            let each = insight.store_bytes as f64 / insight.items as f64;
            (free.saturating_sub(self.config.store.low_water) as f64 / (each * a_day)) as u64
        };
        insight.days_left = Some(days);
    }
}

/// Converts the outcome of a reload into what the status page shows.
fn shown(reloaded: Reloaded) -> ReloadStatus {
    let outcome = match reloaded.outcome {
        Outcome::Done => "done",
        Outcome::Same => "same",
        Outcome::Refused => "refused",
        Outcome::Held => "held",
    };
    ReloadStatus { outcome, changes: reloaded.changes, at: reloaded.at }
}

/// Returns the bytes of the files in a folder, without its subfolders.
fn on_disk(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.metadata().map_or(0, |meta| meta.len())).sum()
}
