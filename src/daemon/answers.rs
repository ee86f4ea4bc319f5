//! Answers to queries that have types of their own, which the command line reads.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::memory::Moved;
use crate::model::{Body, Item, SourceId};
use crate::store::{Revision, Sighting};

/// A source in a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SourceRow {
    /// The source's id.
    pub id: String,
    /// The source's name.
    pub name: String,
    /// The configured address.
    pub url: String,
    /// Whether it is polled.
    pub enabled: bool,
    /// Items stored so far.
    pub items: u64,
    /// When it last answered well: RFC 3339, or `None`.
    pub last_good: Option<String>,
    /// When it is due: RFC 3339, or `None` if it is not polled.
    pub next_poll: Option<String>,
    /// Why it is due then.
    pub why: String,
    /// The time before which nobody may ask, not even by hand: RFC 3339, or `None`.
    pub not_before: Option<String>,
    /// New items a day, an estimate learned from its polls.
    pub new_a_day: f64,
    /// Share of its last 100 or so answers that said "not modified", from 0 to 1.
    pub unmodified_share: Option<f64>,
    /// A stable word for the last failure; empty after a good poll.
    pub error_kind: String,
    /// How often items may have left its feed between two polls.
    pub gaps: u32,
    /// The address that it moved to, and whether that is polled in place of `url`.
    pub moved: Option<Moved>,
    /// What an admin should check; empty if nothing.
    pub alarm: String,
    /// Failed polls in a row.
    pub fails: u32,
    /// The text of the last failure.
    pub last_error: Option<String>,
    /// Records that the last poll did not store.
    pub held: Vec<String>,
    /// What was repaired to parse the last document, each with its line.
    pub repairs: Vec<String>,
    /// Bounds that cut what was read of the last document.
    #[serde(default)]
    pub cut: Vec<String>,
    /// Newspapers' names that wait to become categories.
    pub waiting_names: Vec<String>,
}

/// An item in a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ItemRow {
    /// The infoCode as text.
    pub info_code: String,
    /// The title.
    pub title: String,
    /// When it was published: RFC 3339.
    pub published: String,
    /// Slugs, the home category first.
    pub categories: Vec<String>,
    /// The address of its page.
    pub url: String,
}

/// Everything that is stored of one item.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ItemAnswer {
    /// The fields that lists show.
    #[serde(flatten)]
    pub row: ItemRow,
    /// The published id.
    pub id: String,
    /// The item's record.
    pub item: Item,
    /// The item's text, and the data stored with it.
    pub body: Body,
    /// Earlier revisions.
    pub revisions: Vec<Revision>,
    /// Sources that list it.
    pub listings: Vec<(SourceId, Sighting)>,
}

/// Returns an answer as JSON.
pub(super) fn value<T: Serialize>(answer: &T) -> Result<Value, String> {
    serde_json::to_value(answer).map_err(|e| e.to_string())
}
