//! `run` and `serve`.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::show;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::daemon::{self, Mill};

/// The daemon.
///
/// # Errors
/// When it cannot start, or the store fails.
pub(super) async fn run(config: Config) -> Result<ExitCode> {
    let stop = stop_on_signals()?;
    let url = config.publish.site.url.clone();
    if config.sources.is_empty() {
        show::error_text("no source is configured yet; add a file to `sources.d/` beside the config\n");
    }
    let mill = Arc::new(Mill::open(config, Arc::new(SystemClock)).await?);
    daemon::run(mill, stop, |address| announce(address, url.as_str())).await?;
    Ok(ExitCode::SUCCESS)
}

/// Serves without polling.
///
/// # Errors
/// When it cannot start.
pub(super) async fn serve(config: Config) -> Result<ExitCode> {
    let stop = stop_on_signals()?;
    let url = config.publish.site.url.clone();
    let mill = Arc::new(Mill::open(config, Arc::new(SystemClock)).await?);
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

/// A token that SIGTERM and Ctrl-C cancel.
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
        // Asked a second time, it ends at once; the store survives that.
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        end_at_once();
    });
    Ok(stop)
}
