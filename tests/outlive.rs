//! Promise: no published file outlives its item or category. Whatever was done to articles and categories,
//! and in which steps it was published, the directories equal those of a fresh import of the store into
//! empty ones; and no file contains a word of an erased article.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a sample that is not there ends the test")]

mod common;

use std::fs;

use common::samples::{RssItem, feed_source, rss};
use common::{Mill, Tree, Upstream, at, changed_paths, every_item};
use feedmill::control::{Event, Query, StoreQuery};
use feedmill::daemon::merge_categories;
use feedmill::model::{CategoryId, InfoCode, Item};
use feedmill::publish::PublishScope;
use feedmill::store::backup::Form;
use feedmill::store::{Move, Mover, Retention, Tombstone, WithdrawnBy};
use serde_json::Value;

/// A config that publishes everything as files, to each kind of directory.
const FILES: &str = "[site]\nurl = \"https://news.example.org/\"\nid_authority = \"news.example.org,2026\"\n\
    indexing = true\n[output]\narticles = \"files\"\ncorrections = true\n\
    [output.jekyll]\npath = \"../data/jekyll\"\n[output.json_lines]\npath = \"../data/lines\"\n";
/// The output directories.
const PLACES: [&str; 3] = ["data/public", "data/jekyll", "data/lines"];
const PAPERS: [&str; 3] = ["a", "b", "c"];

/// Changes of articles and categories; an article is named by its newspaper and number.
#[derive(Debug, Clone, Copy)]
enum Step {
    Withdraw(&'static str),
    Erase(&'static str),
    Restore(&'static str),
    Move(&'static str, &'static str),
    /// Moves an article to two categories.
    Both(&'static str, &'static str, &'static str),
    Edit(&'static str),
    Merge(&'static str, &'static str),
    Slug(&'static str, &'static str),
    Name(&'static str, &'static str),
    /// Gives a newspaper another category, then reroutes.
    Reroute(&'static str, &'static str),
    /// Limits the number of items in a category.
    Keep(&'static str, usize),
    /// Uses another config.
    Config(&'static str),
    /// What is written is looked at whole, as at a start.
    PublishAll,
}
use Step::{Both, Config, Edit, Erase, Keep, Merge, Name, PublishAll, Reroute, Restore, Slug, Withdraw};

/// Three newspapers with some articles each, and the steps done so far.
struct Site {
    upstream: Upstream,
    mill: Mill,
    main: String,
    categories: [&'static str; 3],
    edits: Vec<&'static str>,
    erased: Vec<&'static str>,
    articles: usize,
}

impl Site {
    async fn open(main: &str, articles: usize) -> Self {
        let upstream = Upstream::start().await;
        let mill = Mill::open(at("2026-05-01T04:00:00Z"), main, "").await;
        let categories = ["Aa", "Bb", "Cc"];
        let mut site = Self {
            upstream,
            mill,
            main: main.to_owned(),
            categories,
            edits: Vec::new(),
            erased: Vec::new(),
            articles,
        };
        site.mill.reopen(main, &site.sources()).await;
        site.poll().await;
        site.mill.publish().await;
        site
    }

    fn sources(&self) -> String {
        let papers = PAPERS.iter().zip(self.categories);
        let one =
            |(id, category): (&&str, &str)| feed_source(id, category, &self.upstream, &format!("/{id}"));
        papers.map(one).collect::<Vec<_>>().join("\n")
    }

    /// Serves the newspapers as they are now, and polls them.
    async fn poll(&mut self) {
        for (nth, paper) in PAPERS.iter().enumerate() {
            let texts: Vec<[String; 4]> = (0..self.articles)
                .map(|n| {
                    let name = format!("{paper}{n}");
                    let edits = self.edits.iter().filter(|edited| **edited == name).count();
                    // Over two months, with the newspapers' articles interleaved.
                    let hours = i64::try_from(n * 7 + nth).unwrap();
                    let date = at("2026-03-20T00:00:00Z").plus(hours * 3_600 % (40 * 86_400)).rfc822();
                    let link = format!("https://{paper}.example.org/{n}");
                    [
                        link,
                        format!("Title of {name}. {edits}"),
                        format!("<p>Text of {name}. {edits}</p>"),
                        date,
                    ]
                })
                .collect();
            let items: Vec<RssItem<'_>> = texts
                .iter()
                .map(|[link, title, html, date]| RssItem { guid: link, link, title, html, date })
                .collect();
            self.upstream.rss(&format!("/{paper}"), rss("https://paper.example/", &items));
        }
        self.mill.pass(7_200);
        self.mill.round().await;
    }

    async fn ask(&self, query: Query) -> Value {
        match self.mill.ask(query).await {
            Event::Done(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    fn item(&self, name: &str) -> Option<Item> {
        let link = format!("https://{}.example.org/{}", &name[..1], &name[1..]);
        let all = every_item(self.mill.store());
        all.into_iter().find(|item| item.link.as_deref() == Some(&link))
    }

    fn code(&self, name: &str) -> Option<String> {
        self.item(name).map(|item| item.code.text(None))
    }

    fn category(&self, name: &str) -> CategoryId {
        self.mill.store().find_category(name).unwrap().unwrap().id
    }

    /// Does a step and publishes, as commands and the daemon do; skips a step that is impossible.
    async fn take(&mut self, step: Step) {
        self.mill.pass(600);
        match step {
            Withdraw(name) | Erase(name) => {
                let Some(code) = self.code(name) else { return };
                let erase = matches!(step, Erase(_));
                self.erased.extend(erase.then_some(name));
                let why = "asked".to_owned();
                let query = Query::Withdraw {
                    names: vec![code],
                    why,
                    erase,
                    copies: false,
                    exports: false,
                    dry_run: false,
                };
                self.ask(query).await;
            }
            Restore(name) => {
                let Some(code) = self.code(name) else { return };
                self.mill.ask(Query::Restore { code, why: "asked".to_owned() }).await;
            }
            Step::Move(name, to) => {
                let Some(code) = self.code(name) else { return };
                self.mill.ask(Query::Move { code, to: to.to_owned() }).await;
            }
            Both(name, one, other) => self.put_in_both(name, [one, other]),
            Edit(name) => {
                self.edits.push(name);
                self.poll().await;
            }
            Merge(from, into) => {
                let (from, into) = (from.to_owned(), into.to_owned());
                self.mill.ask(Query::MergeCategory { from, into, dry_run: false }).await;
            }
            Slug(category, slug) => self.rename(category, None, Some(slug)).await,
            Name(category, name) => self.rename(category, Some(name), None).await,
            Reroute(paper, category) => {
                let nth = PAPERS.iter().position(|known| *known == paper).unwrap();
                self.categories[nth] = category;
                self.mill.reopen(&self.main, &self.sources()).await;
                self.ask(Query::Reroute { dry_run: false }).await;
            }
            Keep(category, items) => {
                let keep = Retention { items: Some(items), age: None };
                while self.mill.store().sweep(self.category(category), keep, 50, self.mill.now()).unwrap() > 0
                {
                }
            }
            Config(main) => {
                main.clone_into(&mut self.main);
                self.mill.reopen(main, &self.sources()).await;
            }
            PublishAll => {
                self.mill.publish().await;
            }
        }
        self.mill.own().publish(PublishScope::Changed, |_, _| {}).await.unwrap();
    }

    fn put_in_both(&self, name: &str, both: [&str; 2]) {
        let Some(item) = self.item(name) else { return };
        let to = both.map(|category| self.category(category)).to_vec();
        let decided = Move { from: item.categories, to, why: "asked".to_owned(), by: Mover::Rules };
        self.mill.store().reroute(&item.code, &decided, self.mill.now()).unwrap();
    }

    async fn rename(&self, category: &str, name: Option<&str>, slug: Option<&str>) {
        let (name, slug) = (name.map(str::to_owned), slug.map(str::to_owned));
        self.mill.ask(Query::RenameCategory { category: category.to_owned(), name, slug }).await;
    }

    /// Returns the files in the directories, except the publisher's records.
    fn published(mill: &Mill) -> Tree {
        let mut all = Tree::new();
        for place in PLACES {
            let files = mill.files(place).into_iter().filter(|(path, _)| !path.starts_with(".feedmill/"));
            all.extend(files.map(|(path, bytes)| (format!("{place}/{path}"), bytes)));
        }
        all
    }

    /// Returns what a fresh import publishes.
    async fn anew(&self) -> Tree {
        let path = self.mill.path("export").display().to_string();
        self.ask(Query::Store(StoreQuery::Export { path: path.clone(), form: Form::Packed })).await;
        let other = Mill::open(self.mill.now(), &self.main, &self.sources()).await;
        match other.ask(Query::Store(StoreQuery::Import { path, replace: false })).await {
            Event::Done(_) => {}
            event => panic!("{event:?}"),
        }
        other.publish().await;
        Self::published(&other)
    }

    /// Checks that the directories equal those of a fresh import.
    async fn is_as_anew(&self, steps: &[Step]) {
        let (found, wanted) = (Self::published(&self.mill), self.anew().await);
        let differ = changed_paths(&found, &wanted);
        assert!(differ.is_empty(), "{steps:?}: {differ:#?}");
        let checked = self.ask(Query::Store(StoreQuery::Check)).await;
        assert_eq!(checked["told"], serde_json::json!([]), "{steps:?}");
        let empty = empty_folders(&self.mill);
        assert!(empty.is_empty(), "{steps:?}: {empty:?}");
        for name in &self.erased {
            assert!(self.traces(&format!("of {name}.")).is_empty(), "{steps:?}: {name}");
        }
    }

    /// Returns the published files and last answers that contain a text.
    fn traces(&self, text: &str) -> Vec<String> {
        let answers = self.mill.files("data/store/answers").into_iter();
        let all = Self::published(&self.mill).into_iter().chain(answers);
        let says = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(text);
        all.filter(|(_, bytes)| says(bytes)).map(|(path, _)| path).collect()
    }
}

fn empty_folders(mill: &Mill) -> Vec<String> {
    let mut empty = Vec::new();
    let mut folders: Vec<_> = PLACES.iter().map(|place| mill.path(place)).collect();
    while let Some(folder) = folders.pop() {
        let inside: Vec<_> = fs::read_dir(&folder).into_iter().flatten().flatten().collect();
        if inside.is_empty() && folder.exists() && !folder.ends_with(".feedmill") {
            empty.push(folder.display().to_string());
        }
        folders.extend(inside.into_iter().map(|entry| entry.path()).filter(|path| path.is_dir()));
    }
    empty
}

async fn hold(main: &str, articles: usize, sequences: &[&[Step]]) {
    for steps in sequences {
        let mut site = Site::open(main, articles).await;
        for step in *steps {
            site.take(*step).await;
        }
        site.is_as_anew(steps).await;
    }
}

/// Merging large categories takes a while; an article withdrawn meanwhile is unpublished when the withdrawal
/// is answered.
#[tokio::test]
async fn what_is_withdrawn_while_its_category_is_merged_is_nowhere_when_that_is_answered() {
    let site = Site::open(&FILES.replace("\"files\"", "\"on-request\""), 3).await;
    let category = |name: &str| site.mill.store().find_category(name).unwrap().unwrap();
    let (from, into) = (category("Aa"), category("Bb"));
    let shown = || {
        let outputs = site.mill.outputs();
        let holds = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains("Title of a1.");
        outputs.into_iter().filter(|(path, bytes)| path.starts_with("feed/") && holds(bytes)).count()
    };
    assert!(shown() > 1, "{:?}", site.mill.outputs().keys());
    // All items have moved, but the changes are not published yet.
    merge_categories(site.mill.store(), &from, &into, site.mill.now(), &mut |_| {}).unwrap();
    let names = vec![site.code("a1").unwrap()];
    let why = "asked".to_owned();
    site.ask(Query::Withdraw { names, why, erase: false, copies: false, exports: false, dry_run: false })
        .await;
    assert_eq!(shown(), 0);
}

#[tokio::test]
async fn what_was_moved_or_renamed_leaves_nothing_behind() {
    hold(
        FILES,
        4,
        &[
            &[Step::Move("a1", "bb")],
            &[Step::Move("a0", "bb"), Step::Move("a1", "bb"), Step::Move("a2", "bb"), Step::Move("a3", "bb")],
            &[Step::Move("a1", "bb"), Step::Move("a1", "aa")],
            &[Reroute("a", "Bb")],
            &[Reroute("a", "Bb"), Reroute("a", "Aa")],
            &[Merge("aa", "bb")],
            &[Slug("aa", "s1")],
            &[Slug("aa", "s1"), Slug("s1", "s2"), Edit("a1")],
            &[Slug("aa", "s1"), Slug("s1", "aa")],
            &[Slug("aa", "s1"), Merge("s1", "cc"), Name("cc", "Dd")],
            &[Both("a1", "aa", "bb"), Step::Move("a1", "bb")],
        ],
    )
    .await;
}

#[tokio::test]
async fn what_was_erased_stands_nowhere() {
    hold(
        FILES,
        4,
        &[
            &[Erase("a1")],
            &[Step::Move("a1", "bb"), Erase("a1")],
            &[Step::Move("a1", "bb"), Edit("a1"), Erase("a1")],
            &[Edit("a1"), Step::Move("a1", "bb"), Step::Move("a1", "cc"), Erase("a1")],
            &[Reroute("a", "Bb"), Erase("a1")],
            &[Merge("aa", "bb"), Erase("a1")],
            &[Slug("aa", "s1"), Erase("a1")],
            &[Both("a1", "aa", "bb"), Merge("aa", "cc"), Erase("a1")],
            &[Withdraw("a1"), Step::Move("a2", "bb"), Erase("a1")],
            &[Withdraw("a0"), Withdraw("a1"), Withdraw("a2"), Withdraw("a3")],
            &[Withdraw("a1"), Restore("a1")],
            &[Merge("aa", "bb"), Withdraw("a1"), Restore("a1")],
            &[Withdraw("a1"), Merge("aa", "bb"), Restore("a1"), Erase("a2")],
        ],
    )
    .await;
}

#[tokio::test]
async fn what_grew_too_old_stands_nowhere() {
    hold(
        FILES,
        4,
        &[
            &[Keep("aa", 2)],
            &[Keep("aa", 0), PublishAll],
            &[Both("a1", "aa", "bb"), Keep("aa", 1)],
            &[Both("a1", "aa", "bb"), Keep("aa", 1), Keep("bb", 1)],
            &[Step::Move("a1", "bb"), Keep("bb", 2), Slug("bb", "s1")],
            &[Edit("a0"), Keep("aa", 1), Merge("aa", "bb")],
        ],
    )
    .await;
}

#[tokio::test]
async fn hundreds_that_are_sealed_lose_what_went() {
    hold(
        FILES,
        130,
        &[&[
            Step::Move("a5", "bb"),
            Both("a7", "aa", "cc"),
            Edit("a9"),
            Erase("a5"),
            Keep("aa", 60),
            Withdraw("b20"),
            Merge("bb", "aa"),
            Erase("b21"),
            Slug("aa", "s1"),
        ]],
    )
    .await;
}

/// Random sequences of steps.
#[tokio::test]
async fn any_order_ends_the_same() {
    const CATEGORIES: [&str; 5] = ["aa", "bb", "cc", "s1", "s2"];
    const ARTICLES: [&str; 9] = ["a0", "a1", "a2", "b0", "b1", "b2", "c0", "c1", "c2"];
    for seed in 1..=4_u64 {
        let mut state = seed;
        let mut any = |of: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % of
        };
        let mut site = Site::open(FILES, 3).await;
        let mut taken = Vec::new();
        for round in 0..24 {
            let (article, category, other) = (ARTICLES[any(9)], CATEGORIES[any(5)], CATEGORIES[any(5)]);
            let known = |name: &str| site.mill.store().find_category(name).unwrap().is_some();
            let step = match any(11) {
                0 => Withdraw(article),
                1 => Erase(article),
                2 => Restore(article),
                3 => Step::Move(article, category),
                4 if known(category) && known(other) && site.category(category) != site.category(other) => {
                    Both(article, category, other)
                }
                5 => Edit(article),
                6 if any(3) == 0 => Merge(category, other),
                7 => Slug(category, ["s1", "s2"][any(2)]),
                8 => Reroute(PAPERS[any(3)], ["Aa", "Bb", "Cc"][any(3)]),
                9 if known(category) => Keep(category, 1 + any(4)),
                _ => Name(category, ["Dd", "Ee"][any(2)]),
            };
            taken.push(step);
            site.take(step).await;
            if round % 6 == 5 {
                site.is_as_anew(&taken).await;
            }
        }
    }
}

/// A site that goes back to article pages on request has no files of them, nor of those erased since.
#[tokio::test]
async fn pages_that_are_made_on_request_are_no_files() {
    let on_request = FILES.replace("articles = \"files\"\n", "").leak();
    hold(
        FILES,
        4,
        &[
            &[Config(on_request), PublishAll],
            &[Step::Move("a1", "bb"), Config(on_request), Erase("a1"), PublishAll],
            &[Config(on_request), Erase("a1"), PublishAll, Config(FILES), PublishAll],
        ],
    )
    .await;
    hold(on_request, 4, &[&[Step::Move("a1", "bb"), Erase("a1")], &[Merge("aa", "bb"), Keep("bb", 3)]]).await;
}

/// Other settings give files other names, or add formats.
#[tokio::test]
async fn files_of_other_settings_go() {
    let zone = &*FILES.replace("indexing = true", "indexing = true\ntimezone = \"Pacific/Auckland\"").leak();
    let packed = &*FILES.replace("corrections = true", "precompress = true").leak();
    let unlisted = &*FILES.replace("indexing = true", "indexing = false").leak();
    hold(
        FILES,
        4,
        &[
            &[Config(zone), PublishAll],
            &[Config(zone), PublishAll, Step::Move("a1", "bb"), Erase("a1"), Config(FILES), PublishAll],
            &[Config(packed), PublishAll, Merge("aa", "bb"), Erase("a1"), Keep("bb", 3), Slug("cc", "s1")],
            &[Config(packed), PublishAll, Step::Move("a1", "bb"), Config(FILES), PublishAll, Erase("a1")],
            &[Config(unlisted), PublishAll],
        ],
    )
    .await;
}

/// After an interrupted publish, or in a directory that was not published to for a while, the publisher
/// still knows its files.
#[tokio::test]
async fn a_directory_knows_what_it_holds_however_long_ago_it_was_written() {
    let mut site = Site::open(FILES, 4).await;
    let without = FILES.split("[output.jekyll]").next().unwrap().to_owned();
    let (all, sources) = (site.main.clone(), site.sources());
    site.mill.reopen(&without, &sources).await;
    for step in [Step::Move("a1", "bb"), Erase("a1"), Keep("cc", 1), Slug("bb", "s1")] {
        site.take(step).await;
    }
    site.mill.reopen(&all, &sources).await;
    site.mill.publish().await;
    site.is_as_anew(&[]).await;
}

/// Files that feedmill did not write stay, whatever their names.
#[tokio::test]
async fn what_others_wrote_stays() {
    let mut site = Site::open(FILES, 4).await;
    let permalink = site.item("a1").unwrap().permalink;
    let beside = site.mill.path(&format!("data/public/{permalink}.bak"));
    fs::write(&beside, "mine").unwrap();
    fs::write(site.mill.path("data/jekyll/_posts/mine.md"), "mine").unwrap();
    for step in [Step::Move("a1", "bb"), Erase("a1"), Merge("aa", "bb"), Keep("bb", 1)] {
        site.take(step).await;
    }
    // Except temporary files of a killed process.
    let begun = ["data/public/aa/x.html.feedmill-tmp", "data/lines/2026/x.jsonl.feedmill-tmp"];
    for path in begun.map(|path| site.mill.path(path)) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "begun").unwrap();
    }
    site.mill.publish().await;
    assert!(begun.iter().all(|path| !site.mill.path(path).exists()));
    assert_eq!(fs::read_to_string(&beside).unwrap(), "mine");
    assert!(site.mill.path("data/jekyll/_posts/mine.md").exists());
    // A code that was never published has no files to remove.
    let code = InfoCode::parse("a~none", None).unwrap();
    let stone = Tombstone::new(site.mill.now(), WithdrawnBy::Admin, "", true);
    assert!(!site.mill.store().withdraw(&code, &stone).unwrap());
}

/// A newspaper's last answer is kept to try configs on, but not while the newspaper still lists an erased
/// article.
#[tokio::test]
async fn no_answer_that_lists_what_was_erased_is_kept() {
    let mut site = Site::open(FILES, 4).await;
    assert_eq!(site.traces("of a1.").iter().filter(|path| path.ends_with("a.answer")).count(), 1);
    site.take(Erase("a1")).await;
    for edited in ["a2", "a1", "b1"] {
        site.take(Edit(edited)).await;
        assert_eq!(site.traces("of a1."), Vec::<String>::new(), "{edited}");
    }
    assert_eq!(site.traces("of b1.").iter().filter(|path| path.ends_with("b.answer")).count(), 1);
    site.articles = 1;
    for edited in ["a0", "a0"] {
        site.take(Edit(edited)).await;
    }
    assert_eq!(site.traces("of a0.").iter().filter(|path| path.ends_with("a.answer")).count(), 1);
}

/// Exports that contain an article are listed, whatever their names, and no others; they are deleted on
/// request, and replaced by a new one.
#[tokio::test]
async fn exports_that_hold_what_was_withdrawn_are_named() {
    let site = Site::open(FILES, 4).await;
    let folder = site.mill.path("data/exports");
    let made = |name: &str| folder.join(name).display().to_string();
    let export = async |name: &str| {
        let path = made(name);
        site.ask(Query::Store(StoreQuery::Export { path, form: Form::Packed })).await;
    };
    let withdraw = async |name: &str, erase: bool, exports: bool, dry_run: bool| {
        let why = "asked".to_owned();
        let names = vec![name.to_owned()];
        site.ask(Query::Withdraw { names, why, erase, copies: false, exports, dry_run }).await
    };
    let (first, second) = (site.code("a1").unwrap(), site.code("a2").unwrap());
    export("store-20260401T000000Z.feedmill").await;
    export("mine.feedmill").await;
    fs::write(made("other.feedmill"), "of another program").unwrap();
    fs::create_dir_all(site.mill.path("data/store.replaced.2")).unwrap();
    let both = [made("mine.feedmill"), made("store-20260401T000000Z.feedmill")];

    // An import of these would publish the withdrawn article again; exports that contain its withdrawal are
    // not listed.
    let told = withdraw(&first, false, false, false).await;
    assert_eq!(told["exports"], serde_json::json!(both));
    export("later.feedmill").await;
    let told = withdraw(&first, false, false, true).await;
    assert_eq!(told["exports"], serde_json::json!(both));

    // An erased article must be in no export.
    let all = [made("later.feedmill"), both[0].clone(), both[1].clone()];
    let told = withdraw(&first, true, false, false).await;
    assert_eq!(told["exports"], serde_json::json!(all));
    assert_eq!(told["unread"], serde_json::json!([made("other.feedmill")]));
    assert_eq!(told["stores"].as_array().unwrap().len(), 1);
    export("without.feedmill").await;
    // Also if it is erased already, by its code or its address on this site.
    assert_eq!(withdraw(&first, true, false, false).await["exports"], serde_json::json!(all));

    let told = withdraw(&first, true, true, false).await;
    assert_eq!((&told["exports"], &told["deleted"]), (&serde_json::json!([]), &serde_json::json!(all)));
    let new = told["exported"].as_str().unwrap().to_owned();
    let mut left: Vec<String> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path().display().to_string()).collect();
    left.sort();
    let mut wanted = vec![made("other.feedmill"), made("without.feedmill"), new];
    wanted.sort();
    assert_eq!(left, wanted);
    assert_eq!(withdraw(&first, true, false, false).await["exports"], serde_json::json!([]));
    assert_eq!(withdraw(&second, true, false, true).await["exports"].as_array().unwrap().len(), 2);
}

/// However much is stored, a publish reads only what changed.
#[tokio::test]
async fn a_publish_costs_what_changed() {
    let mut costs = Vec::new();
    for articles in [130, 330] {
        let mut site = Site::open(FILES, articles).await;
        let mut cost = Vec::new();
        for step in [Step::Move("a5", "bb"), Erase("a5"), Edit("b9"), Both("b9", "bb", "cc"), Withdraw("b9")]
        {
            let before = Site::published(&site.mill);
            site.take(step).await;
            cost.push(changed_paths(&before, &Site::published(&site.mill)).len());
        }
        site.edits.push("c7");
        site.poll().await;
        let report = site.mill.own().publish(PublishScope::Changed, |_, _| {}).await.unwrap();
        costs.push((cost, report.rendered, report.written, report.kept));
        let report = site.mill.own().publish(PublishScope::Changed, |_, _| {}).await.unwrap();
        assert_eq!((report.written, report.kept), (0, 0));
    }
    let [few, many] = &costs[..] else { panic!() };
    assert!(few.2 + few.3 < 60, "{costs:?}");
    assert!(many.2 + many.3 <= few.2 + few.3 + 4, "{costs:?}");
}

/// An imported old site has pages at its old addresses from the next publish on.
#[tokio::test]
async fn pages_at_imported_addresses_come_with_the_next_publish() {
    let main = FILES.replacen("[site]\n", "[site]\ncode_space = \"old\"\n", 1);
    let mut site = Site::open(&main, 4).await;
    let folder = site.mill.path("old/_posts");
    fs::create_dir_all(&folder).unwrap();
    let post = "---\nlayout: post\ntitle: \"Old\"\ndate: 2021-12-21 10:00:00 +0800\ncategories: aa\ntags: aa\n---\nText.\n";
    fs::write(folder.join("2021-12-21-202112212221043837.md"), post).unwrap();
    let report = site.mill.own().import_jekyll(&site.mill.path("old"), false, |_, _| {}).await.unwrap();
    assert!(report.paths > 0, "{report:?}");
    site.mill.own().publish(PublishScope::Changed, |_, _| {}).await.unwrap();
    let leads = |mill: &Mill| {
        let old = Site::published(mill).into_iter().filter(|(path, _)| path.contains("/2021/"));
        old.filter(|(_, bytes)| String::from_utf8_lossy(bytes).contains("refresh")).count()
    };
    assert!(leads(&site.mill) > 0);
    site.is_as_anew(&[]).await;
    site.take(Slug("aa", "s1")).await;
    site.is_as_anew(&[Slug("aa", "s1")]).await;
}
