//! The record of a source: its state with named fields, so that a later version may add some.

use super::database::{MAX_VALUE, decode_named, encode_named, fits};
use crate::model::text::clip_bytes;
use crate::model::{SourceState, Timestamp, Validators};
use crate::store::Result;
use crate::store::claims::LastClaim;

/// Encodes a source's state. It must always fit, so texts that only inform are shortened if needed.
pub(super) fn source_bytes(state: &SourceState) -> Result<Vec<u8>> {
    let mut bytes = encode_named("source", state)?;
    if bytes.len() > MAX_VALUE {
        let mut shorter = state.clone();
        while bytes.len() > MAX_VALUE && shorten(&mut shorter) {
            bytes = encode_named("source", &shorter)?;
        }
        fits("source", &bytes)?;
    }
    Ok(bytes)
}

/// Shortens the texts of a source that only inform; returns `false` if nothing is left to shorten.
fn shorten(state: &mut SourceState) -> bool {
    let lists = [&mut state.repairs, &mut state.cut, &mut state.held, &mut state.waiting_names];
    if let Some(list) = lists.into_iter().find(|list| !list.is_empty()) {
        list.truncate(list.len() / 2);
        return true;
    }
    let long = state.clone();
    // Then the texts, and validators that no honest server needs to be that long.
    state.validators = Validators::default();
    for text in [&mut state.why, &mut state.title] {
        *text = clip_bytes(text, 60);
    }
    state.last_error = state.last_error.take().map(|text| clip_bytes(&text, 60));
    *state != long
}

/// Decodes the state in a record.
///
/// # Errors
/// [`crate::store::StoreError::Damaged`], or [`crate::store::StoreError::Format`] of another feedmill.
pub(super) fn state_in(record: &[u8]) -> Result<SourceState> {
    decode_named("source", record)
}

/// The fields of a source's state that are queried across all sources.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Plan {
    /// When its next poll may start.
    pub(super) next_poll: Timestamp,
    /// The worker that has claimed it; empty if none has.
    pub(super) claimed_by: String,
    epoch: u64,
    claimed: Option<Timestamp>,
    unread: bool,
}

impl Plan {
    /// Decodes these fields of a record alone. A source whose record cannot be read is due at once.
    pub(super) fn read(record: &[u8]) -> Self {
        decode_named("source", record).unwrap_or_default()
    }

    /// Returns the plan of a state.
    pub(super) fn of(state: &SourceState) -> Self {
        Self {
            next_poll: state.next_poll,
            claimed_by: state.claimed_by.clone(),
            epoch: state.epoch,
            claimed: state.claimed,
            unread: state.unread,
        }
    }

    pub(super) fn last_claim(&self) -> LastClaim {
        LastClaim { epoch: self.epoch, runs: self.claimed.is_some(), unread: self.unread }
    }
}

#[cfg(test)]
mod tests {
    use super::super::database::FORMAT;
    use super::*;

    #[test]
    fn a_talkative_source_is_kept_all_the_same() {
        let lines = vec!["\u{1}".repeat(300); 20];
        let mut state = SourceState { items: 7, held: lines.clone(), ..SourceState::default() };
        state.repairs.clone_from(&lines);
        state.waiting_names = lines;
        state.last_error = Some("\"".repeat(2_000));
        state.validators.etag = Some("\\".repeat(3_000));
        let back = state_in(&source_bytes(&state).unwrap()).unwrap();
        assert_eq!((back.items, back.held.len()), (7, 0));
        let newer = [&[FORMAT][..], br#"{"items":3,"of_tomorrow":true}"#].concat();
        assert_eq!(state_in(&newer).unwrap().items, 3);
    }
}
