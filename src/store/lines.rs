//! Exports as JSON Lines: the store's articles for other programs, for another format of the
//! store, and for another backend. One JSON object a line, each with one key that says what it is:
//! `head`, then `category`, `source`, `item`, `tombstone` (of an erased item), `alias` and
//! `redirect`, at last `end` with the number of lines and the CRC-32 of all bytes before it.
//!
//! Categories are named by their slugs, and items come in the order in which they arrived. Numbers
//! of the store itself (arrivals, generations) are given anew by an import.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::codec;
use super::commit;
use super::export::Progress;
use super::open::{Open, T, backend, corrupt};
use super::write::{self, abort, put, transact};
use super::{
    AliasKind, Change, Event, Placement, Result, Revision, Sighting, StoreError, Tombstone, alias, paths,
    read, sources,
};
use crate::model::{Body, CategoryId, InfoCode, Item, Slug, SourceId, SourceState, Timestamp};

/// Version of the lines.
const VERSION: u32 = 1;
/// The longest line that is read, in bytes; the longest body is half of that.
const MAX_LINE: u64 = 64 << 20;
/// Items written or taken in at once.
const STEP: usize = 30;
/// What is set once, and must fit.
const FIXED: [&str; 2] = ["site.id_authority", "site.code_space"];

/// Which sources list an item.
type Listings = Vec<(SourceId, Sighting)>;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Head { version: u32, made: Timestamp, items: u64, fixed: BTreeMap<String, String> },
    Category { slug: Slug, name: String, aliases: Vec<String> },
    Source { id: SourceId, state: Box<SourceState>, void: Vec<[u8; 16]> },
    Item(Box<Whole>),
    Tombstone { code: InfoCode, tombstone: Tombstone, history: Vec<Event>, listings: Listings },
    Alias { source: SourceId, kind: AliasKind, hash: [u8; 16], code: InfoCode },
    Redirect { from: String, to: String },
    End { lines: u64, crc32: u32 },
}

/// An item with all that is kept of it.
#[derive(Debug, Serialize, Deserialize)]
struct Whole {
    /// Its numbers of categories mean nothing here.
    item: Item,
    home: Slug,
    categories: Vec<Slug>,
    /// Categories in which it went straight to the archive; an empty name is the whole site.
    archived: Vec<String>,
    body: Body,
    revisions: Vec<Revision>,
    history: Vec<Event>,
    listings: Listings,
    tombstone: Option<Tombstone>,
}

/// What an import of lines brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenIn {
    /// Items that are new in the store.
    pub items: u64,
    /// Items that it had, or that were withdrawn from it.
    pub known: u64,
    /// Sources that are new in the store.
    pub sources: u64,
}

struct Lines<W> {
    out: W,
    sum: crc32fast::Hasher,
    count: u64,
}

impl<W: Write> Lines<W> {
    fn put(&mut self, line: &Line) -> Result<()> {
        let io = |error: io::Error| backend("be exported", error);
        let mut bytes = serde_json::to_vec(line).map_err(|error| io(error.into()))?;
        bytes.push(b'\n');
        self.sum.update(&bytes);
        self.count += 1;
        self.out.write_all(&bytes).map_err(io)
    }
}

/// Writes the lines into `path`: first beside it, synced, then under its name. Gives the bytes.
pub(super) fn export(open: &Open, path: &Path, now: Timestamp, progress: Progress<'_>) -> Result<u64> {
    let io = |error| backend("be exported", error);
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(io)?;
    let mut file = tempfile::Builder::new().prefix(".export-").tempfile_in(folder).map_err(io)?;
    let out = BufWriter::new(file.as_file_mut());
    let mut lines = Lines { out, sum: crc32fast::Hasher::new(), count: 0 };
    let slugs = head(open, &mut lines, now)?;
    items(open, &mut lines, &slugs, progress)?;
    rest(open, &mut lines)?;
    let end = Line::End { lines: lines.count, crc32: lines.sum.clone().finalize() };
    lines.put(&end)?;
    lines.out.flush().map_err(io)?;
    drop(lines);
    file.as_file().sync_all().map_err(io)?;
    let bytes = file.as_file().metadata().map_err(io)?.len();
    file.persist(path).map_err(|e| io(e.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)?;
    Ok(bytes)
}

type Slugs = BTreeMap<CategoryId, Slug>;

fn head<W: Write>(open: &Open, lines: &mut Lines<W>, made: Timestamp) -> Result<Slugs> {
    let mut fixed = BTreeMap::new();
    for key in FIXED {
        let value = read::get(open, T::Sys, format!("fixed.{key}"))?;
        fixed.extend(value.map(|value| (key.to_owned(), String::from_utf8_lossy(&value).into_owned())));
    }
    lines.put(&Line::Head { version: VERSION, made, items: read::arrivals_of_site(open)?, fixed })?;
    let mut names: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for entry in open.tree(T::CategoryKey).scan_prefix(b"s") {
        let (key, id) = entry.map_err(|e| backend("read", e))?;
        let slug = String::from_utf8_lossy(key.get(1..).unwrap_or_default()).into_owned();
        names.entry(codec::u32_at(&id, 0).unwrap_or_default()).or_default().push(slug);
    }
    let mut slugs = Slugs::new();
    let mut categories = read::categories(open)?;
    categories.sort_by_key(|category| category.id);
    for category in categories {
        let mut aliases = names.remove(&category.id.0).unwrap_or_default();
        aliases.retain(|alias| alias != category.slug.as_str());
        slugs.insert(category.id, category.slug.clone());
        lines.put(&Line::Category { slug: category.slug, name: category.name, aliases })?;
    }
    let names = sources::names(open)?;
    for (number, id) in names.into_iter().collect::<BTreeMap<_, _>>() {
        let mut void = Vec::new();
        for key in open.tree(T::Void).scan_prefix(number.to_be_bytes()).keys() {
            let key = key.map_err(|e| backend("read", e))?;
            void.extend(key.get(4..).and_then(|guid| <[u8; 16]>::try_from(guid).ok()));
        }
        lines.put(&Line::Source { state: Box::new(sources::state(open, &id)?), id, void })?;
    }
    Ok(slugs)
}

fn items<W: Write>(open: &Open, lines: &mut Lines<W>, slugs: &Slugs, progress: Progress<'_>) -> Result<()> {
    let all = read::arrivals_of_site(open)?;
    let mut done = 0;
    let shown = read::by_arrival(open)?.into_iter().map(|(_, code)| Ok(code));
    let out = open.tree(T::Tomb).iter().keys().map(|code| code.map(|code| code.to_vec()));
    for code in shown.chain(out) {
        let code = code.map_err(|e| backend("be exported", e))?;
        let _writing = open.writing();
        // Shown and withdrawn while this went on: it stands in neither part, or in both.
        if let Some(item) = read::item(open, &code)? {
            lines.put(&Line::Item(Box::new(whole(open, item, slugs)?)))?;
        } else if let (Some((code, _)), Some(tombstone)) =
            (InfoCode::from_key(&code), read::get(open, T::Tomb, &code)?)
        {
            let tombstone = codec::decode("tombstone", &tombstone)?;
            let (history, listings) = (read::history(open, &code)?, read::listings(open, &code)?);
            lines.put(&Line::Tombstone { code, tombstone, history, listings })?;
        }
        done += 1;
        if done % 100 == 0 {
            progress(done, all.max(done));
        }
    }
    Ok(())
}

fn whole(open: &Open, mut item: Item, slugs: &Slugs) -> Result<Whole> {
    let code = item.code.clone();
    let slug = |id: &CategoryId| slugs.get(id).cloned();
    let damaged = StoreError::Damaged { what: "category" };
    let home = slug(&item.home).ok_or(damaged)?;
    let categories: Vec<Slug> = item.categories.iter().filter_map(slug).collect();
    let mut archived = Vec::new();
    for id in item.categories.iter().chain(&[CategoryId::SITE]) {
        let entry = read::get(open, T::CatTime, codec::time_key(*id, item.published, &code.key()))?;
        if entry.is_some_and(|entry| entry.first() == Some(&0)) {
            archived.push(slug(id).map_or_else(String::new, |slug| slug.to_string()));
        }
    }
    (item.home, item.categories) = (CategoryId::SITE, Vec::new());
    Ok(Whole {
        home,
        categories,
        archived,
        body: read::body(open, &code.key())?,
        revisions: read::revisions(open, &code)?,
        history: read::history(open, &code)?,
        listings: read::listings(open, &code)?,
        tombstone: read::tombstone(open, &code)?,
        item,
    })
}

fn rest<W: Write>(open: &Open, lines: &mut Lines<W>) -> Result<()> {
    let names = sources::names(open)?;
    for entry in alias::all(open) {
        let (number, (kind, hash), code) = entry?;
        if let Some(source) = names.get(&number).cloned() {
            lines.put(&Line::Alias { source, kind, hash, code })?;
        }
    }
    for entry in open.tree(T::Path) {
        let (key, value) = entry.map_err(|e| backend("be exported", e))?;
        if let Some(to) = paths::redirect(&value) {
            lines.put(&Line::Redirect { from: String::from_utf8_lossy(&key).into_owned(), to })?;
        }
    }
    Ok(())
}

/// Reads lines to their end; `take` gets each but the last, with the bytes read so far.
///
/// # Errors
/// [`StoreError::Corrupt`] where they are cut off, damaged, or not such lines.
fn each(path: &Path, mut take: impl FnMut(Line, u64) -> Result<()>) -> Result<()> {
    const READ: &str = "read the lines";
    let mut file = BufReader::new(File::open(path).map_err(|e| backend(READ, e))?);
    let mut sum = crc32fast::Hasher::new();
    let (mut count, mut bytes) = (0_u64, 0);
    let mut line = Vec::new();
    loop {
        line.clear();
        io::Read::take(&mut file, MAX_LINE).read_until(b'\n', &mut line).map_err(|e| backend(READ, e))?;
        bytes += line.len() as u64;
        if line.last() != Some(&b'\n') {
            return Err(corrupt(READ, format!("it is cut off after {count} lines")));
        }
        let read: Line = serde_json::from_slice(&line)
            .map_err(|error| corrupt(READ, format!("line {}: {error}", count + 1)))?;
        match read {
            Line::End { lines, crc32 } if lines == count && crc32 == sum.clone().finalize() => return Ok(()),
            Line::End { .. } => return Err(corrupt(READ, "its checksum is wrong")),
            Line::Head { version, .. } if version != VERSION => {
                let (found, known) = (u8::try_from(version).unwrap_or(u8::MAX), codec::FORMAT);
                return Err(StoreError::Format { found, known, kept: None });
            }
            Line::Head { .. } if count > 0 => return Err(corrupt(READ, "a second beginning")),
            read if count == 0 && !matches!(read, Line::Head { .. }) => {
                return Err(corrupt(READ, "this is no export of a store"));
            }
            read => take(read, bytes)?,
        }
        sum.update(&line);
        count += 1;
    }
}

/// Takes in what the store does not have. Nothing is written before all lines were read once.
///
/// # Errors
/// As for exports; [`StoreError::Fixed`] where the lines are of a site with other ids.
pub(super) fn import(open: &Open, path: &Path, now: Timestamp, progress: Progress<'_>) -> Result<TakenIn> {
    each(path, |line, _| match line {
        Line::Head { fixed, .. } => agree(open, &fixed),
        _ => Ok(()),
    })?;
    let all = fs::metadata(path).map_or(0, |meta| meta.len());
    let mut taking = Taking { open, now, waiting: Vec::new(), taken: TakenIn::default() };
    each(path, |line, bytes| {
        taking.line(line)?;
        progress(bytes, all.max(bytes));
        Ok(())
    })?;
    taking.store()?;
    open.sync()?;
    Ok(taking.taken)
}

/// Lines of another site would give readers every article anew.
fn agree(open: &Open, fixed: &BTreeMap<String, String>) -> Result<()> {
    for key in FIXED {
        if let Some(value) = fixed.get(key) {
            write::fix(open, key, value, false)?;
        }
    }
    Ok(())
}

struct Taking<'a> {
    open: &'a Open,
    now: Timestamp,
    waiting: Vec<(Change, Whole)>,
    taken: TakenIn,
}

impl Taking<'_> {
    fn line(&mut self, line: Line) -> Result<()> {
        let open = self.open;
        match line {
            Line::Head { .. } | Line::End { .. } => Ok(()),
            Line::Category { slug, name, aliases } => {
                let made = match read::find_category(open, slug.as_str())? {
                    Some(known) => known,
                    None => write::ensure_category(open, &name, Some(&slug), self.now)?,
                };
                aliases.iter().try_for_each(|alias| write::alias_category(open, made.id, alias))
            }
            Line::Source { id, state, void } => self.source(&id, *state, &void),
            Line::Item(whole) => self.item(*whole),
            Line::Tombstone { code, tombstone, history, listings } => {
                self.tombstone(&code, &tombstone, &history, &listings)
            }
            Line::Alias { source, kind, hash, code } => {
                self.store()?;
                if alias::of_source(open, &source, (kind, hash))?.is_some() {
                    return Ok(());
                }
                transact(open, |tx| {
                    alias::put(tx, sources::number_in(tx, &source)?, (kind, hash), &code.key())
                })
            }
            Line::Redirect { from, to } => {
                self.store()?;
                transact(open, |tx| paths::redirect_to(tx, &from, &to))
            }
        }
    }

    fn source(&mut self, id: &SourceId, state: SourceState, void: &[[u8; 16]]) -> Result<()> {
        let _writing = self.open.writing();
        if sources::is_known(self.open, id)? {
            return Ok(());
        }
        self.taken.sources += 1;
        // What came in since the lines were written is still to be asked for.
        let mut state = SourceState { claimed: None, ..state };
        state.forget_document();
        if !void.is_empty() {
            transact(self.open, |tx| sources::put_void(tx, id, void))?;
        }
        sources::put_states(self.open, [(id, &state)])
    }

    fn tombstone(
        &mut self,
        code: &InfoCode,
        tombstone: &Tombstone,
        history: &[Event],
        listings: &[(SourceId, Sighting)],
    ) -> Result<()> {
        let key = code.key();
        if read::item(self.open, &key)?.is_some() || read::tombstone(self.open, code)?.is_some() {
            return Ok(());
        }
        transact(self.open, |tx| {
            story(tx, code, history, listings)?;
            put(tx, T::Tomb, &key, &codec::encode("tombstone", tombstone).map_err(abort)?)
        })
    }

    fn item(&mut self, mut whole: Whole) -> Result<()> {
        let open = self.open;
        let code = whole.item.code.clone();
        let known = read::item(open, &code.key())?.is_some() || read::tombstone(open, &code)?.is_some();
        if known || self.waiting.iter().any(|(change, _)| change.code == code) {
            self.taken.known += 1;
            return Ok(());
        }
        let id = |slug: &Slug| {
            let found = read::find_category(open, slug.as_str())?;
            found.map(|category| category.id).ok_or(StoreError::Damaged { what: "category" })
        };
        let mut change = Change::of(code);
        whole.item.home = id(&whole.home)?;
        whole.item.categories = whole.categories.iter().map(id).collect::<Result<_>>()?;
        (whole.item.generation, whole.item.touched) = (0, 0);
        if whole.tombstone.is_none() {
            let places = whole.categories.iter().map(Slug::as_str).chain([""]);
            let ids = whole.item.categories.iter().copied().chain([CategoryId::SITE]);
            let shown = |name: &str| !whole.archived.iter().any(|archived| archived == name);
            change.enters =
                ids.zip(places).map(|(category, name)| Placement { category, shown: shown(name) }).collect();
        }
        change.item = Some(whole.item.clone());
        change.body = Some(std::mem::take(&mut whole.body));
        self.waiting.push((change, whole));
        if self.waiting.len() >= STEP { self.store() } else { Ok(()) }
    }

    /// What belongs to the waiting items first: an item that is there is there whole.
    fn store(&mut self) -> Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        let (changes, wholes): (Vec<Change>, Vec<Whole>) = waiting.into_iter().unzip();
        self.taken.items += changes.len() as u64;
        for whole in &wholes {
            transact(self.open, |tx| belongings(tx, whole))?;
        }
        commit::commit(self.open, changes, self.now)
    }
}

fn belongings(tx: write::Tx<'_>, whole: &Whole) -> write::TxResult<()> {
    let code = &whole.item.code;
    let key = code.key();
    for (number, revision) in (1..).zip(&whole.revisions) {
        let bytes = codec::encode("revision", revision).map_err(abort)?;
        put(tx, T::Revision, &codec::revision_key(&key, number), &bytes)?;
    }
    story(tx, code, &whole.history, &whole.listings)?;
    if let Some(tombstone) = &whole.tombstone {
        put(tx, T::Tomb, &key, &codec::encode("tombstone", tombstone).map_err(abort)?)?;
        paths::keep(tx, &key, &whole.item.permalink)?;
    }
    Ok(())
}

/// What happened to an item, and where it is listed.
fn story(
    tx: write::Tx<'_>,
    code: &InfoCode,
    history: &[Event],
    listings: &[(SourceId, Sighting)],
) -> write::TxResult<()> {
    for event in history {
        commit::put_event(tx, &code.key(), event)?;
    }
    for (source, sighting) in listings {
        commit::put_listing(tx, (code, source), sighting, None)?;
    }
    Ok(())
}
