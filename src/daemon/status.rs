//! How things stand: what needs attention first, then what goes on.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};

use super::Mill;
use super::reload::{Outcome, Reloaded};
use super::requests::{SourceRow, source_rows};
use crate::store::{StoreError, export};

/// What is listed of each kind.
const LISTED: usize = 20;
/// Failed polls in a row from which on a source needs somebody.
const STUBBORN: u32 = 3;

/// One thing that somebody should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attention {
    /// A stable word: `disk`, `config`, `gone`, `alarm`, `failing`, `moved`, `held`, `names`.
    pub kind: String,
    /// What it is about: a source, a file.
    pub about: String,
    /// What is the matter.
    pub what: String,
    /// What to do.
    pub way_out: String,
}

/// How things stand.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Status {
    /// What needs attention, the most urgent first.
    pub attention: Vec<Attention>,
    /// More of the same that is not listed.
    pub more: usize,
    /// Sources that are polled.
    pub polled: usize,
    /// Sources that are switched off.
    pub off: usize,
    /// Of the polled ones, those whose last poll failed.
    pub failing: usize,
    /// Articles that are published.
    pub items: u32,
    /// Categories.
    pub categories: usize,
    /// When the next source is due; RFC 3339.
    pub next_poll: Option<String>,
    /// When the last export was made; RFC 3339.
    pub last_export: Option<String>,
    /// What the last reload came to, if there was one.
    pub reload: Option<Reloaded>,
    /// The site's address.
    pub url: String,
    /// Of this program.
    pub version: String,
}

/// Looks at everything that is known.
pub(super) async fn status(mill: &Arc<Mill>) -> Result<Status, StoreError> {
    let rows = source_rows(mill).await?;
    let stored = mill.store.call(|store| {
        let site = store.category(crate::model::CategoryId::SITE)?;
        Ok((site.map_or(0, |site| site.arrivals), store.categories()?.len(), store.next_due()?))
    });
    let (items, categories, next) = stored.await?;
    let reload = mill.last_reload.get();
    let mut attention = Vec::new();
    if mill.no_room.load(Ordering::Relaxed) || !mill.care.has_room() {
        attention.push(told(
            "disk",
            &mill.config.store.path.display().to_string(),
            "its disk is nearly full; polling pauses, what is published is served",
            "make room on it; polling goes on by itself",
        ));
    }
    attention.extend(reload.iter().filter_map(of_config));
    let mut sources: Vec<(u8, Attention)> =
        rows.iter().filter(|row| row.enabled).flat_map(of_source).collect();
    sources.sort_by_key(|(urgency, _)| *urgency);
    attention.extend(sources.into_iter().map(|(_, attention)| attention));
    let more = attention.len().saturating_sub(LISTED);
    attention.truncate(LISTED);
    let exports = export::all(&mill.config.exports.folder);
    let polled = rows.iter().filter(|row| row.enabled).count();
    Ok(Status {
        attention,
        more,
        polled,
        off: rows.len() - polled,
        failing: rows.iter().filter(|row| row.enabled && row.fails > 0).count(),
        items,
        categories,
        next_poll: next.filter(|at| *at < crate::model::Timestamp::MAX).map(crate::model::Timestamp::rfc3339),
        last_export: exports
            .last()
            .and_then(|path| export::made_at(path))
            .map(crate::model::Timestamp::rfc3339),
        reload,
        url: mill.config.publish.site.url.to_string(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

fn told(kind: &str, about: &str, what: &str, way_out: &str) -> Attention {
    let owned = str::to_owned;
    Attention { kind: owned(kind), about: owned(about), what: owned(what), way_out: owned(way_out) }
}

fn of_config(reload: &Reloaded) -> Option<Attention> {
    let way_out = match reload.outcome {
        Outcome::Refused => "mend it (`feedmill check`); it is used two seconds after the last write",
        Outcome::Held => "see what would be lost with `feedmill reload`; use it all the same with `--accept`",
        Outcome::Done | Outcome::Same => return None,
    };
    Some(told("config", "the config", &reload.line(), way_out))
}

/// What a source needs, with its urgency.
fn of_source(row: &SourceRow) -> Vec<(u8, Attention)> {
    let mut all = Vec::new();
    let mut add = |urgency: u8, kind: &str, what: &str, way_out: &str| {
        all.push((urgency, told(kind, &row.id, what, way_out)));
    };
    let error = row.last_error.as_deref().unwrap_or_default();
    if row.next_poll.is_none() {
        add(
            0,
            "gone",
            "its address is gone for good (410); it is asked no more",
            "give it another `url`, or `feedmill source remove` it",
        );
    } else if !row.alarm.is_empty() {
        add(1, "alarm", &row.alarm, "look at the newspaper and at `feedmill source test`");
    }
    if row.fails >= STUBBORN && row.next_poll.is_some() {
        let what = format!("failed {} times: {error}", row.fails);
        add(2, "failing", &what, "`feedmill source test` asks it now");
    }
    if let Some(moved) = &row.moved {
        let what = format!("moved to {}", moved.to);
        add(3, "moved", &what, "write that address into its `url`, or `feedmill source undo-move` it");
    }
    if !row.held.is_empty() {
        let what = format!("records are held back: {}", row.held.join("; "));
        add(4, "held", &what, "they are tried again at each poll; see `require` and `code` of the source");
    }
    if !row.waiting_names.is_empty() {
        let what = format!("names wait to become categories: {}", row.waiting_names.join("、"));
        add(5, "names", &what, "add a `[[category]]` for each that you want");
    }
    all
}
