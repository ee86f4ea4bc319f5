//! Writing the history and the listings of an item from a backup.

use crate::model::{InfoCode, SourceId};
use crate::store::Event;
use crate::store::Sighting;
use crate::store::sled::database::{Tx, TxResult};
use crate::store::sled::item_writes::{begins, put_event, put_listing};

/// Writes the events and listings of an item; a listing is stored with the event that it began with.
pub(super) fn put_story(
    tx: Tx<'_>,
    code: &InfoCode,
    history: &[Event],
    listings: &[(SourceId, Sighting)],
) -> TxResult<()> {
    let mut rest: Vec<&(SourceId, Sighting)> = listings.iter().collect();
    for event in history {
        match rest.iter().position(|(source, _)| begins(event, source)) {
            Some(at) => {
                let (source, sighting) = rest.remove(at);
                put_listing(tx, (code, source), sighting, Some(event))?;
            }
            None => put_event(tx, &code.key(), event)?,
        }
    }
    rest.into_iter().try_for_each(|(source, sighting)| put_listing(tx, (code, source), sighting, None))
}
