//! Room on the store's disk: the ballast, and putting a damaged store aside.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use tracing::{debug, warn};

use super::open::backend;
use super::{Result, StoreOptions};

/// With fewer bytes free nothing is written: a transaction, its log segment and an index.
pub(super) const LEAST: u64 = 2 << 20;
/// Its name in the store's folder.
const BALLAST: &str = "ballast";

/// Bytes that are free for us on the disk of `path`; `None` where the system does not say.
pub(super) fn free(path: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Bytes of a file; 0 where there is none.
pub(super) fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |meta| meta.len())
}

/// Makes the ballast again where it is gone and there is room enough for it and the rest.
pub(super) fn hold_ballast(options: &StoreOptions) {
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
pub(super) fn drop_ballast(options: &StoreOptions) -> bool {
    let path = options.path.join(BALLAST);
    let had = size(&path) > 0 && fs::remove_file(&path).is_ok();
    if had {
        warn!("the disk is full: the store's ballast is deleted to open it");
    }
    had
}

/// Moves the store's folder aside, under a name that is free. Files of the admin's that stand in
/// it go with it.
pub(super) fn put_aside(path: &Path) -> Result<PathBuf> {
    let io = |error| backend("be put aside", error);
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let aside = (1..1_000)
        .map(|number| path.with_file_name(format!("{name}.damaged-{number}")))
        .find(|aside| !aside.exists())
        .ok_or_else(|| io(std::io::Error::other("a thousand damaged stores lie beside it")))?;
    fs::rename(path, &aside).map_err(io)?;
    drop(fs::remove_file(aside.join(BALLAST)));
    Ok(aside)
}
