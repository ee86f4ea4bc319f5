//! Giving back the room that sled holds for records that are no more.
//!
//! sled never makes its file smaller, and where records come and go it comes to six times what they
//! have, while one that is written in one go takes not twice that. So a file that has become
//! too large is written anew. Texts, nine tenths of a store, are not copied: they get a second name by a
//! hard link, and lose the first with the old folder.

use std::fs::{self, File};
use std::path::Path;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use sled::Batch;

use super::check::Watch;
use super::codec::FORMAT;
use super::open::{NAMES, Open, T, backend, corrupt};
use super::sled_store::{close, closed, reopened};
use super::walk::every;
use super::{Result, SledStore, StoreOptions, guard, migrate, read, room, stats, texts, write};

/// sled's file below which nothing is done, in bytes.
const SMALL: u64 = 64 << 20;
/// What sled's file may come to, in halves of the bytes of all records.
const HALVES: u64 = 7;
/// Bytes of records that are copied at once.
const AT_ONCE: usize = 512 << 10;
/// Records that are written at once: sled keeps what each one replaced, a page, until all are.
pub(super) const BATCH: usize = 500;
/// Bytes of records after which sled's buffers are written out: else they wait in memory for the disk.
const IN_FLIGHT: usize = 8 << 20;
/// How large sled's file was when it was last written anew, in bytes; stands in the store.
const ANEW: &str = "anew";

/// Memory for pages of a store that is only read through, or only written, in bytes. sled shares it out to
/// 256 lists of pages: with much less each record read would read its page anew.
const LEAN: u64 = 6 << 20;

impl SledStore {
    /// Writes the store anew without what was deleted, in the same place; everyone waits
    /// meanwhile. Gives the bytes on disk before and after.
    ///
    /// # Errors
    /// [`super::StoreError::NoRoom`] before anything is done; otherwise those of the store. In each case
    /// the store is in its place, the old one or the new one.
    pub fn compact(&self, watch: Watch<'_>) -> Result<(u64, u64)> {
        let StoreOptions { path, cache, low_water, .. } = &self.options;
        let before = room::stored(path);
        // A store without waste has less than twice the bytes of its records.
        let live = self.with(stats::live)?;
        room::enough(path, (live * 5 / 2).min(before.saturating_mul(3) / 2).saturating_add(*low_water))?;
        let done = self.renewed(|open, beside| {
            let from: Vec<_> = open.trees().iter().cloned().enumerate().collect();
            let new = Open::bare(beside, *cache)?;
            migrate::copy_all(&from, Some(&open.texts), &new, FORMAT, watch)?;
            Ok(true)
        });
        done.map(|_| (before, room::stored(path)))
    }

    /// Writes sled's file anew where it has become too large for the records in it; everyone waits
    /// meanwhile. Gives the bytes that are free by it, 0 where nothing was to be done.
    ///
    /// # Errors
    /// Those of the store; it then is in its place, the old one or the new one.
    pub fn shrink(&self) -> Result<u64> {
        let counted_at = self.counted_at.load(Ordering::Relaxed);
        let Some(size) = self.with(|open| has_grown(open, counted_at))? else { return Ok(0) };
        self.counted_at.store(size, Ordering::Relaxed);
        Ok(self.written_anew(is_due)?.unwrap_or_default())
    }

    /// Writes sled's file anew where `due` says so; `None` where it does not, and where the file system
    /// cannot do it.
    pub(super) fn written_anew(&self, due: impl FnOnce(&Open) -> Result<bool>) -> Result<Option<u64>> {
        let StoreOptions { path, low_water, .. } = &self.options;
        let before = room::stored(path);
        let done = self.renewed(|open, beside| {
            if !due(open)? {
                return Ok(false);
            }
            room::enough(path, room::size(&path.join("db")).saturating_add(*low_water))?;
            copy(open, beside, LEAN)
        })?;
        Ok(done.then(|| before.saturating_sub(room::stored(path))))
    }

    /// Puts what `copy` makes of the store, in the folder that it is given, in its place; everyone waits
    /// meanwhile. Nothing happens where `copy` says `false`.
    fn renewed(&self, copy: impl FnOnce(&Open, &Path) -> Result<bool>) -> Result<bool> {
        let mut slot = self.open.write().unwrap_or_else(PoisonError::into_inner);
        let path = &self.options.path;
        let beside = room::beside(path, "new");
        room::clear(&beside)?;
        let old = room::free_name(&room::beside(path, "old"))?;
        if slot.is_none() {
            return Err(closed());
        }
        close(&mut slot);
        match self.copied(&beside, copy) {
            Ok(true) => {}
            done => {
                *slot = Some(reopened(&self.options, true)?);
                room::clear(&beside)?;
                return done;
            }
        }
        let swapped = room::put_in_place(&beside, path, &old);
        let opened = reopened(&self.options, true);
        room::hold_ballast(&self.options);
        *slot = Some(opened?);
        swapped?;
        room::clear(&old)?;
        Ok(true)
    }

    /// What `copy` makes of the closed store. Two are open then: neither keeps much in memory.
    fn copied(&self, beside: &Path, copy: impl FnOnce(&Open, &Path) -> Result<bool>) -> Result<bool> {
        let mut open = Some(reopened(&StoreOptions { cache: LEAN, ..self.options.clone() }, true)?);
        let done = guard::guarded("be copied", || copy(open.as_ref().ok_or_else(closed)?, beside));
        close(&mut open);
        done
    }
}

/// The size of sled's file, in bytes, if it may be worth to be written anew: it has grown by a third since it
/// last was, and by a quarter since its records were last counted, at a size of `counted_at`.
pub(super) fn has_grown(open: &Open, counted_at: u64) -> Result<Option<u64>> {
    let size = room::size(&open.path().join("db"));
    let counted = size < counted_at.saturating_mul(5) / 4;
    Ok((size >= SMALL && !counted && size > read::counter(open, ANEW)?.saturating_mul(4) / 3).then_some(size))
}

/// Whether sled's file is worth to be written anew, by a count of all records.
pub(super) fn is_due(open: &Open) -> Result<bool> {
    let size = room::size(&open.path().join("db"));
    let mut records = 0;
    for entry in open.trees().iter().flat_map(every) {
        let (key, value) = entry.map_err(|e| backend("be counted", e))?;
        records += (key.len() + value.len()) as u64;
    }
    Ok(is_wasteful(size, records, read::counter(open, ANEW)?))
}

/// Many small records take more than others, however lately they were written: what grew little since
/// would only be written over and over.
fn is_wasteful(size: u64, records: u64, anew: u64) -> bool {
    size > records.saturating_mul(HALVES) / 2 && size > anew.saturating_mul(4) / 3
}

/// Copies all records into a store in `beside`, which shares the texts. `false` where the file system
/// cannot give a file two names.
pub(super) fn copy(open: &Open, beside: &Path, cache: u64) -> Result<bool> {
    let new = Open::bare(beside, cache)?;
    if !share_texts(open.path(), beside)? {
        return Ok(false);
    }
    let mut in_flight = 0;
    for ((name, from), to) in NAMES.iter().zip(open.trees()).zip(new.trees()) {
        let failed = |error| backend("be copied", error);
        let (mut batch, mut bytes, mut records) = (Batch::default(), 0, 0);
        for entry in every(from) {
            let (key, value) = entry.map_err(failed)?;
            bytes += key.len() + value.len();
            records += 1;
            batch.insert(key, value);
            if bytes >= AT_ONCE || records % BATCH == 0 {
                to.apply_batch(std::mem::take(&mut batch)).map_err(failed)?;
                in_flight += bytes;
                bytes = 0;
            }
            if in_flight >= IN_FLIGHT {
                to.flush().map_err(failed)?;
                in_flight = 0;
            }
        }
        to.apply_batch(batch).map_err(failed)?;
        if every(to).count() != records {
            return Err(corrupt("be copied", format!("records of {name} are missing")));
        }
    }
    new.wrote();
    new.sync()?;
    let size = room::size(&beside.join("db"));
    write::transact(&new, |tx| write::put(tx, T::Sys, ANEW.as_bytes(), &size.to_be_bytes()))?;
    new.sync()?;
    Ok(true)
}

fn share_texts(path: &Path, beside: &Path) -> Result<bool> {
    let (from, to) = (path.join(texts::FOLDER), beside.join(texts::FOLDER));
    for number in texts::numbers(&from) {
        let name = number.to_string();
        if fs::hard_link(from.join(&name), to.join(&name)).is_err() {
            return Ok(false);
        }
    }
    File::open(to).and_then(|folder| folder.sync_all()).map_err(|e| backend("be copied", e))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::super::{Change, SledStore, Store};
    use super::*;
    use crate::model::{Body, CodeSpace, InfoCode, Item, Timestamp};

    #[test]
    fn waste_is_told_from_small_records() {
        const MB: u64 = 1 << 20;
        for (size, records, anew, wasteful) in [
            (350, 100, 0, false),
            (351, 100, 0, true),
            (600, 100, 190, true),
            // Such as take five times their bytes at the best.
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
        let items = store.touched_since(0, 999).unwrap();

        let text = std::fs::metadata(path.join("texts/1")).unwrap();
        store.written_anew(|_| Ok(true)).unwrap().unwrap();
        let same = std::fs::metadata(path.join("texts/1")).unwrap();
        assert_eq!((text.ino(), same.nlink()), (same.ino(), 1));
        assert!(store.with(|open| read::counter(open, ANEW)).unwrap() > 0, "it knows how small it can be");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
        store.commit((100..120).map(change).collect(), Timestamp::from_unix(90)).unwrap();
        assert_eq!(store.touched_since(0, 100).unwrap()[..100], items);
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
