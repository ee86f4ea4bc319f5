//! Imports the posts of a Jekyll site into the store.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::NaiveTime;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::post::{OldDate, OldPost, old_paths, parse_post};
use crate::ingest::article::permalink;
use crate::model::item::caps;
use crate::model::text::{clip, clip_bytes, escape};
use crate::model::{Body, Category, CategoryId, CodeSpace, InfoCode, Item, Slug, SourceId, Timestamp};
use crate::parse::clean::Cleaner;
use crate::parse::date::in_zone;
use crate::source::CodeRule;
use crate::store::{Basis, Change, Placement, Store, StoreError};

/// Bytes of a post, at most.
const MAX_POST: u64 = 16 << 20;
/// The rank of imported items, below that of every polled source.
const RANK: u32 = u32::MAX;
/// Changes that are stored in one transaction.
const STEP: usize = 300;

/// The settings of an import.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// The time zone of our permalinks, and of old dates without one.
    pub zone: Tz,
    /// The code space whose codes are written without it.
    pub bare_space: Option<CodeSpace>,
    /// The rules by which codes of that space are made canonical.
    pub code_rules: Vec<CodeRule>,
    /// Cleans the old bodies, as the source's own are cleaned.
    pub cleaner: Arc<Cleaner>,
    /// How many items may enter a current window: of a category, of the whole site.
    pub newcomers: (usize, usize),
}

/// What an import did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportReport {
    /// Posts read.
    pub posts: usize,
    /// New items.
    pub imported: usize,
    /// Posts of known items: only their old paths were added.
    pub known: usize,
    /// Posts that are another copy of an imported item.
    pub copies: usize,
    /// Posts without title or date and drafts, each with its reason.
    pub held_back: Vec<(String, String)>,
    /// Files that cannot be read, each with its reason.
    pub refused: Vec<(String, String)>,
    /// Old paths that answer from now on.
    pub paths: usize,
    /// Categories that received an item.
    pub categories: usize,
    /// Notes for the admin, to be read before the real import.
    pub notes: Vec<String>,
    /// Whether nothing was stored.
    pub dry_run: bool,
}

/// An error that ends an import.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The folder contains no posts.
    #[error(
        "`{path}` has neither `_posts` nor `old_post` nor any post itself; name the folder of the old Jekyll site"
    )]
    NoPosts {
        /// The folder.
        path: String,
    },
    /// The folder cannot be read.
    #[error("cannot read `{path}`")]
    Io {
        /// The folder.
        path: String,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A post with its code and date.
struct Candidate {
    file: String,
    post: OldPost,
    code: InfoCode,
    published: Timestamp,
}

/// Imports the posts in `folder`; blocks. Calls `progress` with the posts done and the posts in all.
///
/// # Errors
/// [`ImportError`]; posts that were stored before stay, and another import continues from there.
pub fn jekyll(
    store: &dyn Store,
    folder: &Path,
    options: &ImportOptions,
    dry_run: bool,
    now: Timestamp,
    progress: &dyn Fn(usize, usize),
) -> Result<ImportReport, ImportError> {
    let files = post_files(folder)?;
    let mut report = ImportReport { dry_run, ..ImportReport::default() };
    let old_zone = jekyll_zone(folder);
    if options.code_rules.is_empty() {
        let note = "no source with a `code` rule shares `site.code_space`: the posts are kept for good under \
                    codes made of their file names; if they are a source's articles, configure it first";
        report.notes.push(note.to_owned());
    }
    let mut by_code: BTreeMap<(Timestamp, InfoCode), Vec<Candidate>> = BTreeMap::new();
    let mut first_seen: BTreeMap<InfoCode, Timestamp> = BTreeMap::new();
    for (done, file) in files.iter().enumerate() {
        progress(done / 2, files.len());
        report.posts += 1;
        if let Some(candidate) = read_one(file, options, &mut report) {
            let at = *first_seen.entry(candidate.code.clone()).or_insert(candidate.published);
            by_code.entry((at, candidate.code.clone())).or_default().push(candidate);
        }
    }
    let mut importer =
        Importer { store, options, old_zone, now, report: &mut report, touched: BTreeSet::new() };
    // Newest first, to decide which may enter a window; stored oldest first.
    let mut entered = BTreeMap::new();
    let mut changes = Vec::new();
    for (done, ((_, code), posts)) in by_code.into_iter().rev().enumerate() {
        progress(files.len() / 2 + done / 2, files.len());
        if let Some(mut change) = importer.change(&code, posts)? {
            hold_back(&mut change, options.newcomers, &mut entered);
            changes.push(change);
        }
    }
    changes.reverse();
    report.categories = importer.touched.len();
    if !dry_run {
        while !changes.is_empty() {
            let rest = changes.split_off(changes.len().min(STEP));
            // Items that were withdrawn meanwhile, or erased long ago, stay out.
            let refused = store.commit(std::mem::replace(&mut changes, rest), now)?;
            report.imported = report.imported.saturating_sub(refused.len());
        }
        store.sync()?;
    }
    progress(files.len(), files.len());
    Ok(report)
}

/// Returns the posts in `_posts` and `old_post`, or else in the folder itself, sorted by path.
fn post_files(folder: &Path) -> Result<Vec<PathBuf>, ImportError> {
    let mut folders: Vec<PathBuf> =
        ["_posts", "old_post"].iter().map(|name| folder.join(name)).filter(|f| f.is_dir()).collect();
    if folders.is_empty() {
        folders.push(folder.to_owned());
    }
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        let fail = |source| ImportError::Io { path: folder.display().to_string(), source };
        for entry in std::fs::read_dir(&folder).map_err(fail)? {
            let path = entry.map_err(fail)?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|e| matches!(e.to_str(), Some("md" | "markdown" | "html" | "htm")))
            {
                files.push(path);
            }
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(ImportError::NoPosts { path: folder.display().to_string() });
    }
    Ok(files)
}

/// Returns the old site's `timezone`. Without one, Jekyll used that of the machine, which is UTC on build
/// machines.
fn jekyll_zone(folder: &Path) -> Tz {
    let config = std::fs::read_to_string(folder.join("_config.yml")).unwrap_or_default();
    config
        .lines()
        .find_map(|line| line.strip_prefix("timezone:"))
        .and_then(|zone| zone.split('#').next()?.trim().trim_matches(['"', '\'']).parse().ok())
        .unwrap_or(Tz::UTC)
}

fn read_one(file: &Path, options: &ImportOptions, report: &mut ImportReport) -> Option<Candidate> {
    let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let refuse = |report: &mut ImportReport, reason: String| report.refused.push((name.clone(), reason));
    let size = std::fs::metadata(file).map_or(0, |meta| meta.len());
    if size > MAX_POST {
        refuse(report, format!("{size} bytes are too many for a post"));
        return None;
    }
    let post = match std::fs::read(file) {
        Ok(bytes) => parse_post(&name, &bytes).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let post = match post {
        Ok(post) => post,
        Err(reason) => {
            refuse(report, reason);
            return None;
        }
    };
    let published = instant(&post, options.zone);
    let mut missing = Vec::new();
    if post.title.trim().is_empty() {
        missing.push("no title");
    }
    if published.is_none() {
        missing.push("no date");
    }
    if !post.published {
        missing.push("a draft (`published: false`)");
    }
    let (true, Some(published)) = (missing.is_empty(), published) else {
        report.held_back.push((name, missing.join(", ")));
        return None;
    };
    let code = code_of(&post, options);
    Some(Candidate { file: name, post, code, published })
}

fn instant(post: &OldPost, zone: Tz) -> Option<Timestamp> {
    match post.date {
        OldDate::Fixed(at) => Some(Timestamp::from(at.to_utc())),
        OldDate::Naive(naive) => in_zone(naive, zone),
        OldDate::Day(day) => in_zone(day.and_time(NaiveTime::MIN), zone),
        OldDate::Missing => post.file_date.and_then(|day| in_zone(day.and_time(NaiveTime::MIN), zone)),
    }
}

/// Returns the post's code by the rules of the site's own code space, or else one derived from its name.
fn code_of(post: &OldPost, options: &ImportOptions) -> InfoCode {
    if let Some(space) = &options.bare_space
        && let Some(code) = options.code_rules.iter().find_map(|rule| rule.canonical(&post.slug))
    {
        return InfoCode::new(space.clone(), &code);
    }
    let day = post.file_date.map(|day| day.to_string()).unwrap_or_default();
    let code = if post.link.is_some() { post.slug.clone() } else { format!("{day}-{}", post.slug) };
    InfoCode::new(CodeSpace::jekyll(), &code)
}

struct Importer<'a> {
    store: &'a dyn Store,
    options: &'a ImportOptions,
    old_zone: Tz,
    now: Timestamp,
    report: &'a mut ImportReport,
    touched: BTreeSet<String>,
}

impl Importer<'_> {
    /// Returns the change for one item's posts; `None` if there is nothing to store.
    fn change(&mut self, code: &InfoCode, mut posts: Vec<Candidate>) -> Result<Option<Change>, StoreError> {
        // The copy with the canonical code is the newspaper's own; otherwise the first file counts.
        posts.sort_by_key(|c| (c.post.slug != c.code.code(), c.file.clone()));
        let basis = self.store.basis(code)?;
        let mut change = Change::on(code.clone(), Basis { tombstone: None, ..basis.clone() });
        change.paths = posts
            .iter()
            .flat_map(|c| old_paths(&c.post, self.old_zone))
            .map(|p| p.trim_start_matches('/').to_owned())
            .collect();
        change.paths.sort();
        change.paths.dedup();
        self.report.paths += change.paths.len();
        self.report.copies += posts.len() - 1;
        if let Some(known) = basis.item.clone() {
            change.basis = basis;
            self.report.known += 1;
            let mut new = Vec::new();
            for path in std::mem::take(&mut change.paths) {
                if self.store.at_path(&path)?.is_none() {
                    new.push(path);
                }
            }
            change.paths = new;
            change.item = Some(known);
            return Ok(Some(change).filter(|change| !change.paths.is_empty()));
        }
        self.report.imported += 1;
        let mut categories: Vec<Category> = Vec::new();
        for candidate in &posts {
            let category = self.category(&candidate.post)?;
            if !categories.iter().any(|known| known.slug == category.slug) {
                categories.push(category);
            }
        }
        let (Some(lead), Some(home)) = (posts.first(), categories.first()) else { return Ok(None) };
        let ids: Vec<CategoryId> = categories.iter().map(|c| c.id).collect();
        let (item, body) = self.item(lead, home, ids);
        change.enters = categories
            .iter()
            .map(|c| c.id)
            .chain([CategoryId::SITE])
            .map(|category| Placement { category, shown: true })
            .collect();
        change.item = Some(item);
        change.body = Some(body);
        Ok(Some(change))
    }

    fn item(&self, candidate: &Candidate, home: &Category, categories: Vec<CategoryId>) -> (Item, Body) {
        let post = &candidate.post;
        let html = post
            .body_html
            .clone()
            .or_else(|| post.markdown.as_deref().map(|text| format!("<pre>{}</pre>", escape(text))));
        let html = html.or_else(|| post.digest.as_deref().map(|digest| format!("<p>{}</p>", escape(digest))));
        let cleaned = self.options.cleaner.clean(&html.unwrap_or_default(), None);
        let digest = post.digest.clone().filter(|_| post.body_html.is_some());
        let published = candidate.published.min(self.now);
        let file = candidate.code.file_name(self.options.bare_space.as_ref());
        let item = Item {
            permalink: permalink(home, published, self.options.zone, &file),
            code: candidate.code.clone(),
            title: clip_bytes(&post.title, caps::TITLE),
            link: post.link.clone().filter(|l| l.len() <= caps::URL),
            excerpt: clip_bytes(
                &clip(digest.as_deref().unwrap_or(&cleaned.text), caps::EXCERPT),
                caps::EXCERPT_BYTES,
            ),
            media_name: cleaned.media_name.map(|name| clip_bytes(&name, caps::NAME_BYTES)),
            image: cleaned.image.filter(|url| url.len() <= caps::URL),
            published,
            updated: published,
            first_seen: self.now,
            home: home.id,
            categories,
            lead: SourceId::import(),
            rank: RANK,
            revisions: 0,
            generation: 0,
            touched: 0,
            imported: true,
        };
        (item, Body { html: cleaned.html, digest, ..Body::default() })
    }

    /// Returns the category of a post, which its old slug resolves to from now on.
    fn category(&mut self, post: &OldPost) -> Result<Category, StoreError> {
        let old = post.category_slug.clone().or_else(|| post.categories.first().cloned()).unwrap_or_default();
        let name = post.category_name.clone().unwrap_or_else(|| old.clone());
        let name = if name.trim().is_empty() { "posts".to_owned() } else { clip(name.trim(), caps::NAME) };
        self.touched.insert(name.clone());
        if let Some(known) = self.store.find_category(&old)?.filter(|_| !old.is_empty()) {
            return Ok(known);
        }
        if self.report.dry_run {
            let slug = Slug::from_name(&name);
            return Ok(Category {
                id: CategoryId(u32::MAX),
                slug,
                name,
                generation: 0,
                changed_at: self.now,
                newest: None,
                arrivals: 0,
            });
        }
        let category = self.store.ensure_category(&name, None, self.now)?;
        if !old.is_empty() {
            self.store.alias_category(category.id, &old)?;
        }
        Ok(category)
    }
}

/// Marks which placements of a change are shown: an import enters each window with a bounded number of its
/// newest items (RULES 3.1).
fn hold_back(change: &mut Change, newcomers: (usize, usize), entered: &mut BTreeMap<CategoryId, usize>) {
    for placement in &mut change.enters {
        let most = if placement.category == CategoryId::SITE { newcomers.1 } else { newcomers.0 };
        let count = entered.entry(placement.category).or_default();
        *count += 1;
        placement.shown = *count <= most;
    }
}
