//! JSON Feed 1.0 and 1.1, read leniently with `serde_json`.

mod stream;

use std::fmt::Write as _;

use serde_json::Value;

use super::{Context, ParseError, link, text};
use crate::model::{Author, Document, Enclosure, Entry, Repair};

/// People of one item, or of the whole feed.
const MAX_AUTHORS: usize = 32;
const FORMAT: &str = "JSON Feed";
const BROKEN: &str = "broken JSON; what stands before it was kept";

/// Reads a JSON Feed (UTF-8).
///
/// # Errors
/// [`ParseError::Broken`] for JSON that is broken, [`ParseError::Unknown`] for other JSON.
pub fn parse(json: &str, context: &Context) -> Result<Document, ParseError> {
    let (read, fault) = stream::read(json, context.max_entries);
    if let Some(error) = fault.as_ref().filter(|_| read.items.as_ref().is_none_or(Vec::is_empty)) {
        return Err(ParseError::Broken { format: FORMAT, detail: error.to_string() });
    }
    let root = Value::Object(read.fields);
    let version = root.get("version").and_then(Value::as_str).unwrap_or_default();
    let Some(items) = read.items.filter(|_| version.contains("jsonfeed.org") || root.get("title").is_some())
    else {
        return Err(ParseError::Unknown { found: json.chars().take(40).collect() });
    };
    let base = context.base.as_ref();
    let feed_authors = authors(&root);
    Ok(Document {
        format: "json_feed".to_owned(),
        title: string(&root, "title").map(|t| text::one_line(&t)).unwrap_or_default(),
        link: string(&root, "home_page_url").and_then(|l| link::absolute(&l, base)),
        language: string(&root, "language"),
        id: string(&root, "feed_url"),
        subtitle: string(&root, "description").map(|t| text::escape(&t)),
        reader: "json",
        beyond_cap: read.beyond,
        repairs: fault.iter().map(|error| Repair { line: error.line(), what: BROKEN }).collect(),
        entries: items.iter().filter(|i| i.is_object()).map(|i| entry(i, context, &feed_authors)).collect(),
        authors: feed_authors,
        ..Document::default()
    })
}

fn entry(item: &Value, context: &Context, feed_authors: &[Author]) -> Entry {
    let base = context.base.as_ref();
    let time = |name| string(item, name).and_then(|d| context.date(&d));
    let mut own = authors(item);
    if own.is_empty() {
        own = feed_authors.to_vec();
    }
    Entry {
        guid: string(item, "id").or_else(|| string(item, "url")),
        title: string(item, "title").map(|t| text::one_line(&t)).unwrap_or_default(),
        link: ["url", "external_url"].iter().find_map(|n| link::absolute(&string(item, n)?, base)),
        published: time("date_published"),
        updated: time("date_modified"),
        authors: own,
        categories: tags(item),
        summary: string(item, "summary").map(|s| text::escape(&s)),
        content: string(item, "content_html")
            .or_else(|| string(item, "content_text").map(|t| paragraphs(&t))),
        enclosures: enclosures(item, context),
        picture: ["image", "banner_image"].iter().find_map(|n| link::absolute(&string(item, n)?, base)),
        language: string(item, "language"),
        ..Entry::default()
    }
}

/// A string, or a number as its digits; `None` for anything else and for the empty string.
fn string(value: &Value, name: &str) -> Option<String> {
    match value.get(name)? {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
    .filter(|text| !text.is_empty())
}

/// `authors` of version 1.1, else `author` of version 1.0.
fn authors(value: &Value) -> Vec<Author> {
    let many = value.get("authors").and_then(Value::as_array).into_iter().flatten();
    many.chain(value.get("author").filter(|_| value.get("authors").is_none()))
        .map(|a| Author {
            name: a.as_str().map(str::to_owned).or_else(|| string(a, "name")).unwrap_or_default(),
            email: None,
            uri: string(a, "url"),
        })
        .filter(|a| !a.name.is_empty() || a.uri.is_some())
        // Those of the feed are given to every item that names none.
        .take(MAX_AUTHORS)
        .collect()
}

fn tags(item: &Value) -> Vec<String> {
    match item.get("tags") {
        Some(Value::Array(tags)) => {
            tags.iter().filter_map(Value::as_str).map(text::one_line).filter(|t| !t.is_empty()).collect()
        }
        Some(Value::String(tag)) => vec![text::one_line(tag)],
        _ => Vec::new(),
    }
}

fn enclosures(item: &Value, context: &Context) -> Vec<Enclosure> {
    let attachments = item.get("attachments").and_then(Value::as_array).into_iter().flatten();
    attachments
        .filter_map(|a| {
            Some(Enclosure {
                url: link::absolute(&string(a, "url")?, context.base.as_ref())?,
                media_type: string(a, "mime_type"),
                length: a.get("size_in_bytes").and_then(Value::as_u64),
            })
        })
        .collect()
}

/// Plain text as HTML: one paragraph for each block of lines where there are several.
fn paragraphs(plain: &str) -> String {
    let plain = plain.trim();
    if !plain.contains('\n') {
        return text::escape(plain);
    }
    let mut html = String::new();
    for block in plain.split("\n\n").map(str::trim).filter(|block| !block.is_empty()) {
        let _ = write!(html, "<p>{}</p>", text::escape(block).replace('\n', "<br>"));
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Document {
        parse(json, &Context { max_entries: 2, ..Context::default() }).unwrap()
    }

    #[test]
    fn lenient_reading() {
        let document = read(
            r#"{"version":"https://jsonfeed.org/version/1","title":null,"author":{"name":"Ada"},"items":[
                {"id":7,"title":null,"content_text":"a < b","tags":"x"},{"url":"http://a.example/2"},{"id":"3"}]}"#,
        );
        let [one, two] = document.entries.as_slice() else { panic!("two entries") };
        assert_eq!((one.guid.as_deref(), one.content.as_deref()), (Some("7"), Some("a &lt; b")));
        assert_eq!((one.categories.as_slice(), one.authors[0].name.as_str()), (&["x".to_owned()][..], "Ada"));
        assert_eq!(two.link.as_deref(), Some("http://a.example/2"));
        assert_eq!(document.beyond_cap, 1);
    }

    #[test]
    fn whole_items_of_broken_json_survive() {
        for tail in ["", "]", ",]}", ",{\"id\":"] {
            let document = read(&format!("{{\"title\":\"T\",\n\"items\":[{{\"id\":\"1\"}}{tail}"));
            assert_eq!((document.entries.len(), document.repairs.len()), (1, 1), "{tail}");
            assert_eq!(document.repairs[0].line, 2);
        }
    }

    #[test]
    fn other_json_is_refused() {
        for json in ["{\"items\":[]}", "{\"title\":\"x\"}", "{\"title\":\"x\",\"items\":null}"] {
            assert!(matches!(parse(json, &Context::default()), Err(ParseError::Unknown { .. })), "{json}");
        }
        for json in ["[]", "{\"items\":[", &"{\"a\":".repeat(10_000)] {
            assert!(matches!(parse(json, &Context::default()), Err(ParseError::Broken { .. })), "{json}");
        }
    }
}
