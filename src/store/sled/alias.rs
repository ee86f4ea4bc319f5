//! Aliases of items within a source: hashes, each with a code, in groups of about a dozen.
//!
//! A source's groups grow with its aliases, one at a time: linear hashing (Litwin, "Linear hashing: a new tool
//! for file and table addressing", 1980). A record of its own counts the aliases. A record for each alias would
//! be three for an article, and sled keeps some hundreds of bytes of memory for every few records.
//!
//! A sender can choose hashes so that many fall into one group: the group then takes further parts.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;

use sled::IVec;

use super::database::{
    Database, READ, TreeId, Tx, TxResult, backend, delete, every, put as put_record, tree, u32_at,
};
use crate::model::InfoCode;
use crate::store::{Alias, AliasKind, Result, StoreError};

/// Aliases of a group, on average.
const TOGETHER: u32 = 12;
/// Bytes of a part, at most.
const MAX_PART: usize = 3_000;
/// Bytes of an entry before the code: kind, length of the code, hash.
const HEAD: usize = 18;
/// Aliases that share a transaction when many are stored.
pub(super) const STEP: usize = 200;

/// One alias in a part: its kind and hash in their stored form, and the bytes of the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    bytes: &'a [u8],
}

impl<'a> Entry<'a> {
    pub(super) fn alias(self) -> Option<Alias> {
        let kind = alias_kind(*self.bytes.first()?)?;
        Some((kind, self.bytes.get(2..HEAD)?.try_into().ok()?))
    }

    pub(super) fn code(self) -> &'a [u8] {
        self.bytes.get(HEAD..).unwrap_or_default()
    }

    fn is_of(self, alias: Alias) -> bool {
        self.alias() == Some(alias)
    }
}

pub(super) fn entry_bytes((kind, hash): Alias, code: &[u8]) -> Vec<u8> {
    let length = u8::try_from(code.len()).unwrap_or_default();
    [&[alias_byte(kind), length], &hash[..], code].concat()
}

/// Iterates over the entries of a part; a `None` for a damaged one ends it.
pub(super) fn entries(mut part: &[u8]) -> impl Iterator<Item = Option<Entry<'_>>> {
    std::iter::from_fn(move || {
        part.first()?;
        let length = HEAD + part.get(1).map_or(0, |length| usize::from(*length));
        let found = part.split_at_checked(length);
        let (entry, rest) = found.map_or((None, &[][..]), |(bytes, rest)| (Some(Entry { bytes }), rest));
        part = rest;
        Some(entry)
    })
}

/// Returns how many groups this many aliases have.
fn groups(count: u32) -> u32 {
    count / TOGETHER + 1
}

/// Returns the group of an alias among this many groups.
fn group_of((kind, hash): Alias, groups: u32) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(&[alias_byte(kind)]);
    sum.update(&hash);
    let level = groups.ilog2();
    let below = |bits: u32| sum.clone().finalize() & 1_u32.checked_shl(bits).map_or(u32::MAX, |top| top - 1);
    let wide = below(level + 1);
    if wide < groups { wide } else { below(level) }
}

/// Returns the group that is split when this one is added.
fn parent(group: u32) -> u32 {
    group.checked_ilog2().map_or(0, |level| group - (1 << level))
}

fn head_key(source: u32) -> [u8; 4] {
    source.to_be_bytes()
}

/// Returns the key `source | group | part`.
fn part_key(source: u32, group: u32, part: u16) -> Vec<u8> {
    [&source.to_be_bytes()[..], &group.to_be_bytes(), &part.to_be_bytes()].concat()
}

/// Returns the parts of a group, read with `get`.
fn parts<E>(
    get: impl Fn(&[u8]) -> std::result::Result<Option<IVec>, E>,
    source: u32,
    group: u32,
) -> std::result::Result<Vec<IVec>, E> {
    let mut parts = Vec::with_capacity(1);
    for part in 0..=u16::MAX {
        match get(&part_key(source, group, part))? {
            Some(found) => parts.push(found),
            None => break,
        }
    }
    Ok(parts)
}

/// Returns the code that an alias resolves to.
///
/// # Errors
/// [`StoreError::Damaged`] if the record cannot be read; those of the store.
pub(super) fn find(db: &Database, source: u32, alias: Alias) -> Result<Option<InfoCode>> {
    let count = count(db, source)?;
    if count == 0 {
        // Each record of a new source asks three times.
        return Ok(None);
    }
    let group = group_of(alias, groups(count));
    for part in parts(|key| db.get(TreeId::Alias, key), source, group)? {
        for entry in entries(&part) {
            let entry = entry.ok_or(StoreError::Damaged { what: "alias" })?;
            if entry.is_of(alias) {
                let code = InfoCode::from_key(entry.code()).map(|(code, _)| code);
                return code.map(Some).ok_or(StoreError::Damaged { what: "code" });
            }
        }
    }
    Ok(None)
}

fn count(db: &Database, source: u32) -> Result<u32> {
    Ok(db.get(TreeId::Alias, head_key(source))?.and_then(|value| u32_at(&value, 0)).unwrap_or_default())
}

/// Makes an alias resolve to a code, whatever it resolved to before.
pub(super) fn put(tx: Tx<'_>, source: u32, alias: Alias, code: &[u8]) -> TxResult<()> {
    let mut growing = Growing::of(tx, source)?;
    growing.put(tx, alias, code)?;
    growing.end(tx)
}

/// The aliases of a source while some are added in a transaction: groups are read once, and written once at the
/// end.
#[derive(Debug)]
pub(super) struct Growing {
    source: u32,
    count: u32,
    known: u32,
    groups: BTreeMap<u32, Group>,
}

#[derive(Debug, Default)]
struct Group {
    parts: Vec<Vec<u8>>,
    /// Number of parts that are in the store.
    stored: usize,
}

impl Growing {
    pub(super) fn of(tx: Tx<'_>, source: u32) -> TxResult<Self> {
        let known = tree(tx, TreeId::Alias).get(head_key(source))?;
        let known = known.and_then(|value| u32_at(&value, 0)).unwrap_or_default();
        Ok(Self { source, count: known, known, groups: BTreeMap::new() })
    }

    fn group(&mut self, tx: Tx<'_>, group: u32) -> TxResult<&mut Group> {
        Ok(match self.groups.entry(group) {
            Slot::Occupied(known) => known.into_mut(),
            Slot::Vacant(new) => {
                let parts = parts(|key| tree(tx, TreeId::Alias).get(key), self.source, group)?;
                let parts: Vec<_> = parts.iter().map(|part| part.to_vec()).collect();
                new.insert(Group { stored: parts.len(), parts })
            }
        })
    }

    /// Makes an alias resolve to a code, whatever it resolved to before.
    pub(super) fn put(&mut self, tx: Tx<'_>, alias: Alias, code: &[u8]) -> TxResult<()> {
        let group = self.group(tx, group_of(alias, groups(self.count)))?;
        if group.lead(alias, code) {
            return Ok(());
        }
        group.push(&entry_bytes(alias, code));
        self.count = self.count.saturating_add(1);
        if groups(self.count) > groups(self.count - 1) { self.split(tx) } else { Ok(()) }
    }

    /// Adds the last group, which takes its share of the aliases of its parent.
    fn split(&mut self, tx: Tx<'_>) -> TxResult<()> {
        let groups = groups(self.count);
        let new = groups - 1;
        let before = std::mem::take(&mut self.group(tx, parent(new))?.parts);
        let (mut stay, mut go) = (Group::default(), Group::default());
        for entry in before.iter().flat_map(|part| entries(part)).flatten() {
            let moves = entry.alias().is_some_and(|alias| group_of(alias, groups) == new);
            if moves { go.push(entry.bytes) } else { stay.push(entry.bytes) }
        }
        self.group(tx, parent(new))?.parts = stay.parts;
        self.group(tx, new)?.parts = go.parts;
        Ok(())
    }

    /// Writes the groups that were changed, each as at least one part, and the number of aliases.
    pub(super) fn end(self, tx: Tx<'_>) -> TxResult<()> {
        for (number, group) in self.groups {
            let key = |part: usize| part_key(self.source, number, u16::try_from(part).unwrap_or(u16::MAX));
            let parts = group.parts.iter().map(Vec::as_slice);
            let empty = group.parts.is_empty().then_some(&[][..]);
            for (part, bytes) in parts.chain(empty).enumerate() {
                put_record(tx, TreeId::Alias, &key(part), bytes)?;
            }
            for part in group.parts.len().max(1)..group.stored {
                delete(tx, TreeId::Alias, &key(part))?;
            }
        }
        if self.count == self.known {
            return Ok(());
        }
        put_record(tx, TreeId::Alias, &head_key(self.source), &self.count.to_be_bytes())
    }
}

impl Group {
    /// Makes an existing alias resolve to another code; returns `false` if it does not exist.
    fn lead(&mut self, alias: Alias, code: &[u8]) -> bool {
        for part in &mut self.parts {
            if entries(part).flatten().any(|entry| entry.is_of(alias)) {
                let others = entries(part).flatten().filter(|entry| !entry.is_of(alias));
                let others: Vec<&[u8]> = others.map(|entry| entry.bytes).collect();
                *part = [&others.concat(), &entry_bytes(alias, code)[..]].concat();
                return true;
            }
        }
        false
    }

    /// Adds an entry to the first part with room, or to a new part.
    fn push(&mut self, entry: &[u8]) {
        match self.parts.iter_mut().find(|part| part.len() + entry.len() <= MAX_PART) {
            Some(part) => part.extend_from_slice(entry),
            None => self.parts.push(entry.to_vec()),
        }
    }
}

/// Iterates over all aliases of all sources, by the number of the source; unreadable ones are skipped.
///
/// # Errors
/// Those of the store, as they come.
pub(super) fn all(db: &Database) -> impl Iterator<Item = Result<(u32, Alias, InfoCode)>> {
    let aliases = every(db.tree(TreeId::Alias)).map(|record| {
        let (key, part) = record.map_err(|e| backend(READ, e))?;
        Ok(if key.len() == 4 { Vec::new() } else { readable(&key, &part) })
    });
    aliases.flat_map(|part: Result<Vec<_>>| match part {
        Ok(aliases) => aliases.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    })
}

/// Returns the aliases of a part, each with its source and code; unreadable ones are skipped.
pub(super) fn readable(key: &[u8], part: &[u8]) -> Vec<(u32, Alias, InfoCode)> {
    let read = |entry: Entry<'_>| {
        Some((u32_at(key, 0)?, entry.alias()?, InfoCode::from_key(entry.code()).map(|(code, _)| code)?))
    };
    entries(part).flatten().filter_map(read).collect()
}

/// Returns what is wrong with a record of [`TreeId::Alias`]; `known` returns whether a code is one of an item.
pub(super) fn judge(
    db: &Database,
    key: &[u8],
    value: &[u8],
    known: impl Fn(&[u8]) -> Result<bool>,
) -> Result<Option<&'static str>> {
    let Some(source) = u32_at(key, 0) else { return Ok(Some("it is of no source")) };
    if key.len() == 4 {
        let last = groups(u32_at(value, 0).unwrap_or_default()) - 1;
        let there = |group| db.get(TreeId::Alias, part_key(source, group, 0)).map(|part| part.is_some());
        let right = there(last)? && !there(last + 1)?;
        return Ok((!right).then_some("the groups of a source are counted wrong"));
    }
    let (Some(group), 10) = (u32_at(key, 4), key.len()) else { return Ok(Some("it is no group of aliases")) };
    let groups = groups(count(db, source)?);
    if group >= groups {
        return Ok(Some("a group of aliases that is not counted"));
    }
    for entry in entries(value) {
        let Some((entry, alias)) = entry.and_then(|entry| Some((entry, entry.alias()?))) else {
            return Ok(Some("it cannot be read"));
        };
        if group_of(alias, groups) != group {
            return Ok(Some("an alias in another one's group"));
        }
        if !known(entry.code())? {
            return Ok(Some("it leads to an item that never was"));
        }
    }
    Ok(None)
}

/// Rebuilds all groups of a source from the aliases that can be read and belong to an item.
pub(super) fn mend(db: &Database, key: &[u8], known: impl Fn(&[u8]) -> Result<bool>) -> Result<()> {
    let Some(source) = u32_at(key, 0) else {
        return db.transact(|tx| delete(tx, TreeId::Alias, key));
    };
    let mut keys = Vec::new();
    let mut good: BTreeMap<(u8, [u8; 16]), (Alias, Vec<u8>)> = BTreeMap::new();
    for record in db.tree(TreeId::Alias).scan_prefix(source.to_be_bytes()) {
        let (key, value) = record.map_err(|e| backend(READ, e))?;
        for (_, alias, code) in if key.len() == 10 { readable(&key, &value) } else { Vec::new() } {
            if known(&code.key())? {
                good.insert((alias_byte(alias.0), alias.1), (alias, code.key()));
            }
        }
        keys.push(key);
    }
    for some in keys.chunks(STEP) {
        db.transact(|tx| some.iter().try_for_each(|key| delete(tx, TreeId::Alias, key)))?;
    }
    let good: Vec<_> = good.into_values().collect();
    for some in good.chunks(STEP) {
        db.transact(|tx| {
            let mut growing = Growing::of(tx, source)?;
            some.iter().try_for_each(|(alias, code)| growing.put(tx, *alias, code))?;
            growing.end(tx)
        })?;
    }
    Ok(())
}

/// Returns the kind of an alias from its byte.
fn alias_kind(byte: u8) -> Option<AliasKind> {
    [AliasKind::Guid, AliasKind::Link, AliasKind::Text].into_iter().find(|kind| alias_byte(*kind) == byte)
}

/// Returns the byte of a kind of alias.
fn alias_byte(kind: AliasKind) -> u8 {
    match kind {
        AliasKind::Guid => 1,
        AliasKind::Link => 2,
        AliasKind::Text => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CodeSpace;
    use proptest::prelude::*;

    fn opened(folder: &std::path::Path) -> Database {
        Database::open(&folder.join("store"), 1 << 20).unwrap()
    }

    fn code(number: u32) -> InfoCode {
        InfoCode::new(CodeSpace::new("s").unwrap(), &format!("nr-{number}"))
    }

    fn alias(number: u32) -> Alias {
        let mut hash = [0; 16];
        hash[..4].copy_from_slice(&number.to_be_bytes());
        (AliasKind::Link, hash)
    }

    fn store(open: &Database, numbers: &[u32], alias: impl Fn(u32) -> Alias) {
        for some in numbers.chunks(STEP) {
            let put_all = |tx: Tx<'_>| {
                let mut growing = Growing::of(tx, 3)?;
                some.iter().try_for_each(|n| growing.put(tx, alias(*n), &code(*n).key()))?;
                growing.end(tx)
            };
            open.transact(put_all).unwrap();
        }
    }

    fn faults(open: &Database) -> Vec<&'static str> {
        let records = open.tree(TreeId::Alias).iter().flatten();
        records.filter_map(|(key, value)| judge(open, &key, &value, |_| Ok(true)).unwrap()).collect()
    }

    #[test]
    fn aliases_are_found_as_their_source_grows_and_after_mending() {
        let folder = tempfile::tempdir().unwrap();
        let open = opened(folder.path());
        let numbers: Vec<u32> = (0..1_000).collect();
        for some in numbers.chunks(77) {
            store(&open, some, alias);
            assert_eq!(faults(&open), [""; 0]);
        }
        // An existing alias is changed, and counted once.
        store(&open, &[5, 5], |_| alias(4));
        assert_eq!(find(&open, 3, alias(4)).unwrap(), Some(code(5)));
        store(&open, &[4], alias);
        for number in &numbers {
            assert_eq!(find(&open, 3, alias(*number)).unwrap(), Some(code(*number)), "{number}");
        }
        assert_eq!(find(&open, 3, alias(1_000)).unwrap(), None);
        assert_eq!(find(&open, 4, alias(1)).unwrap(), None);
        let records = open.tree(TreeId::Alias).len();
        assert!((80..100).contains(&records), "a thousand aliases in {records} records");
        for garbled in [&part_key(3, 7, 0)[..], &head_key(3)] {
            open.tree(TreeId::Alias).insert(garbled, &[0, 0, 0, 99]).unwrap();
            assert!(!faults(&open).is_empty());
            mend(&open, garbled, |_| Ok(true)).unwrap();
            assert_eq!(faults(&open), [""; 0]);
        }
        let found = numbers.iter().filter(|n| find(&open, 3, alias(**n)).unwrap().is_some()).count();
        assert!((950..1_000).contains(&found), "{found}: one group is lost");
    }

    #[test]
    fn hashes_that_fall_together_take_parts() {
        let folder = tempfile::tempdir().unwrap();
        let open = opened(folder.path());
        // A sender might choose hashes like these.
        let chosen: Vec<u32> = (0..u32::MAX).filter(|n| group_of(alias(*n), 64) == 9).take(600).collect();
        store(&open, &chosen, alias);
        assert_eq!(faults(&open), [""; 0]);
        for number in &chosen {
            assert_eq!(find(&open, 3, alias(*number)).unwrap(), Some(code(*number)));
        }
        let longest = open.tree(TreeId::Alias).iter().values().flatten().map(|value| value.len()).max();
        assert!(longest <= Some(MAX_PART));
    }

    proptest! {
        #[test]
        fn every_alias_stays_or_moves_to_the_new_group(hash in any::<[u8; 16]>(), groups in 1..100_000_u32) {
            let alias = (AliasKind::Guid, hash);
            let (before, after) = (group_of(alias, groups), group_of(alias, groups + 1));
            prop_assert!(before < groups);
            prop_assert!(after == before || (after == groups && before == parent(groups)));
        }
    }
}
