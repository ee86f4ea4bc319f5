//! Publishing: find what differs, select items, render, write.
//!
//! Owns: which units are dirty (by generation and fingerprint, nothing is ever "cleared"),
//! which items a feed or page shows, addresses and published ids. Does not own: bytes
//! (`render`), files (`sink`), where items come from: it reads nothing but the store, so a
//! failing source can never empty an output.

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

/// How thoroughly to look for what differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishScope {
    /// Only at what changed since the last publish of this process; else as [`PublishScope::Whole`].
    Changed,
    /// At every unit and every file.
    Whole,
}

/// Publishes the store into the output directories.
#[derive(Debug)]
pub struct Publisher {
    pages: Arc<Pages>,
    seen: Mutex<Seen>,
}

/// What a process remembers from one publish to the next, so that it need not read it again.
#[derive(Debug, Default)]
struct Seen {
    /// Up to where it knows the outputs to be complete.
    upto: Option<Cursor>,
    /// Which store that was, and how often a category was renamed in it.
    identity: Option<(u64, u64)>,
    /// All categories, as they were at the last publish.
    names: Names,
    /// Slugs that they had before, as of the last whole look; where those become files.
    old_slugs: OldSlugs,
    /// The lists of all categories are not yet what they must be.
    relist: bool,
}

impl Seen {
    /// Looks at what changed since; gives the categories to look at, the site last: its pages link
    /// to theirs.
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
    /// Publishes with these pages' settings.
    #[must_use]
    pub fn new(pages: Arc<Pages>) -> Self {
        Self { pages, seen: Mutex::default() }
    }

    /// Makes the next publish look at every unit and file: the store is not the one it was.
    pub fn look_again(&self) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).upto = None;
    }

    /// Brings the outputs up to date; blocks. `now` is remembered as the time at which they show
    /// what is stored, and stands in none of them. `progress` hears (units done, units in all).
    ///
    /// # Errors
    /// [`PublishError`]; the outputs then are whole old or whole new files, and the next
    /// publish goes on from there.
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
        // What is shown to the world must not be lost by a power cut.
        store.sync()?;
        // Before the names: where one changes in between, all is made again next time.
        let identity = store.identity()?;
        let upto = store.cursor()?;
        // Since a category was renamed or merged, units may be of none: what is withdrawn must not stay in them
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

    /// Whether an empty store meets outputs of a later generation: it is more likely lost than
    /// meant, and must not empty them.
    fn outlived(&self, store: &dyn Store) -> Result<bool, PublishError> {
        let site = store.category(CategoryId::SITE)?;
        if site.as_ref().is_some_and(|site| site.arrivals > 0) {
            return Ok(false);
        }
        Ok(is_later(&Directory::open(&self.pages.options.output)?, site.as_ref()))
    }
}
