//! The store's disk: free space, the ballast, and names of folders beside the store's.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use tracing::{debug, warn};

use crate::store::sled::bodies;
use crate::store::sled::database::backend;
use crate::store::sled::options::StoreOptions;
use crate::store::{Result, StoreError};

/// Bytes that must be free for any write: a transaction, its log segment and an index.
pub(crate) const LEAST: u64 = 2 << 20;
/// The ballast's name in the store's folder.
pub(crate) const BALLAST: &str = "ballast";

/// Returns the bytes on the disk of `path` that are free for this user; `None` if the system does not report
/// them.
pub(crate) fn free(path: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Returns the bytes of a file; 0 if there is none.
pub(crate) fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |meta| meta.len())
}

/// Returns the bytes of a store's records and texts.
pub(crate) fn stored(store: &Path) -> u64 {
    size(&store.join("db")) + bodies::on_disk(store)
}

/// Creates the ballast again if it is missing and there is room for it and the low-water mark.
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
        // Allocated blocks: deleting a sparse file would free nothing.
        Ok(rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, wanted)?)
    });
    if let Err(error) = filled {
        debug!(%error, "no ballast beside the store");
        drop(fs::remove_file(&path));
    }
}

/// Deletes the ballast to free its space; returns `false` if there was none.
pub(crate) fn drop_ballast(options: &StoreOptions) -> bool {
    let path = options.path.join(BALLAST);
    let had = size(&path) > 0 && fs::remove_file(&path).is_ok();
    if had {
        warn!("the disk is full: the store's ballast is deleted to open it");
    }
    had
}

/// Returns the path of a folder beside the store's for a purpose, such as `store.new`.
pub(crate) fn beside(path: &Path, purpose: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{name}.{purpose}"))
}

/// Returns `path`, or with a number if it exists.
pub(crate) fn free_name(path: &Path) -> Result<PathBuf> {
    let numbered = (2..1_000).map(|number| beside(path, &number.to_string()));
    std::iter::once(path.to_owned())
        .chain(numbered)
        .find(|name| !name.exists())
        .ok_or_else(|| backend("find a name", std::io::Error::other("a thousand old stores lie beside it")))
}

/// Deletes what an earlier attempt left in one of the store's folders.
pub(crate) fn clear(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(backend("clear a folder", error)),
        _ => Ok(()),
    }
}

/// Returns an error if work needs more bytes than are free on the disk of `path`.
pub(crate) fn enough(path: &Path, needed: u64) -> Result<()> {
    let folder = path.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("/"));
    match free(folder) {
        Some(free) if free < needed => {
            Err(StoreError::NoRoom { path: folder.display().to_string(), needed, free })
        }
        _ => Ok(()),
    }
}
