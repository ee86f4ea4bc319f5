//! Web pages: chooses the items of each, and its address.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::error::PublishError;
use super::fingerprint::fingerprint;
use super::keys::{file, key};
use super::options::{PublishOptions, SiteOptions};
use crate::model::{Category, CategoryId, InfoCode, Item, Timestamp};
use crate::render::html::{
    Bot, BotPage, CategoryPage, FeaturedCategory, FeedLink, Frame, HomePage, ItemView, MessagePage,
    NamedLink, PageHead, Paging, Pictures, Site, StatusPage, Theme, ThemeError, machine_time, shown_time,
    without_pictures,
};
use crate::schedule::seconds;
use crate::sink::{FeedFormat, File, OutputKey};
use crate::store::{Result as StoreResult, Store, Window};

/// Items on a page of a category's history (RULES 3.2).
pub(super) const PAGE: u32 = Category::HUNDRED;
/// The number of categories that the home page features, and of items of each.
const FEATURED: (usize, usize) = (6, 5);
/// Percent-encoding of all but the unreserved characters of RFC 3986, for tag ids.
const ID_KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The same without `/`, for paths of addresses.
const PATH_KEPT: &AsciiSet = &ID_KEPT.remove(b'/');

/// The outputs of [`Pages::about`].
pub(super) const ABOUT: [OutputKey; 7] = [
    OutputKey::Index,
    OutputKey::Subscribe,
    OutputKey::Opml,
    OutputKey::Bot,
    OutputKey::NotFound,
    OutputKey::Style,
    OutputKey::FeedStyle,
];

pub(super) type Names = BTreeMap<CategoryId, Category>;

/// Renders pages, for the publisher as files and for the server on request.
#[derive(Debug)]
pub struct Pages {
    /// The settings.
    pub options: Arc<PublishOptions>,
    pub(super) theme: Theme,
    pub(super) frame: Frame,
    /// Number that grows with every change of an output; shared by all settings of one process.
    state: Arc<AtomicU64>,
    /// Fingerprint of theme and settings.
    print: String,
}

impl Pages {
    /// Creates pages with the site's theme.
    ///
    /// # Errors
    /// [`ThemeError`] when a template is broken.
    pub fn new(options: Arc<PublishOptions>) -> Result<Self, ThemeError> {
        Self::counted(options, Arc::default())
    }

    /// Creates pages of the same outputs with other settings. Both share [`Self::state()`], so that a cache of
    /// outputs notices every change under either settings.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn under(&self, options: Arc<PublishOptions>) -> Result<Self, ThemeError> {
        Self::counted(options, Arc::clone(&self.state))
    }

    fn counted(options: Arc<PublishOptions>, state: Arc<AtomicU64>) -> Result<Self, ThemeError> {
        let theme = Theme::with(&options.site.theme, &options.site.language)?;
        let site = &options.site;
        let url = |key: &OutputKey| address(&options, key);
        let frame = Frame {
            site: Site {
                title: site.title.clone(),
                description: site.description.clone(),
                url: site.url.to_string(),
                language: site.language.clone(),
                indexing: site.indexing,
                index_url: url(&OutputKey::Index),
                opml_url: url(&OutputKey::Opml),
                subscribe_url: url(&OutputKey::Subscribe),
                bot_url: url(&OutputKey::Bot),
                logo: theme.logo().map(|(name, _)| url(&OutputKey::Logo(name.to_owned()))),
                footer: site.footer.clone(),
            },
            css_url: url(&OutputKey::Style),
        };
        let print = print_of(&options, &theme);
        Ok(Self { options, theme, frame, state, print })
    }

    /// Returns the fingerprint of what all bytes depend on besides the generations (RULES 4.1). Paths on this
    /// machine do not count: two hosts with the same store and settings publish the same bytes.
    pub(super) fn fingerprint(&self, (store, renames): (u64, u64)) -> String {
        fingerprint(&[&self.print, &format!("{store} {renames}")])
    }

    /// Returns whether these pages make the same outputs of the same store, in the same places.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        self.theme.fingerprint() == other.theme.fingerprint() && self.options == other.options
    }

    /// Returns a number that grows whenever outputs become visible, for caches of them.
    #[must_use]
    pub fn state(&self) -> u64 {
        self.state.load(Ordering::Acquire)
    }

    /// Records that a published output may have changed.
    pub fn changed(&self) {
        self.state.fetch_add(1, Ordering::Release);
    }

    /// Returns a text of the theme.
    pub(super) fn text(&self, key: &str) -> &str {
        self.theme.text(key)
    }

    /// Returns a text of the theme by its key, for pages that are no output.
    #[must_use]
    pub fn word(&self, key: &str) -> &str {
        self.theme.text(key)
    }

    /// Formats a time as pages show it.
    #[must_use]
    pub fn time(&self, at: Timestamp) -> String {
        self.shown(at)
    }

    /// Returns the style sheet.
    #[must_use]
    pub fn style(&self) -> &[u8] {
        self.theme.style_css()
    }

    /// Renders the status page, with its style sheet at an address of its own.
    ///
    /// # Errors
    /// [`ThemeError`].
    pub fn status(&self, page: &StatusPage, css_url: &str) -> Result<String, ThemeError> {
        let frame = Frame { css_url: css_url.to_owned(), ..self.frame.clone() };
        self.theme.status(&frame, page)
    }

    /// Returns the absolute address of an output.
    #[must_use]
    pub fn url(&self, key: &OutputKey) -> String {
        address(&self.options, key)
    }

    /// Returns the address of an output without scheme and host.
    pub(super) fn path(&self, key: &OutputKey) -> String {
        format!("{}{}", self.options.site.url.path(), utf8_percent_encode(&key.address(), PATH_KEPT))
    }

    /// Returns the published id of an article (RULES 3.3).
    #[must_use]
    pub fn published_id(&self, code: &InfoCode) -> String {
        let text = code.text(self.options.site.code_space.as_ref());
        format!("tag:{}:{}", self.options.site.id_authority, utf8_percent_encode(&text, ID_KEPT))
    }

    /// Returns all categories by number.
    ///
    /// # Errors
    /// Errors of the store.
    pub fn names(&self, store: &dyn Store) -> StoreResult<Names> {
        Ok(store.categories()?.into_iter().map(|category| (category.id, category)).collect())
    }

    /// Renders the site's files that do not depend on single articles, those of [`ABOUT`]: lists of all
    /// categories, and constant files.
    pub(super) fn about(&self, names: &Names) -> Result<[File; ABOUT.len()], PublishError> {
        Ok([
            file(&OutputKey::Index, self.index(names, "")?),
            file(&OutputKey::Subscribe, self.subscribe(names)?),
            file(&OutputKey::Opml, self.opml(names, None)),
            file(&OutputKey::Bot, self.bot()?),
            file(&OutputKey::NotFound, self.message(404, None)?),
            file(&OutputKey::Style, self.theme.style_css()),
            file(&OutputKey::FeedStyle, self.theme.feed_css()),
        ])
    }

    /// Returns the theme's logo.
    pub(super) fn logo(&self) -> Option<File> {
        self.theme.logo().map(|(name, bytes)| file(&OutputKey::Logo(name.to_owned()), bytes))
    }

    /// Renders the home page of the `newest` items of the site.
    pub(super) fn home(
        &self,
        store: &dyn Store,
        site: &Category,
        newest: &[Item],
        names: &Names,
    ) -> Result<String, PublishError> {
        let items = &newest[..newest.len().min(self.options.windows.site_items)];
        let mut newest: Vec<&Category> = names.values().filter(|c| c.newest.is_some()).collect();
        newest.sort_by(|a, b| b.newest.cmp(&a.newest).then_with(|| a.slug.cmp(&b.slug)));
        let (most, each) = FEATURED;
        let few = Window { items: each, age: -1, most: each, archived: false };
        let mut featured = Vec::new();
        for category in newest.into_iter().take(most) {
            let items = store.items_in(category.id, few)?;
            featured.push(FeaturedCategory {
                name: category.name.clone(),
                url: self.url(&OutputKey::Category(category.slug.clone())),
                items: self.views(&items, names),
            });
        }
        let page = HomePage {
            page: self.head(String::new(), &OutputKey::Home, None),
            feeds: self.feed_links(Some(site)),
            items: self.views(items, names),
            featured,
            notice: (site.arrivals == 0).then_some("no_sources"),
        };
        Ok(self.theme.home(&self.frame, &page)?)
    }

    fn bot(&self) -> Result<String, PublishError> {
        let title = self.theme.text("bot_heading").to_owned();
        let interval = i64::try_from(self.options.interval.as_secs()).unwrap_or(i64::MAX);
        let page = BotPage {
            page: self.head(title, &OutputKey::Bot, None),
            feeds: self.feed_links(None),
            bot: Bot {
                user_agent: self.options.site.user_agent.clone(),
                contact: self.options.site.contact.clone(),
                interval_text: seconds(interval),
            },
        };
        Ok(self.theme.bot(&self.frame, &page)?)
    }

    /// Renders a page that describes a failed request.
    ///
    /// # Errors
    /// [`ThemeError`].
    pub fn message(&self, status: u16, path: Option<&str>) -> Result<String, ThemeError> {
        let title = self.theme.message_heading(status).to_owned();
        let mut head = self.head(title, &OutputKey::NotFound, None);
        head.robots = Some("noindex".to_owned());
        let feeds = self.feed_links(None);
        self.theme
            .message(&self.frame, &MessagePage { page: head, feeds, status, path: path.map(str::to_owned) })
    }

    /// Renders a category's page of its `newest` items.
    pub(super) fn category(
        &self,
        category: &Category,
        newest: &[Item],
        names: &Names,
    ) -> Result<String, PublishError> {
        // By count alone, whatever their age.
        let items = &newest[..newest.len().min(self.options.windows.items)];
        let last = category.hundreds();
        let more = u32::try_from(items.len()).unwrap_or(u32::MAX) < category.arrivals;
        let paging = Paging { newer: None, older: more.then(|| self.page_url(category, last)) };
        Ok(self.category_page(category, &OutputKey::Category(category.slug.clone()), items, names, paging)?)
    }

    /// Renders the page of the n-th hundred of a category's arrivals; `None` if there is no such page.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn arrivals(
        &self,
        store: &dyn Store,
        category: &Category,
        number: u32,
    ) -> Result<Option<String>, PublishError> {
        let last = category.hundreds();
        if number == 0 || number > last {
            return Ok(None);
        }
        let mut items = store.arrivals(category.id, (number - 1) * PAGE + 1, number * PAGE)?;
        items.sort_by(|a, b| b.published.cmp(&a.published).then_with(|| b.code.cmp(&a.code)));
        let newer = if number == last {
            self.url(&OutputKey::Category(category.slug.clone()))
        } else {
            self.page_url(category, number + 1)
        };
        let older = (number > 1).then(|| self.page_url(category, number - 1));
        let names = homes(store, &items)?;
        let key = OutputKey::CategoryPage(category.slug.clone(), number);
        Ok(Some(self.category_page(category, &key, &items, &names, Paging { newer: Some(newer), older })?))
    }

    fn category_page(
        &self,
        category: &Category,
        place: &OutputKey,
        items: &[Item],
        names: &Names,
        paging: Paging,
    ) -> Result<String, ThemeError> {
        let page = CategoryPage {
            page: self.head(category.name.clone(), place, None),
            feeds: self.feed_links(Some(category)),
            feeds_shown: self.feeds_shown(category),
            readers: self.readers(category),
            code_url: Some(self.url(&OutputKey::Code(category.slug.clone()))),
            category: NamedLink {
                url: self.url(&OutputKey::Category(category.slug.clone())),
                name: category.name.clone(),
            },
            items: self.views(items, names),
            paging,
        };
        self.theme.category(&self.frame, &page)
    }

    /// Returns HTML with its pictures replaced or removed as the site sets.
    pub(super) fn shown_pictures(&self, html: String) -> String {
        match self.options.site.pictures {
            Pictures::Origin => html,
            other => without_pictures(&html, other, self.theme.text("picture")),
        }
    }

    pub(super) fn head(&self, title: String, place: &OutputKey, original: Option<String>) -> PageHead {
        let copy =
            matches!(place, OutputKey::Article(_) | OutputKey::CategoryPage(..) | OutputKey::Category(_));
        PageHead {
            title,
            url: self.url(place),
            canonical: original.or_else(|| Some(self.url(place)).filter(|_| !copy)),
            // Copies of other people's articles are not for search engines (RULES 6.8).
            robots: (!self.options.site.indexing).then(|| "noindex".to_owned()),
        }
    }

    /// Returns the feeds that a page announces: a category's own, and the whole site's.
    pub(super) fn feed_links(&self, category: Option<&Category>) -> Vec<FeedLink> {
        let site_title = &self.options.site.title;
        let own = category.filter(|category| category.id != CategoryId::SITE);
        let mut links = Vec::new();
        for format in FeedFormat::ALL {
            if let Some(category) = own {
                links.push(self.feed_link(&category.name, &key(category, format), format));
            }
        }
        for format in FeedFormat::ALL {
            links.push(self.feed_link(site_title, &OutputKey::SiteFeed(format), format));
        }
        links
    }

    fn feed_link(&self, title: &str, key: &OutputKey, format: FeedFormat) -> FeedLink {
        FeedLink {
            media_type: format.media_type().to_owned(),
            title: format!("{title} ({})", format.label()),
            href: self.url(key),
        }
    }

    fn page_url(&self, category: &Category, number: u32) -> String {
        self.url(&OutputKey::CategoryPage(category.slug.clone(), number))
    }

    fn views(&self, items: &[Item], names: &Names) -> Vec<ItemView> {
        items.iter().map(|item| self.view(item, names.get(&item.home))).collect()
    }

    pub(super) fn view(&self, item: &Item, home: Option<&Category>) -> ItemView {
        let edited = Some(item.updated).filter(|updated| *updated != item.published);
        let category_name = home.map(|c| c.name.clone()).unwrap_or_default();
        ItemView {
            url: self.url(&OutputKey::Article(item.permalink.clone())),
            title: item.title.clone(),
            summary: item.excerpt.clone(),
            image: item.image.clone().filter(|_| self.options.site.pictures == Pictures::Origin),
            category_url: home.map(|c| self.url(&OutputKey::Category(c.slug.clone()))).unwrap_or_default(),
            media_name: item.media_name.clone().filter(|name| *name != category_name),
            category_name,
            published_iso: self.machine(item.published),
            published_text: self.shown(item.published),
            updated_iso: edited.map(|at| self.machine(at)),
            updated_text: edited.map(|at| self.shown(at)),
        }
    }

    pub(super) fn machine(&self, at: Timestamp) -> String {
        machine_time(at, self.options.site.zone)
    }

    pub(super) fn shown(&self, at: Timestamp) -> String {
        shown_time(at, self.options.site.zone, &self.options.site.language)
    }
}

/// Returns the home categories of some items.
fn homes(store: &dyn Store, items: &[Item]) -> StoreResult<Names> {
    let mut homes = Names::new();
    for item in items {
        if !homes.contains_key(&item.home) {
            homes.extend(store.category(item.home)?.map(|category| (category.id, category)));
        }
    }
    Ok(homes)
}

/// Returns the fingerprint of theme and settings, as far as outputs depend on them.
fn print_of(options: &PublishOptions, theme: &Theme) -> String {
    let PublishOptions {
        site, windows, articles, precompress, interval, corrections, combined, sources, ..
    } = options;
    // The folder of the theme does not affect the outputs.
    let site = SiteOptions { theme_folder: None, ..site.clone() };
    let settings = format!(
        "{site:?} {windows:?} {articles:?} {precompress:?} {interval:?} {corrections:?} {combined:?} {sources:?}"
    );
    fingerprint(&[theme.fingerprint(), &settings])
}

fn address(options: &PublishOptions, key: &OutputKey) -> String {
    format!("{}{}", options.site.url, utf8_percent_encode(&key.address(), PATH_KEPT))
}
