//! Kind `json`: any JSON API read by JSON Pointers (RFC 6901). A list gives items, or stubs with a detail
//! request for each.

use serde_json::Value;

use super::SourceError;
use crate::model::{Author, Document, Enclosure, Entry, Repair};
use crate::parse::{Context, ParseError, encoding, json, link, text};

/// Labels of one item that are read at most.
const MAX_LABELS: usize = 256;

/// How a list is read. Every field is a list of pointers; the first that finds text is used.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JsonRule {
    /// Pointer to the list; empty for the whole document.
    pub items: String,
    /// Pointers to the fields of an item.
    pub fields: FieldRules,
    /// The request for what the list leaves out.
    pub detail: Option<DetailRule>,
}

/// The request for one item's text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DetailRule {
    /// Template of the address, with `{code}` and `{info_code}`.
    pub url: String,
    /// Pointers to the fields in the detail; those found replace the list's.
    pub fields: FieldRules,
}

/// JSON Pointers of an item's fields, relative to the item.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FieldRules {
    /// The upstream's own code.
    pub code: Vec<String>,
    /// Its guid, where that differs from the code.
    pub guid: Vec<String>,
    /// Title.
    pub title: Vec<String>,
    /// Link.
    pub link: Vec<String>,
    /// Date of publication.
    pub date: Vec<String>,
    /// Summary.
    pub summary: Vec<String>,
    /// Full text, HTML.
    pub content: Vec<String>,
    /// Author.
    pub author: Vec<String>,
    /// The newspaper that the record names.
    pub media_name: Vec<String>,
    /// A picture.
    pub image: Vec<String>,
    /// Labels: a string or a list of strings.
    pub tags: Vec<String>,
}

impl FieldRules {
    /// Returns the fields with their names in the config.
    pub fn named(&mut self) -> [(&'static str, &mut Vec<String>); 11] {
        [
            ("code", &mut self.code),
            ("guid", &mut self.guid),
            ("title", &mut self.title),
            ("link", &mut self.link),
            ("date", &mut self.date),
            ("summary", &mut self.summary),
            ("content", &mut self.content),
            ("author", &mut self.author),
            ("media_name", &mut self.media_name),
            ("image", &mut self.image),
            ("tags", &mut self.tags),
        ]
    }
}

/// Reads a list.
///
/// # Errors
/// [`SourceError::Parse`] for broken JSON, [`SourceError::NoList`] for another shape.
pub fn parse(rule: &JsonRule, bytes: &[u8], context: &Context) -> Result<Document, SourceError> {
    let Read { root, encoding, repairs } = read(bytes, context)?;
    let list = root.pointer(&rule.items).and_then(|value| rows(value, &rule.fields));
    let list = list.ok_or_else(|| SourceError::NoList { pointer: rule.items.clone() })?;
    let beyond_cap = list.len().saturating_sub(context.max_entries);
    let entries = list
        .into_iter()
        .take(context.max_entries)
        .filter(|item| item.is_object())
        .map(|item| {
            let mut entry = Entry::default();
            take(&rule.fields, item, &mut entry, context);
            entry
        })
        .collect();
    let format = "json".to_owned();
    Ok(Document { format, encoding, entries, beyond_cap, repairs, ..Document::default() })
}

/// Adds what a detail gives to its entry.
///
/// # Errors
/// As [`parse`]; [`SourceError::NoText`] when the detail is asked for a text and has none.
pub fn take_detail(
    rule: &DetailRule,
    entry: &mut Entry,
    bytes: &[u8],
    context: &Context,
) -> Result<(), SourceError> {
    let root = read(bytes, context)?.root;
    let content = first(&root, &rule.fields.content);
    if content.is_none() && !rule.fields.content.is_empty() {
        return Err(SourceError::NoText { pointers: rule.fields.content.join(", ") });
    }
    take(&rule.fields, &root, entry, context);
    Ok(())
}

/// Parses an answer as JSON.
struct Read {
    root: Value,
    encoding: String,
    repairs: Vec<Repair>,
}

fn read(bytes: &[u8], context: &Context) -> Result<Read, SourceError> {
    let (text, encoding) = encoding::decode(bytes, context.content_type.as_deref(), context.encoding);
    let (text, encoding) = (json::bare(&text), encoding.to_owned());
    if text.is_empty() {
        return Err(ParseError::Empty.into());
    }
    let broken = |error: serde_json::Error| ParseError::Broken { format: "JSON", detail: error.to_string() };
    match serde_json::from_str(text) {
        Ok(root) => Ok(Read { root, encoding, repairs: Vec::new() }),
        Err(error) => {
            let (mended, repairs) = json::mended(text).ok_or_else(|| broken(error))?;
            Ok(Read { root: serde_json::from_str(&mended).map_err(broken)?, encoding, repairs })
        }
    }
}

/// Returns the items of a list, of an object with an item under each key, or the only item. Null, `false` or
/// blank text counts as an empty list; `None` for any other value, such as an error object.
fn rows<'v>(value: &'v Value, rules: &FieldRules) -> Option<Vec<&'v Value>> {
    let named = |item: &Value| {
        let of = [&rules.code, &rules.guid, &rules.title, &rules.link];
        item.is_object() && of.into_iter().any(|pointers| first(item, pointers).is_some())
    };
    match value {
        Value::Array(items) => Some(items.iter().collect()),
        Value::Null | Value::Bool(false) => Some(Vec::new()),
        Value::String(text) if text.trim().is_empty() => Some(Vec::new()),
        Value::Object(_) if named(value) => Some(vec![value]),
        Value::Object(items) => {
            let rows: Vec<&Value> = items.values().filter(|item| named(item)).collect();
            (items.is_empty() || !rows.is_empty()).then_some(rows)
        }
        _ => None,
    }
}

fn take(rules: &FieldRules, item: &Value, entry: &mut Entry, context: &Context) {
    let base = context.base.as_ref();
    let get = |pointers: &[String]| first(item, pointers);
    replace(&mut entry.code, get(&rules.code));
    replace(&mut entry.guid, get(&rules.guid));
    if let Some(title) = get(&rules.title) {
        entry.title = text::title(&title);
    }
    replace(&mut entry.link, get(&rules.link).and_then(|l| link::absolute(&l, base)));
    replace(&mut entry.published, get(&rules.date).and_then(|d| context.date(&d)));
    replace(&mut entry.summary, get(&rules.summary));
    replace(&mut entry.content, get(&rules.content));
    replace(&mut entry.media_name, get(&rules.media_name).map(|n| text::title(&n)));
    if let Some(name) = get(&rules.author) {
        entry.authors = vec![Author { name: text::title(&name), ..Author::default() }];
    }
    if let Some(url) = get(&rules.image).and_then(|i| link::absolute(&i, base)) {
        entry.enclosures = vec![Enclosure { url, media_type: Some("image/*".to_owned()), length: None }];
    }
    let tags: Vec<String> = rules.tags.iter().filter_map(|p| item.pointer(p)).flat_map(labels).collect();
    if !tags.is_empty() {
        entry.categories = tags;
    }
}

fn replace<T>(field: &mut Option<T>, value: Option<T>) {
    if value.is_some() {
        *field = value;
    }
}

/// Returns the text or number at the first pointer that finds one; of a list, its first.
fn first(item: &Value, pointers: &[String]) -> Option<String> {
    pointers.iter().find_map(|pointer| match item.pointer(pointer)? {
        Value::Array(values) => values.iter().find_map(text_of),
        value => text_of(value),
    })
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|t| !t.trim().is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Returns the labels of an item: from text with commas, a list, or an object with names.
fn labels(value: &Value) -> Vec<String> {
    let label = |value: &Value| {
        let named =
            ["name", "title", "label", "term"].iter().find_map(|name| value.get(name).and_then(text_of));
        text_of(value).or(named)
    };
    let labels: Vec<String> = match value {
        Value::String(one) => one.split([',', '，', ';']).map(str::to_owned).collect(),
        Value::Array(many) => many.iter().filter_map(label).collect(),
        Value::Object(named) => {
            label(value).map_or_else(|| named.values().filter_map(label).collect(), |name| vec![name])
        }
        Value::Number(number) => vec![number.to_string()],
        _ => Vec::new(),
    };
    labels
        .iter()
        .map(|label| text::one_line(label))
        .filter(|label| !label.is_empty())
        .take(MAX_LABELS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> JsonRule {
        let at = |pointer: &str| vec![pointer.to_owned()];
        JsonRule {
            items: "/list".to_owned(),
            fields: FieldRules {
                code: at("/code"),
                title: at("/t"),
                date: at("/when"),
                summary: vec!["/missing".to_owned(), "/digest".to_owned()],
                ..FieldRules::default()
            },
            detail: Some(DetailRule {
                url: "http://a.example/{code}".to_owned(),
                fields: FieldRules {
                    content: vec!["/text".to_owned(), "/content".to_owned()],
                    ..FieldRules::default()
                },
            }),
        }
    }

    #[test]
    fn lists_and_details() {
        let context = Context { zone: chrono_tz::Tz::Asia__Shanghai, ..Context::default() };
        let json = br#"cb({"list":[{"code":12,"t":"A &amp; B","when":"2021-12-21 13:55:07","digest":"d"},{"t":""},7]});"#;
        let document = parse(&rules(), json, &context).unwrap();
        assert_eq!(document.entries.len(), 2);
        let mut entry = document.entries[0].clone();
        assert_eq!(entry.code.as_deref(), Some("12"));
        assert_eq!(entry.title, "A & B");
        assert_eq!(entry.published.unwrap().rfc3339(), "2021-12-21T05:55:07Z");
        assert_eq!(entry.summary.as_deref(), Some("d"));
        let detail = rules().detail.unwrap();
        take_detail(&detail, &mut entry, br#"{"content":"<p>x</p>"}"#, &context).unwrap();
        assert_eq!(entry.content.as_deref(), Some("<p>x</p>"));
        assert!(matches!(take_detail(&detail, &mut entry, b"{}", &context), Err(SourceError::NoText { .. })));
    }

    #[test]
    fn other_shapes_are_named() {
        let context = Context::default();
        assert!(matches!(parse(&rules(), b"{}", &context), Err(SourceError::NoList { .. })));
        assert!(matches!(
            parse(&rules(), b"{", &context),
            Err(SourceError::Parse(ParseError::Broken { .. }))
        ));
        assert!(matches!(parse(&rules(), b" ", &context), Err(SourceError::Parse(ParseError::Empty))));
    }

    #[test]
    fn numbers_are_dates() {
        let context = Context { zone: chrono_tz::Tz::Asia__Shanghai, ..Context::default() };
        for raw in [
            "1640066107",
            "1640066107000",
            "1640066107.25",
            "1.640066107e9",
            "20211221135507",
            "\"1640066107\"",
            "\"2021-12-21 13:55:07\"",
            r#""\/Date(1640066107000+0800)\/""#,
        ] {
            let json = format!(r#"{{"list":[{{"t":"x","when":{raw}}}]}}"#);
            let document = parse(&rules(), json.as_bytes(), &context).unwrap();
            assert_eq!(document.entries[0].published.unwrap().unix(), 1_640_066_107, "{raw}");
        }
    }

    #[test]
    fn what_stands_in_the_place_of_a_list() {
        let context = Context::default();
        for (list, titles) in [
            ("null", &[][..]),
            ("false", &[]),
            ("\"\"", &[]),
            ("{}", &[]),
            (r#"{"7":{"t":"A"},"9":{"t":"B"}}"#, &["A", "B"]),
            (r#"{"t":"A","tags":{"x":1}}"#, &["A"]),
            (r#"[{"t":["A","B"]},null,3,{"t":"C"}]"#, &["A", "C"]),
        ] {
            let json = format!("\u{FEFF}{{\"list\":{list}}}");
            let document = parse(&rules(), json.as_bytes(), &context).unwrap();
            let read: Vec<_> = document.entries.iter().map(|entry| entry.title.as_str()).collect();
            assert_eq!(read, titles, "{list}");
        }
        let error = parse(&rules(), br#"{"list":{"error":{"message":"no key"}}}"#, &context);
        assert!(matches!(error, Err(SourceError::NoList { .. })));
    }

    #[test]
    fn a_broken_field_costs_a_field() {
        let json = "{\"list\":[{\"t\":\"One\"},{\"t\":\"Cut \\ud83d\",\"digest\":\"a\nb\"},{\"t\":\"Three\",\"code\":NaN}]}";
        let document = parse(&rules(), json.as_bytes(), &Context::default()).unwrap();
        let read: Vec<_> = document.entries.iter().map(|entry| entry.title.as_str()).collect();
        assert_eq!((read, document.repairs.len()), (vec!["One", "Cut \u{FFFD}", "Three"], 3));
    }

    #[test]
    fn labels_in_any_form() {
        for (value, want) in [
            (r#""a, b""#, vec!["a", "b"]),
            (r#"["a",7,{"name":"b"}]"#, vec!["a", "7", "b"]),
            (r#"{"0":"a","1":"b"}"#, vec!["a", "b"]),
            (r#"{"name":"a","slug":"b"}"#, vec!["a"]),
            ("null", vec![]),
        ] {
            assert_eq!(labels(&serde_json::from_str(value).unwrap()), want, "{value}");
        }
    }
}
