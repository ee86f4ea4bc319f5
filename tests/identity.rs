//! Promise: an article stays itself whatever its newspaper does to guids, addresses, titles and lists, and no article is
//! written over another (RULES 1.5 to 1.7).
//!
//! A model: random histories of newspapers whose articles are numbered. The number is the name of the author, by which
//! nothing is identified, so that the store tells which article each item is. `FEEDMILL_HISTORIES` sets how many
//! histories are run, `FEEDMILL_SEED` runs one.
//!
//! What nobody can decide, and is counted apart ([`Doubt`]):
//!
//! The date of an article is that of its first publication; one that was changed later is no sign.
//!
//! - [`Doubt::NothingKept`]: a new guid or none, and title, text and date are new at once under a kept address; or guid
//!   kept, and address, title and text new at once.
//! - [`Doubt::NoName`]: no address of its own and no guid that stays, and title, text or date edited.
//! - [`Doubt::NewAddress`]: guid and address both new, and the text is short, or edited at the same time.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a history that cannot be run ends the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use feedmill::clock::{Clock, ManualClock};
use feedmill::config;
use feedmill::fetch::Fetcher;
use feedmill::ingest::{Answer, Ingest};
use feedmill::model::{Author, Cursor, Document, Entry, Timestamp};
use feedmill::source::Source;
use feedmill::store::{AliasKind, Change, Changes, Claimed, Handle, Items, MemoryStore, Sources, Store};

const START: i64 = 1_777_600_000;
const WORDS: [&str; 48] = [
    "harbour",
    "mill",
    "council",
    "bridge",
    "winter",
    "school",
    "river",
    "market",
    "tower",
    "engine",
    "garden",
    "price",
    "storm",
    "library",
    "doctor",
    "railway",
    "island",
    "festival",
    "bakery",
    "theatre",
    "mountain",
    "teacher",
    "court",
    "budget",
    "forest",
    "museum",
    "election",
    "farmer",
    "castle",
    "ferry",
    "hospital",
    "orchestra",
    "village",
    "police",
    "ocean",
    "tunnel",
    "factory",
    "painter",
    "valley",
    "airport",
    "cinema",
    "student",
    "lawyer",
    "stadium",
    "bishop",
    "meadow",
    "printer",
    "lantern",
];

/// Numbers that a seed decides (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn words(&mut self, count: usize) -> String {
        (0..count).map(|_| self.of(&WORDS)).collect::<Vec<_>>().join(" ")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Guids {
    /// A number in the editing system.
    Stable,
    /// The address.
    Permalink,
    /// The address and a counter that goes up with each edit.
    Counter,
    /// The place in the list.
    Place,
    /// Another one at each poll.
    Random,
    /// One for all.
    OneForAll,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Links {
    Own,
    /// One page for all.
    Shared,
    /// Parts of one page.
    Parts,
    /// Routes of a program in the page.
    Routes,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Texts {
    Long,
    Short,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Doubt {
    NothingKept,
    NoName,
    NewAddress,
}

/// How a newspaper works.
#[derive(Debug, Clone)]
struct Style {
    guids: Guids,
    links: Links,
    texts: Texts,
    dated: bool,
    /// A session in each link, new at each poll.
    sessions: bool,
    /// An article may stand in the list twice, with two spellings of its link.
    twice: bool,
    lists: usize,
    window: usize,
}

#[derive(Debug, Clone)]
struct Article {
    number: usize,
    title: String,
    text: String,
    date: i64,
    slug: String,
    counter: usize,
    /// Its date is another than that of its first publication, which is the one that is kept (RULES 2.1).
    redated: bool,
    /// Edited since it was listed last.
    unseen: bool,
    listed: bool,
}

impl Style {
    fn rolled(dice: &mut Dice) -> Self {
        use Guids::{Counter, None as NoGuid, OneForAll, Permalink, Place, Random, Stable};
        let guids = dice
            .of(&[Stable, Stable, Permalink, Permalink, Counter, Place, Random, OneForAll, NoGuid, NoGuid]);
        let links = match guids {
            // One guid and one link for all: nothing but the text tells the articles apart.
            OneForAll | Place => dice.of(&[Links::Own, Links::Own, Links::Routes]),
            Permalink | Counter => dice.of(&[Links::Own, Links::Own, Links::Parts, Links::Routes]),
            _ => dice.of(&[Links::Own, Links::Own, Links::Shared, Links::Parts, Links::Routes, Links::None]),
        };
        let two = matches!(guids, Stable | Permalink) || (guids == NoGuid && links == Links::Own);
        Self {
            guids,
            links,
            texts: dice.of(&[Texts::Long, Texts::Short]),
            dated: !dice.one_in(4),
            sessions: links == Links::Own && guids != Permalink && guids != Counter && dice.one_in(5),
            twice: matches!(guids, Stable | NoGuid) && links == Links::Own && dice.one_in(4),
            lists: if two && dice.one_in(3) { 2 } else { 1 },
            window: 1 + dice.below(5),
        }
    }

    fn has_own_link(&self) -> bool {
        matches!(self.links, Links::Own | Links::Routes | Links::Parts)
    }

    /// The guid stays with its article as long as the address does.
    fn has_guid(&self) -> bool {
        matches!(self.guids, Guids::Stable | Guids::Permalink)
    }
}

struct History {
    dice: Dice,
    style: Style,
    articles: Vec<Article>,
    /// Numbers of those listed, the newest first.
    shown: Vec<usize>,
    base: &'static str,
    poll: usize,
    /// Articles about which nobody can decide any more.
    doubts: BTreeMap<usize, Doubt>,
    story: Vec<String>,
}

const BASES: [&str; 4] = [
    "http://paper.example",
    "https://paper.example",
    "http://www.paper.example",
    "https://www.paper.example",
];

impl History {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let style = Style::rolled(&mut dice);
        let base = dice.of(&BASES);
        let story = vec![format!("seed {seed}: {style:?} at {base}")];
        Self {
            dice,
            style,
            articles: Vec::new(),
            shown: Vec::new(),
            base,
            poll: 0,
            doubts: BTreeMap::new(),
            story,
        }
    }

    fn text(&mut self) -> String {
        let words = if self.style.texts == Texts::Long { 60 } else { 5 };
        self.dice.words(words)
    }

    fn now(&self) -> i64 {
        START + i64::try_from(self.poll).unwrap() * 6 * 3_600
    }

    fn doubt(&mut self, number: usize, doubt: Doubt) {
        self.doubts.entry(number).or_insert(doubt);
    }

    /// What happens between two polls.
    fn go_on(&mut self) {
        self.poll += 1;
        let new = if self.poll == 1 { 1 + self.dice.below(self.style.window) } else { self.dice.below(3) };
        let edits: BTreeSet<usize> = if self.dice.one_in(2) {
            self.shown.iter().copied().filter(|_| self.dice.one_in(3)).collect()
        } else {
            BTreeSet::new()
        };
        for number in &edits {
            self.edit(*number);
        }
        if self.poll > 1 && self.dice.one_in(6) {
            self.move_site(&edits);
        }
        for _ in 0..new {
            let number = self.articles.len();
            let title = format!("{} {}", self.dice.words(3), self.dice.of(&WORDS));
            let text = self.text();
            let date = self.now() - 3_600 * 3 + i64::try_from(number % 1_000).unwrap() * 7 + 11;
            let slug = format!("{number}-{}", self.dice.of(&WORDS));
            self.articles.push(Article {
                number,
                title,
                text,
                date,
                slug,
                counter: 0,
                redated: false,
                unseen: false,
                listed: false,
            });
            self.shown.insert(0, number);
            if self.style.guids == Guids::None && self.style.links == Links::Shared && !self.style.dated {
                self.doubt(number, Doubt::NoName);
            }
        }
        if self.dice.one_in(6) && !self.articles.is_empty() {
            // An article that has left comes back.
            let old = self.dice.below(self.articles.len());
            if !self.shown.contains(&old) {
                self.story.push(format!("poll {}: article {old} is listed again", self.poll));
                if !self.style.has_guid() && !self.style.has_own_link() {
                    self.doubt(old, Doubt::NoName);
                }
                // Edited unseen: several edits and a move may have come together.
                if self.articles[old].unseen {
                    self.doubt(old, Doubt::NothingKept);
                }
                self.shown.insert(self.shown.len().min(1), old);
            }
        }
        self.shown.truncate(self.style.window);
        if self.dice.one_in(8) && self.shown.len() > 1 {
            self.shown.reverse();
            self.story.push(format!("poll {}: the list is turned over", self.poll));
        }
        for number in self.shown.clone() {
            (self.articles[number].listed, self.articles[number].unseen) = (true, false);
        }
    }

    fn edit(&mut self, number: usize) {
        let what = self.dice.of(&["title", "text", "title and text", "date", "all", "address"]);
        self.story.push(format!("poll {}: {what} of article {number} is edited", self.poll));
        let style = self.style.clone();
        let fresh = self.text();
        let headline = self.dice.words(4);
        let word = self.dice.of(&WORDS);
        let article = &mut self.articles[number];
        article.counter += 1;
        article.unseen = true;
        // One word of the text: a correction.
        let corrected = article.text.replacen(' ', &format!(" {word} "), 1);
        match what {
            "title" => article.title = headline,
            "text" => article.text = corrected,
            "title and text" => (article.title, article.text) = (headline, corrected),
            "date" => article.date += 1_801,
            "all" => (article.title, article.text, article.date) = (headline, fresh, article.date + 1_801),
            _ if style.links != Links::Own => return,
            _ => article.slug = format!("{number}-{word}-{}", self.poll),
        }
        let agrees = style.texts == Texts::Long && what != "all";
        article.redated |= matches!(what, "date" | "all");
        let dated = style.dated && !article.redated;
        let kept = usize::from(!what.contains("title") && what != "all")
            + usize::from(dated)
            + usize::from(what == "date" || what == "title" || agrees);
        if what == "address" {
            match style.guids {
                Guids::Stable => {}
                // The second list may see it only now, and has no history of its own.
                _ if style.lists == 2 => self.doubt(number, Doubt::NewAddress),
                _ if style.texts == Texts::Long => {}
                _ => self.doubt(number, Doubt::NewAddress),
            }
        } else if style.has_own_link() {
            if !style.has_guid() && kept == 0 {
                self.doubt(number, Doubt::NothingKept);
            }
        } else if style.has_guid() {
            if style.links == Links::None && kept == 0 {
                self.doubt(number, Doubt::NothingKept);
            }
        } else if kept < 2
            || style.links == Links::None
            || (style.guids == Guids::Random && what.contains("title"))
        {
            self.doubt(number, Doubt::NoName);
        }
    }

    /// The site moves to another scheme or host name.
    fn move_site(&mut self, edited: &BTreeSet<usize>) {
        let to = self.dice.of(&BASES);
        if to == self.base {
            return;
        }
        self.story.push(format!("poll {}: the site moves to {to}", self.poll));
        let other_name = to.contains("www.") != self.base.contains("www.");
        self.base = to;
        if self.style.guids == Guids::Stable || self.style.links == Links::None {
            return;
        }
        // Edited at the same time, under a host with another name, perhaps nothing is left that says so.
        for number in edited.iter().filter(|_| other_name) {
            self.doubt(*number, Doubt::NothingKept);
        }
    }

    fn document(&mut self, shift: usize) -> Document {
        let shown: Vec<usize> = self.shown.iter().copied().skip(shift).collect();
        let session = format!(";jsessionid={:X}.node2", self.dice.next());
        let mut document = Document { link: Some(format!("{}/", self.base)), ..Document::default() };
        for (place, number) in shown.into_iter().enumerate() {
            let random = self.dice.next();
            let article = &self.articles[number];
            let mark = if self.style.sessions { session.as_str() } else { "" };
            let link = match self.style.links {
                Links::Own => Some(format!("{}/n/{}{mark}", self.base, article.slug)),
                Links::Shared => Some(format!("{}/bulletins", self.base)),
                Links::Parts => Some(format!("{}/live#p{number}", self.base)),
                Links::Routes => Some(format!("{}/#/news/{number}", self.base)),
                Links::None => None,
            };
            let address = link.clone().unwrap_or_default();
            let guid = match self.style.guids {
                Guids::Stable => Some(format!("cms-{number}")),
                Guids::Permalink => Some(address),
                Guids::Counter => Some(format!("{address}#v{}", article.counter)),
                Guids::Place => Some((place + 1).to_string()),
                Guids::Random => Some(format!("{random:x}")),
                Guids::OneForAll => Some("the paper".to_owned()),
                Guids::None => None,
            };
            let entry = Entry {
                guid,
                link,
                title: article.title.clone(),
                content: Some(format!("<p>{}</p>", article.text)),
                published: self.style.dated.then(|| Timestamp::from_unix(article.date)),
                authors: vec![Author { name: article.number.to_string(), ..Author::default() }],
                ..Entry::default()
            };
            if self.style.twice && random.is_multiple_of(3) {
                // Without a guid only a mark that is known is no other address.
                let marks = ["?utm_source=rss", "#xtor=RSS-1", "?ref=top", "#top"];
                let known = if self.style.guids == Guids::None { 2 } else { 4 };
                let mark = marks[usize::try_from(random / 3 % known).unwrap()];
                let marked = entry.link.as_ref().map(|link| format!("{link}{mark}"));
                document.entries.push(Entry { link: marked, ..entry.clone() });
            }
            document.entries.push(entry);
        }
        document
    }
}

/// A mill in memory with two lists of one newspaper.
struct Model {
    store: Arc<MemoryStore>,
    clock: Arc<ManualClock>,
    ingest: Ingest,
    sources: Vec<Arc<Source>>,
}

impl Model {
    fn new(loaded: &config::Config, lists: usize) -> Self {
        let store = Arc::new(MemoryStore::new());
        let clock = Arc::new(ManualClock::at(Timestamp::from_unix(START)));
        let handle = Handle::new(Arc::clone(&store) as Arc<dyn Store>);
        let fetcher = Fetcher::new(loaded.fetch.clone()).unwrap();
        let ingest =
            Ingest::new(handle, fetcher, Arc::clone(&clock) as Arc<dyn Clock>, loaded.ingest.clone());
        let sources = if lists == 1 { &loaded.sources[..1] } else { &loaded.sources[1..] };
        Self { store, clock, ingest, sources: sources.to_vec() }
    }

    async fn poll(&self, list: usize, document: Document, now: i64) {
        self.clock.set(Timestamp::from_unix(now));
        let source = &self.sources[list];
        let claimed =
            self.store.claim("a model", std::slice::from_ref(&source.id), self.clock.now(), 60).unwrap();
        let [Claimed::Yours(claim)] = &claimed[..] else { panic!("{claimed:?}") };
        let report =
            self.ingest.finish(source, Answer::of_document(claim.state.clone(), document)).await.unwrap();
        assert_eq!((report.error, report.held), (None, 0));
    }

    /// Which article each item is, by the code of the item.
    fn items(&self) -> BTreeMap<String, usize> {
        let end = self.store.cursor().unwrap();
        let (items, _) = self.store.touched(&Cursor::default(), &end, usize::MAX).unwrap();
        let author = |item: &feedmill::model::Item| {
            self.store.body(&item.code).unwrap().authors[0].name.parse().unwrap()
        };
        items.iter().map(|item| (item.code.text(None), author(item))).collect()
    }
}

#[derive(Debug, Default)]
struct Score {
    histories: usize,
    polls: usize,
    articles: usize,
    /// Wrong merges and wrong doubles by the style of guids, for what can be decided.
    merges: BTreeMap<(Guids, Links), usize>,
    doubles: BTreeMap<(Guids, Links), usize>,
    /// The same for what nobody can decide.
    doubtful: BTreeMap<(Doubt, &'static str), usize>,
    failures: Vec<((Guids, Links), String)>,
}

impl Score {
    async fn run(&mut self, loaded: &config::Config, seed: u64) {
        let mut history = History::new(seed);
        let model = Model::new(loaded, history.style.lists);
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        let (mut merged, mut doubled) = (BTreeSet::new(), BTreeSet::new());
        for _ in 0..8 {
            history.go_on();
            for list in 0..history.style.lists {
                let shift = if list == 1 { history.dice.below(2) } else { 0 };
                let document = history.document(shift);
                if std::env::var_os("FEEDMILL_SEED").is_some() {
                    for entry in &document.entries {
                        let Entry { guid, link, title, published, content, .. } = entry;
                        let text =
                            content.as_deref().unwrap_or_default().chars().take(40).collect::<String>();
                        let line = format!(
                            "  {} list {list}: {guid:?} {link:?} {title} {published:?} {text}",
                            entry.authors[0].name
                        );
                        history.story.push(line);
                    }
                }
                model.poll(list, document, history.now()).await;
            }
            self.polls += history.style.lists;
            let items = model.items();
            for (code, number) in &items {
                let first = *known.entry(code.clone()).or_insert(*number);
                if first != *number {
                    merged.insert((first, *number));
                }
            }
            let mut codes: BTreeMap<usize, usize> = BTreeMap::new();
            for number in items.values() {
                *codes.entry(*number).or_default() += 1;
            }
            doubled.extend(codes.iter().filter(|(_, count)| **count > 1).map(|(number, _)| *number));
            for number in
                history.articles.iter().filter(|article| article.listed).map(|article| article.number)
            {
                // A second list may have left out the newest.
                if !codes.contains_key(&number) && !merged.iter().any(|(a, b)| *a == number || *b == number) {
                    merged.insert((number, number));
                }
            }
        }
        self.histories += 1;
        self.articles += history.articles.len();
        let kind = (history.style.guids, history.style.links);
        for (a, b) in merged {
            if let Some(doubt) = history.doubts.get(&a).or(history.doubts.get(&b)) {
                *self.doubtful.entry((*doubt, "merge")).or_default() += 1;
            } else {
                *self.merges.entry(kind).or_default() += 1;
                let story = history.story.join("\n");
                self.failures.push((kind, format!("wrong merge of {a} and {b}\n{story}")));
            }
        }
        for number in doubled {
            if let Some(doubt) = history.doubts.get(&number) {
                *self.doubtful.entry((*doubt, "double")).or_default() += 1;
            } else {
                *self.doubles.entry(kind).or_default() += 1;
                let story = history.story.join("\n");
                self.failures.push((kind, format!("wrong double of {number}\n{story}")));
            }
        }
    }
}

/// The config of a mill with one list, and with two that share a code space.
fn config() -> config::Config {
    let folder = tempfile::tempdir().unwrap();
    let source = |id: &str, more: &str| {
        format!(
            "[[source]]\nid = \"{id}\"\nurl = \"https://{id}.example/feed\"\ncategory = \"paper\"\n{more}"
        )
    };
    let shared = "code_space = \"shared\"\n";
    fs::create_dir_all(folder.path().join("sources.d")).unwrap();
    fs::write(
        folder.path().join("feedmill.toml"),
        "[site]\nurl = \"https://news.example.org/\"\ncontact = \"a@b.example\"\n",
    )
    .unwrap();
    fs::write(
        folder.path().join("sources.d/a.toml"),
        source("alone", "") + &source("first", shared) + &source("second", shared),
    )
    .unwrap();
    let loaded = config::load(&folder.path().join("feedmill.toml"));
    loaded.config.unwrap_or_else(|| panic!("{:?}", loaded.faults))
}

#[tokio::test]
async fn articles_stay_themselves_in_random_histories() {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let loaded = config();
    let mut score = Score::default();
    if let Some(seed) = number("FEEDMILL_SEED") {
        score.run(&loaded, seed).await;
    } else {
        for seed in 0..number("FEEDMILL_HISTORIES").unwrap_or(300) {
            score.run(&loaded, seed).await;
        }
    }
    println!("{} histories, {} polls, {} articles", score.histories, score.polls, score.articles);
    println!("wrong merges: {:?}\nwrong doubles: {:?}", score.merges, score.doubles);
    println!("beyond decision: {:?}", score.doubtful);
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    for (kind, failure) in &score.failures {
        let count = told.entry(format!("{kind:?} {}", &failure[..12])).or_default();
        *count += 1;
        if *count <= 3 {
            println!("{failure}\n");
        }
    }
    assert!(score.failures.is_empty(), "{} faults", score.failures.len());
}

/// What earlier versions stored leads to the same items: links with their scheme and `www.`, under any guid.
#[tokio::test]
async fn items_of_an_older_store_are_found_under_their_earlier_links() {
    let loaded = config();
    for (stored, listed) in [
        ("http://paper.example/n/1", "https://paper.example/n/1"),
        ("https://www.paper.example/n/1", "https://paper.example/n/1"),
        ("https://paper.example/n/1", "http://paper.example/n/1#comments"),
        ("http://www.paper.example/n/1", "https://www.paper.example/n/1?utm_source=rss"),
    ] {
        let entry = |guid: &str, link: &str| Entry {
            guid: Some(guid.to_owned()),
            link: Some(link.to_owned()),
            title: "Bridge closed".to_owned(),
            authors: vec![Author { name: "1".to_owned(), ..Author::default() }],
            ..Entry::default()
        };
        let document = |entry: Entry| Document { entries: vec![entry], ..Document::default() };
        let first = Model::new(&loaded, 1);
        first.poll(0, document(entry("old", stored)), START).await;
        let code = first.items().into_keys().next().unwrap();
        let code = feedmill::model::InfoCode::parse(&code, None).unwrap();
        let source = first.sources[0].id.clone();
        let mut change = Change::of(code.clone());
        change.item = first.store.item(&code).unwrap();
        change.body = Some(first.store.body(&code).unwrap());
        change.sighting = first.store.listings(&code).unwrap().pop();
        change.aliases = vec![(source, (AliasKind::Link, earlier_hash(stored)))];
        let model = Model::new(&loaded, 1);
        assert_eq!(model.store.commit(vec![change], Timestamp::from_unix(START)).unwrap(), []);
        model.poll(0, document(entry("new", listed)), START + 3_600).await;
        assert_eq!(model.items().len(), 1, "{stored} {listed}");
    }
}

/// The hash under which a canonical link was kept.
fn earlier_hash(link: &str) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in ["link", link] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize()[..16].try_into().unwrap()
}
