//! The writing verbs on sled: every one is a transaction over the trees it touches.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};

use sled::Transactional;
use sled::transaction::{ConflictableTransactionError, ConflictableTransactionResult, TransactionalTree};

use super::codec::{self, u32_at, u64_at};
use super::open::{Open, T, backend, category_key, transaction_error};
use super::texts::{self, Balance, Place, Text};
use super::{Change, Event, Happening, Result, Sighting, StoreError, clock, log, read, record};
use crate::model::{Category, CategoryId, InfoCode, Item, Slug, SourceId, SourceState, Timestamp};

/// Changes in one transaction.
pub(super) const MAX_CHANGES: usize = 30;
/// Events of one item that are kept.
pub(super) const MAX_EVENTS: usize = 64;
/// Changes whose texts are made durable together, and packed bytes of these.
const CHANGES_AT_ONCE: usize = 300;
const TEXTS_AT_ONCE: usize = 4 << 20;

pub(super) type Tx<'a> = &'a [TransactionalTree];
pub(super) type TxResult<T> = ConflictableTransactionResult<T, StoreError>;

pub(super) fn abort(error: StoreError) -> ConflictableTransactionError<StoreError> {
    ConflictableTransactionError::Abort(error)
}

pub(super) fn transact<R>(store: &Open, work: impl Fn(Tx<'_>) -> TxResult<R>) -> Result<R> {
    let done = store.trees().transaction(|tx| work(tx)).map_err(transaction_error)?;
    store.wrote();
    Ok(done)
}

pub(super) fn tree(tx: Tx<'_>, tree: T) -> &TransactionalTree {
    &tx[tree as usize]
}

pub(super) fn put(tx: Tx<'_>, at: T, key: &[u8], value: &[u8]) -> TxResult<()> {
    codec::fits("stored", value).map_err(abort)?;
    tree(tx, at).insert(key, value)?;
    Ok(())
}

pub(super) fn delete(tx: Tx<'_>, at: T, key: &[u8]) -> TxResult<()> {
    tree(tx, at).remove(key)?;
    Ok(())
}

/// The next value of a counter.
pub(super) fn next(tx: Tx<'_>, name: &str) -> TxResult<u64> {
    let sys = tree(tx, T::Sys);
    let value = sys.get(name)?.and_then(|bytes| u64_at(&bytes, 0)).unwrap_or_default() + 1;
    sys.insert(name, &value.to_be_bytes())?;
    Ok(value)
}

pub(super) fn ensure_site(store: &Open) -> Result<()> {
    if read::category(store, CategoryId::SITE)?.is_some() {
        return Ok(());
    }
    let site = Category {
        id: CategoryId::SITE,
        slug: Slug::site(),
        name: String::new(),
        generation: 0,
        changed_at: Timestamp::EPOCH,
        newest: None,
        arrivals: 0,
    };
    new_identity(store)?;
    transact(store, |tx| {
        let generation = next(tx, "generation")?;
        put_category(tx, &mut site.clone(), generation)
    })
}

/// A number that no other store has.
pub(super) fn new_identity(store: &Open) -> Result<()> {
    let identity = RandomState::new().hash_one(0_u8);
    transact(store, |tx| put(tx, T::Sys, b"identity", &identity.to_be_bytes()))
}

/// Stores the record under a new generation and moves its entry in the index of changes.
pub(super) fn put_category(tx: Tx<'_>, category: &mut Category, generation: u64) -> TxResult<()> {
    let key = |generation: u64| [&generation.to_be_bytes()[..], &category.id.0.to_be_bytes()].concat();
    if category.generation != 0 {
        tree(tx, T::Changed).remove(key(category.generation))?;
    }
    tree(tx, T::Changed).insert(key(generation), &[])?;
    category.generation = generation;
    let bytes = codec::encode("category", category).map_err(abort)?;
    put(tx, T::Category, &category.id.0.to_be_bytes(), &bytes)
}

/// The number of a source, given at first sight.
pub(super) fn source_number(tx: Tx<'_>, id: &SourceId) -> TxResult<u32> {
    let keys = tree(tx, T::SourceKey);
    if let Some(number) = keys.get(id.as_str())?.and_then(|value| u32_at(&value, 0)) {
        return Ok(number);
    }
    let number = u32::try_from(next(tx, "sources")?).unwrap_or(u32::MAX);
    keys.insert(id.as_str(), &number.to_be_bytes())?;
    Ok(number)
}

pub(super) fn register(store: &Open, sources: &[SourceId], now: Timestamp) -> Result<()> {
    let _writing = store.writing();
    for id in sources {
        let known = read::source_number(store, id)?.is_some();
        if !known || read::source(store, id)?.next_poll == Timestamp::MAX {
            let mut state = read::source(store, id)?;
            let before = state.next_poll;
            state.next_poll = now;
            "new source".clone_into(&mut state.why);
            transact(store, |tx| put_source(tx, id, &state, before, &[]))?;
        }
    }
    Ok(())
}

pub(super) fn put_source(
    tx: Tx<'_>,
    id: &SourceId,
    state: &SourceState,
    before: Timestamp,
    void: &[[u8; 16]],
) -> TxResult<()> {
    let number = source_number(tx, id)?;
    let due = tree(tx, T::Due);
    due.remove(codec::due_key(before, number))?;
    due.insert(codec::due_key(state.next_poll, number), id.as_str().as_bytes())?;
    for guid in void {
        tree(tx, T::Void).insert([&number.to_be_bytes()[..], guid].concat(), &[])?;
    }
    let bytes = codec::source_bytes(state).map_err(abort)?;
    put(tx, T::Source, &number.to_be_bytes(), &bytes)
}

pub(super) fn claim_due(store: &Open, now: Timestamp, limit: usize, lease: i64) -> Result<Vec<SourceId>> {
    let _writing = store.writing();
    clock::note(store, now)?;
    let due = read::due(store, now, limit)?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let older = due.iter().any(|(_, id)| id.is_none());
    let names = if older { read::source_names(store)? } else { HashMap::new() };
    let mut claimed = Vec::with_capacity(due.len());
    for (number, id) in &due {
        if let Some(id) = id.as_ref().or_else(|| names.get(number)) {
            let state = read::source(store, id)?;
            let before = state.next_poll;
            let state = clock::claimed(state, now, lease);
            transact(store, |tx| put_source(tx, id, &state, before, &[]))?;
            claimed.push(id.clone());
        }
    }
    Ok(claimed)
}

pub(super) fn complete(store: &Open, id: &SourceId, state: &SourceState, void: &[[u8; 16]]) -> Result<()> {
    let _writing = store.writing();
    let before = read::source(store, id)?.next_poll;
    let state = clock::completed(state.clone());
    transact(store, |tx| put_source(tx, id, &state, before, void))
}

pub(super) fn release(store: &Open, running: &[SourceId], now: Timestamp) -> Result<usize> {
    let _writing = store.writing();
    let mut released = 0;
    for record in read::sources(store)?.into_iter().filter(|record| !running.contains(&record.id)) {
        if let Some(state) = clock::given_back(&record.state, now) {
            let before = record.state.next_poll;
            transact(store, |tx| put_source(tx, &record.id, &state, before, &[]))?;
            released += 1;
        }
    }
    Ok(released)
}

pub(super) fn ensure_category(
    store: &Open,
    name: &str,
    slug: Option<&Slug>,
    now: Timestamp,
) -> Result<Category> {
    let _writing = store.writing();
    let by_slug = slug.map(|slug| read::find_category(store, slug.as_str())).transpose()?.flatten();
    let by_name = if name.is_empty() { None } else { read::find_category(store, name)? };
    if let Some(known) = by_slug {
        // Only who names the slug may rename; a source's name for it may be an old one.
        return if name.is_empty() || known.name == name {
            Ok(known)
        } else {
            rename(store, known, name, now)
        };
    }
    if let Some(known) = by_name {
        // First given, kept for ever (RULES 5.2): a slug that comes later only leads to it.
        if let Some(slug) = slug {
            lead_to(store, known.id, slug.as_str())?;
        }
        return Ok(known);
    }
    let mut slug = slug.cloned().unwrap_or_else(|| Slug::from_name(name));
    while read::find_category(store, slug.as_str())?.is_some() {
        slug = slug.distinct(&format!("{name}{slug}"));
    }
    let name = if name.is_empty() { slug.as_str() } else { name };
    transact(store, |tx| {
        let id = CategoryId(u32::try_from(next(tx, "categories")?).unwrap_or(u32::MAX));
        let generation = next(tx, "generation")?;
        let mut category = Category {
            id,
            slug: slug.clone(),
            name: name.to_owned(),
            generation: 0,
            changed_at: now,
            newest: None,
            arrivals: 0,
        };
        put_category(tx, &mut category, generation)?;
        for key in [category_key(b's', slug.as_str()), category_key(b'n', name)] {
            put(tx, T::CategoryKey, &key, &id.0.to_be_bytes())?;
        }
        touch_site(tx, now)?;
        Ok(category)
    })
}

/// A new or renamed category changes the site's lists of categories.
fn touch_site(tx: Tx<'_>, now: Timestamp) -> TxResult<()> {
    let Some(bytes) = tree(tx, T::Category).get(CategoryId::SITE.0.to_be_bytes())? else {
        return Ok(());
    };
    let mut site: Category = codec::decode("category", &bytes).map_err(abort)?;
    site.changed_at = site.changed_at.max(now);
    let generation = next(tx, "generation")?;
    put_category(tx, &mut site, generation)
}

fn rename(store: &Open, mut known: Category, name: &str, now: Timestamp) -> Result<Category> {
    name.clone_into(&mut known.name);
    known.changed_at = known.changed_at.max(now);
    transact(store, |tx| {
        let mut category = known.clone();
        next(tx, "renames")?;
        let generation = next(tx, "generation")?;
        put_category(tx, &mut category, generation)?;
        put(tx, T::CategoryKey, &category_key(b'n', name), &category.id.0.to_be_bytes())?;
        touch_site(tx, now)?;
        Ok(category)
    })
}

pub(super) fn alias_category(store: &Open, id: CategoryId, old_slug: &str) -> Result<()> {
    let _writing = store.writing();
    lead_to(store, id, old_slug)
}

fn lead_to(store: &Open, id: CategoryId, old_slug: &str) -> Result<()> {
    let key = category_key(b's', old_slug);
    if read::get(store, T::CategoryKey, &key)?.is_none() {
        transact(store, |tx| put(tx, T::CategoryKey, &key, &id.0.to_be_bytes()))?;
    }
    Ok(())
}

pub(super) fn fix(store: &Open, key: &'static str, value: &str, set: bool) -> Result<()> {
    let name = format!("fixed.{key}");
    match read::get(store, T::Sys, &name)? {
        None if !set => Ok(()),
        None => {
            store.tree(T::Sys).insert(name, value).map_err(|e| backend("set a value", e))?;
            store.wrote();
            Ok(())
        }
        Some(stored) if &stored[..] == value.as_bytes() => Ok(()),
        Some(stored) => Err(StoreError::Fixed {
            key,
            stored: String::from_utf8_lossy(&stored).into_owned(),
            asked: value.to_owned(),
        }),
    }
}

pub(super) fn set_bookmark(store: &Open, name: &str, generation: u64) -> Result<()> {
    let _writing = store.writing();
    transact(store, |tx| put(tx, T::Sys, read::bookmark_key(name).as_bytes(), &generation.to_be_bytes()))
}

pub(super) fn tally(store: &Open, counts: &BTreeMap<String, u64>) -> Result<()> {
    let _writing = store.writing();
    transact(store, |tx| {
        for (name, more) in counts {
            let key = format!("{}{name}", read::TALLY);
            let known = tree(tx, T::Sys).get(&key)?.and_then(|value| u64_at(&value, 0)).unwrap_or_default();
            tree(tx, T::Sys).insert(key.as_str(), &(known + more).to_be_bytes())?;
        }
        Ok(())
    })
}

/// Publishes that are remembered by their time.
const PUBLISHES: usize = 20_000;

pub(super) fn mark_published(store: &Open, generation: u64, now: Timestamp) -> Result<()> {
    let _writing = store.writing();
    let number = generation.to_be_bytes();
    let known = read::get(store, T::Published, number)?.is_some();
    let published = store.tree(T::Published);
    let oldest =
        if published.len() > PUBLISHES { published.first().map_err(|e| backend("read", e))? } else { None };
    transact(store, |tx| {
        if let Some((oldest, _)) = &oldest {
            tree(tx, T::Published).remove(oldest)?;
        }
        if !known {
            put(tx, T::Published, &number, &codec::time(now))?;
        }
        put(tx, T::Sys, b"published", &number)
    })
}

/// A change with its bytes made before the transaction, whose closure may run again.
struct Prepared {
    change: Change,
    /// Where its text is.
    place: Option<Place>,
    /// Keys of events that make room.
    old_events: Vec<Vec<u8>>,
    /// The form that it replaces, where that is kept: since when it was so, and its record.
    version: Option<(u64, Vec<u8>)>,
}

/// Texts are written and made durable first and without the writer's lock, those of up to
/// [`TEXTS_AT_ONCE`] bytes together: only then may sled hear where they are.
pub(super) fn commit(store: &Open, changes: Vec<Change>, now: Timestamp) -> Result<()> {
    let dictionary = store.dictionaries.newest(store)?;
    let mut changes = changes.into_iter().peekable();
    let mut archived = BTreeSet::new();
    while changes.peek().is_some() {
        let mut group: Vec<(Change, Vec<u8>)> = Vec::new();
        let mut bytes = 0;
        while let Some(change) = changes.next_if(|_| bytes < TEXTS_AT_ONCE && group.len() < CHANGES_AT_ONCE) {
            archived.extend(change.enters.iter().filter(|place| !place.shown).map(|place| place.category));
            let packed = change.body.as_ref().map(|body| codec::pack(body, dictionary.as_deref()));
            let packed = packed.transpose()?.unwrap_or_default();
            bytes += packed.len();
            group.push((change, packed));
        }
        commit_group(store, group, now)?;
    }
    let _writing = store.writing();
    close_archived(store, &archived)
}

fn commit_group(store: &Open, group: Vec<(Change, Vec<u8>)>, now: Timestamp) -> Result<()> {
    let keys: Vec<Vec<u8>> = group.iter().map(|(change, _)| change.code.key()).collect();
    let texts: Vec<Text<'_>> = keys
        .iter()
        .zip(&group)
        .filter(|(_, (change, _))| change.body.is_some())
        .map(|(key, (_, packed))| (&key[..], &packed[..]))
        .collect();
    let places = store.texts.append(&texts)?;
    store.texts.sync()?;
    let mut places = places.into_iter();
    let _writing = store.writing();
    let mut batch = Vec::new();
    for (change, _) in group {
        if batch.len() >= MAX_CHANGES {
            commit_batch(store, &std::mem::take(&mut batch), now)?;
        }
        let place = change.body.as_ref().and_then(|_| places.next());
        let old_events = match &change.event {
            // A story that begins has no past.
            Some(event) if event.what == Happening::Inserted => Vec::new(),
            Some(_) => read::events_beyond(store, &change.code.key(), MAX_EVENTS - 1)?,
            None => Vec::new(),
        };
        let version = replaced(store, &change)?;
        batch.push(Prepared { change, place, old_events, version });
    }
    if batch.is_empty() { Ok(()) } else { commit_batch(store, &batch, now) }
}

/// The form that a change replaces, if somebody may still want to see it: it was published as
/// another one (a correction), or a sealed hundred shows it.
fn replaced(store: &Open, change: &Change) -> Result<Option<(u64, Vec<u8>)>> {
    if change.item.is_none() || (change.body.is_none() && change.enters.is_empty()) {
        return Ok(None);
    }
    let key = change.code.key();
    let Some(item) = read::item(store, &key)? else { return Ok(None) };
    if change.replaces.is_none() && !log::shown_sealed(store, &item)? {
        return Ok(None);
    }
    form(store, &item).map(Some)
}

/// The form that an item has now, to be kept: since when it is so, and a record of it that names the
/// same text.
pub(super) fn form(store: &Open, item: &Item) -> Result<(u64, Vec<u8>)> {
    let record = read::get(store, T::Item, item.code.key())?;
    let place = record.and_then(|record| texts::named(&record)).unwrap_or(Place::NONE);
    Ok((item.touched, record::of_item(place, item)?))
}

pub(super) fn put_form(
    tx: Tx<'_>,
    key: &[u8],
    (since, record): &(u64, Vec<u8>),
    balance: &mut Balance,
) -> TxResult<()> {
    let at = codec::version_key(key, *since);
    if let Some(before) = tree(tx, T::Version).insert(at, record.as_slice())? {
        texts::named(&before).into_iter().for_each(|place| balance.take(place));
    }
    texts::named(record).into_iter().for_each(|place| balance.add(place));
    Ok(())
}

/// Closes the hundreds that end with what went straight to the archive.
pub(super) fn close_archived(store: &Open, archived: &BTreeSet<CategoryId>) -> Result<()> {
    for id in archived {
        let Some(before) = read::category(store, *id)? else { continue };
        transact(store, |tx| {
            let mut category = before.clone();
            log::close_archived(tx, &mut category)?;
            if category.arrivals == before.arrivals {
                return Ok(());
            }
            let generation = next(tx, "generation")?;
            put_category(tx, &mut category, generation)
        })?;
    }
    Ok(())
}

fn commit_batch(store: &Open, batch: &[Prepared], now: Timestamp) -> Result<()> {
    transact(store, |tx| {
        let mut touched: BTreeMap<CategoryId, Category> = BTreeMap::new();
        let mut balance = Balance::default();
        for prepared in batch {
            apply(tx, prepared, now, &mut touched, &mut balance)?;
        }
        balance.settle(tx)?;
        for category in touched.values_mut() {
            let generation = next(tx, "generation")?;
            put_category(tx, category, generation)?;
        }
        Ok(())
    })
}

fn apply(
    tx: Tx<'_>,
    prepared: &Prepared,
    now: Timestamp,
    touched: &mut BTreeMap<CategoryId, Category>,
    balance: &mut Balance,
) -> TxResult<()> {
    let Prepared { change, place, old_events, version } = prepared;
    let key = change.code.key();
    let before = stored(tx, &key)?;
    if let (None, Some(place), Some((_, item))) = (&change.item, place, &before) {
        put_record(tx, &key, (*place, item), balance)?;
    }
    if let Some(item) = &change.item {
        // Counters, the leading source and further paths show nowhere: the outputs stay as old as
        // they are.
        let shows = change.tombstone.is_none() && (change.body.is_some() || !change.enters.is_empty());
        let known = before.as_ref().map(|(place, _)| *place);
        let place = place.or(known).unwrap_or(Place::NONE);
        match &before {
            Some((_, stored)) if !shows => {
                // Its form is as old as it was.
                let item = Item { touched: stored.touched, ..item.clone() };
                put_record(tx, &key, (place, &item), balance)?;
            }
            _ => put_item(tx, &key, (place, item), before.is_none(), balance)?,
        }
        if shows {
            for id in item.categories.iter().chain(&[CategoryId::SITE]) {
                touch(tx, *id, now, touched)?;
            }
        }
        if let Some(form) = version {
            put_form(tx, &key, form, balance)?;
        }
        if change.replaces.is_some() {
            for id in &item.categories {
                if let Some(category) = touched.get_mut(id) {
                    log::again(tx, &key, item, category)?;
                }
            }
        }
        for placement in &change.enters {
            if let Some(category) = touched.get_mut(&placement.category) {
                log::enter(tx, &key, item, category, placement.shown)?;
            }
        }
        for path in &change.paths {
            let redirect = [&[2], item.permalink.as_bytes()].concat();
            if path.len() <= 1_000 && tree(tx, T::Path).get(path.as_str())?.is_none() {
                put(tx, T::Path, path.as_bytes(), &redirect)?;
            }
        }
    }
    if let Some(revision) = &change.replaces {
        let number = change.item.as_ref().map_or(0, |item| item.revisions);
        let bytes = codec::encode("revision", revision).map_err(abort)?;
        put(tx, T::Revision, &codec::revision_key(&key, number), &bytes)?;
    }
    if let Some((source, sighting)) = &change.sighting {
        let began = change.event.as_ref().filter(|event| begins(event, source));
        put_listing(tx, (&change.code, source), sighting, began)?;
    }
    for (source, alias) in &change.aliases {
        let number = source_number(tx, source)?;
        put(tx, T::Alias, &codec::alias_key(number, *alias), &key)?;
    }
    if let Some(tombstone) = &change.tombstone {
        let bytes = codec::encode("tombstone", tombstone).map_err(abort)?;
        put(tx, T::Tomb, &key, &bytes)?;
    }
    for old in old_events {
        tree(tx, T::History).remove(old.as_slice())?;
    }
    let listed = |event: &Event| change.sighting.as_ref().is_some_and(|(source, _)| begins(event, source));
    if let Some(event) = change.event.as_ref().filter(|event| !listed(event)) {
        put_event(tx, &key, event)?;
    }
    Ok(())
}

/// Whether an event is that with which a source's listing of an item begins: it is kept with it.
fn begins(event: &Event, source: &SourceId) -> bool {
    matches!(event.what, Happening::Inserted | Happening::Listed) && event.source.as_ref() == Some(source)
}

/// Stores what is known of a listing; the event that it began with stays.
pub(super) fn put_listing(
    tx: Tx<'_>,
    (code, source): (&InfoCode, &SourceId),
    sighting: &Sighting,
    began: Option<&Event>,
) -> TxResult<()> {
    let key = codec::seen_key(code, source_number(tx, source)?);
    let before = tree(tx, T::Seen).get(&key)?;
    let before = before.and_then(|bytes| record::listing(&bytes).ok()).and_then(|(_, event)| event);
    if let (Some(_), Some(began)) = (&before, began) {
        // It was listed, forgotten and is listed again: its story goes on.
        put_event(tx, &code.key(), began)?;
    }
    let began = match (before, began) {
        (None, Some(began)) => Some((next(tx, "events")?, began.clone())),
        (before, _) => before,
    };
    let bytes = record::of_listing(sighting, began.as_ref()).map_err(abort)?;
    put(tx, T::Seen, &key, &bytes)
}

pub(super) fn put_event(tx: Tx<'_>, key: &[u8], event: &Event) -> TxResult<()> {
    let at = next(tx, "events")?;
    let bytes = codec::encode("event", event).map_err(abort)?;
    put(tx, T::History, &codec::event_key(key, at), &bytes)
}

/// The item as it stands in the store, and where its text is.
fn stored(tx: Tx<'_>, key: &[u8]) -> TxResult<Option<(Place, Item)>> {
    let bytes = tree(tx, T::Item).get(key)?;
    bytes.map(|bytes| record::item(&bytes).map_err(abort)).transpose()
}

fn put_item(
    tx: Tx<'_>,
    key: &[u8],
    (place, item): (Place, &Item),
    new: bool,
    balance: &mut Balance,
) -> TxResult<()> {
    let mut item = item.clone();
    if new {
        put(tx, T::Path, item.permalink.as_bytes(), &[&[1], key].concat())?;
        item.touched = 0;
        item.generation = upcoming(tx)?;
    }
    touch_record(tx, key, (place, &item), balance)
}

/// The generation that the categories of this transaction begin with when it ends.
pub(super) fn upcoming(tx: Tx<'_>) -> TxResult<u64> {
    let bytes = tree(tx, T::Sys).get("generation")?;
    Ok(bytes.and_then(|b| u64_at(&b, 0)).unwrap_or_default() + 1)
}

/// Stores an item under the coming generation; `touched` of it says where it stood, 0 for nowhere. Its
/// text stays where it is.
pub(super) fn touch_item(tx: Tx<'_>, key: &[u8], item: &Item) -> TxResult<()> {
    // What it takes it gives.
    touch_record(tx, key, (place_of(tx, key)?, item), &mut Balance::default())
}

/// Stores an item that shows no change; its text stays where it is.
pub(super) fn keep_item(tx: Tx<'_>, key: &[u8], item: &Item) -> TxResult<()> {
    put_record(tx, key, (place_of(tx, key)?, item), &mut Balance::default())
}

fn place_of(tx: Tx<'_>, key: &[u8]) -> TxResult<Place> {
    Ok(tree(tx, T::Item).get(key)?.and_then(|record| texts::named(&record)).unwrap_or(Place::NONE))
}

/// As [`touch_item`], with a text that may be another one.
pub(super) fn touch_record(
    tx: Tx<'_>,
    key: &[u8],
    (place, item): (Place, &Item),
    balance: &mut Balance,
) -> TxResult<()> {
    let mut item = item.clone();
    if item.touched > 0 {
        record::forget_touched(tx, item.touched, key)?;
    }
    item.touched = upcoming(tx)?;
    record::note_touched(tx, item.touched, key)?;
    put_record(tx, key, (place, &item), balance)
}

fn put_record(tx: Tx<'_>, key: &[u8], (place, item): (Place, &Item), balance: &mut Balance) -> TxResult<()> {
    let bytes = record::of_item(place, item).map_err(abort)?;
    codec::fits("item", &bytes).map_err(abort)?;
    if let Some(before) = tree(tx, T::Item).insert(key, bytes)?.and_then(|before| texts::named(&before)) {
        balance.take(before);
    }
    balance.add(place);
    Ok(())
}

/// Loads a category into `touched` and moves its `changed_at`.
pub(super) fn touch(
    tx: Tx<'_>,
    id: CategoryId,
    now: Timestamp,
    touched: &mut BTreeMap<CategoryId, Category>,
) -> TxResult<()> {
    if touched.contains_key(&id) {
        return Ok(());
    }
    if let Some(bytes) = tree(tx, T::Category).get(id.0.to_be_bytes())? {
        let mut category: Category = codec::decode("category", &bytes).map_err(abort)?;
        // A clock that went back must not make an output look older than it was.
        category.changed_at = category.changed_at.max(now);
        touched.insert(id, category);
    }
    Ok(())
}
