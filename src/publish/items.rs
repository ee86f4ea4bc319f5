//! Walking the items that changed, for the sinks that follow single items.

use super::{BATCH, PublishError, Run, sinks};
use crate::model::{CategoryId, Item, Timestamp};
use crate::sink::{Directory, File};

/// Items read at once.
const STEP: u32 = 200;

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
        if let Some(from) = from {
            self.each_touched(from, |run, item| see(run, item, true))?;
            if !whole {
                return Ok(());
            }
        }
        let Some(site) = self.store.category(CategoryId::SITE)? else { return Ok(()) };
        for start in (1..=site.arrivals).step_by(STEP as usize) {
            for item in self.store.arrivals(CategoryId::SITE, start, start + STEP - 1)? {
                // What changed was seen above, the withdrawn ones among it.
                if from.is_none_or(|from| item.touched <= from) {
                    see(self, item, from.is_none())?;
                }
            }
        }
        Ok(())
    }

    fn each_touched(
        &mut self,
        mut from: u64,
        mut see: impl FnMut(&mut Self, Item) -> Result<(), PublishError>,
    ) -> Result<(), PublishError> {
        loop {
            let items = self.store.touched_since(from, STEP as usize)?;
            let Some(last) = items.last() else { return Ok(()) };
            // A batch shares one number: never cut inside it.
            from = last.touched;
            let complete = items.len() < STEP as usize;
            for item in items {
                see(self, item)?;
            }
            if complete {
                return Ok(());
            }
        }
    }
}
