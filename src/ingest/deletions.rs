//! Items that their source deleted: what left a window that should hold it, several times in a
//! row, and whose page is gone; and what a feed says it deleted (RFC 6721). With a brake: more
//! than a few a day is an alarm, and withdraws nothing (RULES 6.7).

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

/// In so many documents in a row an item must be missing,
const TIMES: u8 = 3;
/// over so many seconds, before its page is looked at.
const SINCE: i64 = 3_600;
/// Missing items that are remembered; more of them would be an alarm anyhow.
const REMEMBERED: usize = 6;
/// Withdrawals a day that are always allowed.
const ALWAYS: usize = 5;
/// Bytes of a code that is remembered.
const MAX_CODE: usize = 160;
const DAY: i64 = 86_400;

/// How many items of a window may be withdrawn in a day: 5, or 10 % where that is more, but never
/// more than half of what is listed.
fn brake(window: usize) -> usize {
    ALWAYS.max(window / 10).min(window.div_ceil(2))
}

impl Ingest {
    /// Withdraws what a new document shows to be deleted; gives how much. What is pending is stored before.
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

    /// A 304 says that what was missing still is.
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

    /// Looks at the pages of what is missing for long enough, and withdraws what is gone.
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
                // Its page is there: it left the list for another reason. It is looked at again if it
                // is still missing after as many documents.
                _ => {}
            }
        }
        Ok(withdrawn)
    }

    /// Withdraws what the feed itself says it deleted.
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
        // What is listed again after all counts more (RFC 6721, 4).
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

    /// One withdrawal, if the day still has room for it.
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
                // Whoever else lists it has not deleted it.
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

/// Takes what a document misses into the memory.
fn note(memory: &mut Memory, missing: &[String], window: usize, now: Timestamp) {
    if missing.len() > brake(window) {
        // Most of a window does not vanish: a list that was cut, or a new design.
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

/// Codes of items that this source gave, that are newer than the oldest it lists, and that it
/// does not list.
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

/// Codes of items that a feed says it deleted, and that it alone gave.
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
