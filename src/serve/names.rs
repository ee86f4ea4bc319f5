//! Addresses to outputs: the canonical ones, and the names that readers probe (they do not
//! follow redirects, so the same bytes are answered there with `Content-Location`).

use percent_encoding::percent_decode_str;

use crate::model::Slug;
use crate::sink::{FeedFormat, OutputKey};

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
    /// No path that could be one of ours.
    Nothing,
}

/// Reads an address's path; decoded once, plain components only.
pub(super) fn meaning(path: &str) -> Meaning {
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

/// The names that finders try, at the root and below a category (Miniflux `finder.go`).
fn probed(parts: &[&str]) -> Option<FeedFormat> {
    match parts {
        ["atom.xml" | "feed.xml" | "feed.atom" | "index.xml" | "feed" | "atom"] | ["feed" | "atom", ""] => {
            Some(FeedFormat::Atom)
        }
        ["rss.xml" | "index.rss" | "feed.rss" | "rss"] | ["rss", "" | "feed.xml"] => Some(FeedFormat::Rss),
        ["feed.json" | "index.json"] => Some(FeedFormat::Json),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        ] {
            assert_eq!(meaning(path), want, "{path}");
        }
    }
}
