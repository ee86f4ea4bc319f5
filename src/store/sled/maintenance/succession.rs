//! Replacing the open store by one made beside it. If any step fails, the previous store is used again.

use std::path::Path;

use tracing::error;

use super::swap;
use crate::model::chain;
use crate::store::sled::engine::Engine;
use crate::store::sled::opening::reopened;
use crate::store::sled::store::SledStore;
use crate::store::{Result, StoreError};

impl SledStore {
    /// Replaces this store, which is closed, by the one in `store.new` if that was `made`, and moves this one
    /// to `aside`; then opens the store that is in place. If the new one cannot be opened, the previous one is
    /// put back; if that cannot be opened either, `maintenance::heal` tries again.
    ///
    /// # Errors
    /// Why the new store was not made, or could not replace this one.
    pub(super) fn succeed(
        &self,
        slot: &mut Option<Engine>,
        made: Result<bool>,
        aside: &Path,
    ) -> Result<bool> {
        let path = &self.options.path;
        let mut done = made.and_then(|made| {
            if made {
                swap::put_in_place(path, aside)?;
            }
            Ok(made)
        });
        // Opening may need the space of an unused copy.
        if !matches!(done, Ok(true)) {
            swap::clear_new(path);
        }
        let mut opened = reopened(&self.options, true);
        if let Err(why) = &opened
            && taken_back(path, aside, why)
        {
            done = Err(StoreError::Backend { action: "open its new copy", source: chain(why).into() });
            opened = reopened(&self.options, true);
        }
        self.seat(slot, opened)?;
        swap::clear_new(path);
        done
    }
}

fn taken_back(path: &Path, aside: &Path, why: &StoreError) -> bool {
    match swap::take_back(path, aside) {
        Ok(false) => false,
        Ok(true) => {
            error!(error = chain(why), "the new store cannot be opened; the one before goes on");
            true
        }
        Err(error) => {
            error!(error = chain(&error), "the store before cannot be put back yet");
            false
        }
    }
}
