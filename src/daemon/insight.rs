//! Gathers what goes on, for the status page and its neighbours.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::{Live, Mill};
use crate::model::{CategoryId, Timestamp, chain};
use crate::publish::Pages;
use crate::serve::{CategoryInsight, Depth, Gather, Insight, SourceInsight, Trouble};
use crate::source::Source;
use crate::store::{Store, StoreError};

/// A source that fails is a trouble from so many failures in a row on.
const FAILS: u32 = 3;
/// Changes that wait longer for their publish are a trouble, in seconds.
const LAG: i64 = 15 * 60;
/// Room for fewer days is a trouble.
const DAYS: u64 = 14;
/// Hours that are shown.
const HOURS: usize = 48;
const HOUR: i64 = 3_600;
/// Bounds of what is told apart as delay, in seconds.
const DELAYS: [i64; 6] = [300, 900, 1_800, HOUR, 3 * HOUR, 12 * HOUR];

/// What gathers from the mill in use.
pub(super) fn gather(live: Live) -> Gather {
    Arc::new(move |depth| {
        let mill = Arc::clone(&live.borrow());
        Box::pin(async move {
            let own = Arc::clone(&mill);
            let found = tokio::task::spawn_blocking(move || own.insight(depth)).await;
            let insight = found.unwrap_or_else(|error| Insight {
                unready: vec![format!("what goes on cannot be gathered: {error}")],
                ..Insight::default()
            });
            (insight, Arc::clone(&mill.pages) as Arc<Pages>)
        })
    })
}

impl Mill {
    /// What goes on; blocks.
    fn insight(&self, depth: Depth) -> Insight {
        let now = self.clock.now();
        let mut insight = Insight { now, ..Insight::default() };
        if let Err(error) = self.stored(&mut insight, depth) {
            insight.unready.push(format!("the store does not answer: {}", chain(&error)));
            insight.troubles.push(trouble("store", chain(&error), now));
        }
        if let Some(part) = self.pulse.late() {
            insight.unready.push(format!("{part:?} stands still"));
            insight.troubles.push(trouble("part", format!("{part:?}"), now));
        }
        if insight.unpublished_for > LAG {
            insight.unready.push(format!("changes wait to be published for {} s", insight.unpublished_for));
            insight.troubles.push(trouble("lag", String::new(), now.plus(-insight.unpublished_for)));
        }
        if self.no_room.load(Ordering::Relaxed) {
            insight.unready.push("the disk is nearly full".to_owned());
            insight.troubles.push(trouble("disk", self.config.store.path.display().to_string(), now));
        }
        self.room(&mut insight);
        if let Some(why) = self.config_in_waiting() {
            insight.troubles.push(trouble("config", why, now));
        }
        self.date(&mut insight.troubles);
        insight.troubles.extend(self.sources().filter_map(|source| {
            let state = insight.sources.iter().find(|known| known.id == source.id.as_str())?;
            source_trouble(source, state)
        }));
        insight
    }

    fn stored(&self, insight: &mut Insight, depth: Depth) -> Result<(), StoreError> {
        let store = &self.care;
        for source in self.sources() {
            insight.sources.push(self.source_insight(source)?);
        }
        let shown = store.published_generation()?;
        let waiting = store.changed_since(shown)?.into_iter().map(|category| category.changed_at).min();
        insight.unpublished_for = waiting.map_or(0, |since| insight.now.since(since).max(0));
        insight.items = store.category(CategoryId::SITE)?.map_or(0, |site| u64::from(site.arrivals));
        insight.categories = store
            .categories()?
            .into_iter()
            .map(|category| CategoryInsight {
                slug: category.slug.to_string(),
                changed: category.changed_at,
                newest: category.newest,
            })
            .collect();
        if depth == Depth::Lately {
            self.lately(insight)?;
        }
        Ok(())
    }

    fn source_insight(&self, source: &Source) -> Result<SourceInsight, StoreError> {
        let state = self.care.source(&source.id)?;
        let counts = self.tally.of(&source.id);
        let error = Some(state.memory.alarm.clone()).filter(|alarm| !alarm.is_empty()).or(state.last_error);
        Ok(SourceInsight {
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
        })
    }

    /// The last days' articles: when they came, and how long after their publication.
    fn lately(&self, insight: &mut Insight) -> Result<(), StoreError> {
        let begin = insight.now.plus(-HOUR * i64::try_from(HOURS).unwrap_or_default());
        insight.by_hour = vec![0; HOURS];
        insight.by_delay = vec![0; DELAYS.len() + 1];
        for item in self.care.items_between(CategoryId::SITE, begin, Timestamp::MAX)? {
            let hour = usize::try_from(item.first_seen.since(begin) / HOUR).unwrap_or(HOURS).min(HOURS - 1);
            insight.by_hour[hour] += 1;
            let delay = item.first_seen.since(item.published);
            let bound = DELAYS.iter().position(|bound| delay <= *bound).unwrap_or(DELAYS.len());
            insight.by_delay[bound] += 1;
        }
        Ok(())
    }

    /// Room on the store's disk, and for how long it lasts: by the bytes that an article takes, and the
    /// articles a day that the sources have been giving.
    fn room(&self, insight: &mut Insight) {
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
        if days < DAYS {
            insight.troubles.push(trouble("forecast", format!("{days}"), insight.now));
        }
    }

    /// Dates troubles that no record dates: from when they were first seen until they are gone, so that
    /// each keeps its place in the feed.
    fn date(&self, troubles: &mut [Trouble]) {
        let mut seen = self.seen_troubles.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|kind, _| troubles.iter().any(|trouble| trouble.kind == *kind));
        for trouble in troubles {
            trouble.since = *seen.entry(trouble.kind).or_insert(trouble.since);
        }
    }
}

fn trouble(kind: &'static str, text: String, since: Timestamp) -> Trouble {
    Trouble { kind, about: String::new(), name: String::new(), text, since }
}

fn source_trouble(source: &Source, state: &SourceInsight) -> Option<Trouble> {
    let kind = if state.fails >= FAILS {
        "failing"
    } else if source.enabled && !state.enabled {
        "gone"
    } else if state.fails == 0 && state.error.is_some() {
        "alarm"
    } else {
        return None;
    };
    let name = if source.name.is_empty() { source.id.to_string() } else { source.name.clone() };
    Some(Trouble {
        kind,
        about: state.id.clone(),
        name,
        text: state.error.clone().unwrap_or_default(),
        since: state.last_good.unwrap_or_default(),
    })
}

/// Bytes of a folder's files.
fn on_disk(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.metadata().map_or(0, |meta| meta.len())).sum()
}
