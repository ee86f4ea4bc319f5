//! A whole mill in a folder of its own, driven step by step.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use feedmill::clock::{Clock, ManualClock};
use feedmill::ingest::PollReport;
use feedmill::model::{Body, CategoryId, InfoCode, Item, SourceId, SourceState, Timestamp};
use feedmill::publish::{PublishReport, PublishScope};
use feedmill::store::{Claim, Claimed, OnDamage, PollResult, Store, Window};
use feedmill::{config, daemon};
use tempfile::TempDir;

/// Files: relative path → bytes.
pub(crate) type Tree = BTreeMap<String, Vec<u8>>;

/// A mill with its config, store and outputs in one temporary folder:
/// `config/`, `data/store`, `data/public`.
pub(crate) struct Mill {
    folder: TempDir,
    clock: Arc<ManualClock>,
    own: Option<Arc<daemon::Mill>>,
}

impl Mill {
    /// Opens a mill at `now`. `main` is the text of the main config, `sources` that of its one drop-in;
    /// loopback may be fetched without pauses.
    pub(crate) async fn open(now: Timestamp, main: &str, sources: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut mill = Self { folder, clock: Arc::new(ManualClock::at(now)), own: None };
        mill.reopen(main, sources).await;
        mill
    }

    /// Closes the store and opens it again with another config.
    pub(crate) async fn reopen(&mut self, main: &str, sources: &str) {
        self.own = None;
        let config = self.path("config");
        fs::create_dir_all(config.join("sources.d")).unwrap();
        let fetch = "\n[fetch]\nallow = [\"127.0.0.1\"]\nhost_spacing = \"0ms\"\nfirst_spacing = \"0ms\"\nper_host = 8\n";
        fs::write(config.join("feedmill.toml"), format!("{main}{fetch}")).unwrap();
        fs::write(config.join("sources.d/sources.toml"), sources).unwrap();
        let loaded = config::load(&config.join("feedmill.toml"));
        let settings = loaded.config.unwrap_or_else(|| panic!("{:?}", loaded.faults));
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let opened = daemon::Mill::open(settings, clock, OnDamage::BeginAnew).await;
        self.own = Some(Arc::new(opened.unwrap()));
    }

    /// Closes the store and damages its files.
    pub(crate) fn damage(&mut self, damage: fn(&Path)) {
        self.own = None;
        damage(&self.path("data/store"));
    }

    /// Sends a query as a command would; returns the last event.
    pub(crate) async fn ask(&self, query: feedmill::control::Query) -> feedmill::control::Event {
        let (events, mut said) = tokio::sync::mpsc::channel(100);
        daemon::handle(Arc::clone(self.own.as_ref().unwrap()), query, events).await;
        let mut last = None;
        while let Ok(event) = said.try_recv() {
            last = Some(event);
        }
        last.unwrap()
    }

    /// Returns a path inside the mill's folder.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    /// Returns the mill itself.
    pub(crate) fn own(&self) -> &daemon::Mill {
        self.own.as_ref().unwrap()
    }

    /// Returns its store.
    pub(crate) fn store(&self) -> &dyn Store {
        self.own().store.blocking()
    }

    /// Returns the mill's time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Advances the mill's time.
    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.set(self.clock.now().plus(seconds));
    }

    /// Polls all sources once, in the order of the config.
    pub(crate) async fn round(&self) -> Vec<PollReport> {
        let wanted = self.own().sources().filter(|source| source.enabled).cloned().collect();
        self.own().round(wanted, |_, _, _| {}).await.unwrap().polls
    }

    /// Polls one source.
    pub(crate) async fn poll(&self, id: &str) -> PollReport {
        self.poll_claimed(self.claim(id)).await
    }

    /// Polls a source that is claimed.
    pub(crate) async fn poll_claimed(&self, claim: Claim) -> PollReport {
        let source = self.own().source(&claim.id).unwrap();
        self.own().poll(source, claim).await.unwrap()
    }

    /// Claims a source that nobody polls.
    pub(crate) fn claim(&self, id: &str) -> Claim {
        claim(self.store(), &SourceId::new(id).unwrap(), self.now())
    }

    /// Ends a poll with the given state of its source.
    pub(crate) fn leave(&self, id: &str, state: SourceState) {
        let claim = self.claim(id);
        assert_eq!(self.store().complete(&[PollResult::of(Claim { state, ..claim })]).unwrap(), []);
    }

    /// Publishes, checking every file.
    pub(crate) async fn publish(&self) -> PublishReport {
        self.own().publish(PublishScope::Whole, |_, _| {}).await.unwrap()
    }

    /// Returns all files of the output directory.
    pub(crate) fn outputs(&self) -> Tree {
        files(&self.path("data/public"))
    }

    /// Returns all files of a folder of the mill.
    pub(crate) fn files(&self, relative: &str) -> Tree {
        files(&self.path(relative))
    }

    /// Returns an output as text.
    pub(crate) fn output(&self, path: &str) -> String {
        let full = self.path("data/public").join(path);
        fs::read_to_string(&full).unwrap_or_else(|error| panic!("{}: {error}", full.display()))
    }

    /// Returns the items of a JSON Feed among the outputs.
    pub(crate) fn feed_items(&self, path: &str) -> Vec<serde_json::Value> {
        let feed: serde_json::Value = serde_json::from_str(&self.output(path)).unwrap();
        feed["items"].as_array().unwrap().clone()
    }

    /// Returns the titles in a category's RSS feed, which contains its window, in its order.
    pub(crate) fn feed_titles(&self, slug: &str) -> Vec<String> {
        let bytes = self.output(&format!("feed/{slug}.rss")).into_bytes();
        let feed = feedmill::parse::parse_feed(&bytes, &feedmill::parse::Context::default()).unwrap();
        feed.entries.into_iter().map(|entry| entry.title).collect()
    }

    /// Parses a code as commands do.
    pub(crate) fn code(&self, text: &str) -> InfoCode {
        InfoCode::parse(text, self.own().config.ingest.bare_space.as_ref()).unwrap()
    }

    /// Returns a stored item.
    pub(crate) fn item(&self, code: &str) -> Item {
        self.store().item(&self.code(code)).unwrap().unwrap_or_else(|| panic!("no item {code}"))
    }

    /// Returns a stored text.
    pub(crate) fn body(&self, code: &str) -> Body {
        self.store().body(&self.code(code)).unwrap()
    }

    /// Returns all items, newest first.
    pub(crate) fn items(&self) -> Vec<Item> {
        let all = Window { items: 10_000, age: -1, most: 10_000, archived: true };
        self.store().items_in(CategoryId::SITE, all).unwrap()
    }

    /// Returns the slugs of an item's categories, sorted.
    pub(crate) fn slugs(&self, item: &Item) -> Vec<String> {
        let slug = |id: &CategoryId| self.store().category(*id).unwrap().unwrap().slug.to_string();
        let mut slugs: Vec<String> = item.categories.iter().map(slug).collect();
        slugs.sort();
        slugs
    }

    /// Returns the stored state of a source.
    pub(crate) fn state(&self, id: &str) -> SourceState {
        self.store().source(&SourceId::new(id).unwrap()).unwrap()
    }
}

/// Claims a source that nobody polls.
pub(crate) fn claim(store: &dyn Store, id: &SourceId, now: Timestamp) -> Claim {
    let claimed = store.claim("a test", std::slice::from_ref(id), now, 60).unwrap().remove(0);
    let Claimed::Yours(claim) = claimed else { panic!("{claimed:?}") };
    *claim
}

/// Returns the paths that are only in one of two trees, or differ.
pub(crate) fn changed_paths(before: &Tree, after: &Tree) -> BTreeSet<String> {
    let all = before.keys().chain(after.keys());
    all.filter(|path| before.get(*path) != after.get(*path)).cloned().collect()
}

fn files(root: &Path) -> Tree {
    let mut found = Tree::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let relative = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                found.insert(relative, fs::read(&path).unwrap());
            }
        }
    }
    found
}
