//! Asking the daemon.

use std::io::ErrorKind;
use std::path::Path;

use tokio::net::UnixStream;
use tokio::sync::mpsc;

use super::{ControlError, Event, Query, VERSION};

/// Whether a daemon was there.
#[derive(Debug)]
pub enum Asked {
    /// It answers with these events.
    Daemon(mpsc::Receiver<Event>),
    /// Nobody listens: the caller may open the store itself.
    Nobody,
}

/// Sends a query to the daemon at `socket`, if one listens.
///
/// # Errors
/// [`ControlError`] when a daemon is there and cannot be talked to.
pub async fn ask(socket: &Path, query: &Query) -> Result<Asked, ControlError> {
    match UnixStream::connect(socket).await {
        Ok(_) => {}
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
            return Ok(Asked::Nobody);
        }
        Err(error) => return Err(talk(socket, error)),
    }
    // Nothing is encrypted on this way, but no client can be built without a provider.
    rustls::crypto::ring::default_provider().install_default().ok();
    let client =
        reqwest::Client::builder().unix_socket(socket).no_proxy().build().map_err(|e| talk(socket, e))?;
    let response = client
        .post(format!("http://feedmill/v{VERSION}"))
        .json(query)
        .send()
        .await
        .map_err(|e| talk(socket, e))?;
    if !response.status().is_success() {
        return Err(ControlError::Protocol {
            path: socket.display().to_string(),
            detail: response.status().to_string(),
        });
    }
    let (sender, receiver) = mpsc::channel(64);
    tokio::spawn(read(response, sender));
    Ok(Asked::Daemon(receiver))
}

/// Splits the body into lines and passes each on as an event.
async fn read(mut response: reqwest::Response, sender: mpsc::Sender<Event>) {
    let mut rest: Vec<u8> = Vec::new();
    loop {
        let chunk = match response.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => return,
            Err(error) => {
                let _ = sender.send(Event::Failed(format!("the daemon went away: {error}"))).await;
                return;
            }
        };
        rest.extend_from_slice(&chunk);
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            let event = serde_json::from_slice(&line).unwrap_or_else(|error| {
                Event::Failed(format!("the daemon's answer cannot be read: {error}"))
            });
            if sender.send(event).await.is_err() {
                return;
            }
        }
    }
}

fn talk<E>(socket: &Path, source: E) -> ControlError
where
    E: std::error::Error + Send + Sync + 'static,
{
    ControlError::Talk { path: socket.display().to_string(), source: Box::new(source) }
}
