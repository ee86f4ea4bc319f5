//! `demo`: the whole mill, for somebody who has just cloned the repository.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{run::stop_on_signals, show};
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Config, units::parse_duration};
use crate::daemon::{self, Mill};
use crate::demo::{config as demo_config, upstream::Upstream};
use crate::store::OnDamage;

/// Samples that are available at the start.
const AT_ONCE: usize = 14;
/// The time between two further samples.
const EVERY: Duration = Duration::from_secs(3);
/// The port of the demo if it is free.
const PORT: u16 = 8_640;

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Feeds to mill; without any, sample newspapers on this machine
    urls: Vec<Url>,
    /// End by itself after this long, like `20s`
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    time: Option<Duration>,
    /// The port to serve on [default: 8640, or a free one]
    #[arg(long)]
    port: Option<u16>,
    /// Who you are, told to the feeds' servers: a page or an e-mail address
    #[arg(long, default_value = "somebody who tries feedmill by hand")]
    contact: String,
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| format!("the time {error}"))
}

impl Demo {
    /// Runs the demo until Ctrl-C or for the given time.
    ///
    /// # Errors
    /// When the demo cannot start.
    pub(super) async fn run(self) -> Result<ExitCode> {
        let stop = stop_on_signals()?;
        let folder = tempfile::Builder::new().prefix("feedmill-demo-").tempdir()?;
        let port = free_port(self.port)?;
        let upstream = if self.urls.is_empty() { Some(Upstream::start(stop.clone()).await?) } else { None };
        let sources = match &upstream {
            Some(upstream) => demo_config::samples(&upstream.base()),
            None => demo_config::own(&self.urls),
        };
        demo_config::write(folder.path(), &demo_config::main_file(port, &self.contact), &sources)?;
        let config = load(folder.path())?;
        if let Some(time) = self.time {
            let stop = stop.clone();
            tokio::spawn(async move {
                tokio::time::sleep(time).await;
                stop.cancel();
            });
        }
        if let Some(upstream) = upstream {
            upstream.reveal(AT_ONCE, SystemClock.now().to_utc());
            tokio::spawn(reveal(upstream, stop.clone()));
        }
        let mill = Arc::new(Mill::open(config, Arc::new(SystemClock), OnDamage::BeginAnew).await?);
        let own = !self.urls.is_empty();
        let shown = folder.path().display().to_string();
        daemon::run(mill, stop, None, move |_| show::error_text(&welcome_text(port, own, &shown))).await?;
        show::error_text("the demo has ended; its folder is removed\n");
        folder.close().context("cannot remove the demo's folder")?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn reveal(upstream: Upstream, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        if upstream.reveal(1, SystemClock.now().to_utc()) == 0 {
            show::error_text("all samples are out now; the demo goes on until Ctrl-C\n");
            // Dropping `upstream` would stop its server.
            stop.cancelled().await;
            return;
        }
    }
}

fn load(folder: &std::path::Path) -> Result<Config> {
    let loaded = config::load(&folder.join("feedmill.toml"));
    match loaded.config {
        Some(config) => Ok(config),
        None => bail!("the demo's own config has faults:\n{}", loaded.faults.render(false)),
    }
}

/// Returns the wanted port, or else the usual one, or any free one.
fn free_port(wanted: Option<u16>) -> Result<u16> {
    let try_port = |port: u16| {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        listener.local_addr().map(|address| address.port())
    };
    match wanted {
        Some(port) => try_port(port).with_context(|| format!("cannot listen on port {port}")),
        None => try_port(PORT).or_else(|_| try_port(0)).context("cannot listen on any port"),
    }
}

fn welcome_text(port: u16, own: bool, folder: &str) -> String {
    let site = format!("http://127.0.0.1:{port}/");
    let program =
        std::env::current_exe().map_or_else(|_| "feedmill".to_owned(), |path| path.display().to_string());
    let category = if own { "category/".to_owned() } else { "category/xihaidushibao.html".to_owned() };
    let feed = if own { "feed.xml" } else { "feed/xihaidushibao.xml" };
    format!(
        "\n  feedmill is turning. Open in a browser:\n\n    \
         {site}                    the newest articles\n    \
         {site}{category}\n    \
         {site}category/           all newspapers\n\n  \
         Subscribe in a feed reader:\n\n    \
         {site}{feed}   (Atom; .rss and .json too)\n    \
         {site}opml.xml            all feeds at once\n\n  \
         Look inside while it runs:\n\n    \
         {program} --config {folder}/feedmill.toml source list\n    \
         {program} --config {folder}/feedmill.toml item list\n\n  \
         Next: read docs/getting-started.md, put a source of your own into config/sources.d/,\n  \
         then `feedmill check` and `feedmill run`. Ctrl-C ends the demo.\n\n"
    )
}
