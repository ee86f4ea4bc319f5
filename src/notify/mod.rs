//! After a publish: webhooks. Each gets, per category, what is new, changed or withdrawn.
//!
//! Owns: what is told, its signature, delivery and how far each hook was told. Does not own:
//! publishing; a hook that fails is warned of and tried again, and undoes nothing. How far a hook
//! was told is kept in the store, so that a restart loses nothing and repeats little.

mod message;
mod webhook;

use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Client;
use sha2::{Digest, Sha256};
use thiserror::Error;
use tracing::{info, warn};

use crate::model::{Cursor, chain};
use crate::publish::Pages;
use crate::store::{Handle, RecordKind, Store, StoreError};

pub use message::{Change, Message, TellItem, messages};
pub use webhook::Webhook;

/// A whole request.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Changes that are told at once; the rest follows.
const STEP: usize = 200;
/// The first pause after a failure; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// Header with `sha256=` and the HMAC of the body, in hexadecimal digits.
pub const SIGNATURE: &str = "x-feedmill-signature";

/// Why a hook could not be told.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NotifyError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No answer, or no connection.
    #[error("the webhook `{url}` cannot be reached")]
    Send {
        /// Where.
        url: String,
        /// What went wrong.
        #[source]
        source: reqwest::Error,
    },
    /// Another answer than success.
    #[error("the webhook `{url}` answered {status}")]
    Status {
        /// Where.
        url: String,
        /// The answer.
        status: u16,
    },
}

impl NotifyError {
    /// A stable word for metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Store(error) => error.kind(),
            Self::Send { .. } => "send",
            Self::Status { .. } => "status",
        }
    }

    /// Whether another try may end well by itself.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Store(error) => error.is_transient(),
            Self::Send { .. } | Self::Status { .. } => true,
        }
    }
}

/// Tells webhooks.
#[derive(Debug)]
pub struct Notifier {
    hooks: Vec<Webhook>,
    /// None where there is nobody to tell: the system's certificates take long to read.
    client: Option<Client>,
}

impl Notifier {
    /// For these hooks.
    ///
    /// # Errors
    /// When no HTTP client can be built.
    pub fn new(hooks: Vec<Webhook>) -> Result<Self, reqwest::Error> {
        let client = if hooks.is_empty() { None } else { Some(client()?) };
        Ok(Self { hooks, client })
    }

    /// Whether there is anybody to tell.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.hooks.is_empty()
    }

    /// Tells every hook what was published and it was not told yet. A hook seen for the first time
    /// begins here: it is not told of all that was ever published. Gives whether all were told.
    ///
    /// # Errors
    /// Those of the store; what hooks answer is logged.
    pub async fn tell(&self, store: &Handle, pages: &Arc<Pages>) -> Result<bool, StoreError> {
        let Some(client) = &self.client else { return Ok(true) };
        let mut all = true;
        for hook in &self.hooks {
            match tell_one(client, hook, store, pages).await {
                Ok(()) => {}
                Err(NotifyError::Store(error)) => return Err(error),
                Err(error) => {
                    warn!(
                        error = chain(&error),
                        kind = error.kind(),
                        "a webhook was not told; it will be tried again"
                    );
                    all = false;
                }
            }
        }
        Ok(all)
    }
}

/// # Errors
/// If the system offers no CA certificates.
fn client() -> Result<Client, reqwest::Error> {
    // The first room that needs one installs it; a second time is no fault.
    rustls::crypto::ring::default_provider().install_default().ok();
    Client::builder()
        .timeout(TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .user_agent(concat!("feedmill/", env!("CARGO_PKG_VERSION")))
        .build()
}

async fn tell_one(
    client: &Client,
    hook: &Webhook,
    store: &Handle,
    pages: &Arc<Pages>,
) -> Result<(), NotifyError> {
    let name = bookmark(hook);
    loop {
        let (name, hook_for, pages) = (name.clone(), hook.clone(), Arc::clone(pages));
        let found = store.call(move |store| {
            let upto = store.published()?;
            let Some(from) = told_up_to(store, &name)? else {
                note(store, name, &upto)?;
                return Ok(None);
            };
            // What was published may be less than what was, where an older store is back.
            if !upto.is_beyond(&from) {
                return Ok(None);
            }
            messages(store, &pages, &hook_for, (&from, &upto), STEP).map(Some)
        });
        let Some((told, end)) = found.await? else { return Ok(()) };
        let count = told.len();
        for message in told {
            send(client, hook, &message).await?;
        }
        let name = bookmark(hook);
        store
            .call(move |store| {
                note(store, name, &end)?;
                store.sync()
            })
            .await?;
        info!(url = %hook.url, messages = count, "webhook told");
    }
}

/// The key of what is noted of a webhook; its address may be long, and have a password in it.
fn bookmark(hook: &Webhook) -> Vec<u8> {
    let name = Sha256::digest(format!("webhook.{}", hook.url));
    HEXLOWER.encode(&name[..16]).into_bytes()
}

/// How far a webhook was told.
fn told_up_to(store: &dyn Store, name: &[u8]) -> Result<Option<Cursor>, StoreError> {
    Ok(store.record(RecordKind::Webhook, name)?.and_then(|bytes| Cursor::from_bytes(&bytes)))
}

fn note(store: &dyn Store, name: Vec<u8>, upto: &Cursor) -> Result<(), StoreError> {
    store.put_records(RecordKind::Webhook, &[(name, Some(upto.to_bytes()))])
}

async fn send(client: &Client, hook: &Webhook, message: &Message) -> Result<(), NotifyError> {
    let body = serde_json::to_vec(message).unwrap_or_default();
    let mut request = client
        .post(hook.url.clone())
        .header("content-type", "application/json")
        .header("x-feedmill-delivery", format!("{}-{}", message.generation, message.category.slug));
    if let Some(secret) = &hook.secret {
        request = request.header(SIGNATURE, signature(secret, &body));
    }
    let url = hook.url.to_string();
    let answer = request.body(body).send().await;
    let answer = answer.map_err(|source| NotifyError::Send { url: url.clone(), source })?;
    let status = answer.status();
    if status.is_success() { Ok(()) } else { Err(NotifyError::Status { url, status: status.as_u16() }) }
}

/// The pause before the next try after so many failed ones in a row.
#[must_use]
pub fn pause(failures: u32) -> Duration {
    FIRST_PAUSE
        .saturating_mul(1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX))
        .min(LONGEST_PAUSE)
}

/// `sha256=` and the HMAC (RFC 2104) of a body, as many receivers expect it.
#[must_use]
pub fn signature(secret: &str, body: &[u8]) -> String {
    // A key of any length will do.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(body);
    format!("sha256={}", HEXLOWER.encode(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_an_hour() {
        for (failures, seconds) in
            [(0, 10), (1, 10), (2, 20), (5, 160), (9, 2_560), (10, 3_600), (200, 3_600)]
        {
            assert_eq!(pause(failures).as_secs(), seconds, "{failures}");
        }
    }

    /// RFC 4231, test case 2.
    #[test]
    fn signatures() {
        assert_eq!(
            signature("Jefe", b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
