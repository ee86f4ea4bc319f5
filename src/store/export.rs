//! Exports: the whole store as one compressed, checksummed stream, made while it is in use; and
//! a new store made of one, which is also the only way to give space back.
//!
//! Two lines of text come first, `feedmill export 1` and a JSON object with what is in it. Then
//! follows one zstd stream of entries: tree (its place in the list of the second line, one
//! byte), length of key and value (four bytes each, big-endian), key, value. It ends with the
//! tree 255, the number of entries (eight bytes) and the CRC-32 of all that came before in the
//! stream (four bytes). Keys and values are the store's own, but that texts stand in the place of what names
//! them (`carried`).
//!
//! All of one item is written under the writer's lock, so that it is whole; items that are stored
//! meanwhile may be missing. An import therefore forgets the validators of all sources: what is
//! still listed comes back with the next poll.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use super::carried::{self, Arrival};
use super::codec;
use super::open::{NAMES, Open, T, backend, corrupt};
use super::walk::every;
use super::{Result, StoreError, StoreOptions, guard, migrate, read, record, room, sources, write};
use crate::model::{CategoryId, Timestamp};
use serde::{Deserialize, Serialize};

/// The first line.
const MAGIC: &str = "feedmill export 1\n";
/// What stands in the place of a tree at the end.
const END: u8 = 255;
/// Compression: exports are written once and kept for long.
const LEVEL: i32 = 6;
/// Items written under one lock.
const AT_ONCE: usize = 64;
/// Entries between two words about the progress of an import.
const STEP: u64 = 500;
/// End of the names of automatic exports.
pub const SUFFIX: &str = ".feedmill";

/// Hears (items done, items in all).
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

/// The second line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Version of the store's records.
    pub format: u8,
    /// Names of the trees, in the order of their numbers.
    pub trees: Vec<String>,
    /// Items in the store when it began.
    pub items: u64,
    /// When it was made.
    pub made: Timestamp,
}

/// Writes and counts entries.
struct Entries<W> {
    out: W,
    sum: crc32fast::Hasher,
    count: u64,
}

impl<W: Write> Entries<W> {
    fn put(&mut self, tree: T, key: &[u8], value: &[u8]) -> io::Result<()> {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes();
        self.raw(&[tree as u8])?;
        self.raw(&length(key))?;
        self.raw(&length(value))?;
        self.raw(key)?;
        self.raw(value)?;
        self.count += 1;
        Ok(())
    }

    fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sum.update(bytes);
        self.out.write_all(bytes)
    }

    fn end(mut self) -> io::Result<W> {
        let count = self.count.to_be_bytes();
        self.raw(&[END])?;
        self.raw(&count)?;
        let sum = self.sum.clone().finalize();
        self.out.write_all(&sum.to_be_bytes())?;
        Ok(self.out)
    }
}

/// Writes the store into `path`: first beside it, synced, then under its name. Gives the bytes.
pub(super) fn export(open: &Open, path: &Path, now: Timestamp, progress: Progress<'_>) -> Result<u64> {
    let io = |error| backend("be exported", error);
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(io)?;
    let mut file = tempfile::Builder::new().prefix(".export-").tempfile_in(folder).map_err(io)?;
    let head = Head {
        format: codec::FORMAT,
        trees: NAMES.iter().map(|&name| name.to_owned()).collect(),
        items: read::arrivals_of_site(open)?,
        made: now,
    };
    let told = serde_json::to_string(&head).map_err(|e| backend("be exported", io::Error::other(e)))?;
    writeln!(file, "{MAGIC}{told}").map_err(io)?;
    let packed = zstd::Encoder::new(BufWriter::new(file.as_file()), LEVEL).map_err(io)?;
    let mut entries = Entries { out: packed, sum: crc32fast::Hasher::new(), count: 0 };
    items(open, &mut entries, head.items, progress)?;
    erased(open, &mut entries)?;
    rest(open, &mut entries)?;
    let written = entries.end().and_then(zstd::Encoder::finish).map_err(io)?;
    written.into_inner().map_err(|e| io(e.into_error()))?;
    file.as_file().sync_all().map_err(io)?;
    let bytes = file.as_file().metadata().map_err(io)?.len();
    file.persist(path).map_err(|e| io(e.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)?;
    Ok(bytes)
}

fn items<W: Write>(open: &Open, entries: &mut Entries<W>, all: u64, progress: Progress<'_>) -> Result<()> {
    let mut all_items = every(open.tree(T::Item));
    let mut done = 0;
    loop {
        let _writing = open.writing();
        for _ in 0..AT_ONCE {
            let Some(item) = all_items.next() else { return Ok(()) };
            let (key, _) = item.map_err(|e| backend("be exported", e))?;
            one_item(open, entries, &key)?;
            done += 1;
        }
        progress(done, all.max(done));
    }
}

/// All that belongs to one item.
fn one_item<W: Write>(open: &Open, entries: &mut Entries<W>, key: &[u8]) -> Result<()> {
    let io = |error| backend("be exported", error);
    let Some(bytes) = read::get(open, T::Item, key)? else { return Ok(()) };
    let (_, item) = record::item(key, &bytes)?;
    let whole = carried::packed_up(&open.texts, codec::FORMAT, T::Item as usize, key, &bytes)?;
    entries.put(T::Item, key, &whole).map_err(io)?;
    for tree in [T::Revision, T::Version, T::Seen, T::History] {
        below(open, entries, tree, key)?;
    }
    for id in item.categories.iter().chain(&[CategoryId::SITE]) {
        let at = codec::time_key(*id, item.published, key);
        if let Some(value) = read::get(open, T::CatTime, &at)? {
            entries.put(T::CatTime, &at, &value).map_err(io)?;
        }
    }
    Ok(())
}

/// What is left of erased items.
fn erased<W: Write>(open: &Open, entries: &mut Entries<W>) -> Result<()> {
    for key in open.tree(T::Tomb).iter().keys() {
        let key = key.map_err(|e| backend("be exported", e))?;
        if read::get(open, T::Item, &key)?.is_none() {
            below(open, entries, T::Seen, &key)?;
            below(open, entries, T::History, &key)?;
        }
    }
    Ok(())
}

/// What is not kept by item.
fn rest<W: Write>(open: &Open, entries: &mut Entries<W>) -> Result<()> {
    let _writing = open.writing();
    for tree in [
        T::Category,
        T::CategoryKey,
        T::Changed,
        T::Path,
        T::Sys,
        T::Source,
        T::SourceKey,
        T::Void,
        T::Tomb,
        T::Dict,
        T::Published,
        T::Alias,
        T::CatSeq,
        T::Seal,
        T::Resealed,
    ] {
        below(open, entries, tree, &[])?;
    }
    Ok(())
}

fn below<W: Write>(open: &Open, entries: &mut Entries<W>, tree: T, prefix: &[u8]) -> Result<()> {
    for entry in open.tree(tree).scan_prefix(prefix) {
        let (key, value) = entry.map_err(|e| backend("be exported", e))?;
        let value = carried::packed_up(&open.texts, codec::FORMAT, tree as usize, &key, &value)?;
        entries.put(tree, &key, &value).map_err(|e| backend("be exported", e))?;
    }
    Ok(())
}

/// Reads an export to its end; `take` gets every entry.
///
/// # Errors
/// [`StoreError::Corrupt`] when it is no export, or is damaged or cut off;
/// [`StoreError::Format`] when a newer feedmill made it.
fn read_export(
    path: &Path,
    mut take: impl FnMut(&Head, usize, Vec<u8>, Vec<u8>) -> Result<()>,
) -> Result<Head> {
    const READ: &str = "read the export";
    let io = |error: io::Error| match error.kind() {
        io::ErrorKind::UnexpectedEof => corrupt(READ, "it is cut off"),
        _ => corrupt(READ, error.to_string()),
    };
    let mut file = BufReader::new(File::open(path).map_err(|e| backend(READ, e))?);
    let head = head(&mut file).map_err(io)?.ok_or_else(|| corrupt(READ, "this is no export of a store"))?;
    if !(migrate::OLDEST..=codec::FORMAT).contains(&head.format) {
        return Err(StoreError::Format { found: head.format, known: codec::FORMAT, kept: None });
    }
    let mut stream =
        Summed { stream: zstd::Decoder::with_buffer(file).map_err(io)?, sum: crc32fast::Hasher::new() };
    let mut count = 0_u64;
    loop {
        let [tree] = stream.array::<1>().map_err(io)?;
        if tree == END {
            break;
        }
        let key = u32::from_be_bytes(stream.array().map_err(io)?);
        let value = u32::from_be_bytes(stream.array().map_err(io)?);
        let texts = carried::has_texts(usize::from(tree)) && head.format >= migrate::TEXTS_APART;
        let most = if texts { codec::MAX_BODY + codec::MAX_VALUE } else { codec::MAX_VALUE };
        if key > 4_096 || value as usize > most {
            return Err(corrupt(READ, "an entry is too large"));
        }
        let (key, value) = (stream.bytes(key).map_err(io)?, stream.bytes(value).map_err(io)?);
        take(&head, usize::from(tree), key, value)?;
        count += 1;
    }
    let told = u64::from_be_bytes(stream.array().map_err(io)?);
    let sum = stream.sum.clone().finalize();
    let mut stored = [0; 4];
    stream.stream.read_exact(&mut stored).map_err(io)?;
    if told != count || sum.to_be_bytes() != stored {
        return Err(corrupt(READ, "its checksum is wrong"));
    }
    Ok(head)
}

fn head(file: &mut impl io::BufRead) -> io::Result<Option<Head>> {
    let mut line = Vec::new();
    file.take(MAGIC.len() as u64).read_to_end(&mut line)?;
    if line != MAGIC.as_bytes() {
        return Ok(None);
    }
    let mut line = String::new();
    io::BufRead::read_line(&mut file.take(10_000), &mut line)?;
    Ok(serde_json::from_str(&line).ok())
}

/// A stream whose bytes are summed up.
struct Summed<R> {
    stream: R,
    sum: crc32fast::Hasher,
}

impl<R: Read> Summed<R> {
    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes)?;
        self.sum.update(&bytes);
        Ok(bytes)
    }

    fn bytes(&mut self, length: u32) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length as usize];
        self.stream.read_exact(&mut bytes)?;
        self.sum.update(&bytes);
        Ok(bytes)
    }
}

/// Whether an export can be read to its end, and what it says of itself.
///
/// # Errors
/// Why not: [`StoreError::Corrupt`], or [`StoreError::Format`] when a newer feedmill made it.
pub fn check(path: &Path) -> Result<Head> {
    read_export(path, |_, _, _, _| Ok(()))
}

/// Makes a store in `path`, where none may be, of an export; gives what the export says of
/// itself. The caller puts it where it belongs: what is there is whole.
///
/// # Errors
/// [`StoreError::Corrupt`] when the export is damaged, [`StoreError::Format`] when a newer
/// feedmill made it, [`StoreError::Full`] when there is no room.
pub(super) fn import(export: &Path, path: &Path, cache: u64, progress: Progress<'_>) -> Result<Head> {
    room::clear(path)?;
    guard::guarded("be imported", || {
        let open = Open::bare(path, cache)?;
        let head = fill(&open, export, progress)?;
        open.check_format()?;
        settle(&open)?;
        Ok(head)
    })
}

fn fill(open: &Open, export: &Path, progress: Progress<'_>) -> Result<Head> {
    let all = fs::metadata(export).map_or(0, |meta| meta.len());
    let mut arrival: Option<Arrival<'_>> = None;
    let (mut entries, mut items) = (0_u64, 0);
    let head = read_export(export, |head, tree, key, value| {
        if tree >= NAMES.len() {
            return Err(corrupt("read the export", "an entry of a tree that does not exist"));
        }
        entries += 1;
        items += u64::from(tree == T::Item as usize);
        if entries.is_multiple_of(STEP) {
            progress(items, all.max(items));
        }
        arrival.get_or_insert_with(|| Arrival::new(open, head.format)).take(tree, key, value)
    })?;
    arrival.map_or(Ok(()), Arrival::end)?;
    Ok(head)
}

/// What an imported store must not believe of itself.
fn settle(open: &Open) -> Result<()> {
    let _writing = open.writing();
    write::new_identity(open)?;
    // Items that were stored while the export was made may be missing.
    sources::forget_documents(open)?;
    open.sync()
}

/// The newest automatic export that can be read to its end.
pub(super) fn newest_whole(options: &StoreOptions) -> Option<PathBuf> {
    all(options.exports.as_deref()?).into_iter().rev().find(|path| match check(path) {
        Ok(_) => true,
        Err(error) => {
            tracing::warn!(path = %path.display(), error = crate::model::chain(&error), "an export cannot be used");
            false
        }
    })
}

/// The name of an automatic export made at `now`; names sort by time.
#[must_use]
pub fn name(now: Timestamp) -> String {
    format!("store-{}{SUFFIX}", now.to_utc().format("%Y%m%dT%H%M%SZ"))
}

/// When an automatic export was made, by its name.
#[must_use]
pub fn made_at(path: &Path) -> Option<Timestamp> {
    let name = path.file_name()?.to_str()?.strip_prefix("store-")?.strip_suffix(SUFFIX)?;
    let at = chrono::NaiveDateTime::parse_from_str(name, "%Y%m%dT%H%M%SZ").ok()?;
    Some(Timestamp::from(at.and_utc()))
}

/// The automatic exports in a folder, the oldest first.
#[must_use]
pub fn all(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(SUFFIX)))
        .collect();
    found.sort();
    found
}
