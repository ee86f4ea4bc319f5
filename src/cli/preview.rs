//! `preview`: what feedmill reads in a document (RULES 8).

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use url::Url;

use super::show;
use crate::clock::{Clock, SystemClock};
use crate::fetch::{FetchOptions, Fetcher};
use crate::model::{Document, Request, Response};
use crate::parse::clean::Cleaner;
use crate::parse::text::html_to_text;
use crate::parse::{Context, parse_feed};

/// Bytes of a document that are read at most.
const MAX: u64 = 64 << 20;

/// Arguments of `preview`.
#[derive(Debug, Args)]
pub(super) struct Preview {
    /// A file, `-` for standard input, or an http(s) address
    from: String,
    /// Print what the parser made of it, as JSON: not cleaned, nothing held back
    #[arg(long)]
    json: bool,
    /// Titles in the JSON: as the source sent them, with its markup, or the plain text that is published
    #[arg(long, value_enum, value_name = "FORM", default_value = "sent")]
    titles: Titles,
    /// Base of relative addresses
    #[arg(long, value_name = "URL")]
    base: Option<Url>,
    /// The Content-Type that a server would send
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// Zone of dates that name none
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    timezone: chrono_tz::Tz,
    /// Who asks, for an address: a page or an e-mail address
    #[arg(long, value_name = "CONTACT")]
    contact: Option<String>,
}

/// The form of titles in the JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Titles {
    /// HTML as sent, decoded once and not cleaned, as texts are
    Sent,
    /// Plain text, as it is published
    Plain,
}

impl Preview {
    /// Prints the document.
    ///
    /// # Errors
    /// When it cannot be read or is not a feed.
    pub(super) async fn run(self) -> Result<ExitCode> {
        let mut reading = Context {
            base: self.base.clone(),
            content_type: self.content_type.clone(),
            zone: self.timezone,
            ..Context::default()
        };
        let bytes = self.bytes(&mut reading).await?;
        let mut document = parse_feed(&bytes, &reading)?;
        if self.json {
            if self.titles == Titles::Sent {
                as_sent(&mut document);
            }
            show::json(&serde_json::to_value(&document)?)?;
        } else {
            show::text(&show::plain(&shown(&document, &reading)))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn bytes(&self, reading: &mut Context) -> Result<Vec<u8>> {
        if let Ok(url) = Url::parse(&self.from)
            && matches!(url.scheme(), "http" | "https")
        {
            return self.fetch(url, reading).await;
        }
        let mut bytes = Vec::new();
        if self.from == "-" {
            std::io::stdin().lock().take(MAX).read_to_end(&mut bytes)?;
            return Ok(bytes);
        }
        let path = Path::new(&self.from);
        let file = std::fs::File::open(path).with_context(|| format!("cannot open `{}`", self.from))?;
        file.take(MAX).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    async fn fetch(&self, url: Url, reading: &mut Context) -> Result<Vec<u8>> {
        let fetcher = fetcher(self.contact.as_deref())?;
        match fetcher.get(&Request::get(url), SystemClock.now()).await? {
            Response::Fetched(fetched) => {
                reading.base.get_or_insert(fetched.url);
                reading.content_type = reading.content_type.take().or(fetched.content_type);
                Ok(fetched.body.to_vec())
            }
            Response::NotModified(_) => bail!("the server answered 304 to a request without validators"),
        }
    }
}

/// Replaces plain titles by those with markup, as the source sent them.
fn as_sent(document: &mut Document) {
    for entry in &mut document.entries {
        entry.title = entry.title_markup.take().unwrap_or_else(|| std::mem::take(&mut entry.title));
    }
    document.title = document.title_markup.take().unwrap_or_else(|| std::mem::take(&mut document.title));
}

/// Returns a fetcher for addresses that an admin types: those of this machine are allowed, too.
pub(super) fn fetcher(contact: Option<&str>) -> Result<Fetcher> {
    let contact = contact.map(|c| format!(" (+{c})")).unwrap_or_default();
    Ok(Fetcher::new(FetchOptions {
        user_agent: format!("feedmill/{}{contact}", env!("CARGO_PKG_VERSION")),
        allow: vec!["127.0.0.0/8".parse()?, "::1/128".parse()?],
        ..FetchOptions::default()
    })?)
}

/// Returns the cleaned items as text.
fn shown(document: &Document, reading: &Context) -> String {
    let cleaner = Cleaner::default();
    let mut lines = vec![
        format!("{} ({}, {})", document.title, document.format, document.encoding),
        format!("{} items", document.entries.len()),
    ];
    lines.extend(document.repairs.iter().map(|repair| format!("repaired, {repair}")));
    for entry in &document.entries {
        let html = entry.content.as_deref().or(entry.summary.as_deref()).unwrap_or_default();
        let cleaned = cleaner.clean(html, reading.base.as_ref());
        lines.push(String::new());
        lines.push(format!("## {}", entry.title));
        lines.extend(entry.link.clone());
        lines.extend(entry.published.map(crate::model::Timestamp::rfc3339));
        lines.extend(
            entry.summary.as_deref().map(html_to_text).filter(|s| !s.is_empty()).map(|s| format!("> {s}")),
        );
        lines.push(cleaned.html);
    }
    lines.push(String::new());
    lines.join("\n")
}
