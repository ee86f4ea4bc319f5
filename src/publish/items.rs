//! Walking the items that changed, for the sinks that follow single items.

use super::{BATCH, PublishError, Run, sinks};
use crate::model::{Item, Timestamp};
use crate::sink::{Directory, File};

/// Items read at once.
const STEP: usize = 200;

impl Run<'_> {
    /// Brings the sinks of single items up to `generation`.
    pub(super) fn items(&mut self, generation: u64) -> Result<(), PublishError> {
        for sink in sinks::all(&self.pages.options) {
            sink.publish(self, generation)?;
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

    /// Every item that changed after `from`, withdrawn ones too; none where all is made anew.
    pub(super) fn each_touched(
        &mut self,
        from: Option<u64>,
        mut see: impl FnMut(&mut Self, Item) -> Result<(), PublishError>,
    ) -> Result<(), PublishError> {
        let Some(mut from) = from else { return Ok(()) };
        loop {
            let items = self.store.touched_since(from, STEP)?;
            let Some(last) = items.last() else { return Ok(()) };
            // A batch shares one number: never cut inside it.
            from = last.touched;
            let complete = items.len() < STEP;
            for item in items {
                see(self, item)?;
            }
            if complete {
                return Ok(());
            }
        }
    }
}
