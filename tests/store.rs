//! Promise: the store fulfils its contract with each backend, and is the same after it was closed and opened
//! again.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use common::at;
use feedmill::daemon::merge_categories;
use feedmill::model::{
    Body, CategoryId, CodeSpace, ContentHash, Cursor, InfoCode, Item, Signs, Slug, SourceId, SourceState,
    Timestamp,
};
use feedmill::store::backup::Form;
use feedmill::store::{
    Alias, AliasKind, AtPath, Categories, Change, Changes, Claim, Claimed, Event, EventKind, Items,
    MemoryStore, Move, Mover, Name, Placement, PollResult, RecordKind, Records, Retention, Revision,
    Sighting, SledStore, Sources, Store, StoreError, Tombstone, Window, WithdrawnBy,
};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence::Direct;
use tempfile::TempDir;

const ALL: Window = Window { items: 1_000, age: -1, most: 1_000, archived: true };

fn noon() -> Timestamp {
    at("2026-05-01T12:00:00Z")
}

/// Returns an empty store of each backend.
fn backends() -> Vec<(&'static str, Box<dyn Store>, Option<TempDir>)> {
    let folder = tempfile::tempdir().unwrap();
    let sled = SledStore::open(&folder.path().join("store"), 1 << 20).unwrap();
    vec![("sled", Box::new(sled), Some(folder)), ("memory", Box::new(MemoryStore::new()), None)]
}

fn on_each(test: impl Fn(&dyn Store, &str)) {
    for (name, store, _folder) in backends() {
        test(&*store, name);
    }
}

fn source(number: usize) -> SourceId {
    SourceId::new(&format!("source-{number}")).unwrap()
}

fn seconds(number: usize) -> i64 {
    i64::try_from(number).unwrap()
}

/// Returns a code of one of both kinds; some are prefixes of others.
fn code(number: usize) -> InfoCode {
    let space = CodeSpace::new(if number.is_multiple_of(2) { "even" } else { "odd" }).unwrap();
    match number % 3 {
        0 => InfoCode::new(space, &format!("NW{number:018}")),
        1 => InfoCode::new(space, &"a".repeat(number + 1)),
        _ => InfoCode::new(space, &format!("碼{number}")),
    }
}

fn item(number: usize, home: CategoryId, published: Timestamp) -> Item {
    Item {
        code: code(number),
        title: format!("title {number}"),
        link: None,
        excerpt: "…".to_owned(),
        media_name: None,
        image: None,
        published,
        updated: published,
        first_seen: published,
        home,
        categories: vec![home],
        permalink: format!("c/2026/05/01/{number}.html"),
        lead: source(0),
        rank: 1,
        revisions: 0,
        generation: 0,
        touched: 0,
        imported: false,
    }
}

fn sighting(now: Timestamp, what: &str) -> Sighting {
    let listed = ContentHash::of(&[("title", what)]);
    Sighting { first: now, last: now, listed, guid: Some([7; 16]), checks: 0, detail: None }
}

fn event(at: Timestamp, what: EventKind) -> Event {
    let (source, known_by) = (Some(source(0)), "guid".to_owned());
    Event { at, what, source, why: "new".to_owned(), known_by, answer: Some((at, 12)) }
}

/// Returns the change that inserts an item into one category and the whole site.
fn insert(number: usize, home: CategoryId, published: Timestamp) -> Change {
    let mut change = Change::of(code(number));
    let shown = |category| Placement { category, shown: true };
    change.enters = vec![shown(home), shown(CategoryId::SITE)];
    change.item = Some(item(number, home, published));
    change.body = Some(Body { html: format!("<p>text {number}</p>"), ..Body::default() });
    change.sighting = Some((source(0), sighting(published, "first")));
    change.aliases = vec![(source(0), alias(number))];
    change.paths = vec![format!("old/{number}")];
    change.event = Some(event(published, EventKind::Inserted));
    change
}

fn cursor(generation: u64) -> Cursor {
    Cursor::from_bytes(&generation.to_be_bytes()).unwrap()
}

fn generation(cursor: &Cursor) -> u64 {
    u64::from_be_bytes(cursor.to_bytes().try_into().unwrap())
}

fn alias(number: usize) -> Alias {
    (AliasKind::Guid, [u8::try_from(number).unwrap(); 16])
}

/// Returns the item that an alias resolves to within a source.
fn led(store: &dyn Store, number: usize, alias: &Alias) -> Option<InfoCode> {
    store.known(&source(number), &[Name::Alias(*alias)]).unwrap().remove(0).code
}

fn is_void(store: &dyn Store, number: usize, guid: u8) -> bool {
    let name = Name::Alias((AliasKind::Guid, [guid; 16]));
    store.known(&source(number), &[name]).unwrap().remove(0).void
}

fn titles(items: &[Item]) -> Vec<&str> {
    items.iter().map(|item| item.title.as_str()).collect()
}

#[test]
fn a_change_is_stored_with_all_that_leads_to_it() {
    on_each(|store, name| {
        let home = store.ensure_category("河湾日报", None, noon()).unwrap().id;
        let before = store.cursor().unwrap();
        store.commit(vec![insert(1, home, noon()), insert(2, home, noon().plus(5))], noon()).unwrap();
        assert_eq!(titles(&store.items_in(home, ALL).unwrap()), ["title 2", "title 1"], "{name}");
        assert_eq!(titles(&store.items_in(CategoryId::SITE, ALL).unwrap()).len(), 2, "{name}");
        assert_eq!(titles(&store.arrivals(home, 1, 9).unwrap()), ["title 1", "title 2"], "{name}");
        assert_eq!(store.body(&code(1)).unwrap().html, "<p>text 1</p>", "{name}");
        assert_eq!(store.body(&code(4)).unwrap(), Body::default(), "{name}");
        assert_eq!(led(store, 0, &alias(2)), Some(code(2)), "{name}");
        assert_eq!(led(store, 1, &alias(2)), None, "{name}: within one source only");
        assert_eq!(store.at_path("c/2026/05/01/1.html").unwrap(), Some(AtPath::Article(code(1))), "{name}");
        let old = AtPath::Redirect("c/2026/05/01/1.html".to_owned());
        assert_eq!(store.at_path("old/1").unwrap(), Some(old), "{name}");
        assert_eq!(store.listings(&code(1)).unwrap()[0].0, source(0), "{name}");
        assert_eq!(store.past(&code(1)).unwrap().history, [event(noon(), EventKind::Inserted)], "{name}");
        let changed = store.changed_since(&before).unwrap();
        assert_eq!(changed.iter().map(|c| c.arrivals).collect::<Vec<_>>(), [2, 2], "{name}");
        let now = store.cursor().unwrap();
        let (some, upto) = store.touched(&before, &now, 1).unwrap();
        assert_eq!(some.len(), 2, "{name}: a commit is not cut apart");
        assert_eq!(
            store.touched(&upto, &now, 9).unwrap(),
            (Vec::new(), now.clone()),
            "{name}: and ends there"
        );
        assert_eq!(store.touched(&now, &now, 9).unwrap(), (Vec::new(), now.clone()), "{name}");
        assert_eq!(store.touched(&before, &before, 9).unwrap().0, [], "{name}");
        let two = store.item(&code(2)).unwrap().unwrap();
        let (older, newer) = store.neighbours(home, (two.published, &two.code)).unwrap();
        assert_eq!((older.map(|i| i.code), newer), (Some(code(1)), None), "{name}");
        assert_eq!(titles(&store.find("TITLE 2", 5).unwrap()), ["title 2"], "{name}");
    });
}

#[test]
fn generations_and_arrivals_only_grow_and_time_does_not_go_back() {
    on_each(|store, name| {
        let home = store.ensure_category("甲", None, noon()).unwrap().id;
        store.commit(vec![insert(1, home, noon())], noon()).unwrap();
        let before = store.category(home).unwrap().unwrap();
        store.commit(vec![insert(2, home, noon().plus(-99))], noon().plus(-99)).unwrap();
        let after = store.category(home).unwrap().unwrap();
        assert!(after.generation > before.generation, "{name}");
        assert_eq!((after.arrivals, after.newest), (2, Some(noon())), "{name}");
        assert_eq!(after.changed_at, noon(), "{name}: an output never looks older than it was");
        store.commit(vec![insert(1, home, noon())], noon()).unwrap();
        assert_eq!(store.category(home).unwrap().unwrap().arrivals, 2, "{name}: once in a category");
    });
}

#[test]
fn a_window_is_of_the_newest_item_and_not_of_the_clock() {
    on_each(|store, name| {
        let home = store.ensure_category("甲", None, noon()).unwrap().id;
        let mut changes: Vec<Change> =
            (1..=9).map(|n| insert(n, home, noon().plus(10 * seconds(n)))).collect();
        changes[8].enters.iter_mut().for_each(|placement| placement.shown = false);
        store.commit(changes, noon()).unwrap();
        let window = |items, age, most, archived| {
            let found = store.items_in(home, Window { items, age, most, archived }).unwrap();
            found.iter().map(|item| item.title[6..].parse::<usize>().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(window(2, -1, 9, false), [8, 7], "{name}");
        assert_eq!(window(2, -1, 9, true), [9, 8], "{name}");
        assert_eq!(window(1, 30, 9, true), [9, 8, 7, 6], "{name}");
        assert_eq!(window(1, 30, 3, true), [9, 8, 7], "{name}");
    });
}

#[test]
fn a_due_source_is_claimed_once_and_comes_back() {
    on_each(|store, name| {
        store.register(&[source(2), source(1)], noon()).unwrap();
        store.register(&[source(1)], noon().plus(500)).unwrap();
        assert_eq!(store.next_due().unwrap(), Some(noon()), "{name}: a known source keeps its time");
        let due = |after: i64, limit| {
            let claims = store.claim_due("test", noon().plus(after), limit, 60).unwrap();
            claims.into_iter().map(|claim| claim.id).collect::<Vec<_>>()
        };
        assert_eq!(due(-1, 9), [], "{name}");
        assert_eq!(due(0, 1), [source(2)], "{name}: in the order they came");
        assert_eq!(due(0, 9), [source(1)], "{name}");
        assert_eq!(due(59, 9), [], "{name}: leased");
        let state = SourceState { next_poll: noon().plus(300), items: 4, epoch: 1, ..SourceState::default() };
        let ending = PollResult {
            id: source(1),
            epoch: 1,
            state: state.clone(),
            void: vec![[9; 16]],
            host_rests: None,
        };
        assert_eq!(store.complete(&[ending]).unwrap(), [], "{name}");
        assert_eq!(store.source(&source(1)).unwrap(), state, "{name}");
        assert_eq!([9, 8].map(|guid| is_void(store, 1, guid)), [true, false], "{name}");
        assert_eq!(due(60, 9), [source(2)], "{name}: the lease ended");
        assert_eq!(store.source(&source(7)).unwrap(), SourceState::default(), "{name}");
        assert_eq!(store.sources().unwrap().len(), 2, "{name}");
        for (from, due) in [(120, vec![source(2), source(1)]), (121, vec![source(1)]), (301, vec![])] {
            let found = store.due(noon().plus(from), 9).unwrap().into_iter().map(|(_, id)| id);
            assert_eq!(found.collect::<Vec<_>>(), due, "{name}");
        }
    });
}

#[test]
fn of_two_claims_on_a_source_only_the_last_counts() {
    on_each(|store, name| {
        let claim = |after: i64| store.claim("test", &[source(1)], noon().plus(after), 60).unwrap().remove(0);
        let yours = |claimed: Claimed| match claimed {
            Claimed::Yours(claim) => *claim,
            Claimed::Busy { .. } => panic!("{name}: {claimed:?}"),
        };
        let first = yours(claim(0));
        let busy = Claimed::Busy { by: "test".to_owned(), until: noon().plus(60) };
        assert_eq!(claim(59), busy, "{name}");
        assert!(store.renew(&source(1), first.epoch, noon().plus(90)).unwrap(), "{name}");
        let busy = Claimed::Busy { by: "test".to_owned(), until: noon().plus(90) };
        assert_eq!(claim(61), busy, "{name}: it was renewed");
        // The first worker stalls beyond its lease; none of its results is stored.
        let second = yours(claim(90));
        assert!(!store.renew(&source(1), first.epoch, noon().plus(900)).unwrap(), "{name}");
        let left = |claim: &Claim, items| {
            let state = SourceState { items, next_poll: noon().plus(500), ..claim.state.clone() };
            PollResult { void: vec![[9; 16]], ..PollResult::of(Claim { state, ..claim.clone() }) }
        };
        let both = [left(&first, 1), left(&second, 2)];
        assert_eq!(store.complete(&both[..1]).unwrap(), [source(1)], "{name}: too late");
        assert!(!is_void(store, 1, 9), "{name}");
        assert_eq!(store.complete(&both).unwrap(), [source(1)], "{name}: the second counts");
        assert_eq!(store.source(&source(1)).unwrap().items, 2, "{name}");
        assert_eq!(store.complete(&both[1..]).unwrap(), [source(1)], "{name}: and once");
        assert!(!store.renew(&source(1), second.epoch, noon().plus(900)).unwrap(), "{name}: it has ended");
        let third = yours(claim(91));
        assert_eq!((third.epoch, third.state.next_poll), (3, noon().plus(500)), "{name}");
        store.release("test", &[], noon().plus(92)).unwrap();
        assert_eq!(store.complete(&[left(&third, 3)]).unwrap(), [source(1)], "{name}: given back");
    });
}

/// As a poll does when a source routes an item there after rules had moved it away.
#[test]
fn what_comes_back_to_a_category_is_not_said_to_have_gone() {
    let folder = tempfile::tempdir().unwrap();
    let sled = SledStore::open(&folder.path().join("store"), 1 << 20).unwrap();
    let maps = MemoryStore::new();
    let pages = [&sled as &dyn Store, &maps].map(|store| {
        let [home, other] = ["甲", "乙"].map(|name| store.ensure_category(name, None, noon()).unwrap().id);
        store.commit((0..250).map(|n| insert(n, home, noon())).collect(), noon()).unwrap();
        let moved = |from, to| Move { from: vec![from], to: vec![to], why: String::new(), by: Mover::Rules };
        for n in [3, 240] {
            assert!(store.reroute(&code(n), &moved(home, other), noon()).unwrap());
            let mut item = store.item(&code(n)).unwrap().unwrap();
            item.categories.push(home);
            let mut change = Change::on(code(n), store.basis(&code(n)).unwrap());
            change.enters = vec![Placement { category: home, shown: true }];
            change.item = Some(item);
            change.event = Some(event(noon(), EventKind::Joined));
            assert_eq!(store.commit(vec![change], noon()).unwrap(), []);
        }
        let title = |item: &Item| item.title.clone();
        let mut pages = vec![store.open_page(home).unwrap().entries.iter().map(title).collect::<Vec<_>>()];
        assert_eq!(store.open_page(home).unwrap().gone, []);
        for number in 1..=2 {
            let page = store.sealed_page(home, number).unwrap();
            assert_eq!(page.gone, []);
            pages.push(page.entries.iter().map(|article| title(&article.item)).collect());
        }
        pages
    });
    assert_eq!(sled.check(&mut |_, _, _| {}).unwrap().told, Vec::<String>::new());
    assert_eq!(pages[0], pages[1]);
}

#[test]
fn a_merge_takes_along_what_a_poll_changes_meanwhile() {
    on_each(|store, name| {
        let [from, into] = ["甲", "乙"].map(|name| store.ensure_category(name, None, noon()).unwrap());
        for some in [0..100, 100..200, 200..250] {
            store.commit(some.map(|n| insert(n, from.id, noon())).collect(), noon()).unwrap();
        }
        let mut revised = 0;
        let mut poll = |_| {
            // The items that are moved last are still where they were.
            let first = revised == 0;
            for n in (0..250).filter(|_| first) {
                let basis = store.basis(&code(n)).unwrap();
                let mut item = basis.item.clone().unwrap();
                if item.categories == [from.id] {
                    revised += 1;
                    item.title.push('!');
                    let mut change = Change::on(code(n), basis);
                    (change.item, change.body) = (Some(item), Some(Body::default()));
                    assert_eq!(store.commit(vec![change], noon()).unwrap(), []);
                }
            }
        };
        let moved = merge_categories(store, &from, &into, noon(), &mut poll).unwrap();
        assert!(revised > 0, "{name}");
        assert_eq!((moved, store.items_in(from.id, ALL).unwrap().len()), (250, 0), "{name}");
        assert_eq!(store.items_in(into.id, ALL).unwrap().len(), 250, "{name}");
    });
}

#[test]
fn small_records_are_kept_by_kind_and_key() {
    on_each(|store, name| {
        let kept = |after: &[u8], limit| store.records(RecordKind::Webhook, after, limit).unwrap();
        let some = |key: &str, value: &str| (key.as_bytes().to_vec(), value.as_bytes().to_vec());
        let put = |key: &str, value: Option<&str>| {
            let value = value.map(|value| value.as_bytes().to_vec());
            store.put_records(RecordKind::Webhook, &[(key.as_bytes().to_vec(), value)])
        };
        for key in ["b", "a", "ab"] {
            put(key, Some(key)).unwrap();
        }
        store.put_records(RecordKind::Merge, &[(b"a".to_vec(), Some(b"other".to_vec()))]).unwrap();
        assert_eq!(store.record(RecordKind::Webhook, b"ab").unwrap(), Some(b"ab".to_vec()), "{name}");
        assert_eq!(kept(b"", 2), [some("a", "a"), some("ab", "ab")], "{name}: in the order of keys");
        assert_eq!(kept(b"ab", 9), [some("b", "b")], "{name}: after a key");
        put("a", None).unwrap();
        put("b", Some("new")).unwrap();
        assert_eq!(kept(b"", 9), [some("ab", "ab"), some("b", "new")], "{name}");
        assert_eq!(store.record(RecordKind::Merge, b"a").unwrap(), Some(b"other".to_vec()), "{name}");
        let too_large = [vec![7; 4_001], vec![7; 4_000]].map(|value| (b"c".to_vec(), Some(value)));
        assert!(store.put_records(RecordKind::Webhook, &too_large).is_err(), "{name}");
        assert!(put("", Some("no key")).is_err(), "{name}");
        assert_eq!(store.record(RecordKind::Webhook, b"c").unwrap(), None, "{name}: all or nothing");
        store.put_records(RecordKind::Webhook, &too_large[1..]).unwrap();
    });
}

#[test]
fn a_worker_gives_back_what_it_claimed_itself() {
    on_each(|store, name| {
        store.register(&[source(1), source(2)], noon()).unwrap();
        store.claim("one", &[source(1)], noon(), 900).unwrap();
        store.claim("two", &[source(2)], noon(), 900).unwrap();
        assert_eq!(store.release("one", &[], noon()).unwrap(), 1, "{name}");
        assert_eq!(store.due(noon(), 1).unwrap(), [(noon(), source(1))], "{name}");
        let again = store.claim("three", &[source(1), source(2)], noon(), 900).unwrap();
        assert!(matches!(&again[..], [Claimed::Yours(_), Claimed::Busy { by, .. }] if by == "two"), "{name}");
    });
}

#[test]
fn what_a_dead_process_had_claimed_is_due_as_it_was() {
    on_each(|store, name| {
        store.register(&[source(1)], noon()).unwrap();
        for cut_off in 1..=6 {
            let due = store.next_due().unwrap().unwrap();
            assert_eq!(store.claim_due("test", due, 9, 900).unwrap().len(), 1, "{name}");
            assert_eq!(store.release("test", &[], due).unwrap(), 1, "{name}");
            let wait = store.next_due().unwrap().unwrap().since(due);
            assert_eq!(wait, [0, 0, 2, 4, 8, 16][cut_off - 1], "{name}: it may be what kills the process");
        }
        assert_eq!(store.release("test", &[], noon()).unwrap(), 0, "{name}");
        let due = store.next_due().unwrap().unwrap();
        let mut claim = store.claim_due("test", due, 9, 900).unwrap().remove(0);
        assert_eq!(store.release("test", &[source(1)], due).unwrap(), 0, "{name}: its poll runs");
        claim.state.next_poll = noon().plus(1);
        assert_eq!(store.complete(&[PollResult::of(claim)]).unwrap(), [], "{name}");
        store.claim_due("test", noon().plus(1), 9, 900).unwrap();
        store.release("test", &[], noon()).unwrap();
        assert_eq!(store.next_due().unwrap(), Some(noon().plus(1)), "{name}: a good poll forgives");
    });
}

#[test]
fn a_clock_that_goes_back_strands_no_source() {
    on_each(|store, name| {
        let sources: Vec<SourceId> = (0..25).map(source).collect();
        let year = 365 * 86_400;
        store.ensure_category("甲", None, noon().plus(20 * year)).unwrap();
        store.register(&sources, noon().plus(20 * year)).unwrap();
        let claim = |now, limit| store.claim_due("test", now, limit, 900).unwrap();
        for claim in claim(noon().plus(20 * year), 99) {
            let now = noon().plus(20 * year);
            let state =
                SourceState { next_poll: now.plus(60), last_poll: Some(now), ..SourceState::default() };
            assert_eq!(store.complete(&[PollResult::of(Claim { state, ..claim })]).unwrap(), [], "{name}");
        }
        assert_eq!(claim(noon(), 99).len(), 10, "{name}: some at once, no storm");
        assert_eq!(claim(noon().plus(2), 99).len(), 15, "{name}: all soon");
        let site = store.category(CategoryId::SITE).unwrap().unwrap();
        assert!(site.changed_at <= noon(), "{name}: no output says that it is of the future");
    });
}

#[test]
fn a_category_keeps_its_first_slug_and_takes_a_new_name() {
    on_each(|store, name| {
        let slug = Slug::new("bao").unwrap();
        let one = store.ensure_category("甲报", Some(&slug), noon()).unwrap();
        let two = store.ensure_category("乙报", Some(&slug), noon()).unwrap();
        assert_eq!((two.id, two.name.as_str()), (one.id, "乙报"), "{name}");
        assert_eq!(store.identity().unwrap().1, 1, "{name}: renamed once");
        assert_eq!(store.ensure_category("甲报", None, noon()).unwrap().id, one.id, "{name}");
        let other = store.ensure_category("Bao", None, noon()).unwrap();
        assert_ne!(other.slug, slug, "{name}: a slug that is taken gets a suffix");
        store.alias_category(one.id, "old-bao").unwrap();
        store.alias_category(other.id, "old-bao").unwrap();
        assert_eq!(store.find_category("old-bao").unwrap().unwrap().id, one.id, "{name}: first given");
        assert_eq!(store.categories().unwrap().len(), 2, "{name}");
        // A config that still has both of two merged categories renames neither.
        store.merge_category(other.id, one.id, noon()).unwrap();
        let before = store.identity().unwrap();
        for (given, slug) in [("Bao", &other.slug), ("乙报", &slug)] {
            let found = store.ensure_category(given, Some(slug), noon()).unwrap();
            assert_eq!((found.id, found.name.as_str()), (one.id, "乙报"), "{name}");
        }
        assert_eq!(store.identity().unwrap(), before, "{name}");
    });
}

#[test]
fn a_withdrawn_item_leaves_all_and_comes_back_as_new() {
    on_each(|store, name| {
        let home = store.ensure_category("甲", None, noon()).unwrap().id;
        store.commit(vec![insert(1, home, noon()), insert(2, home, noon().plus(9))], noon()).unwrap();
        let stone = |erased| Tombstone::new(noon(), WithdrawnBy::Admin, "asked", erased);
        assert!(store.withdraw(&code(2), &stone(false)).unwrap(), "{name}");
        assert!(!store.withdraw(&code(2), &stone(false)).unwrap(), "{name}: out already");
        assert!(!store.withdraw(&code(7), &stone(false)).unwrap(), "{name}: never was");
        assert_eq!(titles(&store.items_in(home, ALL).unwrap()), ["title 1"], "{name}");
        assert_eq!(store.category(home).unwrap().unwrap().newest, Some(noon()), "{name}");
        assert!(!store.restore(&code(2), &stone(true), "another one", noon()).unwrap(), "{name}");
        assert!(store.restore(&code(2), &stone(false), "a mistake", noon()).unwrap(), "{name}");
        let back = store.item(&code(2)).unwrap().unwrap();
        let erased = Tombstone { signs: Some(Signs::of(&back)), ..stone(true) };
        assert_eq!(store.arrival_of(home, &back).unwrap(), Some(3), "{name}");
        assert!(store.withdraw(&code(2), &stone(true)).unwrap(), "{name}");
        assert!(!store.restore(&code(2), &stone(true), "too late", noon()).unwrap(), "{name}: erased");
        assert_eq!(store.item(&code(2)).unwrap(), None, "{name}");
        assert_eq!(store.body(&code(2)).unwrap(), Body::default(), "{name}");
        assert_eq!(store.tombstone(&code(2)).unwrap(), Some(erased), "{name}");
        let story: Vec<EventKind> = store.past(&code(2)).unwrap().history.iter().map(|e| e.what).collect();
        let want = [EventKind::Inserted, EventKind::Withdrawn, EventKind::Restored, EventKind::Withdrawn];
        assert_eq!(story, want, "{name}");
    });
}

#[test]
fn what_an_admin_takes_out_stays_out_whoever_did_so_before() {
    on_each(|store, name| {
        let home = store.ensure_category("甲", None, noon()).unwrap().id;
        store.commit(vec![insert(1, home, noon())], noon()).unwrap();
        let stone = |by| Tombstone::new(noon(), by, format!("{by:?}"), false);
        let (rule, admin) = (stone(WithdrawnBy::Rule), stone(WithdrawnBy::Admin));
        assert!(store.withdraw(&code(1), &rule).unwrap(), "{name}");
        let generation = store.category(home).unwrap().unwrap().generation;
        assert!(store.withdraw(&code(1), &admin).unwrap(), "{name}");
        assert!(!store.withdraw(&code(1), &rule).unwrap(), "{name}: it is out");
        assert_eq!(store.tombstone(&code(1)).unwrap().as_ref(), Some(&admin), "{name}");
        // The rule was removed, and what it had dropped is accepted.
        assert!(!store.restore(&code(1), &rule, "no rule drops it", noon()).unwrap(), "{name}");
        assert_eq!(store.items_in(home, ALL).unwrap(), [], "{name}");
        assert_eq!(store.category(home).unwrap().unwrap().generation, generation, "{name}: it shows nowhere");
        assert!(store.restore(&code(1), &admin, "a mistake", noon()).unwrap(), "{name}");
        assert_eq!(titles(&store.items_in(home, ALL).unwrap()), ["title 1"], "{name}");
    });
}

#[test]
fn what_is_set_once_stays() {
    on_each(|store, name| {
        store.fix("site.id_authority", "a,2026", false).unwrap();
        store.fix("site.id_authority", "b,2026", true).unwrap();
        let refused = store.fix("site.id_authority", "a,2026", true);
        assert!(matches!(refused, Err(StoreError::Fixed { .. })), "{name}");
        store.mark_published(&cursor(7), noon()).unwrap();
        assert_eq!(store.published().unwrap(), cursor(7), "{name}");
        assert_eq!(store.published_at(3).unwrap(), Some(noon()), "{name}");
        assert_eq!(store.published_at(8).unwrap(), None, "{name}");
    });
}

#[test]
fn no_verb_stops_another_thread_and_no_change_is_seen_in_parts() {
    on_each(|store, name| {
        let home = store.ensure_category("甲", None, noon()).unwrap().id;
        std::thread::scope(|scope| {
            for writer in 0..3 {
                scope.spawn(move || {
                    for n in (writer..30).step_by(3) {
                        store.commit(vec![insert(n, home, noon().plus(seconds(n)))], noon()).unwrap();
                    }
                });
            }
            scope.spawn(|| {
                while store.items_in(home, ALL).unwrap().len() < 30 {
                    for item in store.items_in(home, ALL).unwrap() {
                        assert!(!store.body(&item.code).unwrap().html.is_empty(), "{name}");
                        assert!(store.at_path(&item.permalink).unwrap().is_some(), "{name}");
                    }
                    std::thread::yield_now();
                }
            });
        });
        assert_eq!(store.category(home).unwrap().unwrap().arrivals, 30, "{name}: no number given twice");
        assert_eq!(titles(&store.arrivals(home, 1, 30).unwrap()).len(), 30, "{name}");
    });
}

#[test]
fn compaction_gives_room_back_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(&folder.path().join("store"), 4 << 20).unwrap();
    let home = store.ensure_category("甲", None, noon()).unwrap().id;
    // Noise does not compress.
    let mut seed = 7_u64;
    let mut noise = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        format!("{seed:016x}")
    };
    for n in (0..900).step_by(30) {
        let mut changes: Vec<Change> = (n..n + 30).map(|n| insert(n % 200, home, noon())).collect();
        for (number, change) in (n..).zip(&mut changes) {
            let own = InfoCode::new(CodeSpace::new("noise").unwrap(), &number.to_string());
            (change.code, change.sighting, change.aliases) = (own.clone(), None, Vec::new());
            change.item.iter_mut().for_each(|item| {
                item.code = own.clone();
                item.permalink = format!("noise/{number}.html");
            });
            change.body = Some(Body { html: (0..300).map(|_| noise()).collect(), ..Body::default() });
        }
        store.commit(changes, noon()).unwrap();
    }
    while store.sweep(home, Retention { items: Some(20), age: None }, 30, noon()).unwrap() > 0 {}
    let (generation, identity) = (store.cursor().unwrap(), store.identity().unwrap());
    let left: Vec<Item> = store.items_in(home, ALL).unwrap();
    let (before, after) = store.compact(&mut |_, _, _| {}).unwrap();
    assert!(left.len() == 20 && after < before / 2, "{before} to {after}");
    assert_eq!(store.items_in(home, ALL).unwrap(), left);
    assert_eq!((store.cursor().unwrap(), store.identity().unwrap()), (generation, identity));
    store.commit(vec![insert(1, home, noon())], noon()).unwrap();
    assert_eq!(store.check(&mut |_, _, _| {}).unwrap().told, Vec::<String>::new());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "only its lock is beside it");
}

#[test]
fn a_store_without_room_for_a_copy_is_not_compacted() {
    let folder = tempfile::tempdir().unwrap();
    let options = feedmill::store::StoreOptions {
        low_water: u64::MAX / 2,
        ..feedmill::store::StoreOptions::plain(&folder.path().join("store"), 1 << 20)
    };
    let store = SledStore::open_as_it_is(options).unwrap();
    assert!(matches!(store.compact(&mut |_, _, _| {}), Err(StoreError::NoRoom { .. })));
    store.cursor().unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "it and its lock");
}

/// A step of a random history.
#[derive(Debug, Clone)]
enum Step {
    Commit(Vec<(usize, usize, i64)>),
    Revise(usize, String),
    Join(usize, usize),
    Category(usize, Option<usize>),
    Register(usize),
    Claim(usize),
    Complete(usize, i64),
    Release,
    Record(usize, usize),
    Withdraw(usize, bool),
    Restore(usize),
    Move(usize, usize, Mover),
    /// Changes that were decided before the item existed, twice at once.
    Stale(usize, usize),
    Sweep(usize, Option<usize>, Option<i64>),
    Published,
    Pass(i64),
    Reopen,
}

const NAMES: [&str; 4] = ["甲报", "乙报", "bing", "甲报 "];

fn step() -> impl Strategy<Value = Step> {
    let number = 0_usize..9;
    let category = 0_usize..5;
    prop_oneof![
        4 => prop::collection::vec((number.clone(), category.clone(), -50_i64..50), 1..4).prop_map(Step::Commit),
        2 => (number.clone(), "[a-c]{0,3}").prop_map(|(n, text)| Step::Revise(n, text)),
        1 => (number.clone(), category.clone()).prop_map(|(n, c)| Step::Join(n, c)),
        2 => (0..NAMES.len(), prop::option::of(0_usize..3)).prop_map(|(n, s)| Step::Category(n, s)),
        1 => (0_usize..4).prop_map(Step::Register),
        1 => (1_usize..4).prop_map(Step::Claim),
        1 => (0_usize..4, 0_i64..500).prop_map(|(s, next)| Step::Complete(s, next)),
        1 => Just(Step::Release),
        1 => (0_usize..3, 0_usize..3).prop_map(|(key, value)| Step::Record(key, value)),
        2 => (number.clone(), any::<bool>()).prop_map(|(n, erased)| Step::Withdraw(n, erased)),
        1 => number.clone().prop_map(Step::Restore),
        2 => (number.clone(), category.clone(), prop_oneof![Just(Mover::Admin), Just(Mover::Rules), Just(Mover::Merge)])
            .prop_map(|(n, c, by)| Step::Move(n, c, by)),
        1 => (number, category.clone()).prop_map(|(n, c)| Step::Stale(n, c)),
        1 => (category, prop::option::of(0_usize..5), prop::option::of(0_i64..90))
            .prop_map(|(c, items, age)| Step::Sweep(c, items, age)),
        1 => Just(Step::Published),
        2 => prop_oneof![0_i64..100, -200_000_i64..0].prop_map(Step::Pass),
        2 => Just(Step::Reopen),
    ]
}

/// Returns the category with a number, if there is one.
fn some_category(store: &dyn Store, number: usize) -> Option<CategoryId> {
    store.category(CategoryId(u32::try_from(number).unwrap())).unwrap().map(|c| c.id)
}

/// Completes polls of two sources, one of them twice under one claim and once under an older one.
fn end_polls(store: &dyn Store, number: usize, next: i64, now: Timestamp) -> String {
    let ids = [source(number), source(number + 1)];
    let claimed = store.claim("a poll", &ids, now, 60).unwrap();
    // If another worker has claimed the source, the result comes too late.
    let claim = |number: usize| match &claimed[number] {
        Claimed::Yours(claim) => Claim::clone(claim),
        Claimed::Busy { .. } => Claim { id: ids[number].clone(), epoch: 0, state: SourceState::default() },
    };
    let mut first = claim(0);
    first.state.next_poll = now.plus(next);
    first.state.last_poll = Some(now);
    let renewed = store.renew(&ids[0], first.epoch, now.plus(90));
    let first = PollResult { void: vec![[3; 16]], ..PollResult::of(first) };
    let stale = PollResult { epoch: first.epoch.wrapping_sub(1), ..first.clone() };
    let ended = store.complete(&[stale, PollResult::of(claim(1)), first]);
    format!("{claimed:?} {renewed:?} {ended:?}")
}

/// Does a step; returns the store's answer.
fn take(store: &dyn Store, step: &Step, now: Timestamp) -> String {
    match step {
        Step::Commit(items) => {
            let mut changes = Vec::new();
            for &(number, category, shift) in items {
                let home = some_category(store, category).filter(|id| *id != CategoryId::SITE);
                let new = store.item(&code(number)).unwrap().is_none()
                    && store.tombstone(&code(number)).unwrap().is_none()
                    && !changes.iter().any(|change: &Change| change.code == code(number));
                changes.extend(home.filter(|_| new).map(|home| insert(number, home, now.plus(shift))));
            }
            format!("{:?}", store.commit(changes, now))
        }
        Step::Revise(number, text) => {
            let Some(mut item) = store.item(&code(*number)).unwrap() else { return String::new() };
            let mut change = Change::on(item.code.clone(), store.basis(&item.code).unwrap());
            item.revisions += 1;
            let title = std::mem::replace(&mut item.title, text.clone());
            change.replaces =
                Some(Revision { replaced_at: now, title, excerpt: String::new(), lead: item.lead.clone() });
            change.body = (text.len() > 1).then(|| Body { html: text.repeat(4_000), ..Body::default() });
            change.item = Some(item);
            change.sighting = Some((source(1), sighting(now, text)));
            change.event = Some(event(now, EventKind::Revised));
            format!("{:?}", store.commit(vec![change], now))
        }
        Step::Join(number, category) => {
            let item = store.item(&code(*number)).unwrap();
            let out = store.tombstone(&code(*number)).unwrap().is_some();
            let category = some_category(store, *category).filter(|id| *id != CategoryId::SITE);
            let (Some(mut item), Some(category), false) = (item, category, out) else { return String::new() };
            if item.categories.contains(&category) {
                return String::new();
            }
            item.categories.push(category);
            let mut change = Change::on(item.code.clone(), store.basis(&item.code).unwrap());
            change.enters = vec![Placement { category, shown: false }];
            change.item = Some(item);
            format!("{:?}", store.commit(vec![change], now))
        }
        Step::Category(name, slug) => {
            let slug = slug.map(|n| Slug::new(["one", "two", "jiabao"][n]).unwrap());
            format!("{:?}", store.ensure_category(NAMES[*name], slug.as_ref(), now))
        }
        Step::Register(number) => format!("{:?}", store.register(&[source(*number)], now)),
        Step::Claim(limit) => format!("{:?}", store.claim_due("due", now, *limit, 60)),
        Step::Complete(number, next) => end_polls(store, *number, *next, now),
        Step::Record(key, value) => {
            let value = (*value > 0).then(|| vec![7; *value]);
            format!("{:?}", store.put_records(RecordKind::Merge, &[(vec![1; *key], value)]))
        }
        Step::Release => format!("{:?}", store.release("due", &[source(1)], now)),
        Step::Withdraw(number, erased) => {
            let why = "asked".to_owned();
            let by = if now.unix() % 2 == 0 { WithdrawnBy::Source } else { WithdrawnBy::Admin };
            let stone = Tombstone::new(now, by, why, *erased);
            format!("{:?}", store.withdraw(&code(*number), &stone))
        }
        Step::Restore(number) => {
            let stone = store.tombstone(&code(*number)).unwrap();
            stone
                .map_or_else(String::new, |s| format!("{:?}", store.restore(&code(*number), &s, "back", now)))
        }
        Step::Move(number, category, by) => {
            let item = store.item(&code(*number)).unwrap();
            let category = some_category(store, *category).filter(|id| *id != CategoryId::SITE);
            let (Some(item), Some(category)) = (item, category) else { return String::new() };
            let (from, why) = (item.categories, "moved".to_owned());
            let decided = Move { from, to: vec![category], why, by: *by };
            format!("{:?}", store.reroute(&code(*number), &decided, now))
        }
        Step::Stale(number, category) => {
            let home = some_category(store, *category).filter(|id| *id != CategoryId::SITE);
            home.map_or_else(String::new, |home| {
                format!(
                    "{:?}",
                    store.commit(vec![insert(*number, home, now), insert(*number, home, now)], now)
                )
            })
        }
        Step::Sweep(category, items, age) => {
            let keep = Retention { items: *items, age: *age };
            let id = some_category(store, *category).filter(|id| *id != CategoryId::SITE);
            id.map_or_else(String::new, |id| format!("{:?}", store.sweep(id, keep, 2, now)))
        }
        Step::Published => {
            let upto = store.cursor().unwrap();
            format!("{:?}", store.mark_published(&upto, now))
        }
        Step::Pass(_) | Step::Reopen => String::new(),
    }
}

/// sled releases its lock a moment after the last handle is dropped.
fn opened_again(path: &std::path::Path) -> SledStore {
    let since = std::time::Instant::now();
    loop {
        match SledStore::open(path, 1 << 20) {
            Err(StoreError::Locked { .. }) if since.elapsed().as_secs() < 30 => std::thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
}

/// Returns everything that can be read of a store.
fn observed(store: &dyn Store, since: u64) -> Vec<String> {
    let mut all = vec![
        format!("{:?} {:?}", store.cursor(), store.published()),
        format!("{:?}", store.categories()),
        format!("changed {:?}", store.changed_since(&cursor(since))),
        format!("touched {:?}", store.touched(&cursor(since), &store.cursor().unwrap(), 2).unwrap().0),
        format!("shown {:?}", store.published_at(since)),
        format!("found {:?}", store.find("a", 3)),
    ];
    for id in (0..6).map(CategoryId) {
        let window = Window { items: 2, age: 20, most: 4, archived: false };
        all.push(format!("{id:?} {:?}", store.category(id)));
        all.push(format!("{id:?} {:?} {:?}", store.items_in(id, window), store.items_in(id, ALL)));
        all.push(format!("{id:?} {:?}", store.arrivals(id, 0, 999)));
        all.push(format!("{id:?} {:?}", store.open_page(id)));
        all.push(format!("{id:?} {:?}", (1..4).map(|n| store.sealed_page(id, n)).collect::<Vec<_>>()));
        all.push(format!("{id:?} {:?}", store.resealed_since(id, since)));
    }
    for number in 0..9 {
        let code = code(number);
        let item = store.item(&code).unwrap();
        if let Some(item) = &item {
            assert!(store.cursor().unwrap().covers(item.touched), "who follows does not find {item:?}");
            let places = [CategoryId::SITE, item.home];
            all.push(format!(
                "{:?}",
                places.map(|id| (
                    store.arrival_of(id, item),
                    store.neighbours(id, (item.published, &item.code))
                ))
            ));
        }
        all.push(format!("{item:?} {:?} {:?}", store.body(&code), store.tombstone(&code)));
        all.push(format!("{:?} {:?}", store.past(&code), store.versions(&code)));
        all.push(format!("{:?} {:?}", store.listings(&code), led(store, 0, &alias(number))));
        all.push(format!("{:?}", store.at_path(&format!("c/2026/05/01/{number}.html"))));
    }
    for number in 0..4 {
        let guids = [3, 4].map(|guid| Name::Alias((AliasKind::Guid, [guid; 16])));
        let names = [&guids[..], &[Name::Code(code(1)), Name::Code(code(2))]].concat();
        all.push(format!("{:?}", store.known(&source(number), &names)));
    }
    all.push(format!("{:?}", store.records(RecordKind::Merge, &[], 9)));
    all
}

/// Returns when sources are due, and the states of all.
fn planned(store: &dyn Store) -> String {
    format!("{:?} {:?} {:?}", store.next_due(), store.due(noon(), 3), store.sources())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::with_failure_persistence(Direct("proptest-regressions/tests/store.txt")) })]
    #[test]
    fn any_history_reads_as_in_plain_maps(steps in prop::collection::vec(step(), 1..40)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let mut sled = Some(SledStore::open(&path, 1 << 20).unwrap());
        let maps = MemoryStore::new();
        let mut now = noon();
        for (number, step) in steps.iter().enumerate() {
            match step {
                Step::Pass(seconds) => now = now.plus(*seconds),
                Step::Reopen => {
                    sled = None;
                    sled.replace(opened_again(&path));
                }
                _ => {}
            }
            let store = sled.as_ref().unwrap();
            prop_assert_eq!(take(store, step, now), take(&maps, step, now), "{:?}", step);
            let since = generation(&maps.cursor().unwrap()) / 2;
            prop_assert_eq!(planned(store), planned(&maps), "after step {}: {:?}", number, step);
            prop_assert_eq!(observed(store, since), observed(&maps, since), "after step {}: {:?}", number, step);
        }
        let sled = sled.unwrap();
        let found = sled.check(&mut |_, _, _| {}).unwrap();
        prop_assert_eq!(found.told, Vec::<String>::new());
        // So is an import of a backup of it, except claims and data that would let a document be skipped
        // unread.
        let (backup, form) = (folder.path().join("backup"), if steps.len() % 2 == 0 { Form::Packed } else { Form::Lines });
        sled.export(&backup, form, now, &mut |_, _| {}).unwrap();
        let again = SledStore::open(&folder.path().join("again"), 1 << 20).unwrap();
        again.import(&backup, true, now, &mut |_, _| {}).unwrap();
        let found = again.check(&mut |_, _, _| {}).unwrap();
        prop_assert_eq!(found.told, Vec::<String>::new());
        let in_maps = MemoryStore::restored(&backup).unwrap();
        for (_, id) in sled.due(Timestamp::EPOCH, 99).unwrap() {
            let mut state = sled.source(&id).unwrap();
            state.next_poll = state.claimed.take().unwrap_or(state.next_poll);
            state.claimed_by.clear();
            state.forget_document();
            prop_assert_eq!(&again.source(&id).unwrap(), &state);
        }
        let since = generation(&sled.cursor().unwrap()) / 2;
        prop_assert_eq!(planned(&again), planned(&in_maps));
        prop_assert_eq!(observed(&again, since), observed(&sled, since), "a backup in between");
        prop_assert_eq!(observed(&in_maps, since), observed(&sled, since), "in another backend");
        // And back again from there.
        in_maps.export(&backup, form, now).unwrap();
        again.import(&backup, true, now, &mut |_, _| {}).unwrap();
        let found = again.check(&mut |_, _, _| {}).unwrap();
        prop_assert_eq!(found.told, Vec::<String>::new());
        prop_assert_eq!(planned(&again), planned(&in_maps));
        prop_assert_eq!(observed(&again, since), observed(&sled, since), "from another backend");
    }
}
