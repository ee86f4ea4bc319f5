//! What the queries of the command line do; the same code runs in the daemon and without.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::claims::{self, Claims};
use super::reload::Reloader;
use super::round::{NotYet, Round};
use super::withdrawal::Wanted;
use super::{Mill, placing, storage, story, withdrawal};
use crate::control::{Event, Events, Query};
use crate::model::chain;
use crate::model::memory::Moved;
use crate::model::{Body, Category, CategoryId, InfoCode, Item, SourceId};
use crate::publish::Look;
use crate::source::Source;
use crate::store::{Claimed, PollResult, Revision, Sighting, Store, StoreError, Window};

/// A source in a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SourceRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it asks for.
    pub url: String,
    /// Whether it is polled.
    pub enabled: bool,
    /// Items ever taken in.
    pub items: u64,
    /// RFC 3339, or nothing.
    pub last_good: Option<String>,
    /// RFC 3339, or nothing.
    pub next_poll: Option<String>,
    /// Why then.
    pub why: String,
    /// Nobody may ask before that, not even by hand: RFC 3339, or nothing.
    pub not_before: Option<String>,
    /// New items a day, as learned.
    pub new_a_day: f64,
    /// Share of its answers that said that nothing had changed, from 0 to 1, of about the last 100.
    pub unmodified_share: Option<f64>,
    /// A stable word for the last failure; empty after a good poll.
    pub error_kind: String,
    /// How often its window ran over.
    pub gaps: u32,
    /// Where it moved to, and whether that is asked in place of `url`.
    pub moved: Option<Moved>,
    /// What an admin should look at; empty for nothing.
    pub alarm: String,
    /// Failed polls in a row.
    pub fails: u32,
    /// What the last failure said.
    pub last_error: Option<String>,
    /// Records that the last poll held back.
    pub held: Vec<String>,
    /// What had to be repaired to read the last document, with its line.
    pub repairs: Vec<String>,
    /// Newspapers' names that wait to become categories.
    pub waiting_names: Vec<String>,
}

/// An item in a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ItemRow {
    /// InfoCode as text.
    pub info_code: String,
    /// Title.
    pub title: String,
    /// RFC 3339.
    pub published: String,
    /// Slugs, the home category first.
    pub categories: Vec<String>,
    /// Its page.
    pub url: String,
}

/// All of one item.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ItemAnswer {
    /// As in lists.
    #[serde(flatten)]
    pub row: ItemRow,
    /// The published id.
    pub id: String,
    /// The record.
    pub item: Item,
    /// The text and what belongs to it.
    pub body: Body,
    /// How it looked before.
    pub revisions: Vec<Revision>,
    /// Which sources list it.
    pub listings: Vec<(SourceId, Sighting)>,
}

/// Answers one query; the last event is `Done` or `Failed`.
pub(super) async fn handle(mill: Arc<Mill>, reloader: Option<Arc<Reloader>>, query: Query, events: Events) {
    let answered = match (query, reloader) {
        (Query::Reload { accept }, Some(reloader)) => value(&reloader.reload(accept).await),
        (query, _) => answer(&mill, query, &events).await,
    };
    let last = match answered {
        Ok(value) => Event::Done(value),
        Err(message) => Event::Failed(message),
    };
    // A command that went away does not want its answer any more.
    let _ = events.send(last).await;
}

async fn answer(mill: &Arc<Mill>, query: Query, events: &Events) -> Result<Value, String> {
    match query {
        Query::Poll { sources, dry_run: true, .. } => try_out(mill, &sources).await,
        Query::Poll { sources, no_publish, .. } => poll(mill, &sources, !no_publish, events).await,
        Query::UndoMove { source } => undo_move(mill, &source).await,
        Query::Reload { .. } => {
            Err("no daemon polls here, so there is nothing to reload; the next start reads the config"
                .to_owned())
        }
        Query::Publish => {
            let report = mill.publish(Look::Whole, progress(events, "publishing")).await;
            value(&report.map_err(|e| chain(&e))?)
        }
        Query::Sources => value(&source_rows(mill).await.map_err(|e| chain(&e))?),
        Query::Categories => {
            let categories = mill.store.call(|store| store.categories()).await.map_err(|e| chain(&e))?;
            value(&categories.iter().map(|c| category_row(mill, c)).collect::<Vec<_>>())
        }
        Query::Items { category, limit } => items(mill, category, limit).await,
        Query::Item { code } => item(mill, code).await,
        Query::Explain { code } => story::explain(mill, code).await,
        Query::Withdraw { names, why, erase, copies, exports, dry_run } => {
            let wanted = Wanted { names, why, erase, copies, exports, dry_run };
            withdrawal::withdraw(mill, wanted, events).await
        }
        Query::Move { code, to } => placing::move_item(mill, code, to).await,
        Query::RenameCategory { category, name, slug } => placing::rename(mill, category, name, slug).await,
        Query::MergeCategory { from, into, dry_run } => {
            placing::merge(mill, from, into, dry_run, events).await
        }
        Query::Log { filter } => super::log::set(filter.as_deref()).map(|()| Value::Null),
        Query::Status => value(&super::status::status(mill).await.map_err(|e| chain(&e))?),
        Query::Restore { code, why } => story::restore(mill, code, why).await,
        Query::Rules => super::rules::rules(mill).await,
        Query::Reroute { dry_run } => super::rules::reroute(mill, dry_run, events).await,
        Query::Store(query) => storage::answer(mill, query, events).await,
        Query::Find { text, limit } => {
            let mill = Arc::clone(mill);
            let found =
                mill.store.clone().call(move |store| rows(&mill, store, &store.find(&text, limit)?)).await;
            value(&found.map_err(|e| chain(&e))?)
        }
        Query::ImportJekyll { folder, dry_run } => {
            let done =
                mill.import_jekyll(&PathBuf::from(folder), dry_run, progress(events, "importing")).await;
            value(&done.map_err(|e| chain(&e))?)
        }
    }
}

pub(super) fn value<T: Serialize>(answer: &T) -> Result<Value, String> {
    serde_json::to_value(answer).map_err(|e| e.to_string())
}

/// Progress of blocking work; a full channel drops a step rather than slow the work down.
fn progress(events: &Events, what: &'static str) -> impl Fn(usize, usize) + Send + 'static {
    let events = events.clone();
    move |done, of| {
        let _ = events.try_send(Event::Progress { done, of, what: what.to_owned() });
    }
}

/// The sources that a command names, or all that are enabled.
fn wanted_sources(mill: &Mill, wanted: &[String]) -> Result<Vec<Arc<Source>>, String> {
    if wanted.is_empty() {
        return Ok(mill.sources().filter(|source| source.enabled).cloned().collect());
    }
    let find = |id: &String| {
        let found = SourceId::new(id).and_then(|id| mill.source(&id).cloned());
        found.ok_or_else(|| format!("there is no source `{id}`; see `feedmill source list`"))
    };
    wanted.iter().map(find).collect()
}

/// Asks, and says what would be stored; nothing is.
async fn try_out(mill: &Arc<Mill>, wanted: &[String]) -> Result<Value, String> {
    let (mut reports, mut waiting) = (Vec::new(), Vec::new());
    for source in wanted_sources(mill, wanted)? {
        let state = mill.ingest.state(&source).await.map_err(|e| chain(&e))?;
        match NotYet::of(&source, &state, mill.clock.now()) {
            None => reports.push(mill.ingest.try_out(&source, state).await.map_err(|e| chain(&e))?),
            Some(wait) => waiting.push(wait),
        }
    }
    Ok(json!({ "polls": reports, "waiting": waiting, "dry_run": true }))
}

/// Forgets where a source moved to; the configured address is asked again.
async fn undo_move(mill: &Arc<Mill>, id: &str) -> Result<Value, String> {
    let source = wanted_sources(mill, &[id.to_owned()])?.remove(0);
    let claims = Claims::new(mill.store.clone(), Arc::clone(&mill.clock), claims::COMMAND);
    let mut claim = match claims.patiently(&source.id, claims::PATIENCE).await.map_err(|e| chain(&e))? {
        Claimed::Yours(claim) => *claim,
        Claimed::Busy { by, .. } => return Err(format!("{by} polls `{}` right now; try again", source.id)),
    };
    let moved = claim.state.memory.moved.take();
    if moved.is_some() {
        claim.state.validators = crate::model::Validators::default();
    }
    mill.store.complete(vec![PollResult::of(claim)]).await.map_err(|e| chain(&e))?;
    Ok(json!({ "source": source.id.as_str(), "forgotten": moved.map(|moved| moved.to) }))
}

async fn poll(mill: &Arc<Mill>, wanted: &[String], publish: bool, events: &Events) -> Result<Value, String> {
    let events = events.clone();
    let Round { polls, waiting, busy } = mill
        .round(wanted_sources(mill, wanted)?, |done, of, what| {
            let _ = events.try_send(Event::Progress { done, of, what: what.to_owned() });
        })
        .await
        .map_err(|e| chain(&e))?;
    let mut answer = json!({ "polls": polls, "waiting": waiting, "busy": busy });
    if publish {
        let published = mill.publish(Look::Changed, |_, _| {}).await.map_err(|e| chain(&e))?;
        answer["published"] = json!(published);
    }
    Ok(answer)
}

pub(super) async fn source_rows(mill: &Arc<Mill>) -> Result<Vec<SourceRow>, StoreError> {
    let configured: Vec<Arc<Source>> = mill.sources().cloned().collect();
    let now = mill.clock.now();
    mill.store
        .call(move |store| {
            configured
                .iter()
                .map(|source| {
                    let state = store.source(&source.id)?;
                    Ok(SourceRow {
                        id: source.id.to_string(),
                        name: source.name.clone(),
                        url: source.url.to_string(),
                        enabled: source.enabled,
                        items: state.items,
                        last_good: state.last_good.map(crate::model::Timestamp::rfc3339),
                        next_poll: (source.enabled && !state.memory.gone).then(|| state.next_poll.rfc3339()),
                        why: state.why,
                        not_before: (state.not_before > now).then(|| state.not_before.rfc3339()),
                        new_a_day: (state.memory.habits.a_day() * 10.0).round() / 10.0,
                        unmodified_share: state.memory.unmodified_share().map(f64::from),
                        error_kind: state.memory.error_kind,
                        gaps: state.memory.gaps,
                        moved: state.memory.moved,
                        alarm: state.memory.alarm,
                        fails: state.fails,
                        last_error: state.last_error,
                        held: state.held,
                        repairs: state.repairs,
                        waiting_names: state.waiting_names,
                    })
                })
                .collect()
        })
        .await
}

fn category_row(mill: &Mill, category: &Category) -> Value {
    json!({
        "slug": category.slug.as_str(),
        "name": category.name,
        "items": category.arrivals,
        "newest": category.newest.map(crate::model::Timestamp::rfc3339),
        "changed_at": category.changed_at.rfc3339(),
        "url": mill.pages.url(&crate::sink::OutputKey::Category(category.slug.clone())),
    })
}

async fn items(mill: &Arc<Mill>, category: Option<String>, limit: usize) -> Result<Value, String> {
    let own = Arc::clone(mill);
    let found = mill.store.call(move |store| {
        let id = match &category {
            None => CategoryId::SITE,
            Some(name) => match store.find_category(name)? {
                Some(found) => found.id,
                None => {
                    return Ok(Err(format!("there is no category `{name}`; see `feedmill category list`")));
                }
            },
        };
        let window = Window { items: limit, age: -1, most: limit, archived: true };
        Ok(Ok(rows(&own, store, &store.items_in(id, window)?)?))
    });
    value(&found.await.map_err(|e| chain(&e))??)
}

fn rows(mill: &Mill, store: &dyn Store, items: &[Item]) -> Result<Vec<ItemRow>, StoreError> {
    items.iter().map(|item| row(mill, store, item)).collect()
}

pub(super) fn row(mill: &Mill, store: &dyn Store, item: &Item) -> Result<ItemRow, StoreError> {
    let mut categories = Vec::new();
    for id in &item.categories {
        categories.extend(store.category(*id)?.map(|c| c.slug.to_string()));
    }
    Ok(ItemRow {
        info_code: item.code.text(mill.config.ingest.bare_space.as_ref()),
        title: item.title.clone(),
        published: item.published.rfc3339(),
        categories,
        url: mill.pages.url(&crate::sink::OutputKey::Article(item.permalink.clone())),
    })
}

async fn item(mill: &Arc<Mill>, code: String) -> Result<Value, String> {
    let own = Arc::clone(mill);
    let found = mill.store.call(move |store| {
        for code in readings(&own, &code) {
            if let Some(item) = store.item(&code)? {
                let past = store.past(&code)?;
                return Ok(Some(ItemAnswer {
                    row: row(&own, store, &item)?,
                    id: own.pages.published_id(&code),
                    body: store.body(&code)?,
                    revisions: past.revisions,
                    listings: store.listings(&code)?,
                    item,
                }));
            }
        }
        Ok(None)
    });
    value(&found.await.map_err(|e| chain(&e))?.ok_or_else(|| NO_ITEM.to_owned())?)
}

pub(super) const NO_ITEM: &str =
    "there is no item with this code; `feedmill item find TEXT` searches titles and codes";

/// What a person may mean by a code: as written, or the canonical form of a source's rule.
pub(super) fn readings(mill: &Mill, code: &str) -> Vec<InfoCode> {
    let bare = mill.config.ingest.bare_space.as_ref();
    let mut all: Vec<InfoCode> = InfoCode::parse(code, bare).into_iter().collect();
    let (space, listed) = code.split_once('~').unwrap_or((bare.map_or("", |s| s.as_str()), code));
    for source in mill.sources().filter(|source| source.code_space.as_str() == space) {
        let canonical = source.canonical_code(listed);
        all.push(InfoCode::new(source.code_space.clone(), &canonical));
    }
    all.dedup();
    all
}
