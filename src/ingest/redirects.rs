//! Permanent redirects: each is followed, and remembered only after it has been seen several times. The admin's
//! file is never changed; the address in use is reported, and can be reset.

use tracing::warn;
use url::Url;

use crate::model::memory::{Memory, Moved};
use crate::model::{SourceState, Timestamp};
use crate::source::Source;

/// Polls in which the same redirect must be seen, with the same feed behind it, before it is trusted.
const SIGHTINGS: u32 = 5;
/// Seconds over which it must be seen. A maintenance page that redirects everything is gone by then.
const PROVED: i64 = 3 * 86_400;
/// Bytes of an address that is remembered, at most; longer ones are followed only.
const MAX_ADDRESS: usize = 700;
/// Failures in a row at the new address after which the configured one is requested again.
const DOUBTS: u32 = 3;

/// Returns the address to request in place of the configured one.
pub(super) fn remembered_address(state: &SourceState) -> Option<Url> {
    let moved = state.memory.moved.as_ref().filter(|moved| moved.trusted)?;
    Url::parse(&moved.to).ok()
}

/// Notes the target of an answer's permanent redirects; `same` is whether the answer is the source's own feed.
pub(super) fn record(memory: &mut Memory, source: &Source, to: Option<&Url>, same: bool, now: Timestamp) {
    let Some(to) = to.filter(|to| **to != source.url && to.as_str().len() <= MAX_ADDRESS) else {
        // The configured address answers itself again: the redirect was not permanent.
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
        // Its validators do not apply to the configured address.
        state.validators = crate::model::Validators::default();
    }
}
