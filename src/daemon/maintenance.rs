//! Maintenance of the store while the mill turns: mending what broke, room on its disk, automatic
//! exports, retention, the compression dictionary.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::claims;
use super::error::DaemonError;
use super::mill::{Live, Mill};
use super::opening::filled;
use crate::blocking;
use crate::config::Exports;
use crate::model::{CategoryId, chain};
use crate::store::{Categories, Items, Retention, Sources, StoreError, backup};

/// The time between two rounds of maintenance.
const MAINTAIN_EVERY: Duration = Duration::from_mins(10);
/// The first round waits until the first polls have probably ended.
const FIRST: Duration = Duration::from_mins(1);
/// Items that retention removes in one step; polls may run in between.
const STEP: usize = 300;

impl Mill {
    /// Reopens a store that failed, and repairs it where needed; returns whether it did.
    ///
    /// The next publish then checks all outputs, and sources that were claimed for polls which ended without
    /// a result are due again.
    ///
    /// # Errors
    /// Why the store cannot be used yet; the caller tries again later.
    pub(super) async fn keep_store(self: &Arc<Self>) -> Result<bool, StoreError> {
        if self.backend.trouble().is_none() {
            return Ok(false);
        }
        // Nothing is published from a store that is not refilled yet.
        let _turn = self.publishing.lock().await;
        let mill = Arc::clone(self);
        let mended = blocking::run_long(move || {
            let now = mill.clock.now();
            mill.backend.mend(now)?;
            filled(&mill.backend, &mill.config, now)?;
            let running = mill.running.lock().unwrap_or_else(PoisonError::into_inner).clone();
            mill.backend.release(claims::DAEMON, &running.into_iter().collect::<Vec<_>>(), now)?;
            Ok(())
        });
        let mended: Result<(), StoreError> = mended.await.map_err(StoreError::task)?;
        mended?;
        self.look_again();
        self.changed.notify_one();
        Ok(true)
    }

    /// Returns whether there is room on the store's disk; logs when that changes.
    pub(super) fn has_room(&self) -> bool {
        let room = self.backend.has_room();
        if self.no_room.swap(!room, Ordering::Relaxed) == room {
            if room {
                info!("there is room on the disk again; polling goes on");
                self.changed.notify_one();
            } else {
                warn!(
                    "the disk is nearly full: polling pauses until there is room; what is published is served"
                );
            }
        }
        room
    }
}

/// Maintains the store from time to time until `stop`.
pub(super) async fn maintain(live: Live, stop: CancellationToken) -> Result<(), DaemonError> {
    let mut pause = FIRST;
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = sleep(pause) => pause = MAINTAIN_EVERY,
        }
        let mill = Arc::clone(&live.borrow());
        let own = Arc::clone(&mill);
        let done = blocking::run_long(move || look(&own)).await;
        match done {
            Ok(Ok(taken_out)) if taken_out > 0 => mill.changed.notify_one(),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => error!(error = chain(&error), "the store could not be looked after"),
            Err(error) => error!(%error, "maintenance of the store broke"),
        }
    }
}

/// Does one round of maintenance and returns how many items retention removed.
fn look(mill: &Mill) -> Result<usize, StoreError> {
    if !mill.backend.has_room() {
        return Ok(0);
    }
    if let Some(bytes) = mill.backend.train()? {
        info!(bytes, "new articles are compressed with a dictionary of the store's own");
    }
    export_if_due(mill)?;
    let taken_out = retain(mill)?;
    loop {
        match mill.backend.tidy()? {
            0 => break,
            bytes => info!(bytes, "room of texts that are no more is given back"),
        }
    }
    match mill.backend.shrink() {
        Ok(0) => {}
        Ok(bytes) => info!(bytes, "room of records that are no more is given back"),
        // The records stay as they are; there may be room later.
        Err(error @ StoreError::NoRoom { .. }) => {
            info!(why = chain(&error), "the store's records are not written anew");
        }
        Err(error) => return Err(error),
    }
    Ok(taken_out)
}

fn export_if_due(mill: &Mill) -> Result<(), StoreError> {
    let Exports { folder, every, keep } = &mill.config.exports;
    if *keep == 0 || every.is_zero() {
        return Ok(());
    }
    let known = backup::all(folder);
    let now = mill.clock.now();
    let age = known.last().and_then(|path| backup::made_at(path)).map(|made| now.since(made));
    // An export dated in the future was made under a wrong clock, so its age is unknown.
    let fresh = |age: i64| (0..i64::try_from(every.as_secs()).unwrap_or(i64::MAX)).contains(&age);
    if age.is_some_and(fresh) {
        return Ok(());
    }
    let path = folder.join(backup::name(now));
    let bytes = mill.backend.export(&path, backup::Form::Packed, now, &mut |_, _| {})?;
    info!(path = %path.display(), bytes, "the store was exported");
    let keep = usize::try_from(*keep).unwrap_or(usize::MAX);
    let mut all = backup::all(folder);
    all.truncate(all.len().saturating_sub(keep));
    for path in &all {
        remove(path);
    }
    Ok(())
}

fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        warn!(path = %path.display(), %error, "an old export could not be removed");
    }
}

fn retain(mill: &Mill) -> Result<usize, StoreError> {
    let store = &mill.backend;
    let mut taken_out = 0;
    for category in store.categories()? {
        let own = mill.config.categories.iter().find(|settings| settings.slug == category.slug);
        let keep = own.map(|settings| settings.retention).filter(|own| *own != Retention::default());
        let keep = keep.unwrap_or(mill.config.retention);
        taken_out += retain_in(mill, category.id, keep)?;
    }
    Ok(taken_out)
}

fn retain_in(mill: &Mill, category: CategoryId, keep: Retention) -> Result<usize, StoreError> {
    if keep == Retention::default() {
        return Ok(0);
    }
    let mut taken_out = 0;
    loop {
        let step = mill.backend.sweep(category, keep, STEP, mill.clock.now())?;
        taken_out += step;
        if step == 0 {
            return Ok(taken_out);
        }
    }
}
