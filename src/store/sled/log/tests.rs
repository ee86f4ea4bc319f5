use tempfile::TempDir;

use super::*;
use crate::model::{Article, Body, CodeSpace, InfoCode, SourceId};
use crate::store::{
    Categories, Change, Changes, Items, LogPage, Placement, Revision, SledStore, Tombstone, WithdrawnBy,
};

const START: i64 = 1_700_000_000;

#[test]
fn slots_read_back() {
    let key = b"eastmoney\0\x01\x02".to_vec();
    for slot in [
        Slot::Arrived(key.clone()),
        Slot::Archived(key.clone()),
        Slot::Again { before: 7, code: key.clone() },
        Slot::Gone { at: Timestamp::from_unix(1_640_066_107), code: key },
    ] {
        assert_eq!(slot_in(&slot_bytes(&slot)), Some(slot));
    }
    assert_eq!(slot_in(&[]), None);
    assert_eq!(slot_in(&[GONE, 1]), None);
}

/// A store with one category, filled step by step.
struct Filled {
    _folder: TempDir,
    store: SledStore,
    id: CategoryId,
    now: i64,
}

fn code(number: i64) -> InfoCode {
    InfoCode::new(CodeSpace::new("jia").unwrap(), &format!("nr-{number}"))
}

impl Filled {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SledStore::open(folder.path(), 1 << 20).unwrap();
        let id = store.ensure_category("甲城日报", None, Timestamp::from_unix(START)).unwrap().id;
        Self { _folder: folder, store, id, now: START }
    }

    fn now(&mut self) -> Timestamp {
        self.now += 60;
        Timestamp::from_unix(self.now)
    }

    fn item(&self, number: i64) -> Item {
        let at = Timestamp::from_unix(START + number);
        Item {
            code: code(number),
            title: format!("第{number}条"),
            link: None,
            excerpt: String::new(),
            media_name: None,
            image: None,
            published: at,
            updated: at,
            first_seen: at,
            home: self.id,
            categories: vec![self.id],
            permalink: format!("jia/{number}.html"),
            lead: SourceId::new("jia").unwrap(),
            rank: 1,
            revisions: 0,
            generation: 0,
            touched: 0,
            imported: false,
        }
    }

    fn add(&mut self, numbers: std::ops::Range<i64>, shown: bool) {
        let change = |number| {
            let mut change = Change::of(code(number));
            change.item = Some(self.item(number));
            change.body = Some(Body { html: format!("<p>{number}</p>"), ..Body::default() });
            change.enters =
                vec![Placement { category: self.id, shown }, Placement { category: CategoryId::SITE, shown }];
            change
        };
        let changes = numbers.map(change).collect();
        let now = self.now();
        assert_eq!(self.store.commit(changes, now).unwrap(), []);
    }

    fn edit(&mut self, number: i64, title: &str) {
        let now = self.now();
        let mut item = self.store.item(&code(number)).unwrap().unwrap();
        let mut change = Change::on(code(number), self.store.basis(&code(number)).unwrap());
        change.replaces = Some(Revision {
            replaced_at: now,
            title: item.title.clone(),
            excerpt: String::new(),
            lead: item.lead.clone(),
        });
        item.revisions += 1;
        item.updated = now;
        item.title = title.to_owned();
        change.item = Some(item);
        change.body = Some(Body { html: format!("<p>{title}</p>"), ..Body::default() });
        assert_eq!(self.store.commit(vec![change], now).unwrap(), []);
    }

    fn withdraw(&mut self, number: i64) {
        let tombstone = Tombstone::new(self.now(), WithdrawnBy::Admin, "asked", false);
        assert!(self.store.withdraw(&code(number), &tombstone).unwrap());
    }

    fn category(&self) -> Category {
        self.store.category(self.id).unwrap().unwrap()
    }

    fn sealed(&self, number: u32) -> LogPage<Article> {
        self.store.sealed_page(self.id, number).unwrap()
    }

    fn open(&self) -> LogPage<Item> {
        self.store.open_page(self.id).unwrap()
    }
}

fn titles(page: &LogPage<Item>) -> Vec<&str> {
    page.entries.iter().map(|item| item.title.as_str()).collect()
}

#[test]
fn a_sealed_hundred_keeps_what_it_showed() {
    let mut filled = Filled::new();
    filled.add(0..250, true);
    assert_eq!((filled.category().sealed(), filled.open().entries.len()), (2, 50));
    let first = filled.sealed(1);
    assert_eq!((first.entries.len(), first.gone.len()), (100, 0));
    let before = filled.category().generation;

    // An edit of a sealed item: the hundred stays, the new form is in the open one.
    filled.edit(7, "第七条，改正");
    filled.edit(7, "第七条，再改");
    filled.edit(249, "新条，改正");
    assert_eq!(filled.sealed(1), first);
    assert_eq!(filled.open().entries.len(), 51, "once, however often it is edited");
    assert_eq!(titles(&filled.open())[0], "第七条，再改");
    assert_eq!(filled.store.resealed_since(filled.id, before).unwrap(), BTreeSet::new());
    // Its next hundred is sealed with the new form.
    filled.add(250..299, true);
    let third = filled.sealed(3);
    assert!(third.entries.iter().any(|article| article.item.title == "第七条，再改"));
    filled.edit(7, "第七条，三改");
    assert_eq!((filled.sealed(1), filled.sealed(3)), (first, third));
    assert_eq!(filled.store.resealed_since(filled.id, before).unwrap(), BTreeSet::from([3]));
    let forms: Vec<String> =
        filled.store.versions(&code(7)).unwrap().into_iter().map(|a| a.body.html).collect();
    assert_eq!(forms, ["<p>7</p>", "<p>第七条，改正</p>", "<p>第七条，再改</p>"]);
}

#[test]
fn what_went_is_said_in_its_hundreds_and_anew() {
    let mut filled = Filled::new();
    filled.add(0..120, true);
    filled.edit(7, "改正");
    let before = filled.category().generation;
    filled.withdraw(7);
    filled.withdraw(119);
    assert_eq!(filled.store.resealed_since(filled.id, before).unwrap(), BTreeSet::from([1]));
    assert_eq!(filled.sealed(1).entries.len(), 99);
    assert_eq!(filled.sealed(1).gone[0].code, code(7));
    assert_eq!(filled.open().gone.len(), 2);
    assert_eq!(filled.open().entries.len(), 19);

    // Restored: no log entry reports it as gone any more.
    let before = filled.category().generation;
    let now = filled.now();
    let stone = filled.store.tombstone(&code(7)).unwrap().unwrap();
    assert!(filled.store.restore(&code(7), &stone, "a mistake", now).unwrap());
    assert_eq!(filled.store.resealed_since(filled.id, before).unwrap(), BTreeSet::from([1]));
    assert_eq!((filled.sealed(1).gone, filled.open().gone.len()), (Vec::new(), 1));
    assert_eq!(titles(&filled.open())[0], "改正");
}

#[test]
fn what_goes_to_the_archive_bit_by_bit_fills_hundreds() {
    let mut filled = Filled::new();
    (0..130).for_each(|number| filled.add(number..number + 1, false));
    let sealed: Vec<usize> = (1..=2).map(|number| filled.sealed(number).entries.len()).collect();
    assert_eq!((filled.category().sealed(), sealed), (2, vec![100, 30]));
    // A published page counts as changed when an item is added to it.
    let before = filled.category().generation;
    filled.add(130..131, false);
    assert_eq!(filled.store.resealed_since(filled.id, before).unwrap(), BTreeSet::from([2]));
    assert!(filled.category().generation > before);
    // A shown item starts a hundred of its own.
    filled.add(131..132, true);
    filled.add(132..133, false);
    assert_eq!((filled.category().sealed(), filled.sealed(3).entries.len()), (3, 2));
}

#[test]
fn what_goes_straight_to_the_archive_is_sealed_at_once() {
    let mut filled = Filled::new();
    filled.add(0..45, false);
    assert_eq!((filled.category().arrivals, filled.sealed(1).entries.len()), (100, 45));
    assert_eq!(filled.open().entries.len(), 0);
    filled.add(45..50, true);
    assert_eq!(filled.open().entries.len(), 5);
    // Archived items after shown ones close the hundred that both are in.
    filled.add(50..55, false);
    assert_eq!((filled.sealed(2).entries.len(), filled.open().entries.len()), (10, 0));
    let site = filled.store.category(CategoryId::SITE).unwrap().unwrap();
    assert_eq!(site.arrivals, 55, "the site is not cut");
}
