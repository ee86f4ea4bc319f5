//! Troubles: one list for the status page, its feed and `feedmill status`.
//!
//! To add a kind, add it to `KINDS` and its texts to each language of the built-in theme.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use super::mill::Mill;
use crate::model::private::{shown, shown_in};
use crate::model::{SourceState, Timestamp, chain};
use crate::serve::{StatusReport, Trouble};
use crate::source::Source;
use crate::store::{Loss, Remedy, StoreError};

/// All kinds, the most urgent first. Their texts in a theme are `trouble_…` (the problem) and `way_…` (the
/// remedy).
const KINDS: [&str; 17] = [
    "closed", "store", "part", "disk", "emptied", "exported", "salvaged", "mended", "config", "lag",
    "forecast", "gone", "alarm", "failing", "moved", "held", "names",
];
/// Failures in a row from which a failing source is a trouble.
const FAILS: u32 = 3;
/// Seconds that changes may wait to be published before that is a trouble.
const LAG: i64 = 15 * 60;
/// Seconds for which the loss of a damaged store is listed.
const LOSS_SHOWN_FOR: i64 = 7 * 86_400;
/// Days of free space below which that is a trouble.
const DAYS: u64 = 14;

impl Mill {
    /// Adds the troubles of the mill itself, and the reasons why it is not ready; then sorts all troubles by
    /// urgency.
    pub(super) fn add_troubles(&self, insight: &mut StatusReport, stored: Result<(), StoreError>) {
        let now = insight.now;
        if let Err(error) = stored {
            let (why, kind) = (chain(&error), if error.needs_mending() { "closed" } else { "store" });
            insight.unready.push(format!("the store cannot be used (存储不可用): {why}"));
            insight.troubles.push(trouble(kind, why, now));
        }
        if let Ok(Some(loss)) = self.backend.last_loss()
            && now.since(loss.at) < LOSS_SHOWN_FOR
        {
            insight.troubles.push(lost(loss));
        }
        if let Some(part) = self.heartbeat.stalled_part() {
            insight.unready.push(format!("{part:?} stands still"));
            insight.troubles.push(trouble("part", format!("{part:?}"), now));
        }
        if insight.unpublished_for > LAG {
            insight.unready.push(format!("changes wait to be published for {} s", insight.unpublished_for));
            insight.troubles.push(trouble("lag", String::new(), now.plus(-insight.unpublished_for)));
        }
        if self.no_room.load(Ordering::Relaxed) || !self.backend.has_room() {
            insight.unready.push("the disk is nearly full".to_owned());
            insight.troubles.push(trouble("disk", self.config.store.path.display().to_string(), now));
        }
        if let Some(days) = insight.days_left.filter(|days| *days < DAYS) {
            insight.troubles.push(trouble("forecast", days.to_string(), now));
        }
        if let Some(why) = self.last_reload.get().and_then(|reload| reload.waits_for()) {
            insight.troubles.push(trouble("config", why, now));
        }
        self.date(&mut insight.troubles);
        let urgency = |trouble: &Trouble| KINDS.iter().position(|kind| *kind == trouble.kind);
        insight.troubles.sort_by_key(urgency);
    }

    /// Dates each trouble by when it was first seen, so that it keeps its position in the feed until it is
    /// gone.
    fn date(&self, troubles: &mut [Trouble]) {
        let mut seen = self.seen_troubles.lock().unwrap_or_else(PoisonError::into_inner);
        let is = |trouble: &Trouble, kind: &str, about: &str| trouble.kind == kind && trouble.about == about;
        seen.retain(|(kind, about), _| troubles.iter().any(|trouble| is(trouble, kind, about)));
        for trouble in troubles {
            let key = (trouble.kind.clone(), trouble.about.clone());
            trouble.since = *seen.entry(key).or_insert(trouble.since);
        }
    }
}

fn trouble(kind: &str, text: String, since: Timestamp) -> Trouble {
    Trouble { kind: kind.to_owned(), about: String::new(), name: String::new(), text, since }
}

/// Returns the trouble for what a damaged store lost.
fn lost(loss: Loss) -> Trouble {
    let lost = (loss.articles + loss.texts).to_string();
    let (kind, name) = match loss.remedy {
        Remedy::InPlace => ("mended", lost),
        Remedy::Salvaged => ("salvaged", loss.changes.to_string()),
        Remedy::Exported => ("exported", loss.export.map(Timestamp::rfc3339).unwrap_or_default()),
        Remedy::Emptied => ("emptied", String::new()),
    };
    Trouble { name, about: loss.aside.unwrap_or_default(), ..trouble(kind, loss.why, loss.at) }
}

/// Returns the troubles of a source; none if it is disabled.
pub(super) fn of_source(source: &Source, state: &SourceState, now: Timestamp) -> Vec<Trouble> {
    if !source.enabled {
        return Vec::new();
    }
    let memory = &state.memory;
    let error = state.last_error.clone().unwrap_or_default();
    let last_good = state.last_good.unwrap_or(now);
    let mut all = Vec::new();
    if memory.gone {
        all.push(trouble("gone", shown(&source.url).into_owned(), last_good));
    } else {
        if !memory.alarm.is_empty() {
            all.push(trouble("alarm", memory.alarm.clone(), last_good));
        }
        if state.fails >= FAILS {
            all.push(trouble("failing", format!("{} × {error}", state.fails), last_good));
        }
    }
    if let Some(moved) = &memory.moved {
        all.push(trouble("moved", shown_in(&moved.to).into_owned(), moved.since));
    }
    if !state.held.is_empty() {
        all.push(trouble("held", state.held.join("; "), now));
    }
    if !state.waiting_names.is_empty() {
        all.push(trouble("names", state.waiting_names.join("、"), now));
    }
    let name = if source.name.is_empty() { source.id.to_string() } else { source.name.clone() };
    for trouble in &mut all {
        trouble.about = source.id.to_string();
        trouble.name.clone_from(&name);
    }
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::render::built_in_texts;

    #[test]
    fn every_kind_has_its_words_in_each_language() {
        for language in ["en", "zh-CN"] {
            let texts = built_in_texts(language);
            for start in ["trouble_", "way_"] {
                let told: BTreeSet<&str> = texts.keys().filter_map(|key| key.strip_prefix(start)).collect();
                assert_eq!(told, BTreeSet::from(KINDS), "{language}: {start}");
            }
        }
    }
}
