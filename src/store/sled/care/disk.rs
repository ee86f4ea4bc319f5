//! The store's disk: free room, the ballast, folders beside the store's that change places with it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags};
use tracing::{debug, warn};

use crate::store::sled::bodies;
use crate::store::sled::database::backend;
use crate::store::sled::options::StoreOptions;
use crate::store::{Result, StoreError};

/// With fewer bytes free nothing is written: a transaction, its log segment and an index.
pub(crate) const LEAST: u64 = 2 << 20;
/// Its name in the store's folder.
pub(crate) const BALLAST: &str = "ballast";

/// Bytes that are free for us on the disk of `path`; `None` where the system does not say.
pub(crate) fn free(path: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Bytes of a file; 0 where there is none.
pub(crate) fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |meta| meta.len())
}

/// Bytes of a store's records and texts.
pub(crate) fn stored(store: &Path) -> u64 {
    size(&store.join("db")) + bodies::on_disk(store)
}

/// Makes the ballast again where it is gone and there is room enough for it and the rest.
pub(crate) fn hold_ballast(options: &StoreOptions) {
    let path = options.path.join(BALLAST);
    let wanted = options.ballast;
    if wanted == 0 || size(&path) >= wanted {
        return;
    }
    let needed = wanted + options.low_water.max(LEAST);
    if free(&options.path).is_some_and(|free| free < needed) {
        return;
    }
    let filled = File::create(&path).and_then(|file| {
        // Blocks, not a hole: a hole gives nothing back.
        Ok(rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, wanted)?)
    });
    if let Err(error) = filled {
        debug!(%error, "no ballast beside the store");
        drop(fs::remove_file(&path));
    }
}

/// Gives the ballast's room back; `false` when there was none.
pub(crate) fn drop_ballast(options: &StoreOptions) -> bool {
    let path = options.path.join(BALLAST);
    let had = size(&path) > 0 && fs::remove_file(&path).is_ok();
    if had {
        warn!("the disk is full: the store's ballast is deleted to open it");
    }
    had
}

/// A folder beside the store's, for a purpose: `store.new`.
pub(crate) fn beside(path: &Path, purpose: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{name}.{purpose}"))
}

/// `path`, or with a number where that is taken.
pub(crate) fn free_name(path: &Path) -> Result<PathBuf> {
    let numbered = (2..1_000).map(|number| beside(path, &number.to_string()));
    std::iter::once(path.to_owned())
        .chain(numbered)
        .find(|name| !name.exists())
        .ok_or_else(|| backend("find a name", std::io::Error::other("a thousand old stores lie beside it")))
}

/// Deletes what an earlier try left in a folder of ours.
pub(crate) fn clear(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(backend("clear a folder", error)),
        _ => Ok(()),
    }
}

/// What a crash left of a store that was written anew: copies that are not whole, and an old one whose
/// successor is in its place. Only for who holds the store's lock.
pub(crate) fn clear_beside(path: &Path) {
    for purpose in ["new", "old"] {
        if let Err(error) = clear(&beside(path, purpose)) {
            debug!(error = crate::model::chain(&error), "it stays beside the store");
        }
    }
}

/// Where two folders cannot change places in one step, a crash may come when the old store has gone and the
/// new one is not there yet.
pub(crate) fn put_back(path: &Path) -> Result<()> {
    let old = beside(path, "old");
    if path.exists() || !old.exists() {
        return Ok(());
    }
    warn!(from = %old.display(), "the store is put back");
    fs::rename(old, path).map_err(|e| backend("be put back", e))
}

/// Refuses work that needs more bytes than are free on the disk of `path`.
pub(crate) fn enough(path: &Path, needed: u64) -> Result<()> {
    let folder = path.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("/"));
    match free(folder) {
        Some(free) if free < needed => {
            Err(StoreError::NoRoom { path: folder.display().to_string(), needed, free })
        }
        _ => Ok(()),
    }
}

/// What a store keeps in its folder. All else there is somebody else's (last answers, the last good config).
fn is_own(name: &str) -> bool {
    ["db", "conf", "blobs", "texts", "mark", "migrated", BALLAST].contains(&name) || name.starts_with("snap.")
}

/// Gives what others keep in a store's folder a second name in its successor's.
fn share_others(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if !is_own(&entry.file_name().to_string_lossy()) {
            share(&entry.path(), &to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

fn share(from: &Path, to: &Path) -> std::io::Result<()> {
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

/// Puts the store in `new` in the place of the one in `path`, which goes to `aside`: in one step
/// where the file system can, so that a crash finds one of the two there. What others keep in the folder
/// stays in `path`.
pub(crate) fn put_in_place(new: &Path, path: &Path, aside: &Path) -> Result<()> {
    let io = |error: std::io::Error| backend("change places", error);
    if path.exists() {
        share_others(path, new).map_err(io)?;
        match rustix::fs::renameat_with(CWD, new, CWD, path, RenameFlags::EXCHANGE) {
            Ok(()) => fs::rename(new, aside).map_err(io)?,
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP) => {
                fs::rename(path, aside).map_err(io)?;
                fs::rename(new, path).map_err(io)?;
            }
            Err(error) => return Err(io(error.into())),
        }
        drop(fs::remove_file(aside.join(BALLAST)));
    } else {
        fs::rename(new, path).map_err(io)?;
    }
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent).and_then(|folder| folder.sync_all()).map_err(io)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Changes, OnDamage, SledStore, StoreOptions};

    #[test]
    fn what_a_crash_left_is_put_right() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let opened =
            || SledStore::open_or_mend(StoreOptions::plain(&path, 1 << 20), OnDamage::BeginAnew).unwrap().0;
        let generation = opened().generation().unwrap();
        for left in ["new", "old"] {
            fs::create_dir_all(beside(&path, left).join("texts")).unwrap();
        }
        drop(opened());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        // Between two renames, where the file system cannot exchange.
        fs::rename(&path, beside(&path, "old")).unwrap();
        fs::create_dir(beside(&path, "new")).unwrap();
        assert_eq!(opened().generation().unwrap(), generation);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
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
