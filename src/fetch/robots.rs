//! robots.txt (RFC 9309): respected for pages, sitemaps and full text; feeds and APIs are made for machines
//! and exempt (RULES 6.6).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use robotxt::AccessResult;
use url::Url;

use super::error::FetchError;
use super::transport::{Allowance, Transport};
use crate::model::{Request, Response, Timestamp};

/// The name of this program in robots.txt files.
const TOKEN: &str = "feedmill";
/// How long a file is believed, in seconds (RFC 9309, 2.4).
const KEPT: i64 = 24 * 3_600;
/// How long a site with an unreadable file is not asked, in seconds.
const KEPT_UNREACHABLE: i64 = 3_600;
/// The same of a site that did not answer at all.
const KEPT_UNANSWERED: i64 = 600;
/// Sites remembered; beyond this all are forgotten.
const MAX_SITES: usize = 4_096;

/// A site's rules, and until when they are believed.
#[derive(Clone)]
struct Believed {
    until: Timestamp,
    rules: Result<Arc<robotxt::Robots>, Arc<FetchError>>,
}

/// The rules of the sites asked so far.
#[derive(Default)]
pub(super) struct Robots {
    known: Mutex<HashMap<String, Believed>>,
    /// A lock for each site that is being asked: others that need its rules wait for the answer.
    asking: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl std::fmt::Debug for Robots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Robots")
    }
}

impl Allowance for Robots {
    async fn check(&self, transport: &Transport, url: &Url, now: Timestamp) -> Result<(), FetchError> {
        let Ok(address) = url.join("/robots.txt") else { return Ok(()) };
        let host = || url.host_str().unwrap_or_default().to_owned();
        let site = address.origin().ascii_serialization();
        let believed = match self.known(&site, now) {
            Some(believed) => believed,
            None => self.ask_once(transport, site, address, now).await?,
        };
        match believed.rules {
            Err(why) => Err(FetchError::RobotsUnread { host: host(), why }),
            Ok(rules) if rules.is_url_allowed(url) => Ok(()),
            Ok(_) => Err(FetchError::Robots { host: host() }),
        }
    }
}

impl Robots {
    fn known(&self, site: &str, now: Timestamp) -> Option<Believed> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(site).filter(|rules| rules.until > now).cloned()
    }

    /// Fetches a site's rules, once for all that need them at the same time.
    async fn ask_once(
        &self,
        transport: &Transport,
        site: String,
        address: Url,
        now: Timestamp,
    ) -> Result<Believed, FetchError> {
        let host_lock = {
            let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(asking.entry(site.clone()).or_default())
        };
        let host_lock = host_lock.lock().await;
        if let Some(rules) = self.known(&site, now) {
            return Ok(rules);
        }
        let rules = ask(transport, address, now).await?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_SITES {
            known.clear();
        }
        known.insert(site.clone(), rules.clone());
        self.asking.lock().unwrap_or_else(PoisonError::into_inner).remove(&site);
        drop(host_lock);
        Ok(rules)
    }
}

/// Fetches a robots.txt: a missing one allows everything, an unreadable one nothing (RFC 9309, 2.3.1.3 and
/// 2.3.1.4).
async fn ask(transport: &Transport, address: Url, now: Timestamp) -> Result<Believed, FetchError> {
    let (access, kept) = match Box::pin(transport.get(&Request::get(address), &(), now)).await {
        Ok(Response::Fetched(fetched)) => (Ok(rules(AccessResult::Successful(&fetched.body))), KEPT),
        Err(FetchError::Status { status: 400..=499, .. }) => (Ok(rules(AccessResult::Unavailable)), KEPT),
        Ok(Response::NotModified(_)) => (Ok(rules(AccessResult::Unreachable)), KEPT_UNREACHABLE),
        Err(rests @ FetchError::Rests { .. }) => return Err(rests),
        Err(error) if error.status().is_some() => (Err(Arc::new(error)), KEPT_UNREACHABLE),
        Err(error) => (Err(Arc::new(error)), KEPT_UNANSWERED),
    };
    Ok(Believed { until: now.plus(kept), rules: access })
}

fn rules(access: AccessResult<'_>) -> Arc<robotxt::Robots> {
    Arc::new(robotxt::Robots::from_access(access, TOKEN))
}
