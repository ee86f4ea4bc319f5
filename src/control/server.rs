//! The server: receives queries and sends the events of their handler.

use std::future::Future;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use tokio::net::UnixListener;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::{ControlError, Event, Events, Query, VERSION};

/// Runs a query and sends its events.
type Handler = Arc<dyn Fn(Query, Events) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// A bound control socket. Its file is removed when it is dropped.
#[derive(Debug)]
pub struct Listener {
    socket: UnixListener,
    file: SocketFile,
}

/// Path of the socket, removed on drop.
#[derive(Debug)]
struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // If it fails, the next start removes the file.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Binds the socket with mode 0660. The caller must hold the store's lock: then no daemon is running, and an
/// existing socket file is a leftover.
///
/// # Errors
/// [`ControlError::Listen`] if the socket cannot be bound.
pub fn listen(path: &Path) -> Result<Listener, ControlError> {
    let fail = |source| ControlError::Listen { path: path.display().to_string(), source };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(fail)?;
    }
    if std::fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket()) {
        std::fs::remove_file(path).map_err(fail)?;
    }
    let socket = UnixListener::bind(path).map_err(fail)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660)).map_err(fail)?;
    Ok(Listener { socket, file: SocketFile(path.to_owned()) })
}

impl Listener {
    /// Serves queries until `shutdown` ends.
    ///
    /// # Errors
    /// Returns an error if the socket fails.
    pub async fn run<H, F, S>(self, handler: H, shutdown: S) -> std::io::Result<()>
    where
        H: Fn(Query, Events) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
        S: Future<Output = ()> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |query, events| Box::pin(handler(query, events)));
        let router = Router::new().route(&format!("/v{VERSION}"), post(respond)).with_state(handler);
        let Self { socket, file } = self;
        let ended = axum::serve(socket, router).with_graceful_shutdown(shutdown).await;
        drop(file);
        ended
    }
}

async fn respond(State(handler): State<Handler>, Json(query): Json<Query>) -> Body {
    let (sender, receiver) = mpsc::channel::<Event>(64);
    tokio::spawn(handler(query, sender));
    let lines = ReceiverStream::new(receiver).map(|event| {
        let mut line = serde_json::to_vec(&event).map_err(std::io::Error::other)?;
        line.push(b'\n');
        Ok::<Bytes, std::io::Error>(line.into())
    });
    Body::from_stream(lines)
}
