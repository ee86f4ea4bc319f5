//! What feeds and pages show about a source: its name, feed, page and rights, and whether they have excerpts
//! only.

use url::Url;

use super::reader::Reader;
use super::values::{flag, text};
use crate::publish::SourceNote;
use crate::source::{Kind, Source};

/// Headers whose presence means that a feed is not public.
const PRIVATE: [&str; 3] = ["authorization", "cookie", "x-api-key"];

/// The settings of a note, as sources, profiles and `[defaults]` may set them.
#[derive(Debug)]
pub(super) struct NoteSettings {
    page: Option<String>,
    rights: Option<String>,
    excerpt_only: bool,
    /// Whether the source sends secret headers.
    secret: bool,
}

pub(super) fn read(table: &mut Reader) -> NoteSettings {
    let page = table.parsed("page", |page| match Url::parse(page) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url.to_string()),
        _ => Err(format!("must be the address of a page like `https://news.example.org/`, not `{page}`")),
    });
    NoteSettings {
        page: page.map(|v| v.value),
        rights: text(table, "rights"),
        excerpt_only: flag(table, "excerpt_only", false),
        secret: table.has("secret_headers"),
    }
}

impl NoteSettings {
    /// Builds the note of a source. It leaves out the address of an API, which nobody can subscribe to, and
    /// that of a feed that needs credentials, which is a secret.
    pub(super) fn of(self, source: &Source) -> SourceNote {
        let private = self.secret
            || source.headers.iter().any(|(name, _)| PRIVATE.contains(&name.to_lowercase().as_str()));
        let feed = matches!(source.kind, Kind::Feed) && !private;
        let listed = matches!(source.kind, Kind::Html(_)).then(|| source.url.to_string());
        SourceNote {
            name: Some(source.name.clone())
                .filter(|n| !n.is_empty())
                .unwrap_or_else(|| source.id.to_string()),
            feed_url: feed.then(|| source.url.to_string()),
            page_url: self.page.or(listed),
            rights: self.rights,
            excerpt_only: self.excerpt_only,
        }
    }
}
