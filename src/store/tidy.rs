//! Giving the room of dead texts back: a file of which less than half is live is emptied into the last one
//! and deleted, once what names the new places is durable.

use std::fs;

use super::open::{Open, T, backend};
use super::texts::{Balance, FOLDER, HEAD, MAGIC, Place, Text, framed, live_in, named, numbers, recount};
use super::write::{self, put, transact};
use super::{Result, commit, read, room};

/// Bytes that are moved under one lock.
const MOVED_AT_ONCE: usize = 512 << 10;

/// Empties one file of which less than half is live, and deletes it. Gives the bytes that are free
/// then; 0 when there is no such file, or a commit is under way.
///
/// # Errors
/// Those of the store.
pub(super) fn tidy(open: &Open) -> Result<u64> {
    let folder = open.path().join(FOLDER);
    let active = open.texts.last();
    // What is appended from now on goes to that file or a later one; what was before may wait for its name.
    if open.texts.is_naming() {
        return Ok(0);
    }
    let told = |number: u32| -> Result<u64> {
        let record = read::get(open, T::TextFile, number.to_be_bytes())?;
        Ok(record.and_then(|value| live_in(&value)).unwrap_or_default())
    };
    for number in numbers(&folder).into_iter().filter(|number| *number < active) {
        let size = room::size(&folder.join(number.to_string()));
        let live = told(number)?;
        if live * 2 > size {
            continue;
        }
        empty(open, number)?;
        // What names the new places must not be lost before the old ones are gone.
        open.sync()?;
        // Something is left only where a text is damaged, or the count was wrong.
        if told(number)? == 0 || is_dead(open, number)? {
            open.texts.delete(number)?;
            transact(open, |tx| write::delete(tx, T::TextFile, &number.to_be_bytes()))?;
            return Ok(size.saturating_sub(live));
        }
    }
    Ok(0)
}

/// Whether nothing names a text in a file; counts all files anew on the way.
fn is_dead(open: &Open, number: u32) -> Result<bool> {
    let _writing = open.writing();
    recount(open)?;
    Ok(read::get(open, T::TextFile, number.to_be_bytes())?.is_none())
}

/// Moves every live text of a file to the end of the last one.
fn empty(open: &Open, number: u32) -> Result<()> {
    let bytes = match fs::read(open.path().join(FOLDER).join(number.to_string())) {
        Ok(bytes) => bytes,
        Err(error) => return Err(backend("read a file of texts", error)),
    };
    let mut at = 0;
    let mut moving: Vec<(usize, &[u8], &[u8])> = Vec::new();
    let mut waiting = 0;
    // What a crash left between two frames is passed over.
    while let Some(found) = memchr::memmem::find(&bytes[at..], &MAGIC) {
        let start = at + found;
        let Some((key, payload)) = framed(&bytes[start..]) else {
            at = start + 1;
            continue;
        };
        at = start + HEAD + key.len() + payload.len();
        waiting += payload.len();
        moving.push((start, key, payload));
        if waiting >= MOVED_AT_ONCE {
            move_live(open, number, &std::mem::take(&mut moving))?;
            waiting = 0;
        }
    }
    move_live(open, number, &moving)
}

/// A record that names a text: its tree, its key, its value.
type Naming = (T, Vec<u8>, Vec<u8>);

fn move_live(open: &Open, number: u32, frames: &[(usize, &[u8], &[u8])]) -> Result<()> {
    let _writing = open.writing();
    let mut live = Vec::new();
    for (start, key, payload) in frames {
        let naming = naming(open, number, *start, key)?;
        if !naming.is_empty() {
            live.push((naming, *key, *payload));
        }
    }
    let texts: Vec<Text<'_>> = live.iter().map(|(_, key, payload)| (*key, *payload)).collect();
    let places = open.texts.append(&texts)?;
    open.texts.sync()?;
    let moved: Vec<(&Vec<Naming>, Place)> = live.iter().map(|(naming, ..)| naming).zip(places).collect();
    for batch in moved.chunks(commit::MAX_CHANGES) {
        transact(open, |tx| {
            let mut balance = Balance::default();
            for (naming, place) in batch {
                for (at, key, value) in *naming {
                    balance.add(*place);
                    balance.take(named(value).unwrap_or(Place::NONE));
                    let mut value = value.clone();
                    value[1..=Place::BYTES].copy_from_slice(&place.bytes());
                    put(tx, *at, key, &value)?;
                }
            }
            balance.settle(tx)
        })?;
    }
    Ok(())
}

/// All records that name the frame at `start` of a file.
fn naming(open: &Open, number: u32, start: usize, key: &[u8]) -> Result<Vec<Naming>> {
    let here = |value: &[u8]| {
        named(value)
            .is_some_and(|place| place.file == number && place.at as usize == start && place.length > 0)
    };
    let mut all = Vec::new();
    if let Some(value) = read::get(open, T::Item, key)?.filter(|value| here(value)) {
        all.push((T::Item, key.to_vec(), value.to_vec()));
    }
    for entry in open.tree(T::Version).scan_prefix(key) {
        let (key, value) = entry.map_err(|e| backend("read", e))?;
        if here(&value) {
            all.push((T::Version, key.to_vec(), value.to_vec()));
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::super::texts::is_balanced;
    use super::super::{Change, SledStore, Store};
    use super::*;
    use crate::model::{Body, CodeSpace, InfoCode, Item, Timestamp};

    fn commit(store: &SledStore, numbers: std::ops::Range<u32>, text: &str) {
        let changes = numbers.map(|number| {
            let mut change = Change::of(InfoCode::new(CodeSpace::new("s").unwrap(), &number.to_string()));
            change.body = Some(Body { html: format!("{text} {number}"), ..Body::default() });
            let before = store.item(&change.code).unwrap();
            change.item = Some(before.unwrap_or_else(|| Item::sample(change.code.clone())));
            change
        });
        store.commit(changes.collect(), Timestamp::from_unix(80)).unwrap();
    }

    #[test]
    fn a_file_that_is_mostly_dead_is_emptied_and_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let store = SledStore::open(&path, 1 << 20).unwrap();
        commit(&store, 0..100, "old");
        assert_eq!(store.tidy().unwrap(), 0, "the last file is never touched");
        // As after 64 MiB; and what a crash may leave between two texts.
        let garbage = [&MAGIC[..], b"torn"].concat();
        store.with(|open| open.texts.end_with(&garbage)).unwrap();
        commit(&store, 0..40, "new");
        assert_eq!(store.tidy().unwrap(), 0, "more than half is live");
        commit(&store, 40..90, "new");
        let waits = store.with(|open| {
            let _naming = open.texts.naming();
            tidy(open)
        });
        assert_eq!(waits.unwrap(), 0, "a text may be yet to be named");
        assert!(store.tidy().unwrap() > 0);
        assert!(!path.join(FOLDER).join("1").exists());
        assert!(store.with(is_balanced).unwrap());
        drop(store);
        let store = SledStore::open(&path, 1 << 20).unwrap();
        for number in 0..100 {
            let code = InfoCode::new(CodeSpace::new("s").unwrap(), &number.to_string());
            let age = if number < 90 { "new" } else { "old" };
            assert_eq!(store.body(&code).unwrap().html, format!("{age} {number}"));
        }
    }
}
