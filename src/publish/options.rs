//! The settings of publishing.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use url::Url;

use super::select::WindowOptions;
use crate::model::{CodeSpace, Slug, SourceId};
use crate::render::html::{Pictures, ThemeParts};
use crate::render::jekyll::JekyllStyle;

/// The settings of the published site.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteOptions {
    /// Title.
    pub title: String,
    /// Description in one sentence.
    pub description: String,
    /// Address, absolute, ends in `/`.
    pub url: Url,
    /// Language in BCP 47.
    pub language: String,
    /// Time zone of shown times and of days in addresses.
    pub zone: Tz,
    /// Whether search engines may index the pages.
    pub indexing: bool,
    /// How pages and feeds show the pictures of articles.
    pub pictures: Pictures,
    /// The folder of the theme.
    pub theme_folder: Option<PathBuf>,
    /// The files of the theme; none for the built-in theme.
    pub theme: Arc<ThemeParts>,
    /// Text at the foot of every page.
    pub footer: Option<String>,
    /// Rights in the site as a whole.
    pub rights: Option<String>,
    /// Contact of whoever runs the site: an address or an e-mail.
    pub contact: Option<String>,
    /// Authority of published ids; never changes.
    pub id_authority: String,
    /// The code space whose codes are written bare; never changes.
    pub code_space: Option<CodeSpace>,
    /// The `User-Agent` header of requests; shown on `bot.html`.
    pub user_agent: String,
}

/// Whether article pages are files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Articles {
    /// Rendered from the store on request.
    #[default]
    OnRequest,
    /// Written as files, for static hosts.
    Files,
}

/// What feeds and pages show about a source, and how much of its articles.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceNote {
    /// Its name.
    pub name: String,
    /// Address of its feed, if it is one and its address is public.
    pub feed_url: Option<String>,
    /// Address of its page.
    pub page_url: Option<String>,
    /// Rights in its articles.
    pub rights: Option<String>,
    /// Whether feeds and pages show only the excerpt of its articles.
    pub excerpt_only: bool,
}

/// The settings of publishing.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishOptions {
    /// The site.
    pub site: SiteOptions,
    /// The sizes of feeds.
    pub windows: WindowOptions,
    /// The output directory.
    pub output: PathBuf,
    /// The folder of files to copy into it.
    pub static_files: Option<PathBuf>,
    /// Whether article pages are files.
    pub articles: Articles,
    /// Whether files have compressed variants beside them.
    pub precompress: bool,
    /// Whether each category has a feed of corrections.
    pub corrections: bool,
    /// Feeds of several categories together.
    pub combined: Vec<Combined>,
    /// What feeds and pages show about the sources.
    pub sources: BTreeMap<SourceId, SourceNote>,
    /// Jekyll output; `None` if switched off.
    pub jekyll: Option<JekyllOptions>,
    /// JSON lines; `None` if switched off.
    pub json_lines: Option<JsonLinesOptions>,
    /// The interval of polls; shown on `bot.html`.
    pub interval: Duration,
}

/// A named set of categories with feeds of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Combined {
    /// Name for people.
    pub name: String,
    /// Name in addresses.
    pub slug: Slug,
    /// Slugs or names of its categories.
    pub categories: Vec<String>,
}

/// The settings of Jekyll output.
#[derive(Debug, Clone, PartialEq)]
pub struct JekyllOptions {
    /// Its own directory; posts are in `_posts`, pages in `category`.
    pub path: PathBuf,
    /// Front matter and footer.
    pub style: JekyllStyle,
    /// Slug → tag, where the tag is not the name and the suffix.
    pub tags: BTreeMap<String, String>,
}

/// The settings of JSON lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonLinesOptions {
    /// Its own directory; files are `<yyyy>/<mm>/<dd>.jsonl`, days in UTC.
    pub path: PathBuf,
}
