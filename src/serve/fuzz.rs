//! The functions of this room that fuzz targets call.

use super::route;

/// Parses an address and returns the canonical one of the same route as path and query; `None` for an address
/// that can be no output.
#[must_use]
pub fn address(path: &str, query: Option<&str>) -> Option<(String, Option<String>)> {
    route::parse(path, query).address()
}
