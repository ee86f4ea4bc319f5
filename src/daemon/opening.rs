//! Opening a store: it is repaired where needed and prepared for a config, which means that it has the
//! config's permanent settings, its categories and its sources.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;
use tracing::{error, info, warn};

use super::category_merge;
use super::claims::{self, LEASE};
use crate::config::{Config, FIXED_FILE};
use crate::import::{ImportError, Published, TakenBack, take_back};
use crate::model::{SourceId, SourceState, Timestamp, address_hash, chain};
use crate::schedule;
use crate::source::Source;
use crate::store::{
    Categories, Claimed, Handle, Loss, OnDamage, PollResult, Records, SledStore, Sources, Store, StoreError,
};

/// Opens the store of a config, repairs it where needed, and prepares it.
pub(super) fn open(
    config: &Config,
    now: Timestamp,
    on_damage: OnDamage,
) -> Result<(Arc<SledStore>, Handle), StoreError> {
    let (store, _) = SledStore::open_or_mend(config.store.clone(), on_damage, now)?;
    filled(&store, config, now)?;
    // The processes that claimed sources of this store have ended: one process has it at a time.
    let released = claims::ALL.into_iter().map(|worker| store.release(worker, &[], now));
    match released.sum::<Result<usize, StoreError>>() {
        Ok(0) => {}
        Ok(sources) => info!(sources, "polls were cut off when the last process ended; they are asked again"),
        Err(error) if error.needs_mending() => error!(error = chain(&error), "the store has to be mended"),
        Err(error) => return Err(error),
    }
    let store = Arc::new(store);
    let handle = Handle::new(Arc::clone(&store) as Arc<dyn Store>);
    Ok((store, handle))
}

/// Prepares an open store for a config; refills it from the outputs if it lost records.
pub(super) fn filled(store: &SledStore, config: &Config, now: Timestamp) -> Result<(), StoreError> {
    prepare(store, config, now)?;
    if !store.wants_filling()? {
        return Ok(());
    }
    let how = Published {
        id_authority: config.id_authority.clone(),
        bare_space: config.ingest.bare_space.clone(),
        zone: config.ingest.zone,
    };
    let taken = match take_back(store, &config.publish.output, &how, now) {
        Err(ImportError::Store(error)) => return Err(error),
        Err(error) => {
            error!(error = chain(&error), "nothing came back from what was published");
            TakenBack::default()
        }
        Ok(taken) => taken,
    };
    let loss = store.refilled(taken.items as u64, taken.texts as u64)?;
    tell_loss(&loss);
    Ok(())
}

fn tell_loss(loss: &Loss) {
    let Loss {
        remedy, why, articles, texts, forms, changes, from_export, from_outputs, export, aside, ..
    } = loss;
    let export = export.map(Timestamp::rfc3339);
    warn!(
        ?remedy,
        why,
        lost.articles = articles,
        lost.texts = texts,
        lost.forms = forms,
        lost.changes = changes,
        from_export,
        from_outputs,
        export,
        aside,
        "the store was damaged; what is lost of it is asked for again"
    );
}

/// Adds the config's permanent settings, categories and sources to an open store, and finishes merges that
/// were cut off.
pub(super) fn prepare(store: &SledStore, config: &Config, now: Timestamp) -> Result<(), StoreError> {
    store.fix("site.id_authority", &config.id_authority, !config.trial)?;
    store.fix("site.code_space", &config.code_space, !config.trial)?;
    if !config.trial {
        tell_fixed(config);
    }
    for category in &config.categories {
        let made = store.ensure_category(&category.name, Some(&category.slug), now)?;
        if made.name != category.name {
            let (name, into) = (&category.name, &made.name);
            warn!(name, into, "a category of the config was merged into another; take it out of the config");
        }
        for alias in &category.aliases {
            store.alias_category(made.id, alias)?;
        }
    }
    category_merge::finish(store, now)?;
    register(store, config, now)?;
    store.sync()
}

/// Writes the permanent settings beside the store. Only `check` reads them, so a failure is only logged.
fn tell_fixed(config: &Config) {
    let fixed = json!({ "id_authority": config.id_authority, "code_space": config.code_space });
    let path = config.store.path.join(FIXED_FILE);
    if let Err(error) = std::fs::write(&path, format!("{fixed}\n")) {
        warn!(path = %path.display(), %error, "cannot tell `check` what is set once");
    }
}

/// Registers the sources of a config. New ones, and those that are in the config again, become due one after
/// the other; a source that was gone is polled again if it has another address.
fn register(store: &SledStore, config: &Config, now: Timestamp) -> Result<(), StoreError> {
    let enabled: Vec<SourceId> = config.sources.iter().filter(|s| s.enabled).map(|s| s.id.clone()).collect();
    let at_once = config.fetch.concurrency.max(1);
    // Each second gets as many as are polled at once.
    for (second, some) in (0..).zip(enabled.chunks(at_once)) {
        store.register(some, now.plus(second))?;
    }
    let resting: BTreeSet<SourceId> =
        store.due(schedule::NEVER, usize::MAX)?.into_iter().map(|(_, id)| id).collect();
    let wanted = |source: &&Arc<Source>| source.enabled && resting.contains(&source.id);
    let back: Vec<&Arc<Source>> = config.sources.iter().filter(wanted).collect();
    let ids: Vec<SourceId> = back.iter().map(|source| source.id.clone()).collect();
    let mut woken = Vec::new();
    // If a source is being polled now, that poll decides when it is due.
    for (source, claimed) in back.into_iter().zip(store.claim(claims::CONFIG, &ids, now, LEASE)?) {
        let Claimed::Yours(mut claim) = claimed else { continue };
        let wake = wake(&mut claim.state, source);
        if wake {
            claim.state.next_poll = now.plus(i64::try_from(woken.len() / at_once).unwrap_or(i64::MAX));
        }
        woken.push(PollResult::of(*claim));
    }
    if woken.is_empty() { Ok(()) } else { store.complete(&woken).map(drop) }
}

/// Returns whether a source that was not polled is to be polled again.
fn wake(state: &mut SourceState, source: &Source) -> bool {
    if state.next_poll == Timestamp::MAX {
        "in the config again".clone_into(&mut state.why);
        true
    } else if state.memory.gone && state.memory.address != address_hash(&source.url) {
        state.memory.gone = false;
        "a new address".clone_into(&mut state.why);
        true
    } else {
        false
    }
}
