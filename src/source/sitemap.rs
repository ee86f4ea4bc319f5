//! Kind `sitemap`: a newspaper's sitemap (sitemaps.org, protocol 0.9) with Google's news
//! extension where it is there; the articles themselves are fetched for their text.

use quick_xml::Reader;
use quick_xml::events::Event;
use url::Url;

use super::SourceError;
use crate::model::{Document, Entry, Pattern};
use crate::parse::{Context, ParseError, encoding, link, text};

/// How a sitemap is read.
#[derive(Debug, Clone, PartialEq)]
pub struct SitemapRule {
    /// Only addresses that match are articles.
    pub only: Option<Pattern>,
    /// Sitemaps to read of an index, the newest first.
    pub max_sitemaps: usize,
}

/// Longest value, in bytes.
const MAX_VALUE: usize = 4_000;

/// One `<url>` or `<sitemap>`.
#[derive(Debug, Default)]
struct Place {
    loc: String,
    lastmod: String,
    title: String,
    published: String,
    name: String,
}

/// Reads a sitemap; of an index the second value holds the sitemaps to read next.
///
/// # Errors
/// [`SourceError::Parse`] when it is no sitemap.
pub fn parse(
    rule: &SitemapRule,
    bytes: &[u8],
    context: &Context,
) -> Result<(Document, Vec<Url>), SourceError> {
    let (xml, encoding) = encoding::decode(bytes, context.content_type.as_deref(), context.encoding);
    let (is_index, mut places) = places(&xml, context.max_entries)?;
    if is_index {
        places.sort_by(|a, b| b.lastmod.cmp(&a.lastmod));
        let next = places
            .iter()
            .take(rule.max_sitemaps)
            .filter_map(|place| link::absolute(&place.loc, context.base.as_ref()))
            .filter_map(|url| Url::parse(&url).ok())
            .collect();
        return Ok((Document { format: "sitemap".to_owned(), ..Document::default() }, next));
    }
    let entries = places.iter().filter_map(|place| entry(rule, place, context)).collect();
    let document = Document {
        format: "sitemap".to_owned(),
        encoding: encoding.to_owned(),
        entries,
        ..Document::default()
    };
    Ok((document, Vec::new()))
}

fn entry(rule: &SitemapRule, place: &Place, context: &Context) -> Option<Entry> {
    let url = link::absolute(&place.loc, context.base.as_ref())?;
    if rule.only.as_ref().is_some_and(|only| !only.is_match(&url)) {
        return None;
    }
    Some(Entry {
        guid: Some(url.clone()),
        link: Some(url),
        title: text::title(&place.title),
        published: context.date(&place.published),
        updated: context.date(&place.lastmod),
        media_name: Some(text::title(&place.name)).filter(|name| !name.is_empty()),
        ..Entry::default()
    })
}

fn places(xml: &str, most: usize) -> Result<(bool, Vec<Place>), SourceError> {
    let broken = |detail: String| SourceError::from(ParseError::Broken { format: "sitemap", detail });
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = false;
    let (mut known, mut is_index) = (false, false);
    let mut places: Vec<Place> = Vec::new();
    let mut field = String::new();
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => {
                field = tag.local_name().as_ref().to_ascii_lowercase();
                match field.as_str() {
                    "urlset" => known = true,
                    "sitemapindex" => (known, is_index) = (true, true),
                    "url" | "sitemap" if places.len() < most => places.push(Place::default()),
                    "url" | "sitemap" => break,
                    _ => {}
                }
            }
            Ok(Event::Text(text)) => put(&mut places, &field, &text),
            Ok(Event::CData(text)) => put(&mut places, &field, &text::escape(&text)),
            Ok(Event::GeneralRef(name)) => put(&mut places, &field, &format!("&{};", &*name)),
            Ok(Event::End(_)) => field.clear(),
            Ok(Event::Eof) => break,
            Ok(_) => {}
            // What stood before a fault is whole.
            Err(_) if known && !places.is_empty() => break,
            Err(error) => return Err(broken(error.to_string())),
        }
    }
    if known {
        Ok((is_index, places))
    } else {
        Err(broken("it has neither `urlset` nor `sitemapindex`".to_owned()))
    }
}

/// Adds text to the field it stands in; entities are decoded by [`text::title`] and below.
fn put(places: &mut [Place], field: &str, value: &str) {
    let Some(place) = places.last_mut() else { return };
    let target = match field {
        "loc" => &mut place.loc,
        "lastmod" => &mut place.lastmod,
        "title" => &mut place.title,
        "publication_date" => &mut place.published,
        "name" => &mut place.name,
        _ => return,
    };
    if target.len() + value.len() <= MAX_VALUE {
        let decoded = if field == "loc" { value.trim().replace("&amp;", "&") } else { value.to_owned() };
        target.push_str(&decoded);
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
        let first = &document.entries[0];
        assert_eq!(first.link.as_deref(), Some("https://p.example/a?x=1&y=2"));
        assert_eq!(first.title, "A & B");
        assert_eq!(first.media_name.as_deref(), Some("城报"));
        assert_eq!(first.published.unwrap().rfc3339(), "2026-01-02T00:00:00Z");
        assert_eq!(document.entries[1].updated.unwrap().rfc3339(), "2026-01-03T00:00:00Z");
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
        assert_eq!(document.entries.len(), 2);
    }
}
