//! Pages of articles.

use super::error::PublishError;
use super::feeds::address as web_address;
use super::pages::Pages;
use crate::model::{Article, Category, InfoCode, Item};
use crate::render::html::{ArticlePage, ArticleView, NamedLink, Neighbour, news_article};
use crate::sink::OutputKey;
use crate::store::{Handle, Store};

impl Pages {
    /// Renders an article's page; `None` if the code is unknown or withdrawn.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn article(&self, store: &dyn Store, code: &InfoCode) -> Result<Option<String>, PublishError> {
        let Some(item) = store.item(code)? else { return Ok(None) };
        if store.tombstone(code)?.is_some() {
            return Ok(None);
        }
        let mut categories = Vec::new();
        for id in &item.categories {
            categories.extend(store.category(*id)?);
        }
        // The home category first, if the article is still in it.
        categories.sort_by(|a, b| (a.id != item.home, &a.slug).cmp(&(b.id != item.home, &b.slug)));
        // The neighbours are those of its first category, so this page changes only with arrivals and
        // departures there.
        let place = categories.first().map_or(item.home, |category| category.id);
        let (older, newer) = store.neighbours(place, (item.published, &item.code))?;
        let article = Handle::article(store, item)?;
        let beside = |item: Option<Item>| {
            item.map(|item| Neighbour {
                url: self.url(&OutputKey::Article(item.permalink)),
                title: item.title,
            })
        };
        let page = self.article_page(article, categories, beside(older), beside(newer));
        Ok(Some(self.theme.article(&self.frame, &page)?))
    }

    fn article_page(
        &self,
        article: Article,
        categories: Vec<Category>,
        previous: Option<Neighbour>,
        next: Option<Neighbour>,
    ) -> ArticlePage {
        let Article { mut item, body } = article;
        item.link = item.link.as_deref().and_then(web_address);
        let home = categories.first().cloned();
        let place = OutputKey::Article(item.permalink.clone());
        let head = self.head(item.title.clone(), &place, item.link.clone());
        let view = self.view(&item, home.as_ref());
        let excerpt = self.options.sources.get(&item.lead).is_some_and(|source| source.excerpt_only);
        let item = ArticleView {
            title: view.title,
            summary: view.summary,
            body: if excerpt { String::new() } else { self.shown_pictures(body.html) },
            image: view.image,
            category_url: view.category_url,
            category_name: view.category_name,
            source_name: item.media_name.clone(),
            media_name: view.media_name,
            authors: body.authors.into_iter().map(|a| a.name).filter(|name| !name.is_empty()).collect(),
            published_iso: view.published_iso,
            published_text: view.published_text,
            updated_iso: view.updated_iso,
            updated_text: view.updated_text,
            original: item.link,
            categories: categories
                .into_iter()
                .map(|c| NamedLink { url: self.url(&OutputKey::Category(c.slug)), name: c.name })
                .collect(),
            tags: body.tags,
            previous,
            next,
        };
        let linked_data =
            self.options.site.indexing.then(|| news_article(&self.frame.site, &head.url, &item));
        ArticlePage { page: head, feeds: self.feed_links(home.as_ref()), item, linked_data }
    }
}
