//! Items that their source deleted: those missing several times in a row from a window that should list them,
//! whose page is gone; and those that a feed declares deleted (RFC 6721). A limit per day protects against
//! mistakes: beyond it an alarm is raised and nothing is withdrawn (RULES 6.7).

use tracing::warn;
use url::Url;

use super::document::DocumentSummary;
use super::identity::name_of_guid;
use super::pending::Pending;
use super::poller::Ingest;
use crate::model::memory::{Memory, Missing};
use crate::model::{Deleted, Hints, InfoCode, Item, SourceId, SourceState, Timestamp};
use crate::source::Source;
use crate::store::{Result, Store, StoreError, Tombstone, Window, WithdrawnBy};

/// Documents in a row from which an item must be missing before its page is checked.
const TIMES: u8 = 3;
/// Seconds for which an item must be missing before its page is checked.
const SINCE: i64 = 3_600;
/// Missing items that are remembered at most; more would raise an alarm anyway.
const REMEMBERED: usize = 6;
/// Withdrawals that are allowed on any day.
const ALWAYS: usize = 5;
/// Most bytes of a code that is remembered.
const MAX_CODE: usize = 160;
const DAY: i64 = 86_400;

/// Returns how many items of a window may be withdrawn in a day: 5, or 10 % where that is more, but never more
/// than half of the window.
fn brake(window: usize) -> usize {
    ALWAYS.max(window / 10).min(window.div_ceil(2))
}

impl Ingest {
    /// Withdraws the items that a new document shows to be deleted, and returns their number. Pending changes
    /// are stored first.
    pub(super) async fn withdraw_deleted(
        &self,
        source: &Source,
        state: &mut SourceState,
        pending: &mut Pending,
        hints: &Hints,
        found: &DocumentSummary,
    ) -> std::result::Result<usize, StoreError> {
        if state.first_good.is_none() || state.arriving || found.codes.is_empty() {
            return Ok(0);
        }
        state.memory.alarm.clear();
        if !hints.deleted.is_empty() {
            self.store_pending(pending).await?;
        }
        let mut withdrawn = self.withdraw_stated(source, state, &hints.deleted, found).await?;
        let (own, codes) = (source.clone(), found.codes.clone());
        let floor = found.floor;
        let missing = self.call(move |store| missing(store, &own, &codes, floor)).await?;
        note(&mut state.memory, &missing, found.codes.len(), self.clock.now());
        withdrawn += self.withdraw_missing(source, state, pending).await?;
        Ok(withdrawn)
    }

    /// Counts a 304 as one more document without the missing items, and withdraws those that are due.
    pub(super) async fn still_missing(
        &self,
        source: &Source,
        state: &mut SourceState,
        pending: &mut Pending,
    ) -> std::result::Result<usize, StoreError> {
        for missing in &mut state.memory.missing {
            missing.times = missing.times.saturating_add(1);
        }
        self.withdraw_missing(source, state, pending).await
    }

    /// Fetches the pages of items that have been missing for long enough, and withdraws those that are gone.
    async fn withdraw_missing(
        &self,
        source: &Source,
        state: &mut SourceState,
        pending: &mut Pending,
    ) -> std::result::Result<usize, StoreError> {
        let now = self.clock.now();
        let ripe = |missing: &Missing| missing.times >= TIMES && now.since(missing.since) >= SINCE;
        let (ripe, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut state.memory.missing).into_iter().partition(ripe);
        state.memory.missing = rest;
        if !ripe.is_empty() {
            self.store_pending(pending).await?;
        }
        let mut withdrawn = 0;
        for missing in ripe {
            let Some(code) = InfoCode::parse(&missing.code, None) else { continue };
            let wanted = code.clone();
            let item = self.call(move |store| store.item(&wanted)).await?;
            let Some(url) = item.and_then(|item| item.link).and_then(|link| Url::parse(&link).ok()) else {
                continue;
            };
            match self.fetcher.get(&source.look(url), now).await {
                Err(error) if matches!(error.status(), Some(404 | 410)) => {
                    let status = error.status().unwrap_or_default();
                    let why = format!("no longer listed by {}, and its page answers {status}", source.id);
                    withdrawn += usize::from(self.withdraw_one(source, state, code, why).await?);
                }
                // The page exists: the item left the list for another reason. It is checked again if it is
                // still missing after as many documents.
                _ => {}
            }
        }
        Ok(withdrawn)
    }

    /// Withdraws the items that the feed declares deleted.
    async fn withdraw_stated(
        &self,
        source: &Source,
        state: &mut SourceState,
        deleted: &[Deleted],
        found: &DocumentSummary,
    ) -> std::result::Result<usize, StoreError> {
        if deleted.is_empty() {
            return Ok(0);
        }
        let (own, deleted) = (source.clone(), deleted.to_vec());
        let mut stated = self.call(move |store| stated(store, &own, &deleted)).await?;
        // An item that is listed again is not deleted (RFC 6721, 4).
        stated.retain(|code| !found.codes.contains(code));
        if stated.len() > brake(found.codes.len()) {
            alarm(&mut state.memory, source, stated.len());
            return Ok(0);
        }
        let mut withdrawn = 0;
        for code in stated {
            let why = format!("{} says that it was deleted (at:deleted-entry)", source.id);
            withdrawn += usize::from(self.withdraw_one(source, state, code, why).await?);
        }
        Ok(withdrawn)
    }

    /// Withdraws one item, if the limit of the day allows it; returns whether it did.
    async fn withdraw_one(
        &self,
        source: &Source,
        state: &mut SourceState,
        code: InfoCode,
        why: String,
    ) -> std::result::Result<bool, StoreError> {
        let now = self.clock.now();
        let today = now.unix() / DAY;
        if state.memory.withdrawn_on != today {
            (state.memory.withdrawn_on, state.memory.withdrawn) = (today, 0);
        }
        let window = usize::try_from(state.memory.window).unwrap_or(usize::MAX);
        if usize::try_from(state.memory.withdrawn).unwrap_or(usize::MAX) >= brake(window) {
            alarm(&mut state.memory, source, brake(window) + 1);
            return Ok(false);
        }
        let _held = self.decision_lock.lock().await;
        let tombstone = Tombstone::new(now, WithdrawnBy::Source, why, false);
        let own = source.id.clone();
        let done = self
            .call(move |store| {
                // Another source that lists it has not deleted it.
                let only = store.listings(&code)?.iter().all(|(id, _)| *id == own);
                if only { store.withdraw(&code, &tombstone) } else { Ok(false) }
            })
            .await?;
        state.memory.withdrawn += u32::from(done);
        Ok(done)
    }
}

fn alarm(memory: &mut Memory, source: &Source, count: usize) {
    memory.alarm = format!(
        "{count} items seem deleted at once: nothing is withdrawn; withdraw them by hand if that is meant"
    );
    warn!(source.id = %source.id, count, "many items seem deleted at once; nothing is withdrawn");
    memory.missing.clear();
}

/// Records the missing items of a document in the memory.
fn note(memory: &mut Memory, missing: &[String], window: usize, now: Timestamp) {
    if missing.len() > brake(window) {
        // Most of a window does not vanish at once: the list was cut, or redesigned.
        memory.missing.clear();
        return;
    }
    let known = std::mem::take(&mut memory.missing);
    memory.missing = missing
        .iter()
        .take(REMEMBERED)
        .map(|code| match known.iter().find(|known| known.code == *code) {
            Some(seen) => Missing { times: seen.times.saturating_add(1), ..seen.clone() },
            None => Missing { code: code.clone(), since: now, times: 1 },
        })
        .collect();
}

/// Returns the codes of items from this source that are newer than the oldest listed date and not listed.
fn missing(
    store: &dyn Store,
    source: &Source,
    listed: &[InfoCode],
    floor: Option<Timestamp>,
) -> Result<Vec<String>> {
    let (Some(floor), false) = (floor, source.route_by_media) else { return Ok(Vec::new()) };
    let name = source.category.slug.as_ref().map_or(source.category.name.as_str(), |slug| slug.as_str());
    let Some(category) = store.find_category(name)? else { return Ok(Vec::new()) };
    let most = listed.len() * 2 + 20;
    let window = Window { items: most, age: -1, most, archived: true };
    let is_missing =
        |item: &Item| item.lead == source.id && item.published > floor && !listed.contains(&item.code);
    let items = store.items_in(category.id, window)?;
    let codes = items.iter().filter(|item| is_missing(item)).map(|item| item.code.text(None));
    Ok(codes.filter(|code| code.len() <= MAX_CODE).collect())
}

/// Returns the codes of items whose content is from this source and that its feed declares deleted.
fn stated(store: &dyn Store, source: &Source, deleted: &[Deleted]) -> Result<Vec<InfoCode>> {
    let mut codes = Vec::new();
    for entry in deleted {
        let Some(code) = code_of(store, source, &entry.reference)? else { continue };
        let Some(item) = store.item(&code)? else { continue };
        // An entry that changed after its deletion is a new one (RFC 6721, 4).
        let over = entry.when.is_none_or(|when| when >= item.published);
        if over && leads(&item, &source.id) && store.tombstone(&code)?.is_none() {
            codes.push(code);
        }
    }
    Ok(codes)
}

fn leads(item: &Item, source: &SourceId) -> bool {
    item.lead == *source
}

fn code_of(store: &dyn Store, source: &Source, guid: &str) -> Result<Option<InfoCode>> {
    if let Some(rule) = &source.code {
        let entry = crate::model::Entry { guid: Some(guid.to_owned()), ..Default::default() };
        let listed = rule.listed(&entry);
        return Ok(listed.map(|code| InfoCode::new(source.code_space.clone(), &source.canonical_code(&code))));
    }
    Ok(store.known(&source.id, &[name_of_guid(guid)])?.pop().and_then(|known| known.code))
}
