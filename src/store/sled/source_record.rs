//! The record of a source: its state with names for its fields, so that a later version may add some.

use super::database::{MAX_VALUE, decode_named, encode_named, fits};
use crate::model::text::clip_bytes;
use crate::model::{SourceState, Timestamp, Validators};
use crate::store::Result;

/// A source's state, which must never be too large to be kept: what is only told of it gives way.
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

/// Makes what is told of a source shorter; `false` when nothing is left to leave out.
fn shorten(state: &mut SourceState) -> bool {
    let lists = [&mut state.repairs, &mut state.held, &mut state.waiting_names];
    if let Some(list) = lists.into_iter().find(|list| !list.is_empty()) {
        list.truncate(list.len() / 2);
        return true;
    }
    let long = state.clone();
    // Texts, then, and validators that no honest server needs.
    state.validators = Validators::default();
    for text in [&mut state.why, &mut state.title] {
        *text = clip_bytes(text, 60);
    }
    state.last_error = state.last_error.take().map(|text| clip_bytes(&text, 60));
    *state != long
}

/// The state that a record tells of.
///
/// # Errors
/// [`crate::store::StoreError::Damaged`], or [`crate::store::StoreError::Format`] of another feedmill.
pub(super) fn state_in(record: &[u8]) -> Result<SourceState> {
    decode_named("source", record)
}

/// When a source is due by its record, read without the rest of it; one that cannot be read is due at once.
pub(super) fn due_in(record: &[u8]) -> Timestamp {
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Due {
        next_poll: Timestamp,
    }
    decode_named::<Due>("source", record).map_or(Timestamp::EPOCH, |due| due.next_poll)
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
