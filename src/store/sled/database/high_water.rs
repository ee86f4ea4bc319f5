//! The high-water mark: a small file beside the database that says how far it once reached.
//!
//! sled opens a log that was cut off, and a folder whose database is gone, without a word. So
//! after each sync the newest generation is written here, with a checksum and without a sync of
//! its own: after a power cut the mark may be older than the database, never newer. A database
//! that ends before its mark has lost something.
//!
//! When the store is closed, how its files look then is written behind that: a store that is found
//! looking so again need not be read through for damage. Who opens it takes that back first.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

/// The folder of texts in the store's own; its files are sealed with the database.
pub(crate) const TEXTS: &str = "texts";
/// Its name in the store's folder.
pub(crate) const FILE: &str = "mark";
/// Bytes of the newest generation with its checksum; the seal stands behind.
const GENERATION: u64 = 12;
/// The system's clock for files moves in steps of some milliseconds: how often a step is waited for, and
/// how long each time.
const STEPS: u32 = 10;
const STEP: Duration = Duration::from_millis(2);

#[derive(Debug)]
pub(crate) struct HighWater {
    file: File,
    generation: u64,
}

impl HighWater {
    /// The mark in `folder`; made where there is none.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let file =
            File::options().read(true).write(true).create(true).truncate(false).open(folder.join(FILE))?;
        let generation = said(&file);
        if file.metadata()?.len() > GENERATION {
            // Durable before anything else is: no seal may come back beside files that were written to.
            file.set_len(GENERATION)?;
            file.sync_all()?;
        }
        Ok(Self { file, generation })
    }

    /// What it said when it was opened; 0 for nothing.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// Says that the database is durable up to `generation`. That it cannot be written is no fault
    /// of the database.
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

/// How far the database in `folder` once reached, by its mark; 0 where none says it.
pub(crate) fn reached(folder: &Path) -> u64 {
    File::open(folder.join(FILE)).map_or(0, |file| said(&file))
}

/// A mark that is short or damaged says nothing.
fn said(file: &File) -> u64 {
    let mut bytes = [0; 12];
    file.read_exact_at(&mut bytes, 0).ok().and_then(|()| read(&bytes)).unwrap_or_default()
}

/// Notes how the files of a closed store look.
///
/// # Errors
/// What the system says; the store is then read through when it is opened.
pub(crate) fn seal(folder: &Path) -> io::Result<()> {
    File::open(folder.join("db"))?.sync_data()?;
    let (looks, newest) = looks(folder)?;
    let mark = File::options().write(true).open(folder.join(FILE))?;
    for _ in 0..STEPS {
        mark.write_all_at(&looks, GENERATION)?;
        // A change in the same step of the clock would not be seen: the seal must be younger than all.
        if mark.metadata()?.modified()? > newest {
            break;
        }
        sleep(STEP);
    }
    Ok(())
}

/// Whether the files look as they did when the store was closed.
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

/// A hash of the names, sizes and times of all files that hold records and texts, and the newest time.
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
