//! Whether a record is an article that is already known (RULES 1.6, 1.7).

use std::cell::OnceCell;

use super::document_facts::{DocumentFacts, Names};
use super::draft::{Draft, draft};
use crate::model::signs::compare;
use crate::model::{Compared, Entry, InfoCode, Item, Signs, Timestamp};
use crate::parse::address::Address;
use crate::source::Source;
use crate::store::{Basis, Sighting};

/// An item without a date is dated that many seconds before it was first seen, at most: one for each that stands before
/// it in its document (RULES 1.9).
const UNDATED_WITHIN: i64 = 5_000;
/// Most seconds between two listings of the same text that are one item (RULES 1.6).
const SAME_TEXT_WITHIN: i64 = 7 * 86_400;

/// What must agree beside the name that found an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Demand {
    /// Found by the record's own guid or code: the same unless title, link and text are new.
    Guid,
    /// Found by the link of a record without guid: the same unless title, text and date are new.
    Link,
    /// One sign must agree: title, text or date.
    Sign,
    /// Two of title, text and date must agree.
    TwoSigns,
    /// The title and one more sign must agree.
    TitleAndSign,
    /// Found by title and a long text: no more than `SAME_TEXT_WITHIN` may lie between.
    LongText,
    /// Found by title and text, without a link: the date must be the same, or missing.
    ShortText,
    /// Found by a code derived from title and text.
    Text,
}

/// The comparison of a record with items.
pub(super) struct Compare<'a> {
    pub(super) source: &'a Source,
    pub(super) facts: &'a DocumentFacts,
    pub(super) entry: &'a Entry,
    pub(super) names: &'a Names,
    draft: OnceCell<Draft>,
}

impl<'a> Compare<'a> {
    /// Returns a comparison of a record, which is cleaned at most once, when needed.
    pub(super) fn new(
        source: &'a Source,
        facts: &'a DocumentFacts,
        entry: &'a Entry,
        names: &'a Names,
    ) -> Self {
        Self { source, facts, entry, names, draft: OnceCell::new() }
    }

    /// Returns whether the record is the item of this code.
    pub(super) fn is(
        &self,
        demand: Demand,
        code: &InfoCode,
        basis: &Basis,
        sighting: Option<&Sighting>,
        leads_by_link: bool,
    ) -> bool {
        let out = basis.tombstone.as_ref();
        // Compare with the stored form, and with what its source gave since it was withdrawn.
        let left = out.and_then(|tombstone| tombstone.signs);
        if basis.item.is_none() && left.is_none() {
            // For items that were erased before signs were stored, a name alone is enough.
            return out.is_some() || sighting.is_some();
        }
        let link =
            basis.item.as_ref().and_then(|item| self.has_link_of(item)).or(leads_by_link.then_some(true));
        let compared = || {
            let stored = basis.item.iter().map(|item| self.compared(item));
            stored.chain(left.iter().map(|signs| signs.compared(&self.signs(code))))
        };
        match demand {
            Demand::Text => true,
            Demand::Guid => link == Some(true) || !compared().all(|signs| self.is_another_story(link, signs)),
            Demand::Link => !compared().all(|signs| signs.is_new_story()),
            Demand::Sign => compared().any(|signs| signs.count() >= 1),
            Demand::TwoSigns => compared().any(|signs| signs.count() >= 2),
            Demand::TitleAndSign => compared().any(|signs| signs.title == Some(true) && signs.count() >= 2),
            Demand::LongText => {
                let gone = || left.and_then(|signs| signs.date());
                let before = basis.item.as_ref().map(|item| item.published).or_else(gone);
                let last = sighting.map(|seen| seen.last);
                match (before.or(last), self.date().or(last)) {
                    (Some(before), Some(here)) => here.since(before).abs() <= SAME_TEXT_WITHIN,
                    _ => false,
                }
            }
            Demand::ShortText => {
                let undated =
                    |item: &Item| (0..UNDATED_WITHIN).contains(&item.first_seen.since(item.published));
                compared().any(|signs| signs.date == Some(true))
                    || (self.date().is_none() && basis.item.as_ref().is_none_or(undated))
            }
        }
    }

    /// Returns whether a known guid has another story (RULES 1.7).
    fn is_another_story(&self, link: Option<bool>, signs: Compared) -> bool {
        let Compared { title, text, date } = signs;
        if date == Some(true) && self.date().is_some_and(|date| self.facts.is_own_date(date)) {
            return false;
        }
        let new_text = text == Some(false) || (text.is_none() && date == Some(false));
        match link {
            Some(true) => false,
            Some(false) => title == Some(false) && new_text,
            None => title == Some(false) && text == Some(false) && date == Some(false),
        }
    }

    /// Returns whether the item has the record's link; `None` where one of them has none.
    fn has_link_of(&self, item: &Item) -> Option<bool> {
        let here = self.names.address.as_ref()?;
        let there = Address::of(item.link.as_deref()?)?;
        let parts = (here.fragment(), there.fragment());
        let other_part = matches!(parts, (Some(one), Some(two)) if one != two);
        Some(here.base() == there.base() && !other_part)
    }

    /// Returns whether the item has another fragment of the same page than the record.
    pub(super) fn is_other_part_than(&self, item: &Item) -> bool {
        let here = self.names.address.as_ref().and_then(Address::fragment);
        let there = item.link.as_deref().and_then(Address::of);
        let there = there.as_ref().and_then(Address::fragment);
        here.is_some() && there.is_some() && here != there
    }

    /// Returns whether the item's host has `www.` where the record's has none, or the other way round.
    pub(super) fn is_other_host_name_than(&self, item: &Item) -> bool {
        let there = item.link.as_deref().and_then(Address::of);
        match (&self.names.address, there) {
            (Some(here), Some(there)) => !here.has_same_host_name(&there),
            _ => false,
        }
    }

    fn date(&self) -> Option<Timestamp> {
        self.entry.published.or(self.entry.updated)
    }

    fn draft(&self) -> &Draft {
        self.draft.get_or_init(|| draft(self.source, self.entry))
    }

    fn compared(&self, item: &Item) -> Compared {
        let Draft { title, excerpt, .. } = self.draft();
        compare((title, excerpt, self.date()), (&item.title, &item.excerpt, Some(item.published)))
    }

    fn signs(&self, code: &InfoCode) -> Signs {
        let Draft { title, excerpt, .. } = self.draft();
        Signs::new(code, title, excerpt, self.date())
    }
}
