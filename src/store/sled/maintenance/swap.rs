//! Swapping the store's folder with another: one that was rewritten, or made from a backup or from the readable
//! records of a damaged one.
//!
//! A new store is written as `store.new`. When it is complete it gets a note with the name for the store that
//! it replaces, then the two folders are swapped. So a crash at any moment leaves folders whose role is
//! evident, and the next opening completes the swap ([`finish`]):
//!
//! | `store` | `store.new` | |
//! |---|---|---|
//! | there | | nothing is left to do |
//! | there | there | half-written, or not needed: deleted once the store is open |
//! | with the note | there | the previous store: it is moved to the name in the note |
//! | missing | with the note | takes its place |
//! | missing | | `store.old`, the original of a copy that could not be opened, is moved back |

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FlockOperation, RenameFlags, flock, renameat_with};
use tracing::{debug, warn};

use super::disk::{BALLAST, beside, clear, free_name};
use crate::store::Result;
use crate::store::sled::database::{backend, reached};

/// The note in a complete new store: the name that the previous one gets.
const NOTE: &str = "successor";

/// Returns the path at which a store is rewritten.
pub(crate) fn new(path: &Path) -> PathBuf {
    beside(path, "new")
}

/// Returns the path of a rewritten store's original, until the copy is open.
pub(crate) fn old(path: &Path) -> PathBuf {
    beside(path, "old")
}

fn failed(error: io::Error) -> crate::store::StoreError {
    backend("change places", error)
}

/// Puts the complete store in `store.new` in the place of the one in `path`, which goes to `aside`: in one step
/// if the file system can. Files of other rooms in the folder stay in `path`.
///
/// # Errors
/// Those of the disk. One of the two is then in `path`, or [`finish`] puts it there.
pub(crate) fn put_in_place(path: &Path, aside: &Path) -> Result<()> {
    let new = new(path);
    if path.exists() {
        share_others(path, &new).map_err(failed)?;
    }
    note(&new, aside).map_err(failed)?;
    exchange(&new, path, aside).map_err(failed)?;
    finish(path)
}

fn note(new: &Path, aside: &Path) -> io::Result<()> {
    let name = aside.file_name().unwrap_or_default();
    let mut file = File::create(new.join(NOTE))?;
    file.write_all(name.as_encoded_bytes())?;
    file.sync_all()?;
    File::open(new)?.sync_all()
}

fn exchange(new: &Path, path: &Path, aside: &Path) -> io::Result<()> {
    if !path.exists() {
        return fs::rename(new, path);
    }
    match renameat_with(CWD, new, CWD, path, RenameFlags::EXCHANGE) {
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP) => {
            fs::rename(path, aside)?;
            fs::rename(new, path)
        }
        done => Ok(done?),
    }
}

/// Completes a swap that a crash interrupted, before a store is opened, and moves the previous store to the
/// name in the note.
///
/// # Errors
/// Those of the disk.
pub(crate) fn finish(path: &Path) -> Result<()> {
    let (new, old) = (new(path), old(path));
    let noted = |folder: &Path| fs::read_to_string(folder.join(NOTE)).ok().filter(|name| !name.is_empty());
    if !path.exists() {
        let left = if noted(&new).is_some() { &new } else { &old };
        if !left.exists() {
            return Ok(());
        }
        warn!(from = %left.display(), "the store is put in its place");
        fs::rename(left, path).map_err(failed)?;
    }
    let Some(aside) = noted(path) else { return Ok(()) };
    if new.exists() {
        drop(fs::remove_file(new.join(BALLAST)));
        fs::rename(&new, free_name(&path.with_file_name(aside))?).map_err(failed)?;
    }
    sync_parent(path).map_err(failed)?;
    fs::remove_file(path.join(NOTE)).map_err(failed)
}

/// Puts the previous store, in `aside`, back in the place of one that cannot be opened. Returns `false` if
/// there is none, or if it reaches less far than the present one.
///
/// # Errors
/// Those of the disk; [`finish`] then completes it.
pub(crate) fn take_back(path: &Path, aside: &Path) -> Result<bool> {
    if !aside.is_dir() || reached(aside) < reached(path) {
        return Ok(false);
    }
    let (new, old) = (new(path), old(path));
    clear(&new)?;
    if aside != old {
        clear(&old)?;
        fs::rename(aside, &old).map_err(failed)?;
    }
    fs::rename(path, &new).map_err(failed)?;
    drop(fs::remove_file(new.join(NOTE)));
    share_others(&new, &old).map_err(failed)?;
    fs::rename(&old, path).map_err(failed)?;
    sync_parent(path).map_err(failed)?;
    Ok(true)
}

/// Deletes the folders beside an open store: an incomplete copy, and the previous store. The caller holds the
/// store's lock.
pub(crate) fn clear_beside(path: &Path) {
    for folder in [new(path), old(path)] {
        if let Err(error) = clear(&folder) {
            debug!(error = crate::model::chain(&error), "it stays beside the store");
        }
    }
}

/// Deletes a copy that did not replace the store, and will not.
pub(crate) fn clear_new(path: &Path) {
    if finish(path).and_then(|()| clear(&new(path))).is_err() {
        debug!("a copy stays beside the store");
    }
}

/// Deletes a half-written copy whose space the store needs to be opened. Returns `false` if there is none, or
/// if another process has the store.
pub(crate) fn clear_half(path: &Path) -> bool {
    let new = new(path);
    if finish(path).is_err() || !new.exists() {
        return false;
    }
    let Ok(db) = File::open(path.join("db")) else { return false };
    flock(&db, FlockOperation::NonBlockingLockExclusive).is_ok() && clear(&new).is_ok()
}

fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}

/// Returns whether a name in the store's folder is the store's own. Everything else there belongs to other
/// rooms (last answers, the last good config).
fn is_own(name: &str) -> bool {
    ["db", "conf", "blobs", "texts", "mark", NOTE, BALLAST].contains(&name) || name.starts_with("snap.")
}

/// Links what other rooms keep in a store's folder into its successor's.
fn share_others(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if !is_own(&entry.file_name().to_string_lossy()) {
            share(&entry.path(), &to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

fn share(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return if to.exists() || fs::hard_link(from, to).is_ok() {
            Ok(())
        } else {
            fs::copy(from, to).map(drop)
        };
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        share(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Changes, OnDamage, SledStore, StoreOptions};

    #[test]
    fn what_a_crash_left_is_put_right() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let opened = || {
            let options = StoreOptions::plain(&path, 1 << 20);
            let now = crate::model::Timestamp::from_unix(80);
            SledStore::open_or_mend(options, OnDamage::BeginAnew, now).unwrap().0
        };
        let generation = opened().cursor().unwrap();
        for left in ["new", "old"] {
            fs::create_dir_all(beside(&path, left).join("texts")).unwrap();
        }
        drop(opened());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "it and its lock");
        // Between two renames, if the file system cannot exchange.
        fs::rename(&path, beside(&path, "old")).unwrap();
        fs::create_dir(beside(&path, "new")).unwrap();
        assert_eq!(opened().cursor().unwrap(), generation);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_others_keep_in_the_folder_outlives_a_change_of_the_store() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let store = SledStore::open(&path, 1 << 20).unwrap();
        fs::create_dir(path.join("answers")).unwrap();
        fs::write(path.join("answers/1"), "an answer").unwrap();
        fs::write(path.join("last-good-config.json"), "{}").unwrap();
        store.compact(&mut |_, _, _| {}).unwrap();
        let backup = folder.path().join("backup");
        let now = crate::model::Timestamp::from_unix(80);
        store.export(&backup, crate::store::backup::Form::Packed, now, &mut |_, _| {}).unwrap();
        store.import(&backup, true, now, &mut |_, _| {}).unwrap();
        assert_eq!(fs::read(path.join("answers/1")).unwrap(), b"an answer");
        assert_eq!(fs::read(path.join("last-good-config.json")).unwrap(), b"{}");
    }
}
