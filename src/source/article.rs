//! An article's own page: its text by the source's selectors, else by a port of Mozilla's
//! Readability. The detail of sources that list links or summaries only.

use dom_query::Document as Page;
use dom_smoothie::{Config, Readability};

use url::Url;

use super::SourceError;
use super::html::Spot;
use crate::model::nesting;
use crate::model::{Author, Entry};
use crate::parse::resolve::absolute;
use crate::parse::{Context, encoding, page, text};

/// Places of the parts of an article's page. Parts without a selector are found by Readability.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ArticleRule {
    /// The text, as HTML; the first selector that finds one is used.
    pub content: Vec<Spot>,
    /// The title, for entries whose list gives none.
    pub title: Option<Spot>,
    /// The date, for entries whose list gives none.
    pub date: Option<Spot>,
    /// The author, for entries whose list gives none.
    pub author: Option<Spot>,
}

/// Limit on the elements of a page for Readability.
const MAX_ELEMENTS: usize = 30_000;

/// Adds what an article's page gives to its entry; fields that the list gave are kept.
///
/// # Errors
/// [`SourceError::NoText`] when no text can be found.
pub fn take(
    rule: &ArticleRule,
    entry: &mut Entry,
    bytes: &[u8],
    context: &Context,
) -> Result<(), SourceError> {
    let (source, _) = encoding::decode(bytes, context.content_type.as_deref(), context.encoding);
    let html = nesting::bounded(&source);
    let page = Page::from(html.as_ref());
    let address = entry.link.as_deref().and_then(|link| Url::parse(link).ok());
    // Where the page has no `base`, its relative addresses are resolved against the article's own, as in a
    // feed.
    let base = page::stated_base(&page, address.as_ref());
    if entry.language.is_none() {
        entry.language = page::language(&page);
    }
    let root = page.root();
    let content = rule.content.iter().find_map(|spot| spot.html(&root));
    let get = |spot: &Option<Spot>| spot.as_ref().and_then(|spot| spot.text(&root));
    let title = get(&rule.title);
    let published = rule.date.as_ref().and_then(|spot| spot.date(&root, context));
    let author = get(&rule.author);
    let wants_more = content.is_none() || (entry.title.is_empty() && title.is_none());
    let found = if wants_more { readable(page, entry.link.as_deref()) } else { None };
    let (read_title, read_date, read_content) = found.unwrap_or_default();
    if entry.title.is_empty() {
        entry.title = title.or(read_title).map(|t| text::title(&t)).unwrap_or_default();
    }
    if entry.published.is_none() {
        entry.published = published.or_else(|| context.date(&read_date?));
    }
    if entry.authors.is_empty() {
        entry.authors = author.map(|name| Author { name, ..Author::default() }).into_iter().collect();
    }
    let text = content.or(read_content).filter(|html| !text::html_to_text(html).is_empty());
    let text = text.map(|html| if base.is_some() { absolute(html, base.as_ref()) } else { html });
    if text.is_none() {
        let tried = rule.content.iter().map(Spot::written).collect::<Vec<_>>().join(", ");
        return Err(SourceError::NoText {
            pointers: if tried.is_empty() { "the page".to_owned() } else { tried },
        });
    }
    entry.content = text;
    Ok(())
}

type Found = (Option<String>, Option<String>, Option<String>);

/// Returns the title, date and text that Readability finds.
fn readable(page: Page, link: Option<&str>) -> Option<Found> {
    let config = Config { max_elements_to_parse: MAX_ELEMENTS, ..Config::default() };
    let mut reader = Readability::with_document(page, link, Some(config)).ok()?;
    let article = reader.parse().ok()?;
    let title = Some(article.title).filter(|title| !title.is_empty());
    Some((title, article.published_time, Some(article.content.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> String {
        let text = "<p>县城的新书店昨天开门，货架上摆着本地作者写的书，孩子们坐在地板上读到天黑，店主说不急着关门。</p>".repeat(8);
        format!(
            "<html><head><title>新书店开门 - 城报</title></head><body><nav><a href=/>首页</a><a href=/2>要闻</a></nav>\
             <h1>新书店开门</h1><time datetime='2026-01-02 08:00'></time><div id=text>{text}</div>\
             <div class=side><a href=/3>广告</a></div></body></html>"
        )
    }

    fn context() -> Context {
        Context { zone: chrono_tz::Tz::Asia__Shanghai, ..Context::default() }
    }

    #[test]
    fn selectors_come_first() {
        let spot = |text: &str| Spot::new(text).unwrap();
        let rule = ArticleRule {
            content: vec![spot("div.missing"), spot("#text")],
            title: Some(spot("h1")),
            date: Some(spot("time@datetime")),
            author: None,
        };
        let mut entry = Entry::default();
        take(&rule, &mut entry, page().as_bytes(), &context()).unwrap();
        assert_eq!(entry.title, "新书店开门");
        assert_eq!(entry.published.unwrap().rfc3339(), "2026-01-02T00:00:00Z");
        assert!(entry.content.unwrap().starts_with("<p>县城的新书店"));
    }

    #[test]
    fn without_selectors_the_text_is_found_and_the_frame_left_out() {
        let mut entry = Entry { title: "列表里的标题".to_owned(), ..Entry::default() };
        take(&ArticleRule::default(), &mut entry, page().as_bytes(), &context()).unwrap();
        let content = entry.content.unwrap();
        assert!(content.contains("县城的新书店") && !content.contains("广告"), "{content}");
        assert_eq!(entry.title, "列表里的标题");
    }

    #[test]
    fn a_page_without_text_is_named() {
        let mut entry = Entry::default();
        let empty = take(&ArticleRule::default(), &mut entry, b"<p> </p>", &context());
        assert!(matches!(empty, Err(SourceError::NoText { .. })));
    }

    #[test]
    fn the_base_and_the_language_of_a_page() {
        let head = "<html lang=zh><base href=/files/>";
        let page = page()
            .replace("<html>", head)
            .replace("<div id=text>", "<div id=text><img src=1.jpg><a href=more>m</a>");
        let rule = ArticleRule { content: vec![Spot::new("#text").unwrap()], ..ArticleRule::default() };
        for rule in [rule, ArticleRule::default()] {
            let link = Some("https://p.example/n/1".to_owned());
            let mut entry = Entry { link, title: "A".to_owned(), ..Entry::default() };
            take(&rule, &mut entry, page.as_bytes(), &context()).unwrap();
            let content = entry.content.unwrap();
            assert!(content.contains("https://p.example/files/1.jpg"), "{content}");
            assert!(content.contains("https://p.example/files/more"), "{content}");
            assert_eq!(entry.language.as_deref(), Some("zh"));
        }
        let mut known = Entry { language: Some("ug".to_owned()), ..Entry::default() };
        take(&ArticleRule::default(), &mut known, page.as_bytes(), &context()).unwrap();
        assert_eq!(known.language.as_deref(), Some("ug"), "what the list says is not the page's template");
    }
}
