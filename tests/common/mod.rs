//! Helpers that tests share: a [`Mill`] in a folder of its own with a clock that stands still, an
//! [`Upstream`] on loopback, and samples in the formats of the first real one.

#![allow(dead_code, unused_imports, reason = "every test binary uses its own part of this")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a sample that is not there ends the test")]

mod broken;
mod mill;
pub(crate) mod samples;
mod upstream;

use std::path::PathBuf;

pub(crate) use broken::Broken;
pub(crate) use mill::{Mill, Tree, changed_paths, claim};
pub(crate) use upstream::{Asked, Upstream};

use feedmill::model::Timestamp;

/// Parses a time such as `2026-05-01T08:00:00Z`.
pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::from(chrono::DateTime::parse_from_rfc3339(text).unwrap().to_utc())
}

/// Returns all stored items, withdrawn ones too, in the order of their last change.
pub(crate) fn every_item(store: &dyn feedmill::store::Store) -> Vec<feedmill::model::Item> {
    store.touched(&feedmill::model::Cursor::default(), &store.cursor().unwrap(), usize::MAX).unwrap().0
}

/// Returns the folder of the real articles: `$FEEDMILL_CORPUS`, or else the project's shared folder. Returns
/// `None`, with a message on standard error, if they are missing: they are not part of the repository.
pub(crate) fn corpus() -> Option<PathBuf> {
    let default = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data"));
    let folder = std::env::var_os("FEEDMILL_CORPUS").map_or_else(default, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    #[expect(clippy::print_stderr, reason = "a test that did not run must say so")]
    {
        eprintln!("not run: there are no real articles in `{}`; set FEEDMILL_CORPUS", folder.display());
    }
    None
}
