//! A mill with its server, in a folder of its own. All of it is used by every test file that
//! takes it in.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use feedmill::clock::ManualClock;
use feedmill::config;
use feedmill::daemon::Mill;
use feedmill::model::Timestamp;
use feedmill::publish::{Pages, PublishScope};
use feedmill::serve::Server;
use feedmill::store::OnDamage;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A mill in a folder of its own, its time standing still until it is moved.
pub(crate) struct Site {
    pub(crate) folder: TempDir,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) mill: Arc<Mill>,
}

/// Where the sites say that they are.
pub(crate) const URL: &str = "https://news.example.org/";

impl Site {
    /// `more` is added to a main file that keeps everything below one temporary folder.
    pub(crate) async fn new(now: i64, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(Timestamp::from_unix(now)));
        let main = format!(
            "[store]\npath = \"store\"\ncache = \"8MiB\"\n[output]\npath = \"public\"\n\
             [control]\nsocket = \"control.sock\"\n[fetch]\nallow = [\"127.0.0.0/8\"]\nhost_spacing = \"1ms\"\nfirst_spacing = \"1ms\"\n\
             [site]\nurl = \"{URL}\"\ncontact = \"somebody@example.org\"\n{more}"
        );
        std::fs::write(folder.path().join("feedmill.toml"), main).unwrap();
        let mill = open(folder.path(), &clock).await;
        Self { folder, clock, mill }
    }

    /// One round over all sources, then a publish; every source must answer.
    pub(crate) async fn poll(&self) {
        let sources = self.mill.sources().cloned().collect();
        for report in self.mill.round(sources, |_, _, _| {}).await.unwrap().polls {
            assert_eq!(report.error, None, "{report:?}");
        }
        self.publish().await;
    }

    pub(crate) async fn publish(&self) {
        self.mill.publish(PublishScope::Whole, |_, _| {}).await.unwrap();
    }

    /// A server of the site on a free port.
    pub(crate) async fn serve(&self) -> Served {
        self.serve_as(Arc::clone(&self.mill.pages)).await
    }

    /// The same under other settings, as after a reload whose settings nobody publishes under yet.
    pub(crate) async fn serve_as(&self, pages: Arc<Pages>) -> Served {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let server = Server::new(
            pages,
            self.mill.store.clone(),
            self.mill.config.serve.clone(),
            Arc::clone(&self.mill.traffic),
        );
        let running = tokio::spawn(server.run(listener, async move { drop(stopped.await) }));
        Served { at, stop, running }
    }
}

/// A running server.
pub(crate) struct Served {
    pub(crate) at: SocketAddr,
    stop: oneshot::Sender<()>,
    running: JoinHandle<std::io::Result<()>>,
}

impl Served {
    /// Stops it; it must end well.
    pub(crate) async fn end(self) {
        self.stop.send(()).unwrap();
        self.running.await.unwrap().unwrap();
    }
}

async fn open(folder: &Path, clock: &Arc<ManualClock>) -> Arc<Mill> {
    let loaded = config::load(&folder.join("feedmill.toml"));
    let config = loaded.config.unwrap_or_else(|| panic!("{}", loaded.faults.render(false)));
    Arc::new(Mill::open(config, Arc::clone(clock) as _, OnDamage::BeginAnew).await.unwrap())
}
