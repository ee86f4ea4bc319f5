//! A store made beside this one takes its place. Whatever fails on the way, the one before goes on.

use std::path::Path;

use tracing::error;

use super::swap;
use crate::model::chain;
use crate::store::sled::engine::Engine;
use crate::store::sled::opening::reopened;
use crate::store::sled::store::SledStore;
use crate::store::{Result, StoreError};

impl SledStore {
    /// Lets the store in `store.new` take the place of this one, which is closed and goes to `aside`, where it
    /// was `made`; then opens what is in the place. A new one that cannot be opened makes room again for the
    /// one before, and where that cannot be opened either, `maintenance::heal` tries again.
    ///
    /// # Errors
    /// Why it was not made, or could not take the place.
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
        // A copy that is not needed must not take the room that opening needs.
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
