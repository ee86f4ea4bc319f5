//! The feeds of a category and of the whole site: chooses their entries and fills them.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use url::Url;

use super::error::PublishError;
use super::keys::{file, key};
use super::pages::{Names, Pages};
use super::select::{self, Candidate, Chosen};
use crate::model::text::inert;
use crate::model::{Article, Category, CategoryId, Enclosure, InfoCode, Item, Slug, Timestamp};
use crate::render::html::Pictures;
use crate::render::{
    History, OutputEntry, OutputFeed, OutputGone, OutputSource, atom, json_feed, media_type, rss,
};
use crate::sink::{FeedFormat, File, OutputKey};
use crate::store::{Gone, Handle, Result as StoreResult, Store};

/// Returns the newest items of a category, or of the whole site: its window, for the site widened if the
/// share of each source is limited.
pub(super) fn newest(pages: &Pages, store: &dyn Store, category: &Category) -> StoreResult<Vec<Item>> {
    let windows = &pages.options.windows;
    let window = match category.id {
        CategoryId::SITE => windows.wide(windows.site()),
        _ => windows.category(),
    };
    store.items_in(category.id, window)
}

/// Renders the three feeds of the `newest` items.
pub(super) fn files(
    pages: &Pages,
    store: &dyn Store,
    category: &Category,
    newest: &[Item],
    names: &Names,
) -> Result<Vec<File>, PublishError> {
    let feed = current(pages, store, category, newest, names)?;
    in_all_formats(&feed, |format| key(category, format))
}

/// Renders a feed as Atom, RSS and JSON Feed.
pub(super) fn in_all_formats(
    feed: &OutputFeed,
    key: impl Fn(FeedFormat) -> OutputKey,
) -> Result<Vec<File>, PublishError> {
    Ok(vec![
        file(&key(FeedFormat::Atom), atom::render(feed)),
        file(&key(FeedFormat::Rss), rss::render(feed)),
        file(&key(FeedFormat::Json), json_feed::render(feed)?),
    ])
}

/// Builds the current document: the window, and all items that are not sealed yet (RULES 3.1, 3.2).
fn current(
    pages: &Pages,
    store: &dyn Store,
    category: &Category,
    newest: &[Item],
    names: &Names,
) -> Result<OutputFeed, PublishError> {
    let options = &pages.options;
    let whole = category.id == CategoryId::SITE;
    let mut items = newest.to_vec();
    if whole {
        items = select::fair(items, options.windows.site_items, options.windows.per_source);
    }
    let (mut unsealed, mut gone) = (BTreeSet::new(), Vec::new());
    let in_window: BTreeSet<InfoCode> = items.iter().map(|item| item.code.clone()).collect();
    if !whole {
        let open = store.open_page(category.id)?;
        unsealed.extend(open.entries.iter().map(|item| item.code.clone()));
        items.extend(open.entries.into_iter().filter(|item| !in_window.contains(&item.code)));
        items.sort_by_cached_key(|item| Reverse((item.published, item.code.key())));
        gone = open.gone;
    }
    let candidates = items.into_iter().map(|item| {
        let (in_window, unsealed) = (in_window.contains(&item.code), unsealed.contains(&item.code));
        Handle::article(store, item).map(|article| Candidate { article, in_window, unsealed })
    });
    let chosen = select::fit(candidates, &options.windows)?;
    let mut feed = frame(pages, category);
    feed.updated = category.changed_at;
    feed.entries = chosen.into_iter().map(|chosen| entry(pages, chosen, names)).collect();
    feed.gone = gone_from(pages, gone);
    if !whole && category.sealed() > 0 {
        feed.history.earlier(pages, &category.slug, category.sealed());
    }
    Ok(feed)
}

/// Builds the feed of a category, or of the whole site, without entries.
pub(super) fn frame(pages: &Pages, category: &Category) -> OutputFeed {
    let site = &pages.options.site;
    let whole = category.id == CategoryId::SITE;
    let page = if whole { OutputKey::Home } else { OutputKey::Category(category.slug.clone()) };
    let title = if whole { site.title.clone() } else { inert(&category.name) };
    let description = match site.description.as_str() {
        "" => title.clone(),
        text if whole => text.to_owned(),
        text => format!("{title} - {text}"),
    };
    let slug = if whole { Slug::site() } else { category.slug.clone() };
    OutputFeed {
        id: feed_id(pages, slug.as_str()),
        description,
        title,
        language: site.language.clone(),
        rights: site.rights.clone(),
        ttl_minutes: pages.options.interval.as_secs().div_ceil(60),
        page_url: pages.url(&page),
        rss_url: pages.url(&key(category, FeedFormat::Rss)),
        atom_url: pages.url(&key(category, FeedFormat::Atom)),
        json_url: pages.url(&key(category, FeedFormat::Json)),
        // Without the host: programs that check feeds object to a style sheet of another site.
        css_url: pages.path(&OutputKey::FeedStyle),
        updated: Timestamp::EPOCH,
        history: History::default(),
        gone: Vec::new(),
        entries: Vec::new(),
    }
}

pub(super) fn feed_id(pages: &Pages, name: &str) -> String {
    format!("tag:{}:feed:{name}", pages.options.site.id_authority)
}

pub(super) fn gone_from(pages: &Pages, gone: Vec<Gone>) -> Vec<OutputGone> {
    gone.into_iter().map(|gone| OutputGone { id: pages.published_id(&gone.code), at: gone.at }).collect()
}

impl History {
    /// Sets the links to the sealed hundred before this document.
    pub(super) fn earlier(&mut self, pages: &Pages, slug: &Slug, number: u32) {
        let url = |format| pages.url(&OutputKey::Archive(slug.clone(), number, format));
        self.earlier_atom = Some(url(FeedFormat::Atom));
        self.earlier_json = Some(url(FeedFormat::Json));
    }
}

/// Returns an article as an entry of a feed, with its pictures replaced or removed as the site sets (RULES
/// 6.8).
pub(super) fn entry(pages: &Pages, chosen: Chosen, names: &Names) -> OutputEntry {
    let mut entry = whole_entry(pages, chosen, names);
    if pages.options.site.pictures != Pictures::Origin {
        entry.html = entry.html.map(|html| pages.shown_pictures(html));
        entry.image = None;
        let picture = |file: &Enclosure| media_type(file).starts_with("image/");
        entry.enclosures.retain(|file| !picture(file));
    }
    entry
}

/// Returns an article as an entry with all its details.
pub(super) fn whole_entry(pages: &Pages, chosen: Chosen, names: &Names) -> OutputEntry {
    let Chosen { article, full, in_window } = chosen;
    let Article { item, body } = article;
    let mut labels: Vec<&Category> = item.categories.iter().filter_map(|id| names.get(id)).collect();
    // Not the home category first, since that depends on which source was polled first.
    labels.sort_by_key(|category| &category.slug);
    let mut categories: Vec<String> = labels.into_iter().map(|category| category.name.clone()).collect();
    for tag in body.tags {
        if !categories.contains(&tag) {
            categories.push(tag);
        }
    }
    let source = pages.options.sources.get(&item.lead);
    let full = full && source.is_none_or(|source| !source.excerpt_only);
    let mut authors = body.authors;
    for author in &mut authors {
        author.name = inert(&author.name);
        author.uri = author.uri.as_deref().and_then(address);
    }
    OutputEntry {
        id: pages.published_id(&item.code),
        link: item
            .link
            .as_deref()
            .and_then(address)
            .unwrap_or_else(|| pages.url(&OutputKey::Article(item.permalink))),
        title: item.title,
        summary: item.excerpt,
        html: full.then_some(body.html).filter(|html| !html.is_empty()),
        published: item.published,
        updated: item.updated,
        authors,
        categories: categories.iter().map(|label| inert(label)).collect(),
        enclosures: body.enclosures.into_iter().filter_map(enclosure).collect(),
        image: item.image.as_deref().and_then(address),
        source_name: item.media_name.as_deref().map(inert),
        source: source.map(|source| OutputSource {
            title: source.name.clone(),
            feed_url: source.feed_url.clone(),
            page_url: source.page_url.clone(),
        }),
        rights: source.and_then(|source| source.rights.clone()),
        language: body.language.as_deref().and_then(language),
        in_window,
    }
}

fn enclosure(enclosure: Enclosure) -> Option<Enclosure> {
    Some(Enclosure { url: address(&enclosure.url)?, ..enclosure })
}

/// Returns an absolute web address with only the characters that RFC 3986 allows; `None` for any other. No
/// browser has checked what upstreams send.
pub(super) fn address(url: &str) -> Option<String> {
    let mut url = Url::parse(url.trim()).ok()?;
    // A user name before the host may be there to be mistaken for the host.
    if !url.username().is_empty() || url.password().is_some() {
        url.set_username("").and_then(|()| url.set_password(None)).ok()?;
    }
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then(|| {
        // Characters that WHATWG leaves and RFC 3986 forbids.
        let kept = |c: char| !matches!(c, '[' | ']' | '{' | '}' | '|' | '^' | '\\' | '`' | '"' | '<' | '>');
        let text = url.as_str();
        let path = text.len() - text.splitn(4, '/').nth(3).map_or(0, str::len);
        let (host, rest) = text.split_at(path);
        if rest.chars().all(kept) {
            return text.to_owned();
        }
        let escaped =
            rest.chars().map(|c| if kept(c) { c.to_string() } else { format!("%{:02X}", c as u32) });
        host.to_owned() + &escaped.collect::<String>()
    })
}

/// Returns a language tag in the form of BCP 47; upstreams also write `zh_CN`, or a sentence.
fn language(tag: &str) -> Option<String> {
    let tag = tag.trim().replace('_', "-");
    let mut parts = tag.split('-');
    let first = parts
        .next()
        .is_some_and(|p| (2..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphabetic()));
    let rest = parts.all(|p| (1..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()));
    (first && rest).then_some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_web_only() {
        for (url, want) in [
            ("https://a.example/b?c=d#e", Some("https://a.example/b?c=d#e")),
            (" http://a.example/图 片.jpg ", Some("http://a.example/%E5%9B%BE%20%E7%89%87.jpg")),
            ("http://a.example/x[1]?y={z}|w", Some("http://a.example/x%5B1%5D?y=%7Bz%7D%7Cw")),
            ("http://[::1]/a", Some("http://[::1]/a")),
            ("https://good.example:pw@evil.example/", Some("https://evil.example/")),
            ("javascript:alert(1)", None),
            ("ftp://a.example/b", None),
            ("/b", None),
            ("", None),
        ] {
            assert_eq!(address(url).as_deref(), want, "{url}");
        }
    }

    #[test]
    fn languages() {
        for (tag, want) in [
            ("zh_CN", Some("zh-CN")),
            ("en", Some("en")),
            ("sr-Latn-RS", Some("sr-Latn-RS")),
            ("", None),
            ("English (US)", None),
            ("x", None),
        ] {
            assert_eq!(language(tag).as_deref(), want, "{tag}");
        }
    }
}
