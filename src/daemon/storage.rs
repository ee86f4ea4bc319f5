//! Maintenance of the store on an admin's request: checks, repair, compaction, exports and imports. The same
//! code runs in the daemon, while it works, and in a command without one.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::answers::value;
use super::mill::Mill;
use super::opening::filled;
use crate::blocking;
use crate::control::{Event, Events, StoreQuery};
use crate::model::{Timestamp, chain};
use crate::store::{Imported, SledStore, StoreError};

/// Answers a query about the store in the running mill. If the query changes the store, no poll and no
/// publish runs meanwhile, and all outputs are checked afterwards.
pub(super) async fn answer(mill: &Arc<Mill>, query: StoreQuery, events: &Events) -> Result<Value, String> {
    let changes = query.changes();
    let _held = if changes { Some(mill.hold().await) } else { None };
    // Nothing is published from a store that is not refilled yet.
    let _turn = if changes { Some(mill.publishing.lock().await) } else { None };
    let mut answer = work(Arc::clone(&mill.backend), query, mill.clock.now(), events.clone()).await?;
    if changes {
        let own = Arc::clone(mill);
        let ready = blocking::run(move || {
            filled(&own.backend, &own.config, own.clock.now())?;
            own.backend.last_loss()
        });
        let lost = ready.await.map_err(|e| e.to_string())?.map_err(|e| chain(&e))?;
        // Refilling from the outputs has reduced the loss.
        if answer.get("loss").is_some() {
            answer["loss"] = value(&lost)?;
        }
        mill.look_again();
        mill.changed.notify_one();
    }
    Ok(answer)
}

/// Answers a query about an open store on a blocking thread; progress is sent to `events`.
///
/// # Errors
/// The store's error as a message.
pub async fn work(
    store: Arc<SledStore>,
    query: StoreQuery,
    now: Timestamp,
    events: Events,
) -> Result<Value, String> {
    let done = blocking::run_long(move || asked(&store, query, now, &events));
    done.await.map_err(|e| e.to_string())?
}

fn asked(store: &SledStore, query: StoreQuery, now: Timestamp, events: &Events) -> Result<Value, String> {
    let told = |error: StoreError| chain(&error);
    let step = |done: usize, of: usize, what: String| {
        // A full channel drops a step rather than slowing the work.
        let _ = events.try_send(Event::Progress { done, of, what });
    };
    let mut watch = |done: usize, of: usize, what: String| step(done, of, what);
    let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let counted = |what: &'static str| {
        let step = &step;
        move |done: u64, of: u64| step(count(done), count(of), what.to_owned())
    };
    match query {
        StoreQuery::Check => value(&store.check(&mut watch).map_err(told)?),
        StoreQuery::Repair => value(&store.repair(now, &mut watch).map_err(told)?),
        StoreQuery::Stats => value(&store.stats(now, &mut watch).map_err(told)?),
        StoreQuery::Compact => {
            let (before, after) = store.compact(&mut watch).map_err(told)?;
            Ok(json!({ "before_bytes": before, "after_bytes": after }))
        }
        StoreQuery::Export { path, form } => {
            let bytes = store.export(Path::new(&path), form, now, &mut counted("items")).map_err(told)?;
            Ok(json!({ "path": path, "bytes": bytes }))
        }
        StoreQuery::Import { path, replace } => {
            let taken = store.import(Path::new(&path), replace, now, &mut counted("bytes")).map_err(told)?;
            match taken {
                Imported::Replaced(kept) => Ok(json!({ "kept": kept.display().to_string() })),
                Imported::Added(taken) => value(&taken),
            }
        }
    }
}
