//! The data of each web page, and the format of its times.
//!
//! Owns: one type for each page. Does not own: templates, texts and escaping ([`Theme`]), nor which items a
//! page lists (`publish`).
//!
//! All text is plain and may contain any character, except [`ArticleView::body`]. Addresses are written into
//! `href` unchecked: the caller must pass only `http`, `https` and paths.

mod linked;
mod pictures;
pub(super) mod samples;
mod times;

use serde::Serialize;

pub use super::theme::{Theme, ThemeError, ThemeParts};
pub use linked::news_article;
pub use pictures::{Pictures, without_pictures};
pub use times::{machine_day, machine_time, shown_day, shown_time};

/// The data that all pages share; built once for a configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Frame {
    /// The site.
    pub site: Site,
    /// Address of the style sheet.
    pub css_url: String,
}

/// The site, as its pages name it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Site {
    /// Name for people.
    pub title: String,
    /// Description in one sentence; may be empty.
    pub description: String,
    /// Address of the home page.
    pub url: String,
    /// Language in BCP 47, such as `zh-CN`.
    pub language: String,
    /// Whether search engines may index the pages.
    pub indexing: bool,
    /// Address of the list of all categories.
    pub index_url: String,
    /// Address of the list of all feeds.
    pub opml_url: String,
    /// Address of the page that explains feeds and lists them.
    pub subscribe_url: String,
    /// Address of the page about the crawler.
    pub bot_url: String,
    /// Address of the theme's logo.
    pub logo: Option<String>,
    /// The operator's own line in the footer.
    pub footer: Option<String>,
}

/// The data of a page's head.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PageHead {
    /// Name of the page; empty, or the site's title, on the home page.
    pub title: String,
    /// Its own address, in the form that [`Site`] and [`CategoryPage`] use, since the two are compared.
    pub url: String,
    /// Address that search engines index instead.
    pub canonical: Option<String>,
    /// Content of `<meta name="robots">`, such as `noindex`.
    pub robots: Option<String>,
}

/// A feed that a page announces to readers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FeedLink {
    /// Media type, such as `application/rss+xml`.
    #[serde(rename = "type")]
    pub media_type: String,
    /// Name for people.
    pub title: String,
    /// Address.
    pub href: String,
}

/// A feed that a category page shows as a link.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ShownFeed {
    /// Address.
    pub href: String,
    /// Name of the format, such as `RSS`.
    pub label: String,
}

/// A link with a name, mostly to a category.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct NamedLink {
    /// Address.
    pub url: String,
    /// Name for people.
    pub name: String,
}

/// An article in a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ItemView {
    /// Address of its page.
    pub url: String,
    /// Title; may be empty.
    pub title: String,
    /// Summary; may be empty.
    pub summary: String,
    /// First picture.
    pub image: Option<String>,
    /// Address of its category.
    pub category_url: String,
    /// Name of its category.
    pub category_name: String,
    /// The newspaper that the record names.
    pub media_name: Option<String>,
    /// First publication, by [`machine_time`].
    pub published_iso: String,
    /// The same, by [`shown_time`].
    pub published_text: String,
    /// Last real change, by [`machine_time`]; shown where it differs from `published_iso`.
    pub updated_iso: Option<String>,
    /// The same, by [`shown_time`]; present whenever `updated_iso` is.
    pub updated_text: Option<String>,
}

/// A category with its newest articles, on the home page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FeaturedCategory {
    /// Address.
    pub url: String,
    /// Name for people.
    pub name: String,
    /// Articles, newest first.
    pub items: Vec<ItemView>,
}

/// The home page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HomePage {
    /// Head.
    pub page: PageHead,
    /// Feeds of the whole site.
    pub feeds: Vec<FeedLink>,
    /// Articles, newest first.
    pub items: Vec<ItemView>,
    /// Categories in a column of their own; may be empty.
    pub featured: Vec<FeaturedCategory>,
    /// `no_sources` while nothing is configured.
    pub notice: Option<&'static str>,
}

/// The list of all categories.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct IndexPage {
    /// Head.
    pub page: PageHead,
    /// Feeds of the whole site.
    pub feeds: Vec<FeedLink>,
    /// Categories in the order they are shown; only the matching ones if there is a query.
    pub groups: Vec<LetterGroup>,
    /// The search query; empty for all.
    pub query: String,
    /// How many categories match; `None` without a query.
    pub found: Option<usize>,
}

/// Categories under one letter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LetterGroup {
    /// One letter, or a sign for the rest; also the group's anchor in the page.
    pub letter: String,
    /// Categories in the order they are shown.
    pub categories: Vec<ListedCategory>,
}

/// A category in the list of all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ListedCategory {
    /// Address.
    pub url: String,
    /// Name for people.
    pub name: String,
    /// When its newest article was published, by [`machine_time`].
    pub newest_iso: Option<String>,
    /// The same, by [`shown_time`]; present whenever `newest_iso` is.
    pub newest_text: Option<String>,
}

/// One page of a category's articles.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CategoryPage {
    /// Head; its address equals the category's on the first page only.
    pub page: PageHead,
    /// Feeds of the category.
    pub feeds: Vec<FeedLink>,
    /// The same feeds as links; may be empty.
    pub feeds_shown: Vec<ShownFeed>,
    /// Feed readers, on the web and on this device, that subscribe with one click; may be empty.
    pub readers: Vec<NamedLink>,
    /// Address of the category's QR code.
    pub code_url: Option<String>,
    /// The category.
    pub category: NamedLink,
    /// Articles, newest first.
    pub items: Vec<ItemView>,
    /// Links to the neighbouring pages.
    pub paging: Paging,
}

/// Addresses of the pages before and after a page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Paging {
    /// The page towards the first one.
    pub newer: Option<String>,
    /// The page towards the last one.
    pub older: Option<String>,
}

/// One article's page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ArticlePage {
    /// Head.
    pub page: PageHead,
    /// Feeds of its category.
    pub feeds: Vec<FeedLink>,
    /// The article.
    pub item: ArticleView,
    /// JSON-LD by [`news_article`], written unescaped; only where search engines may index.
    pub linked_data: Option<String>,
}

/// An article with all its details.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ArticleView {
    /// Title; may be empty.
    pub title: String,
    /// Summary; may be empty.
    pub summary: String,
    /// Clean HTML, written unescaped.
    pub body: String,
    /// First picture; shown where the body has none.
    pub image: Option<String>,
    /// Address of its category.
    pub category_url: String,
    /// Name of its category.
    pub category_name: String,
    /// The newspaper that the record names.
    pub media_name: Option<String>,
    /// The source to credit; `media_name` if missing.
    pub source_name: Option<String>,
    /// Names of the authors.
    pub authors: Vec<String>,
    /// First publication, by [`machine_time`].
    pub published_iso: String,
    /// The same, by [`shown_time`].
    pub published_text: String,
    /// Last real change, by [`machine_time`]; shown where it differs from `published_iso`.
    pub updated_iso: Option<String>,
    /// The same, by [`shown_time`]; present whenever `updated_iso` is.
    pub updated_text: Option<String>,
    /// Address of the original article.
    pub original: Option<String>,
    /// All categories it is published in.
    pub categories: Vec<NamedLink>,
    /// The source's own labels.
    pub tags: Vec<String>,
    /// The previous article.
    pub previous: Option<Neighbour>,
    /// The next article.
    pub next: Option<Neighbour>,
}

/// The article before or after another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Neighbour {
    /// Address of its page.
    pub url: String,
    /// Title; may be empty.
    pub title: String,
}

/// The page that explains feeds and lists them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SubscribePage {
    /// Head.
    pub page: PageHead,
    /// Feeds of the whole site.
    pub feeds: Vec<FeedLink>,
    /// The same feeds as links.
    pub feeds_shown: Vec<ShownFeed>,
    /// Feed readers that subscribe to the whole site with one click.
    pub readers: Vec<NamedLink>,
    /// Categories in the order they are shown.
    pub papers: Vec<Subscribable>,
}

/// A category that readers may subscribe to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Subscribable {
    /// Name for people.
    pub name: String,
    /// Its name in addresses.
    pub slug: String,
    /// Address of its page.
    pub url: String,
    /// Its feeds.
    pub feeds: Vec<ShownFeed>,
    /// Address of its QR code.
    pub code_url: Option<String>,
}

/// The page about the crawler.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BotPage {
    /// Head.
    pub page: PageHead,
    /// Feeds of the whole site.
    pub feeds: Vec<FeedLink>,
    /// The crawler.
    pub bot: Bot,
}

/// The crawler's description of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Bot {
    /// Its `User-Agent` header.
    pub user_agent: String,
    /// The operator's contact: an address of a page or of mail, or any other text.
    pub contact: Option<String>,
    /// How often it polls, in words.
    pub interval_text: String,
}

/// The status of the mill, for the people who run it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StatusPage {
    /// Head.
    pub page: PageHead,
    /// The feed of troubles.
    pub feeds: Vec<FeedLink>,
    /// Troubles that need attention, the worst first.
    pub troubles: Vec<TroubleView>,
    /// The result of the last reload.
    pub reload: Option<ReloadLine>,
    /// Single numbers.
    pub figures: Vec<Figure>,
    /// Bar charts over time or size.
    pub charts: Vec<Chart>,
    /// Sources, those in trouble first.
    pub sources: Vec<SourceLine>,
}

/// A trouble that needs attention.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TroubleView {
    /// The trouble in one line.
    pub title: String,
    /// Details; may be empty.
    pub text: String,
    /// Advice on what to do.
    pub way_out: String,
    /// When it began, by [`machine_time`].
    pub since_iso: String,
    /// The same, by [`shown_time`].
    pub since_text: String,
}

/// The result of a reload.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ReloadLine {
    /// Its outcome, and what changed.
    pub text: String,
    /// Time of it, by [`machine_time`].
    pub at_iso: String,
    /// The same, by [`shown_time`].
    pub at_text: String,
}

/// A number with a name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Figure {
    /// Key of its name among the theme's texts.
    pub key: &'static str,
    /// Number with its unit.
    pub value: String,
}

/// A row of bars; 480 wide, 112 high.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Chart {
    /// Key of its name among the theme's texts.
    pub key: &'static str,
    /// Description for screen readers.
    pub spoken: String,
    /// Bars from left to right.
    pub bars: Vec<Bar>,
}

/// One bar of a chart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Bar {
    /// Left edge.
    pub x: usize,
    /// Upper edge.
    pub y: usize,
    /// Width.
    pub width: usize,
    /// Height.
    pub height: usize,
    /// What the bar counts.
    pub label: String,
    /// The count.
    pub value: usize,
    /// Label below the bar; most have none.
    pub mark: Option<String>,
}

/// A source in the table of all sources.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SourceLine {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// Its health.
    pub state: String,
    /// Time of its last good poll.
    pub last_good: String,
    /// Time of its next poll.
    pub next: String,
    /// New items a day.
    pub a_day: String,
    /// Share of its answers that were 304.
    pub unmodified: String,
}

/// An error page, or another answer without a page of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MessagePage {
    /// Head; its title comes from [`Theme::message_heading`].
    pub page: PageHead,
    /// Feeds of the whole site; may be empty.
    pub feeds: Vec<FeedLink>,
    /// HTTP status.
    pub status: u16,
    /// The requested path.
    pub path: Option<String>,
}

#[cfg(test)]
mod tests;
