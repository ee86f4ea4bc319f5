//! What ingest has to know of the config.

use std::sync::Arc;

use super::answers::LastAnswers;
use super::routing::AutoCategories;
use crate::model::CodeSpace;
use crate::rules::Rules;

/// What ingest has to know of the config.
#[derive(Debug, Clone, PartialEq)]
pub struct IngestOptions {
    /// Zone of the day in permalinks.
    pub zone: chrono_tz::Tz,
    /// The code space that is written bare.
    pub bare_space: Option<CodeSpace>,
    /// How many items of a new source may enter a current window: (category, whole site).
    pub newcomers: (usize, usize),
    /// What to do with newspapers' names.
    pub auto: AutoCategories,
    /// Seconds up to which a fresh answer, or a document's own wish, puts the next poll off.
    pub freshness_cap: i64,
    /// What becomes of items by what they say.
    pub rules: Arc<Rules>,
    /// Where the last answer of each source is kept; `None` to keep none.
    pub answers: Option<LastAnswers>,
}
