//! Sources: what to ask an upstream for, and what its answer means. Pure, no IO.
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
    /// What it speaks.
    pub kind: Kind,
    /// What to ask for.
    pub url: Url,
    /// Extra request headers (name, value).
    pub headers: Vec<(String, String)>,
    /// Where its items go.
    pub category: CategoryChoice,
    /// Where they go as well.
    pub also: Vec<CategoryChoice>,
    /// Goes by the newspaper that each record names (RULES 5.4).
    pub route_by_media: bool,
    /// Its code space.
    pub code_space: CodeSpace,
    /// How its own codes are read; without it they are derived.
    pub code: Option<CodeRule>,
    /// Lower outranks higher where several sources list one item.
    pub rank: u32,
    /// Zone of dates without one.
    pub zone: Tz,
    /// Encoding, where the answer's own claims are wrong.
    pub encoding: Option<&'static encoding_rs::Encoding>,
    /// Records without these are held back.
    pub require: Vec<Required>,
    /// Rules of its HTML.
    pub cleaner: Arc<Cleaner>,
    /// Text that is stripped from titles and digests as well.
    pub strip: Vec<String>,
    /// What to take from a digest; group 1, or the whole match.
    pub digest: Option<Pattern>,
    /// How each article's own page is read for its text; `None` where the list gives it.
    pub article: Option<Arc<ArticleRule>>,
    /// Whether robots.txt is asked before pages are.
    pub robots: bool,
    /// The reader-facing link, a template with `{code}` and `{info_code}`.
    pub link: Option<String>,
    /// How often it is polled.
    pub pace: Pace,
    /// Asked through this HTTP proxy.
    pub proxy: Option<Arc<Url>>,
    /// Not polled while off.
    pub enabled: bool,
}

/// What a source speaks.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// RSS, RDF, Atom or JSON Feed, told apart by the document.
    Feed,
    /// Any JSON API.
    Json(Box<JsonRule>),
    /// Web pages.
    Html(Box<HtmlRule>),
    /// A sitemap, or an index of sitemaps.
    Sitemap(SitemapRule),
}

/// How the detail of an entry is asked for and read.
#[derive(Debug, Clone, Copy)]
enum Detail<'a> {
    Json(&'a DetailRule),
    Page(&'a ArticleRule),
}

impl Source {
    /// The request of a poll.
    #[must_use]
    pub fn request(&self, validators: Validators) -> Request {
        self.ask(self.url.clone(), validators, matches!(self.kind, Kind::Html(_) | Kind::Sitemap(_)))
    }

    /// A look at whether an article's own page is still there.
    #[must_use]
    pub fn look(&self, url: Url) -> Request {
        self.ask(url, Validators::default(), true)
    }

    /// A request for the document before the window, as the feed or its kind of program names it.
    #[must_use]
    pub fn before_window(&self, url: Url) -> Request {
        self.ask(url, Validators::default(), false)
    }

    /// A request for one more part of a list that [`Source::parse`] named.
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

    /// What an answer means, and which further parts of the list to ask for. `first` is false
    /// for such a part.
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
            // What stands in front of a site says more than that its page is no feed.
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

    /// How many parts of a list are asked for in one poll, the first counted.
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

    /// Whether the list gives stubs, whose details are to be asked for.
    #[must_use]
    pub fn has_details(&self) -> bool {
        self.detail_rule().is_some()
    }

    /// Where the detail of a listed entry is, if this source lists stubs.
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

    /// Puts what a detail says into its entry.
    ///
    /// # Errors
    /// [`SourceError`] when the detail is not what the config says.
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

    /// Names of the required fields that `entry` lacks.
    #[must_use]
    pub fn missing(&self, entry: &Entry) -> Vec<&'static str> {
        self.require.iter().filter(|field| field.missing_in(entry)).map(|field| field.name()).collect()
    }

    /// The canonical form of a code as this source lists it.
    #[must_use]
    pub fn canonical_code(&self, listed: &str) -> String {
        self.code.as_ref().and_then(|rule| rule.canonical(listed)).unwrap_or_else(|| listed.to_owned())
    }

    /// Applies what the config says about single fields.
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

/// No article of a feed is older than the clocks that date it: such a date is a program's zero.
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
