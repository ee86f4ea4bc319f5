//! Bringing a store of an older format up to date: a new one is written beside it and takes its
//! place; the old one is kept, so that an older feedmill can be put back.
//!
//! Formats so far. 1: the first. 2: bodies may need a dictionary; items have a history; a source's
//! state is kept under the names of its fields. 3: texts stand in files of their own. 4: what is small
//! stands together, slots and aliases in groups, an item's first listing in its record, and a path has a
//! record only where its name does not tell the article.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sled::Tree;
use tracing::{info, warn};

use super::carried::{self, Arrival};
use super::check::Watch;
use super::codec::{self, FORMAT};
use super::open::{self, NAMES, Open, T, backend, corrupt};
use super::texts::Texts;
use super::walk::every;
use super::{Result, StoreError, StoreOptions, guard, room};
use crate::model::{SourceState, Timestamp, Validators};

/// The oldest format that can be read.
pub(super) const OLDEST: u8 = 1;
/// The first format with texts in files of their own.
pub(super) const TEXTS_APART: u8 = 3;
/// The first format with small records together.
pub(super) const TOGETHER: u8 = 4;
/// Stands in a store that was migrated until the old one has its name.
const MIGRATED: &str = "migrated";
/// Records between two words about progress.
const STEP: u64 = 2_000;

/// Where a store of format `found` is kept once it was migrated.
pub(super) fn kept(path: &Path, found: u8) -> PathBuf {
    room::beside(path, &format!("format-{found}"))
}

/// Writes the store anew in the present format and puts it in its place.
///
/// # Errors
/// [`StoreError::NoRoom`] before anything is written; [`StoreError::Corrupt`] where the old one
/// cannot be read whole; it stays as it is then.
pub(super) fn migrate(options: &StoreOptions, found: u8) -> Result<()> {
    let path = &options.path;
    let beside = room::beside(path, "migrating");
    room::clear(&beside)?;
    room::enough(path, room::stored(path).saturating_mul(3) / 2)?;
    info!(from = found, to = FORMAT, "the store is brought up to date; this is done once");
    guard::guarded("be migrated", || copy(options, &beside, found))?;
    let kept = room::free_name(&kept(path, found))?;
    fs::write(beside.join(MIGRATED), format!("from format {found}\n"))
        .map_err(|e| backend("be migrated", e))?;
    room::put_in_place(&beside, path, &kept)?;
    drop(fs::remove_file(path.join(MIGRATED)));
    warn!(kept = %kept.display(), "the store as it was is kept; delete it when you will not go back");
    Ok(())
}

fn copy(options: &StoreOptions, beside: &Path, found: u8) -> Result<()> {
    let config = sled::Config::new().path(&options.path).cache_capacity(options.cache).flush_every_ms(None);
    let old = open::database(&config, &options.path)?;
    let known = old.tree_names();
    let mut from = Vec::new();
    for (number, name) in NAMES.iter().enumerate() {
        if known.iter().any(|known| known == name.as_bytes()) {
            from.push((number, old.open_tree(name).map_err(|e| backend("be migrated", e))?));
        }
    }
    let new = Open::bare(beside, options.cache)?;
    // Before texts stood apart there are none to read, and nothing is made in a store that is kept.
    let texts = if found < TEXTS_APART { None } else { Some(Texts::open(&options.path)?) };
    copy_all(&from, texts.as_ref(), &new, found, &mut |_, _, what| info!(%what, "migrating"))
}

/// Copies trees, known by their place in [`NAMES`], into a store without records.
pub(super) fn copy_all(
    from: &[(usize, Tree)],
    texts: Option<&Texts>,
    to: &Open,
    found: u8,
    watch: Watch<'_>,
) -> Result<()> {
    let failed = |error| backend("be copied", error);
    // Old forms are unpacked on their way: the dictionaries come first.
    let mut order: Vec<&(usize, Tree)> = from.iter().collect();
    order.sort_by_key(|(number, _)| (*number != T::Dict as usize, *number));
    let mut arrival = Arrival::new(to, found);
    let mut taken = [0; NAMES.len()];
    for (done, (number, tree)) in order.into_iter().enumerate() {
        let mut copied = 0_u64;
        for entry in every(tree) {
            let (key, value) = entry.map_err(failed)?;
            let value = match texts {
                Some(texts) => carried::packed_up(texts, found, *number, &key, &value)?,
                None => value.to_vec(),
            };
            taken[*number] += usize::from(carried::counts(found, *number, &key, &value));
            arrival.take(*number, key.to_vec(), value)?;
            copied += 1;
            if copied % STEP == 1 {
                watch(done, from.len(), format!("{} {copied}", NAMES[*number]));
            }
        }
        if *number == T::Dict as usize {
            arrival.settle()?;
        }
    }
    arrival.end()?;
    for (number, _) in from {
        if carried::counted(to, found, *number)? != taken[*number] {
            return Err(corrupt("be copied", format!("records of {} are missing", NAMES[*number])));
        }
    }
    watch(from.len(), from.len(), "all".to_owned());
    Ok(())
}

/// A value of format `found` in the present one. `tree` is its place in [`NAMES`].
pub(super) fn upgrade(found: u8, tree: usize, key: &[u8], mut value: Vec<u8>) -> Result<Vec<u8>> {
    if found == FORMAT {
        return Ok(value);
    }
    let is = |wanted: T| tree == wanted as usize;
    if is(T::Seen) && found < TEXTS_APART {
        // No event is kept with it.
        value.push(0);
    }
    if is(T::Source) && found == OLDEST {
        return codec::source_bytes(&source_1(&value)?);
    }
    let versioned =
        [T::Item, T::Seen, T::Category, T::Revision, T::Tomb, T::History, T::Source].into_iter().any(is)
            || is(T::Sys) && key == b"format";
    match value.first_mut() {
        Some(version) if versioned && *version == found => *version = FORMAT,
        _ if versioned => return Err(StoreError::Damaged { what: NAMES[tree] }),
        _ => {}
    }
    Ok(value)
}

/// A source's state as format 1 kept it: fields in this order.
#[derive(Deserialize)]
struct Source1 {
    etag: Option<String>,
    last_modified: Option<String>,
    next_poll: Timestamp,
    not_before: Timestamp,
    why: String,
    last_poll: Option<Timestamp>,
    last_good: Option<Timestamp>,
    first_good: Option<Timestamp>,
    arriving: bool,
    next_check: Option<Timestamp>,
    fails: u32,
    last_error: Option<String>,
    held: Vec<String>,
    repairs: Vec<String>,
    waiting_names: Vec<String>,
    items: u64,
    title: String,
}

fn source_1(bytes: &[u8]) -> Result<SourceState> {
    let damaged = StoreError::Damaged { what: "source" };
    let Some((&OLDEST, rest)) = bytes.split_first() else { return Err(damaged) };
    let old: Source1 = postcard::from_bytes(rest).map_err(|_| damaged)?;
    Ok(SourceState {
        validators: Validators { etag: old.etag, last_modified: old.last_modified },
        next_poll: old.next_poll,
        not_before: old.not_before,
        why: old.why,
        last_poll: old.last_poll,
        last_good: old.last_good,
        first_good: old.first_good,
        arriving: old.arriving,
        next_check: old.next_check,
        fails: old.fails,
        last_error: old.last_error,
        held: old.held,
        repairs: old.repairs,
        waiting_names: old.waiting_names,
        items: old.items,
        title: old.title,
        ..SourceState::default()
    })
}

/// What a migration that was cut off left behind: a copy that is not whole is deleted, an old
/// store whose successor is in its place already is kept under its name.
pub(super) fn tidy(path: &Path) -> Result<()> {
    let beside = room::beside(path, "migrating");
    if !beside.exists() {
        return Ok(());
    }
    let marker = path.join(MIGRATED);
    if !marker.exists() {
        return room::clear(&beside);
    }
    let found = fs::read_to_string(&marker)
        .ok()
        .and_then(|text| text.trim().strip_prefix("from format ")?.parse().ok());
    let kept = room::free_name(&kept(path, found.unwrap_or(FORMAT - 1)))?;
    fs::rename(&beside, kept).map_err(|e| backend("keep the old store", e))?;
    drop(fs::remove_file(marker));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::texts::Place;
    use super::super::{AliasKind, Change, Placement, Sighting, SledStore, Store, record, slots};
    use super::*;
    use crate::model::{CategoryId, CodeSpace, InfoCode, SourceId};
    use serde::Serialize;

    /// As the first feedmill wrote it.
    #[derive(Serialize)]
    struct Written1<'a> {
        validators: (Option<&'a str>, Option<&'a str>),
        times: (i64, i64),
        why: &'a str,
        polls: (Option<i64>, Option<i64>, Option<i64>),
        arriving: bool,
        next_check: Option<i64>,
        fails: u32,
        last_error: Option<&'a str>,
        lists: (Vec<String>, Vec<String>, Vec<String>),
        items: u64,
        title: &'a str,
    }

    /// Records of the present format as those of format 3, in which each stood alone.
    fn age_to_3(db: &sled::Db) {
        let tree = |tree: T| db.open_tree(NAMES[tree as usize]).unwrap();
        let seen = tree(T::Seen);
        for (key, value) in tree(T::CatSeq).iter().flatten() {
            tree(T::CatSeq).remove(&key).unwrap();
            for (number, slot) in slots::within(&key, &value).unwrap() {
                tree(T::CatSeq).insert([&key[..4], &number.to_be_bytes()].concat(), slot).unwrap();
            }
        }
        for (key, value) in tree(T::Alias).iter().flatten() {
            tree(T::Alias).remove(&key).unwrap();
            for (source, (kind, hash), code) in super::super::alias::readable(&key, &value) {
                let kind = codec::alias_byte(kind);
                let old = [&source.to_be_bytes()[..], &[kind], &hash].concat();
                tree(T::Alias).insert(old, code.key()).unwrap();
            }
        }
        for (key, value) in tree(T::Item).iter().flatten() {
            let item = record::item(&key, &value).unwrap().1;
            tree(T::Path).insert(&item.permalink, [&[1], &key[..]].concat()).unwrap();
            if let Some((source, listing)) = record::first(&value).unwrap() {
                seen.insert([&key[..], &source.to_be_bytes()].concat(), listing).unwrap();
            }
            let item = codec::encode("item", &item).unwrap();
            tree(T::Item).insert(key, [&value[..=Place::BYTES], &item[1..]].concat()).unwrap();
        }
        for (number, name) in NAMES.iter().enumerate() {
            for (key, mut value) in db.open_tree(name).unwrap().iter().flatten() {
                let versioned = upgrade(3, number, &key, vec![3]).is_ok_and(|new| new == [FORMAT]);
                if versioned || number == T::Version as usize || number == T::TextFile as usize {
                    value[0] = 3;
                    db.open_tree(name).unwrap().insert(key, value).unwrap();
                }
            }
        }
    }

    /// Turns a store of the present format into one of an older.
    fn age(path: &Path, to: u8) {
        let db = open::database(&sled::Config::new().path(path), path).unwrap();
        age_to_3(&db);
        if to < TEXTS_APART {
            age_to_1(&db, path);
        }
        db.flush().unwrap();
    }

    /// Records of format 3 as those of format 1.
    fn age_to_1(db: &sled::Db, path: &Path) {
        let texts = Texts::open(path).unwrap();
        let bodies = db.open_tree(NAMES[T::Body as usize]).unwrap();
        for (number, name) in NAMES.iter().enumerate() {
            let tree = db.open_tree(name).unwrap();
            if number == T::TextFile as usize || number == T::Body as usize {
                continue;
            }
            for (key, value) in tree.iter().flatten() {
                let mut old = value.to_vec();
                if number == T::Item as usize {
                    // The text stood apart, in parts of at most 6,000 bytes; the first told their count.
                    let item = [&[1], &value[1 + Place::BYTES..]].concat();
                    let new = texts.read(&key, super::super::texts::named_in(&value, 3).unwrap()).unwrap();
                    let parts = u16::try_from((new.len() + 2).div_ceil(6_000)).unwrap();
                    let whole = [&[1], &new[1..10], &parts.to_be_bytes(), &new[10..]].concat();
                    for (number, part) in (0_u16..).zip(whole.chunks(6_000)) {
                        bodies.insert([&key[..], &number.to_be_bytes()].concat(), part).unwrap();
                    }
                    tree.insert(key, item).unwrap();
                    continue;
                }
                if number == T::Source as usize {
                    let state = Written1 {
                        validators: (Some("\"etag\""), None),
                        times: (77, 0),
                        why: "as ever",
                        polls: (Some(5), Some(5), None),
                        arriving: true,
                        next_check: None,
                        fails: 3,
                        last_error: Some("none"),
                        lists: (vec!["held".into()], Vec::new(), Vec::new()),
                        items: 9,
                        title: "T",
                    };
                    old = postcard::to_extend(&state, vec![1]).unwrap();
                } else if number == T::Touched as usize {
                    continue;
                } else if number == T::Seen as usize {
                    old.pop();
                    old[0] = 1;
                } else if upgrade(1, number, &key, vec![1]).is_ok_and(|new| new == [FORMAT]) {
                    old[0] = 1;
                }
                tree.insert(key, old).unwrap();
            }
        }
        fs::remove_dir_all(path.join(super::super::texts::FOLDER)).unwrap();
    }

    fn beside(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().flatten();
        let mut names: Vec<_> = names.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn an_old_store_is_migrated_beside_itself_and_kept() {
        for found in [OLDEST, TEXTS_APART] {
            migrated_from(found);
        }
    }

    fn migrated_from(found: u8) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let source = SourceId::new("s").unwrap();
        let code = InfoCode::new(CodeSpace::new("s").unwrap(), "1");
        let store = SledStore::open(&path, 1 << 20).unwrap();
        store.register(std::slice::from_ref(&source), Timestamp::from_unix(77)).unwrap();
        let mut change = Change::of(code.clone());
        // Noise, which does not compress, so that it takes several parts.
        let noise: Vec<u8> =
            (0..2_300_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
        let html = format!("<p>文{}</p>", data_encoding::BASE64.encode(&noise));
        change.body = Some(crate::model::Body { html, ..Default::default() });
        let home = store.ensure_category("甲报", None, Timestamp::from_unix(77)).unwrap().id;
        change.item = Some(crate::model::Item {
            home,
            categories: vec![home],
            ..crate::model::Item::sample(code.clone())
        });
        let shown = |category| Placement { category, shown: true };
        change.enters = vec![shown(home), shown(CategoryId::SITE)];
        let hash = [7; 16];
        change.aliases = vec![(source.clone(), (AliasKind::Link, hash))];
        let listed = crate::model::ContentHash::of(&[]);
        let at = Timestamp::from_unix(80);
        let sighting = Sighting { first: at, last: at, listed, guid: Some(hash), checks: 0, detail: None };
        change.sighting = Some((source.clone(), sighting));
        store.commit(vec![change], Timestamp::from_unix(80)).unwrap();
        let (body, item) = (store.body(&code).unwrap(), store.item(&code).unwrap());
        let all = |store: &SledStore| {
            let path = &item.as_ref().unwrap().permalink;
            let listings = store.listings(&code).unwrap();
            let faults = store.check(&mut |_, _, _| {}).unwrap().told;
            let counts = store
                .with(|open| Ok([T::CatSeq, T::Alias, T::Seen, T::Path].map(|tree| open.tree(tree).len())));
            (
                store.arrivals(home, 0, 99).unwrap(),
                store.aliased(&source, (AliasKind::Link, hash)).unwrap(),
                store.at_path(path).unwrap(),
                (listings, faults, counts.unwrap()),
            )
        };
        let whole = all(&store);
        assert_eq!(whole.3.2, [1, 2, 0, 0]);
        let before = store.source(&source).unwrap();
        drop(store);
        age(&path, found);

        // What a crash in the middle of a first try leaves.
        fs::create_dir_all(folder.path().join("store.migrating/half")).unwrap();
        let store = SledStore::open(&path, 1 << 20).unwrap();
        let state = store.source(&source).unwrap();
        if found == OLDEST {
            assert_eq!((state.next_poll.unix(), state.fails, state.items, state.arriving), (77, 3, 9, true));
            assert_eq!(state.validators.etag.as_deref(), Some("\"etag\""));
        } else {
            assert_eq!(state, before);
        }
        assert_eq!(store.body(&code).unwrap(), body);
        assert_eq!(store.item(&code).unwrap(), item);
        assert_eq!(store.touched_since(0, 9).unwrap().len(), 1);
        assert_eq!(all(&store), whole);
        assert_eq!(beside(folder.path()), ["store".to_owned(), format!("store.format-{found}")]);
        drop(store);

        // It is found as it was, and can be migrated again.
        fs::remove_dir_all(&path).unwrap();
        fs::rename(folder.path().join(format!("store.format-{found}")), &path).unwrap();
        assert_eq!(SledStore::open(&path, 1 << 20).unwrap().source(&source).unwrap(), state);
    }

    #[test]
    fn an_older_feedmill_refuses_and_says_the_way_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        drop(SledStore::open(&path, 1 << 20).unwrap());
        let db = open::database(&sled::Config::new().path(&path), &path).unwrap();
        db.open_tree("sys").unwrap().insert("format", &[FORMAT + 1]).unwrap();
        db.flush().unwrap();
        drop(db);
        let before = fs::read(path.join("db")).unwrap();
        let kept = folder.path().join(format!("store.format-{FORMAT}"));
        fs::create_dir(&kept).unwrap();
        let said = SledStore::open(&path, 1 << 20).unwrap_err().to_string();
        for part in ["use the newer feedmill", "export --lines", &kept.display().to_string()] {
            assert!(said.contains(part), "{said}");
        }
        assert_eq!(fs::read(path.join("db")).unwrap(), before, "nothing is written");
        assert_eq!(beside(folder.path()).len(), 2);
    }
}
