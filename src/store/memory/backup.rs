//! The maps as lines of a backup, and maps built from one.

use std::collections::BTreeMap;
use std::path::Path;

use super::MemoryStore;
use super::maps::{Code, Maps, kind, with_site};
use crate::model::{Article, Category, CategoryId, InfoCode, Item, Slug, Timestamp};
use crate::store::backup::{
    self, CategoryLine, CategoryNumbers, Entry, ErasedLine, Form, FormLine, Head, ItemLine, Line, Lines,
    Listings, Seal, SourceLine,
};
use crate::store::claims;
use crate::store::{AliasKind, AtPath, Result, StoreError};

/// The prefix of the names of counters.
const COUNTS: &str = "tally.";

impl MemoryStore {
    /// Writes everything into a file, and returns its size in bytes.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn export(&self, path: &Path, form: Form, now: Timestamp) -> Result<u64> {
        let maps = self.maps();
        backup::write(path, form, |lines| export(&maps, lines, now))
    }

    /// Builds the store from a complete file.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] if it is truncated, damaged, or not complete.
    pub fn restored(path: &Path) -> Result<Self> {
        let mut maps = Maps::default();
        backup::read(path, &mut |_, _| {}, |line| take(&mut maps, line))?;
        Ok(Self::of(maps))
    }
}

fn export(maps: &Maps, lines: &mut Lines<'_>, made: Timestamp) -> Result<()> {
    let site = maps.categories.get(&CategoryId::SITE);
    lines.put(&Line::Head(Head {
        version: backup::VERSION,
        made,
        items: site.map_or(0, |site| u64::from(site.arrivals)),
        fixed: maps.fixed.clone(),
        complete: true,
    }))?;
    maps.categories
        .values()
        .try_for_each(|category| lines.put(&Line::Category(category_line(maps, category))))?;
    for id in &maps.numbers {
        let void = maps.void.iter().filter(|(source, _)| source == id).map(|(_, guid)| *guid).collect();
        let state = maps.states.get(id).map(|state| Box::new(state.clone()));
        lines.put(&Line::Source(SourceLine { id: id.clone(), state, void }))?;
    }
    for item in maps.items.values() {
        lines.put(&Line::Item(Box::new(item_line(maps, item)?)))?;
    }
    for (key, tombstone) in maps.tombs.iter().filter(|(key, _)| !maps.items.contains_key(*key)) {
        let (code, tombstone) = (code(key)?, tombstone.clone());
        let (history, listings) = (maps.history.get(key).cloned().unwrap_or_default(), listings(maps, key));
        lines.put(&Line::Tombstone(ErasedLine { code, tombstone, history, listings }))?;
    }
    rest(maps, lines)
}

/// Writes everything that does not belong to one category, item or source.
fn rest(maps: &Maps, lines: &mut Lines<'_>) -> Result<()> {
    for ((source, kind, hash), code) in &maps.aliases {
        let kind = [AliasKind::Guid, AliasKind::Link, AliasKind::Text][usize::from(*kind)];
        lines.put(&Line::Alias { source: source.clone(), kind, hash: *hash, code: code.clone() })?;
    }
    for (path, stands) in &maps.paths {
        let (path, stands) = (path.clone(), stands.clone());
        lines.put(&match stands {
            AtPath::Redirect(to) => Line::Redirect { from: path, to },
            AtPath::Article(code) => Line::Page { path, code },
        })?;
    }
    for ((category, number), slot) in &maps.slots {
        let named = slot.clone().named(|key| InfoCode::from_key(&key).map(|(code, _)| code));
        let slots = named.map(|slot| (*number, slot)).into_iter().collect();
        lines.put(&Line::Log { category: *category, slots })?;
    }
    for (generation, at) in &maps.published {
        lines.put(&Line::Published { generation: *generation, at: *at })?;
    }
    for ((kind, key), value) in &maps.records {
        lines.put(&Line::Record { kind: *kind, key: key.clone(), value: value.clone() })?;
    }
    counters(maps).into_iter().try_for_each(|(name, value)| lines.put(&Line::Counter { name, value }))
}

fn counters(maps: &Maps) -> BTreeMap<String, u64> {
    let own = [
        ("generation", maps.generation),
        ("renames", maps.renames),
        ("published", maps.published_up_to),
        ("clock", maps.clock.unix().unsigned_abs()),
    ];
    let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
    let tallies = maps.tallies.iter().map(|(name, value)| (format!("{COUNTS}{name}"), *value));
    own.chain(tallies).collect()
}

fn category_line(maps: &Maps, category: &Category) -> CategoryLine {
    let leads = |kind: u8| {
        let own = maps.names.iter().filter(move |((known, _), id)| *known == kind && **id == category.id);
        own.map(|((_, name), _)| name.clone()).collect::<Vec<_>>()
    };
    let seals = maps.seals.range((category.id, 0)..=(category.id, u32::MAX));
    let seals = seals.map(|((_, hundred), (sealed, changed))| seal(*hundred, *sealed, *changed)).collect();
    CategoryLine::of(category.clone(), leads(b's'), leads(b'n'), seals)
}

fn seal(hundred: u32, sealed: u64, changed: u64) -> Seal {
    Seal { hundred, sealed, changed }
}

fn item_line(maps: &Maps, item: &Item) -> Result<ItemLine> {
    let key = item.code.key();
    let slug = |id: &CategoryId| {
        let category = maps.categories.get(id).ok_or(StoreError::Damaged { what: "category" })?;
        Ok::<Slug, StoreError>(category.slug.clone())
    };
    let entry = |category: CategoryId| {
        let (shown, first, latest) = *maps.entries.get(&(category, item.published, key.clone()))?;
        Some(Entry { category, shown, first, latest })
    };
    let revisions = maps.revisions.range((key.clone(), 0)..=(key.clone(), u32::MAX));
    let forms = maps.versions.range((key.clone(), 0)..=(key.clone(), u64::MAX));
    Ok(ItemLine {
        home: slug(&item.home)?,
        categories: item.categories.iter().map(slug).collect::<Result<_>>()?,
        archived: Vec::new(),
        body: maps.bodies.get(&key).cloned().unwrap_or_default(),
        revisions: revisions.map(|(_, revision)| revision.clone()).collect(),
        history: maps.history.get(&key).cloned().unwrap_or_default(),
        listings: listings(maps, &key),
        tombstone: maps.tombs.get(&key).cloned(),
        entries: with_site(item).into_iter().filter_map(entry).collect(),
        forms: forms
            .map(|((_, since), form)| FormLine {
                since: *since,
                item: form.item.clone(),
                body: form.body.clone(),
            })
            .collect(),
        item: item.clone(),
    })
}

fn listings(maps: &Maps, key: &Code) -> Listings {
    let own = maps.seen.range((key.clone(), 0)..=(key.clone(), usize::MAX));
    own.map(|((_, number), seen)| (maps.numbers[*number].clone(), seen.clone())).collect()
}

fn code(key: &Code) -> Result<InfoCode> {
    InfoCode::from_key(key).map(|(code, _)| code).ok_or(StoreError::Damaged { what: "code" })
}

/// Stores a line, over what an earlier one stored of the same thing.
fn take(maps: &mut Maps, line: Line) -> Result<()> {
    match line {
        Line::Head(head) if !head.complete => {
            return Err(StoreError::Unusable { detail: "it is not complete".to_owned() });
        }
        Line::Head(head) => maps.fixed = head.fixed,
        Line::Category(line) => take_category(maps, line),
        Line::Source(SourceLine { id, state, void }) => {
            maps.number(&id);
            maps.void.extend(void.into_iter().map(|guid| (id.clone(), guid)));
            if let Some(state) = state {
                maps.put_state(&id, claims::brought(*state));
            }
        }
        Line::Item(line) => take_item(maps, *line),
        Line::Tombstone(line) => take_erased(maps, line),
        Line::Alias { source, kind: of, hash, code } => {
            let (kind, hash) = kind((of, hash));
            maps.aliases.insert((source, kind, hash), code);
        }
        Line::Redirect { from, to } => drop(maps.paths.insert(from, AtPath::Redirect(to))),
        Line::Page { path, code } => drop(maps.paths.insert(path, AtPath::Article(code))),
        Line::Log { category, slots } => {
            let keyed = |(number, slot): (u32, crate::store::Slot<InfoCode>)| {
                slot.named(|code| Some(code.key())).map(|slot| ((category, number), slot))
            };
            maps.slots.extend(slots.into_iter().filter_map(keyed));
        }
        Line::Published { generation, at } => drop(maps.published.insert(generation, at)),
        Line::Counter { name, value } => take_counter(maps, &name, value),
        Line::Record { kind, key, value } => drop(maps.records.insert((kind, key), value)),
        Line::End { .. } => {}
    }
    Ok(())
}

fn take_category(maps: &mut Maps, line: CategoryLine) {
    let Some(numbers) = line.numbers else { return };
    let CategoryNumbers { id, generation, changed_at, newest, arrivals, slugs, names, seals } = numbers;
    maps.names.extend(slugs.into_iter().map(|slug| ((b's', slug), id)));
    maps.names.extend(names.into_iter().map(|name| ((b'n', name), id)));
    maps.seals.extend(seals.into_iter().map(|seal| ((id, seal.hundred), (seal.sealed, seal.changed))));
    let (slug, name) = (line.slug, line.name);
    let category = Category { id, slug, name, generation, changed_at, newest, arrivals };
    maps.categories.insert(id, category);
}

fn take_item(maps: &mut Maps, line: ItemLine) {
    let key = line.item.code.key();
    forget(maps, &key);
    maps.paths.insert(line.item.permalink.clone(), AtPath::Article(line.item.code.clone()));
    for Entry { category, shown, first, latest } in line.entries {
        maps.entries.insert((category, line.item.published, key.clone()), (shown, first, latest));
    }
    for FormLine { since, item, body } in line.forms {
        maps.versions.insert((key.clone(), since), Article { item, body });
    }
    maps.revisions
        .extend((1..).zip(line.revisions).map(|(number, revision)| ((key.clone(), number), revision)));
    maps.tombs.extend(line.tombstone.map(|tombstone| (key.clone(), tombstone)));
    maps.bodies.insert(key.clone(), line.body);
    maps.items.insert(key.clone(), line.item);
    take_story(maps, key, line.history, line.listings);
}

fn take_erased(maps: &mut Maps, line: ErasedLine) {
    let key = line.code.key();
    forget(maps, &key);
    maps.tombs.insert(key.clone(), line.tombstone);
    take_story(maps, key, line.history, line.listings);
}

fn take_story(maps: &mut Maps, key: Code, history: Vec<crate::store::Event>, listings: Listings) {
    for (source, sighting) in listings {
        let number = maps.number(&source);
        maps.seen.insert((key.clone(), number), sighting);
    }
    if !history.is_empty() {
        maps.history.insert(key, history);
    }
}

fn forget(maps: &mut Maps, key: &Code) {
    maps.items.remove(key);
    maps.bodies.remove(key);
    maps.tombs.remove(key);
    maps.history.remove(key);
    maps.entries.retain(|(_, _, own), _| own != key);
    maps.versions.retain(|(own, _), _| own != key);
    maps.revisions.retain(|(own, _), _| own != key);
    maps.seen.retain(|(own, _), _| own != key);
}

fn take_counter(maps: &mut Maps, name: &str, value: u64) {
    match name {
        "generation" => maps.generation = value,
        "renames" => maps.renames = value,
        "published" => maps.published_up_to = value,
        "clock" => maps.clock = Timestamp::from_unix(i64::try_from(value).unwrap_or_default()),
        _ => {
            if let Some(name) = name.strip_prefix(COUNTS) {
                maps.tallies.insert(name.to_owned(), value);
            }
        }
    }
}
