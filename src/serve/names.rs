//! Addresses to outputs: the canonical ones, and the names that readers probe (they do not
//! follow redirects, so the same bytes are answered there with `Content-Location`).

use percent_encoding::percent_decode_str;

use crate::model::Slug;
use crate::sink::{FeedFormat, OutputKey, PROBED};

/// What an address may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The file of this path.
    File(String),
    /// The same output under another name; `Content-Location` tells the real one.
    Alias(OutputKey),
    /// A page of a category's history, by slug and number.
    Page(String, u32),
    /// A category's page or feed under a slug that may be an old one.
    Category(String),
    /// Whether the server answers at all.
    Alive,
    /// The newspapers that somebody looks for.
    Search(String),
    /// A list of the feeds that somebody ticked.
    Choice(Vec<Slug>),
    /// What robots may read.
    Robots,
    /// The index of sitemaps.
    Sitemap,
    /// The sitemap of a month.
    SitemapMonth(i32, u32),
    /// No path that could be one of ours.
    Nothing,
}

#[cfg(any(test, fuzzing))]
impl Meaning {
    /// An address that means this, or of an alias the real one: its path, percent-encoded, and its query.
    pub(super) fn address(&self) -> Option<(String, Option<String>)> {
        use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
        const ENCODED: AsciiSet = CONTROLS.add(b'%');

        let query = |fields: &[(&str, &str)]| {
            Some(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish())
        };
        let (path, query) = match self {
            Self::File(path) => (path.clone(), None),
            Self::Alias(key) => (key.path(), None),
            Self::Page(slug, number) => (format!("category/{slug}/{number}.html"), None),
            Self::Category(slug) if slug.is_empty() || slug.contains('.') => {
                (format!("category/{slug}/"), None)
            }
            Self::Category(slug) => (format!("feed/{slug}"), None),
            Self::Alive => ("healthz".to_owned(), None),
            Self::Search(wanted) => (OutputKey::Index.path(), query(&[("q", wanted)])),
            Self::Choice(slugs) => {
                let fields: Vec<(&str, &str)> = slugs.iter().map(|slug| ("feed", slug.as_str())).collect();
                (OutputKey::Opml.path(), query(&fields))
            }
            Self::Robots => ("robots.txt".to_owned(), None),
            Self::Sitemap => (OutputKey::Sitemap.path(), None),
            Self::SitemapMonth(year, month) => (OutputKey::SitemapMonth(*year, *month).path(), None),
            Self::Nothing => return None,
        };
        Some((utf8_percent_encode(&path, &ENCODED).to_string(), query))
    }
}

/// Characters of a search; nobody types more.
const SEARCH: usize = 64;
/// Feeds of a choice; a longer list is all of them.
const CHOICE: usize = 1_000;

/// Whether a query may mean something at a path.
pub(super) fn has_form(path: &str) -> bool {
    matches!(at_path(path), Meaning::File(file) if file == OutputKey::Index.path() || file == OutputKey::Opml.path())
}

/// Reads an address: its path, and the query of those few that have a form.
pub(super) fn meaning(path: &str, query: Option<&str>) -> Meaning {
    let plain = at_path(path);
    let (Meaning::File(file), Some(query)) = (&plain, query) else { return plain };
    let fields = || url::form_urlencoded::parse(query.as_bytes());
    if *file == OutputKey::Index.path() {
        let wanted =
            fields().find(|(name, _)| name == "q").map(|(_, value)| value.chars().take(SEARCH).collect());
        return wanted.map_or(plain, Meaning::Search);
    }
    if *file == OutputKey::Opml.path() {
        let ticked = fields().filter(|(name, _)| name == "feed").take(CHOICE);
        let chosen: Vec<Slug> = ticked.filter_map(|(_, slug)| Slug::new(&slug)).collect();
        return if chosen.is_empty() { plain } else { Meaning::Choice(chosen) };
    }
    plain
}

/// Reads a path; decoded once, plain components only.
fn at_path(path: &str) -> Meaning {
    let Ok(decoded) = percent_decode_str(path).decode_utf8() else { return Meaning::Nothing };
    let path = decoded.trim_start_matches('/');
    let safe = path.len() <= 1_000
        && !path.contains(['\\', '\0'])
        && path.split('/').all(|part| part != ".." && (part == ".well-known" || !part.starts_with('.')));
    if !safe {
        return Meaning::Nothing;
    }
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        [""] => Meaning::File(OutputKey::Home.path()),
        ["healthz"] => Meaning::Alive,
        ["robots.txt"] => Meaning::Robots,
        ["sitemap.xml"] => Meaning::Sitemap,
        ["sitemap", file] => match month(file) {
            Some((year, month)) => Meaning::SitemapMonth(year, month),
            None => Meaning::File(path.to_owned()),
        },
        ["category"] | ["category", ""] => Meaning::File(OutputKey::Index.path()),
        ["category", slug, page] => match page.strip_suffix(".html").and_then(|n| n.parse().ok()) {
            Some(number) => Meaning::Page((*slug).to_owned(), number),
            None => under_category(slug, &[page]),
        },
        ["category", slug, rest @ ..] if !rest.is_empty() => under_category(slug, rest),
        ["category", slug] if !slug.contains('.') => Meaning::Category((*slug).to_owned()),
        ["feed", slug] if !slug.is_empty() && !slug.contains('.') => Meaning::Category((*slug).to_owned()),
        [slug] | [slug, ""] if Slug::new(slug).is_some() => Meaning::Category((*slug).to_owned()),
        [slug, rest @ ..] if Slug::new(slug).is_some() && !rest.is_empty() => match probed(rest) {
            Some(format) => under(slug, format).unwrap_or(Meaning::Nothing),
            None => Meaning::File(path.to_owned()),
        },
        rest => match probed(rest) {
            Some(format) => site(path, format),
            None => Meaning::File(path.to_owned()),
        },
    }
}

/// `2021-12.xml`, as [`OutputKey::SitemapMonth`] writes it.
fn month(file: &str) -> Option<(i32, u32)> {
    let (year, month) = file.strip_suffix(".xml")?.split_once('-')?;
    let plain =
        year.len() == 4 && month.len() == 2 && (year.to_owned() + month).bytes().all(|b| b.is_ascii_digit());
    let month = month.parse().ok().filter(|month| plain && (1..=12).contains(month))?;
    Some((year.parse().ok()?, month))
}

fn site(path: &str, format: FeedFormat) -> Meaning {
    let key = OutputKey::SiteFeed(format);
    if key.path() == path { Meaning::File(path.to_owned()) } else { Meaning::Alias(key) }
}

fn under_category(slug: &str, rest: &[&str]) -> Meaning {
    match probed(rest) {
        Some(format) => under(slug, format).unwrap_or(Meaning::Nothing),
        None if rest == [""] => Meaning::Category(slug.to_owned()),
        None => Meaning::File(format!("category/{slug}/{}", rest.join("/"))),
    }
}

fn under(slug: &str, format: FeedFormat) -> Option<Meaning> {
    Slug::new(slug).map(|slug| Meaning::Alias(OutputKey::Feed(slug, format)))
}

/// The names that finders try, at the root and below a category: files, and those that can be none.
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
    fn addresses() {
        let file = |path: &str| Meaning::File(path.to_owned());
        let slug = Slug::new("abc").unwrap();
        for (path, want) in [
            ("/", file("index.html")),
            ("/index.html", file("index.html")),
            ("/category/", file("category/index.html")),
            ("/category/abc.html", file("category/abc.html")),
            ("/category/abc/2.html", Meaning::Page("abc".to_owned(), 2)),
            ("/category/abc/feed.xml", Meaning::Alias(OutputKey::Feed(slug.clone(), FeedFormat::Atom))),
            ("/abc/rss.xml", Meaning::Alias(OutputKey::Feed(slug, FeedFormat::Rss))),
            ("/abc/", Meaning::Category("abc".to_owned())),
            ("/feed.xml", file("feed.xml")),
            ("/atom.xml", Meaning::Alias(OutputKey::SiteFeed(FeedFormat::Atom))),
            ("/feed/", Meaning::Alias(OutputKey::SiteFeed(FeedFormat::Atom))),
            ("/rss/feed.xml", Meaning::Alias(OutputKey::SiteFeed(FeedFormat::Rss))),
            ("/feed/abc.xml", file("feed/abc.xml")),
            ("/abc/2021/12/21/NW1.html", file("abc/2021/12/21/NW1.html")),
            ("/../etc/passwd", Meaning::Nothing),
            ("/%2e%2e/etc", Meaning::Nothing),
            ("/.feedmill/a.json", Meaning::Nothing),
            ("/.well-known/x", file(".well-known/x")),
            ("/%ff", Meaning::Nothing),
            ("/robots.txt", Meaning::Robots),
            ("/sitemap.xml", Meaning::Sitemap),
            ("/sitemap/2021-12.xml", Meaning::SitemapMonth(2021, 12)),
            ("/sitemap/2021-13.xml", file("sitemap/2021-13.xml")),
            ("/sitemap/+021-12.xml", file("sitemap/+021-12.xml")),
        ] {
            assert_eq!(meaning(path, None), want, "{path}");
        }
        let choice = |slugs: &[&str]| Meaning::Choice(slugs.iter().filter_map(|s| Slug::new(s)).collect());
        for (path, query, want) in [
            ("/category/", "q=%E8%A5%BF+a", Meaning::Search("西 a".to_owned())),
            ("/category/", "x=1", file("category/index.html")),
            ("/opml.xml", "feed=abc&feed=../x&feed=d", choice(&["abc", "d"])),
            ("/opml.xml", "feed=", file("opml.xml")),
            ("/feed.xml", "q=x", file("feed.xml")),
        ] {
            assert_eq!(meaning(path, Some(query)), want, "{path}?{query}");
        }
    }

    proptest! {
        #[test]
        fn an_address_that_is_read_is_written_alike(
            parts in prop::collection::vec(
                "category|feed|rss|atom|sitemap|index|opml.xml|rss.xml|20[0-9]{2}-[0-9]{2}.xml|[+0-9]{1,3}.html\
                    |[a-z]{0,3}|(%[0-9a-f]{2}|[a-z.%/文]){0,4}",
                0..5,
            ),
            query in prop::option::of("((q|feed|x)=([a-z+&=文]|%[0-9a-f]{2}){0,9}&?){0,3}"),
        ) {
            let meant = meaning(&format!("/{}", parts.join("/")), query.as_deref());
            let Some((path, query)) = meant.address() else { return Ok(()) };
            let real = match meant {
                Meaning::Alias(key) => Meaning::File(key.path()),
                other => other,
            };
            prop_assert_eq!(meaning(&path, query.as_deref()), real, "{}?{:?}", path, query);
        }
    }
}
