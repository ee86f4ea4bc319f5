//! What fuzzing reaches of serving: the names of outputs.

use super::names;

/// The address of what an address means: its path and its query; none where it means nothing.
#[must_use]
pub fn address(path: &str, query: Option<&str>) -> Option<(String, Option<String>)> {
    names::meaning(path, query).address()
}
