//! The published form of a listed record: cleaning, excerpt. Pure.

use url::Url;

use super::volatile::without_dots;
use crate::model::item::caps;
use crate::model::text::{clip, clip_bytes, html_to_text, strip_illegal};
use crate::model::{Author, Body, Enclosure, Entry};
use crate::parse::clean::Cleaned;
use crate::parse::link;
use crate::source::Source;

/// Characters of the text that replace a missing title (RULES 1.9).
const TITLE_FROM_TEXT: usize = 60;

/// Most bytes of a text that are used.
const MAX_TEXT: usize = 1 << 20;

/// The published form of a record, before it is compared with what is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Plain text, never empty.
    pub title: String,
    /// Absolute.
    pub link: Option<String>,
    /// Plain text.
    pub excerpt: String,
    /// The newspaper.
    pub media_name: Option<String>,
    /// A picture.
    pub image: Option<String>,
    /// The HTML of the text.
    pub body: Body,
}

/// Cleans a record. This is expensive: it runs only for new and changed records.
#[must_use]
pub fn draft(source: &Source, entry: &Entry) -> Draft {
    let base = entry.link.as_deref().and_then(|l| Url::parse(l).ok()).unwrap_or_else(|| source.url.clone());
    let content = entry.content.as_deref().or(entry.summary.as_deref()).unwrap_or_default();
    let Cleaned { html, text, media_name, image } =
        source.cleaner.clean(&without_dots(head(content)), Some(&base));
    // A summary that is the whole text is not used as an excerpt.
    let digest =
        entry.content.as_ref().and(entry.summary.as_deref()).map(|summary| html_to_text(head(summary)));
    let digest = digest.map(|d| strip_illegal(&d)).filter(|d| !d.is_empty() && *d != text);
    let title = strip_illegal(&entry.title);
    let title =
        if title.trim().is_empty() { clip(&text, TITLE_FROM_TEXT) } else { clip_bytes(&title, caps::TITLE) };
    let link = entry.link.as_deref().map(|link| source.cleaner.link(link)).filter(|l| l.len() <= caps::URL);
    let title =
        if title.is_empty() { clip_bytes(link.as_deref().unwrap_or_default(), caps::TITLE) } else { title };
    let picture = entry.enclosures.iter().find(|e| is_picture(e)).map(|e| e.url.clone());
    Draft {
        title,
        link,
        excerpt: clip_bytes(&clip(digest.as_deref().unwrap_or(&text), caps::EXCERPT), caps::EXCERPT_BYTES),
        media_name: entry
            .media_name
            .clone()
            .or(media_name)
            .map(|name| clip_bytes(&clip(&strip_illegal(name.trim()), caps::NAME), caps::NAME_BYTES))
            .filter(|name| !name.is_empty()),
        image: image.or_else(|| entry.picture.clone()).or(picture).filter(|url| url.len() <= caps::URL),
        body: Body {
            html,
            digest,
            authors: entry.authors.iter().take(caps::LIST).map(author).collect(),
            tags: entry.categories.iter().take(caps::LIST).map(|t| clip(&strip_illegal(t), 100)).collect(),
            enclosures: entry
                .enclosures
                .iter()
                .filter(|e| e.url.len() <= caps::URL)
                .take(caps::LIST)
                .cloned()
                .collect(),
            language: entry.language.clone().filter(|l| l.len() <= 35),
        },
    }
}

/// Returns the first [`MAX_TEXT`] bytes of a text; no article is larger.
pub(super) fn head(html: &str) -> &str {
    match html.len() {
        0..=MAX_TEXT => html,
        _ => &html[..html.floor_char_boundary(MAX_TEXT)],
    }
}

fn is_picture(enclosure: &Enclosure) -> bool {
    enclosure.media_type.as_deref().is_some_and(|t| t.starts_with("image/"))
}

fn author(author: &Author) -> Author {
    Author {
        name: clip(&strip_illegal(&author.name), 200),
        email: author.email.clone().filter(|e| e.len() <= 254),
        uri: author
            .uri
            .as_deref()
            .and_then(|uri| link::absolute(uri, None))
            .filter(|uri| uri.len() <= caps::URL),
    }
}
