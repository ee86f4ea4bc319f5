//! Parsing of addresses: those of outputs, and the names that feed readers probe. Some readers follow no
//! redirect, so a probed name gets the same bytes with `Content-Location`.

use percent_encoding::percent_decode_str;

use crate::model::Slug;
use crate::sink::{FeedFormat, OutputKey, PROBED};

/// What an address asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// The output file of this path.
    File(String),
    /// An output under another name; `Content-Location` gives the canonical one.
    Alias(OutputKey),
    /// A page of a category's history, by slug and number.
    CategoryPage(String, u32),
    /// A category's page or feed; the slug may be an old one.
    Category(String),
    /// The health check.
    Health,
    /// The index of categories that match a text.
    Search(String),
    /// An OPML list of these categories.
    Opml(Vec<Slug>),
    /// `robots.txt`
    Robots,
    /// The index of sitemaps.
    Sitemap,
    /// The sitemap of a month, by year and month.
    SitemapMonth(i32, u32),
    /// A path that no output can have.
    NotFound,
}

#[cfg(any(test, fuzzing))]
impl Route {
    /// Returns the address of a route as percent-encoded path and query; of an alias the canonical one.
    pub(super) fn address(&self) -> Option<(String, Option<String>)> {
        use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
        const ENCODED: AsciiSet = CONTROLS.add(b'%');

        let query = |fields: &[(&str, &str)]| {
            Some(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish())
        };
        let (path, query) = match self {
            Self::File(path) => (path.clone(), None),
            Self::Alias(key) => (key.path(), None),
            Self::CategoryPage(slug, number) => (format!("category/{slug}/{number}.html"), None),
            Self::Category(slug) if slug.is_empty() || slug.contains('.') => {
                (format!("category/{slug}/"), None)
            }
            Self::Category(slug) => (format!("feed/{slug}"), None),
            Self::Health => ("healthz".to_owned(), None),
            Self::Search(text) => (OutputKey::Index.path(), query(&[("q", text)])),
            Self::Opml(slugs) => {
                let fields: Vec<(&str, &str)> = slugs.iter().map(|slug| ("feed", slug.as_str())).collect();
                (OutputKey::Opml.path(), query(&fields))
            }
            Self::Robots => ("robots.txt".to_owned(), None),
            Self::Sitemap => (OutputKey::Sitemap.path(), None),
            Self::SitemapMonth(year, month) => (OutputKey::SitemapMonth(*year, *month).path(), None),
            Self::NotFound => return None,
        };
        Some((utf8_percent_encode(&path, &ENCODED).to_string(), query))
    }
}

/// Longest text of a search, in characters; the rest is ignored.
const MAX_SEARCH: usize = 64;
/// Categories of an OPML list; further ones are ignored.
const MAX_OPML: usize = 1_000;

/// Returns whether the query matters at a path.
pub(super) fn takes_query(path: &str) -> bool {
    matches!(parse_path(path), Route::File(file) if file == OutputKey::Index.path() || file == OutputKey::Opml.path())
}

/// Parses an address. The query is ignored except where a form on the site sends one.
pub(super) fn parse(path: &str, query: Option<&str>) -> Route {
    let route = parse_path(path);
    let (Route::File(file), Some(query)) = (&route, query) else { return route };
    let fields = || url::form_urlencoded::parse(query.as_bytes());
    if *file == OutputKey::Index.path() {
        let text = fields().find(|(name, _)| name == "q");
        let text = text.map(|(_, text)| text.chars().take(MAX_SEARCH).collect());
        return text.map_or(route, Route::Search);
    }
    if *file == OutputKey::Opml.path() {
        let feeds = fields().filter(|(name, _)| name == "feed").take(MAX_OPML);
        let slugs: Vec<Slug> = feeds.filter_map(|(_, slug)| Slug::new(&slug)).collect();
        return if slugs.is_empty() { route } else { Route::Opml(slugs) };
    }
    route
}

/// Parses a path. It is percent-decoded once; hidden files and `..` lead nowhere.
fn parse_path(path: &str) -> Route {
    let Ok(decoded) = percent_decode_str(path).decode_utf8() else { return Route::NotFound };
    let path = decoded.trim_start_matches('/');
    let safe = path.len() <= 1_000
        && !path.contains(['\\', '\0'])
        && path.split('/').all(|part| part != ".." && (part == ".well-known" || !part.starts_with('.')));
    if !safe {
        return Route::NotFound;
    }
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        [""] => Route::File(OutputKey::Home.path()),
        ["healthz"] => Route::Health,
        ["robots.txt"] => Route::Robots,
        ["sitemap.xml"] => Route::Sitemap,
        ["sitemap", file] => match sitemap_month(file) {
            Some((year, month)) => Route::SitemapMonth(year, month),
            None => Route::File(path.to_owned()),
        },
        ["category"] | ["category", ""] => Route::File(OutputKey::Index.path()),
        ["category", slug, page] => match page.strip_suffix(".html").and_then(|n| n.parse().ok()) {
            Some(number) => Route::CategoryPage((*slug).to_owned(), number),
            None => below_category(slug, &[page]),
        },
        ["category", slug, rest @ ..] if !rest.is_empty() => below_category(slug, rest),
        ["category", slug] if !slug.contains('.') => Route::Category((*slug).to_owned()),
        ["feed", slug] if !slug.is_empty() && !slug.contains('.') => Route::Category((*slug).to_owned()),
        [slug] | [slug, ""] if Slug::new(slug).is_some() => Route::Category((*slug).to_owned()),
        [slug, rest @ ..] if Slug::new(slug).is_some() && !rest.is_empty() => match probed(rest) {
            Some(format) => category_feed(slug, format).unwrap_or(Route::NotFound),
            None => Route::File(path.to_owned()),
        },
        rest => match probed(rest) {
            Some(format) => site_feed(path, format),
            None => Route::File(path.to_owned()),
        },
    }
}

/// Parses the name of a file such as `2021-12.xml`, as [`OutputKey::SitemapMonth`] writes it.
fn sitemap_month(file: &str) -> Option<(i32, u32)> {
    let (year, month) = file.strip_suffix(".xml")?.split_once('-')?;
    let is_padded =
        year.len() == 4 && month.len() == 2 && (year.to_owned() + month).bytes().all(|b| b.is_ascii_digit());
    let month = month.parse().ok().filter(|month| is_padded && (1..=12).contains(month))?;
    Some((year.parse().ok()?, month))
}

fn site_feed(path: &str, format: FeedFormat) -> Route {
    let key = OutputKey::SiteFeed(format);
    if key.path() == path { Route::File(path.to_owned()) } else { Route::Alias(key) }
}

fn below_category(slug: &str, rest: &[&str]) -> Route {
    match probed(rest) {
        Some(format) => category_feed(slug, format).unwrap_or(Route::NotFound),
        None if rest == [""] => Route::Category(slug.to_owned()),
        None => Route::File(format!("category/{slug}/{}", rest.join("/"))),
    }
}

fn category_feed(slug: &str, format: FeedFormat) -> Option<Route> {
    Slug::new(slug).map(|slug| Route::Alias(OutputKey::Feed(slug, format)))
}

/// Returns the format of a name that feed readers probe, at the root or below a category. Some of these names
/// (`feed/`) cannot be files.
fn probed(parts: &[&str]) -> Option<FeedFormat> {
    match parts {
        ["feed" | "atom"] | ["feed" | "atom", ""] => Some(FeedFormat::Atom),
        ["rss"] | ["rss", ""] => Some(FeedFormat::Rss),
        _ => {
            let path = parts.join("/");
            PROBED.iter().find(|(name, _)| *name == path).map(|(_, format)| *format)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_have_their_routes() {
        let file = |path: &str| Route::File(path.to_owned());
        let slug = Slug::new("abc").unwrap();
        for (path, want) in [
            ("/", file("index.html")),
            ("/index.html", file("index.html")),
            ("/category/", file("category/index.html")),
            ("/category/abc.html", file("category/abc.html")),
            ("/category/abc/2.html", Route::CategoryPage("abc".to_owned(), 2)),
            ("/category/abc/feed.xml", Route::Alias(OutputKey::Feed(slug.clone(), FeedFormat::Atom))),
            ("/abc/rss.xml", Route::Alias(OutputKey::Feed(slug, FeedFormat::Rss))),
            ("/abc/", Route::Category("abc".to_owned())),
            ("/feed.xml", file("feed.xml")),
            ("/atom.xml", Route::Alias(OutputKey::SiteFeed(FeedFormat::Atom))),
            ("/feed/", Route::Alias(OutputKey::SiteFeed(FeedFormat::Atom))),
            ("/rss/feed.xml", Route::Alias(OutputKey::SiteFeed(FeedFormat::Rss))),
            ("/feed/abc.xml", file("feed/abc.xml")),
            ("/abc/2021/12/21/NW1.html", file("abc/2021/12/21/NW1.html")),
            ("/../etc/passwd", Route::NotFound),
            ("/%2e%2e/etc", Route::NotFound),
            ("/.feedmill/a.json", Route::NotFound),
            ("/.well-known/x", file(".well-known/x")),
            ("/%ff", Route::NotFound),
            ("/robots.txt", Route::Robots),
            ("/sitemap.xml", Route::Sitemap),
            ("/sitemap/2021-12.xml", Route::SitemapMonth(2021, 12)),
            ("/sitemap/2021-13.xml", file("sitemap/2021-13.xml")),
            ("/sitemap/+021-12.xml", file("sitemap/+021-12.xml")),
        ] {
            assert_eq!(parse(path, None), want, "{path}");
        }
        let opml = |slugs: &[&str]| Route::Opml(slugs.iter().filter_map(|s| Slug::new(s)).collect());
        for (path, query, want) in [
            ("/category/", "q=%E8%A5%BF+a", Route::Search("西 a".to_owned())),
            ("/category/", "x=1", file("category/index.html")),
            ("/opml.xml", "feed=abc&feed=../x&feed=d", opml(&["abc", "d"])),
            ("/opml.xml", "feed=", file("opml.xml")),
            ("/feed.xml", "q=x", file("feed.xml")),
        ] {
            assert_eq!(parse(path, Some(query)), want, "{path}?{query}");
        }
    }

    proptest! {
        #[test]
        fn the_address_of_a_route_parses_to_that_route(
            parts in prop::collection::vec(
                "category|feed|rss|atom|sitemap|index|opml.xml|rss.xml|20[0-9]{2}-[0-9]{2}.xml|[+0-9]{1,3}.html\
                    |[a-z]{0,3}|(%[0-9a-f]{2}|[a-z.%/文]){0,4}",
                0..5,
            ),
            query in prop::option::of("((q|feed|x)=([a-z+&=文]|%[0-9a-f]{2}){0,9}&?){0,3}"),
        ) {
            let route = parse(&format!("/{}", parts.join("/")), query.as_deref());
            let Some((path, query)) = route.address() else { return Ok(()) };
            let canonical = match route {
                Route::Alias(key) => Route::File(key.path()),
                other => other,
            };
            prop_assert_eq!(parse(&path, query.as_deref()), canonical, "{}?{:?}", path, query);
        }
    }
}
