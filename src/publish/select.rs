//! Which items a feed holds (RULES 3.1): pure.

use std::time::Duration;

use crate::model::Article;
use crate::store::Window;

/// How much a feed holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowOptions {
    /// At least this many items of a category.
    pub items: usize,
    /// And all that are at most this much older than the category's newest.
    pub age: Duration,
    /// But never more items than this.
    pub most: usize,
    /// Nor more bytes of text than this.
    pub max_bytes: u64,
    /// Beyond this many bytes of text the older entries become summaries.
    pub full_bytes: u64,
    /// Items of the whole site's feeds.
    pub site_items: usize,
}

impl Default for WindowOptions {
    fn default() -> Self {
        Self {
            items: 50,
            age: Duration::from_hours(48),
            most: 500,
            max_bytes: 5 << 20,
            full_bytes: 1 << 20,
            site_items: 100,
        }
    }
}

impl WindowOptions {
    /// The window of a category.
    #[must_use]
    pub fn category(&self) -> Window {
        let age = i64::try_from(self.age.as_secs()).unwrap_or(i64::MAX);
        Window { items: self.items, age, most: self.most.max(self.items), archived: false }
    }

    /// The window of the whole site: a count alone.
    #[must_use]
    pub fn site(&self) -> Window {
        Window { items: self.site_items, age: -1, most: self.site_items, archived: false }
    }
}

/// An item of a feed, with its text where there is room for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The item.
    pub article: Article,
    /// Whether its text goes into the feed.
    pub full: bool,
}

/// Takes articles, newest first, until the feed is full.
///
/// # Errors
/// The first that `articles` gives.
pub fn fit<E>(
    articles: impl Iterator<Item = Result<Article, E>>,
    options: &WindowOptions,
) -> Result<Vec<Chosen>, E> {
    let mut chosen = Vec::new();
    let mut full_bytes = 0;
    let mut bytes = 0;
    for article in articles {
        let article = article?;
        let size = article.body.html.len() as u64;
        let full = full_bytes + size <= options.full_bytes || chosen.is_empty();
        let cost = if full { size } else { article.item.excerpt.len() as u64 } + 1_000;
        if bytes + cost > options.max_bytes && !chosen.is_empty() {
            break;
        }
        bytes += cost;
        full_bytes += if full { size } else { options.full_bytes };
        chosen.push(Chosen { article, full });
    }
    Ok(chosen)
}
