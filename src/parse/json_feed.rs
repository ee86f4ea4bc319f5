//! JSON Feed 1.0 and 1.1, read leniently with `serde_json`.

mod stream;

use std::fmt::Write as _;

use serde_json::Value;

use super::text::{escape, one_line};
use super::{Context, ParseError, json, link};
use crate::model::{Author, Document, Enclosure, Entry, Repair};

/// Authors of one item, or of the whole feed, at most.
const MAX_AUTHORS: usize = 32;
/// Tags, and attachments, of one item, at most.
const MAX_TAGS: usize = 256;
const MAX_FILES: usize = 256;
const FORMAT: &str = "JSON Feed";
const BROKEN: &str = "broken JSON; what stands before it was kept";

/// Reads a JSON Feed (UTF-8).
///
/// # Errors
/// [`ParseError::Broken`] for JSON that is broken, [`ParseError::Unknown`] for other JSON.
pub fn parse(text: &str, context: &Context) -> Result<Document, ParseError> {
    let (mut read, mut fault) = stream::read(text, context.max_entries);
    let mut repairs = Vec::new();
    if fault.is_some()
        && let Some((mended, mends)) = json::mended(text)
    {
        (read, fault) = stream::read(&mended, context.max_entries);
        repairs = mends;
    }
    if let Some(error) = fault.as_ref().filter(|_| read.items.as_ref().is_none_or(Vec::is_empty)) {
        return Err(ParseError::Broken { format: FORMAT, detail: error.to_string() });
    }
    repairs.extend(fault.iter().map(|error| Repair { line: error.line(), what: BROKEN }));
    let root = Value::Object(read.fields);
    let version = root.get("version").and_then(Value::as_str).unwrap_or_default();
    let Some(items) = read.items.filter(|_| version.contains("jsonfeed.org") || root.get("title").is_some())
    else {
        return Err(ParseError::Unknown { found: text.chars().take(40).collect() });
    };
    let base = context.base.as_ref();
    let feed_authors = authors(&root);
    Ok(Document {
        format: "json_feed".to_owned(),
        title: string(&root, "title").map(|t| one_line(&t)).unwrap_or_default(),
        link: string(&root, "home_page_url").and_then(|l| link::absolute(&l, base)),
        language: string(&root, "language"),
        id: string(&root, "feed_url"),
        subtitle: string(&root, "description").map(|t| escape(&t)),
        reader: "json",
        beyond_cap: read.beyond,
        repairs,
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
        title: string(item, "title").map(|t| one_line(&t)).unwrap_or_default(),
        link: ["url", "external_url"].iter().find_map(|n| link::absolute(&address(item, n)?, base)),
        published: time("date_published"),
        updated: time("date_modified"),
        authors: own,
        categories: tags(item),
        summary: string(item, "summary").map(|s| escape(&s)),
        content: string(item, "content_html")
            .or_else(|| string(item, "content_text").map(|t| paragraphs(&t))),
        enclosures: enclosures(item, context),
        picture: ["image", "banner_image"].iter().find_map(|n| link::absolute(&address(item, n)?, base)),
        language: string(item, "language"),
        ..Entry::default()
    }
}

/// Returns a string member, or a number as its digits; `None` for any other value and for the empty string.
fn string(value: &Value, name: &str) -> Option<String> {
    match value.get(name)? {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
    .filter(|text| !text.is_empty())
}

/// Returns the values of a list, of an object whose keys are all digits, or of a single value.
fn list(value: Option<&Value>) -> Vec<&Value> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(values)) => values.iter().collect(),
        Some(Value::Object(values)) if values.keys().all(|key| key.bytes().all(|b| b.is_ascii_digit())) => {
            values.values().collect()
        }
        Some(one) => vec![one],
    }
}

/// Returns the `authors` of version 1.1, or else the `author` of version 1.0.
fn authors(value: &Value) -> Vec<Author> {
    let of = |name: &str| {
        let authors = list(value.get(name)).into_iter().map(|a| Author {
            name: a
                .as_str()
                .map(str::trim)
                .map(str::to_owned)
                .or_else(|| string(a, "name"))
                .unwrap_or_default(),
            email: None,
            uri: string(a, "url"),
        });
        // The feed's authors are copied to every item that names none, so their number is bounded.
        authors.filter(|a| !a.name.is_empty() || a.uri.is_some()).take(MAX_AUTHORS).collect::<Vec<_>>()
    };
    let many = of("authors");
    if many.is_empty() { of("author") } else { many }
}

/// Returns the tags, from a list, an object, or one text with separators.
fn tags(item: &Value) -> Vec<String> {
    let tag = |value: &Value| match value {
        Value::String(tag) => Some(tag.clone()),
        Value::Number(number) => Some(number.to_string()),
        object => ["name", "title", "label", "term"].iter().find_map(|name| string(object, name)),
    };
    let tags: Vec<String> = match item.get("tags") {
        Some(Value::String(tags)) => tags.split([',', '，', '、', ';', '；']).map(str::to_owned).collect(),
        tags => list(tags).into_iter().filter_map(tag).collect(),
    };
    tags.iter().map(|tag| one_line(tag)).filter(|tag| !tag.is_empty()).take(MAX_TAGS).collect()
}

/// Returns the `attachments`, from a list, one object, or a bare address.
fn enclosures(item: &Value, context: &Context) -> Vec<Enclosure> {
    let attachments = list(item.get("attachments")).into_iter();
    attachments
        .filter_map(|a| {
            let url = a.as_str().map(str::to_owned).or_else(|| string(a, "url"))?;
            Some(Enclosure {
                url: link::absolute(&url, context.base.as_ref())?,
                media_type: string(a, "mime_type"),
                length: a.get("size_in_bytes").and_then(size),
            })
        })
        .take(MAX_FILES)
        .collect()
}

/// Returns a size in bytes from a number or a text; decimals are cut off.
fn size(value: &Value) -> Option<u64> {
    let whole = |text: &str| text.trim().split('.').next().and_then(|digits| digits.parse().ok());
    match value {
        Value::String(text) => whole(text),
        Value::Number(number) => number.as_u64().or_else(|| whole(&number.to_string())),
        _ => None,
    }
}

/// Returns the address in a member that is a text, or an object with a `url`.
fn address(item: &Value, name: &str) -> Option<String> {
    string(item, name).or_else(|| {
        let first = list(item.get(name)).into_iter().next()?;
        first.as_str().map(str::to_owned).or_else(|| string(first, "url"))
    })
}

/// Converts plain text to HTML, with one paragraph for each block of lines if it has several lines.
fn paragraphs(plain: &str) -> String {
    let plain = plain.trim();
    if !plain.contains('\n') {
        return escape(plain);
    }
    let mut html = String::new();
    for block in plain.split("\n\n").map(str::trim).filter(|block| !block.is_empty()) {
        let _ = write!(html, "<p>{}</p>", escape(block).replace('\n', "<br>"));
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
    fn what_stands_in_the_place_of_a_list() {
        for (items, ids) in [
            ("null", &[][..]),
            ("false", &[]),
            ("\"none\"", &[]),
            ("{}", &[]),
            (r#"{"0":{"id":"a"},"2":{"id":"b"},"3":{"id":"c"}}"#, &["a", "b"]),
            (r#"{"id":"a","author":{"name":"Ada"}}"#, &["a"]),
            (r#"[null,{"id":"a"}]"#, &["a"]),
        ] {
            let document =
                read(&format!("{{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":{items}}}"));
            let read: Vec<_> = document.entries.iter().filter_map(|entry| entry.guid.as_deref()).collect();
            assert_eq!(read, ids, "{items}");
        }
    }

    #[test]
    fn a_field_of_another_kind_costs_itself() {
        let document = read(
            r#"{"title":"T","items":[{"id":"1","authors":null,"author":{"name":"Ada"},"tags":"a, b","url":{"url":"http://a.example/1"},
                "attachments":{"url":"http://a.example/1.mp3","size_in_bytes":"1234"}},
                {"id":"2","authors":{"name":"Bo"},"author":"Ada","tags":[1,{"name":"c"}],"image":["http://a.example/2.png"],
                "attachments":[{"url":"http://a.example/2.mp3","size_in_bytes":12.0},"http://a.example/3.mp3",null]}]}"#,
        );
        let [one, two] = document.entries.as_slice() else { panic!("two entries") };
        assert_eq!((one.authors[0].name.as_str(), two.authors[0].name.as_str()), ("Ada", "Bo"));
        assert_eq!(
            (one.categories.join("|"), two.categories.join("|")),
            ("a|b".to_owned(), "1|c".to_owned())
        );
        assert_eq!(one.link.as_deref(), Some("http://a.example/1"));
        assert_eq!(two.picture.as_deref(), Some("http://a.example/2.png"));
        assert_eq!((one.enclosures[0].length, two.enclosures[0].length), (Some(1_234), Some(12)));
        assert_eq!(two.enclosures.len(), 2);
    }

    #[test]
    fn a_broken_field_is_mended_and_told() {
        let document = read(
            "{\"title\":\"T\",\n\"items\":[{\"id\":\"1\",\"title\":\"Cut \\ud83d\"},{\"id\":\"2\",\"title\":\"a\nb\",\"n\":NaN}]}",
        );
        let titles: Vec<_> = document.entries.iter().map(|entry| entry.title.as_str()).collect();
        assert_eq!(titles, ["Cut \u{FFFD}", "a b"]);
        assert_eq!(document.repairs.iter().map(|repair| repair.line).collect::<Vec<_>>(), [2, 2, 3]);
    }

    #[test]
    fn other_json_is_refused() {
        for json in ["{\"items\":[]}", "{\"title\":\"x\"}"] {
            assert!(matches!(parse(json, &Context::default()), Err(ParseError::Unknown { .. })), "{json}");
        }
        for json in ["[]", "{\"items\":[", &"{\"a\":".repeat(10_000)] {
            assert!(matches!(parse(json, &Context::default()), Err(ParseError::Broken { .. })), "{json}");
        }
    }
}
