//! Freeing the space of dead texts: a file that is at most half live is emptied into the last one, and deleted
//! once the records with the new places are durable.

use std::fs;
use std::path::PathBuf;

use super::disk;
use crate::store::sled::bodies::{
    Balance, HEAD, MAGIC, Place, Text, framed, live_in, named, numbers, recount,
};
use crate::store::sled::database::{READ, TEXTS, TreeId, backend, delete, put};
use crate::store::sled::engine::Engine;
use crate::store::sled::store::SledStore;
use crate::store::{MAX_CHANGES, Result};

/// Bytes of texts that are moved under one lock.
const MOVED_AT_ONCE: usize = 512 << 10;

impl SledStore {
    /// Empties and deletes one file of texts that is mostly dead, while the store is in use. Returns the bytes
    /// freed, 0 if there is no such file; callers repeat it until then.
    ///
    /// # Errors
    /// Those of the store.
    pub fn tidy(&self) -> Result<u64> {
        self.write(tidy)
    }
}

/// Empties and deletes one file that is at most half live. Returns the bytes freed; 0 if there is no such file,
/// or while a commit may be under way.
fn tidy(engine: &Engine) -> Result<u64> {
    let active = engine.texts.last();
    // Later texts are appended to that file or a newer one; earlier ones possibly have no record yet.
    if engine.texts.is_naming() {
        return Ok(0);
    }
    for number in numbers(&folder(engine)).into_iter().filter(|number| *number < active) {
        let (size, live) = (size(engine, number), live(engine, number)?);
        if live * 2 <= size && emptied(engine, number)? {
            return Ok(size.saturating_sub(live));
        }
    }
    Ok(0)
}

/// Empties and deletes every file that contains a dead text. For a store without other users.
///
/// # Errors
/// Those of the store.
pub(super) fn tidy_all(engine: &Engine) -> Result<()> {
    let next = engine.texts.begin_next();
    for number in numbers(&folder(engine)).into_iter().filter(|number| *number < next) {
        if live(engine, number)? < size(engine, number) {
            emptied(engine, number)?;
        }
    }
    Ok(())
}

fn folder(engine: &Engine) -> PathBuf {
    engine.db.path().join(TEXTS)
}

fn size(engine: &Engine, number: u32) -> u64 {
    disk::size(&folder(engine).join(number.to_string()))
}

/// Returns the live bytes recorded for a file.
fn live(engine: &Engine, number: u32) -> Result<u64> {
    let record = engine.db.get(TreeId::TextFile, number.to_be_bytes())?;
    Ok(record.and_then(|value| live_in(&value)).unwrap_or_default())
}

/// Moves the live texts of a file elsewhere and deletes it; returns `false` if some remain in it.
fn emptied(engine: &Engine, number: u32) -> Result<bool> {
    empty(engine, number)?;
    // The records with the new places must be durable before the old ones are deleted.
    engine.db.sync()?;
    // Texts remain only if one is damaged, or the count was wrong.
    if live(engine, number)? > 0 && !is_dead(engine, number)? {
        return Ok(false);
    }
    engine.texts.delete(number)?;
    engine.db.transact(|tx| delete(tx, TreeId::TextFile, &number.to_be_bytes()))?;
    Ok(true)
}

/// Returns whether no record refers to a text in a file; recounts the live bytes of all files.
fn is_dead(engine: &Engine, number: u32) -> Result<bool> {
    let _writing = engine.db.writing();
    recount(&engine.db)?;
    Ok(engine.db.get(TreeId::TextFile, number.to_be_bytes())?.is_none())
}

/// Moves every live text of a file to the end of the last one.
fn empty(engine: &Engine, number: u32) -> Result<()> {
    let bytes = match fs::read(engine.db.path().join(TEXTS).join(number.to_string())) {
        Ok(bytes) => bytes,
        Err(error) => return Err(backend("read a file of texts", error)),
    };
    let mut at = 0;
    let mut moving: Vec<(usize, &[u8], &[u8])> = Vec::new();
    let mut waiting = 0;
    // Remains of a crash between two frames are skipped.
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
            move_live(engine, number, &std::mem::take(&mut moving))?;
            waiting = 0;
        }
    }
    move_live(engine, number, &moving)
}

/// A record that refers to a text: its tree, its key, its value.
type Naming = (TreeId, Vec<u8>, Vec<u8>);

fn move_live(engine: &Engine, number: u32, frames: &[(usize, &[u8], &[u8])]) -> Result<()> {
    let _writing = engine.db.writing();
    let mut live = Vec::new();
    for (start, key, payload) in frames {
        let naming = naming(engine, number, *start, key)?;
        if !naming.is_empty() {
            live.push((naming, *key, *payload));
        }
    }
    let texts: Vec<Text<'_>> = live.iter().map(|(_, key, payload)| (*key, *payload)).collect();
    let places = engine.texts.append(&texts)?;
    engine.texts.sync()?;
    let moved: Vec<(&Vec<Naming>, Place)> = live.iter().map(|(naming, ..)| naming).zip(places).collect();
    for batch in moved.chunks(MAX_CHANGES) {
        engine.db.transact(|tx| {
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
            balance.write(tx)
        })?;
    }
    Ok(())
}

/// Returns all records that refer to the frame at `start` of a file.
fn naming(engine: &Engine, number: u32, start: usize, key: &[u8]) -> Result<Vec<Naming>> {
    let here = |value: &[u8]| {
        named(value)
            .is_some_and(|place| place.file == number && place.at as usize == start && place.length > 0)
    };
    let mut all = Vec::new();
    if let Some(value) = engine.db.get(TreeId::Item, key)?.filter(|value| here(value)) {
        all.push((TreeId::Item, key.to_vec(), value.to_vec()));
    }
    for entry in engine.db.tree(TreeId::Version).scan_prefix(key) {
        let (key, value) = entry.map_err(|e| backend(READ, e))?;
        if here(&value) {
            all.push((TreeId::Version, key.to_vec(), value.to_vec()));
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Body, CodeSpace, InfoCode, Item, Timestamp};
    use crate::store::sled::bodies::is_balanced;
    use crate::store::{Change, Items};

    fn commit(store: &SledStore, numbers: std::ops::Range<u32>, text: &str) {
        let changes = numbers.map(|number| {
            let code = InfoCode::new(CodeSpace::new("s").unwrap(), &number.to_string());
            let mut change = Change::on(code.clone(), store.basis(&code).unwrap());
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
        // As after 64 MiB, with what a crash may leave between two texts.
        let garbage = [&MAGIC[..], b"torn"].concat();
        store.with(|engine| engine.texts.end_with(&garbage)).unwrap();
        commit(&store, 0..40, "new");
        assert_eq!(store.tidy().unwrap(), 0, "more than half is live");
        commit(&store, 40..90, "new");
        let waits = store.with(|engine| {
            let _naming = engine.texts.naming();
            tidy(engine)
        });
        assert_eq!(waits.unwrap(), 0, "a text may be yet to be named");
        assert!(store.tidy().unwrap() > 0);
        assert!(!path.join(TEXTS).join("1").exists());
        assert!(store.with(|engine| is_balanced(&engine.db)).unwrap());
        drop(store);
        let store = SledStore::open(&path, 1 << 20).unwrap();
        for number in 0..100 {
            let code = InfoCode::new(CodeSpace::new("s").unwrap(), &number.to_string());
            let age = if number < 90 { "new" } else { "old" };
            assert_eq!(store.body(&code).unwrap().html, format!("{age} {number}"));
        }
    }
}
