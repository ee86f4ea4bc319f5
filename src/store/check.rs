//! Looking for faults: what must hold of every record and between the trees.
//!
//! Each record is judged by itself, so that the store can be looked through while it is in use: a
//! record that seems faulty is judged once more while nobody writes, and only then counted.

use std::collections::{BTreeMap, HashSet};
use std::fs;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::codec::{self, MAX_VALUE, u32_at, u64_at};
use super::open::{NAMES, Open, T, backend, category_key};
use super::texts::Place;
use super::walk::every;
use super::{
    AtPath, Event, Result, Revision, Sighting, StoreError, Tombstone, alias, log, paths, read, record, slots,
    sources, texts,
};
use crate::model::{Category, CategoryId, InfoCode, Item, SourceState, Timestamp};

/// Faults that are told one by one; all are counted.
const TOLD: usize = 100;
/// Records between two words about progress.
const STEP: u64 = 2_000;

/// Hears (trees done, trees in all, what is looked at).
pub type Watch<'a> = &'a mut dyn FnMut(usize, usize, String);

/// What a look through the store found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// Records that were read.
    pub records: u64,
    /// Items among them.
    pub items: u64,
    /// Faults in all.
    pub faults: u64,
    /// Faults that were mended.
    pub mended: u64,
    /// How many there are of each kind.
    pub kinds: BTreeMap<String, u64>,
    /// The first of them, each with its record.
    pub told: Vec<String>,
}

impl Findings {
    pub(super) fn add(&mut self, tree: T, key: &[u8], what: &str) {
        self.faults += 1;
        *self.kinds.entry(format!("{}: {what}", NAMES[tree as usize])).or_default() += 1;
        if self.told.len() < TOLD {
            self.told.push(format!("{} {}: {what}", NAMES[tree as usize], name_of(tree, key)));
        }
    }
}

/// What is wrong with one record, in words.
pub(super) type Faults = Vec<&'static str>;

/// Looks once more at a record that seems faulty; gives what stays.
pub(super) type Again<'a> = &'a mut dyn FnMut(T, &[u8], &Faults) -> Result<Faults>;

/// All trees, those first that others are judged by.
pub(super) const ALL: [T; NAMES.len()] = [
    T::Sys,
    T::Dict,
    T::Category,
    T::CategoryKey,
    T::Source,
    T::SourceKey,
    T::Tomb,
    T::Item,
    T::Body,
    T::CatTime,
    T::CatSeq,
    T::Seal,
    T::Resealed,
    T::Version,
    T::Seen,
    T::Alias,
    T::Changed,
    T::Path,
    T::Revision,
    T::Due,
    T::Void,
    T::Touched,
    T::History,
    T::Published,
    T::TextFile,
];

/// Looks through the whole store; changes nothing.
///
/// # Errors
/// Those of the store: a page that cannot be read ends the look.
pub(super) fn check(open: &Open, watch: Watch<'_>) -> Result<Findings> {
    let mut found = walk(open, watch, &mut |tree, key, _| {
        let _writing = open.writing();
        match open.tree(tree).get(key).map_err(|e| backend("read", e))? {
            Some(value) => judge(open, &sources(open)?, tree, key, &value),
            None => Ok(Vec::new()),
        }
    })?;
    let blobs = open.path().join("blobs");
    for blob in fs::read_dir(blobs).into_iter().flatten().flatten() {
        let what = "a value stands in a file of its own, which is never synced";
        found.add(T::Sys, blob.file_name().as_encoded_bytes(), what);
    }
    let _writing = open.writing();
    if !texts::is_balanced(open)? {
        found.add(T::TextFile, b"", "the live bytes of files of texts are counted wrong");
    }
    Ok(found)
}

/// Judges every record; `again` looks at one that seems faulty, and gives what stays of it.
pub(super) fn walk(open: &Open, watch: Watch<'_>, again: Again<'_>) -> Result<Findings> {
    let mut found = Findings::default();
    let sources = sources(open)?;
    for (done, tree) in ALL.into_iter().enumerate() {
        let name = NAMES[tree as usize];
        let mut seen = 0_u64;
        for entry in every(open.tree(tree)) {
            let (key, value) = entry.map_err(|e| backend("be looked through", e))?;
            seen += 1;
            if seen % STEP == 1 {
                watch(done, ALL.len(), format!("{name} {seen}"));
            }
            let faults = judge(open, &sources, tree, &key, &value)?;
            if !faults.is_empty() {
                again(tree, &key, &faults)?.into_iter().for_each(|what| found.add(tree, &key, what));
            }
        }
        found.records += seen;
        if matches!(tree, T::Item) {
            found.items = seen;
        }
    }
    watch(ALL.len(), ALL.len(), "all".to_owned());
    Ok(found)
}

/// Numbers of the sources that have a name.
pub(super) fn sources(open: &Open) -> Result<HashSet<u32>> {
    Ok(sources::names(open)?.into_keys().collect())
}

/// What is wrong with a record; `sources` are those that have a name.
pub(super) fn judge(
    open: &Open,
    sources: &HashSet<u32>,
    tree: T,
    key: &[u8],
    value: &[u8],
) -> Result<Faults> {
    let known = |number: Option<u32>| number.is_some_and(|number| sources.contains(&number));
    let mut faults = match tree {
        T::Item => item(open, key, value)?,
        T::Body => vec!["a part of a text as an old format kept it"],
        T::CatTime => placed(open, key, value)?,
        T::CatSeq => arrived(open, key, value)?,
        T::Seal => seal(open, key)?,
        T::Resealed => resealed(open, key)?,
        T::Version => version(open, key)?,
        T::Seen => of_code::<(Sighting, Option<(u64, Event)>)>(open, key, value, "sighting")?,
        T::Revision => of_code::<Revision>(open, key, value, "revision")?,
        T::History => of_code::<Event>(open, key, value, "event")?,
        T::Tomb => tombstone(open, key, value)?,
        T::Alias => alias::judge(open, key, value, |code| known_code(open, code))?.into_iter().collect(),
        T::Category => category(open, key, value)?,
        T::CategoryKey => leading(open, value)?,
        T::Changed => changed(open, key)?,
        T::Path => path(open, value)?,
        T::Source => source(known(u32_at(key, 0)), value)?,
        T::Due => vec!["a due time as an older feedmill kept it"],
        T::SourceKey => {
            let counted = u32_at(value, 0).is_some_and(|n| within(open, "sources", u64::from(n)));
            unless(counted, "its number was never given")
        }
        T::Void => unless(known(u32_at(key, 0)), "its source does not exist"),
        T::Touched => touched(open, key, value)?,
        T::Dict => {
            let counted = u32_at(key, 0).is_some_and(|n| within(open, "dictionaries", u64::from(n)));
            unless(counted, "its number was never given")
        }
        T::Published => {
            let counted = u64_at(key, 0).is_some_and(|n| within(open, "generation", n));
            unless(counted, "it is of a change that never was")
        }
        T::TextFile => unless(texts::live_in(value).is_some() && key.len() == 4, UNREADABLE),
        T::Sys => sys(open, key, value)?,
    };
    if value.len() > MAX_VALUE {
        faults.push("it is larger than the layout allows");
    }
    Ok(faults)
}

fn unless(good: bool, what: &'static str) -> Faults {
    if good { Vec::new() } else { vec![what] }
}

const UNREADABLE: &str = "it cannot be read";

/// A record, or nothing where it cannot be read; other errors are the store's.
pub(super) fn readable<R>(read: Result<R>) -> Result<Option<R>> {
    match read {
        Ok(record) => Ok(Some(record)),
        Err(StoreError::Damaged { .. } | StoreError::Format { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn within(open: &Open, counter: &str, number: u64) -> bool {
    number > 0 && read::counter(open, counter).is_ok_and(|most| number <= most)
}

pub(super) fn with_site(item: &Item) -> impl Iterator<Item = CategoryId> + '_ {
    item.categories.iter().copied().chain([CategoryId::SITE])
}

fn item(open: &Open, key: &[u8], value: &[u8]) -> Result<Faults> {
    let Some((place, item)) = readable(record::item(key, value))? else { return Ok(vec![UNREADABLE]) };
    let mut faults = unless(item.code.key() == key, "its key is no code");
    let out = read::get(open, T::Tomb, key)?.is_some();
    for id in with_site(&item) {
        let entry = read::get(open, T::CatTime, codec::time_key(id, item.published, key))?;
        let what = match (entry, out) {
            (None, true) => continue,
            (Some(_), true) => "it is withdrawn, and still in a category",
            (None, false) => "it is missing in one of its categories",
            (Some(entry), false) => {
                if log::is_in_order(open, id, key, &entry)? {
                    continue;
                }
                "it has no arrival number in one of its categories"
            }
        };
        faults.push(what);
    }
    if !record::is_touched(open, item.touched, key)? {
        faults.push("it is missing in the index of changes");
    }
    let here = AtPath::Article(item.code.clone());
    if readable(paths::at(open, &item.permalink))?.flatten() != Some(here) {
        faults.push("the path of its page does not lead to it");
    }
    if let Some((_, listing)) = record::first(value)?
        && readable(record::listing(listing))?.is_none()
    {
        faults.push("its first listing cannot be read");
    }
    if place == Place::NONE {
        faults.push("it has no text");
    } else if readable(read::body(open, key))?.is_none() {
        faults.push("its text is damaged");
    }
    Ok(faults)
}

/// The code that a key begins with, as bytes.
pub(super) fn code_in(key: &[u8]) -> Option<&[u8]> {
    InfoCode::from_key(key).and_then(|(_, length)| key.get(..length))
}

fn placed(open: &Open, key: &[u8], value: &[u8]) -> Result<Faults> {
    let (Some(id), Some(at), Some(code)) = (u32_at(key, 0).map(CategoryId), u64_at(key, 4), key.get(12..))
    else {
        return Ok(vec![UNREADABLE]);
    };
    let Some(item) = readable(read::item(open, code))?.flatten() else {
        return Ok(vec!["an entry without its item"]);
    };
    let mut faults = unless(codec::time(item.published) == at.to_be_bytes(), "its time is not its item's");
    if !with_site(&item).any(|own| own == id) {
        faults.push("its item is not in this category");
    }
    if !log::is_in_order(open, id, code, value)? {
        faults.push("its arrival number leads elsewhere");
    }
    Ok(faults)
}

fn arrived(open: &Open, key: &[u8], value: &[u8]) -> Result<Faults> {
    let (Some(id), Some(slots)) = (u32_at(key, 0).map(CategoryId), slots::within(key, value)) else {
        return Ok(vec![UNREADABLE]);
    };
    if id == CategoryId::SITE {
        return Ok(vec!["an arrival at the whole site as an old format kept it"]);
    }
    for (number, slot) in slots {
        if !log::is_said(open, id, number, slot)? {
            return Ok(vec!["an arrival without its entry"]);
        }
    }
    Ok(Vec::new())
}

fn seal(open: &Open, key: &[u8]) -> Result<Faults> {
    let (Some(id), Some(page)) = (u32_at(key, 0).map(CategoryId), u32_at(key, 4)) else {
        return Ok(vec![UNREADABLE]);
    };
    let category = readable(read::category(open, id))?.flatten();
    let mut faults = unless(category.is_some_and(|c| page <= c.sealed()), "a hundred that is not sealed");
    if !log::is_noted(open, id, page)? {
        faults.push("its last change is not noted");
    }
    Ok(faults)
}

fn resealed(open: &Open, key: &[u8]) -> Result<Faults> {
    let (Some(id), Some(at), Some(page)) = (u32_at(key, 0), u64_at(key, 4), u32_at(key, 12)) else {
        return Ok(vec![UNREADABLE]);
    };
    let seal = read::get(open, T::Seal, codec::page_key(CategoryId(id), page))?;
    Ok(unless(seal.is_some_and(|seal| u64_at(&seal, 8) == Some(at)), "a change of a hundred that never was"))
}

fn version(open: &Open, key: &[u8]) -> Result<Faults> {
    let Some(code) = code_in(key) else { return Ok(vec!["it belongs to nothing"]) };
    let mut faults = unless(read::get(open, T::Item, code)?.is_some(), "a form of an item that never was");
    let whole = match u64_at(key, code.len()) {
        Some(since) => readable(read::version(open, code, since))?.is_some(),
        None => false,
    };
    if !whole {
        faults.push("a form that its item had cannot be read");
    }
    Ok(faults)
}

fn of_code<R: DeserializeOwned>(open: &Open, key: &[u8], value: &[u8], what: &'static str) -> Result<Faults> {
    let mut faults = unless(readable(codec::decode::<R>(what, value))?.is_some(), UNREADABLE);
    let known = match code_in(key) {
        Some(code) => known_code(open, code)?,
        None => false,
    };
    if !known {
        faults.push("it is of an item that never was");
    }
    Ok(faults)
}

pub(super) fn known_code(open: &Open, code: &[u8]) -> Result<bool> {
    Ok(read::get(open, T::Item, code)?.is_some() || read::get(open, T::Tomb, code)?.is_some())
}

fn tombstone(open: &Open, key: &[u8], value: &[u8]) -> Result<Faults> {
    let Some(tombstone) = readable(codec::decode::<Tombstone>("tombstone", value))? else {
        return Ok(vec![UNREADABLE]);
    };
    let there = read::get(open, T::Item, key)?.is_some();
    Ok(unless(tombstone.erased != there, "what it says of its item is not so"))
}

fn category(open: &Open, key: &[u8], value: &[u8]) -> Result<Faults> {
    let Some(category) = readable(codec::decode::<Category>("category", value))? else {
        return Ok(vec![UNREADABLE]);
    };
    let mut faults = unless(category.id.0.to_be_bytes() == key, "it stands under the number of another");
    let site = category.id == CategoryId::SITE;
    let slug = read::get(open, T::CategoryKey, category_key(b's', category.slug.as_str()))?;
    // A later category may have taken the name over, which then leads there.
    let name = read::get(open, T::CategoryKey, category_key(b'n', &category.name))?;
    if !site && !read::merged(open, &category)? && (slug.is_none_or(|id| id != key) || name.is_none()) {
        faults.push("its name or slug does not lead to it");
    }
    if read::get(open, T::Changed, [&category.generation.to_be_bytes()[..], key].concat())?.is_none() {
        faults.push("it is missing in the index of changes");
    }
    if !within(open, "generation", category.generation) {
        faults.push("its generation was never given");
    }
    if category.newest != newest(open, category.id)? {
        faults.push("the time of its newest item is wrong");
    }
    let sealed = category.sealed();
    if sealed > 0 && category.id != CategoryId::SITE && !log::is_noted(open, category.id, sealed)? {
        faults.push("its last hundred is not noted as sealed");
    }
    if last_arrival(open, category.id)? > category.arrivals {
        faults.push("it counts fewer arrivals than there are");
    }
    Ok(faults)
}

/// The time of the newest item of a category, by its entries.
pub(super) fn newest(open: &Open, id: CategoryId) -> Result<Option<Timestamp>> {
    let last = open.tree(T::CatTime).scan_prefix(id.0.to_be_bytes()).keys().next_back();
    let last = last.transpose().map_err(|e| backend("read", e))?;
    Ok(last.and_then(|key| u64_at(&key, 4)).and_then(|at| i64::try_from(at).ok()).map(Timestamp::from_unix))
}

/// The highest arrival number of a category that an item has.
pub(super) fn last_arrival(open: &Open, id: CategoryId) -> Result<u32> {
    if id == CategoryId::SITE {
        return Ok(read::by_arrival(open)?.last().map_or(0, |(number, _)| *number));
    }
    slots::last(open, id)
}

fn leading(open: &Open, id: &[u8]) -> Result<Faults> {
    Ok(unless(read::get(open, T::Category, id)?.is_some(), "it leads to a category that never was"))
}

fn changed(open: &Open, key: &[u8]) -> Result<Faults> {
    let (Some(generation), Some(id)) = (u64_at(key, 0), u32_at(key, 8)) else { return Ok(vec![UNREADABLE]) };
    let category = readable(read::category(open, CategoryId(id)))?.flatten();
    Ok(unless(category.is_some_and(|c| c.generation == generation), "an entry without its category"))
}

fn path(open: &Open, value: &[u8]) -> Result<Faults> {
    Ok(match (paths::article(value), paths::redirect(value)) {
        (Some(code), _) => unless(known_code(open, code)?, "it leads to an item that never was"),
        (None, Some(target)) => unless(!target.is_empty(), "it leads nowhere"),
        (None, None) => vec![UNREADABLE],
    })
}

fn source(named: bool, value: &[u8]) -> Result<Faults> {
    let state = readable(codec::decode_named::<SourceState>("source", value))?;
    Ok(if state.is_none() { vec![UNREADABLE] } else { unless(named, "it has no name") })
}

fn touched(open: &Open, key: &[u8], codes: &[u8]) -> Result<Faults> {
    let Some(at) = u64_at(key, 0) else { return Ok(vec![UNREADABLE]) };
    for code in record::touched_codes(codes) {
        let Some(code) = code else { return Ok(vec![UNREADABLE]) };
        if readable(read::item(open, code))?.flatten().is_none_or(|item| item.touched != at) {
            return Ok(vec!["an entry without its item"]);
        }
    }
    Ok(Vec::new())
}

fn sys(open: &Open, key: &[u8], value: &[u8]) -> Result<Faults> {
    Ok(match key {
        b"format" => unless(value == [codec::FORMAT], "it is not this program's"),
        b"generation" => {
            let last = open.tree(T::Changed).last().map_err(|e| backend("read", e))?;
            let last = last.and_then(|(key, _)| u64_at(&key, 0)).unwrap_or_default();
            unless(u64_at(value, 0).is_some_and(|n| n >= last), "changes are newer than it")
        }
        _ => Vec::new(),
    })
}

/// A key for people.
fn name_of(tree: T, key: &[u8]) -> String {
    let code = match tree {
        T::CatTime => key.get(12..),
        T::Path | T::SourceKey | T::Sys | T::CategoryKey => {
            return String::from_utf8_lossy(key).chars().filter(|c| !c.is_control()).take(200).collect();
        }
        _ => Some(key),
    };
    match code.and_then(InfoCode::from_key) {
        Some((code, _)) => code.to_string(),
        None => data_encoding::HEXLOWER.encode(&key[..key.len().min(40)]),
    }
}
