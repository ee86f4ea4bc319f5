//! What feeds and pages show about a source: its name, feed, page and rights, and whether they have excerpts
//! only.

use url::Url;

use super::reader::Reader;
use super::values::{flag, text};
use crate::model::private::key_in;
use crate::publish::SourceNote;
use crate::source::{Kind, Source};

/// Headers whose presence means that a feed is not public.
const PRIVATE: [&str; 3] = ["authorization", "cookie", "x-api-key"];

/// The settings of a note, as sources, profiles and `[defaults]` may set them.
#[derive(Debug)]
pub(super) struct NoteSettings {
    page: Option<String>,
    public_url: Option<String>,
    rights: Option<String>,
    excerpt_only: bool,
    /// Whether the source sends secret headers.
    secret: bool,
}

pub(super) fn read(table: &mut Reader) -> NoteSettings {
    NoteSettings {
        page: address(table, "page"),
        public_url: address(table, "public_url"),
        rights: text(table, "rights"),
        excerpt_only: flag(table, "excerpt_only", false),
        secret: table.has("secret_headers"),
    }
}

fn address(table: &mut Reader, key: &'static str) -> Option<String> {
    let read = table.parsed(key, |text| match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url.to_string()),
        _ => Err(format!("must be an address like `https://news.example.org/`, not `{text}`")),
    });
    read.map(|v| v.value)
}

impl NoteSettings {
    /// Returns whether it says which address of the source readers may know.
    pub(super) fn has_public_url(&self) -> bool {
        self.public_url.is_some()
    }

    /// Returns the note of a source. The address of an API is nobody's to subscribe to, and that of a feed
    /// which wants a password, or holds what looks like a key, is a secret.
    pub(super) fn of(self, source: &Source) -> SourceNote {
        let private = self.secret
            || source.headers.iter().any(|(name, _)| PRIVATE.contains(&name.to_lowercase().as_str()));
        let private = private || key_in(&source.url).is_some();
        let feed = matches!(source.kind, Kind::Feed) && !private;
        let listed = (matches!(source.kind, Kind::Html(_)) && !private).then(|| source.url.to_string());
        SourceNote {
            name: Some(source.name.clone())
                .filter(|n| !n.is_empty())
                .unwrap_or_else(|| source.id.to_string()),
            feed_url: self.public_url.or_else(|| feed.then(|| source.url.to_string())),
            page_url: self.page.or(listed),
            rights: self.rights,
            excerpt_only: self.excerpt_only,
        }
    }
}
