//! The file of a backup: JSON lines, compressed or not, with a checksum. It is written next to its destination
//! and renamed once it is whole and durable.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::format::{Head, Line, VERSION};
use super::sound;
use crate::store::{Progress, Result, StoreError};

/// Actions named in the errors of an export and of an import.
const WRITE: &str = "be exported";
const READ: &str = "read the export";
/// Bytes of a line that is read, at most; a text has at most half of that.
const MAX_LINE: u64 = 64 << 20;
/// Lines between two progress reports.
const STEP: u64 = 1_000;
/// Level of zstd: 6 takes four times as long for 6 % less (20,000 articles, 2026-12).
const LEVEL: i32 = 3;
/// The first bytes of a compressed file.
const ZSTD: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// The form of a backup file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Compressed with zstd.
    #[default]
    Packed,
    /// Uncompressed.
    Lines,
}

/// The writer of the lines of a backup.
pub(crate) struct Lines<'a> {
    out: Box<dyn Write + 'a>,
    sum: crc32fast::Hasher,
    count: u64,
    line: Vec<u8>,
}

impl Lines<'_> {
    /// Writes a line.
    ///
    /// # Errors
    /// [`StoreError::Full`], or what the disk says.
    pub(crate) fn put(&mut self, line: &Line) -> Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, line).map_err(|error| failed(WRITE, error.into()))?;
        self.line.push(b'\n');
        self.sum.update(&self.line);
        self.count += 1;
        self.out.write_all(&self.line).map_err(|error| failed(WRITE, error))
    }

    fn end(mut self) -> Result<()> {
        let end = Line::End { lines: self.count, crc32: self.sum.clone().finalize() };
        self.put(&end)?;
        self.out.flush().map_err(|error| failed(WRITE, error))
    }
}

fn failed(action: &'static str, error: io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full,
        _ => StoreError::Backend { action, source: Box::new(error) },
    }
}

fn damaged(detail: impl Into<String>) -> StoreError {
    StoreError::Unusable { detail: detail.into() }
}

/// Writes a backup into `path` and returns its size in bytes: into a temporary file first, synced, then
/// renamed. `fill` writes all lines but the last.
///
/// # Errors
/// Those of `fill` and of the disk; a file at `path` is then unchanged.
pub(crate) fn write(path: &Path, form: Form, fill: impl FnOnce(&mut Lines<'_>) -> Result<()>) -> Result<u64> {
    let io = |error| failed(WRITE, error);
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(io)?;
    let file = tempfile::Builder::new().prefix(".export-").tempfile_in(folder).map_err(io)?;
    let out = BufWriter::new(file.as_file());
    match form {
        Form::Lines => put_all(out, fill)?,
        Form::Packed => {
            let mut packed = zstd::Encoder::new(out, LEVEL).map_err(io)?;
            put_all(&mut packed, fill)?;
            packed.finish().and_then(|mut out| out.flush()).map_err(io)?;
        }
    }
    file.as_file().sync_all().map_err(io)?;
    let bytes = file.as_file().metadata().map_err(io)?.len();
    file.persist(path).map_err(|e| io(e.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)?;
    Ok(bytes)
}

fn put_all<'a>(out: impl Write + 'a, fill: impl FnOnce(&mut Lines<'_>) -> Result<()>) -> Result<()> {
    let mut lines = Lines { out: Box::new(out), sum: crc32fast::Hasher::new(), count: 0, line: Vec::new() };
    fill(&mut lines)?;
    lines.end()
}

/// Reads the head of a backup.
///
/// # Errors
/// As [`read`], as far as the first line shows.
pub(crate) fn head(path: &Path) -> Result<Head> {
    let (mut file, _) = open(path)?;
    let mut line = Vec::new();
    next(&mut file, &mut line)?;
    first(&line)
}

/// Reads a backup to its end; `take` receives each line but the last, and `progress`, once every thousand
/// lines, the bytes of the file that were read.
///
/// # Errors
/// [`StoreError::Unusable`] if it is truncated, damaged, or no backup; [`StoreError::Format`] if another
/// feedmill wrote it; those of `take`.
pub(crate) fn read(
    path: &Path,
    progress: Progress<'_>,
    mut take: impl FnMut(Line) -> Result<()>,
) -> Result<()> {
    let (mut file, bytes) = open(path)?;
    let all = fs::metadata(path).map_or(0, |meta| meta.len());
    let mut sum = crc32fast::Hasher::new();
    let mut count = 0_u64;
    let mut line = Vec::new();
    loop {
        next(&mut file, &mut line)?;
        if count > 0 && line.last() != Some(&b'\n') {
            return Err(damaged(format!("it is cut off after {count} lines")));
        }
        let read = if count == 0 { Line::Head(first(&line)?) } else { parsed(&line, count)? };
        match read {
            Line::End { lines, crc32 } if lines == count && crc32 == sum.clone().finalize() => break,
            Line::End { .. } => return Err(damaged("its checksum is wrong")),
            Line::Head(_) if count > 0 => return Err(damaged("it has a second beginning")),
            read => {
                sound::refuse(&read)?;
                take(read)?;
            }
        }
        sum.update(&line);
        count += 1;
        if count.is_multiple_of(STEP) {
            progress(bytes.load(Ordering::Relaxed), all);
        }
    }
    next(&mut file, &mut line)?;
    if line.is_empty() { Ok(()) } else { Err(damaged("something stands behind its end")) }
}

/// Opens a file, decompressing it if needed, and returns it with the count of bytes read.
fn open(path: &Path) -> Result<(Box<dyn BufRead>, Arc<AtomicU64>)> {
    let bytes = Arc::new(AtomicU64::new(0));
    let file = File::open(path).map_err(|error| failed(READ, error))?;
    let mut file = BufReader::new(Counted { file, bytes: Arc::clone(&bytes) });
    if !file.fill_buf().map_err(|error| failed(READ, error))?.starts_with(&ZSTD) {
        return Ok((Box::new(file), bytes));
    }
    let unpacked = zstd::Decoder::with_buffer(file).map_err(|error| failed(READ, error))?;
    Ok((Box::new(BufReader::new(unpacked)), bytes))
}

/// A file that counts the bytes read from it.
struct Counted {
    file: File,
    bytes: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Reads the next line with its newline into `line`, which stays empty at the end of the file.
fn next(file: &mut dyn BufRead, line: &mut Vec<u8>) -> Result<()> {
    line.clear();
    let done = file.take(MAX_LINE).read_until(b'\n', line);
    // Data that zstd cannot decompress is damage of the file, not of the disk.
    done.map(drop).map_err(|error| damaged(error.to_string()))
}

fn first(line: &[u8]) -> Result<Head> {
    // Another version may have other fields, so only the version is parsed first.
    #[derive(Deserialize)]
    struct Any {
        head: AnyHead,
    }
    #[derive(Deserialize)]
    struct AnyHead {
        version: u32,
    }
    let no_backup = |_| damaged("it is no export of a store");
    let any: Any = serde_json::from_slice(line).map_err(no_backup)?;
    if any.head.version != VERSION {
        let found = u8::try_from(any.head.version).unwrap_or(u8::MAX);
        return Err(StoreError::Format {
            found,
            known: u8::try_from(VERSION).unwrap_or(u8::MAX),
            kept: None,
        });
    }
    match parsed(line, 0)? {
        Line::Head(head) => Ok(head),
        _ => Err(damaged("it is no export of a store")),
    }
}

fn parsed(line: &[u8], before: u64) -> Result<Line> {
    serde_json::from_slice(line).map_err(|error| damaged(format!("line {}: {error}", before + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    fn backup(path: &Path, form: Form) {
        let head = Head {
            version: VERSION,
            made: Timestamp::from_unix(80),
            items: 1,
            fixed: std::collections::BTreeMap::default(),
            complete: true,
        };
        let redirect = |n: u32| Line::Redirect { from: format!("old/{n}"), to: format!("new/{n}") };
        write(path, form, |lines| {
            lines.put(&Line::Head(head))?;
            (0..50).try_for_each(|n| lines.put(&redirect(n)))
        })
        .unwrap();
    }

    fn count(path: &Path) -> Result<usize> {
        let mut lines = 0;
        read(path, &mut |_, _| {}, |_| {
            lines += 1;
            Ok(())
        })?;
        Ok(lines)
    }

    #[test]
    fn only_a_whole_file_is_read_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("export");
        for form in [Form::Packed, Form::Lines] {
            backup(&path, form);
            assert_eq!(count(&path).unwrap(), 51, "{form:?}");
            assert!(head(&path).unwrap().complete);
            let whole = fs::read(&path).unwrap();
            for end in 0..whole.len() {
                fs::write(&path, &whole[..end]).unwrap();
                assert!(count(&path).is_err(), "{form:?}, cut at {end}");
            }
            for at in 0..whole.len() {
                let mut hurt = whole.clone();
                hurt[at] ^= 0x04;
                fs::write(&path, hurt).unwrap();
                // Some bits of zstd's frames have no meaning; none may change what is read.
                let read = count(&path);
                assert!(read.is_err() || form == Form::Packed && read.unwrap() == 51, "{form:?}, byte {at}");
            }
            fs::write(&path, [&whole[..], b"{}\n"].concat()).unwrap();
            assert!(count(&path).is_err(), "{form:?}, something behind it");
        }
    }

    #[test]
    fn what_is_no_backup_is_told_from_one_of_another_version() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("export");
        for (text, said) in [
            ("", "no export"),
            ("{}\n", "no export"),
            ("feedmill export 1\n", "no export"),
            ("{\"head\":{\"version\":7,\"of_tomorrow\":1}}\n", "format 7"),
            ("{\"head\":{\"version\":1}}\n", "line 1"),
        ] {
            fs::write(&path, text).unwrap();
            let error = count(&path).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
