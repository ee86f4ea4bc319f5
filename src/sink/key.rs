//! Outputs by key, with their paths and media types.

use crate::model::Slug;

/// An output. The paths are those of jekyll-feed and of the first site, so that old links keep working.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum OutputKey {
    /// `index.html`: the home page.
    Home,
    /// `category/index.html`: all categories by initial.
    Index,
    /// `feed.xml`, `rss.xml`, `feed.json`: the whole site.
    SiteFeed(FeedFormat),
    /// `opml.xml`: all feeds, for import into a reader.
    Opml,
    /// `subscribe.html`: an explanation of feeds, and a list of all of them.
    Subscribe,
    /// `sitemap.xml`: the index of sitemaps.
    Sitemap,
    /// `sitemap/<yyyy-mm>.xml`: the sitemap of a month's articles.
    SitemapMonth(i32, u32),
    /// `bot.html`: what the fetcher does, for newspapers.
    Bot,
    /// `404.html`, for static hosts.
    NotFound,
    /// `assets/style.css`
    Style,
    /// `assets/feed.css`
    FeedStyle,
    /// `assets/logo.<extension>`: the theme's logo.
    Logo(String),
    /// `category/<slug>.html`: a category's page.
    Category(Slug),
    /// `category/<slug>/<n>.html`: the n-th hundred of a category's history.
    CategoryPage(Slug, u32),
    /// `feed/<slug>.xml`, `.rss`, `.json`: a category's feed.
    Feed(Slug, FeedFormat),
    /// `feed/<slug>/archive/<n>.xml`, `.json`: the n-th archived hundred (RFC 5005, 4).
    Archive(Slug, u32, FeedFormat),
    /// `feed/<slug>/corrections.xml`: earlier versions of corrected articles.
    Corrections(Slug),
    /// `category/<slug>.svg`: the address of a category's page as a QR code.
    Code(Slug),
    /// An article's permalink.
    Article(String),
}

/// A feed's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FeedFormat {
    /// RSS 2.0
    Rss,
    /// Atom 1.0
    Atom,
    /// JSON Feed 1.1
    Json,
}

impl FeedFormat {
    /// All formats, in the order in which pages list them.
    pub const ALL: [Self; 3] = [Self::Atom, Self::Rss, Self::Json];

    /// Returns the name for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Rss => "RSS",
            Self::Atom => "Atom",
            Self::Json => "JSON Feed",
        }
    }

    /// Returns the file extension, without a dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Rss => "rss",
            Self::Atom => "xml",
            Self::Json => "json",
        }
    }

    /// Returns the media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Rss => "application/rss+xml",
            Self::Atom => "application/atom+xml",
            Self::Json => "application/feed+json",
        }
    }
}

/// Names that feed readers probe, at the root and below a category (Miniflux, `finder.go`), without those
/// that cannot be files. The server routes them to feeds, and a static host has copies there.
pub const PROBED: [(&str, FeedFormat); 10] = [
    ("atom.xml", FeedFormat::Atom),
    ("feed.atom", FeedFormat::Atom),
    ("feed.xml", FeedFormat::Atom),
    ("index.xml", FeedFormat::Atom),
    ("feed.rss", FeedFormat::Rss),
    ("index.rss", FeedFormat::Rss),
    ("rss.xml", FeedFormat::Rss),
    ("rss/feed.xml", FeedFormat::Rss),
    ("feed.json", FeedFormat::Json),
    ("index.json", FeedFormat::Json),
];

impl OutputKey {
    /// Returns the path in the output directory and below the site's URL, without a leading slash.
    #[must_use]
    pub fn path(&self) -> String {
        match self {
            Self::Home => "index.html".to_owned(),
            Self::Index => "category/index.html".to_owned(),
            Self::SiteFeed(FeedFormat::Atom) => "feed.xml".to_owned(),
            Self::SiteFeed(FeedFormat::Rss) => "rss.xml".to_owned(),
            Self::SiteFeed(FeedFormat::Json) => "feed.json".to_owned(),
            Self::Opml => "opml.xml".to_owned(),
            Self::Subscribe => "subscribe.html".to_owned(),
            Self::Sitemap => "sitemap.xml".to_owned(),
            Self::SitemapMonth(year, month) => format!("sitemap/{year:04}-{month:02}.xml"),
            Self::Bot => "bot.html".to_owned(),
            Self::NotFound => "404.html".to_owned(),
            Self::Style => "assets/style.css".to_owned(),
            Self::Logo(name) => format!("assets/{name}"),
            Self::FeedStyle => "assets/feed.css".to_owned(),
            Self::Category(slug) => format!("category/{slug}.html"),
            Self::CategoryPage(slug, page) => format!("category/{slug}/{page}.html"),
            Self::Feed(slug, format) => format!("feed/{slug}.{}", format.extension()),
            Self::Archive(slug, page, format) => format!("feed/{slug}/archive/{page}.{}", format.extension()),
            Self::Corrections(slug) => format!("feed/{slug}/corrections.xml"),
            Self::Code(slug) => format!("category/{slug}.svg"),
            Self::Article(permalink) => permalink.clone(),
        }
    }

    /// Returns the address for people, relative to the site's URL: an index page is its folder, with a slash.
    #[must_use]
    pub fn address(&self) -> String {
        match self {
            Self::Home => String::new(),
            Self::Index => "category/".to_owned(),
            other => other.path(),
        }
    }
}

/// Returns the media type of a path, with the charset of texts.
#[must_use]
pub fn media_type(path: &str) -> &'static str {
    let name = path.rsplit('/').next().unwrap_or(path);
    let feed = path == "feed.xml" || path.starts_with("feed/");
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html" | "htm") => "text/html; charset=utf-8",
        Some("xml") if name == "rss.xml" => "application/rss+xml; charset=utf-8",
        Some("xml") if feed => "application/atom+xml; charset=utf-8",
        Some("xml") if name == "opml.xml" => "text/x-opml; charset=utf-8",
        Some("xml") => "application/xml; charset=utf-8",
        Some("rss") => "application/rss+xml; charset=utf-8",
        Some("json") if path == "feed.json" || feed => "application/feed+json; charset=utf-8",
        Some("json") => "application/json",
        Some("css") => "text/css; charset=utf-8",
        Some("txt") => "text/plain; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("gif") => "image/gif",
        Some("webp") => "image/webp",
        Some("ico") => "image/x-icon",
        Some("js") => "text/javascript; charset=utf-8",
        Some("pdf") => "application/pdf",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_types() {
        let slug = Slug::from_name("西海都市报");
        for (key, path, kind) in [
            (OutputKey::SiteFeed(FeedFormat::Atom), "feed.xml", "application/atom+xml; charset=utf-8"),
            (OutputKey::SiteFeed(FeedFormat::Rss), "rss.xml", "application/rss+xml; charset=utf-8"),
            (
                OutputKey::Feed(slug.clone(), FeedFormat::Atom),
                "feed/xihaidushibao.xml",
                "application/atom+xml; charset=utf-8",
            ),
            (
                OutputKey::Feed(slug.clone(), FeedFormat::Rss),
                "feed/xihaidushibao.rss",
                "application/rss+xml; charset=utf-8",
            ),
            (
                OutputKey::Feed(slug.clone(), FeedFormat::Json),
                "feed/xihaidushibao.json",
                "application/feed+json; charset=utf-8",
            ),
            (OutputKey::Category(slug.clone()), "category/xihaidushibao.html", "text/html; charset=utf-8"),
            (OutputKey::CategoryPage(slug, 3), "category/xihaidushibao/3.html", "text/html; charset=utf-8"),
            (
                OutputKey::Archive(Slug::new("abc").unwrap(), 7, FeedFormat::Atom),
                "feed/abc/archive/7.xml",
                "application/atom+xml; charset=utf-8",
            ),
            (
                OutputKey::Corrections(Slug::new("abc").unwrap()),
                "feed/abc/corrections.xml",
                "application/atom+xml; charset=utf-8",
            ),
            (OutputKey::Code(Slug::new("abc").unwrap()), "category/abc.svg", "image/svg+xml"),
            (OutputKey::SitemapMonth(2021, 3), "sitemap/2021-03.xml", "application/xml; charset=utf-8"),
            (OutputKey::Opml, "opml.xml", "text/x-opml; charset=utf-8"),
        ] {
            assert_eq!((key.path().as_str(), media_type(&key.path())), (path, kind));
        }
    }
}
