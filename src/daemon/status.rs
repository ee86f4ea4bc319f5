//! The daemon's state: what needs attention first, then the numbers.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::mill::Mill;
use super::reload_outcome::Reloaded;
use crate::blocking;
use crate::model::Timestamp;
use crate::render::built_in_texts;
use crate::serve::{StatusDetail, Trouble};
use crate::store::{Sources, StoreError, backup};

/// Troubles that are listed at most.
const LISTED: usize = 20;

/// A trouble that an admin should check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attention {
    /// A stable word: `disk`, `config`, `gone`, `alarm`, `failing`, `moved`, `held`, `names` and others.
    pub kind: String,
    /// What it is about, such as a source's id; may be empty.
    pub about: String,
    /// The name of what it is about, for people.
    pub name: String,
    /// Details, such as an error or an address.
    pub text: String,
    /// When it began.
    pub since: Timestamp,
    /// The problem, in English.
    pub what: String,
    /// The remedy, in English.
    pub way_out: String,
}

impl Attention {
    fn of(trouble: Trouble, texts: &BTreeMap<String, String>) -> Self {
        let (what, way_out) = told(&trouble, texts);
        let Trouble { kind, about, name, text, since } = trouble;
        Self { kind, about, name, text, since, what, way_out }
    }

    /// Returns the problem and the remedy, in the words of a theme.
    #[must_use]
    pub fn told(&self, texts: &BTreeMap<String, String>) -> (String, String) {
        let Self { kind, about, name, text, since, .. } = self.clone();
        told(&Trouble { kind, about, name, text, since }, texts)
    }
}

fn told(trouble: &Trouble, texts: &BTreeMap<String, String>) -> (String, String) {
    let word = |key: &str| texts.get(key).cloned().unwrap_or_default();
    let title = trouble.title(word);
    let what =
        if trouble.text.is_empty() { title } else { format!("{title}{}{}", word("colon"), trouble.text) };
    (what, trouble.way_out(word))
}

/// The state of the daemon.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Status {
    /// What needs attention, the most urgent first.
    pub attention: Vec<Attention>,
    /// Troubles that are not listed.
    pub more: usize,
    /// Sources that are polled.
    pub polled: usize,
    /// Sources that are switched off.
    pub off: usize,
    /// Polled sources whose last poll failed.
    pub failing: usize,
    /// Articles that are published.
    pub items: u64,
    /// Categories.
    pub categories: usize,
    /// When the next source is due; RFC 3339.
    pub next_poll: Option<String>,
    /// When the last export was made; RFC 3339.
    pub last_export: Option<String>,
    /// The outcome of the last reload, if there was one.
    pub reload: Option<Reloaded>,
    /// The site's address.
    pub url: String,
    /// The version of this program.
    pub version: String,
}

/// Returns the daemon's state.
pub(super) async fn status(mill: &Arc<Mill>) -> Result<Status, StoreError> {
    let own = Arc::clone(mill);
    blocking::run(move || own.status()).await.map_err(StoreError::task)
}

impl Mill {
    fn status(&self) -> Status {
        let insight = self.insight(StatusDetail::Counters);
        // If the store cannot be used, `attention` says so.
        let next = self.backend.next_due().unwrap_or_default();
        let texts = built_in_texts("en");
        let more = insight.troubles.len().saturating_sub(LISTED);
        let listed = insight.troubles.into_iter().take(LISTED);
        let polled = insight.sources.iter().filter(|source| source.enabled).count();
        let exports = backup::all(&self.config.exports.folder);
        let last_export = exports.last().and_then(|path| backup::made_at(path));
        Status {
            attention: listed.map(|trouble| Attention::of(trouble, &texts)).collect(),
            more,
            polled,
            off: insight.sources.len() - polled,
            failing: insight.sources.iter().filter(|source| source.enabled && source.fails > 0).count(),
            items: insight.items,
            categories: insight.categories.len(),
            next_poll: next.filter(|at| *at < Timestamp::MAX).map(Timestamp::rfc3339),
            last_export: last_export.map(Timestamp::rfc3339),
            reload: self.last_reload.get(),
            url: self.config.publish.site.url.to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}
