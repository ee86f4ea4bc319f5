//! Iteration over changed items, for the sinks that follow single items.

use super::error::PublishError;
use super::run::{BATCH, Run};
use super::sinks;
use crate::model::{Cursor, Item, Timestamp};
use crate::sink::{Directory, File};

/// Items read at once.
const STEP: usize = 200;

impl Run<'_> {
    /// Brings the sinks that follow single items up to date.
    pub(super) fn items(&mut self, upto: &Cursor) -> Result<(), PublishError> {
        for sink in sinks::all(&self.pages.options) {
            sink.publish(self, upto)?;
        }
        Ok(())
    }

    pub(super) fn put(
        &mut self,
        sink: &mut Directory,
        file: &File,
        at: Timestamp,
    ) -> Result<(), PublishError> {
        self.report.add(sink.put(file, at)?);
        if sink.pending() >= BATCH {
            self.show(sink)?;
        }
        Ok(())
    }

    /// Calls `see` for every item that changed after `from` and up to `until`, withdrawn ones included; for
    /// none if `from` is `None`, since everything is written again then.
    pub(super) fn each_touched(
        &mut self,
        from: Option<&Cursor>,
        until: &Cursor,
        mut see: impl FnMut(&mut Self, Item) -> Result<(), PublishError>,
    ) -> Result<(), PublishError> {
        let Some(mut from) = from.filter(|from| until.is_beyond(from)).cloned() else { return Ok(()) };
        while from != *until {
            let items;
            (items, from) = self.store.touched(&from, until, STEP)?;
            for item in items {
                see(self, item)?;
            }
        }
        Ok(())
    }
}
