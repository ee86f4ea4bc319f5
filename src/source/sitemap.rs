//! Kind `sitemap`: a newspaper's sitemap (sitemaps.org, protocol 0.9) with Google's news extension where
//! present; the text comes from the articles' own pages.

mod newest;
mod places;

use url::Url;

use super::SourceError;
use crate::model::{Document, Entry, Pattern, Timestamp};
use crate::parse::{Context, ParseError, encoding, link, text};
use newest::{Newest, of_index};
use places::{Place, Root};

/// How a sitemap is read.
#[derive(Debug, Clone, PartialEq)]
pub struct SitemapRule {
    /// Pattern of the addresses that are articles.
    pub only: Option<Pattern>,
    /// Sitemaps of an index to read, newest first.
    pub max_sitemaps: usize,
}

/// Sitemaps of one index that are read at most (sitemaps.org: an index has no more).
const MAX_INDEX: usize = 50_000;

/// Reads a sitemap; for an index, the second value holds the sitemaps to read next.
///
/// # Errors
/// [`SourceError::Parse`] when the document is not a sitemap.
pub fn parse(
    rule: &SitemapRule,
    bytes: &[u8],
    context: &Context,
) -> Result<(Document, Vec<Url>), SourceError> {
    let (xml, encoding) = encoding::decode(bytes, context.content_type.as_deref(), context.encoding);
    let mut pages = Newest::new(context.max_entries);
    let mut sitemaps = Vec::new();
    let root = places::read(&xml, &mut |root, place| {
        let Some(url) = link::absolute(&place.loc, context.base.as_ref()) else { return };
        if root == Root::Index {
            if sitemaps.len() < MAX_INDEX {
                sitemaps.push((url, context.date(&place.lastmod)));
            }
        } else if rule.only.as_ref().is_none_or(|only| only.is_match(&url)) {
            let entry = entry(&place, url, context);
            let address = entry.link.clone().unwrap_or_default();
            pages.push(&address, entry.updated.max(entry.published), entry);
        }
    });
    match root {
        Some(Root::Index) => Ok(index(rule, sitemaps, encoding)),
        Some(Root::Pages) => {
            let (entries, left_out) = pages.finish();
            let cut = (left_out > 0).then(|| {
                format!("of {} addresses the newest {} are read", left_out + entries.len(), entries.len())
            });
            let cut = cut.into_iter().collect();
            let encoding = encoding.to_owned();
            let format = "sitemap".to_owned();
            Ok((Document { format, encoding, entries, cut, ..Document::default() }, Vec::new()))
        }
        None => {
            let detail = "it has neither `urlset` nor `sitemapindex`".to_owned();
            Err(ParseError::Broken { format: "sitemap", detail }.into())
        }
    }
}

fn index(
    rule: &SitemapRule,
    sitemaps: Vec<(String, Option<Timestamp>)>,
    encoding: &str,
) -> (Document, Vec<Url>) {
    let all = sitemaps.len();
    let next: Vec<Url> = of_index(sitemaps)
        .into_iter()
        .filter_map(|url| Url::parse(&url).ok())
        .take(rule.max_sitemaps)
        .collect();
    let cut = (next.len() < all)
        .then(|| format!("of {all} sitemaps the newest {} are read (`max_sitemaps`)", next.len()));
    let document = Document {
        format: "sitemap".to_owned(),
        encoding: encoding.to_owned(),
        cut: cut.into_iter().collect(),
        ..Document::default()
    };
    (document, next)
}

fn entry(place: &Place, url: String, context: &Context) -> Entry {
    let stated = |text: &str| Some(text::title(text)).filter(|text| !text.is_empty());
    Entry {
        guid: Some(url.clone()),
        link: Some(url),
        title: text::title(&place.title),
        published: context.date(&place.published),
        updated: context.date(&place.lastmod),
        media_name: stated(&place.name),
        language: stated(&place.language),
        ..Entry::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: SitemapRule = SitemapRule { only: None, max_sitemaps: 2 };

    #[test]
    fn a_news_sitemap() {
        let xml = r#"<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
            xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">
            <url><loc>https://p.example/a?x=1&amp;y=2</loc><news:news><news:publication><news:name>城报</news:name>
            </news:publication><news:publication_date>2026-01-02T08:00:00+08:00</news:publication_date>
            <news:title>A &amp; B</news:title></news:news></url>
            <url><loc>https://p.example/b</loc><lastmod>2026-01-03</lastmod></url></urlset>"#;
        let (document, next) = parse(&RULE, xml.as_bytes(), &Context::default()).unwrap();
        assert!(next.is_empty());
        let first = &document.entries[1];
        assert_eq!(first.link.as_deref(), Some("https://p.example/a?x=1&y=2"));
        assert_eq!(first.title, "A & B");
        assert_eq!(first.media_name.as_deref(), Some("城报"));
        assert_eq!(first.published.unwrap().rfc3339(), "2026-01-02T00:00:00Z");
        assert_eq!(document.entries[0].updated.unwrap().rfc3339(), "2026-01-03T00:00:00Z");
    }

    #[test]
    fn an_index_names_its_newest() {
        let xml = "<sitemapindex><sitemap><loc>https://p.example/1.xml</loc><lastmod>2026-01-01</lastmod></sitemap>\
                   <sitemap><loc>https://p.example/2.xml</loc><lastmod>2026-01-03</lastmod></sitemap>\
                   <sitemap><loc>https://p.example/3.xml</loc><lastmod>2026-01-02</lastmod></sitemap></sitemapindex>";
        let (_, next) = parse(&RULE, xml.as_bytes(), &Context::default()).unwrap();
        let next: Vec<&str> = next.iter().map(Url::as_str).collect();
        assert_eq!(next, ["https://p.example/2.xml", "https://p.example/3.xml"]);
    }

    #[test]
    fn others_are_refused_and_the_whole_part_of_a_broken_one_kept() {
        assert!(parse(&RULE, b"<rss></rss>", &Context::default()).is_err());
        let cut = "<urlset><url><loc>https://p.example/1</loc></url><url><loc>https://p.exam";
        let (document, _) = parse(&RULE, cut.as_bytes(), &Context::default()).unwrap();
        assert_eq!(document.entries.len(), 1, "half an address is a wrong one");
    }

    #[test]
    fn a_long_one_is_read_at_its_newest_end_and_tells() {
        let context = Context { max_entries: 3, ..Context::default() };
        let url = |n: u32| format!("<url><loc>https://p.example/n/{n}</loc></url>");
        let long = format!("<urlset>{}</urlset>", (1..=60).map(url).collect::<String>());
        let (document, _) = parse(&RULE, long.as_bytes(), &context).unwrap();
        let links: Vec<_> = document.entries.iter().filter_map(|e| e.link.as_deref()).collect();
        assert_eq!(links, ["https://p.example/n/60", "https://p.example/n/59", "https://p.example/n/58"]);
        assert_eq!(document.cut, ["of 60 addresses the newest 3 are read"]);
        // Addresses that are not articles are not counted.
        let only = Pattern::from(regex::Regex::new("/n/[12]$").unwrap());
        let rule = SitemapRule { only: Some(only), max_sitemaps: 1 };
        let (document, _) = parse(&rule, long.as_bytes(), &context).unwrap();
        assert_eq!((document.entries.len(), document.cut.len()), (2, 0));
    }
}
