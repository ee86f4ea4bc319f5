//! The state of one publish, and how its files become visible.

use super::copies::OldSlugs;
use super::error::PublishError;
use super::pages::{Names, Pages};
use super::report::PublishReport;
use crate::model::Cursor;
use crate::sink::Directory;
use crate::store::Store;

/// The most files that are collected before they become visible together.
pub(super) const BATCH: usize = 2_000;

/// One publish.
pub(super) struct Run<'a> {
    pub(super) pages: &'a Pages,
    pub(super) store: &'a dyn Store,
    /// The identity of the store, and how often a category was renamed in it, when the names were read.
    pub(super) identity: (u64, u64),
    /// All categories.
    pub(super) names: &'a Names,
    /// Their former slugs.
    pub(super) old_slugs: &'a OldSlugs,
    /// Whether the lists of all categories must be rendered again.
    pub(super) relist: bool,
    pub(super) report: &'a mut PublishReport,
    pub(super) since: Option<Cursor>,
}

impl Run<'_> {
    /// Makes the collected files visible. Items that arrived after the publish began may be among them, so the
    /// store is synced first: a published item must survive a power cut.
    pub(super) fn show(&self, sink: &mut Directory) -> Result<(), PublishError> {
        self.store.sync()?;
        let shown = sink.commit();
        // Even after a failure some files may be new.
        self.pages.changed();
        Ok(shown?)
    }
}
