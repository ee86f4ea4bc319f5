//! Opening and closing a store: a panic of sled becomes an error, and older formats are migrated.

use tracing::warn;

use super::bodies::read_through as read_texts_through;
use super::database::{backend, catching_panics, every};
use super::engine::Engine;
use super::maintenance::{migrate, swap};
use super::options::StoreOptions;
use super::small_records;
use crate::store::{Result, StoreError};

/// Opens the store as it is.
///
/// # Errors
/// As [`Engine::at`]; a panic becomes [`StoreError::Corrupt`], or the error of the system that made sled panic.
pub(super) fn opened(options: &StoreOptions) -> Result<Engine> {
    catching_panics("open", || {
        let engine = Engine::at(&options.path, options.cache)?;
        small_records::take_over(&engine.db)?;
        Ok(engine)
    })
}

/// Opens the store, after completing an interrupted swap of folders and migrating a store of an older format.
///
/// # Errors
/// As [`opened`], [`swap::finish`] and [`migrate::migrate`].
pub(super) fn up_to_date(options: &StoreOptions) -> Result<Engine> {
    swap::finish(&options.path)?;
    match opened(options) {
        Err(StoreError::Format { found, .. }) => {
            migrate::migrate(options, found, migrate::STEPS)?;
            opened(options)
        }
        opened => opened,
    }
}

/// Opens the store as [`up_to_date`] does. If this process closed the database (`ours`), retries for two
/// seconds, because threads of sled may hold its lock a moment longer.
///
/// # Errors
/// As [`up_to_date`].
pub(super) fn reopened(options: &StoreOptions, ours: bool) -> Result<Engine> {
    let mut tries = if ours { 100 } else { 0 };
    loop {
        match up_to_date(options) {
            Err(StoreError::Locked { .. }) if tries > 0 => tries -= 1,
            opened => return opened,
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// Closes a store. Returns `false` if its last flush failed or panicked.
pub(super) fn close(slot: &mut Option<Engine>) -> bool {
    let Some(engine) = slot.take() else { return true };
    let ended = catching_panics("close", || {
        drop(engine);
        Ok(())
    });
    if let Err(error) = &ended {
        warn!(error = crate::model::chain(error), "the store did not close well; what was durable is there");
    }
    ended.is_ok()
}

/// Reads every record and every text.
///
/// # Errors
/// If one of them cannot be read.
pub(super) fn read_through(engine: &Engine) -> Result<()> {
    for tree in engine.db.trees() {
        for entry in every(tree) {
            entry.map_err(|e| backend("read it through", e))?;
        }
    }
    read_texts_through(&engine.db, &engine.texts)
}
