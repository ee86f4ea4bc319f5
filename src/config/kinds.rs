//! Reads the settings of each kind of source: `fields` and `detail` of JSON APIs, `list` of web pages,
//! `sitemap`, and `article` for an article's own page.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::faults::Fault;
use super::reader::Reader;
use super::values::{count, fill_vars, regex, required};
use crate::source::html::{HtmlRule, Spot};
use crate::source::json::{DetailRule, FieldRules, JsonRule};
use crate::source::{ArticleRule, Kind, SitemapRule};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Feed,
    Json,
    Html,
    Sitemap,
}

/// Reads the kind of a source, and the rule for its articles' own pages. `whole` is `true` for a source
/// itself; profiles and `[defaults]` may leave out required keys.
pub(super) fn read(
    table: &mut Reader,
    vars: &BTreeMap<String, String>,
    whole: bool,
) -> (Kind, Option<Arc<ArticleRule>>) {
    let words =
        [("feed", Word::Feed), ("json", Word::Json), ("html", Word::Html), ("sitemap", Word::Sitemap)];
    let word = table.choice("kind", &words).map_or(Word::Feed, |v| v.value);
    let json = json_rule(table, vars, whole && word == Word::Json);
    let html = html_rule(table, whole && word == Word::Html);
    let sitemap = sitemap_rule(table);
    let pages = matches!(word, Word::Html | Word::Sitemap);
    let article = article_rule(table);
    let full_text = table.bool("full_text").map_or(pages, |v| v.value);
    let kind = match (word, html) {
        (Word::Json, _) => Kind::Json(Box::new(json)),
        (Word::Html, Some(html)) => Kind::Html(Box::new(html)),
        (Word::Sitemap, _) => Kind::Sitemap(sitemap),
        _ => Kind::Feed,
    };
    (kind, full_text.then(|| Arc::new(article)))
}

fn json_rule(table: &mut Reader, vars: &BTreeMap<String, String>, json: bool) -> JsonRule {
    let items = table.string("items");
    if let Some(items) = items.as_ref().filter(|v| !v.value.is_empty() && !v.value.starts_with('/')) {
        let fault = Fault::error(&items.place, "`items` must be a JSON Pointer");
        table.push(fault.help(format!("write `\"/{}\"`", items.value.replace('.', "/"))));
    }
    let fields = table.table("fields").map(field_rules);
    if json && fields.is_none() {
        let fault = Fault::error(table.place(), "a source of kind `json` needs `fields`");
        table.push(
            fault.help("say where each field stands: `fields = { title = \"/title\", link = \"/url\" }`"),
        );
    }
    let detail = table.table("detail").map(|mut detail| {
        let url =
            detail.required("url", Reader::string).map(|v| fill_vars(&v.value, vars)).unwrap_or_default();
        let fields = detail.table("fields").map(field_rules).unwrap_or_default();
        detail.finish();
        DetailRule { url, fields }
    });
    JsonRule { items: items.map(|v| v.value).unwrap_or_default(), fields: fields.unwrap_or_default(), detail }
}

fn field_rules(mut table: Reader) -> FieldRules {
    let mut rules = FieldRules::default();
    for (name, pointers) in rules.named() {
        for pointer in table.strings(name) {
            if !pointer.value.starts_with('/') {
                let fault = Fault::error(&pointer.place, format!("`{name}` must be a JSON Pointer"));
                table.push(fault.help(format!("write `\"/{}\"`", pointer.value.replace('.', "/"))));
            }
            pointers.push(pointer.value);
        }
    }
    table.finish();
    rules
}

fn html_rule(table: &mut Reader, wanted: bool) -> Option<HtmlRule> {
    let place = table.place().clone();
    let Some(mut list) = table.table("list") else {
        if wanted {
            let fault = Fault::error(&place, "a source of kind `html` needs `list`");
            table.push(fault.help("say what holds each article: `list = { item = \"ul.news li\" }`"));
        }
        return None;
    };
    let item = list.required("item", spot);
    let rule = HtmlRule {
        link: spot(&mut list, "link"),
        title: spot(&mut list, "title"),
        date: spot(&mut list, "date"),
        summary: spot(&mut list, "summary"),
        author: spot(&mut list, "author"),
        image: spot(&mut list, "image"),
        next: spot(&mut list, "next"),
        max_pages: count(&mut list, "max_pages", 1..=20, 1),
        min_items: count(&mut list, "min_items", 1..=500, 1),
        expect: required(&mut list, "expect"),
        item: item?,
    };
    list.finish();
    Some(rule)
}

fn sitemap_rule(table: &mut Reader) -> SitemapRule {
    let mut sitemap = table.section("sitemap");
    let rule = SitemapRule {
        only: regex(&mut sitemap, "only"),
        max_sitemaps: count(&mut sitemap, "max_sitemaps", 1..=20, 2),
    };
    sitemap.finish();
    rule
}

fn article_rule(table: &mut Reader) -> ArticleRule {
    let mut article = table.section("article");
    let mut content = Vec::new();
    for selector in article.strings("content") {
        match Spot::new(&selector.value) {
            Some(spot) => content.push(spot),
            None => no_selector(&article, &selector.place, &selector.value),
        }
    }
    let rule = ArticleRule {
        content,
        title: spot(&mut article, "title"),
        date: spot(&mut article, "date"),
        author: spot(&mut article, "author"),
    };
    article.finish();
    rule
}

/// Reads a `selector` or `selector@attribute`.
fn spot(table: &mut Reader, key: &'static str) -> Option<Spot> {
    let written = table.string(key)?;
    let spot = Spot::new(&written.value);
    if spot.is_none() {
        no_selector(table, &written.place, &written.value);
    }
    spot
}

fn no_selector(table: &Reader, place: &super::faults::Place, written: &str) {
    let fault = Fault::error(place, format!("`{written}` is not a CSS selector"));
    table.push(fault.help("examples: `ul.news li`, `h2 a`, `time@datetime`"));
}
