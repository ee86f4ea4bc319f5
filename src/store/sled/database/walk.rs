//! Iteration over all records of a tree in little memory.
//!
//! sled records page accesses in 256 lists, and evicts pages only once such a list has 64 new entries. An
//! iteration accesses each page once, so some 16,000 pages, 50 MB of articles, are in memory before the first
//! is evicted, however small the cache. Code that iterates over a whole tree uses [`every`]; a range of it
//! needs no such thing.

use sled::{IVec, Tree};

/// Records after which their page is accessed again: a page has sixteen or more.
const AGAIN: usize = 4;

/// Iterates over all records of a tree in the order of their keys.
pub(crate) fn every(tree: &Tree) -> impl Iterator<Item = sled::Result<(IVec, IVec)>> {
    tree.iter().enumerate().map(|(number, entry)| {
        let (key, value) = entry?;
        if number % AGAIN == 0 {
            tree.contains_key(&key)?;
        }
        Ok((key, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_comes_once() {
        const RECORDS: u32 = 1_000;
        let folder = tempfile::tempdir().unwrap();
        let db = sled::open(folder.path()).unwrap();
        for number in 0..RECORDS {
            db.insert(number.to_be_bytes(), number.to_be_bytes().repeat(20)).unwrap();
        }
        let keys: Vec<_> = every(&db).map(|entry| entry.unwrap().0).collect();
        assert!(keys.iter().zip(0..RECORDS).all(|(key, number)| **key == number.to_be_bytes()));
        assert_eq!(keys.len(), RECORDS as usize);
    }
}
