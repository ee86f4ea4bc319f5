//! Copying a store's records into a new one beside it, which shares the files of texts: for compaction, and for
//! migration from an older format.
//!
//! sled never shrinks its file: where records come and go it grows to six times their size, while one that is
//! written in one go takes less than twice that. Texts, nine tenths of a store, are not copied: they get a
//! second name by a hard link, and lose the first with the old folder.

use std::fs::{self, File};
use std::path::Path;

use sled::Batch;

use crate::store::sled::bodies;
use crate::store::sled::database::{Database, TEXTS, TreeId, backend, corrupt, every};
use crate::store::{Result, Watch};

/// Bytes of records that are written at once, at most.
const AT_ONCE: usize = 512 << 10;
/// Records that are written at once, at most: sled keeps the page that each one replaced until all are written.
const BATCH: usize = 500;
/// Bytes of records after which sled's buffers are flushed; otherwise they wait in memory for the disk.
const IN_FLIGHT: usize = 8 << 20;

/// A conversion of a record, from its tree, key and value, to its value in the copy; `None` drops it.
pub(super) type Record<'a> = &'a dyn Fn(TreeId, &[u8], Vec<u8>) -> Result<Option<Vec<u8>>>;

/// Copies all records into an empty database; they are durable on return.
///
/// # Errors
/// [`crate::store::StoreError::Corrupt`] if a record is missing in the copy; those of `record` and of the
/// store.
pub(super) fn copy_records(
    from: &Database,
    to: &Database,
    record: Record<'_>,
    watch: Watch<'_>,
) -> Result<()> {
    let mut in_flight = 0;
    for (done, tree) in TreeId::ALL.into_iter().enumerate() {
        watch(done, TreeId::ALL.len(), tree.name().to_owned());
        copy_tree(from, to, tree, record, &mut in_flight)?;
    }
    to.wrote();
    to.sync()?;
    watch(TreeId::ALL.len(), TreeId::ALL.len(), "all".to_owned());
    Ok(())
}

fn copy_tree(
    from: &Database,
    to: &Database,
    tree: TreeId,
    record: Record<'_>,
    in_flight: &mut usize,
) -> Result<()> {
    let failed = |error| backend("be copied", error);
    let new = to.tree(tree);
    let (mut batch, mut bytes, mut records) = (Batch::default(), 0, 0);
    for entry in every(from.tree(tree)) {
        let (key, value) = entry.map_err(failed)?;
        let Some(value) = record(tree, &key, value.to_vec())? else { continue };
        bytes += key.len() + value.len();
        records += 1;
        batch.insert(key, value);
        if bytes >= AT_ONCE || records % BATCH == 0 {
            new.apply_batch(std::mem::take(&mut batch)).map_err(failed)?;
            *in_flight += bytes;
            bytes = 0;
        }
        if *in_flight >= IN_FLIGHT {
            new.flush().map_err(failed)?;
            *in_flight = 0;
        }
    }
    new.apply_batch(batch).map_err(failed)?;
    if every(new).count() != records {
        return Err(corrupt("be copied", format!("records of {} are missing", tree.name())));
    }
    Ok(())
}

/// Links the files of texts of one store into another (hard links). Returns `false` if the file system cannot.
///
/// # Errors
/// Those of the disk.
pub(super) fn share_texts(from: &Path, to: &Path) -> Result<bool> {
    let (from, to) = (from.join(TEXTS), to.join(TEXTS));
    for number in bodies::numbers(&from) {
        let name = number.to_string();
        if fs::hard_link(from.join(&name), to.join(&name)).is_err() {
            return Ok(false);
        }
    }
    sync_folder(&to)?;
    Ok(true)
}

/// Links the files of texts as [`share_texts`] does, and copies them if they cannot be linked.
///
/// # Errors
/// Those of the disk.
pub(super) fn share_or_copy_texts(from: &Path, to: &Path) -> Result<()> {
    if share_texts(from, to)? {
        return Ok(());
    }
    let failed = |error| backend("be copied", error);
    let (from, to) = (from.join(TEXTS), to.join(TEXTS));
    for number in bodies::numbers(&from) {
        let name = number.to_string();
        fs::copy(from.join(&name), to.join(&name)).map_err(failed)?;
        File::open(to.join(&name)).and_then(|file| file.sync_all()).map_err(failed)?;
    }
    sync_folder(&to)
}

fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|e| backend("be copied", e))
}
