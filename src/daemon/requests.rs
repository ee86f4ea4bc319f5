//! Queries of the command line. The same code runs in the daemon and in a command without one.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};

use super::answers::{SourceRow, value};
use super::claims::{self, Claims};
use super::mill::Mill;
use super::reload::Reloader;
use super::round::{NotYet, Round};
use super::withdrawal::Wanted;
use super::{category_changes, history, items, log, rules, status, storage, withdrawal};
use crate::control::{Event, Events, Query};
use crate::model::{Category, SourceId, chain};
use crate::publish::PublishScope;
use crate::source::Source;
use crate::store::{Claimed, PollResult, StoreError};

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
    // A command that ended does not need its answer.
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
            let report = mill.publish(PublishScope::Whole, progress(events, "publishing")).await;
            value(&report.map_err(|e| chain(&e))?)
        }
        Query::Sources => value(&source_rows(mill).await.map_err(|e| chain(&e))?),
        Query::Categories => {
            let categories = mill.store.call(|store| store.categories()).await.map_err(|e| chain(&e))?;
            value(&categories.iter().map(|c| category_row(mill, c)).collect::<Vec<_>>())
        }
        Query::Items { category, limit } => items::items(mill, category, limit).await,
        Query::Item { code } => items::item(mill, code).await,
        Query::Explain { code } => history::explain(mill, code).await,
        Query::Withdraw { names, why, erase, copies, exports, dry_run } => {
            let wanted = Wanted { names, why, erase, copies, exports, dry_run };
            withdrawal::withdraw(mill, wanted, events).await
        }
        Query::Move { code, to } => category_changes::move_item(mill, code, to).await,
        Query::RenameCategory { category, name, slug } => {
            category_changes::rename(mill, category, name, slug).await
        }
        Query::MergeCategory { from, into, dry_run } => {
            category_changes::merge(mill, from, into, dry_run, events).await
        }
        Query::Log { filter } => log::set(filter.as_deref()).map(|()| Value::Null),
        Query::Status => value(&status::status(mill).await.map_err(|e| chain(&e))?),
        Query::Restore { code, why } => history::restore(mill, code, why).await,
        Query::Rules => rules::rules(mill).await,
        Query::Reroute { dry_run } => rules::reroute(mill, dry_run, events).await,
        Query::Store(query) => storage::answer(mill, query, events).await,
        Query::Find { text, limit } => items::find(mill, text, limit).await,
        Query::ImportJekyll { folder, dry_run } => {
            let done =
                mill.import_jekyll(&PathBuf::from(folder), dry_run, progress(events, "importing")).await;
            value(&done.map_err(|e| chain(&e))?)
        }
    }
}

/// Returns a progress callback for blocking work; a full channel drops a step rather than slowing the work.
fn progress(events: &Events, what: &'static str) -> impl Fn(usize, usize) + Send + 'static {
    let events = events.clone();
    move |done, of| {
        let _ = events.try_send(Event::Progress { done, of, what: what.to_owned() });
    }
}

/// Returns the sources that a command names, or all that are enabled.
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

/// Polls sources without storing anything, and returns what would be stored.
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

/// Forgets the address that a source moved to, so that the configured one is polled again.
async fn undo_move(mill: &Arc<Mill>, id: &str) -> Result<Value, String> {
    let source = wanted_sources(mill, &[id.to_owned()])?.remove(0);
    let claims = Claims::new(mill.store.clone(), Arc::clone(&mill.clock), claims::COMMAND);
    let mut claim = match claims.claim_waiting(&source.id, claims::MAX_WAIT).await.map_err(|e| chain(&e))? {
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
        let published = mill.publish(PublishScope::Changed, |_, _| {}).await.map_err(|e| chain(&e))?;
        answer["published"] = json!(published);
    }
    Ok(answer)
}

async fn source_rows(mill: &Arc<Mill>) -> Result<Vec<SourceRow>, StoreError> {
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
                        cut: state.cut,
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
