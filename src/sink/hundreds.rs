//! Records of single items, one file for each hundred of a category, so that a publish writes the records of
//! changed hundreds only. They are in a folder of the unit that they belong to.

use std::fs;

use super::directory::Directory;
use super::error::SinkError;
use super::record::Hundred;
use crate::model::CategoryId;

type Result<T> = std::result::Result<T, SinkError>;

impl Directory {
    /// Returns the record of a hundred of a category; `None` if it was never written or cannot be read.
    #[must_use]
    pub fn hundred(&self, unit: &str, at: (CategoryId, u32)) -> Option<Hundred> {
        let bytes = fs::read(self.record_path(&name(unit, at))).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Returns all hundreds that have a record in a unit.
    #[must_use]
    pub fn hundreds(&self, unit: &str) -> Vec<(CategoryId, u32)> {
        let folder = self.record_path(unit).with_extension("");
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.filter_map(|entry| parse_name(&entry.file_name().to_string_lossy())).collect()
    }

    /// Stages the record of a hundred; `before` is its previous record. New items are recorded before their
    /// files are written, and items that left stay recorded until [`Directory::flush_hundreds`], so that a
    /// crash leaves no file without a record.
    ///
    /// # Errors
    /// [`SinkError::Io`] if it cannot be written.
    pub fn put_hundred(
        &mut self,
        unit: &str,
        at: (CategoryId, u32),
        before: Option<&Hundred>,
        now: &Hundred,
    ) -> Result<()> {
        if before == Some(now) {
            return Ok(());
        }
        let name = name(unit, at);
        if before.is_none_or(|before| !now.without(before).is_empty()) {
            let left = before.map(|before| before.without(now)).unwrap_or_default();
            let mut both = Hundred { begun: true, ..now.clone() };
            both.items.extend(left.items);
            both.pages.extend(left.pages);
            let target = self.record_path(&name);
            let bytes = serde_json::to_vec(&both).unwrap_or_default();
            let temp = Self::write_temp(&target, &bytes, None)?;
            self.early_records.insert(target, temp);
        }
        self.hundred_records.push((name, serde_json::to_vec(now).unwrap_or_default()));
        Ok(())
    }

    /// Lets the next commit write the final records of hundreds, without the items that left. To be called
    /// once the removals of these items' files are staged or committed.
    pub fn flush_hundreds(&mut self) {
        self.records.append(&mut self.hundred_records);
    }

    /// Stages the removal of the record of a hundred that no longer exists.
    pub fn drop_hundred(&mut self, unit: &str, at: (CategoryId, u32)) {
        self.removals.insert(self.record_path(&name(unit, at)));
    }
}

/// Returns the name of the record.
fn name(unit: &str, (category, number): (CategoryId, u32)) -> String {
    format!("{unit}/{}-{number}", category.0)
}

/// Parses the file name of a record.
fn parse_name(file: &str) -> Option<(CategoryId, u32)> {
    let (category, number) = file.strip_suffix(".json")?.split_once('-')?;
    Some((CategoryId(category.parse().ok()?), number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CodeSpace, InfoCode, Timestamp};
    use crate::sink::{File, Shown};

    fn hundred(names: &[&str]) -> Hundred {
        let shown = |name: &&str| Shown {
            code: InfoCode::new(CodeSpace::new("s").unwrap(), name),
            published: Timestamp::EPOCH,
            path: format!("{name}.html"),
        };
        Hundred { items: names.iter().map(shown).collect(), ..Hundred::default() }
    }

    #[test]
    fn new_items_are_recorded_before_their_files_and_removed_ones_until_the_flush() {
        let folder = tempfile::tempdir().unwrap();
        let at = (CategoryId(7), 2);
        let publish = |(before_names, begun): (&[&str], bool), now: &[&str], flush: bool| {
            let mut sink = Directory::open(folder.path()).unwrap();
            let before = sink.hundred("_a", at);
            let recorded = (!before_names.is_empty()).then(|| Hundred { begun, ..hundred(before_names) });
            assert_eq!(before, recorded);
            for name in now {
                let file = File { path: format!("{name}.html"), bytes: b"text".to_vec() };
                sink.put(&file, Timestamp::EPOCH).unwrap();
            }
            sink.put_hundred("_a", at, before.as_ref(), &hundred(now)).unwrap();
            if flush {
                sink.flush_hundreds();
            }
            sink.commit()
        };
        publish((&[], false), &["a", "b"], true).unwrap();
        // The publish fails at a file that cannot be renamed.
        fs::create_dir_all(folder.path().join("c.html/x")).unwrap();
        assert!(publish((&["a", "b"], false), &["b", "c"], true).is_err());
        fs::remove_dir_all(folder.path().join("c.html")).unwrap();
        // Without a flush nothing is dropped from the record.
        publish((&["b", "c", "a"], true), &["b", "c"], false).unwrap();
        publish((&["b", "c", "a"], true), &["b", "c"], true).unwrap();
        let sink = Directory::open(folder.path()).unwrap();
        assert_eq!(sink.hundred("_a", at), Some(hundred(&["b", "c"])));
        assert_eq!((sink.hundreds("_a"), sink.hundreds("_b")), (vec![at], Vec::new()));
        let mut sink = sink;
        sink.drop_hundred("_a", at);
        sink.commit().unwrap();
        assert_eq!(sink.hundreds("_a"), Vec::new());
    }
}
