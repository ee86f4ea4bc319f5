//! Promise: whatever runs concurrently with a poll, the outcome is one that the same steps have in some
//! order. Each poll has an ingest of its own, so that they share only the store, as two processes would.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a sample that is not there ends the test")]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::slice;
use std::sync::Arc;

use common::samples::{RssItem, rss};
use common::{Broken, Upstream, at};
use feedmill::clock::{Clock, ManualClock};
use feedmill::config::{self, Config};
use feedmill::daemon::{finish_merges, merge_categories};
use feedmill::fetch::Fetcher;
use feedmill::ingest::{Ingest, Pending};
use feedmill::model::{CategoryId, CodeSpace, InfoCode, Slug, Timestamp};
use feedmill::source::Source;
use feedmill::store::{
    Claimed, Handle, MemoryStore, Move, Mover, Result, Retention, SledStore, Store, Tombstone, Window,
    WithdrawnBy,
};
use tempfile::TempDir;

/// What an admin, or another worker, does during a poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Withdraw,
    Erase,
    Restore,
    Move,
    Rename,
    Merge,
    Sweep,
    /// Another source that lists the same articles is polled.
    Poll,
    /// The same, and what is new is erased at once.
    PollErase,
    /// The lease of the poll expires; another poll of the same source finds a newer document.
    Overtake,
}

const ACTS: [Act; 10] = [
    Act::Withdraw,
    Act::Erase,
    Act::Restore,
    Act::Move,
    Act::Rename,
    Act::Merge,
    Act::Sweep,
    Act::Poll,
    Act::PollErase,
    Act::Overtake,
];
/// Points at which an act can come: around and between the steps of a poll (fetch, decide, store, end).
const STEPS: usize = 5;

/// Two sources of one code space; both list `known`, and `new` for the first time.
struct World<'a> {
    upstream: &'a Upstream,
    store: Arc<dyn Store>,
    config: Config,
    clock: Arc<ManualClock>,
    _folder: TempDir,
}

fn noon() -> Timestamp {
    at("2026-05-01T12:00:00Z")
}

fn code(name: &str) -> InfoCode {
    InfoCode::new(CodeSpace::new("shared").unwrap(), name)
}

fn document(names: &[&str], text: &str) -> String {
    let titles: Vec<String> = names.iter().map(|name| format!("{name} {text}")).collect();
    let html = format!("<p>{text}</p>");
    let item = |(name, title)| RssItem {
        guid: name,
        title,
        html: &html,
        date: "Thu, 30 Apr 2026 08:00:00 GMT",
        ..RssItem::default()
    };
    let items: Vec<RssItem<'_>> =
        names.iter().copied().zip(titles.iter().map(String::as_str)).map(item).collect();
    rss("https://paper.example/", &items)
}

impl<'a> World<'a> {
    async fn new(upstream: &'a Upstream, sled: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let store: Arc<dyn Store> = if sled {
            Arc::new(SledStore::open(&path, 1 << 20).unwrap())
        } else {
            Arc::new(MemoryStore::new())
        };
        let source = |id: &str| {
            format!(
                "[[source]]\nid = \"{id}\"\nurl = \"{}/{id}.xml\"\ncategory = \"甲报\"\ncode_space = \"shared\"\n\
                 [source.code]\nfrom = \"guid\"\npattern = '(.*)'\n",
                upstream.base()
            )
        };
        let main = "[site]\nurl = \"https://news.example.org/\"\n[fetch]\nallow = [\"127.0.0.1\"]\n\
             host_spacing = \"0ms\"\nfirst_spacing = \"0ms\"\n";
        fs::create_dir_all(folder.path().join("sources.d")).unwrap();
        fs::write(folder.path().join("feedmill.toml"), main).unwrap();
        fs::write(folder.path().join("sources.d/a.toml"), source("one") + &source("two")).unwrap();
        let loaded = config::load(&folder.path().join("feedmill.toml"));
        let config = loaded.config.unwrap_or_else(|| panic!("{:?}", loaded.faults));
        let world =
            Self { upstream, store, config, clock: Arc::new(ManualClock::at(noon())), _folder: folder };
        for name in ["甲报", "乙报"] {
            world.store.ensure_category(name, None, noon()).unwrap();
        }
        world.put(&["old", "known"], "first");
        world.poll(0, None).await.unwrap();
        world.clock.set(noon().plus(7_200));
        world
    }

    fn put(&self, names: &[&str], text: &str) {
        for id in ["one", "two"] {
            self.upstream.rss(&format!("/{id}.xml"), document(names, text));
        }
    }

    fn source(&self, number: usize) -> &Source {
        &self.config.sources[number]
    }

    /// Polls a source; the act comes at a point between its steps.
    async fn poll(&self, number: usize, between: Option<(Act, usize)>) -> Result<()> {
        let source = self.source(number);
        let store = Handle::new(Arc::clone(&self.store));
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let fetcher = Fetcher::new(self.config.fetch.clone()).unwrap();
        let ingest = Ingest::new(store.clone(), fetcher, clock, self.config.ingest.clone());
        self.act_at(between, 0).await?;
        let claimed = self.store.claim("a poll", slice::from_ref(&source.id), self.clock.now(), 90)?;
        let [Claimed::Yours(claim)] = &claimed[..] else { panic!("{claimed:?}") };
        let answer = ingest.fetch_source(source, claim.state.clone()).await;
        self.act_at(between, 1).await?;
        let mut pending = Pending::default();
        let (_, mut ended) = ingest.ingest_answer(source, answer, &mut pending).await?;
        self.act_at(between, 2).await?;
        ingest.store_pending(&mut pending).await?;
        self.act_at(between, 3).await?;
        pending.finish(&mut ended);
        let overtaken = between.is_some_and(|(act, at)| act == Act::Overtake && (1..STEPS - 1).contains(&at));
        let refused = store.complete(vec![ended]).await?;
        assert_eq!(refused, if overtaken { vec![source.id.clone()] } else { Vec::new() });
        self.act_at(between, 4).await
    }

    async fn act_at(&self, between: Option<(Act, usize)>, here: usize) -> Result<()> {
        match between.filter(|(_, place)| *place == here) {
            Some((act, _)) => Box::pin(self.act(act)).await,
            None => Ok(()),
        }
    }

    fn category(&self, name: &str) -> feedmill::model::Category {
        self.store.find_category(name).unwrap().unwrap()
    }

    async fn act(&self, act: Act) -> Result<()> {
        let (store, now, code) = (&*self.store, self.clock.now(), code("known"));
        let stone = |erased| Tombstone::new(now, WithdrawnBy::Admin, "asked", erased);
        match act {
            Act::Withdraw => drop(store.withdraw(&code, &stone(false))?),
            Act::Erase => drop(store.withdraw(&code, &stone(true))?),
            Act::Restore => {
                let stone = store.tombstone(&code)?.unwrap();
                assert!(store.restore(&code, &stone, "a mistake", now)?);
            }
            Act::Move => {
                let (from, to) = (store.item(&code)?.unwrap().categories, self.category("乙报").id);
                let decided = Move { from, to: vec![to], why: "asked".to_owned(), by: Mover::Admin };
                assert!(store.reroute(&code, &decided, now)?);
            }
            Act::Rename => {
                let id = self.category("甲报").id;
                store.rename_category(id, "甲日报", &Slug::new("jiaribao").unwrap(), now)?;
            }
            Act::Merge => {
                let (from, into) = (self.category("甲报"), self.category("乙报"));
                merge_categories(store, &from, &into, now, &mut |_| {})?;
            }
            Act::Sweep => {
                let keep = Retention { items: Some(1), age: None };
                while store.sweep(self.category("甲报").id, keep, 10, now)? > 0 {}
            }
            Act::Poll => self.poll(1, None).await?,
            Act::Overtake => {
                self.clock.set(now.plus(90));
                self.put(&["old", "known", "new"], "newest");
                self.poll(0, None).await?;
            }
            Act::PollErase => {
                self.poll(1, None).await?;
                assert!(store.withdraw(&self::code("new"), &stone(true))?);
            }
        }
        Ok(())
    }

    /// Returns what readers and admins see.
    fn seen(&self) -> Vec<String> {
        let store = &*self.store;
        let mut all = Vec::new();
        for name in ["old", "known", "new"] {
            let (code, name) = (code(name), name.to_owned());
            let item = store.item(&code).unwrap();
            let categories = item.iter().flat_map(|item| &item.categories);
            let categories: BTreeSet<String> =
                categories.map(|id| store.category(*id).unwrap().unwrap().name).collect();
            let title = item.map(|item| item.title);
            let (body, out) = (store.body(&code).unwrap().html, store.tombstone(&code).unwrap());
            let out = out.map(|stone| (stone.by, stone.erased));
            all.push(format!("{name}: {title:?} {body} {categories:?} {out:?}"));
        }
        let whole = Window { items: 99, age: -1, most: 99, archived: true };
        for category in
            store.categories().unwrap().into_iter().map(|category| category.id).chain([CategoryId::SITE])
        {
            let items = store.items_in(category, whole).unwrap();
            let codes: BTreeSet<String> = items.iter().map(|item| item.code.code().to_owned()).collect();
            all.push(format!("{}: {codes:?}", store.category(category).unwrap().unwrap().name));
        }
        all
    }
}

/// Creates a world in which `act` can be done during a poll of an edited document.
async fn edited(upstream: &Upstream, sled: bool, act: Act) -> World<'_> {
    let world = World::new(upstream, sled).await;
    if act == Act::Restore {
        world.act(Act::Withdraw).await.unwrap();
    }
    world.put(&["old", "known", "new"], "edited");
    world
}

/// Returns the outcome if `act` comes at the given point of a poll.
async fn outcome(upstream: &Upstream, sled: bool, act: Act, place: usize) -> Vec<String> {
    let world = edited(upstream, sled, act).await;
    world.poll(0, Some((act, place))).await.unwrap();
    world.seen()
}

#[tokio::test]
async fn the_outcome_of_what_happens_beside_a_poll_is_a_serial_one() {
    let upstream = Upstream::start().await;
    let mut schedules = 0;
    for sled in [false, true] {
        for act in ACTS {
            let serial =
                [outcome(&upstream, sled, act, 0).await, outcome(&upstream, sled, act, STEPS - 1).await];
            for place in 1..STEPS - 1 {
                let seen = outcome(&upstream, sled, act, place).await;
                assert!(
                    serial.contains(&seen),
                    "{act:?} at {place}, sled: {sled}: {seen:#?}\n not of {serial:#?}"
                );
                schedules += 1;
            }
        }
    }
    assert_eq!(schedules, 60);
}

/// Returns the outcome if, in addition, the process ends after `writes` writes and is restarted when its
/// leases have expired; `None` if there were fewer writes.
async fn outcome_of_cut(
    upstream: &Upstream,
    (sled, act, place): (bool, Act, usize),
    writes: usize,
) -> Option<Vec<String>> {
    let mut world = edited(upstream, sled, act).await;
    let whole = Arc::clone(&world.store);
    let cut = Arc::new(Broken::cut_after(writes, Arc::clone(&whole)));
    world.store = Arc::<Broken<_>>::clone(&cut);
    let ended = world.poll(0, Some((act, place))).await;
    if cut.writes_left() > 0 {
        ended.unwrap();
        return None;
    }
    world.store = whole;
    started_again(&world).await;
    Some(world.seen())
}

/// Does what the next start does, and the next poll.
async fn started_again(world: &World<'_>) {
    world.clock.set(noon().plus(14_400));
    finish_merges(&*world.store, world.clock.now()).unwrap();
    world.poll(0, None).await.unwrap();
}

/// Returns the outcomes without interruption: the act before, after, or not at all.
async fn serial(upstream: &Upstream, sled: bool, act: Act) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for between in [Some((act, 0)), Some((act, STEPS - 1)), None] {
        let world = edited(upstream, sled, act).await;
        world.poll(0, between).await.unwrap();
        started_again(&world).await;
        all.push(world.seen());
    }
    all
}

#[tokio::test]
async fn the_outcome_of_what_is_cut_off_at_any_write_is_a_serial_one() {
    let upstream = Upstream::start().await;
    let mut cuts = 0;
    for sled in [false, true] {
        for act in ACTS {
            let serial = Box::pin(serial(&upstream, sled, act)).await;
            for place in 0..STEPS {
                for writes in 0.. {
                    let cut = Box::pin(outcome_of_cut(&upstream, (sled, act, place), writes));
                    let Some(seen) = cut.await else {
                        break;
                    };
                    assert!(
                        serial.contains(&seen),
                        "{act:?} at {place}, cut after {writes}, sled: {sled}: {seen:#?}\n not of {serial:#?}"
                    );
                    cuts += 1;
                }
            }
        }
    }
    assert!(cuts > 300, "{cuts}");
}
