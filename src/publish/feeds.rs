//! The feeds of a category and of the whole site.

use std::collections::BTreeMap;

use super::pages::Pages;
use super::select::{self, Chosen};
use super::{PublishError, file};
use crate::model::{Category, CategoryId, Slug};
use crate::render::{OutputEntry, OutputFeed, atom, json_feed, rss};
use crate::sink::{FeedFormat, File, OutputKey};
use crate::store::{Handle, Store};

type Names = BTreeMap<CategoryId, Category>;

/// The key of a feed: a category's, or the whole site's.
pub(super) fn key(category: &Category, format: FeedFormat) -> OutputKey {
    if category.id == CategoryId::SITE {
        OutputKey::SiteFeed(format)
    } else {
        OutputKey::Feed(category.slug.clone(), format)
    }
}

/// The three feeds as files.
pub(super) fn files(
    pages: &Pages,
    store: &dyn Store,
    category: &Category,
    names: &Names,
) -> Result<Vec<File>, PublishError> {
    let feed = feed(pages, store, category, names)?;
    Ok(vec![
        file(&key(category, FeedFormat::Atom), atom::render(&feed)?),
        file(&key(category, FeedFormat::Rss), rss::render(&feed)?),
        file(&key(category, FeedFormat::Json), json_feed::render(&feed)?),
    ])
}

fn feed(
    pages: &Pages,
    store: &dyn Store,
    category: &Category,
    names: &Names,
) -> Result<OutputFeed, PublishError> {
    let options = &pages.options;
    let site = &options.site;
    let whole = category.id == CategoryId::SITE;
    let window = if whole { options.windows.site() } else { options.windows.category() };
    let items = store.items_in(category.id, window)?;
    let articles = items.into_iter().map(|item| Handle::article(store, item));
    let chosen = select::fit(articles, &options.windows)?;
    let page = if whole { OutputKey::Home } else { OutputKey::Category(category.slug.clone()) };
    let title = if whole { site.title.clone() } else { category.name.clone() };
    let description = match site.description.as_str() {
        "" => title.clone(),
        text if whole => text.to_owned(),
        text => format!("{title} - {text}"),
    };
    let id_of = if whole { Slug::site() } else { category.slug.clone() };
    Ok(OutputFeed {
        id: format!("tag:{}:feed:{id_of}", site.id_authority),
        description,
        title,
        language: site.language.clone(),
        page_url: pages.url(&page),
        rss_url: pages.url(&key(category, FeedFormat::Rss)),
        atom_url: pages.url(&key(category, FeedFormat::Atom)),
        json_url: pages.url(&key(category, FeedFormat::Json)),
        css_url: pages.url(&OutputKey::FeedStyle),
        updated: category.changed_at,
        entries: chosen.into_iter().map(|chosen| entry(pages, chosen, names)).collect(),
    })
}

fn entry(pages: &Pages, chosen: Chosen, names: &Names) -> OutputEntry {
    let Chosen { article, full } = chosen;
    let (item, body) = (article.item, article.body);
    let mut labels: Vec<&Category> = item.categories.iter().filter_map(|id| names.get(id)).collect();
    // Not the home category first: which it is depends on who was polled first.
    labels.sort_by_key(|category| &category.slug);
    let mut categories: Vec<String> = labels.into_iter().map(|category| category.name.clone()).collect();
    for tag in body.tags {
        if !categories.contains(&tag) {
            categories.push(tag);
        }
    }
    OutputEntry {
        id: pages.published_id(&item.code),
        link: item.link.unwrap_or_else(|| pages.url(&OutputKey::Article(item.permalink))),
        title: item.title,
        summary: item.excerpt,
        html: full.then_some(body.html).filter(|html| !html.is_empty()),
        published: item.published,
        updated: item.updated,
        authors: body.authors,
        categories,
        enclosures: body.enclosures,
        image: item.image,
        source_name: item.media_name,
        language: body.language,
    }
}
