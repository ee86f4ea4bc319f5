//! The daemon: builds the concrete parts from the config and owns the tasks.
//!
//! Owns: [`Mill`] (all parts put together), the scheduler, the publisher's task, the listeners, shutdown, and
//! what queries of the control socket do. Does not own: any of the work itself. A new query gets a variant of
//! `control::Query` and a line in `requests`.

mod answers;
mod category_changes;
mod category_merge;
mod claims;
mod counts;
mod error;
mod heartbeat;
mod history;
mod insight;
mod items;
mod listener;
pub mod log;
mod maintenance;
mod mill;
mod opening;
mod other_copies;
mod poll_price;
mod reload;
mod reload_outcome;
mod reopening;
mod requests;
mod round;
mod rules;
mod status;
mod storage;
mod systemd;
mod tasks;
mod troubles;
mod withdrawal;

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::config::{ConfigLock, StatusOptions};
use crate::control;
use crate::publish::PublishError;
use crate::serve::{Server, StatusServer};

use listener::ListenSocket;
use reload::Reloader;

pub use answers::{ItemAnswer, ItemRow, SourceRow};
pub use category_merge::{finish as finish_merges, merge as merge_categories};
pub use error::DaemonError;
pub use history::{Place, Story};
pub use mill::Mill;
pub use reload_outcome::{Outcome, Reloaded};
pub use round::{Busy, NotYet, Round};
pub use rules::RuleRow;
pub use status::{Attention, Status};
pub use storage::work;
pub use withdrawal::{Copy, Withdrawal};

/// How long requests in flight may take when the daemon stops.
const SHUTDOWN_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(4);

/// Polls, publishes and serves until `stop` is cancelled, then ends cleanly: polls in flight end or are
/// given up, requests are answered, and everything stored is published. Releases the lock of the config once
/// commands can reach this daemon.
///
/// # Errors
/// [`DaemonError`] when it cannot start, or when the store fails.
pub async fn run(
    mill: Arc<Mill>,
    stop: CancellationToken,
    starting: Option<ConfigLock>,
    ready: impl FnOnce(Option<std::net::SocketAddr>),
) -> Result<(), DaemonError> {
    let listen_socket = Arc::new(ListenSocket::open(mill.config.listen)?);
    let address = listen_socket.address();
    let socket = control::listen(&mill.config.socket)?;
    drop(starting);
    show_stored(&mill).await?;
    let mut tasks = tokio::task::JoinSet::new();
    let (sender, live) = watch::channel(Arc::clone(&mill));
    let reloader = Arc::new(Reloader::new(sender, Arc::clone(&listen_socket)));
    let (answering, reloading) = (live.clone(), Arc::clone(&reloader));
    let handler = move |query, events| {
        let mill = Arc::clone(&answering.borrow());
        requests::handle(mill, Some(Arc::clone(&reloading)), query, events)
    };
    let stopping = stop.clone();
    tasks.spawn(async move {
        socket.run(handler, stopping.cancelled_owned()).await.map_err(|e| DaemonError::Task(e.to_string()))
    });
    if let Some(listener) = bind_status(&mill.config.status).await? {
        if let Ok(address) = listener.local_addr() {
            info!("what goes on is shown on http://{address}/");
        }
        let server = StatusServer::new(insight::gather(live.clone()), Arc::clone(&mill.traffic));
        let stopping = stop.clone().cancelled_owned();
        tasks.spawn(async move {
            server.run(listener, stopping).await.map_err(|e| DaemonError::Task(e.to_string()))
        });
    }
    tasks.spawn(listener::serve(live.clone(), listen_socket, stop.clone()));
    tasks.spawn(tasks::schedule(live.clone(), stop.clone()));
    tasks.spawn(tasks::notify(live.clone(), stop.clone()));
    tasks.spawn(tasks::publish(live.clone(), stop.clone()));
    tasks.spawn(maintenance::maintain(live.clone(), stop.clone()));
    tasks.spawn(poll_price::keep(live.clone(), stop.clone()));
    tasks.spawn(systemd::keep(live.clone(), stop.clone()));
    tasks.spawn(Arc::clone(&reloader).watch(stop.clone()));
    info!(sources = mill.sources().count(), listen = address.map(|a| a.to_string()), "ready");
    systemd::ready(&mill.status_line());
    ready(address);
    drop(mill);

    let ended = join_all(&mut tasks, &stop).await;
    let mill = Arc::clone(&live.borrow());
    if let Err(error) = mill.publish(crate::publish::PublishScope::Changed, |_, _| {}).await {
        // The next start publishes them; the outputs stay complete as they are.
        error!(error = crate::model::chain(&error), "the last changes are not published yet");
    }
    info!("stopped");
    ended
}

/// Waits for all tasks; once `stop` is cancelled, slow readers and long commands get at most [`SHUTDOWN_TIMEOUT`].
async fn join_all(
    tasks: &mut tokio::task::JoinSet<Result<(), DaemonError>>,
    stop: &CancellationToken,
) -> Result<(), DaemonError> {
    let mut result = Ok(());
    let late = async {
        stop.cancelled().await;
        systemd::stopping();
        tokio::time::sleep(SHUTDOWN_TIMEOUT).await;
    };
    tokio::pin!(late);
    loop {
        tokio::select! {
            ended = tasks.join_next() => match ended {
                None => return result,
                Some(ended) => {
                    let ended = ended.unwrap_or_else(|e| Err(DaemonError::Task(e.to_string())));
                    result = result.and(ended);
                    // A task that ends by itself stops the others, so that systemd can restart the process.
                    stop.cancel();
                }
            },
            () = &mut late => {
                tracing::warn!(tasks = tasks.len(), "tasks given up");
                tasks.shutdown().await;
                return result;
            }
        }
    }
}

/// Publishes everything stored before any source is polled. If the outputs cannot be written (a full disk),
/// the old ones are served, and the next publish tries again.
async fn show_stored(mill: &Mill) -> Result<(), DaemonError> {
    match mill.publish(crate::publish::PublishScope::Whole, |_, _| {}).await {
        Ok(_) => Ok(()),
        Err(PublishError::Store(error)) if !error.needs_mending() => Err(error.into()),
        Err(error) => {
            error!(
                error = crate::model::chain(&error),
                "the outputs are not up to date; the old ones are served"
            );
            mill.changed.notify_one();
            Ok(())
        }
    }
}

/// Serves the outputs, without polling, until `stop` is cancelled.
///
/// # Errors
/// [`DaemonError`].
pub async fn serve(
    mill: Arc<Mill>,
    stop: CancellationToken,
    ready: impl FnOnce(std::net::SocketAddr),
) -> Result<(), DaemonError> {
    let address = mill.config.listen.unwrap_or_else(|| std::net::SocketAddr::from(([127, 0, 0, 1], 8_640)));
    let listener = bind(address).await?;
    let socket = control::listen(&mill.config.socket)?;
    show_stored(&mill).await?;
    let answering = Arc::clone(&mill);
    let handler = move |query, events| requests::handle(Arc::clone(&answering), None, query, events);
    let controlling = tokio::spawn(socket.run(handler, stop.clone().cancelled_owned()));
    let keeping = tokio::spawn(reopening::keep_open(Arc::clone(&mill), stop.clone()));
    ready(listener.local_addr().unwrap_or(address));
    let server = Server::new(
        Arc::clone(&mill.pages),
        mill.store.clone(),
        mill.config.serve.clone(),
        Arc::clone(&mill.traffic),
    );
    server.run(listener, stop.cancelled_owned()).await.map_err(|e| DaemonError::Task(e.to_string()))?;
    controlling
        .await
        .map_err(|e| DaemonError::Task(e.to_string()))?
        .map_err(|e| DaemonError::Task(e.to_string()))?;
    keeping.await.map_err(|e| DaemonError::Task(e.to_string()))?
}

/// Answers a query without a daemon; the last event is `Done` or `Failed`.
pub async fn handle(mill: Arc<Mill>, query: control::Query, events: control::Events) {
    requests::handle(mill, None, query, events).await;
}

/// Binds the socket of the status page. A failure at the default address is only logged: another feedmill on
/// this machine may use it.
async fn bind_status(status: &StatusOptions) -> Result<Option<TcpListener>, DaemonError> {
    let Some(address) = status.listen else { return Ok(None) };
    match bind(address).await {
        Err(error) if !status.chosen => {
            tracing::warn!(error = crate::model::chain(&error), "no status page; see `status.listen`");
            Ok(None)
        }
        bound => bound.map(Some),
    }
}

async fn bind(address: std::net::SocketAddr) -> Result<TcpListener, DaemonError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| DaemonError::Listen { address: address.to_string(), source })
}
