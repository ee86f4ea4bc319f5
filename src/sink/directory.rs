//! An output directory. Each file is written beside its target, synced and renamed (RULES 4.3). Files that
//! feedmill did not write are never changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::error::{SinkError, io_error};
use super::file::{File, Rendered, WriteCounts};
use super::precompression::{self, EXTENSIONS, Precompression};
use super::record::Unit;
use crate::model::{Cursor, Timestamp};

/// Folder of the records, inside the directory.
pub(super) const RECORDS: &str = ".feedmill";
/// From this many files on, one sync of the file system is cheaper than one per file.
pub(super) const SYNC_ALL_FROM: usize = 16;
/// End of the names of temporary files.
pub(super) const TEMP: &str = ".feedmill-tmp";

type Result<T> = std::result::Result<T, SinkError>;

/// Temporary files by target. Of two writes of one file the later counts.
pub(super) type Staged = BTreeMap<PathBuf, PathBuf>;

/// An output directory. Writes are staged and become visible with [`Directory::commit`].
#[derive(Debug)]
pub struct Directory {
    pub(super) root: PathBuf,
    precompression: Precompression,
    pub(super) files: Staged,
    /// Records committed before the files: without them nothing would know of these files after a crash.
    pub(super) early_records: Staged,
    /// Records committed after the files, by name.
    pub(super) records: Vec<(String, Vec<u8>)>,
    /// Records of hundreds, committed once [`Directory::flush_hundreds`] was called.
    pub(super) hundred_records: Vec<(String, Vec<u8>)>,
    pub(super) removals: BTreeSet<PathBuf>,
    /// Units by the paths of their files; a file that moved to another unit is not removed with the old one.
    owners: BTreeMap<String, String>,
}

impl Directory {
    /// Opens a directory, and creates it if it is missing.
    ///
    /// # Errors
    /// [`SinkError::Io`] if it cannot be created.
    pub fn open(root: &Path) -> Result<Self> {
        let records = root.join(RECORDS);
        fs::create_dir_all(&records).map_err(|e| io_error("create", &records, e))?;
        Ok(Self {
            root: root.to_owned(),
            precompression: Precompression::default(),
            files: Staged::new(),
            early_records: Staged::new(),
            records: Vec::new(),
            hundred_records: Vec::new(),
            removals: BTreeSet::new(),
            owners: BTreeMap::new(),
        })
    }

    /// Sets whether files put from now on have compressed variants.
    #[must_use]
    pub fn with_precompression(mut self, precompression: Precompression) -> Self {
        self.precompression = precompression;
        self
    }

    /// As [`Directory::with_precompression`]; returns the previous value.
    pub fn set_precompression(&mut self, precompression: Precompression) -> Precompression {
        std::mem::replace(&mut self.precompression, precompression)
    }

    /// Returns the record of a unit; an empty one if it was never written or cannot be read.
    #[must_use]
    pub fn unit(&self, name: &str) -> Unit {
        fs::read(self.record_path(name))
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default()
    }

    /// Returns the names of all units with a record, sorted.
    #[must_use]
    pub fn units(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.root.join(RECORDS)) else { return Vec::new() };
        let mut names: Vec<String> = entries
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".json").map(str::to_owned))
            .collect();
        names.sort();
        names
    }

    /// Returns whether a file of the unit is missing.
    #[must_use]
    pub fn has_missing_files(&self, unit: &Unit) -> bool {
        unit.files.keys().any(|path| !self.has(path))
    }

    /// Returns whether a file exists, with its compressed variants if there are to be any.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        let exists = |path: &str| fs::symlink_metadata(self.root.join(path)).is_ok();
        let variants = self.has_variants(path).then_some(EXTENSIONS).into_iter().flatten();
        exists(path) && variants.map(|extension| format!("{path}{extension}")).all(|path| exists(&path))
    }

    fn has_variants(&self, path: &str) -> bool {
        self.precompression == Precompression::On && precompression::is_compressible(path)
    }

    /// Returns whether a write of this path is staged.
    #[must_use]
    pub fn is_staged(&self, path: &str) -> bool {
        self.files.contains_key(&self.root.join(path))
    }

    /// Stages one file with its variants. `changed_at` becomes the modification time, so that web servers
    /// send when the content changed, not when it was written.
    ///
    /// # Errors
    /// [`SinkError`] if it cannot be written.
    pub fn put(&mut self, file: &File, changed_at: Timestamp) -> Result<WriteCounts> {
        let mut counts = self.put_one(file, changed_at)?;
        for variant in self.variants(file)? {
            counts.add(self.put_one(&variant, changed_at)?);
        }
        if self.precompression == Precompression::Remove {
            counts.add(self.remove_variants(&file.path)?);
        }
        Ok(counts)
    }

    /// Returns the compressed variants that a file is to have.
    fn variants(&self, file: &File) -> Result<Vec<File>> {
        if !self.has_variants(&file.path) {
            return Ok(Vec::new());
        }
        precompression::variants(file)
            .map(Vec::from)
            .map_err(|e| io_error("compress", Path::new(&file.path), e))
    }

    fn remove_variants(&mut self, path: &str) -> Result<WriteCounts> {
        let mut counts = WriteCounts::default();
        for extension in EXTENSIONS.iter().filter(|_| precompression::is_compressible(path)) {
            counts.add(self.remove_one(&format!("{path}{extension}"))?);
        }
        Ok(counts)
    }

    fn put_one(&mut self, file: &File, changed_at: Timestamp) -> Result<WriteCounts> {
        let target = self.target(&file.path)?;
        self.removals.remove(&target);
        if let Some(earlier) = self.files.remove(&target) {
            fs::remove_file(&earlier).map_err(|e| io_error("remove", &earlier, e))?;
        }
        if has_bytes(&target, &file.bytes) {
            return Ok(WriteCounts { kept: 1, ..WriteCounts::default() });
        }
        let temp = Self::write_temp(&target, &file.bytes, Some(changed_at))?;
        self.files.insert(target, temp);
        Ok(WriteCounts { written: 1, bytes: file.bytes.len() as u64, ..WriteCounts::default() })
    }

    /// Stages all files of a unit with its record, and the removal of files that only `old`, its previous
    /// record, has.
    ///
    /// # Errors
    /// [`SinkError`] if a file cannot be written.
    pub fn put_unit(&mut self, name: &str, old: &Unit, rendered: &Rendered) -> Result<WriteCounts> {
        let mut counts = WriteCounts::default();
        let mut record = Unit {
            generation: rendered.generation,
            upto: None,
            fingerprint: rendered.fingerprint.clone(),
            files: BTreeMap::new(),
        };
        for file in &rendered.files {
            counts.add(self.put_unit_file(&mut record, file, rendered.changed_at)?);
        }
        for path in &rendered.kept {
            counts.kept += 1;
            let variants = EXTENSIONS.iter().map(|extension| format!("{path}{extension}"));
            for path in [path.clone()].into_iter().chain(variants) {
                record.files.extend(old.files.get(&path).map(|hash| (path, hash.clone())));
            }
        }
        counts.add(self.put_unit_record(name, old, &record)?);
        Ok(counts)
    }

    /// Stages one file of a unit and adds it to the unit's record, which [`Directory::put_unit_record`]
    /// stages at the end.
    ///
    /// # Errors
    /// As [`Directory::put`].
    pub fn put_unit_file(
        &mut self,
        record: &mut Unit,
        file: &File,
        changed_at: Timestamp,
    ) -> Result<WriteCounts> {
        let mut counts = WriteCounts::default();
        for file in [file].into_iter().chain(&self.variants(file)?) {
            counts.add(self.put_one(file, changed_at)?);
            record.files.insert(file.path.clone(), hash(&file.bytes));
        }
        Ok(counts)
    }

    /// Stages the record of a unit whose files were staged by [`Directory::put_unit_file`], and the removal
    /// of files that only `old`, its previous record, has.
    ///
    /// # Errors
    /// [`SinkError::Path`] if the previous record has a path outside the directory.
    pub fn put_unit_record(&mut self, name: &str, old: &Unit, record: &Unit) -> Result<WriteCounts> {
        let gone = old.files.keys().filter(|path| !record.files.contains_key(*path));
        let counts = self.remove_files(name, gone)?;
        self.owners.extend(record.files.keys().map(|path| (path.clone(), name.to_owned())));
        if record != old {
            self.put_bytes(name, record);
        }
        Ok(counts)
    }

    /// Stages the record of a unit whose files are staged one by one.
    pub fn put_record(&mut self, name: &str, upto: &Cursor, fingerprint: &str) {
        let record =
            Unit { upto: Some(upto.clone()), fingerprint: fingerprint.to_owned(), ..Unit::default() };
        if self.unit(name) != record {
            self.put_bytes(name, &record);
        }
    }

    pub(super) fn put_bytes(&mut self, name: &str, record: &impl serde::Serialize) {
        self.records.push((name.to_owned(), serde_json::to_vec(record).unwrap_or_default()));
    }

    /// Stages the removal of a unit with its files.
    ///
    /// # Errors
    /// [`SinkError::Path`] if its record has a path outside the directory.
    pub fn drop_unit(&mut self, name: &str) -> Result<WriteCounts> {
        let counts = self.remove_files(name, self.unit(name).files.keys())?;
        self.removals.insert(self.record_path(name));
        Ok(counts)
    }

    /// Stages the removal of files that a unit no longer has.
    fn remove_files<'a>(
        &mut self,
        unit: &str,
        paths: impl Iterator<Item = &'a String>,
    ) -> Result<WriteCounts> {
        let mut counts = WriteCounts::default();
        for path in paths {
            let target = self.target(path)?;
            if self.owners.get(path).is_none_or(|owner| owner == unit) {
                self.removals.insert(target);
                counts.removed += 1;
            }
        }
        Ok(counts)
    }

    /// Stages the removal of a file that belongs to no unit; does nothing if it is missing.
    ///
    /// # Errors
    /// [`SinkError::Path`] for a path outside the directory.
    pub fn remove(&mut self, path: &str) -> Result<WriteCounts> {
        let mut counts = self.remove_one(path)?;
        if self.precompression != Precompression::Off {
            counts.add(self.remove_variants(path)?);
        }
        Ok(counts)
    }

    fn remove_one(&mut self, path: &str) -> Result<WriteCounts> {
        let target = self.target(path)?;
        if fs::symlink_metadata(&target).is_err() {
            return Ok(WriteCounts::default());
        }
        self.removals.insert(target);
        Ok(WriteCounts { removed: 1, ..WriteCounts::default() })
    }

    /// Returns the number of staged files.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.files.len()
    }

    pub(super) fn write_temp(target: &Path, bytes: &[u8], at: Option<Timestamp>) -> Result<PathBuf> {
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(TEMP);
        let temp = target.with_file_name(name);
        let write = || -> io::Result<()> {
            let mut file = create(&temp)?;
            file.write_all(bytes)?;
            if let Some(at) = at {
                let seconds = Duration::from_secs(u64::try_from(at.unix()).unwrap_or_default());
                file.set_modified(SystemTime::UNIX_EPOCH + seconds)?;
            }
            Ok(())
        };
        write().map_err(|e| io_error("write", &temp, e))?;
        Ok(temp)
    }

    pub(super) fn record_path(&self, name: &str) -> PathBuf {
        self.root.join(RECORDS).join(format!("{name}.json"))
    }

    /// Returns the full path of an output.
    ///
    /// # Errors
    /// [`SinkError::Path`] unless it consists of plain names and is outside the folder of records.
    fn target(&self, path: &str) -> Result<PathBuf> {
        let is_inside = !path.is_empty()
            && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
            && !path.starts_with(RECORDS);
        if is_inside { Ok(self.root.join(path)) } else { Err(SinkError::Path { path: path.to_owned() }) }
    }
}

/// Creates or empties a file, and creates its folder if it is missing.
fn create(path: &Path) -> io::Result<fs::File> {
    let open = || OpenOptions::new().write(true).create(true).truncate(true).open(path);
    match (open(), path.parent()) {
        (Err(error), Some(folder)) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(folder)?;
            open()
        }
        (opened, _) => opened,
    }
}

/// Returns whether a file has exactly these bytes. A file of another length is not read.
fn has_bytes(path: &Path, bytes: &[u8]) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() == bytes.len() as u64)
        && fs::read(path).is_ok_and(|old| old == bytes)
}

/// Returns the hash of a file in a record: CRC-32 and length. It detects changes, not attacks.
fn hash(bytes: &[u8]) -> String {
    format!("{:08x}{:08x}", crc32fast::hash(bytes), bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), bytes: text.as_bytes().to_vec() }
    }

    #[test]
    fn of_two_writes_of_one_file_the_later_counts() {
        let dir = tempfile::tempdir().unwrap();
        let at = Timestamp::from_unix(1_000_000);
        let mut sink = Directory::open(dir.path()).unwrap();
        for text in ["1", "2"] {
            sink.put(&file("a/b.html", text), at).unwrap();
        }
        sink.commit().unwrap();
        assert_eq!(fs::read_to_string(dir.path().join("a/b.html")).unwrap(), "2");
        assert_eq!(fs::read_dir(dir.path().join("a")).unwrap().count(), 1);
    }

    #[test]
    fn changed_files_are_written_and_only_own_files_removed() {
        let dir = tempfile::tempdir().unwrap();
        let at = Timestamp::from_unix(1_000_000);
        let mut sink = Directory::open(dir.path()).unwrap();
        fs::write(dir.path().join("CNAME"), "x").unwrap();
        let unit = |generation, files, kept: &[&str]| Rendered {
            generation,
            fingerprint: "f".to_owned(),
            files,
            kept: kept.iter().map(|path| (*path).to_owned()).collect(),
            changed_at: at,
        };
        let files = vec![file("a.html", "1"), file("b.html", "3"), file("feed/a.xml", "2")];
        let first = sink.put_unit("a", &sink.unit("a"), &unit(1, files, &[])).unwrap();
        sink.commit().unwrap();
        assert_eq!((first.written, first.kept, first.removed), (3, 0, 0));
        assert!(sink.unit("a").shows(1, "f"));
        let modified = fs::metadata(dir.path().join("a.html")).unwrap().modified().unwrap();
        assert_eq!(modified.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs(), 1_000_000);

        let second = unit(2, vec![file("a.html", "1")], &["b.html"]);
        let second = sink.put_unit("a", &sink.unit("a"), &second).unwrap();
        sink.commit().unwrap();
        assert_eq!((second.written, second.kept, second.removed), (0, 2, 1));
        assert_eq!(sink.unit("a").files.keys().collect::<Vec<_>>(), ["a.html", "b.html"]);
        assert!(!dir.path().join("feed/a.xml").exists());
        assert!(dir.path().join("CNAME").exists());

        fs::remove_file(dir.path().join("a.html")).unwrap();
        assert!(sink.has_missing_files(&sink.unit("a")));
        sink.drop_unit("a").unwrap();
        sink.commit().unwrap();
        assert_eq!(sink.units(), Vec::<String>::new());
    }

    #[test]
    fn no_path_leaves_the_directory() {
        let dir = tempfile::tempdir().unwrap();
        let mut sink = Directory::open(dir.path()).unwrap();
        for path in ["../x", "/etc/x", "", ".feedmill/x.json", "a/../../x"] {
            assert!(
                matches!(sink.put(&file(path, "1"), Timestamp::EPOCH), Err(SinkError::Path { .. })),
                "{path}"
            );
        }
    }
}
