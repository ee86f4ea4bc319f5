//! From an address to bytes: files of the output directory, pages of the store, old names.

use std::path::Path;
use std::sync::Arc;

use axum::http::StatusCode;
use tracing::error;

use super::answer::Reply;
use super::file::FileMark;
use super::names::{Meaning, meaning};
use crate::model::{CategoryId, Slug};
use crate::publish::{Articles, Pages, PublishError};
use crate::sink::media_type;
use crate::store::{AtPath, Handle, Store};

/// What stands at an address.
#[derive(Debug)]
enum Found {
    /// Bytes.
    Bytes(Reply),
    /// Moved for good, to this absolute or relative address.
    Moved(String),
    /// Was here and is withdrawn.
    Gone,
}

/// Looks outputs up.
#[derive(Debug)]
pub(super) struct Outputs {
    pages: Arc<Pages>,
    store: Handle,
}

impl Outputs {
    pub(super) fn new(pages: Arc<Pages>, store: Handle) -> Self {
        Self { pages, store }
    }

    /// A number that differs whenever an answer may differ.
    pub(super) fn state(&self) -> u64 {
        self.pages.state()
    }

    /// Something may have changed that nobody tells.
    pub(super) fn changed(&self) {
        self.pages.changed();
    }

    /// What to answer for a path.
    pub(super) async fn find(&self, path: &str, query: Option<&str>) -> Reply {
        let found = match meaning(path, query) {
            Meaning::File(file) => self.file_or_stored(file).await,
            Meaning::Alias(key) => match self.file(&key.path(), Some(self.pages.url(&key))).await {
                Some(reply) => Ok(Some(Found::Bytes(reply))),
                None => self.renamed(path).await,
            },
            Meaning::Page(slug, number) => self.page(slug, number).await,
            Meaning::Category(slug) => match self.category(slug).await {
                Ok(None) => self.plain(path).await,
                found => found,
            },
            Meaning::Alive => {
                return Reply::made(b"ok\n".to_vec(), "text/plain; charset=utf-8").kept_by_nobody();
            }
            Meaning::Search(wanted) => self.made(move |pages, store| search(pages, store, &wanted)).await,
            Meaning::Choice(chosen) => self.made(move |pages, store| choice(pages, store, &chosen)).await,
            // An admin's own among the static files goes first.
            Meaning::Robots => Ok(Some(Found::Bytes(match self.file("robots.txt", None).await {
                Some(own) => own,
                None => Reply::made(self.pages.robots(), media_type("robots.txt")),
            }))),
            Meaning::Sitemap => self.made(|pages, store| Ok(pages.sitemap(store)?.map(xml))).await,
            Meaning::SitemapMonth(year, month) => {
                self.made(move |pages, store| Ok(pages.sitemap_month(store, year, month)?.map(xml))).await
            }
            Meaning::Nothing => Ok(None),
        };
        match found {
            Ok(Some(Found::Bytes(reply))) => reply,
            Ok(Some(Found::Moved(target))) => Reply::moved(target),
            Ok(Some(Found::Gone)) => self.message(StatusCode::GONE, Some(path)),
            Ok(None) => self.message(StatusCode::NOT_FOUND, Some(path)),
            Err(error) => {
                error!(path, error = %crate::model::chain(&error), "a page could not be made");
                self.message(StatusCode::INTERNAL_SERVER_ERROR, Some(path))
            }
        }
    }

    /// A page that says what is wrong.
    pub(super) fn message(&self, status: StatusCode, path: Option<&str>) -> Reply {
        let html = self.pages.message(status.as_u16(), path).unwrap_or_default();
        Reply::page(status, html)
    }

    /// A file as it stands in the output directory.
    async fn file(&self, path: &str, location: Option<String>) -> Option<Reply> {
        let (bytes, mark) = FileMark::read(&self.pages.options.output.join(path)).await?;
        Some(Reply::file(bytes, media_type(path), mark, location))
    }

    /// A path of no category: an imported one, or a static file without an ending.
    async fn plain(&self, path: &str) -> Result<Option<Found>, PublishError> {
        let path = path.trim_start_matches('/');
        match self.file_or_stored(path.to_owned()).await? {
            None => self.stored(path.trim_end_matches('/').to_owned()).await,
            found => Ok(found),
        }
    }

    async fn file_or_stored(&self, path: String) -> Result<Option<Found>, PublishError> {
        // Article files of a time when they were written must not hide later changes.
        let on_request = self.pages.options.articles == Articles::OnRequest;
        let dated = Path::new(&path).extension().is_some_and(|end| end == "html");
        if on_request && dated && path.matches('/').count() >= 4 {
            let stored = self.stored(path.clone()).await?;
            if stored.is_some() {
                return Ok(stored);
            }
        }
        match self.file(&path, None).await {
            Some(reply) => Ok(Some(Found::Bytes(reply))),
            None => self.stored(path).await,
        }
    }

    /// An article's page rendered from the store, or where an old path went.
    async fn stored(&self, path: String) -> Result<Option<Found>, PublishError> {
        let pages = Arc::clone(&self.pages);
        let found = self.blocking(move |store| match store.at_path(&path)? {
            Some(AtPath::Article(code)) => {
                let page = pages.article(store, &code)?;
                Ok(Some(page.map_or(Found::Gone, |html| Found::Bytes(Reply::html(html)))))
            }
            Some(AtPath::Redirect(target)) => {
                Ok(Some(Found::Moved(format!("{}{target}", pages.options.site.url))))
            }
            // The pages and feeds of a category under an old slug.
            None if path.starts_with("category/") || path.starts_with("feed/") => {
                Ok(renamed(&pages, store, &path)?.map(Found::Moved))
            }
            None => Ok(None),
        });
        found.await
    }

    async fn page(&self, slug: String, number: u32) -> Result<Option<Found>, PublishError> {
        let pages = Arc::clone(&self.pages);
        self.blocking(move |store| {
            let Some(category) = store.find_category(&slug)?.filter(|c| c.id != CategoryId::SITE) else {
                return Ok(None);
            };
            if category.slug.as_str() != slug {
                let target = format!("{}category/{}/{number}.html", pages.options.site.url, category.slug);
                return Ok(Some(Found::Moved(target)));
            }
            let html = pages.arrivals(store, &category, number)?;
            Ok(html.map(|html| Found::Bytes(Reply::html(html))))
        })
        .await
    }

    /// `/abc/`, `/category/abc`, `/feed/abc` and old slugs lead to the category's page.
    async fn category(&self, slug: String) -> Result<Option<Found>, PublishError> {
        let pages = Arc::clone(&self.pages);
        self.blocking(move |store| {
            let category = store.find_category(&slug)?.filter(|c| c.id != CategoryId::SITE);
            Ok(category.map(|c| Found::Moved(format!("{}category/{}.html", pages.options.site.url, c.slug))))
        })
        .await
    }

    /// An output of a category under an old slug: the same name under the new one.
    async fn renamed(&self, path: &str) -> Result<Option<Found>, PublishError> {
        let pages = Arc::clone(&self.pages);
        let path = path.trim_start_matches('/').to_owned();
        self.blocking(move |store| Ok(renamed(&pages, store, &path)?.map(Found::Moved))).await
    }

    /// What is made on request beside pages of articles.
    async fn made(
        &self,
        make: impl FnOnce(&Pages, &dyn Store) -> Result<Option<Reply>, PublishError> + Send + 'static,
    ) -> Result<Option<Found>, PublishError> {
        let pages = Arc::clone(&self.pages);
        self.blocking(move |store| Ok(make(&pages, store)?.map(Found::Bytes))).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Store) -> Result<T, PublishError> + Send + 'static,
    ) -> Result<T, PublishError> {
        // The inner result is ours, the outer one the blocking thread's.
        self.store.call(move |store| Ok(work(store))).await?
    }
}

fn search(pages: &Pages, store: &dyn Store, wanted: &str) -> Result<Option<Reply>, PublishError> {
    Ok(Some(Reply::html(pages.index(&pages.names(store)?, wanted)?)))
}

/// A list of feeds to import, under a name of its own.
fn choice(pages: &Pages, store: &dyn Store, chosen: &[Slug]) -> Result<Option<Reply>, PublishError> {
    let list = pages.opml(&pages.names(store)?, Some(chosen));
    Ok(Some(Reply::made(list, media_type("opml.xml")).download("newspapers.opml")))
}

fn xml(bytes: Vec<u8>) -> Reply {
    Reply::made(bytes, media_type("sitemap.xml"))
}

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
