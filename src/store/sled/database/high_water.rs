//! The high-water mark: a small file beside the database that records how far it once reached.
//!
//! sled silently opens a truncated log, or a folder whose database is gone. So after each sync the newest
//! generation is written here, with a checksum and without a sync of its own: after a power failure the mark
//! may be older than the database, never newer. A database that ends before its mark has lost data.
//!
//! When the store is closed, a seal, the hash of its files' metadata, is written after the generation: a store
//! whose files still match need not be read through for damage. Opening the store invalidates the seal.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

/// The folder of texts in the store's own; its files are sealed with the database.
pub(crate) const TEXTS: &str = "texts";
/// The file's name in the store's folder.
pub(crate) const FILE: &str = "mark";
/// Bytes of the newest generation with its checksum; the seal follows.
const GENERATION: u64 = 12;
/// Attempts, and the pause between them, to wait for a tick of the file system's clock, which takes some
/// milliseconds.
const STEPS: u32 = 10;
const STEP: Duration = Duration::from_millis(2);

#[derive(Debug)]
pub(crate) struct HighWater {
    file: File,
    generation: u64,
}

impl HighWater {
    /// Opens the mark in `folder`, or creates one, and removes its seal.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let file =
            File::options().read(true).write(true).create(true).truncate(false).open(folder.join(FILE))?;
        let generation = said(&file);
        if file.metadata()?.len() > GENERATION {
            // Durable before any other write: the seal must not reappear beside files that were written to.
            file.set_len(GENERATION)?;
            file.sync_all()?;
        }
        Ok(Self { file, generation })
    }

    /// Returns the generation that it had on opening; 0 for none.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// Records that the database is durable up to `generation`. A failure to write the mark is only logged: the
    /// database is not affected.
    pub(crate) fn set(&self, generation: u64) {
        let number = generation.to_be_bytes();
        let mut bytes = [0; 12];
        bytes[..8].copy_from_slice(&number);
        bytes[8..].copy_from_slice(&crc32fast::hash(&number).to_be_bytes());
        if let Err(error) = self.file.write_all_at(&bytes, 0) {
            tracing::debug!(%error, "the store's mark could not be written");
        }
    }
}

/// Returns how far the database in `folder` once reached, by its mark; 0 without one.
pub(crate) fn reached(folder: &Path) -> u64 {
    File::open(folder.join(FILE)).map_or(0, |file| said(&file))
}

/// Reads the generation; 0 if the mark is short or damaged.
fn said(file: &File) -> u64 {
    let mut bytes = [0; 12];
    file.read_exact_at(&mut bytes, 0).ok().and_then(|()| read(&bytes)).unwrap_or_default()
}

/// Seals the files of a closed store.
///
/// # Errors
/// Those of the system; the store is then read through when it is opened.
pub(crate) fn seal(folder: &Path) -> io::Result<()> {
    File::open(folder.join("db"))?.sync_data()?;
    let (looks, newest) = looks(folder)?;
    let mark = File::options().write(true).open(folder.join(FILE))?;
    for _ in 0..STEPS {
        mark.write_all_at(&looks, GENERATION)?;
        // A change in the same tick would not be noticed, so the seal must be younger than all files.
        if mark.metadata()?.modified()? > newest {
            break;
        }
        sleep(STEP);
    }
    Ok(())
}

/// Returns whether the files match their seal.
pub(crate) fn is_sealed(folder: &Path) -> bool {
    let looks_so = || {
        let mark = folder.join(FILE);
        let (looks, newest) = looks(folder)?;
        let written = fs::read(&mark)?;
        let sealed = written.len() as u64 > GENERATION && written.ends_with(&looks);
        Ok::<_, io::Error>(sealed && fs::metadata(&mark)?.modified()? > newest)
    };
    looks_so().unwrap_or(false)
}

/// Returns a hash of the names, sizes, inodes and times of all files with records and texts, and the newest
/// time.
fn looks(folder: &Path) -> io::Result<([u8; 32], SystemTime)> {
    let texts = fs::read_dir(folder.join(TEXTS))?;
    let mut files: Vec<PathBuf> = texts.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    files.extend([folder.join("db"), folder.join("conf")]);
    files.sort_unstable();
    let (mut hash, mut newest) = (Sha256::new(), SystemTime::UNIX_EPOCH);
    for file in files {
        let meta = fs::metadata(&file)?;
        newest = newest.max(meta.modified()?);
        let numbers =
            [meta.len(), meta.ino(), meta.mtime().cast_unsigned(), meta.mtime_nsec().cast_unsigned()];
        hash.update(format!("{} {numbers:?}\n", file.file_name().unwrap_or_default().display()));
    }
    Ok((hash.finalize().into(), newest))
}

fn read(bytes: &[u8; 12]) -> Option<u64> {
    let (number, sum) = bytes.split_at(8);
    let good = crc32fast::hash(number).to_be_bytes() == sum;
    good.then(|| number.try_into().map(u64::from_be_bytes).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_was_set_and_nothing_when_damaged() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(HighWater::open(folder.path()).unwrap().generation(), 0);
        HighWater::open(folder.path()).unwrap().set(7_000);
        assert_eq!(HighWater::open(folder.path()).unwrap().generation(), 7_000);
        let path = folder.path().join(FILE);
        for damage in [&b""[..], b"short", &[1; 12]] {
            std::fs::write(&path, damage).unwrap();
            assert_eq!(HighWater::open(folder.path()).unwrap().generation(), 0, "{damage:?}");
        }
    }

    #[test]
    fn a_seal_holds_until_a_file_changes_or_the_store_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        fs::create_dir(path.join(TEXTS)).unwrap();
        let text = path.join(TEXTS).join("1");
        for file in [&path.join("db"), &path.join("conf"), &text] {
            fs::write(file, b"as it was").unwrap();
        }
        let sealed = || {
            HighWater::open(path).unwrap().set(7);
            assert!(!is_sealed(path));
            seal(path).unwrap();
            assert!(is_sealed(path));
        };
        for file in [&path.join("db"), &text] {
            sealed();
            // The same length, and at once.
            File::options().write(true).open(file).unwrap().write_all_at(b"o", 3).unwrap();
            assert!(!is_sealed(path), "{file:?}");
        }
        sealed();
        fs::remove_file(&text).unwrap();
        assert!(!is_sealed(path));
        sealed();
        assert_eq!(HighWater::open(path).unwrap().generation(), 7);
        assert!(!is_sealed(path), "opened");
        fs::remove_file(path.join("db")).unwrap();
        assert!(seal(path).is_err() && !is_sealed(path));
    }
}
