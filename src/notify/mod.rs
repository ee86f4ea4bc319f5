//! Webhooks: after a publish each gets the new, changed and withdrawn items of its categories.
//!
//! Owns: messages, their signature, their delivery, and the cursor of each webhook. Does not own: publishing;
//! a failed delivery is logged and repeated, and affects no output. Cursors are records in the store, so that
//! a restart loses no message and repeats few.

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

pub use message::{Change, Message, MessageItem, messages};
pub use webhook::Webhook;

/// Longest time for a request.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Items of one batch; further batches follow.
const BATCH: usize = 200;
/// Pause after the first failure; each further failure doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
/// Longest pause.
const MAX_PAUSE: Duration = Duration::from_hours(1);
/// Name of the header with the signature ([`signature`]).
pub const SIGNATURE: &str = "x-feedmill-signature";

/// An error of delivering to a webhook.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NotifyError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No connection, or no response.
    #[error("the webhook `{url}` cannot be reached")]
    Send {
        /// URL of the webhook.
        url: String,
        /// The error of the client.
        #[source]
        source: reqwest::Error,
    },
    /// A response without success.
    #[error("the webhook `{url}` answered {status}")]
    Status {
        /// URL of the webhook.
        url: String,
        /// The status of the response.
        status: u16,
    },
}

impl NotifyError {
    /// Returns a stable name for metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Store(error) => error.kind(),
            Self::Send { .. } => "send",
            Self::Status { .. } => "status",
        }
    }

    /// Returns whether a later attempt may succeed.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Store(error) => error.is_transient(),
            Self::Send { .. } | Self::Status { .. } => true,
        }
    }
}

/// Delivers messages to webhooks.
#[derive(Debug)]
pub struct Notifier {
    hooks: Vec<Webhook>,
    /// `None` if there are no webhooks: reading the system's certificates takes long.
    client: Option<Client>,
}

impl Notifier {
    /// Returns a notifier for webhooks.
    ///
    /// # Errors
    /// Returns an error if no HTTP client can be built.
    pub fn new(hooks: Vec<Webhook>) -> Result<Self, reqwest::Error> {
        let client = if hooks.is_empty() { None } else { Some(client()?) };
        Ok(Self { hooks, client })
    }

    /// Returns whether there are no webhooks.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.hooks.is_empty()
    }

    /// Delivers to each webhook what was published since its last delivery, and returns whether all
    /// deliveries succeeded. A new webhook gets the changes from now on, not the whole archive.
    ///
    /// # Errors
    /// Errors of the store. Errors of webhooks are logged.
    pub async fn deliver(&self, store: &Handle, pages: &Arc<Pages>) -> Result<bool, StoreError> {
        let Some(client) = &self.client else { return Ok(true) };
        let mut all = true;
        for hook in &self.hooks {
            match deliver_to(client, hook, store, pages).await {
                Ok(()) => {}
                Err(NotifyError::Store(error)) => return Err(error),
                Err(error) => {
                    warn!(
                        error = chain(&error),
                        kind = error.kind(),
                        "a webhook failed; the delivery will be repeated"
                    );
                    all = false;
                }
            }
        }
        Ok(all)
    }
}

/// Builds the HTTP client.
///
/// # Errors
/// Returns an error if the system has no CA certificates.
fn client() -> Result<Client, reqwest::Error> {
    // Another room may have installed it already, which is fine.
    rustls::crypto::ring::default_provider().install_default().ok();
    Client::builder()
        .timeout(TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .user_agent(concat!("feedmill/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// Delivers batches until a webhook has everything that is published.
async fn deliver_to(
    client: &Client,
    hook: &Webhook,
    store: &Handle,
    pages: &Arc<Pages>,
) -> Result<(), NotifyError> {
    let key = cursor_key(hook);
    loop {
        let (own_key, own_hook, pages) = (key.clone(), hook.clone(), Arc::clone(pages));
        let found = store.call(move |store| {
            let upto = store.published()?;
            let Some(from) = cursor(store, &own_key)? else {
                put_cursor(store, own_key, &upto)?;
                return Ok(None);
            };
            // The cursor is ahead of the store if an older store was restored.
            if !upto.is_beyond(&from) {
                return Ok(None);
            }
            messages(store, &pages, &own_hook, (&from, &upto), BATCH).map(Some)
        });
        let Some((messages, end)) = found.await? else { return Ok(()) };
        let count = messages.len();
        for message in messages {
            send(client, hook, &message).await?;
        }
        let own_key = key.clone();
        store
            .call(move |store| {
                put_cursor(store, own_key, &end)?;
                store.sync()
            })
            .await?;
        info!(url = %hook.url, messages = count, "delivered to webhook");
    }
}

/// Returns the key of a webhook's cursor in the store: a hash, since URLs may be long and contain passwords.
fn cursor_key(hook: &Webhook) -> Vec<u8> {
    let name = Sha256::digest(format!("webhook.{}", hook.url));
    HEXLOWER.encode(&name[..16]).into_bytes()
}

/// Reads the cursor of a webhook: the last change that was delivered.
fn cursor(store: &dyn Store, key: &[u8]) -> Result<Option<Cursor>, StoreError> {
    Ok(store.record(RecordKind::Webhook, key)?.and_then(|bytes| Cursor::from_bytes(&bytes)))
}

fn put_cursor(store: &dyn Store, key: Vec<u8>, upto: &Cursor) -> Result<(), StoreError> {
    store.put_records(RecordKind::Webhook, &[(key, Some(upto.to_bytes()))])
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
    let response = request.body(body).send().await;
    let response = response.map_err(|source| NotifyError::Send { url: url.clone(), source })?;
    let status = response.status();
    if status.is_success() { Ok(()) } else { Err(NotifyError::Status { url, status: status.as_u16() }) }
}

/// Returns the pause before the next attempt after so many failures in a row.
#[must_use]
pub fn pause(failures: u32) -> Duration {
    FIRST_PAUSE
        .saturating_mul(1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX))
        .min(MAX_PAUSE)
}

/// Returns `sha256=` and the HMAC-SHA-256 (RFC 2104) of a body in hexadecimal digits, the form that GitHub
/// uses.
#[must_use]
pub fn signature(secret: &str, body: &[u8]) -> String {
    // HMAC accepts keys of any length.
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
    fn signatures_are_those_of_the_rfc() {
        assert_eq!(
            signature("Jefe", b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
