//! Kind `json`: any JSON API by JSON Pointers (RFC 6901), a list of items or stubs with
//! an optional detail request for each.

use serde_json::Value;

use super::SourceError;
use crate::model::{Author, Document, Enclosure, Entry};
use crate::parse::{Context, ParseError, encoding, link, text};

/// How a list is read. Every field is a list of pointers; the first that holds text is taken.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JsonRule {
    /// Where the list stands; empty for the whole document.
    pub items: String,
    /// Where the fields of an item stand.
    pub fields: FieldRules,
    /// How to ask for what the list leaves out.
    pub detail: Option<DetailRule>,
}

/// A request for one item's text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DetailRule {
    /// Template of the address, with `{code}` and `{info_code}`.
    pub url: String,
    /// Where the fields stand in the detail; those found replace the list's.
    pub fields: FieldRules,
}

/// JSON Pointers of an item's fields, relative to the item.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FieldRules {
    /// The upstream's own code.
    pub code: Vec<String>,
    /// Its id, where that is something else.
    pub guid: Vec<String>,
    /// Title.
    pub title: Vec<String>,
    /// Link.
    pub link: Vec<String>,
    /// Date of publication.
    pub date: Vec<String>,
    /// Digest.
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
    /// The fields by their names in config.
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
    let (root, encoding) = read(bytes, context)?;
    let list = root.pointer(&rule.items).and_then(Value::as_array);
    let list = list.ok_or_else(|| SourceError::NoList { pointer: rule.items.clone() })?;
    let beyond_cap = list.len().saturating_sub(context.max_entries);
    let entries = list
        .iter()
        .take(context.max_entries)
        .filter(|item| item.is_object())
        .map(|item| {
            let mut entry = Entry::default();
            take(&rule.fields, item, &mut entry, context);
            entry
        })
        .collect();
    Ok(Document { format: "json".to_owned(), encoding, entries, beyond_cap, ..Document::default() })
}

/// Puts what a detail says into its entry.
///
/// # Errors
/// As [`parse`]; [`SourceError::NoText`] when the detail is asked for a text and has none.
pub fn take_detail(
    rule: &DetailRule,
    entry: &mut Entry,
    bytes: &[u8],
    context: &Context,
) -> Result<(), SourceError> {
    let (root, _) = read(bytes, context)?;
    let content = first(&root, &rule.fields.content);
    if content.is_none() && !rule.fields.content.is_empty() {
        return Err(SourceError::NoText { pointers: rule.fields.content.join(", ") });
    }
    take(&rule.fields, &root, entry, context);
    Ok(())
}

fn read(bytes: &[u8], context: &Context) -> Result<(Value, String), SourceError> {
    let (text, encoding) = encoding::decode(bytes, context.content_type.as_deref(), context.encoding);
    if text.trim().is_empty() {
        return Err(ParseError::Empty.into());
    }
    let root = serde_json::from_str(unwrap_callback(&text))
        .map_err(|error| ParseError::Broken { format: "JSON", detail: error.to_string() })?;
    Ok((root, encoding.to_owned()))
}

/// `callback({…});` as its JSON: news APIs still answer so.
fn unwrap_callback(text: &str) -> &str {
    let trimmed = text.trim().trim_end_matches(';').trim_end();
    match trimmed.split_once('(') {
        Some((name, rest))
            if !name.is_empty()
                && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '$')) =>
        {
            rest.strip_suffix(')').unwrap_or(trimmed)
        }
        _ => trimmed,
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

/// The first pointer that holds text or a number.
fn first(item: &Value, pointers: &[String]) -> Option<String> {
    pointers.iter().find_map(|pointer| match item.pointer(pointer)? {
        Value::String(text) => Some(text.clone()).filter(|t| !t.trim().is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

fn labels(value: &Value) -> Vec<String> {
    match value {
        Value::String(one) => {
            one.split([',', '，', ';']).map(text::one_line).filter(|t| !t.is_empty()).collect()
        }
        Value::Array(many) => many.iter().filter_map(Value::as_str).map(text::one_line).collect(),
        _ => Vec::new(),
    }
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
        let context = Context::default();
        for raw in ["1640066107", "1640066107000", "2021-12-21 05:55:07"] {
            assert_eq!(context.date(raw).unwrap().unix(), 1_640_066_107, "{raw}");
        }
    }
}
