//! The client: sends a query to the daemon.

use std::io::ErrorKind;
use std::path::Path;

use tokio::net::UnixStream;
use tokio::sync::mpsc;

use super::{ControlError, Event, Query, VERSION};

/// The reply to a query.
#[derive(Debug)]
pub enum Reply {
    /// The events of the daemon.
    Daemon(mpsc::Receiver<Event>),
    /// No daemon is running: the caller may open the store itself.
    NoDaemon,
}

/// Sends a query to the daemon that listens at `socket`, if there is one.
///
/// # Errors
/// [`ControlError`] if a daemon listens but the query fails.
pub async fn ask(socket: &Path, query: &Query) -> Result<Reply, ControlError> {
    match UnixStream::connect(socket).await {
        Ok(_) => {}
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
            return Ok(Reply::NoDaemon);
        }
        Err(error) => return Err(request_error(socket, error)),
    }
    // The socket has no TLS, but no client can be built without a provider.
    rustls::crypto::ring::default_provider().install_default().ok();
    let client = reqwest::Client::builder()
        .unix_socket(socket)
        .no_proxy()
        .build()
        .map_err(|e| request_error(socket, e))?;
    let response = client
        .post(format!("http://feedmill/v{VERSION}"))
        .json(query)
        .send()
        .await
        .map_err(|e| request_error(socket, e))?;
    if !response.status().is_success() {
        return Err(ControlError::Protocol {
            path: socket.display().to_string(),
            detail: response.status().to_string(),
        });
    }
    let (sender, receiver) = mpsc::channel(64);
    tokio::spawn(read(response, sender));
    Ok(Reply::Daemon(receiver))
}

/// Reads the body line by line and sends each line on as an event.
async fn read(mut response: reqwest::Response, sender: mpsc::Sender<Event>) {
    let mut rest: Vec<u8> = Vec::new();
    loop {
        let chunk = match response.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => return,
            Err(error) => {
                let _ =
                    sender.send(Event::Failed(format!("the connection to the daemon broke: {error}"))).await;
                return;
            }
        };
        rest.extend_from_slice(&chunk);
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            let event = serde_json::from_slice(&line).unwrap_or_else(|error| {
                Event::Failed(format!("the daemon's response cannot be read: {error}"))
            });
            if sender.send(event).await.is_err() {
                return;
            }
        }
    }
}

fn request_error<E>(socket: &Path, source: E) -> ControlError
where
    E: std::error::Error + Send + Sync + 'static,
{
    ControlError::Request { path: socket.display().to_string(), source: Box::new(source) }
}
