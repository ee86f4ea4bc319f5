//! A small file beside the database that says how far it once reached.
//!
//! sled opens a log that was cut off, and a folder whose database is gone, without a word. So
//! after each sync the newest generation is written here, with a checksum and without a sync of
//! its own: after a power cut the mark may be older than the database, never newer. A database
//! that ends before its mark has lost something.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Its name in the store's folder.
pub(super) const FILE: &str = "mark";

#[derive(Debug)]
pub(super) struct Mark {
    file: File,
    generation: u64,
}

impl Mark {
    /// The mark in `folder`; made where there is none.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let file =
            File::options().read(true).write(true).create(true).truncate(false).open(folder.join(FILE))?;
        let mut bytes = [0; 12];
        // A mark that is short or damaged says nothing.
        let generation = match file.read_exact_at(&mut bytes, 0) {
            Ok(()) => read(&bytes).unwrap_or_default(),
            Err(_) => 0,
        };
        Ok(Self { file, generation })
    }

    /// What it said when it was opened; 0 for nothing.
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Says that the database is durable up to `generation`. That it cannot be written is no fault
    /// of the database.
    pub(super) fn set(&self, generation: u64) {
        let number = generation.to_be_bytes();
        let mut bytes = [0; 12];
        bytes[..8].copy_from_slice(&number);
        bytes[8..].copy_from_slice(&crc32fast::hash(&number).to_be_bytes());
        if let Err(error) = self.file.write_all_at(&bytes, 0) {
            tracing::debug!(%error, "the store's mark could not be written");
        }
    }
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
        assert_eq!(Mark::open(folder.path()).unwrap().generation(), 0);
        Mark::open(folder.path()).unwrap().set(7_000);
        assert_eq!(Mark::open(folder.path()).unwrap().generation(), 7_000);
        let path = folder.path().join(FILE);
        for damage in [&b""[..], b"short", &[1; 12]] {
            std::fs::write(&path, damage).unwrap();
            assert_eq!(Mark::open(folder.path()).unwrap().generation(), 0, "{damage:?}");
        }
    }
}
