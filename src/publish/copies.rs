//! Further names of outputs, for static hosts: feeds as copies, since feed discovery follows no redirects, and
//! pages that redirect. The server answers the same names without files.

use std::collections::{BTreeMap, BTreeSet};

use super::keys::{file, key};
use super::options::Articles;
use super::pages::{Names, Pages};
use crate::model::{Category, CategoryId, Slug};
use crate::render::stub;
use crate::sink::{FeedFormat, File, OutputKey, PROBED};
use crate::store::{Result as StoreResult, Store};

/// The former slugs of categories.
pub(super) type OldSlugs = BTreeMap<CategoryId, Vec<Slug>>;

/// Returns the former slugs of all categories, if article pages are files; else none.
pub(super) fn old_slugs(pages: &Pages, store: &dyn Store, names: &Names) -> StoreResult<OldSlugs> {
    let mut old = OldSlugs::new();
    if pages.options.articles != Articles::Files {
        return Ok(old);
    }
    // The slugs are read after the categories, so a category that was merged in between still has its own slug.
    let present: BTreeSet<&str> = names.values().map(|category| category.slug.as_str()).collect();
    for (slug, id) in store.slugs()? {
        let old_one = names.contains_key(&id) && !present.contains(slug.as_str());
        if let Some(slug) = Slug::new(&slug).filter(|_| old_one) {
            old.entry(id).or_default().push(slug);
        }
    }
    Ok(old)
}

/// Returns copies of the feeds of a category, or of the site, that are among `files`, and the pages that
/// redirect to the category's own.
pub(super) fn of(pages: &Pages, category: &Category, old: &OldSlugs, files: &[File]) -> Vec<File> {
    let named = |name: String, format| {
        let own = key(category, format).path();
        let bytes = files.iter().find(|file| file.path == own)?.bytes.clone();
        (name != own).then_some(File { path: name, bytes })
    };
    if category.id == CategoryId::SITE {
        return PROBED.iter().filter_map(|(name, format)| named((*name).to_owned(), *format)).collect();
    }
    let slug = &category.slug;
    let page = pages.url(&OutputKey::Category(slug.clone()));
    let lead = stub::render(&page, &category.name, &pages.options.site.language);
    let mut copies: Vec<File> =
        PROBED.iter().filter_map(|(name, format)| named(format!("{slug}/{name}"), *format)).collect();
    let mut leads = vec![format!("{slug}/index.html"), format!("category/{slug}/index.html")];
    for old in old.get(&category.id).into_iter().flatten() {
        let feed = |format| named(OutputKey::Feed(old.clone(), format).path(), format);
        copies.extend(FeedFormat::ALL.into_iter().filter_map(feed));
        leads.extend([OutputKey::Category(old.clone()).path(), format!("{old}/index.html")]);
    }
    copies.extend(leads.into_iter().map(|path| File { path, bytes: lead.clone() }));
    copies
}

/// Returns the paths of category pages, which pages at old paths must not replace.
pub(super) fn taken(names: &Names, old: &OldSlugs) -> BTreeSet<String> {
    let own = names.values().map(|category| &category.slug);
    own.chain(old.values().flatten()).map(|slug| format!("{slug}/index.html")).collect()
}

/// Returns a page at an old path that redirects to the article's current one; `None` if the path cannot be a
/// page.
pub(super) fn lead(pages: &Pages, from: &str, to: &str) -> Option<File> {
    let name = from.rsplit('/').next().unwrap_or(from);
    let path = match name.rsplit_once('.') {
        Some((_, "html" | "htm")) => from.to_owned(),
        Some(_) => return None,
        None => format!("{}/index.html", from.trim_end_matches('/')),
    };
    // Hidden or malformed paths, and folders of other outputs, are excluded.
    let plain = path.split('/').all(|part| !part.is_empty() && !part.starts_with('.'));
    let taken = ["feed/", "category/", "assets/", "sitemap/"].iter().any(|own| path.starts_with(own));
    let page = OutputKey::Article(to.to_owned());
    let bytes = stub::render(&pages.url(&page), &pages.options.site.title, &pages.options.site.language);
    (plain && !taken && path.contains('/')).then(|| file(&OutputKey::Article(path), bytes))
}
