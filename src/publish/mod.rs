//! Publishing: finds what differs, selects items, renders, writes.
//!
//! Owns: which units are dirty (by generation and fingerprint, nothing is ever "cleared"), which items a feed
//! or page shows, addresses and published ids. Does not own: bytes (`render`), files (`sink`), where items
//! come from: it reads nothing but the store, so a failing source can never empty an output.

mod archives;
mod article;
mod categories;
mod combined;
mod copies;
mod corrections;
mod error;
mod feeds;
mod fingerprint;
mod items;
mod keys;
mod newspapers;
mod options;
mod pages;
mod report;
mod run;
pub mod select;
mod sinks;
mod sitemaps;
mod statics;
mod themes;

use std::sync::{Arc, Mutex, PoisonError};

use tracing::warn;

use crate::model::{Category, CategoryId, Cursor, Timestamp};
use crate::sink::{Directory, PublishLock};
use crate::store::{Store, StoreError};

use categories::is_later;
use copies::OldSlugs;
use pages::Names;
use run::Run;

pub use crate::render::html::Pictures;
pub use error::PublishError;
pub use options::{
    Articles, Combined, JekyllOptions, JsonLinesOptions, PublishOptions, SiteOptions, SourceNote,
};
pub use pages::Pages;
pub use report::PublishReport;
pub use select::WindowOptions;
pub use themes::read_theme;

/// How thoroughly to compare outputs with the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishScope {
    /// Compares only what changed since the last publish of this process; without one, as
    /// [`PublishScope::Whole`].
    Changed,
    /// Compares every unit and every file.
    Whole,
}

/// Publishes the store to the output directories.
#[derive(Debug)]
pub struct Publisher {
    pages: Arc<Pages>,
    seen: Mutex<Seen>,
}

/// The state that a process keeps between publishes, so that it need not be read again.
#[derive(Debug, Default)]
struct Seen {
    /// The cursor up to which the outputs are known to be complete.
    upto: Option<Cursor>,
    /// The identity of that store, and how often a category was renamed in it.
    identity: Option<(u64, u64)>,
    /// All categories, as they were at the last publish.
    names: Names,
    /// Their former slugs, as of the last whole publish; only if article pages are files.
    old_slugs: OldSlugs,
    /// Whether the lists of all categories are outdated.
    relist: bool,
}

impl Seen {
    /// Reads what changed since; returns the categories to publish, the site last, since its pages link to
    /// theirs.
    fn refresh(
        &mut self,
        pages: &Pages,
        store: &dyn Store,
        since: Option<&Cursor>,
    ) -> Result<Vec<Category>, StoreError> {
        let mut candidates = if let Some(since) = since {
            store.changed_since(since)?
        } else {
            self.names = pages.names(store)?;
            self.old_slugs = copies::old_slugs(pages, store, &self.names)?;
            self.relist = true;
            self.names.values().cloned().chain(store.category(CategoryId::SITE)?).collect()
        };
        for category in candidates.iter().filter(|category| category.id != CategoryId::SITE) {
            let before = self.names.insert(category.id, category.clone());
            self.relist |= before.is_none_or(|before| pages.listed(&before) != pages.listed(category));
        }
        candidates.sort_by_key(|category| (category.id == CategoryId::SITE, category.id));
        Ok(candidates)
    }
}

impl Publisher {
    /// Creates a publisher with the settings of these pages.
    #[must_use]
    pub fn new(pages: Arc<Pages>) -> Self {
        Self { pages, seen: Mutex::default() }
    }

    /// Makes the next publish compare every unit and file, because the store was replaced.
    pub fn look_again(&self) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).upto = None;
    }

    /// Brings the outputs up to date; blocks. `now` is stored as the time of this publish and appears in no
    /// output. `progress` is called with (units done, units in all).
    ///
    /// # Errors
    /// [`PublishError`]; every file is then complete, old or new, and the next publish continues from there.
    pub fn publish(
        &self,
        store: &dyn Store,
        look: PublishScope,
        now: Timestamp,
        progress: &dyn Fn(usize, usize),
    ) -> Result<PublishReport, PublishError> {
        // Before anything is read: what another publish shows is no newer than what is read from here on.
        let _lock = PublishLock::acquire(&self.pages.options.output)?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // Published items must survive a power cut.
        store.sync()?;
        // Before the names: if one changes in between, everything is published again next time.
        let identity = store.identity()?;
        let upto = store.cursor()?;
        // After a rename or merge, units may belong to no category; a withdrawn item must not stay in them
        // until the merge ends.
        let same = seen.identity == Some(identity);
        let since = seen.upto.clone().filter(|_| same && look == PublishScope::Changed);
        let mut report = PublishReport::default();
        if self.outlived(store)? {
            warn!("the store is empty and older than the outputs, which stay; is it lost?");
            return Ok(report);
        }
        if since.as_ref() != Some(&upto) {
            let candidates = seen.refresh(&self.pages, store, since.as_ref())?;
            let Seen { names, old_slugs, relist, .. } = &*seen;
            let pages = &self.pages;
            let mut run =
                Run { pages, store, identity, names, old_slugs, relist: *relist, report: &mut report, since };
            run.categories(candidates, progress)?;
            run.items(&upto)?;
            store.mark_published(&upto, now)?;
        }
        self.pages.changed();
        (seen.upto, seen.identity) = (Some(upto), Some(identity));
        seen.relist = false;
        Ok(report)
    }

    /// Returns whether the store is empty while the outputs have a later generation: it is more likely lost
    /// than intended, and must not empty them.
    fn outlived(&self, store: &dyn Store) -> Result<bool, PublishError> {
        let site = store.category(CategoryId::SITE)?;
        if site.as_ref().is_some_and(|site| site.arrivals > 0) {
            return Ok(false);
        }
        Ok(is_later(&Directory::open(&self.pages.options.output)?, site.as_ref()))
    }
}
