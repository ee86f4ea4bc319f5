//! Permanent redirects: followed each time, and remembered only when they have proved true. The
//! admin's file is never touched; which address is fetched instead is reported, and can be undone.

use tracing::warn;
use url::Url;

use crate::model::memory::{Memory, Moved};
use crate::model::{SourceState, Timestamp};
use crate::source::Source;

/// In so many polls the same redirect must have been seen, with the same feed behind it,
const SIGHTINGS: u32 = 5;
/// over so many seconds. A maintenance page that redirects everything is gone by then.
const PROVED: i64 = 3 * 86_400;
/// Longer addresses are followed, not remembered.
const MAX_ADDRESS: usize = 700;
/// After so many failures in a row at the new address the configured one is asked again.
const DOUBTS: u32 = 3;

/// The address to ask in place of the configured one.
pub(super) fn remembered_address(state: &SourceState) -> Option<Url> {
    let moved = state.memory.moved.as_ref().filter(|moved| moved.trusted)?;
    Url::parse(&moved.to).ok()
}

/// Notes where an answer's permanent redirects have led; `same` tells that the source's own feed
/// was behind them.
pub(super) fn record(memory: &mut Memory, source: &Source, to: Option<&Url>, same: bool, now: Timestamp) {
    let Some(to) = to.filter(|to| **to != source.url && to.as_str().len() <= MAX_ADDRESS) else {
        // The configured address answers itself again: whatever was seen was not for good.
        memory.moved.take_if(|moved| !moved.trusted);
        return;
    };
    match &mut memory.moved {
        Some(moved) if moved.to == to.as_str() && !moved.trusted && same => {
            moved.times = moved.times.saturating_add(1);
            if moved.times >= SIGHTINGS && now.since(moved.since) >= PROVED {
                moved.trusted = true;
                let host = to.host_str().unwrap_or_default();
                warn!(source.id = %source.id, host, "moved for good: the new address is asked from now on");
            }
        }
        Some(moved) if moved.to == to.as_str() => {}
        _ if same => {
            memory.moved = Some(Moved { to: to.to_string(), since: now, times: 1, trusted: false });
        }
        _ => memory.moved = None,
    }
}

/// Counts a failure against a remembered address.
pub(super) fn record_failure(state: &mut SourceState) {
    if state.fails + 1 >= DOUBTS && state.memory.moved.take_if(|moved| moved.trusted).is_some() {
        // What it gave there says nothing about the configured address.
        state.validators = crate::model::Validators::default();
    }
}
