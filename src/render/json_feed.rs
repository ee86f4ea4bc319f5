//! Writes JSON Feed 1.1 with `serde_json`.

use std::borrow::Cow;

use serde::Serialize;

use super::line::{line, some_line};
use super::{OutputEntry, OutputFeed, RenderError, xml};
use crate::model::text::inert;

/// The document; its members are written in the order of the fields.
#[derive(Serialize)]
struct Document<'a> {
    version: &'static str,
    title: Cow<'a, str>,
    home_page_url: Cow<'a, str>,
    feed_url: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_url: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Cow<'a, str>>,
    authors: Vec<Author<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<Cow<'a, str>>,
    items: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Item<'a> {
    id: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<Cow<'a, str>>,
    title: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<Cow<'a, str>>,
    /// The article as HTML; an item must have this or `content_text`.
    #[serde(skip_serializing_if = "Option::is_none")]
    content_html: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_text: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<Cow<'a, str>>,
    date_published: String,
    date_modified: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authors: Vec<Author<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<Attachment<'a>>,
    #[serde(rename = "_feedmill", skip_serializing_if = "Option::is_none")]
    own: Option<Own<'a>>,
}

#[derive(Serialize)]
struct Author<'a> {
    name: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
struct Attachment<'a> {
    url: Cow<'a, str>,
    mime_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_in_bytes: Option<u64>,
}

/// Members that the format has no name for, in an extension of our own (JSON Feed 1.1, "Extensions").
#[derive(Serialize)]
struct Own<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    publisher: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Origin<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rights: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
struct Origin<'a> {
    title: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<Cow<'a, str>>,
}

/// Renders the feed as JSON Feed 1.1.
///
/// # Errors
/// [`RenderError::Json`] if the serializer fails, which writing to memory gives no reason for.
pub fn render(feed: &OutputFeed) -> Result<Vec<u8>, RenderError> {
    let document = Document {
        version: "https://jsonfeed.org/version/1.1",
        title: line(&feed.title),
        home_page_url: line(&feed.page_url),
        feed_url: line(&feed.json_url),
        next_url: feed.history.earlier_json.as_deref().map(Cow::Borrowed),
        authors: vec![Author {
            name: line(xml::or(&feed.title, "feedmill")),
            url: some_line(&feed.page_url),
        }],
        description: some_line(&feed.description),
        language: some_line(&feed.language),
        items: feed.entries.iter().map(item).collect(),
    };
    let mut out = Vec::with_capacity(xml::capacity(feed));
    serde_json::to_writer_pretty(&mut out, &document)?;
    out.push(b'\n');
    Ok(out)
}

/// Returns a plain text that stays plain for readers that take it for HTML.
fn plain(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains('<') { inert(&text).into() } else { text }
}

fn item(entry: &OutputEntry) -> Item<'_> {
    let title = xml::headline(entry);
    let summary = some_line(&entry.summary);
    let content_html = xml::html(entry).map(xml::block);
    let text = || summary.as_ref().unwrap_or(&title).clone();
    let content_text = content_html.is_none().then(text);
    let own = Own {
        publisher: entry.source_name.as_deref().and_then(some_line),
        source: entry.source.as_ref().map(|source| Origin {
            title: plain(line(&source.title)),
            url: source.feed_url.as_deref().or(source.page_url.as_deref()).and_then(some_line),
        }),
        rights: entry.rights.as_deref().and_then(some_line),
    };
    Item {
        id: line(&entry.id),
        url: some_line(&entry.link),
        title: plain(title),
        summary: summary.map(plain),
        content_html,
        content_text,
        image: entry.image.as_deref().and_then(some_line),
        date_published: entry.published.rfc3339(),
        date_modified: entry.updated.rfc3339(),
        authors: entry.authors.iter().filter_map(author).collect(),
        tags: xml::labels(entry).map(line).collect(),
        language: entry.language.as_deref().and_then(some_line),
        attachments: xml::files(entry)
            .map(|(url, file)| Attachment {
                url: line(url),
                mime_type: xml::media_type(file),
                size_in_bytes: file.length,
            })
            .collect(),
        own: Some(own).filter(|own| own.publisher.is_some() || own.source.is_some() || own.rights.is_some()),
    }
}

fn author(author: &crate::model::Author) -> Option<Author<'_>> {
    Some(Author { name: xml::author_name(author)?, url: author.uri.as_deref().and_then(some_line) })
}
