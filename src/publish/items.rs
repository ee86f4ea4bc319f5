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

    /// Every item that changed after `from`; and, for a whole look, all others too, told
    /// apart by the flag. Without `from` all have changed.
    pub(super) fn each_item(
        &mut self,
        from: Option<u64>,
        whole: bool,
        mut see: impl FnMut(&mut Self, Item, bool) -> Result<(), PublishError>,
    ) -> Result<(), PublishError> {
        self.each_touched(from.unwrap_or_default(), u64::MAX, |run, item| see(run, item, true))?;
        let Some(from) = from.filter(|_| whole) else { return Ok(()) };
        self.each_touched(0, from, |run, item| {
            // The files of what was withdrawn went when it was.
            if run.store.tombstone(&item.code)?.is_some() { Ok(()) } else { see(run, item, false) }
        })
    }

    /// Every item whose last change came after `from`, and not after `to`.
    fn each_touched(
        &mut self,
        mut from: u64,
        to: u64,
        mut see: impl FnMut(&mut Self, Item) -> Result<(), PublishError>,
    ) -> Result<(), PublishError> {
        loop {
            let items = self.store.touched_since(from, STEP)?;
            let Some(last) = items.last() else { return Ok(()) };
            // A batch shares one number: never cut inside it.
            from = last.touched;
            let complete = items.len() < STEP;
            let complete = complete || from >= to;
            for item in items.into_iter().filter(|item| item.touched <= to) {
                see(self, item)?;
            }
            if complete {
                return Ok(());
            }
        }
    }
}
