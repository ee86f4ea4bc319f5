//! The records of sinks that follow single items: one a hundred of a category, in a folder of the sink's unit, so
//! that a publish touches those of the hundreds that changed.

use std::fs;

use super::directory::Directory;
use super::error::SinkError;
use super::record::Hundred;
use crate::model::CategoryId;

type Result<T> = std::result::Result<T, SinkError>;

impl Directory {
    /// What is recorded of a hundred of a category; `None` for one never written, or unreadable.
    #[must_use]
    pub fn hundred(&self, unit: &str, at: (CategoryId, u32)) -> Option<Hundred> {
        let bytes = fs::read(self.record_path(&name(unit, at))).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// All hundreds of which a unit has records.
    #[must_use]
    pub fn hundreds(&self, unit: &str) -> Vec<(CategoryId, u32)> {
        let folder = self.record_path(unit).with_extension("");
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.filter_map(|entry| place(&entry.file_name().to_string_lossy())).collect()
    }

    /// Gathers the record of a hundred that was `before`. What is new in it is noted before any file can
    /// appear, and what is not in it any more is forgotten only after [`Directory::forget_left`]: no crash leaves
    /// a file that no record tells of.
    ///
    /// # Errors
    /// [`SinkError::Io`] when it cannot be written.
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
            let went = before.map(|before| before.without(now)).unwrap_or_default();
            let mut both = Hundred { begun: true, ..now.clone() };
            both.items.extend(went.items);
            both.pages.extend(went.pages);
            let target = self.record_path(&name);
            let bytes = serde_json::to_vec(&both).unwrap_or_default();
            let temp = Self::write_temp(&target, &bytes, None)?;
            self.notes.insert(target, temp);
        }
        self.waiting.push((name, serde_json::to_vec(now).unwrap_or_default()));
        Ok(())
    }

    /// Lets the records of hundreds forget with the next commit what left them: all that follows from it is
    /// gathered, or visible already.
    pub fn forget_left(&mut self) {
        self.records.append(&mut self.waiting);
    }

    /// Gathers the removal of the record of a hundred that is no more.
    pub fn drop_hundred(&mut self, unit: &str, at: (CategoryId, u32)) {
        self.removals.insert(self.record_path(&name(unit, at)));
    }
}

fn name(unit: &str, (category, number): (CategoryId, u32)) -> String {
    format!("{unit}/{}-{number}", category.0)
}

fn place(file: &str) -> Option<(CategoryId, u32)> {
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
    fn what_is_new_is_noted_before_its_file_and_what_went_is_forgotten_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = (CategoryId(7), 2);
        let publish = |(before_names, begun): (&[&str], bool), now: &[&str], whole: bool| {
            let mut sink = Directory::open(folder.path()).unwrap();
            let before = sink.hundred("_a", at);
            let noted = (!before_names.is_empty()).then(|| Hundred { begun, ..hundred(before_names) });
            assert_eq!(before, noted);
            for name in now {
                let file = File { path: format!("{name}.html"), bytes: b"text".to_vec() };
                sink.put(&file, Timestamp::EPOCH).unwrap();
            }
            sink.put_hundred("_a", at, before.as_ref(), &hundred(now)).unwrap();
            if whole {
                sink.forget_left();
            }
            sink.commit()
        };
        publish((&[], false), &["a", "b"], true).unwrap();
        // A file that cannot come into its place cuts the publish off.
        fs::create_dir_all(folder.path().join("c.html/x")).unwrap();
        assert!(publish((&["a", "b"], false), &["b", "c"], true).is_err());
        fs::remove_dir_all(folder.path().join("c.html")).unwrap();
        // Nor does a part of one forget anything.
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
