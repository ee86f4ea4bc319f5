//! Finding what an address leads to: files of the output directory, pages rendered from the store, redirects.

use std::path::Path;
use std::sync::Arc;

use axum::http::StatusCode;
use tracing::error;

use super::file_snapshot::FileSnapshot;
use super::response::Representation;
use super::route::{self, Route};
use crate::model::{CategoryId, Slug};
use crate::publish::{Articles, Pages, PublishError};
use crate::sink::media_type;
use crate::store::{AtPath, Handle, Store};

/// What an address leads to.
#[derive(Debug)]
enum Found {
    /// An output.
    Content(Representation),
    /// A permanent redirect to this URL.
    Redirect(String),
    /// A withdrawn article.
    Gone,
}

/// The outputs of a site, by address.
#[derive(Debug)]
pub(super) struct Outputs {
    pages: Arc<Pages>,
    store: Handle,
}

impl Outputs {
    pub(super) fn new(pages: Arc<Pages>, store: Handle) -> Self {
        Self { pages, store }
    }

    /// Returns a number that changes whenever an output may have changed.
    pub(super) fn revision(&self) -> u64 {
        self.pages.state()
    }

    /// Changes the revision: outputs may have changed without a publish.
    pub(super) fn invalidate(&self) {
        self.pages.changed();
    }

    /// Returns what a path and a query lead to; an error page if there is nothing.
    pub(super) async fn find(&self, path: &str, query: Option<&str>) -> Representation {
        match self.find_route(path, route::parse(path, query)).await {
            Ok(Some(Found::Content(content))) => content,
            Ok(Some(Found::Redirect(target))) => Representation::moved_permanently(target),
            Ok(Some(Found::Gone)) => self.error_page(StatusCode::GONE, Some(path)),
            Ok(None) => self.error_page(StatusCode::NOT_FOUND, Some(path)),
            Err(error) => {
                error!(path, error = %crate::model::chain(&error), "a page cannot be rendered");
                self.error_page(StatusCode::INTERNAL_SERVER_ERROR, Some(path))
            }
        }
    }

    async fn find_route(&self, path: &str, route: Route) -> Result<Option<Found>, PublishError> {
        match route {
            Route::File(file) => self.file_or_stored(file).await,
            Route::Alias(key) => match self.file(&key.path(), Some(self.pages.url(&key))).await {
                Some(content) => Ok(Some(Found::Content(content))),
                None => self.renamed(path).await,
            },
            Route::CategoryPage(slug, number) => self.category_page(slug, number).await,
            Route::Category(slug) => match self.category(slug).await {
                Ok(None) => self.uncategorized(path).await,
                found => found,
            },
            Route::Health => {
                let ok = Representation::generated(b"ok\n".to_vec(), "text/plain; charset=utf-8");
                Ok(Some(Found::Content(ok.with_no_store())))
            }
            Route::Search(text) => self.generate(move |pages, store| search(pages, store, &text)).await,
            Route::Opml(slugs) => self.generate(move |pages, store| opml(pages, store, &slugs)).await,
            Route::Robots => Ok(Some(Found::Content(self.robots().await))),
            Route::Sitemap => self.generate(|pages, store| Ok(pages.sitemap(store)?.map(sitemap))).await,
            Route::SitemapMonth(year, month) => {
                let month = move |pages: &Pages, store: &dyn Store| pages.sitemap_month(store, year, month);
                self.generate(move |pages, store| Ok(month(pages, store)?.map(sitemap))).await
            }
            Route::NotFound => Ok(None),
        }
    }

    /// Returns `robots.txt`: the admin's static file, else a generated one.
    async fn robots(&self) -> Representation {
        match self.file("robots.txt", None).await {
            Some(file) => file,
            None => Representation::generated(self.pages.robots(), media_type("robots.txt")),
        }
    }

    /// Returns an HTML page that explains a status.
    pub(super) fn error_page(&self, status: StatusCode, path: Option<&str>) -> Representation {
        let html = self.pages.message(status.as_u16(), path).unwrap_or_default();
        Representation::page(status, html)
    }

    /// Reads a file of the output directory; `location` becomes its `Content-Location`.
    async fn file(&self, path: &str, location: Option<String>) -> Option<Representation> {
        let (bytes, snapshot) = FileSnapshot::read(&self.pages.options.output.join(path)).await?;
        Some(Representation::file(bytes, media_type(path), snapshot, location))
    }

    /// Finds a path that names no category: a static file without an extension, or an imported address.
    async fn uncategorized(&self, path: &str) -> Result<Option<Found>, PublishError> {
        let path = path.trim_start_matches('/');
        match self.file_or_stored(path.to_owned()).await? {
            None => self.stored(path.trim_end_matches('/').to_owned()).await,
            found => Ok(found),
        }
    }

    async fn file_or_stored(&self, path: String) -> Result<Option<Found>, PublishError> {
        // Files from a time when articles were written as files may be outdated.
        let on_request = self.pages.options.articles == Articles::OnRequest;
        let is_html = Path::new(&path).extension().is_some_and(|extension| extension == "html");
        if on_request && is_html && path.matches('/').count() >= 4 {
            let stored = self.stored(path.clone()).await?;
            if stored.is_some() {
                return Ok(stored);
            }
        }
        match self.file(&path, None).await {
            Some(content) => Ok(Some(Found::Content(content))),
            None => self.stored(path).await,
        }
    }

    /// Renders an article from the store, or finds where its path, or that of a category, moved.
    async fn stored(&self, path: String) -> Result<Option<Found>, PublishError> {
        let pages = Arc::clone(&self.pages);
        let found = self.blocking(move |store| match store.at_path(&path)? {
            Some(AtPath::Article(code)) => {
                let page = pages.article(store, &code)?;
                Ok(Some(page.map_or(Found::Gone, |html| Found::Content(Representation::html(html)))))
            }
            Some(AtPath::Redirect(target)) => {
                Ok(Some(Found::Redirect(format!("{}{target}", pages.options.site.url))))
            }
            // Pages and feeds of a category under an old slug.
            None if path.starts_with("category/") || path.starts_with("feed/") => {
                Ok(renamed(&pages, store, &path)?.map(Found::Redirect))
            }
            None => Ok(None),
        });
        found.await
    }

    /// Renders a page of a category's history.
    async fn category_page(&self, slug: String, number: u32) -> Result<Option<Found>, PublishError> {
        let pages = Arc::clone(&self.pages);
        self.blocking(move |store| {
            let Some(category) = store.find_category(&slug)?.filter(|c| c.id != CategoryId::SITE) else {
                return Ok(None);
            };
            if category.slug.as_str() != slug {
                let target = format!("{}category/{}/{number}.html", pages.options.site.url, category.slug);
                return Ok(Some(Found::Redirect(target)));
            }
            let html = pages.arrivals(store, &category, number)?;
            Ok(html.map(|html| Found::Content(Representation::html(html))))
        })
        .await
    }

    /// Redirects `/abc/`, `/category/abc`, `/feed/abc` and old slugs to the category's page.
    async fn category(&self, slug: String) -> Result<Option<Found>, PublishError> {
        let pages = Arc::clone(&self.pages);
        self.blocking(move |store| {
            let category = store.find_category(&slug)?.filter(|c| c.id != CategoryId::SITE);
            Ok(category
                .map(|c| Found::Redirect(format!("{}category/{}.html", pages.options.site.url, c.slug))))
        })
        .await
    }

    /// Redirects an output of a category under an old slug to that under the new one.
    async fn renamed(&self, path: &str) -> Result<Option<Found>, PublishError> {
        let pages = Arc::clone(&self.pages);
        let path = path.trim_start_matches('/').to_owned();
        self.blocking(move |store| Ok(renamed(&pages, store, &path)?.map(Found::Redirect))).await
    }

    /// Runs `make`, which generates an output on request.
    async fn generate(
        &self,
        make: impl FnOnce(&Pages, &dyn Store) -> Result<Option<Representation>, PublishError> + Send + 'static,
    ) -> Result<Option<Found>, PublishError> {
        let pages = Arc::clone(&self.pages);
        self.blocking(move |store| Ok(make(&pages, store)?.map(Found::Content))).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Store) -> Result<T, PublishError> + Send + 'static,
    ) -> Result<T, PublishError> {
        // The outer error is the blocking thread's, the inner one that of `work`.
        self.store.call(move |store| Ok(work(store))).await?
    }
}

/// Renders the index with the categories that match a text.
fn search(pages: &Pages, store: &dyn Store, text: &str) -> Result<Option<Representation>, PublishError> {
    Ok(Some(Representation::html(pages.index(&pages.names(store)?, text)?)))
}

/// Writes an OPML list of these categories, which browsers save under a name of its own.
fn opml(pages: &Pages, store: &dyn Store, slugs: &[Slug]) -> Result<Option<Representation>, PublishError> {
    let list = pages.opml(&pages.names(store)?, Some(slugs));
    let opml = Representation::generated(list, media_type("opml.xml"));
    Ok(Some(opml.with_download("newspapers.opml")))
}

fn sitemap(bytes: Vec<u8>) -> Representation {
    Representation::generated(bytes, media_type("sitemap.xml"))
}

/// Returns the URL under the new slug of a path that has an old slug.
fn renamed(pages: &Pages, store: &dyn Store, path: &str) -> Result<Option<String>, PublishError> {
    let (prefix, rest) = match path.split_once('/') {
        Some((prefix @ ("feed" | "category"), rest)) => (format!("{prefix}/"), rest),
        _ => (String::new(), path),
    };
    let end = rest.find(['/', '.']).unwrap_or(rest.len());
    let (slug, tail) = rest.split_at(end);
    let category = store.find_category(slug)?.filter(|c| c.slug.as_str() != slug && c.id != CategoryId::SITE);
    Ok(category.map(|c| format!("{}{prefix}{}{tail}", pages.options.site.url, c.slug)))
}
