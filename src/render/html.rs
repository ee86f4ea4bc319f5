//! Web pages: what each of them shows, and the form of its times.
//!
//! Owns: one type a page. Does not own: templates, texts and escaping ([`Theme`]), nor which
//! items a page lists (`publish`).
//!
//! All text is plain and may hold any character, except [`ArticleView::body`]. Addresses go
//! into `href` as they are: whoever fills these types lets only `http`, `https` and paths in.

mod linked;
mod pictures;
pub(super) mod samples;
mod times;

use serde::Serialize;

pub use super::theme::{Theme, ThemeError, ThemeParts};
pub use linked::news_article;
pub use pictures::{Pictures, without_pictures};
pub use times::{machine_day, machine_time, shown_day, shown_time};

/// What all pages share; built once for a configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Frame {
    /// The site as its pages name it.
    pub site: Site,
    /// Address of the style sheet.
    pub css_url: String,
}

/// The site itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Site {
    /// Name for people.
    pub title: String,
    /// One sentence; may be empty.
    pub description: String,
    /// Address of the home page.
    pub url: String,
    /// BCP 47, such as `zh-CN`.
    pub language: String,
    /// Whether search engines are welcome.
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
    /// The operator's own line at the foot.
    pub footer: Option<String>,
}

/// What the head of a page says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PageHead {
    /// Name of the page; empty, or the site's title, on the home page.
    pub title: String,
    /// Its own address, in the form that [`Site`] and [`CategoryPage`] use: it is compared.
    pub url: String,
    /// Address to index instead.
    pub canonical: Option<String>,
    /// For `<meta name="robots">`, such as `noindex`.
    pub robots: Option<String>,
}

/// A feed that a page announces to readers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FeedLink {
    /// Such as `application/rss+xml`.
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
    /// Such as `RSS`.
    pub label: String,
}

/// A name that leads somewhere: a category, mostly.
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
    /// May be empty.
    pub title: String,
    /// May be empty.
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
    /// Newest first.
    pub items: Vec<ItemView>,
}

/// The home page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HomePage {
    /// Head.
    pub page: PageHead,
    /// Feeds of the whole site.
    pub feeds: Vec<FeedLink>,
    /// Newest first.
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
    /// In the order they are shown; those that were looked for, if some were.
    pub groups: Vec<LetterGroup>,
    /// What was looked for; empty for all.
    pub query: String,
    /// How many were found; `None` where nothing was looked for.
    pub found: Option<usize>,
}

/// Categories under one letter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LetterGroup {
    /// One letter, or a sign for the rest; also the name of the place in the page.
    pub letter: String,
    /// In the order they are shown.
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
    /// Readers on the web and on this device that take the feed by one click; may be empty.
    pub readers: Vec<NamedLink>,
    /// Address of the category's QR code.
    pub code_url: Option<String>,
    /// The category.
    pub category: NamedLink,
    /// Newest first.
    pub items: Vec<ItemView>,
    /// The pages beside this one.
    pub paging: Paging,
}

/// Addresses of the pages beside a page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Paging {
    /// Towards the first page.
    pub newer: Option<String>,
    /// Away from it.
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
    /// By [`news_article`], written as it is; where search engines are welcome.
    pub linked_data: Option<String>,
}

/// All of an article.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ArticleView {
    /// May be empty.
    pub title: String,
    /// May be empty.
    pub summary: String,
    /// Clean HTML, written as it is.
    pub body: String,
    /// First picture; shown where the body has none.
    pub image: Option<String>,
    /// Address of its category.
    pub category_url: String,
    /// Name of its category.
    pub category_name: String,
    /// The newspaper that the record names.
    pub media_name: Option<String>,
    /// Whom to credit; else `media_name`.
    pub source_name: Option<String>,
    /// Names.
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
    /// The article before it.
    pub previous: Option<Neighbour>,
    /// The article after it.
    pub next: Option<Neighbour>,
}

/// An article beside another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Neighbour {
    /// Address of its page.
    pub url: String,
    /// May be empty.
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
    /// Readers that take the feed of the whole site by one click.
    pub readers: Vec<NamedLink>,
    /// In the order they are shown.
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

/// What the crawler says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Bot {
    /// As it is sent.
    pub user_agent: String,
    /// An address of a page or of mail, or any other text.
    pub contact: Option<String>,
    /// How often it polls, in words.
    pub interval_text: String,
}

/// What goes on in the mill, for the people who run it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StatusPage {
    /// Head.
    pub page: PageHead,
    /// The feed of troubles.
    pub feeds: Vec<FeedLink>,
    /// What needs attention, the worst first.
    pub troubles: Vec<TroubleView>,
    /// What the last reload came to.
    pub reload: Option<ReloadLine>,
    /// Numbers at a glance.
    pub figures: Vec<Figure>,
    /// Bars over time or size.
    pub charts: Vec<Chart>,
    /// Those in trouble first.
    pub sources: Vec<SourceLine>,
}

/// Something that needs attention.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TroubleView {
    /// What.
    pub title: String,
    /// More of it; may be empty.
    pub text: String,
    /// What to do.
    pub way_out: String,
    /// When it began, by [`machine_time`].
    pub since_iso: String,
    /// The same, by [`shown_time`].
    pub since_text: String,
}

/// What a reload came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ReloadLine {
    /// Its outcome, and what is different since.
    pub text: String,
    /// When, by [`machine_time`].
    pub at_iso: String,
    /// The same, by [`shown_time`].
    pub at_text: String,
}

/// A number with a name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Figure {
    /// Of its name among the texts.
    pub key: &'static str,
    /// With its unit.
    pub value: String,
}

/// A row of bars; 480 wide, 112 high.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Chart {
    /// Of its name among the texts.
    pub key: &'static str,
    /// What it says to those who do not see it.
    pub spoken: String,
    /// From left to right.
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
    /// What it counts.
    pub label: String,
    /// How many.
    pub value: usize,
    /// Written below it; most have none.
    pub mark: Option<String>,
}

/// A source in the table of all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SourceLine {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// How it does.
    pub state: String,
    /// When it was last read well.
    pub last_good: String,
    /// When it is asked again.
    pub next: String,
    /// New items a day.
    pub a_day: String,
    /// Share of answers that were 304.
    pub unmodified: String,
}

/// An error, or another answer without a page of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MessagePage {
    /// Head; [`Theme::message_heading`] gives a title.
    pub page: PageHead,
    /// Feeds of the whole site; may be empty.
    pub feeds: Vec<FeedLink>,
    /// HTTP status.
    pub status: u16,
    /// The path that was asked for.
    pub path: Option<String>,
}

#[cfg(test)]
mod tests;
