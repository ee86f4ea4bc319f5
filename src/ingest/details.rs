//! Details of stubs: fetched only when unknown or changed (RULES 1.11).

use futures_util::{StreamExt, stream};
use tracing::debug;

use super::identity::Listed;
use super::poller::Ingest;
use super::report::PollError;
use crate::model::{ContentHash, Request, Response, Timestamp, chain};
use crate::source::Source;

/// Details fetched at once; the fetcher spaces them per host.
const AT_ONCE: usize = 4;

/// A record whose detail was fetched.
#[derive(Debug, Clone)]
pub(super) struct Detailed {
    pub(super) listed: Listed,
    /// Validators of the detail; `None` when there was none to request.
    pub(super) hash: Option<ContentHash>,
}

/// Why a detail is missing.
struct Failed {
    reason: String,
    retry_after: Option<Timestamp>,
}

impl Ingest {
    /// Fetches the details of `wanted`, slowly at `first` contact. Failed records are returned with their
    /// reason. Where the upstream asks to wait, no more are fetched, and the last value is the time to wait
    /// for.
    pub(super) async fn details(
        &self,
        source: &Source,
        wanted: Vec<Listed>,
        first: bool,
    ) -> (Vec<Detailed>, Vec<String>, Option<Timestamp>) {
        let (mut good, mut failed, mut wait) = (Vec::new(), Vec::new(), None);
        let all = wanted.len();
        let mut answers =
            stream::iter(wanted).map(|listed| self.detail(source, listed, first)).buffered(AT_ONCE);
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(detailed) => good.push(detailed),
                Err(Failed { reason, retry_after }) => {
                    failed.push(reason);
                    wait = wait.max(retry_after);
                    if wait.is_some() {
                        break;
                    }
                }
            }
        }
        drop(answers);
        for _ in good.len() + failed.len()..all {
            failed.push("not asked for: the upstream wants a pause (Retry-After)".to_owned());
        }
        (good, failed, wait)
    }

    async fn detail(&self, source: &Source, mut listed: Listed, first: bool) -> Result<Detailed, Failed> {
        let name = listed.code.code().to_owned();
        if let Err(error) = self.add_detail(source, &mut listed, first).await {
            // A page that is gone for good must not hold back what the list itself gave.
            let enough = listed.entry.content.is_some() || listed.entry.summary.is_some();
            if error.is_transient() || source.article.is_none() || !enough {
                let retry_after = match &error {
                    PollError::Fetch(error) => error.retry_after(),
                    _ => None,
                };
                let reason = format!("{name}: its detail failed: {}", chain(&error));
                return Err(Failed { reason, retry_after });
            }
            debug!(source.id = %source.id, info_code = %listed.code, error = chain(&error), "without its page");
        }
        let missing = source.missing(&listed.entry);
        if !missing.is_empty() {
            let reason = format!("{name}: no {}", missing.join(", no "));
            return Err(Failed { reason, retry_after: None });
        }
        let content = listed.entry.content.as_deref().unwrap_or_default();
        let hash = ContentHash::of(&[("title", &listed.entry.title), ("content", content)]);
        Ok(Detailed { listed, hash: Some(hash) })
    }

    async fn add_detail(&self, source: &Source, listed: &mut Listed, first: bool) -> Result<(), PollError> {
        let Some(mut request) = source.detail(&listed.entry)? else { return Ok(()) };
        request.unhurried = first;
        let (body, content_type) = self.fetch_detail(&request).await?;
        Ok(source.take_detail(listed.entry_mut(), &body, content_type.as_deref())?)
    }

    async fn fetch_detail(&self, request: &Request) -> Result<(bytes::Bytes, Option<String>), PollError> {
        let now = self.clock.now();
        let answer = self.fetcher.get(request, now).await;
        match answer.map_err(|error| error.after(self.clock.now().since(now)))? {
            Response::Fetched(fetched) => Ok((fetched.body, fetched.content_type)),
            // Without validators a 304 has no meaning; an empty body is named by the parser.
            Response::NotModified(_) => Ok((bytes::Bytes::new(), None)),
        }
    }
}
