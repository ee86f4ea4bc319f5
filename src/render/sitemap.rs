//! Writes sitemaps (sitemaps.org protocol 0.9): an index, and files of pages.

use super::markup::Markup;

const NAMESPACE: (&str, &str) = ("xmlns", "http://www.sitemaps.org/schemas/sitemap/0.9");

/// The most pages that one file may list.
pub const MOST: usize = 50_000;

/// A page, or a file of pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// Address, absolute.
    pub url: String,
    /// Time of its last change, RFC 3339.
    pub changed: Option<String>,
}

/// Renders the index of all files.
#[must_use]
pub fn index(files: &[Location]) -> Vec<u8> {
    list("sitemapindex", "sitemap", files)
}

/// Renders one file of pages.
#[must_use]
pub fn pages(pages: &[Location]) -> Vec<u8> {
    list("urlset", "url", pages)
}

fn list(all: &'static str, one: &'static str, locations: &[Location]) -> Vec<u8> {
    let mut out = Markup::document("", 200 + locations.len() * 160);
    out.open(all, &[NAMESPACE]);
    for location in locations {
        out.open(one, &[]);
        out.line("loc", &[], &location.url);
        if let Some(changed) = &location.changed {
            out.line("lastmod", &[], changed);
        }
        out.close();
    }
    out.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_escaped() {
        let location =
            Location { url: "https://a.example/?a=1&b".into(), changed: Some("2021-12-21".into()) };
        let text = String::from_utf8(pages(&[location])).unwrap();
        assert!(
            text.contains("<loc>https://a.example/?a=1&amp;b</loc>\n  <lastmod>2021-12-21</lastmod>"),
            "{text}"
        );
        assert!(text.contains("<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">"), "{text}");
    }
}
