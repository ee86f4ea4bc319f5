//! Small records in maps.

use std::collections::BTreeMap;

use super::MemoryStore;
use crate::store::{RecordKind, Records, Result, StoreError};

impl Records for MemoryStore {
    fn record(&self, kind: RecordKind, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.maps().records.get(&(kind, key.to_vec())).cloned())
    }

    fn records(&self, kind: RecordKind, after: &[u8], limit: usize) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let maps = self.maps();
        let own = maps.records.iter().filter(|((known, key), _)| *known == kind && key.as_slice() > after);
        Ok(own.take(limit).map(|((_, key), value)| (key.clone(), value.clone())).collect())
    }

    fn put_records(&self, kind: RecordKind, records: &[(Vec<u8>, Option<Vec<u8>>)]) -> Result<()> {
        for (key, value) in records {
            RecordKind::fits(key, value.as_deref().unwrap_or_default())?;
        }
        let mut maps = self.maps();
        for (key, value) in records {
            match value {
                Some(value) => drop(maps.records.insert((kind, key.clone()), value.clone())),
                None => drop(maps.records.remove(&(kind, key.clone()))),
            }
        }
        Ok(())
    }

    fn add_counts(&self, counts: &BTreeMap<String, u64>) -> Result<()> {
        let mut maps = self.maps();
        for (name, more) in counts {
            *maps.tallies.entry(name.clone()).or_default() += more;
        }
        Ok(())
    }

    fn tallies(&self) -> Result<BTreeMap<String, u64>> {
        Ok(self.maps().tallies.clone())
    }

    fn fix(&self, key: &'static str, value: &str, set: bool) -> Result<()> {
        let mut maps = self.maps();
        match maps.fixed.get(key) {
            None if set => {
                maps.fixed.insert(key.to_owned(), value.to_owned());
                Ok(())
            }
            Some(stored) if stored != value => {
                Err(StoreError::Fixed { key, stored: stored.clone(), asked: value.to_owned() })
            }
            _ => Ok(()),
        }
    }

    fn identity(&self) -> Result<(u64, u64)> {
        // Two stores in one process have different addresses.
        Ok((std::ptr::from_ref(self) as u64, self.maps().renames))
    }

    fn sync(&self) -> Result<()> {
        Ok(())
    }
}
