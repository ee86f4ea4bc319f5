//! Adding items of a backup that the store lacks. Arrival numbers and generations are assigned anew.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::story::put_story;
use crate::model::{CategoryId, Slug, SourceId, SourceState, Timestamp};
use crate::store::backup::{self, CategoryLine, ErasedLine, ItemLine, Line, SourceLine};
use crate::store::claims;
use crate::store::sled::database::{TreeId, Tx, TxResult, abort, encode, put, revision_key};
use crate::store::sled::engine::Engine;
use crate::store::sled::source_numbers::{number_in, put_void};
use crate::store::sled::{alias, categories, commit, items, paths, settings, sources};
use crate::store::{Alias, Change, Placement, Progress, Result, StoreError};

/// Items that are stored at once.
const STEP: usize = 30;

/// The result of an import of lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenIn {
    /// Items that are new in the store.
    pub items: u64,
    /// Items that it had, or that were withdrawn from it.
    pub known: u64,
    /// Sources that are new in the store.
    pub sources: u64,
}

/// Imports what the store lacks. Nothing is written before all lines were read once.
///
/// # Errors
/// [`StoreError::Unusable`] if the file is damaged, truncated or no backup, [`StoreError::Foreign`] if it is of
/// another site; those of the store.
pub(super) fn add(engine: &Engine, file: &Path, now: Timestamp, progress: Progress<'_>) -> Result<TakenIn> {
    add_only(engine, file, None, now, progress)
}

/// Imports what the store lacks as [`add`] does, restricted to some items by their keys, if these are given.
///
/// # Errors
/// As [`add`].
pub(super) fn add_only(
    engine: &Engine,
    file: &Path,
    only: Option<&BTreeSet<Vec<u8>>>,
    now: Timestamp,
    progress: Progress<'_>,
) -> Result<TakenIn> {
    backup::read(file, &mut |_, _| {}, |line| match line {
        Line::Head(head) => settings::agree(&engine.db, &head.fixed),
        _ => Ok(()),
    })?;
    let mut importer = Importer { engine, only, now, waiting: Vec::new(), taken: TakenIn::default() };
    backup::read(file, progress, |line| importer.line(line))?;
    importer.store()?;
    engine.db.sync()?;
    Ok(importer.taken)
}

struct Importer<'a> {
    engine: &'a Engine,
    only: Option<&'a BTreeSet<Vec<u8>>>,
    now: Timestamp,
    waiting: Vec<(Change, ItemLine)>,
    taken: TakenIn,
}

impl Importer<'_> {
    /// Returns whether a line belongs to the requested items.
    fn is_wanted(&self, line: &Line) -> bool {
        let Some(only) = self.only else { return true };
        match line {
            Line::Item(whole) => only.contains(&whole.item.code.key()),
            Line::Alias { code, .. } => only.contains(&code.key()),
            Line::Category(_) | Line::Source(_) => true,
            _ => false,
        }
    }

    fn line(&mut self, line: Line) -> Result<()> {
        let engine = self.engine;
        if !self.is_wanted(&line) {
            return Ok(());
        }
        match line {
            Line::Category(CategoryLine { slug, .. }) if slug == Slug::site() => Ok(()),
            Line::Category(CategoryLine { slug, name, aliases, .. }) => {
                let made = match categories::find(&engine.db, slug.as_str())? {
                    Some(known) => known,
                    None => categories::ensure_category(&engine.db, &name, Some(&slug), self.now)?,
                };
                aliases.iter().try_for_each(|alias| categories::alias_category(&engine.db, made.id, alias))
            }
            Line::Source(SourceLine { id, state, void }) => {
                self.source(&id, state.map(|state| *state), &void)
            }
            Line::Item(whole) => self.item(*whole),
            Line::Tombstone(line) => self.tombstone(&line),
            Line::Alias { source, kind, hash, code } => {
                self.store()?;
                if alias_is_known(engine, &source, (kind, hash))? {
                    return Ok(());
                }
                engine.db.transact(|tx| alias::put(tx, number_in(tx, &source)?, (kind, hash), &code.key()))
            }
            Line::Redirect { from, to } => {
                self.store()?;
                engine.db.transact(|tx| paths::redirect_to(tx, &from, &to))
            }
            // Numbers are assigned anew.
            Line::Head(_)
            | Line::Page { .. }
            | Line::Log { .. }
            | Line::Published { .. }
            | Line::Counter { .. }
            | Line::Record { .. }
            | Line::End { .. } => Ok(()),
        }
    }

    fn source(&mut self, id: &SourceId, state: Option<SourceState>, void: &[[u8; 16]]) -> Result<()> {
        let _writing = self.engine.db.writing();
        if sources::is_known(self.engine, id)? {
            return Ok(());
        }
        let Some(state) = state else { return Ok(()) };
        self.taken.sources += 1;
        let state = claims::brought(state);
        if !void.is_empty() {
            self.engine.db.transact(|tx| put_void(tx, id, void))?;
        }
        sources::put_states(self.engine, [(id, &state)])
    }

    fn tombstone(&mut self, line: &ErasedLine) -> Result<()> {
        let ErasedLine { code, tombstone, history, listings } = line;
        let key = code.key();
        if items::item(&self.engine.db, &key)?.is_some() || items::tombstone(&self.engine.db, code)?.is_some()
        {
            return Ok(());
        }
        self.engine.db.transact(|tx| {
            put_story(tx, code, history, listings)?;
            put(tx, TreeId::Tomb, &key, &encode("tombstone", tombstone).map_err(abort)?)
        })
    }

    fn item(&mut self, mut whole: ItemLine) -> Result<()> {
        let engine = self.engine;
        let code = whole.item.code.clone();
        let known =
            items::item(&engine.db, &code.key())?.is_some() || items::tombstone(&engine.db, &code)?.is_some();
        if known || self.waiting.iter().any(|(change, _)| change.code == code) {
            self.taken.known += 1;
            return Ok(());
        }
        let id = |slug: &Slug| {
            let found = categories::find(&engine.db, slug.as_str())?;
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

    /// Stores the waiting items, their other records first: an item that is visible is complete.
    fn store(&mut self) -> Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        let (changes, wholes): (Vec<Change>, Vec<ItemLine>) = waiting.into_iter().unzip();
        self.taken.items += changes.len() as u64;
        for whole in &wholes {
            self.engine.db.transact(|tx| belongings(tx, whole))?;
        }
        let refused = commit::commit(self.engine, changes, self.now)?;
        self.taken.items -= refused.len() as u64;
        Ok(())
    }
}

fn belongings(tx: Tx<'_>, whole: &ItemLine) -> TxResult<()> {
    let code = &whole.item.code;
    let key = code.key();
    for (number, revision) in (1..).zip(&whole.revisions) {
        let bytes = encode("revision", revision).map_err(abort)?;
        put(tx, TreeId::Revision, &revision_key(&key, number), &bytes)?;
    }
    put_story(tx, code, &whole.history, &whole.listings)?;
    if let Some(tombstone) = &whole.tombstone {
        put(tx, TreeId::Tomb, &key, &encode("tombstone", tombstone).map_err(abort)?)?;
        paths::keep(tx, &key, &whole.item.permalink)?;
    }
    Ok(())
}

/// Returns whether an alias resolves to an item already.
fn alias_is_known(engine: &Engine, source: &SourceId, alias: Alias) -> Result<bool> {
    match sources::number(engine, source)? {
        Some(number) => Ok(alias::find(&engine.db, number, alias)?.is_some()),
        None => Ok(false),
    }
}
