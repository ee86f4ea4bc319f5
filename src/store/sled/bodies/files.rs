//! The texts of articles: append-only files beside sled's, which holds only the place of each text.
//!
//! Texts are nine tenths of all data and hardly ever change; in sled each would be written about five times,
//! and its space never freed. A text is a frame: four magic bytes, length of key and payload, a checksum, the
//! key of its item, the payload (`packing`). A full file is never appended to again; one that is mostly dead is
//! emptied (`maintenance::tidy`) and deleted, which is the only way to free space.
//!
//! **Order.** A text is durable before anything in sled refers to its place: [`Texts::sync`] comes before the
//! transaction, not only before its flush, because sled may write its log at any time. After a power failure
//! there may be texts that nothing refers to; never the reverse.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::packing;
use super::place::{DAMAGED, MAX_BODY, Place};
use crate::store::sled::database::{TEXTS as FOLDER, backend, u32_at};
use crate::store::{Result, StoreError};

/// Bytes after which the next file is started.
const FULL: u32 = 64 << 20;
/// Files that are kept open for reading.
const OPEN_FILES: usize = 32;
/// The first bytes of a frame.
pub(crate) const MAGIC: [u8; 4] = [0xF5, b'T', b'x', 0xE3];
/// Bytes of a frame before its key: magic, length of key and payload, checksum of everything after it.
pub(crate) const HEAD: usize = 4 + 2 + 4 + 4;
/// The byte that overwrites an erased text; no packed text consists of it.
const ERASED: u8 = 0xE5;

/// A text to be stored: the key of its item, and its packed bytes.
pub(crate) type Text<'a> = (&'a [u8], &'a [u8]);

#[derive(Debug)]
struct Active {
    number: u32,
    end: u32,
    file: Option<Arc<File>>,
    /// Files written since the last sync.
    unsynced: Vec<Arc<File>>,
    /// Whether a new file exists whose directory entry is not durable yet.
    made: bool,
}

/// The files of texts of one store.
#[derive(Debug)]
pub(crate) struct Texts {
    folder: PathBuf,
    active: Mutex<Active>,
    files: Mutex<Vec<(u32, Arc<File>)>>,
    /// Number of appends so far, which a sync has to cover.
    appended: AtomicU64,
    /// Number of appends covered by the last sync; `None` if one failed.
    synced: Mutex<Option<u64>>,
    /// Number of writers with texts that possibly no record refers to yet.
    naming: AtomicUsize,
}

/// A guard for a writer of texts, held until a record refers to them: until then they count as dead.
#[derive(Debug)]
pub(crate) struct Naming<'a>(&'a AtomicUsize);

impl Drop for Naming<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn locked<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Texts {
    /// Opens the files in the folder of a store, and creates the folder.
    pub(crate) fn open(store: &Path) -> Result<Self> {
        let folder = store.join(FOLDER);
        fs::create_dir_all(&folder).map_err(|e| backend("create the folder of its texts", e))?;
        let number = numbers(&folder).last().copied().unwrap_or(1);
        let end = fs::metadata(folder.join(number.to_string())).map_or(0, |meta| meta.len());
        let end = u32::try_from(end).unwrap_or(FULL);
        let active = Active { number, end, file: None, unsynced: Vec::new(), made: true };
        Ok(Self {
            folder,
            active: Mutex::new(active),
            files: Mutex::default(),
            appended: AtomicU64::new(0),
            synced: Mutex::new(Some(0)),
            naming: AtomicUsize::new(0),
        })
    }

    /// Returns a guard to hold from before an append until a transaction refers to its texts.
    pub(crate) fn naming(&self) -> Naming<'_> {
        self.naming.fetch_add(1, Ordering::SeqCst);
        Naming(&self.naming)
    }

    /// Returns whether there may be texts that no record refers to yet.
    pub(crate) fn is_naming(&self) -> bool {
        self.naming.load(Ordering::SeqCst) > 0
    }

    /// Appends texts in one write, and returns their places; they are durable after the next [`Texts::sync`].
    pub(crate) fn append(&self, texts: &[Text<'_>]) -> Result<Vec<Place>> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let failed = |error| backend("store texts", error);
        let mut bytes = Vec::with_capacity(texts.iter().map(|(k, p)| HEAD + k.len() + p.len()).sum());
        let mut places = Vec::with_capacity(texts.len());
        for (key, payload) in texts {
            places.push(frame(&mut bytes, key, payload)?);
        }
        let length = u32::try_from(bytes.len()).map_err(|_| too_large(bytes.len()))?;
        let mut active = locked(&self.active);
        if active.end > 0 && active.end.saturating_add(length) > FULL {
            let number = active.number + 1;
            (active.number, active.end, active.file, active.made) = (number, 0, None, true);
        }
        let file = if let Some(file) = &active.file {
            Arc::clone(file)
        } else {
            let path = self.folder.join(active.number.to_string());
            let file = File::options().read(true).write(true).create(true).truncate(false).open(path);
            let file = Arc::new(file.map_err(failed)?);
            active.file = Some(Arc::clone(&file));
            file
        };
        // The next write overwrites one that failed halfway.
        file.write_all_at(&bytes, u64::from(active.end)).map_err(failed)?;
        for place in &mut places {
            (place.file, place.at) = (active.number, place.at + active.end);
        }
        active.end += length;
        if !active.unsynced.iter().any(|known| Arc::ptr_eq(known, &file)) {
            active.unsynced.push(file);
        }
        self.appended.fetch_add(1, Ordering::SeqCst);
        Ok(places)
    }

    /// Makes all appended texts durable. Group commit: callers that wait for a running sync share the next one.
    /// After a failure nothing becomes durable until the store is opened again: the system may have dropped
    /// what it could not write.
    pub(crate) fn sync(&self) -> Result<()> {
        let failed = |error| backend("sync its texts", error);
        let mine = self.appended.load(Ordering::SeqCst);
        let mut synced = locked(&self.synced);
        let before = synced.ok_or_else(|| failed(io::Error::other("an earlier sync failed")))?;
        if before >= mine {
            return Ok(());
        }
        let (covered, files, made) = {
            let mut active = locked(&self.active);
            let files = std::mem::take(&mut active.unsynced);
            (self.appended.load(Ordering::SeqCst), files, std::mem::take(&mut active.made))
        };
        *synced = None;
        for file in files {
            file.sync_data().map_err(failed)?;
        }
        if made {
            File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        }
        *synced = Some(covered);
        Ok(())
    }

    /// Reads the payload of a text.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if another text is there, or none.
    pub(crate) fn read(&self, key: &[u8], place: Place) -> Result<Vec<u8>> {
        let mut bytes = vec![0; (place.length as usize).min(MAX_BODY + HEAD + (1 << 16))];
        let file = match self.file(place.file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(DAMAGED),
            found => found.map_err(|e| backend("open a file of texts", e))?,
        };
        match file.read_exact_at(&mut bytes, u64::from(place.at)) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(DAMAGED),
            done => done.map_err(|e| backend("read a text", e))?,
        }
        match framed(&bytes) {
            Some((found, payload)) if found == key && HEAD + key.len() + payload.len() == bytes.len() => {
                let head = HEAD + key.len();
                bytes.drain(..head);
                Ok(bytes)
            }
            _ => Err(DAMAGED),
        }
    }

    fn file(&self, number: u32) -> io::Result<Arc<File>> {
        let mut files = locked(&self.files);
        if let Some(at) = files.iter().position(|(known, _)| *known == number) {
            // The most recently used file is last; the first is closed when there are too many.
            let found = files.remove(at);
            files.push(found);
        } else {
            let file = Arc::new(File::open(self.folder.join(number.to_string()))?);
            if files.len() >= OPEN_FILES {
                files.remove(0);
            }
            files.push((number, file));
        }
        files.last().map(|(_, file)| Arc::clone(file)).ok_or_else(|| io::Error::other("no file"))
    }

    /// Overwrites a text that nothing refers to any more, because an erased article must not be found on the
    /// disk. The bytes show that it was erased ([`Texts::is_erased`]).
    pub(crate) fn blank(&self, place: Place) -> Result<()> {
        let failed = |error| backend("erase a text", error);
        let file = File::options().write(true).open(self.folder.join(place.file.to_string()));
        let file = match file {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            file => file.map_err(failed)?,
        };
        let from = place.at as usize + HEAD;
        let over = vec![ERASED; (place.length as usize).saturating_sub(HEAD)];
        file.write_all_at(&over, from as u64).map_err(failed)?;
        file.sync_data().map_err(failed)
    }

    /// Returns whether a text was erased and is not merely damaged: a store that lost its last changes may
    /// still refer to it.
    pub(crate) fn is_erased(&self, place: Place) -> bool {
        let mut bytes = vec![0; (place.length as usize).saturating_sub(HEAD)];
        let file = File::open(self.folder.join(place.file.to_string()));
        let read = file.and_then(|file| file.read_exact_at(&mut bytes, u64::from(place.at) + HEAD as u64));
        read.is_ok() && !bytes.is_empty() && bytes.iter().all(|byte| *byte == ERASED)
    }

    /// Damages a text.
    #[cfg(test)]
    pub(crate) fn spoil(&self, place: Place) -> Result<()> {
        let file = File::options().write(true).open(self.folder.join(place.file.to_string()));
        let spoilt = file.and_then(|file| file.write_all_at(&[0; 8], u64::from(place.at) + HEAD as u64));
        spoilt.map_err(|e| backend("spoil a text", e))
    }

    /// Starts a new file for the next texts, and returns its number.
    pub(crate) fn begin_next(&self) -> u32 {
        let mut active = locked(&self.active);
        if active.end > 0 {
            (active.number, active.end, active.file, active.made) = (active.number + 1, 0, None, true);
        }
        active.number
    }

    /// Starts the next file, as if this one were full and ended with `rest`.
    #[cfg(test)]
    pub(crate) fn end_with(&self, rest: &[u8]) -> Result<()> {
        let mut active = locked(&self.active);
        let file = active.file.take().unwrap();
        file.write_all_at(rest, u64::from(active.end)).map_err(|e| backend("store texts", e))?;
        (active.number, active.end) = (active.number + 1, 0);
        Ok(())
    }

    /// Returns the number of the file that is appended to.
    pub(crate) fn last(&self) -> u32 {
        locked(&self.active).number
    }

    pub(crate) fn delete(&self, number: u32) -> Result<()> {
        locked(&self.files).retain(|(known, _)| *known != number);
        match fs::remove_file(self.folder.join(number.to_string())) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(backend("delete a file of texts", error))
            }
            _ => Ok(()),
        }
    }
}

fn too_large(bytes: usize) -> StoreError {
    StoreError::TooLarge { what: "body", bytes, limit: MAX_BODY }
}

/// Appends a frame to `bytes`, and returns its place as if `bytes` were the file.
pub(crate) fn frame(bytes: &mut Vec<u8>, key: &[u8], payload: &[u8]) -> Result<Place> {
    let at = bytes.len();
    let told = |length: usize| u32::try_from(length).map_err(|_| too_large(length));
    let key_length = u16::try_from(key.len()).map_err(|_| too_large(key.len()))?;
    let mut sum = crc32fast::Hasher::new();
    sum.update(key);
    sum.update(payload);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&key_length.to_be_bytes());
    bytes.extend_from_slice(&told(payload.len())?.to_be_bytes());
    bytes.extend_from_slice(&sum.finalize().to_be_bytes());
    bytes.extend_from_slice(key);
    bytes.extend_from_slice(payload);
    Ok(Place { file: 0, at: told(at)?, length: told(bytes.len() - at)?, raw: packing::raw_length(payload) })
}

/// Returns the key and the payload of the frame that `bytes` begin with, if it is whole and sound.
pub(crate) fn framed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let head = bytes.get(..HEAD).filter(|head| head.starts_with(&MAGIC))?;
    let key_length = usize::from(u16::from_be_bytes([head[4], head[5]]));
    let length = u32_at(head, 6)? as usize;
    let rest = bytes.get(HEAD..HEAD.checked_add(key_length)?.checked_add(length)?)?;
    (crc32fast::hash(rest) == u32_at(head, 10)?).then(|| rest.split_at(key_length))
}

/// Returns the numbers of the files in a folder, in order.
pub(crate) fn numbers(folder: &Path) -> Vec<u32> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut numbers: Vec<u32> =
        entries.filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse().ok())).collect();
    numbers.sort_unstable();
    numbers
}

/// Returns the bytes of all files of texts of the store in a folder.
pub(crate) fn on_disk(store: &Path) -> u64 {
    let folder = store.join(FOLDER);
    numbers(&folder)
        .iter()
        .map(|number| fs::metadata(folder.join(number.to_string())).map_or(0, |meta| meta.len()))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CodeSpace, InfoCode};

    fn key(number: u8) -> Vec<u8> {
        InfoCode::new(CodeSpace::new("s").unwrap(), &number.to_string()).key()
    }

    #[test]
    fn what_was_appended_is_read_back_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let texts = Texts::open(folder.path()).unwrap();
        let (one, two) = (key(1), key(2));
        let places = texts.append(&[(&one, b"first"), (&two, b"")]).unwrap();
        texts.sync().unwrap();
        assert_eq!(texts.read(&one, places[0]).unwrap(), b"first");
        assert_eq!(texts.read(&two, places[1]).unwrap(), b"");
        assert!(texts.read(&two, places[0]).is_err(), "another item's");
        assert_eq!(Place::read(&places[1].bytes()), Some(places[1]));
        // A reopened store continues where the last one ended.
        let again = Texts::open(folder.path()).unwrap();
        let third = again.append(&[(&one, b"third")]).unwrap()[0];
        assert_eq!((third.file, third.at), (1, places[1].at + places[1].length));
        assert_eq!(again.read(&one, places[0]).unwrap(), b"first");
        again.blank(places[0]).unwrap();
        assert!(again.read(&one, places[0]).is_err());
        assert_eq!(again.read(&one, third).unwrap(), b"third");
        let bytes = fs::read(folder.path().join(FOLDER).join("1")).unwrap();
        assert!(!bytes.windows(5).any(|window| window == b"first"));
        fs::remove_file(folder.path().join(FOLDER).join("1")).unwrap();
        assert!(Texts::open(folder.path()).unwrap().read(&one, third).is_err());
    }

    #[test]
    fn every_flipped_byte_is_found() {
        let mut bytes = Vec::new();
        frame(&mut bytes, &key(1), b"some text").unwrap();
        assert!(framed(&bytes).is_some());
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 0x10;
            assert!(framed(&bad).is_none(), "byte {at}");
        }
        for end in 0..bytes.len() {
            assert!(framed(&bytes[..end]).is_none(), "cut at {end}");
        }
    }
}
