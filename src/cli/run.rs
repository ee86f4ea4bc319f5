//! `run` and `serve`.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::error;

use super::ask::{lock, open_unchanged};
use super::show;
use crate::clock::SystemClock;
use crate::config::{Config, Files};
use crate::daemon::{self, Mill, Reloaded};
use crate::store::OnDamage;

/// Runs the daemon.
///
/// # Errors
/// When it cannot start, or the store fails.
pub(super) async fn run(path: &Path) -> Result<ExitCode> {
    let stop = stop_on_signals()?;
    // From now on a hangup does not end the process; one that comes before the daemon is ready has no other
    // effect, since the first check of the files finds the change.
    drop(signal(SignalKind::hangup())?);
    // No command may change the config before this daemon answers on its socket.
    let config_lock = lock(path);
    let Some(Start { files, config, refused }) = start(path) else { return Ok(ExitCode::from(2)) };
    let url = config.publish.site.url.clone();
    if config.sources.is_empty() {
        show::error_text("no source is configured yet; add a file to `sources.d/` beside the config\n");
    }
    let mill = Mill::open(config, Arc::new(SystemClock), OnDamage::BeginAnew).await?.read_from(files);
    if let Some(why) = refused {
        mill.remember(Reloaded::refused(mill.clock.now(), why));
    }
    let mill = Arc::new(mill);
    daemon::run(mill, stop, config_lock, |address| announce(address, url.as_str())).await?;
    Ok(ExitCode::SUCCESS)
}

/// The config that the daemon starts with.
struct Start {
    files: Files,
    config: Config,
    /// The faults of the config on the disk, if the last good one is used instead.
    refused: Option<String>,
}

/// Returns the config, or the last good one if it has faults, which are printed (RULES 6.2); `None` if there
/// is neither.
fn start(path: &Path) -> Option<Start> {
    let files = Files::read(path);
    let loaded = files.load();
    let told = loaded.faults.render(false);
    if !loaded.faults.is_empty() {
        show::error_text(&loaded.faults.render(show::color_on_stderr()));
    }
    if let Some(config) = loaded.config {
        return Some(Start { files, config, refused: None });
    }
    let files = Files::kept(path)?;
    let config = files.load().config?;
    error!(path = %path.display(), "the config is faulty; the last good one is used until it is mended");
    Some(Start { files, config, refused: Some(told) })
}

/// Serves the outputs without polling.
///
/// # Errors
/// When it cannot start.
pub(super) async fn serve(config: Config) -> Result<ExitCode> {
    let stop = stop_on_signals()?;
    let url = config.publish.site.url.clone();
    let mill = Arc::new(open_unchanged(config, OnDamage::BeginAnew).await?);
    daemon::serve(mill, stop, |address| announce(Some(address), url.as_str())).await?;
    Ok(ExitCode::SUCCESS)
}

fn announce(address: Option<std::net::SocketAddr>, url: &str) {
    if let Some(address) = address {
        show::error_text(&format!("serving on http://{address}/ as {url}\n"));
    }
}

#[expect(clippy::exit, reason = "somebody asked twice")]
fn end_at_once() {
    std::process::exit(130);
}

/// Returns a token that SIGTERM and Ctrl-C cancel.
pub(super) fn stop_on_signals() -> Result<CancellationToken> {
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let token = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        token.cancel();
        // A second signal ends the process at once; the store survives that.
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        end_at_once();
    });
    Ok(stop)
}
