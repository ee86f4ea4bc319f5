//! Compaction: freeing the space that sled keeps for deleted records, and that of dead texts.
//!
//! A database file that has become too large is rewritten (`copy`): by the daemon itself
//! ([`SledStore::shrink`]), or at an admin's request ([`SledStore::compact`]), then together with all files
//! that contain dead texts.

use std::path::Path;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use super::copy::{copy_records, share_or_copy_texts, share_texts};
use super::{disk, swap, tidy};
use crate::store::sled::database::{TreeId, backend, catching_panics, every, put};
use crate::store::sled::engine::Engine;
use crate::store::sled::opening::{close, reopened};
use crate::store::sled::options::StoreOptions;
use crate::store::sled::store::SledStore;
use crate::store::{Result, Watch};

/// Bytes of sled's file below which nothing is done.
const SMALL: u64 = 64 << 20;
/// Size that sled's file may reach, in halves of the bytes of all records.
const HALVES: u64 = 7;
/// Bytes of free space for a file of texts that is moved.
const MOVING: u64 = 64 << 20;
/// The key, in the store, of the size of sled's file when it was last rewritten, in bytes.
const ANEW: &str = "anew";

/// Bytes of the page cache of a store that is only read through, or only written. sled divides it among 256
/// lists of pages: with much less, each record would read its page again.
const LEAN: u64 = 6 << 20;

impl SledStore {
    /// Rewrites the store in place without deleted records; all verbs wait for it. Returns the bytes on disk
    /// before and after.
    ///
    /// # Errors
    /// [`crate::store::StoreError::NoRoom`] before anything is done; otherwise those of the store. In each case
    /// a store is in place, the old or the new one.
    pub fn compact(&self, watch: Watch<'_>) -> Result<(u64, u64)> {
        let StoreOptions { path, low_water, .. } = &self.options;
        let before = disk::stored(path);
        // Texts are moved a file at a time, records all at once.
        disk::enough(path, disk::size(&path.join("db")).saturating_add(before.min(MOVING) + *low_water))?;
        let done = self.renewed(|engine, beside| {
            tidy::tidy_all(engine)?;
            let new = Engine::bare(beside, LEAN)?;
            share_or_copy_texts(engine.db.path(), beside)?;
            copied(engine, &new, watch)
        });
        done.map(|_| (before, disk::stored(path)))
    }

    /// Rewrites sled's file if it has become too large for its records; all verbs wait for it. Returns the
    /// bytes freed, 0 if nothing was to be done.
    ///
    /// # Errors
    /// Those of the store; a store is then in place, the old or the new one.
    pub fn shrink(&self) -> Result<u64> {
        let counted_at = self.counted_at.load(Ordering::Relaxed);
        let Some(size) = self.with(|engine| has_grown(engine, counted_at))? else { return Ok(0) };
        self.counted_at.store(size, Ordering::Relaxed);
        Ok(self.written_anew(is_due)?.unwrap_or_default())
    }

    /// Rewrites sled's file if `due` returns `true`. Returns `None` if it does not, or if the file system has
    /// no hard links.
    fn written_anew(&self, due: impl FnOnce(&Engine) -> Result<bool>) -> Result<Option<u64>> {
        let StoreOptions { path, low_water, .. } = &self.options;
        let before = disk::stored(path);
        let done = self.renewed(|engine, beside| {
            if !due(engine)? {
                return Ok(false);
            }
            disk::enough(path, disk::size(&path.join("db")).saturating_add(*low_water))?;
            let new = Engine::bare(beside, LEAN)?;
            Ok(share_texts(engine.db.path(), beside)? && copied(engine, &new, &mut |_, _, _| {})?)
        })?;
        Ok(done.then(|| before.saturating_sub(disk::stored(path))))
    }

    /// Replaces the store by what `copy` writes into the folder that it is given; all verbs wait for it. Does
    /// nothing if `copy` returns `false`.
    fn renewed(&self, copy: impl FnOnce(&Engine, &Path) -> Result<bool>) -> Result<bool> {
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            return Err(self.closed());
        }
        let path = &self.options.path;
        let (beside, old) = (swap::new(path), swap::old(path));
        disk::clear(&beside)?;
        disk::clear(&old)?;
        close(&mut slot);
        let made = self.made(&beside, copy);
        let done = self.succeed(&mut slot, made, &old)?;
        disk::hold_ballast(&self.options);
        disk::clear(&old)?;
        Ok(done)
    }

    /// Runs `copy` on the closed store. Two stores are then open, so both get a small cache.
    fn made(&self, beside: &Path, copy: impl FnOnce(&Engine, &Path) -> Result<bool>) -> Result<bool> {
        let mut engine = Some(reopened(&StoreOptions { cache: LEAN, ..self.options.clone() }, true)?);
        let done =
            catching_panics("be copied", || copy(engine.as_ref().ok_or_else(|| self.closed())?, beside));
        close(&mut engine);
        done
    }
}

/// Returns the size of sled's file, in bytes, if it may be worth rewriting: it has grown by a third since it
/// last was, and by a quarter since its records were last counted, at a size of `counted_at`.
fn has_grown(engine: &Engine, counted_at: u64) -> Result<Option<u64>> {
    let size = disk::size(&engine.db.path().join("db"));
    let counted = size < counted_at.saturating_mul(5) / 4;
    let grown = size > engine.db.counter(ANEW)?.saturating_mul(4) / 3;
    Ok((size >= SMALL && !counted && grown).then_some(size))
}

/// Returns whether sled's file is worth rewriting, by a count of all records.
fn is_due(engine: &Engine) -> Result<bool> {
    let size = disk::size(&engine.db.path().join("db"));
    let mut records = 0;
    for entry in engine.db.trees().iter().flat_map(every) {
        let (key, value) = entry.map_err(|e| backend("be counted", e))?;
        records += (key.len() + value.len()) as u64;
    }
    Ok(is_wasteful(size, records, engine.db.counter(ANEW)?))
}

/// Returns whether a file is too large for its records, and has grown by a third since it was last rewritten.
/// Many small records take more space however recently they were written, and without the second condition
/// would be rewritten over and over.
fn is_wasteful(size: u64, records: u64, anew: u64) -> bool {
    size > records.saturating_mul(HALVES) / 2 && size > anew.saturating_mul(4) / 3
}

/// Copies all records, and stores the size of the new file.
fn copied(from: &Engine, to: &Engine, watch: Watch<'_>) -> Result<bool> {
    copy_records(&from.db, &to.db, &|_, _, value| Ok(Some(value)), watch)?;
    let size = disk::size(&to.db.path().join("db"));
    to.db.transact(|tx| put(tx, TreeId::Sys, ANEW.as_bytes(), &size.to_be_bytes()))?;
    to.db.sync()?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::model::Cursor;
    use crate::model::{Body, CodeSpace, InfoCode, Item, Timestamp};
    use crate::store::{Change, Changes, Items, Records};

    #[test]
    fn waste_is_told_from_small_records() {
        const MB: u64 = 1 << 20;
        for (size, records, anew, wasteful) in [
            (350, 100, 0, false),
            (351, 100, 0, true),
            (600, 100, 190, true),
            // Records that take five times their bytes at best.
            (500, 100, 500, false),
            (660, 100, 500, false),
            (670, 100, 500, true),
        ] {
            assert_eq!(is_wasteful(size * MB, records * MB, anew * MB), wasteful, "{size} {records} {anew}");
        }
    }

    #[test]
    fn records_are_written_anew_and_texts_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let store = SledStore::open(&path, 1 << 20).unwrap();
        let code = |n: u32| InfoCode::new(CodeSpace::new("s").unwrap(), &n.to_string());
        let change = |n: u32| {
            let mut change = Change::of(code(n));
            change.body = Some(Body { html: format!("text {n}"), ..Body::default() });
            change.item = Some(Item::sample(code(n)));
            change
        };
        store.commit((0..100).map(change).collect(), Timestamp::from_unix(80)).unwrap();
        assert_eq!(store.shrink().unwrap(), 0, "it is small");
        let items = store.touched(&Cursor::default(), &store.cursor().unwrap(), 999).unwrap().0;

        let text = std::fs::metadata(path.join("texts/1")).unwrap();
        store.written_anew(|_| Ok(true)).unwrap().unwrap();
        let same = std::fs::metadata(path.join("texts/1")).unwrap();
        assert_eq!((text.ino(), same.nlink()), (same.ino(), 1));
        assert!(store.with(|engine| engine.db.counter(ANEW)).unwrap() > 0, "it knows how small it can be");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "only its lock is beside it");
        store.commit((100..120).map(change).collect(), Timestamp::from_unix(90)).unwrap();
        let again = store.touched(&Cursor::default(), &store.cursor().unwrap(), 100).unwrap().0;
        assert_eq!(again[..100], items);
        store.sync().unwrap();
        drop(store);
        let store = SledStore::open(&path, 1 << 20).unwrap();
        for n in 0..120 {
            assert_eq!(store.body(&code(n)).unwrap().html, format!("text {n}"));
        }
        assert_eq!(
            store.check(&mut |_, _, _| {}).unwrap().faults,
            20 + 100,
            "sample items are in no category"
        );
    }
}
