//! The listening socket, and the server behind it. The socket outlives each server, so that no connection is
//! lost when settings change, nor over a restart if systemd keeps it open.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::error::DaemonError;
use super::mill::{Live, Mill};
use crate::serve::Server;

/// The socket that readers connect to.
#[derive(Debug, Default)]
pub(super) struct ListenSocket {
    listener: Mutex<Option<Arc<TcpListener>>>,
    /// Whether systemd opened it; the config cannot change its address then.
    given: bool,
}

impl ListenSocket {
    /// Returns the socket that systemd passed, or else one that is bound to the configured address.
    pub(super) fn open(listen: Option<SocketAddr>) -> Result<Self, DaemonError> {
        let given = listenfd::ListenFd::from_env().take_tcp_listener(0);
        let fail = |source| DaemonError::Listen { address: "the socket of systemd".to_owned(), source };
        if let Some(listener) = given.map_err(fail)? {
            listener.set_nonblocking(true).map_err(fail)?;
            return Ok(Self { listener: Mutex::new(Some(Arc::new(listener))), given: true });
        }
        Ok(Self { listener: Mutex::new(listen.map(bind).transpose()?), given: false })
    }

    /// Returns whether systemd opened the socket, so that the config cannot change its address.
    pub(super) fn is_given(&self) -> bool {
        self.given
    }

    /// Returns the address that the socket is bound to.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.listener()?.local_addr().ok()
    }

    /// Replaces the socket.
    pub(super) fn replace(&self, listener: Option<Arc<TcpListener>>) {
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = listener;
    }

    fn listener(&self) -> Option<Arc<TcpListener>> {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Returns a non-blocking socket that listens on an address.
pub(super) fn bind(address: SocketAddr) -> Result<Arc<TcpListener>, DaemonError> {
    let fail = |source| DaemonError::Listen { address: address.to_string(), source };
    let listener = TcpListener::bind(address).map_err(fail)?;
    listener.set_nonblocking(true).map_err(fail)?;
    Ok(Arc::new(listener))
}

/// A running server, and the settings and the socket that it was started with.
struct Running {
    mill: Arc<Mill>,
    listener: Arc<TcpListener>,
    stop: CancellationToken,
}

impl Running {
    fn is_for(&self, mill: &Arc<Mill>, listener: Option<&Arc<TcpListener>>) -> bool {
        let same = Arc::ptr_eq(&self.mill.pages, &mill.pages) && self.mill.config.serve == mill.config.serve;
        same && listener.is_some_and(|l| Arc::ptr_eq(l, &self.listener))
    }
}

/// Serves until `stop`, and starts another server whenever the settings or the socket change.
pub(super) async fn serve(
    mut live: Live,
    listen_socket: Arc<ListenSocket>,
    stop: CancellationToken,
) -> Result<(), DaemonError> {
    let mut servers = JoinSet::new();
    let mut running: Option<Running> = None;
    loop {
        let mill = Arc::clone(&live.borrow_and_update());
        let listener = listen_socket.listener();
        if !running.as_ref().is_some_and(|own| own.is_for(&mill, listener.as_ref())) {
            // The new server starts before the old one ends, so that connections are always accepted.
            let old = running.take();
            running = listener.map(|listener| start(&mut servers, mill, listener)).transpose()?;
            if let Some(old) = old {
                old.stop.cancel();
            }
        }
        tokio::select! {
            () = stop.cancelled() => break,
            Ok(()) = live.changed() => {}
            Some(ended) = servers.join_next() => ended.map_err(broke)??,
        }
    }
    if let Some(own) = running {
        own.stop.cancel();
    }
    while let Some(ended) = servers.join_next().await {
        ended.map_err(broke)??;
    }
    Ok(())
}

fn start(
    servers: &mut JoinSet<Result<(), DaemonError>>,
    mill: Arc<Mill>,
    listener: Arc<TcpListener>,
) -> Result<Running, DaemonError> {
    let fail = |source| DaemonError::Listen { address: "the socket".to_owned(), source };
    let own = tokio::net::TcpListener::from_std(listener.try_clone().map_err(fail)?).map_err(fail)?;
    let stop = CancellationToken::new();
    let server = Server::new(
        Arc::clone(&mill.pages),
        mill.store.clone(),
        mill.config.serve.clone(),
        Arc::clone(&mill.traffic),
    );
    let stopping = stop.clone().cancelled_owned();
    servers.spawn(async move { server.run(own, stopping).await.map_err(broke) });
    Ok(Running { mill, listener, stop })
}

fn broke(error: impl std::fmt::Display) -> DaemonError {
    DaemonError::Task(error.to_string())
}
