//! What queries are answered with, where the answer is a type of its own for whoever asks.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::memory::Moved;
use crate::model::{Body, Item, SourceId};
use crate::store::{Revision, Sighting};

/// A source in a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SourceRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it asks for.
    pub url: String,
    /// Whether it is polled.
    pub enabled: bool,
    /// Items ever taken in.
    pub items: u64,
    /// RFC 3339, or nothing.
    pub last_good: Option<String>,
    /// RFC 3339, or nothing.
    pub next_poll: Option<String>,
    /// Why then.
    pub why: String,
    /// Nobody may ask before that, not even by hand: RFC 3339, or nothing.
    pub not_before: Option<String>,
    /// New items a day, as learned.
    pub new_a_day: f64,
    /// Share of its answers that said that nothing had changed, from 0 to 1, of about the last 100.
    pub unmodified_share: Option<f64>,
    /// A stable word for the last failure; empty after a good poll.
    pub error_kind: String,
    /// How often its window ran over.
    pub gaps: u32,
    /// Where it moved to, and whether that is asked in place of `url`.
    pub moved: Option<Moved>,
    /// What an admin should look at; empty for nothing.
    pub alarm: String,
    /// Failed polls in a row.
    pub fails: u32,
    /// What the last failure said.
    pub last_error: Option<String>,
    /// Records that the last poll held back.
    pub held: Vec<String>,
    /// What had to be repaired to read the last document, with its line.
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
    /// InfoCode as text.
    pub info_code: String,
    /// Title.
    pub title: String,
    /// RFC 3339.
    pub published: String,
    /// Slugs, the home category first.
    pub categories: Vec<String>,
    /// Its page.
    pub url: String,
}

/// All of one item.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ItemAnswer {
    /// As in lists.
    #[serde(flatten)]
    pub row: ItemRow,
    /// The published id.
    pub id: String,
    /// The record.
    pub item: Item,
    /// The text and what belongs to it.
    pub body: Body,
    /// How it looked before.
    pub revisions: Vec<Revision>,
    /// Which sources list it.
    pub listings: Vec<(SourceId, Sighting)>,
}

/// An answer as it is sent.
pub(super) fn value<T: Serialize>(answer: &T) -> Result<Value, String> {
    serde_json::to_value(answer).map_err(|e| e.to_string())
}
