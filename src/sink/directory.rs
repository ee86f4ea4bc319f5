//! A directory of whole files: temp file beside the target, fsync, rename (RULES 4.3). Files
//! that feedmill did not write are never touched.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::error::{SinkError, io_error};
use super::file::{Applied, File, Rendered};
use super::packing::{self, ENDINGS, Packing};
use super::record::Unit;
use crate::model::{Cursor, Timestamp};

/// Folder of the records, inside the directory.
pub(super) const RECORDS: &str = ".feedmill";
/// From this many files on, one sync of the file system is cheaper than one a file.
pub(super) const SYNC_ALL_FROM: usize = 16;
/// End of the name of a file that is not whole yet.
pub(super) const TEMP: &str = ".feedmill-tmp";

type Result<T> = std::result::Result<T, SinkError>;

/// Where files are to stand, each with the name that it has until then; of two for one place the later counts.
pub(super) type Gathered = BTreeMap<PathBuf, PathBuf>;

/// An output directory. Writes are gathered and become visible with [`Directory::commit`].
#[derive(Debug)]
pub struct Directory {
    pub(super) root: PathBuf,
    packing: Packing,
    pub(super) pending: Gathered,
    /// Records that must be there before the files are: of files that nothing else knows of.
    pub(super) notes: Gathered,
    /// Records of what the files show, by their names.
    pub(super) records: Vec<(String, Vec<u8>)>,
    /// Those of hundreds, which wait for [`Directory::forget_left`].
    pub(super) waiting: Vec<(String, Vec<u8>)>,
    pub(super) removals: BTreeSet<PathBuf>,
    /// Paths with the units that have them now: they stay, whatever another unit had.
    owners: BTreeMap<String, String>,
}

impl Directory {
    /// Opens the directory, or makes it.
    ///
    /// # Errors
    /// [`SinkError::Io`] when it cannot be made.
    pub fn open(root: &Path) -> Result<Self> {
        let records = root.join(RECORDS);
        fs::create_dir_all(&records).map_err(|e| io_error("create", &records, e))?;
        Ok(Self {
            root: root.to_owned(),
            packing: Packing::default(),
            pending: Gathered::new(),
            notes: Gathered::new(),
            records: Vec::new(),
            waiting: Vec::new(),
            removals: BTreeSet::new(),
            owners: BTreeMap::new(),
        })
    }

    /// With compressed variants of the files that are put from now on, or without.
    #[must_use]
    pub fn with(mut self, packing: Packing) -> Self {
        self.packing = packing;
        self
    }

    /// As [`Directory::with`]; gives what it was.
    pub fn set(&mut self, packing: Packing) -> Packing {
        std::mem::replace(&mut self.packing, packing)
    }

    /// The record of a unit; the empty one for a unit never written or unreadable.
    #[must_use]
    pub fn unit(&self, name: &str) -> Unit {
        fs::read(self.record_path(name))
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default()
    }

    /// Names of all units with a record.
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

    /// Whether a file of the unit is missing.
    #[must_use]
    pub fn lacks(&self, unit: &Unit) -> bool {
        unit.files.keys().any(|path| !self.has(path))
    }

    /// Whether a file is there, with its variants where they belong to it.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        let there = |path: &str| fs::symlink_metadata(self.root.join(path)).is_ok();
        let packed = self.packing == Packing::Packed && packing::packs(path);
        there(path) && (!packed || ENDINGS.iter().all(|ending| there(&format!("{path}{ending}"))))
    }

    /// Whether a file waits for [`Directory::commit`] under this path.
    #[must_use]
    pub fn gathers(&self, path: &str) -> bool {
        self.pending.contains_key(&self.root.join(path))
    }

    /// Gathers one file; `changed_at` becomes its modification time, so that web servers say
    /// when the content changed and not when it was written.
    ///
    /// # Errors
    /// [`SinkError`] when it cannot be written.
    pub fn put(&mut self, file: &File, changed_at: Timestamp) -> Result<Applied> {
        let mut applied = self.put_one(file, changed_at)?;
        for variant in self.variants(file)? {
            applied.add(self.put_one(&variant, changed_at)?);
        }
        if self.packing == Packing::Unpacked {
            applied.add(self.remove_variants(&file.path)?);
        }
        Ok(applied)
    }

    /// The compressed variants of a file, where there are to be some.
    fn variants(&self, file: &File) -> Result<Vec<File>> {
        if self.packing != Packing::Packed || !packing::packs(&file.path) {
            return Ok(Vec::new());
        }
        let made = packing::variants(file);
        made.map(Vec::from).map_err(|e| io_error("compress", Path::new(&file.path), e))
    }

    fn remove_variants(&mut self, path: &str) -> Result<Applied> {
        let mut applied = Applied::default();
        for ending in ENDINGS.iter().filter(|_| packing::packs(path)) {
            applied.add(self.remove_one(&format!("{path}{ending}"))?);
        }
        Ok(applied)
    }

    fn put_one(&mut self, file: &File, changed_at: Timestamp) -> Result<Applied> {
        let target = self.target(&file.path)?;
        self.removals.remove(&target);
        if let Some(earlier) = self.pending.remove(&target) {
            fs::remove_file(&earlier).map_err(|e| io_error("remove", &earlier, e))?;
        }
        if holds(&target, &file.bytes) {
            return Ok(Applied { kept: 1, ..Applied::default() });
        }
        let temp = Self::write_temp(&target, &file.bytes, Some(changed_at))?;
        self.pending.insert(target, temp);
        Ok(Applied { written: 1, bytes: file.bytes.len() as u64, ..Applied::default() })
    }

    /// Gathers all files of a unit, which was `old`, and its new record; files that it no longer has
    /// go.
    ///
    /// # Errors
    /// [`SinkError`] when a file cannot be written.
    pub fn put_unit(&mut self, name: &str, old: &Unit, rendered: &Rendered) -> Result<Applied> {
        let mut applied = Applied::default();
        let mut record = Unit {
            generation: rendered.generation,
            upto: None,
            fingerprint: rendered.fingerprint.clone(),
            files: BTreeMap::new(),
        };
        for file in &rendered.files {
            applied.add(self.put_of(&mut record, file, rendered.changed_at)?);
        }
        for path in &rendered.kept {
            applied.kept += 1;
            let variants = ENDINGS.iter().map(|ending| format!("{path}{ending}"));
            for path in [path.clone()].into_iter().chain(variants) {
                record.files.extend(old.files.get(&path).map(|hash| (path, hash.clone())));
            }
        }
        applied.add(self.put_unit_record(name, old, &record)?);
        Ok(applied)
    }

    /// Gathers one file of a unit of many, and notes it in its record, which is put at the end.
    ///
    /// # Errors
    /// As [`Directory::put`].
    pub fn put_of(&mut self, record: &mut Unit, file: &File, changed_at: Timestamp) -> Result<Applied> {
        let mut applied = Applied::default();
        for file in [file].into_iter().chain(&self.variants(file)?) {
            applied.add(self.put_one(file, changed_at)?);
            record.files.insert(file.path.clone(), hash(&file.bytes));
        }
        Ok(applied)
    }

    /// Gathers the record of a unit, which was `old`, whose files were put by [`Directory::put_of`];
    /// files that it no longer has go.
    ///
    /// # Errors
    /// [`SinkError::Path`] for a record that was tampered with.
    pub fn put_unit_record(&mut self, name: &str, old: &Unit, record: &Unit) -> Result<Applied> {
        let gone = old.files.keys().filter(|path| !record.files.contains_key(*path));
        let applied = self.remove_files(name, gone)?;
        self.owners.extend(record.files.keys().map(|path| (path.clone(), name.to_owned())));
        if record != old {
            self.put_bytes(name, record);
        }
        Ok(applied)
    }

    /// Gathers a record of a unit whose files are put one by one.
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

    /// Gathers the removal of a unit with its files.
    ///
    /// # Errors
    /// [`SinkError::Path`] for a record that was tampered with.
    pub fn drop_unit(&mut self, name: &str) -> Result<Applied> {
        let applied = self.remove_files(name, self.unit(name).files.keys())?;
        self.removals.insert(self.record_path(name));
        Ok(applied)
    }

    /// Gathers the removal of files that a unit has no more.
    fn remove_files<'a>(&mut self, unit: &str, paths: impl Iterator<Item = &'a String>) -> Result<Applied> {
        let mut applied = Applied::default();
        for path in paths {
            let target = self.target(path)?;
            if self.owners.get(path).is_none_or(|owner| owner == unit) {
                self.removals.insert(target);
                applied.removed += 1;
            }
        }
        Ok(applied)
    }

    /// Gathers the removal of a file that was put by itself; none there is no error.
    ///
    /// # Errors
    /// [`SinkError::Path`] for a path that leads out.
    pub fn remove(&mut self, path: &str) -> Result<Applied> {
        let mut applied = self.remove_one(path)?;
        if self.packing != Packing::Plain {
            applied.add(self.remove_variants(path)?);
        }
        Ok(applied)
    }

    fn remove_one(&mut self, path: &str) -> Result<Applied> {
        let target = self.target(path)?;
        if fs::symlink_metadata(&target).is_err() {
            return Ok(Applied::default());
        }
        self.removals.insert(target);
        Ok(Applied { removed: 1, ..Applied::default() })
    }

    /// How many files wait for [`Directory::commit`].
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    pub(super) fn write_temp(target: &Path, bytes: &[u8], at: Option<Timestamp>) -> Result<PathBuf> {
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(TEMP);
        let temp = target.with_file_name(name);
        let write = || -> io::Result<()> {
            let mut file = created(&temp)?;
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

    /// The full path of an output; only plain components, so that nothing leaves the root.
    fn target(&self, path: &str) -> Result<PathBuf> {
        let plain = !path.is_empty()
            && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
            && !path.starts_with(RECORDS);
        if plain { Ok(self.root.join(path)) } else { Err(SinkError::Path { path: path.to_owned() }) }
    }
}

/// An empty file, in a folder that is made if it is not there.
fn created(path: &Path) -> io::Result<fs::File> {
    let open = || OpenOptions::new().write(true).create(true).truncate(true).open(path);
    match (open(), path.parent()) {
        (Err(error), Some(folder)) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(folder)?;
            open()
        }
        (opened, _) => opened,
    }
}

/// Whether a file has just these bytes; one of another length need not be read.
fn holds(path: &Path, bytes: &[u8]) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() == bytes.len() as u64)
        && fs::read(path).is_ok_and(|old| old == bytes)
}

/// Tells what was written from what was not; it guards against nobody, and costs next to nothing.
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
    fn of_two_files_for_one_place_the_later_counts() {
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
    fn writes_what_differs_and_removes_only_its_own() {
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
        assert!(sink.lacks(&sink.unit("a")));
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
