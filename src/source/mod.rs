//! Sources: what to ask an upstream for, and how to read its answer. Pure, no IO.
//!
//! Owns: the kinds of sources, each a config struct, its requests and its parser. Does not
//! own: fetching (`fetch`), identity and decisions (`ingest`).
//!
//! Adding a kind: copy `sitemap.rs` to `<kind>.rs` (a config struct, a pure `parse`), add the
//! variant to [`Kind`]; the compiler lists the rest; read its settings in `config::kinds`, show
//! them in `config/feedmill.toml` and `docs/configuration.md`, test it in `tests/pages.rs`.

pub mod article;
pub mod code;
mod error;
pub mod html;
pub mod json;
mod required;
pub mod sitemap;

use std::sync::Arc;

use chrono_tz::Tz;
use url::Url;

pub use crate::model::CategoryChoice;
use crate::model::{CodeSpace, Document, Entry, Pattern, Request, SourceId, Timestamp, Validators};
use crate::parse::clean::Cleaner;
use crate::parse::wall::{Wall, wall};
use crate::parse::{Context, parse_feed};
use crate::schedule::Pace;

pub use article::ArticleRule;
pub use code::CodeRule;
pub use error::SourceError;
pub use html::HtmlRule;
pub use json::{DetailRule, JsonRule};
pub use required::Required;
pub use sitemap::SitemapRule;

/// A configured upstream, ready to be polled.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// Immutable id.
    pub id: SourceId,
    /// Name for people.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// Address of its feed or list.
    pub url: Url,
    /// Extra request headers (name, value).
    pub headers: Vec<(String, String)>,
    /// Home category of its items.
    pub category: CategoryChoice,
    /// Further categories of its items.
    pub also: Vec<CategoryChoice>,
    /// Whether items are routed by the newspaper that each record names (RULES 5.4).
    pub route_by_media: bool,
    /// Its code space.
    pub code_space: CodeSpace,
    /// How its own codes are read; without it, codes are derived.
    pub code: Option<CodeRule>,
    /// Rank among sources that list the same item; the lower outranks the higher.
    pub rank: u32,
    /// Time zone of dates that name none.
    pub zone: Tz,
    /// Encoding, where the answer declares a wrong one.
    pub encoding: Option<&'static encoding_rs::Encoding>,
    /// Required fields; records without them are held back.
    pub require: Vec<Required>,
    /// Rules for cleaning its HTML.
    pub cleaner: Arc<Cleaner>,
    /// Text that is stripped from titles and summaries as well.
    pub strip: Vec<String>,
    /// Pattern of the part of a summary that is used: group 1, or the whole match.
    pub digest: Option<Pattern>,
    /// How each article's own page is read for its text; `None` where the list gives it.
    pub article: Option<Arc<ArticleRule>>,
    /// Whether robots.txt is checked before pages are fetched.
    pub robots: bool,
    /// Template of the link for readers, with `{code}` and `{info_code}`.
    pub link: Option<String>,
    /// How often it is polled.
    pub pace: Pace,
    /// HTTP proxy for its requests.
    pub proxy: Option<Arc<Url>>,
    /// Whether it is polled.
    pub enabled: bool,
}

/// The kinds of sources.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// RSS, RDF, Atom or JSON Feed, detected from the document.
    Feed,
    /// Any JSON API.
    Json(Box<JsonRule>),
    /// Web pages.
    Html(Box<HtmlRule>),
    /// A sitemap, or an index of sitemaps.
    Sitemap(SitemapRule),
}

/// How the detail of an entry is requested and read.
#[derive(Debug, Clone, Copy)]
enum Detail<'a> {
    Json(&'a DetailRule),
    Page(&'a ArticleRule),
}

impl Source {
    /// Returns the request of a poll.
    #[must_use]
    pub fn request(&self, validators: Validators) -> Request {
        self.ask(self.url.clone(), validators, matches!(self.kind, Kind::Html(_) | Kind::Sitemap(_)))
    }

    /// Returns a request that checks whether an article's own page still exists.
    #[must_use]
    pub fn look(&self, url: Url) -> Request {
        self.ask(url, Validators::default(), true)
    }

    /// Returns a request for the document before the window, at an address derived from the feed.
    #[must_use]
    pub fn before_window(&self, url: Url) -> Request {
        self.ask(url, Validators::default(), false)
    }

    /// Returns a request for a further part of a list, named by [`Source::parse`].
    #[must_use]
    pub fn more(&self, url: Url) -> Request {
        self.ask(url, Validators::default(), true)
    }

    fn ask(&self, url: Url, validators: Validators, page: bool) -> Request {
        Request {
            headers: self.headers.clone(),
            validators,
            robots: page && self.robots,
            proxy: self.proxy.clone(),
            ..Request::get(url)
        }
    }

    /// Parses an answer, and returns the document with the addresses of further parts of the list. `first` is
    /// false for such a part.
    ///
    /// # Errors
    /// [`SourceError`] when the answer is not what the source's kind expects.
    pub fn parse(
        &self,
        bytes: &[u8],
        content_type: Option<&str>,
        base: &Url,
        first: bool,
    ) -> Result<(Document, Vec<Url>), SourceError> {
        let context = self.context(content_type, Some(base));
        let (mut document, more) = match self.read(bytes, &context, first) {
            Ok(read) => read,
            // A challenge page or login form is a better reason than that the page is no feed.
            Err(error) => {
                return Err(match wall(bytes) {
                    Some(Wall::Challenge) => SourceError::Challenge,
                    Some(Wall::Login) => SourceError::Login,
                    None => error,
                });
            }
        };
        if document.beyond_cap > 0 {
            let (cap, all) = (context.max_entries, context.max_entries + document.beyond_cap);
            document.cut.push(format!("of {all} items the first {cap} are read"));
        }
        document.share_language();
        for entry in &mut document.entries {
            self.tidy(entry);
        }
        Ok((document, more))
    }

    fn read(
        &self,
        bytes: &[u8],
        context: &Context,
        first: bool,
    ) -> Result<(Document, Vec<Url>), SourceError> {
        let ((mut document, more), dates) =
            context.dated(|context| self.read_as_kind(bytes, context, first))?;
        document.repairs.extend(dates.repairs(bytes));
        Ok((document, more))
    }

    fn read_as_kind(
        &self,
        bytes: &[u8],
        context: &Context,
        first: bool,
    ) -> Result<(Document, Vec<Url>), SourceError> {
        Ok(match &self.kind {
            Kind::Feed => (parse_feed(bytes, context)?, Vec::new()),
            Kind::Json(rule) => (json::parse(rule, bytes, context)?, Vec::new()),
            Kind::Html(rule) => {
                let (document, next) = html::parse(rule, bytes, context, first)?;
                (document, next.into_iter().collect())
            }
            Kind::Sitemap(rule) => sitemap::parse(rule, bytes, context)?,
        })
    }

    /// Returns how many parts of a list are requested in one poll, including the first.
    #[must_use]
    pub fn parts(&self) -> usize {
        match &self.kind {
            Kind::Feed | Kind::Json(_) => 1,
            Kind::Html(rule) => rule.max_pages.max(1),
            Kind::Sitemap(rule) => rule.max_sitemaps + 1,
        }
    }

    fn context(&self, content_type: Option<&str>, base: Option<&Url>) -> Context {
        Context {
            base: base.cloned(),
            content_type: content_type.map(str::to_owned),
            encoding: self.encoding,
            zone: self.zone,
            ..Context::default()
        }
    }

    fn detail_rule(&self) -> Option<Detail<'_>> {
        match (&self.kind, &self.article) {
            (Kind::Json(rule), _) if rule.detail.is_some() => rule.detail.as_ref().map(Detail::Json),
            (_, Some(rule)) => Some(Detail::Page(rule)),
            _ => None,
        }
    }

    /// Returns whether the list gives stubs, whose details are to be requested.
    #[must_use]
    pub fn has_details(&self) -> bool {
        self.detail_rule().is_some()
    }

    /// Returns the request for the detail of a listed entry, if this source lists stubs.
    ///
    /// # Errors
    /// [`SourceError::BadUrl`] when the template, or the entry's link, is not an address.
    pub fn detail(&self, entry: &Entry) -> Result<Option<Request>, SourceError> {
        let (url, page) = match self.detail_rule() {
            None => return Ok(None),
            Some(Detail::Json(rule)) => {
                let code = entry.code.as_deref().or(entry.guid.as_deref()).unwrap_or_default();
                (code::fill(&rule.url, code, &self.canonical_code(code), code::percent), false)
            }
            Some(Detail::Page(_)) => (entry.link.clone().unwrap_or_default(), true),
        };
        match Url::parse(&url) {
            Ok(url) => Ok(Some(self.ask(url, Validators::default(), page))),
            Err(_) => Err(SourceError::BadUrl { url }),
        }
    }

    /// Adds what a detail gives to its entry.
    ///
    /// # Errors
    /// [`SourceError`] when the detail does not match the config.
    pub fn take_detail(
        &self,
        entry: &mut Entry,
        bytes: &[u8],
        content_type: Option<&str>,
    ) -> Result<(), SourceError> {
        let context = self.context(content_type, None);
        match self.detail_rule() {
            None => {}
            Some(Detail::Json(rule)) => json::take_detail(rule, entry, bytes, &context)?,
            Some(Detail::Page(rule)) => article::take(rule, entry, bytes, &context)?,
        }
        believable(entry);
        Ok(())
    }

    /// Returns the names of the required fields that `entry` lacks.
    #[must_use]
    pub fn missing(&self, entry: &Entry) -> Vec<&'static str> {
        self.require.iter().filter(|field| field.missing_in(entry)).map(|field| field.name()).collect()
    }

    /// Returns the canonical form of a code as this source lists it.
    #[must_use]
    pub fn canonical_code(&self, listed: &str) -> String {
        self.code.as_ref().and_then(|rule| rule.canonical(listed)).unwrap_or_else(|| listed.to_owned())
    }

    /// Applies the settings for single fields.
    fn tidy(&self, entry: &mut Entry) {
        believable(entry);
        for unwanted in &self.strip {
            let title = entry.title.replace(unwanted.as_str(), "");
            title.trim().clone_into(&mut entry.title);
            if let Some(summary) = &mut entry.summary {
                *summary = summary.replace(unwanted.as_str(), "");
            }
        }
        if let (Some(rule), Some(summary)) = (&self.digest, &mut entry.summary)
            && let Some(found) = rule.captures(summary)
            && let Some(taken) = found.get(1).or_else(|| found.get(0))
        {
            let taken = taken.as_str().trim().to_owned();
            *summary = taken;
        }
        if entry.summary.as_ref().is_some_and(|s| s.trim().is_empty()) {
            entry.summary = None;
        }
        if let Some(template) = &self.link
            && let Some(code) = entry.code.as_deref().or(entry.guid.as_deref())
        {
            let link = code::fill(template, code, &self.canonical_code(code), code::percent);
            entry.link = crate::parse::link::absolute(&link, None).or_else(|| entry.link.take());
        }
    }
}

/// Removes dates at or before the epoch: they are zeros of a program, not dates of an article.
fn believable(entry: &mut Entry) {
    for date in [&mut entry.published, &mut entry.updated] {
        *date = date.filter(|at| *at > Timestamp::EPOCH);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_is_no_date() {
        for (date, kept) in [(-1, false), (0, false), (1_640_066_107, true)] {
            let mut entry = Entry { published: Timestamp::stated(date), ..Entry::default() };
            believable(&mut entry);
            assert_eq!(entry.published.is_some(), kept, "{date}");
        }
    }
}
