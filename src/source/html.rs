//! Kind `html`: a newspaper without a feed, read from its web pages by CSS selectors. A page that no longer
//! matches what its rule expects raises an alarm and removes no items.

use dom_query::{Document as Page, Matcher, NodeRef};
use url::Url;

use super::{Required, SourceError};
use crate::model::nesting;
use crate::model::text::one_line;
use crate::model::{Author, Document, Enclosure, Entry, Timestamp};
use crate::parse::{Context, encoding, link, page, pictures, text};

mod links;

use links::{Links, MOST_LINKS};

/// The place of a value: `h2 a` selects the text, `h2 a@href` an attribute.
#[derive(Clone)]
pub struct Spot {
    matcher: Matcher,
    attribute: Option<String>,
    written: String,
}

impl std::fmt::Debug for Spot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Spot({})", self.written)
    }
}

/// Compares the text as written, because a matcher cannot be compared.
impl PartialEq for Spot {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl Spot {
    /// Reads `selector` or `selector@attribute`; `None` when the selector is not valid CSS.
    #[must_use]
    pub fn new(written: &str) -> Option<Self> {
        let (selector, attribute) = match written.rsplit_once('@') {
            Some((selector, name))
                if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') =>
            {
                (selector, Some(name.to_owned()))
            }
            _ => (written, None),
        };
        let matcher = Matcher::new(selector.trim()).ok()?;
        Some(Self { matcher, attribute, written: written.to_owned() })
    }

    /// Returns the spot as it was written in the config.
    #[must_use]
    pub fn written(&self) -> &str {
        &self.written
    }

    /// Returns the first value below `node`; `None` where there is none or it is empty.
    pub(super) fn text(&self, node: &NodeRef<'_>) -> Option<String> {
        let found = dom_query::Selection::from(*node).select_matcher(&self.matcher);
        let first = found.nodes().first()?;
        let value = match &self.attribute {
            Some(name) => first.attr(name)?.to_string(),
            None => first.text().to_string(),
        };
        Some(one_line(&value)).filter(|value| !value.is_empty())
    }

    /// Returns the date of the first element below `node`: from its own `datetime` attribute or that of a
    /// `time` within, else from its text.
    pub(super) fn date(&self, node: &NodeRef<'_>, context: &Context) -> Option<Timestamp> {
        let machine = || {
            let found = dom_query::Selection::from(*node).select_matcher(&self.matcher);
            let first = dom_query::Selection::from(*found.nodes().first()?);
            let stated =
                first.attr("datetime").or_else(|| first.select("time[datetime]").attr("datetime"))?;
            context.date(&stated)
        };
        let machine = if self.attribute.is_none() { machine() } else { None };
        machine.or_else(|| context.date(&self.text(node)?))
    }

    /// Returns the value of each element below `node`, read as in [`Spot::text`].
    fn texts<'n>(&'n self, node: &NodeRef<'n>) -> impl Iterator<Item = String> + use<'n> {
        let found = dom_query::Selection::from(*node).select_matcher(&self.matcher);
        let nodes: Vec<NodeRef<'n>> = found.nodes().iter().take(MOST_LINKS).copied().collect();
        let value = |node: NodeRef<'n>| match &self.attribute {
            Some(name) => node.attr(name).map(|value| one_line(&value)),
            None => Some(one_line(&node.text())),
        };
        nodes.into_iter().filter_map(value).filter(|value| !value.is_empty())
    }

    /// Returns a title, read as in [`Spot::text`], or else the alternative text of a picture.
    fn title(&self, node: &NodeRef<'_>) -> Option<String> {
        self.text(node).or_else(|| {
            let found = dom_query::Selection::from(*node).select_matcher(&self.matcher);
            found.nodes().first().and_then(links::in_pictures)
        })
    }

    /// Returns the address of a picture, also of one that is loaded lazily from another attribute.
    fn picture(&self, node: &NodeRef<'_>, base: Option<&Url>) -> Option<String> {
        let found = dom_query::Selection::from(*node).select_matcher(&self.matcher);
        let first = found.nodes().first()?;
        let late = self.attribute.as_deref() == Some("src") && first.node_name().as_deref() == Some("img");
        if late { pictures::address(first, base) } else { link::absolute(&self.text(node)?, base) }
    }

    /// Returns the inner HTML of the first element below `node`; `None` where it is empty.
    pub(super) fn html(&self, node: &NodeRef<'_>) -> Option<String> {
        let found = dom_query::Selection::from(*node).select_matcher(&self.matcher);
        let html = found.nodes().first()?.inner_html().to_string();
        Some(html).filter(|html| !html.trim().is_empty())
    }
}

/// How a list page is read.
#[derive(Debug, Clone, PartialEq)]
pub struct HtmlRule {
    /// Selector of the articles, one element each.
    pub item: Spot,
    /// Its link; without it, the item's first link.
    pub link: Option<Spot>,
    /// Its title; without it, the link's text.
    pub title: Option<Spot>,
    /// Its date.
    pub date: Option<Spot>,
    /// Its summary.
    pub summary: Option<Spot>,
    /// Its author.
    pub author: Option<Spot>,
    /// Its picture.
    pub image: Option<Spot>,
    /// The link to the next page of the list.
    pub next: Option<Spot>,
    /// Pages of the list to read, including the first.
    pub max_pages: usize,
    /// Fewer items than this on the first page raise an alarm.
    pub min_items: usize,
    /// Fields that raise an alarm when most items lack one of them.
    pub expect: Vec<Required>,
}

/// Reads a list page; the second value is the address of the next page.
///
/// # Errors
/// [`SourceError::Drift`] when the page does not match what the rule expects.
pub fn parse(
    rule: &HtmlRule,
    bytes: &[u8],
    context: &Context,
    first: bool,
) -> Result<(Document, Option<Url>), SourceError> {
    let (source, encoding) = encoding::decode(bytes, context.content_type.as_deref(), context.encoding);
    let page = Page::from(nesting::bounded(&source).as_ref());
    let base = page::stated_base(&page, context.base.as_ref()).or_else(|| context.base.clone());
    let found = page.select_matcher(&rule.item.matcher);
    let entries: Vec<Entry> = found
        .nodes()
        .iter()
        .take(context.max_entries)
        .filter_map(|node| entry(rule, node, context, base.as_ref()))
        .filter(|entry| entry.link.is_some() || !entry.title.is_empty())
        .collect();
    if first {
        check(rule, &entries)?;
    }
    let next = rule.next.as_ref().and_then(|spot| spot.text(&page.root()));
    let next =
        next.and_then(|href| link::absolute(&href, base.as_ref())).and_then(|url| Url::parse(&url).ok());
    let document = Document {
        format: "html".to_owned(),
        language: page::language(&page),
        title: text::title(&page.select("title").text()),
        link: context.base.as_ref().map(ToString::to_string),
        encoding: encoding.to_owned(),
        beyond_cap: found.nodes().len().saturating_sub(context.max_entries),
        entries,
        ..Document::default()
    };
    Ok((document, next))
}

/// Checks that a page has enough items and that most have the expected fields; a redesigned page fails.
fn check(rule: &HtmlRule, entries: &[Entry]) -> Result<(), SourceError> {
    if entries.len() < rule.min_items {
        let what = format!(
            "`{}` found {} items, at least {} are expected",
            rule.item.written,
            entries.len(),
            rule.min_items
        );
        return Err(SourceError::Drift { what });
    }
    for field in &rule.expect {
        let missing = entries.iter().filter(|entry| field.missing_in(entry)).count();
        if missing * 2 > entries.len() {
            let what = format!("{missing} of {} items have no {}", entries.len(), field.name());
            return Err(SourceError::Drift { what });
        }
    }
    Ok(())
}

/// Reads one item; `None` where it links to no article, as a button of the page does.
fn entry(rule: &HtmlRule, node: &NodeRef<'_>, context: &Context, base: Option<&Url>) -> Option<Entry> {
    let get = |spot: &Option<Spot>| spot.as_ref().and_then(|spot| spot.text(node));
    let links = Links::of(node, base, context.base.as_ref());
    let hrefs: Vec<String> = rule.link.iter().flat_map(|spot| spot.texts(node)).collect();
    let link = match &rule.link {
        Some(_) => hrefs.iter().find_map(|href| links.leads_to(href)),
        None => links.first(),
    };
    let given = if rule.link.is_some() { !hrefs.is_empty() } else { !links.is_empty() };
    if given && link.is_none() {
        return None;
    }
    let title = match &rule.title {
        Some(spot) => spot.title(node),
        None => Some(links.title(node, link.as_deref())),
    };
    let image = rule.image.as_ref().and_then(|spot| spot.picture(node, base));
    Some(Entry {
        guid: link.clone(),
        title: title.unwrap_or_default(),
        published: rule.date.as_ref().and_then(|spot| spot.date(node, context)),
        summary: get(&rule.summary).map(|text| text::escape(&text)),
        authors: get(&rule.author).map(|name| Author { name, ..Author::default() }).into_iter().collect(),
        enclosures: image
            .map(|url| Enclosure { url, media_type: Some("image/*".to_owned()), length: None })
            .into_iter()
            .collect(),
        link,
        ..Entry::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> HtmlRule {
        let spot = |text: &str| Spot::new(text).unwrap();
        HtmlRule {
            item: spot("ul.news li"),
            link: None,
            title: None,
            date: Some(spot("time@datetime")),
            summary: Some(spot("p")),
            author: None,
            image: Some(spot("img@src")),
            next: Some(spot("a.next@href")),
            max_pages: 2,
            min_items: 2,
            expect: vec![Required::Link, Required::Date],
        }
    }

    const LIST: &str = "<title>城报</title><ul class=news>\
        <li><a href='/n/1'>一号新闻</a><time datetime='2026-01-02 08:00'></time><p>摘要 &amp; 一</p><img src=/1.jpg></li>\
        <li><a href='/n/2'>二号新闻</a><time datetime='2026-01-03 08:00'></time></li></ul>\
        <a class=next href='?page=2'>下一页</a>";

    fn context() -> Context {
        Context {
            base: Url::parse("https://paper.example/news/").ok(),
            zone: chrono_tz::Tz::Asia__Shanghai,
            ..Context::default()
        }
    }

    #[test]
    fn a_list_page() {
        let (document, next) = parse(&rule(), LIST.as_bytes(), &context(), true).unwrap();
        assert_eq!(next.unwrap().as_str(), "https://paper.example/news/?page=2");
        assert_eq!(document.title, "城报");
        let first = &document.entries[0];
        assert_eq!(first.title, "一号新闻");
        assert_eq!(first.link.as_deref(), Some("https://paper.example/n/1"));
        assert_eq!(first.published.unwrap().rfc3339(), "2026-01-02T00:00:00Z");
        assert_eq!(first.summary.as_deref(), Some("摘要 &amp; 一"));
        assert_eq!(first.enclosures[0].url, "https://paper.example/1.jpg");
        assert_eq!(document.entries[1].guid.as_deref(), Some("https://paper.example/n/2"));
    }

    #[test]
    fn a_date_for_programs_goes_before_its_text() {
        let machine = "<time datetime='2026-01-02T08:00:00Z'>gestern</time>";
        for (spot, date) in [("time", machine), (".when", machine), (".when", "2. Januar 2026, 16 Uhr")] {
            let rule = HtmlRule { date: Spot::new(spot), min_items: 1, ..rule() };
            let page =
                format!("<ul class=news><li><a href='/n/1'>A</a><p class=when>am {date}</p></li></ul>");
            let (document, _) = parse(&rule, page.as_bytes(), &context(), true).unwrap();
            assert_eq!(
                document.entries[0].published.unwrap().rfc3339(),
                "2026-01-02T08:00:00Z",
                "{spot} {date}"
            );
        }
    }

    #[test]
    fn a_redesigned_page_is_an_alarm() {
        let renamed = LIST.replace("class=news", "class=list");
        let alarm = parse(&rule(), renamed.as_bytes(), &context(), true).unwrap_err();
        assert!(alarm.to_string().contains("`ul.news li` found 0 items"), "{alarm}");
        let undated = LIST.replace("datetime", "data-time");
        assert!(parse(&rule(), undated.as_bytes(), &context(), true).is_err());
        assert!(parse(&rule(), renamed.as_bytes(), &context(), false).is_ok(), "the last page may be empty");
    }

    #[test]
    fn spots() {
        assert!(Spot::new("a[href='x@y']").is_some());
        assert!(Spot::new("li >").is_none());
        assert_eq!(Spot::new("a@href").unwrap().written(), "a@href");
    }

    #[test]
    fn the_base_and_the_language_of_a_list() {
        let page = format!(
            "<html lang=zh-CN><base href=/sub/>{}",
            LIST.replace("'/n/", "'n/").replace("/1.jpg", "1.jpg")
        );
        let (document, next) = parse(&rule(), page.as_bytes(), &context(), true).unwrap();
        assert_eq!(next.unwrap().as_str(), "https://paper.example/sub/?page=2");
        assert_eq!(document.language.as_deref(), Some("zh-CN"));
        let first = &document.entries[0];
        assert_eq!(first.link.as_deref(), Some("https://paper.example/sub/n/1"));
        assert_eq!(first.enclosures[0].url, "https://paper.example/sub/1.jpg");
    }

    #[test]
    fn what_leads_nowhere_is_no_article() {
        let rule = HtmlRule { min_items: 0, expect: Vec::new(), ..rule() };
        for (item, want) in [
            ("<a href='/n/1'>A</a>", Some("A")),
            ("<a href='javascript:void(0)'>More</a>", None),
            ("<a href=' JavaScript:x'>More</a>", None),
            ("<a href='mailto:a@paper.example'>Write</a>", None),
            ("<a href='tel:123'>Call</a>", None),
            ("<a href='#'>Top</a>", None),
            ("<a href='#top'>Top</a>", None),
            ("<a href='/news/#'>Top</a>", None),
            ("<a href=''>Here</a>", None),
            ("<a href='#'>Share</a> <a href='/n/1'>A</a>", Some("A")),
            ("<a href='/n/1'><img src=x.jpg></a><a href='/n/1'>A</a>", Some("A")),
            ("<a href='/n/1'><img alt='A picture'></a>", Some("A picture")),
            ("<a href='#goal-3'>Goal</a>", Some("Goal")),
            ("No link at all", Some("No link at all")),
        ] {
            let page = format!("<ul class=news><li>{item}</li></ul>");
            let (document, _) = parse(&rule, page.as_bytes(), &context(), true).unwrap();
            let titles: Vec<&str> = document.entries.iter().map(|entry| entry.title.as_str()).collect();
            assert_eq!(titles, want.into_iter().collect::<Vec<_>>(), "{item}");
        }
        let linked = HtmlRule { link: Spot::new("a@href"), title: Spot::new("a"), ..rule };
        let page = "<ul class=news><li><a href='#'>+</a><a href='/n/1'>A</a></li><li><a href='mailto:x@y.z'>W</a></li></ul>";
        let (document, _) = parse(&linked, page.as_bytes(), &context(), true).unwrap();
        let links: Vec<_> = document.entries.iter().map(|entry| entry.link.as_deref()).collect();
        assert_eq!(links, [Some("https://paper.example/n/1")]);
    }

    #[test]
    fn a_picture_that_is_loaded_late() {
        let page = LIST.replace("<img src=/1.jpg>", "<img src=/blank.gif data-src=/1.jpg>");
        let (document, _) = parse(&rule(), page.as_bytes(), &context(), true).unwrap();
        assert_eq!(document.entries[0].enclosures[0].url, "https://paper.example/1.jpg");
    }
}
