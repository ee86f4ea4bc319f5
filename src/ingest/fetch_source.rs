//! Fetches a source: its request, further parts of its list, and the parsing of the answer.
//!
//! Nothing is stored here; decisions about the records are in `document_ingest`.

use std::collections::VecDeque;

use tracing::debug;
use twox_hash::XxHash3_128;
use url::Url;

use super::poller::Ingest;
use super::report::PollError;
use super::{answers, redirects};
use crate::blocking;
use crate::model::http::{BodyPermit, Unchanged};
use crate::model::memory::Memory;
use crate::model::{
    Document, Fetched, NotModified, Response, SourceState, Timestamp, Validators, address_hash,
};
use crate::source::{Source, SourceError};
use crate::store::StoreError;

/// An answer that was read and is not ingested yet.
#[derive(Debug)]
pub struct Answer {
    pub(super) state: SourceState,
    pub(super) outcome: Result<FetchOutcome, PollError>,
}

#[derive(Debug)]
pub(super) enum FetchOutcome {
    NotModified(NotModified),
    Document(Box<FetchedDocument>),
}

#[derive(Debug)]
pub(super) struct FetchedDocument {
    pub(super) document: Document,
    /// Hash of the body, where that is the whole list.
    pub(super) body: Option<[u8; 16]>,
    pub(super) validators: Validators,
    /// Hash of the address that answered, where that is on another site.
    pub(super) answered_at: Option<u64>,
    pub(super) moved: Option<Url>,
    pub(super) fresh_until: Option<Timestamp>,
    pub(super) bytes: usize,
    /// The permit for the body's memory, held until the document is ingested.
    pub(super) permit: BodyPermit,
}

impl Answer {
    /// Returns an answer made from a given document, without a fetch.
    #[must_use]
    pub fn of_document(state: SourceState, document: Document) -> Self {
        let fetched = FetchedDocument {
            document,
            body: None,
            validators: Validators::default(),
            answered_at: None,
            moved: None,
            fresh_until: None,
            bytes: 0,
            permit: BodyPermit::default(),
        };
        Self { state, outcome: Ok(FetchOutcome::Document(Box::new(fetched))) }
    }

    /// Returns whether there is nothing to ingest: the poll failed, or nothing has changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match &self.outcome {
            Ok(FetchOutcome::NotModified(_)) => self.state.memory.missing.is_empty(),
            Ok(FetchOutcome::Document(_)) => false,
            Err(_) => true,
        }
    }

    /// Releases the permit for the body's memory early, for callers that limit the number of their answers.
    pub fn release_memory(&mut self) {
        if let Ok(FetchOutcome::Document(taken)) = &mut self.outcome {
            taken.permit = BodyPermit::default();
        }
    }
}

impl Ingest {
    /// Returns the state of a source.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn state(&self, source: &Source) -> Result<SourceState, StoreError> {
        let id = source.id.clone();
        self.call(move |store| store.source(&id)).await
    }

    /// Sends the request of a source in this state and reads the answer; nothing is stored yet. For an answer
    /// that is to be ingested, the state must be that of a claim.
    pub async fn fetch_source(&self, source: &Source, mut state: SourceState) -> Answer {
        let address = address_hash(&source.url);
        if state.memory.address != address {
            // Memory of another address does not apply to this one.
            let habits = std::mem::take(&mut state.memory.habits);
            let known = state.memory.address != 0;
            state.memory = Memory { address, habits, ..Memory::default() };
            if known {
                state.validators = Validators::default();
            }
        }
        let outcome = self.fetch(source, &state).await;
        Answer { state, outcome }
    }

    async fn fetch(&self, source: &Source, state: &SourceState) -> Result<FetchOutcome, PollError> {
        let now = self.clock.now();
        let again = state.next_check.is_some_and(|at| at <= now) || state.memory.is_silent(now);
        let validators = if again { Validators::default() } else { state.validators.clone() };
        let mut request = source.request(validators);
        request.validators_of = state.memory.validators_of;
        if let Some(elsewhere) = redirects::remembered_address(state) {
            request.url = elsewhere;
        }
        let asked = request.url.origin();
        let answer = self.fetcher.get(&request, now).await;
        match answer.map_err(|error| error.after(self.clock.now().since(now)))? {
            Response::NotModified(unmodified) => Ok(FetchOutcome::NotModified(unmodified)),
            Response::Fetched(mut fetched) => {
                let mut bytes = fetched.body.len();
                let fresh_until = fetched.freshness.until;
                let validators = std::mem::take(&mut fetched.validators);
                let moved = fetched.moved.take();
                let body = (source.parts() == 1).then(|| body_hash(&fetched.body));
                if body.is_some() && body == state.memory.body && !again {
                    // The last resort for servers without validators: compare the bytes.
                    let freshness = fetched.freshness;
                    let by = Unchanged::SameBytes;
                    return Ok(FetchOutcome::NotModified(NotModified { by, freshness, validators, moved }));
                }
                let elsewhere = fetched.url.origin() != asked;
                let answered_at = elsewhere.then(|| address_hash(&fetched.url));
                let permit = std::mem::take(&mut fetched.permit);
                let (mut document, more) = self.parse(source, fetched, true).await?;
                bytes += self.fetch_more(source, &mut document, more).await?;
                Ok(FetchOutcome::Document(Box::new(FetchedDocument {
                    document,
                    body,
                    validators,
                    answered_at,
                    moved,
                    fresh_until,
                    bytes,
                    permit,
                })))
            }
        }
    }

    /// Fetches the further parts of a list in turn, and returns their number of bytes.
    async fn fetch_more(
        &self,
        source: &Source,
        document: &mut Document,
        more: Vec<Url>,
    ) -> Result<usize, PollError> {
        let mut bytes = 0;
        let mut asked = vec![source.url.clone()];
        let mut waiting = VecDeque::from(more);
        while let Some(url) = waiting.pop_front() {
            if asked.len() >= source.parts() || asked.contains(&url) {
                continue;
            }
            asked.push(url.clone());
            if let Response::Fetched(part) = self.fetcher.get(&source.more(url), self.clock.now()).await? {
                bytes += part.body.len();
                let (further, next) = self.parse(source, part, false).await?;
                document.entries.extend(further.entries);
                document.cut.extend(further.cut);
                waiting.extend(next);
            }
        }
        Ok(bytes)
    }

    /// Parses a document on a blocking thread, because a large one must not delay other polls.
    pub(super) async fn parse(
        &self,
        source: &Source,
        fetched: Fetched,
        first: bool,
    ) -> Result<(Document, Vec<Url>), PollError> {
        let _turn = self.reading.acquire().await;
        let source = source.clone();
        let answers = self.options.answers.clone().filter(|_| first);
        let at = self.clock.now();
        let read = move || {
            let Fetched { body, content_type, url, .. } = fetched;
            let read = source.parse(&body, content_type.as_deref(), &url, first)?;
            if let Some(answers) = answers {
                let head = answers::Head { url, content_type, at };
                if let Err(error) = answers.keep(&source.id, &head, &body) {
                    debug!(source.id = %source.id, %error, "its last answer is not kept");
                }
            }
            Ok::<_, SourceError>(read)
        };
        match blocking::run(read).await {
            Ok(read) => Ok(read?),
            Err(error) if error.is_panic() => Err(PollError::Broke),
            Err(error) => Err(StoreError::task(error).into()),
        }
    }
}

/// Returns a hash that tells bodies apart. A source that makes a collision only hides its own change.
fn body_hash(body: &[u8]) -> [u8; 16] {
    XxHash3_128::oneshot(body).to_be_bytes()
}
