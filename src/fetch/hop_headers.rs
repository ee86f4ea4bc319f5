//! The headers of a request, of which not every hop gets all.

use reqwest::header::{COOKIE, HeaderMap};

use super::error::FetchError;
use super::headers;
use super::redirect::Trail;
use crate::model::http::{Request, address_hash};

/// The headers of a request, from which each hop gets some.
pub(super) struct HopHeaders {
    /// The source's own headers: only for its own origin, since they may contain keys.
    own: HeaderMap,
    /// The validators, and the hash of the address that they came from if that is on another site.
    conditions: HeaderMap,
    given_by: Option<u64>,
}

impl HopHeaders {
    /// Collects the headers of a request.
    ///
    /// # Errors
    /// If a header of the source is malformed, or reserved for the fetcher.
    pub(super) fn of(request: &Request) -> Result<Self, FetchError> {
        Ok(Self {
            own: headers::of_source(request)?,
            conditions: headers::conditions(&request.validators),
            given_by: request.validators_of,
        })
    }

    /// Sends no conditions from now on.
    pub(super) fn drop_conditions(&mut self) {
        self.conditions.clear();
    }

    /// Returns the headers of a hop, and whether it can be answered with 304.
    pub(super) fn at(&self, trail: &Trail) -> (HeaderMap, bool) {
        let mut headers = if trail.is_home() { self.own.clone() } else { HeaderMap::new() };
        if let Some(cookies) = trail.cookies() {
            headers.entry(COOKIE).or_insert(cookies);
        }
        let theirs = match self.given_by {
            Some(given_by) => address_hash(trail.url()) == given_by,
            None => trail.is_home(),
        };
        let conditional = !self.conditions.is_empty() && theirs;
        if conditional {
            headers.extend(self.conditions.clone());
        }
        (headers, conditional)
    }
}
