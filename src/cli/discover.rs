//! `discover`: finds the feeds of a newspaper from any of its addresses, and prints config to save.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;
use url::Url;

use super::preview::fetcher;
use super::show;
use crate::clock::{Clock, SystemClock};
use crate::discover::{self, Candidate};
use crate::fetch::Fetcher;
use crate::model::{Document, Fetched, Request, Response, Timestamp};
use crate::parse::encoding::decode;
use crate::parse::{Context, ParseError, parse_feed};
use crate::source::SitemapRule;
use crate::source::sitemap;

/// Items shown from each feed.
const SHOWN: usize = 3;

/// Arguments of `discover`.
#[derive(Debug, Args)]
pub(super) struct Discover {
    /// An address of the newspaper: its home page, an article, a feed
    url: Url,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Who asks: a page or an e-mail address
    #[arg(long, value_name = "CONTACT")]
    contact: Option<String>,
}

/// A feed that was found and parsed.
pub(super) struct Found {
    pub(super) candidate: Candidate,
    pub(super) document: Document,
    pub(super) kind: Option<&'static str>,
}

impl Discover {
    /// Finds feeds and prints their config.
    ///
    /// # Errors
    /// When the address itself cannot be fetched.
    pub(super) async fn run(self) -> Result<ExitCode> {
        let fetcher = fetcher(self.contact.as_deref())?;
        let found = search(&fetcher, &self.url).await?;
        if found.is_empty() {
            show::error_text(
                "no feed and no news sitemap found; the newspaper's pages can be read with kind `html`, see \
                 docs/add-a-newspaper.md\n",
            );
            return Ok(ExitCode::FAILURE);
        }
        self.print(&found)?;
        Ok(ExitCode::SUCCESS)
    }

    fn print(&self, found: &[Found]) -> Result<()> {
        if self.json {
            let all: Vec<_> = found
                .iter()
                .map(|f| {
                    let (id, config) = discover::config(&f.candidate.url, &f.document.title, f.kind);
                    json!({
                        "url": f.candidate.url.as_str(), "why": f.candidate.why, "format": f.document.format,
                        "title": f.document.title, "items": f.document.entries.len(), "id": id, "config": config,
                    })
                })
                .collect();
            return show::json(&json!(all));
        }
        for f in found {
            let (id, config) = discover::config(&f.candidate.url, &f.document.title, f.kind);
            let mut text = format!(
                "# {} ({}, {} items, {})\n# save as config/sources.d/{id}.toml\n{config}",
                f.document.title,
                f.document.format,
                f.document.entries.len(),
                f.candidate.why
            );
            for entry in f.document.entries.iter().take(SHOWN) {
                let date = entry.published.map(Timestamp::rfc3339).unwrap_or_default();
                let title = if entry.title.is_empty() {
                    entry.link.as_deref().unwrap_or_default()
                } else {
                    &entry.title
                };
                let _ = writeln!(text, "#   {date} {title}");
            }
            show::text(&format!("{}\n", show::plain(&text)))?;
        }
        Ok(())
    }
}

/// Returns the feeds of an address, or a sitemap if there are none.
///
/// # Errors
/// When the address itself cannot be fetched.
pub(super) async fn search(fetcher: &Fetcher, url: &Url) -> Result<Vec<Found>> {
    let page = get(fetcher, url, true).await?;
    match read(&page) {
        Ok(document) => {
            let candidate = Candidate { url: page.url, why: "the address itself" };
            return Ok(vec![Found { candidate, document, kind: None }]);
        }
        Err(error) => tracing::debug!(%error, "not a feed itself"),
    }
    let (html, _) = decode(&page.body, page.content_type.as_deref(), None);
    let mut found = feeds(fetcher, discover::named(&html, &page.url), usize::MAX).await;
    if found.is_empty() {
        found = feeds(fetcher, discover::well_known(&page.url), 1).await;
    }
    if found.is_empty() {
        found = sitemaps(fetcher, &page.url).await;
    }
    Ok(found)
}

/// Returns the first sitemap with news, for a newspaper without feeds.
async fn sitemaps(fetcher: &Fetcher, page: &Url) -> Vec<Found> {
    let robots = match page.join("/robots.txt") {
        Ok(url) => get(fetcher, &url, false).await.map(|f| String::from_utf8_lossy(&f.body).into_owned()),
        Err(_) => Ok(String::new()),
    };
    for candidate in discover::sitemaps(page, &robots.unwrap_or_default()) {
        let Ok(fetched) = get(fetcher, &candidate.url, true).await else { continue };
        let context = Context { base: Some(fetched.url.clone()), ..Context::default() };
        let rule = SitemapRule { only: None, max_sitemaps: 2 };
        if let Ok((document, more)) = sitemap::parse(&rule, &fetched.body, &context)
            && (!document.entries.is_empty() || !more.is_empty())
        {
            return vec![Found { candidate, document, kind: Some("sitemap") }];
        }
    }
    Vec::new()
}

/// Returns the candidates that are feeds, at most `most`.
async fn feeds(fetcher: &Fetcher, candidates: Vec<Candidate>, most: usize) -> Vec<Found> {
    let mut found = Vec::new();
    for candidate in candidates {
        if found.len() >= most {
            break;
        }
        match get(fetcher, &candidate.url, false).await.as_ref().map(read) {
            Ok(Ok(document)) => found.push(Found { candidate, document, kind: None }),
            Ok(Err(error)) => tracing::debug!(url = %candidate.url, %error, "no feed"),
            Err(error) => tracing::debug!(url = %candidate.url, %error, "not there"),
        }
    }
    found
}

fn read(fetched: &Fetched) -> Result<Document, ParseError> {
    let context = Context {
        base: Some(fetched.url.clone()),
        content_type: fetched.content_type.clone(),
        ..Context::default()
    };
    parse_feed(&fetched.body, &context)
}

async fn get(fetcher: &Fetcher, url: &Url, page: bool) -> Result<Fetched> {
    let request = Request { robots: page, ..Request::get(url.clone()) };
    match fetcher.get(&request, SystemClock.now()).await? {
        Response::Fetched(fetched) => Ok(fetched),
        Response::NotModified(_) => bail!("the server answered 304 to a request without validators"),
    }
}
