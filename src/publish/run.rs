//! One publish: what all that is made in it is made of, and how it becomes visible.

use super::copies::OldSlugs;
use super::error::PublishError;
use super::pages::{Names, Pages};
use super::report::PublishReport;
use crate::model::Cursor;
use crate::sink::Directory;
use crate::store::Store;

/// Files that are gathered before they are made visible together.
pub(super) const BATCH: usize = 2_000;

/// One publish.
pub(super) struct Run<'a> {
    pub(super) pages: &'a Pages,
    pub(super) store: &'a dyn Store,
    /// Which store it is, and how often a category was renamed in it, as the names were read.
    pub(super) identity: (u64, u64),
    /// All categories.
    pub(super) names: &'a Names,
    /// Slugs that they had before.
    pub(super) old_slugs: &'a OldSlugs,
    /// The lists of all categories are to be made anew.
    pub(super) relist: bool,
    pub(super) report: &'a mut PublishReport,
    pub(super) since: Option<Cursor>,
}

impl Run<'_> {
    /// Makes what is gathered visible. Something may have been read that came in after the publish
    /// began: it must not be shown and then lost by a power cut.
    pub(super) fn show(&self, sink: &mut Directory) -> Result<(), PublishError> {
        self.store.sync()?;
        let shown = sink.commit();
        // Even where it failed some files may be new.
        self.pages.changed();
        Ok(shown?)
    }
}
