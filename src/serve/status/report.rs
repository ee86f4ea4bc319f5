//! The state of a daemon at one moment, as the status page and the metrics show it.

use std::collections::BTreeMap;

use crate::model::Timestamp;

/// How much of the state is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusDetail {
    /// Counters and states.
    Counters,
    /// Also the articles of the last days, which takes longer.
    RecentItems,
}

/// The state of a daemon at one moment.
#[derive(Debug, Clone, Default)]
pub struct StatusReport {
    /// The moment.
    pub now: Timestamp,
    /// Reasons why the daemon is not ready; empty while scheduler, store and publisher make progress.
    pub unready: Vec<String>,
    /// Problems that need attention, the worst first.
    pub troubles: Vec<Trouble>,
    /// The result of the last reload of the configuration, if there was one.
    pub reload: Option<ReloadStatus>,
    /// Sources in the order of the configuration.
    pub sources: Vec<SourceStatus>,
    /// All categories.
    pub categories: Vec<CategoryStatus>,
    /// Articles ever stored.
    pub items: u64,
    /// Seconds since the oldest unpublished change; 0 if there is none.
    pub unpublished_for: i64,
    /// Size of the store, in bytes.
    pub store_bytes: u64,
    /// Free space on the store's disk, in bytes.
    pub free_bytes: Option<u64>,
    /// Days until that disk is full, at the present rate.
    pub days_left: Option<u64>,
    /// New articles of the last 48 hours by hour, the oldest hour first.
    pub by_hour: Vec<usize>,
    /// The same articles by the time from publication to arrival: up to 5, 15 and 30 minutes, 1, 3 and 12
    /// hours, and more.
    pub by_delay: Vec<usize>,
}

/// A problem that needs attention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The kind: the end of the theme's texts `trouble_<kind>` and `way_<kind>`.
    pub kind: String,
    /// Id of the source that it concerns; empty if none.
    pub about: String,
    /// Name of that source, for people.
    pub name: String,
    /// Details.
    pub text: String,
    /// When it began.
    pub since: Timestamp,
}

impl Trouble {
    /// Returns its title, in the texts of a theme.
    pub fn title(&self, word: impl Fn(&str) -> String) -> String {
        word(&format!("trouble_{}", self.kind)).replace("{name}", &self.name)
    }

    /// Returns what an admin can do about it, in the texts of a theme.
    pub fn way_out(&self, word: impl Fn(&str) -> String) -> String {
        word(&format!("way_{}", self.kind)).replace("{about}", &self.about)
    }
}

/// The result of a reload of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReloadStatus {
    /// `done`, `same`, `refused` or `held`: the end of the theme's text `reload_<outcome>`.
    pub outcome: &'static str,
    /// Differences to the configuration before, for people.
    pub changes: Vec<String>,
    /// When.
    pub at: Timestamp,
}

/// The state of a source.
#[derive(Debug, Clone, Default)]
pub struct SourceStatus {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether it is polled: enabled, and not gone.
    pub enabled: bool,
    /// Time of the last successful poll.
    pub last_good: Option<Timestamp>,
    /// Time of the last poll with a new item, since the process started.
    pub last_new: Option<Timestamp>,
    /// Time when it is due.
    pub next: Option<Timestamp>,
    /// Failed polls in a row.
    pub fails: u32,
    /// The last error.
    pub error: Option<String>,
    /// New items per day.
    pub a_day: f64,
    /// Share of polls answered with 304, from 0 to 1.
    pub unmodified: Option<f64>,
    /// Repairs that its last document needed.
    pub repairs: usize,
    /// Records that its last poll held back.
    pub held: usize,
    /// Polls by outcome, since the process started.
    pub polls: BTreeMap<&'static str, u64>,
    /// Failed polls by kind of error.
    pub errors: BTreeMap<String, u64>,
    /// Records by decision.
    pub decisions: BTreeMap<&'static str, u64>,
}

/// The state of a category.
#[derive(Debug, Clone, Default)]
pub struct CategoryStatus {
    /// Its slug.
    pub slug: String,
    /// Time of the last change of its outputs.
    pub changed: Timestamp,
    /// Time of publication of its newest article.
    pub newest: Option<Timestamp>,
}
