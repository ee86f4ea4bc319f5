//! All that publishing has to know of the config.

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

/// What the config says about the published site.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteOptions {
    /// Title.
    pub title: String,
    /// One sentence.
    pub description: String,
    /// Absolute, ends in `/`.
    pub url: Url,
    /// BCP 47.
    pub language: String,
    /// Zone of shown times and of days in addresses.
    pub zone: Tz,
    /// Whether search engines may list the copies.
    pub indexing: bool,
    /// How pages and feeds show the pictures of articles.
    pub pictures: Pictures,
    /// The folder of its theme.
    pub theme_folder: Option<PathBuf>,
    /// What that holds; nothing for the built-in theme.
    pub theme: Arc<ThemeParts>,
    /// Text at the foot of every page.
    pub footer: Option<String>,
    /// Rights in what is published as a whole.
    pub rights: Option<String>,
    /// Who runs the site: an address or an e-mail.
    pub contact: Option<String>,
    /// Authority of published ids, set once.
    pub id_authority: String,
    /// The code space written bare, set once.
    pub code_space: Option<CodeSpace>,
    /// As sent to upstreams; told on `bot.html`.
    pub user_agent: String,
}

/// Whether article pages are files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Articles {
    /// Rendered from the store when asked for.
    #[default]
    OnRequest,
    /// Written, for static hosts.
    Files,
}

/// What readers are told of a source, and how much of its articles they get.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceNote {
    /// Its name.
    pub name: String,
    /// Its feed, where that is one and readers may know its address.
    pub feed_url: Option<String>,
    /// Its page.
    pub page_url: Option<String>,
    /// Rights in its articles.
    pub rights: Option<String>,
    /// Feeds and pages show only the excerpt of its articles.
    pub excerpt_only: bool,
}

/// All that publishing has to know of the config.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishOptions {
    /// The site.
    pub site: SiteOptions,
    /// What feeds hold.
    pub windows: WindowOptions,
    /// The output directory.
    pub output: PathBuf,
    /// Files to copy into it.
    pub static_files: Option<PathBuf>,
    /// Whether article pages are files.
    pub articles: Articles,
    /// Whether files have compressed variants beside them.
    pub precompress: bool,
    /// Whether each category has a feed of corrections.
    pub corrections: bool,
    /// Feeds of several categories together.
    pub combined: Vec<Combined>,
    /// What readers are told of the sources.
    pub sources: BTreeMap<SourceId, SourceNote>,
    /// Jekyll output, when switched on.
    pub jekyll: Option<JekyllOptions>,
    /// JSON lines, when switched on.
    pub json_lines: Option<JsonLinesOptions>,
    /// How often sources are polled; told on `bot.html`.
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

/// Jekyll output.
#[derive(Debug, Clone, PartialEq)]
pub struct JekyllOptions {
    /// Its own directory; posts go to `_posts`, pages to `category`.
    pub path: PathBuf,
    /// Front matter and footer.
    pub style: JekyllStyle,
    /// Slug → tag, where it is not the name and the suffix.
    pub tags: BTreeMap<String, String>,
}

/// JSON lines, when switched on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonLinesOptions {
    /// Its own directory; files are `<yyyy>/<mm>/<dd>.jsonl`, days in UTC.
    pub path: PathBuf,
}
