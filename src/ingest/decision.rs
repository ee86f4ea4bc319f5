//! What is done with a listed record. Pure, and each decision has a reason.

use crate::model::{Item, SourceId};
use crate::store::Sighting;

use super::identity::Listed;

/// Published changes of one item after which further ones are published once a day at most (RULES 1.5).
pub const MAX_REVISIONS: u32 = 24;
/// Seconds between two such changes, and between a change and one that reverts it.
pub const REVISION_EVERY: i64 = 86_400;
/// Seconds after which a source that gave the content, and no longer lists the item, yields to another's
/// correction.
const LEAD_GONE_AFTER: i64 = 2 * 86_400;
/// Seconds by which the next listing by the source of the content may be late.
const LEAD_LATE_AFTER: i64 = 2 * 3_600;
/// Ages in seconds at which the detail of a stub is fetched again (RULES 1.11).
const CHECKS: [i64; 2] = [3_600, 86_400];
/// Age of a sighting's `last` from which it is written again, in seconds.
const LAST_MOVES_AFTER: i64 = 3_600;

/// What to do with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// A new item.
    Insert,
    /// New content from the source of the item's content, or from one that outranks it.
    Revise,
    /// A known item; this listing adds at most a category and a sighting.
    Note,
    /// Known and unchanged.
    Keep,
}

/// The outcome of a draft of a known item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The published form changes.
    Revised,
    /// The published form is unchanged.
    Same,
    /// It is published when a day has passed since the last change.
    Waits,
}

/// Decides on one record. `reason` is for the log and for `item explain`.
#[must_use]
pub fn decide(
    item: Option<&Item>,
    listed: &Listed,
    source: &SourceId,
    rank: u32,
    now: crate::model::Timestamp,
) -> (Decision, &'static str) {
    let Some(item) = item else { return (Decision::Insert, "never seen before") };
    let leads = item.lead == *source;
    match &listed.sighting {
        None if rank < item.rank && !leads => {
            (Decision::Revise, "this source outranks the one that gave the content")
        }
        None if leads => (Decision::Revise, "its source lists it under a record not seen before"),
        None => (Decision::Note, "known from a source that ranks the same or higher"),
        Some(seen) if unchanged(seen, listed) => {
            if now.since(seen.last) >= LAST_MOVES_AFTER || moved(seen, listed) {
                (Decision::Note, "unchanged; the time of its last listing moves")
            } else {
                (Decision::Keep, "unchanged")
            }
        }
        Some(_) if leads || rank < item.rank => (Decision::Revise, "its source changed it"),
        Some(_) => (Decision::Note, "changed in a source that does not give the content"),
    }
}

/// The outcome of a correction by a source other than the one that gives the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correction {
    /// The source of the content still lists the item: its own text counts.
    Outranked,
    /// That source may have dropped the item; if it has, the correction counts from this time on.
    WaitsUntil(crate::model::Timestamp),
    /// That source has dropped the item.
    Counts,
}

/// Returns the outcome of a correction by a source other than that of the content, which listed the item last
/// at `lead_last`.
#[must_use]
pub fn correction(lead_last: crate::model::Timestamp, now: crate::model::Timestamp) -> Correction {
    match now.since(lead_last) {
        late if late >= LEAD_GONE_AFTER => Correction::Counts,
        late if late >= LEAD_LATE_AFTER => Correction::WaitsUntil(lead_last.plus(LEAD_GONE_AFTER)),
        _ => Correction::Outranked,
    }
}

/// Returns whether the content of a record differs from its previous listing; false for a first listing.
#[must_use]
pub fn is_changed(listed: &Listed) -> bool {
    listed.sighting.as_ref().is_some_and(|seen| !unchanged(seen, listed))
}

/// Returns whether a record is known, unchanged, recently seen and not due for a check: not even its item has
/// to be read.
#[must_use]
pub fn is_up_to_date(listed: &Listed, now: crate::model::Timestamp) -> bool {
    listed.sighting.as_ref().is_some_and(|seen| {
        unchanged(seen, listed)
            && !moved(seen, listed)
            && now.since(seen.last) < LAST_MOVES_AFTER
            && !check_due(seen, now)
    })
}

/// Returns whether the listed content is unchanged. Only hashes of the same version are compared; a record with
/// another is taken as unchanged.
fn unchanged(seen: &Sighting, listed: &Listed) -> bool {
    seen.listed == listed.hash || !seen.listed.comparable(&listed.hash)
}

fn moved(seen: &Sighting, listed: &Listed) -> bool {
    listed.guid.is_some() && seen.guid != listed.guid
}

/// Returns whether the detail of a stub is wanted now.
#[must_use]
pub fn wants_detail(
    item: Option<&Item>,
    listed: &Listed,
    source: &SourceId,
    rank: u32,
    now: crate::model::Timestamp,
) -> bool {
    match (&listed.sighting, item) {
        // Another source gives the content and outranks this one: its copy is not needed.
        (_, Some(item)) if item.lead != *source && item.rank <= rank => false,
        (_, None) | (None, Some(_)) => true,
        (Some(seen), Some(_)) => !unchanged(seen, listed) || check_due(seen, now),
    }
}

/// Returns when the detail of a stub is to be checked again; `None` after the last check, or where this source
/// never fetched it.
#[must_use]
pub fn next_check(seen: &Sighting) -> Option<crate::model::Timestamp> {
    seen.detail?;
    CHECKS.get(usize::from(seen.checks)).map(|age| seen.first.plus(*age))
}

/// Returns whether a check for corrections is due.
#[must_use]
pub fn check_due(seen: &Sighting, now: crate::model::Timestamp) -> bool {
    CHECKS.get(usize::from(seen.checks)).is_some_and(|age| now.since(seen.first) >= *age)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    #[test]
    fn a_correction_waits_until_its_first_list_has_dropped_the_item() {
        let last = Timestamp::from_unix(1_777_600_000);
        let gone = last.plus(2 * 86_400);
        for (late, want) in [
            (0, Correction::Outranked),
            (7_199, Correction::Outranked),
            (7_200, Correction::WaitsUntil(gone)),
            (2 * 86_400 - 1, Correction::WaitsUntil(gone)),
            (2 * 86_400, Correction::Counts),
        ] {
            assert_eq!(correction(last, last.plus(late)), want, "{late}");
        }
    }
}
