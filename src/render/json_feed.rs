//! JSON Feed 1.1, written with `serde_json`.

use serde::Serialize;

use super::xml::{self, line, some_line};
use super::{OutputEntry, OutputFeed, RenderError};

/// The members stand in the order in which they are written.
#[derive(Serialize)]
struct Document {
    version: &'static str,
    title: String,
    home_page_url: String,
    feed_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    authors: Vec<Author>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    items: Vec<Item>,
}

#[derive(Serialize)]
struct Item {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    #[serde(flatten)]
    content: Content,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    date_published: String,
    date_modified: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authors: Vec<Author>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<Attachment>,
    #[serde(rename = "_feedmill", skip_serializing_if = "Option::is_none")]
    own: Option<Own>,
}

/// One of the two must be there.
#[derive(Serialize)]
enum Content {
    #[serde(rename = "content_html")]
    Html(String),
    #[serde(rename = "content_text")]
    Text(String),
}

#[derive(Serialize)]
struct Author {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

#[derive(Serialize)]
struct Attachment {
    url: String,
    mime_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_in_bytes: Option<u64>,
}

/// JSON Feed 1.1, "Extensions": what the format has no member for, under a name of our own.
#[derive(Serialize)]
struct Own {
    #[serde(skip_serializing_if = "Option::is_none")]
    publisher: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Origin>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rights: Option<String>,
}

#[derive(Serialize)]
struct Origin {
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

/// The feed as JSON Feed 1.1.
///
/// # Errors
/// [`RenderError::Json`] should the writer fail, which memory gives no reason for.
pub fn render(feed: &OutputFeed) -> Result<Vec<u8>, RenderError> {
    let document = Document {
        version: "https://jsonfeed.org/version/1.1",
        title: line(&feed.title),
        home_page_url: line(&feed.page_url),
        feed_url: line(&feed.json_url),
        next_url: feed.history.earlier_json.clone(),
        authors: vec![Author {
            name: line(xml::or(&feed.title, "feedmill")),
            url: some_line(&feed.page_url),
        }],
        description: some_line(&feed.description),
        language: some_line(&feed.language),
        items: feed.entries.iter().map(item).collect(),
    };
    let mut out = serde_json::to_vec_pretty(&document)?;
    out.push(b'\n');
    Ok(out)
}

fn item(entry: &OutputEntry) -> Item {
    let title = xml::headline(entry);
    let summary = some_line(&entry.summary);
    let content = match xml::html(entry) {
        Some(html) => Content::Html(xml::block(html)),
        None => Content::Text(summary.clone().unwrap_or_else(|| title.clone())),
    };
    let own = Own {
        publisher: entry.source_name.as_deref().and_then(some_line),
        source: entry.source.as_ref().map(|source| Origin {
            title: line(&source.title),
            url: source.feed_url.as_deref().or(source.page_url.as_deref()).and_then(some_line),
        }),
        rights: entry.rights.as_deref().and_then(some_line),
    };
    Item {
        id: line(&entry.id),
        url: some_line(&entry.link),
        title,
        summary,
        content,
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

fn author(author: &crate::model::Author) -> Option<Author> {
    Some(Author { name: xml::author_name(author)?, url: author.uri.as_deref().and_then(some_line) })
}
