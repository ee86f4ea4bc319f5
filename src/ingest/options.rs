//! The settings of ingest.

use std::sync::Arc;

use super::answers::LastAnswers;
use super::routing::AutoCategories;
use crate::model::CodeSpace;
use crate::rules::Rules;

/// The settings of ingest.
#[derive(Debug, Clone, PartialEq)]
pub struct IngestOptions {
    /// Zone of the day in permalinks.
    pub zone: chrono_tz::Tz,
    /// The code space whose codes are written without a prefix.
    pub bare_space: Option<CodeSpace>,
    /// How many items of a new source may enter a current window: (category, whole site).
    pub newcomers: (usize, usize),
    /// Policy for newspapers' names.
    pub auto: AutoCategories,
    /// Most seconds by which a fresh answer, or a document's own hint, delays the next poll.
    pub freshness_cap: i64,
    /// Rules that are applied to items.
    pub rules: Arc<Rules>,
    /// Folder of the last answer of each source; `None` to keep none.
    pub answers: Option<LastAnswers>,
}
