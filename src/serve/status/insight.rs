//! What goes on at one moment, as it is shown: sources, categories, troubles, room.

use std::collections::BTreeMap;

use crate::model::Timestamp;

/// How much of what goes on is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Counters and states.
    Numbers,
    /// The last days' articles as well.
    Lately,
}

/// What goes on, at one moment.
#[derive(Debug, Clone, Default)]
pub struct Insight {
    /// The moment.
    pub now: Timestamp,
    /// Why it is not ready; empty when scheduler, store and publisher make progress.
    pub unready: Vec<String>,
    /// What needs attention, the worst first.
    pub troubles: Vec<Trouble>,
    /// What the last reload came to, if there was one.
    pub reload: Option<ReloadInsight>,
    /// By the order of the config.
    pub sources: Vec<SourceInsight>,
    /// All of them.
    pub categories: Vec<CategoryInsight>,
    /// Articles ever stored.
    pub items: u64,
    /// Seconds for which the oldest change waits to be published; 0 for none.
    pub unpublished_for: i64,
    /// Bytes of the store on its disk.
    pub store_bytes: u64,
    /// Bytes that are free there.
    pub free_bytes: Option<u64>,
    /// Days until its disk is full, at the present rate.
    pub days_left: Option<u64>,
    /// New articles of the last 48 hours, by the hour, the oldest first.
    pub by_hour: Vec<usize>,
    /// Those by the time from publication to here: up to 5, 15 and 30 minutes, 1, 3, 12 hours, more.
    pub by_delay: Vec<usize>,
}

/// Something that needs attention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Which texts of a theme name it and say what to do, without `trouble_` and `way_`.
    pub kind: String,
    /// What it is about: a source's id, or nothing.
    pub about: String,
    /// Its name for people.
    pub name: String,
    /// More.
    pub text: String,
    /// When it began.
    pub since: Timestamp,
}

impl Trouble {
    /// What it is, in the words of a theme.
    pub fn title(&self, word: impl Fn(&str) -> String) -> String {
        word(&format!("trouble_{}", self.kind)).replace("{name}", &self.name)
    }

    /// What to do about it, in the words of a theme.
    pub fn way_out(&self, word: impl Fn(&str) -> String) -> String {
        word(&format!("way_{}", self.kind)).replace("{about}", &self.about)
    }
}

/// What a reload came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReloadInsight {
    /// Which text of the theme names it, without `reload_`: `done`, `same`, `refused`, `held`.
    pub outcome: &'static str,
    /// What is different since, for people.
    pub changes: Vec<String>,
    /// When.
    pub at: Timestamp,
}

/// A source.
#[derive(Debug, Clone, Default)]
pub struct SourceInsight {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether it is polled: not switched off, and not gone.
    pub enabled: bool,
    /// When it was last read well.
    pub last_good: Option<Timestamp>,
    /// When something new last came, since the process began.
    pub last_new: Option<Timestamp>,
    /// When it is asked again.
    pub next: Option<Timestamp>,
    /// Failed polls in a row.
    pub fails: u32,
    /// What the last failure said.
    pub error: Option<String>,
    /// New items a day.
    pub a_day: f64,
    /// Share of 304s.
    pub unmodified: Option<f64>,
    /// Repairs that its last document needed.
    pub repairs: usize,
    /// Records that its last poll held back.
    pub held: usize,
    /// What its polls came to, since the process began.
    pub polls: BTreeMap<&'static str, u64>,
    /// Why they failed.
    pub errors: BTreeMap<String, u64>,
    /// What was decided about its records.
    pub decisions: BTreeMap<&'static str, u64>,
}

/// A category.
#[derive(Debug, Clone, Default)]
pub struct CategoryInsight {
    /// Its slug.
    pub slug: String,
    /// When what it publishes last changed.
    pub changed: Timestamp,
    /// When its newest article was published.
    pub newest: Option<Timestamp>,
}
