//! Publishing: find what differs, select items, render, write.
//!
//! Owns: which units are dirty (by generation and fingerprint, nothing is ever "cleared"),
//! which items a feed or page shows, addresses and published ids. Does not own: bytes
//! (`render`), files (`sink`), where items come from: it reads nothing but the store, so a
//! failing source can never empty an output.

mod archives;
mod article;
mod combined;
mod copies;
mod corrections;
mod feeds;
mod fingerprint;
mod items;
mod newspapers;
mod pages;
mod report;
pub mod select;
mod sinks;
mod sitemaps;
mod statics;
mod themes;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono_tz::Tz;
use thiserror::Error;
use tracing::warn;
use url::Url;

use crate::model::{Category, CategoryId, CodeSpace, Cursor, SourceId, Timestamp};
use crate::render::RenderError;
pub use crate::render::html::Pictures;
use crate::render::html::ThemeError;
use crate::render::html::ThemeParts;
use crate::sink::{Directory, File, OutputKey, Packing, Rendered, SinkError, Turn};
use crate::store::{Store, StoreError};

pub use combined::Combined;
use copies::OldSlugs;
use fingerprint::fingerprint;
use pages::Names;
pub use pages::Pages;
pub use report::PublishReport;
pub use select::WindowOptions;
pub use sinks::{JekyllOptions, JsonLinesOptions};
pub use themes::read_theme;

/// Files that are gathered before they are made visible together.
const BATCH: usize = 2_000;
/// Unit of the site's own files; a category can never have this slug.
const SITE_UNIT: &str = "index";

/// What the config says about the published site.
#[derive(Debug, Clone)]
pub struct SiteOptions {
    /// Title.
    pub title: String,
    /// One sentence.
    pub description: String,
    /// Absolute, ends in `/`.
    pub url: Url,
    /// BCP 47.
    pub language: String,
    /// Zone of shown times and of days in addresses.
    pub zone: Tz,
    /// Whether search engines may list the copies.
    pub indexing: bool,
    /// How pages and feeds show the pictures of articles.
    pub pictures: Pictures,
    /// The folder of its theme.
    pub theme_folder: Option<PathBuf>,
    /// What that holds; nothing for the built-in theme.
    pub theme: Arc<ThemeParts>,
    /// Text at the foot of every page.
    pub footer: Option<String>,
    /// Rights in what is published as a whole.
    pub rights: Option<String>,
    /// Who runs the site: an address or an e-mail.
    pub contact: Option<String>,
    /// Authority of published ids, set once.
    pub id_authority: String,
    /// The code space written bare, set once.
    pub code_space: Option<CodeSpace>,
    /// As sent to upstreams; told on `bot.html`.
    pub user_agent: String,
}

/// Whether article pages are files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Articles {
    /// Rendered from the store when asked for.
    #[default]
    OnRequest,
    /// Written, for static hosts.
    Files,
}

/// What readers are told of a source, and how much of its articles they get.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceNote {
    /// Its name.
    pub name: String,
    /// Its feed, where that is one and readers may know its address.
    pub feed_url: Option<String>,
    /// Its page.
    pub page_url: Option<String>,
    /// Rights in its articles.
    pub rights: Option<String>,
    /// Feeds and pages show only the excerpt of its articles.
    pub excerpt_only: bool,
}

/// All that publishing has to know of the config.
#[derive(Debug, Clone)]
pub struct PublishOptions {
    /// The site.
    pub site: SiteOptions,
    /// What feeds hold.
    pub windows: WindowOptions,
    /// The output directory.
    pub output: PathBuf,
    /// Files to copy into it.
    pub static_files: Option<PathBuf>,
    /// Whether article pages are files.
    pub articles: Articles,
    /// Whether files have compressed variants beside them.
    pub precompress: bool,
    /// Whether each category has a feed of corrections.
    pub corrections: bool,
    /// Feeds of several categories together.
    pub combined: Vec<Combined>,
    /// What readers are told of the sources.
    pub sources: BTreeMap<SourceId, SourceNote>,
    /// Jekyll output, when switched on.
    pub jekyll: Option<JekyllOptions>,
    /// JSON lines, when switched on.
    pub json_lines: Option<JsonLinesOptions>,
    /// How often sources are polled; told on `bot.html`.
    pub interval: Duration,
}

/// Why publishing failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The output directory.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// A feed.
    #[error("a feed cannot be rendered")]
    Render(#[from] RenderError),
    /// A template.
    #[error("a page cannot be rendered")]
    Theme(#[from] ThemeError),
    /// A static file.
    #[error("cannot copy the static file `{path}`")]
    Static {
        /// The file.
        path: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl PublishError {
    /// A stable word for metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Store(error) => error.kind(),
            Self::Sink(error) => error.kind(),
            Self::Render(_) => "render",
            Self::Theme(_) => "theme",
            Self::Static { .. } => "static",
        }
    }

    /// Whether the next publish may end well by itself.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Store(error) => error.is_transient(),
            Self::Sink(error) => error.is_transient(),
            Self::Theme(_) | Self::Render(_) => false,
            Self::Static { .. } => true,
        }
    }
}

/// How thoroughly to look for what differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Only at what changed since the last publish of this process; else as [`Look::Whole`].
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
        look: Look,
        now: Timestamp,
        progress: &dyn Fn(usize, usize),
    ) -> Result<PublishReport, PublishError> {
        // Before anything is read: what another publish shows is no newer than what is read from here on.
        let _turn = Turn::wait(&self.pages.options.output)?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // What is shown to the world must not be lost by a power cut.
        store.sync()?;
        // Before the names: where one changes in between, all is made again next time.
        let identity = store.identity()?;
        let upto = store.cursor()?;
        // Since a category was renamed or merged, units may be of none: what is withdrawn must not stay in them
        // until the merge ends.
        let same = seen.identity == Some(identity);
        let since = seen.upto.clone().filter(|_| same && look == Look::Changed);
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

/// Whether the outputs are those of a later store than this one.
fn is_later(sink: &Directory, site: Option<&Category>) -> bool {
    sink.unit(SITE_UNIT).generation > site.map_or(0, |site| site.generation)
}

/// One publish.
struct Run<'a> {
    pages: &'a Pages,
    store: &'a dyn Store,
    /// Which store it is, and how often a category was renamed in it, as the names were read.
    identity: (u64, u64),
    /// All categories.
    names: &'a Names,
    /// Slugs that they had before.
    old_slugs: &'a OldSlugs,
    /// The lists of all categories are to be made anew.
    relist: bool,
    report: &'a mut PublishReport,
    since: Option<Cursor>,
}

impl Run<'_> {
    /// Makes what is gathered visible. Something may have been read that came in after the publish
    /// began: it must not be shown and then lost by a power cut.
    fn show(&self, sink: &mut Directory) -> Result<(), PublishError> {
        self.store.sync()?;
        let shown = sink.commit();
        // Even where it failed some files may be new.
        self.pages.changed();
        Ok(shown?)
    }

    fn categories(
        &mut self,
        candidates: Vec<Category>,
        progress: &dyn Fn(usize, usize),
    ) -> Result<(), PublishError> {
        let packing = if self.pages.options.precompress { Packing::Packed } else { Packing::Plain };
        let mut sink = Directory::open(&self.pages.options.output)?.with(packing);
        let mut fingerprint = self.pages.fingerprint(self.identity);
        if !self.old_slugs.is_empty() {
            fingerprint = fingerprint::fingerprint(&[&fingerprint, &format!("{:?}", self.old_slugs)]);
        }
        if self.since.is_none() {
            sink.clear_unfinished();
        }
        let all = candidates.len();
        let outlived = is_later(&sink, self.store.category(CategoryId::SITE)?.as_ref());
        for (done, category) in candidates.into_iter().enumerate() {
            progress(done, all);
            let unit = sink.unit(unit_name(&category));
            if unit.shows(category.generation, &fingerprint) && (self.since.is_some() || !sink.lacks(&unit)) {
                if self.since.is_none() {
                    self.archives(&mut sink, &category, &fingerprint)?;
                }
                self.report.clean += 1;
                continue;
            }
            let stays = |path: &str| {
                unit.fingerprint == fingerprint && unit.files.contains_key(path) && sink.has(path)
            };
            let (mut files, kept) = self.files(&category, stays)?;
            if self.pages.options.articles == Articles::Files {
                files.extend(copies::of(self.pages, &category, self.old_slugs, &files));
            }
            self.archives(&mut sink, &category, &fingerprint)?;
            let rendered = Rendered {
                generation: category.generation,
                fingerprint: fingerprint.clone(),
                files,
                kept,
                changed_at: category.changed_at,
            };
            self.report.add(sink.put_unit(unit_name(&category), &unit, &rendered)?);
            self.report.rendered += 1;
            if sink.pending() >= BATCH {
                self.show(&mut sink)?;
            }
        }
        progress(all, all);
        self.combined(&mut sink, &fingerprint)?;
        if self.since.is_none() {
            self.static_files(&mut sink)?;
            // Outputs of a later generation than the store's are another store's: it was lost, or
            // an older copy of it is back. What they hold and it does not is kept.
            if !outlived {
                self.forget_unknown(&mut sink)?;
            }
        }
        self.show(&mut sink)
    }

    /// The files of a category, and the paths of those that stay as they are.
    fn files(
        &self,
        category: &Category,
        stays: impl Fn(&str) -> bool,
    ) -> Result<(Vec<File>, Vec<String>), PublishError> {
        let (pages, store, names) = (self.pages, self.store, self.names);
        let newest = feeds::newest(pages, store, category)?;
        let mut files = feeds::files(pages, store, category, &newest, names)?;
        let mut kept = Vec::new();
        if category.id == CategoryId::SITE {
            files.push(file(&OutputKey::Home, pages.home(store, category, &newest, names)?));
            files.extend(pages.logo());
            let about: Vec<String> = pages::ABOUT.iter().map(OutputKey::path).collect();
            if !self.relist && about.iter().all(|path| stays(path)) {
                kept = about;
            } else {
                files.extend(pages.about(names)?);
            }
            return Ok((files, kept));
        }
        if pages.options.corrections {
            files.push(corrections::corrections(pages, store, category, names)?);
        }
        let html = pages.category(category, &newest, names)?;
        files.push(file(&OutputKey::Category(category.slug.clone()), html));
        // Of its address alone.
        let code = OutputKey::Code(category.slug.clone()).path();
        if stays(&code) {
            kept.push(code);
        } else {
            files.extend(pages.code(category));
        }
        Ok((files, kept))
    }

    /// Units of categories that the store does not know (any more).
    fn forget_unknown(&mut self, sink: &mut Directory) -> Result<(), PublishError> {
        // An empty store must never empty an output: it is more likely lost than meant.
        if self.names.is_empty() {
            return Ok(());
        }
        for unit in sink.units() {
            let combined = combined::slug_of(&unit);
            if combined
                .is_some_and(|slug| self.pages.options.combined.iter().all(|c| c.slug.as_str() != slug))
            {
                self.report.add(sink.drop_unit(&unit)?);
                continue;
            }
            let slug = archives::slug_of(&unit).unwrap_or(&unit);
            let own = unit == SITE_UNIT || slug.starts_with('_');
            let known = own || self.names.values().any(|c| c.slug.as_str() == slug);
            if !known {
                self.report.add(sink.drop_unit(&unit)?);
            }
        }
        Ok(())
    }
}

/// Categories and the site by the name of their unit.
fn unit_name(category: &Category) -> &str {
    if category.id == CategoryId::SITE { SITE_UNIT } else { category.slug.as_str() }
}

fn file(key: &OutputKey, bytes: impl Into<Vec<u8>>) -> File {
    File { path: key.path(), bytes: bytes.into() }
}
