//! Facts of a whole document about guids, links and dates (RULES 1.6, 1.7). Pure.

use std::collections::{HashMap, HashSet};

use super::identity_keys::{dated_link, guid_hash, listed_hash, plain_text};
use crate::model::item::caps;
use crate::model::signs::compare;
use crate::model::text::clip;
use crate::model::{Compared, ContentHash, Document, Entry, InfoCode, Timestamp};
use crate::parse::address::Address;
use crate::source::Source;
use crate::store::Alias;

/// The facts of a document.
#[derive(Debug, Default)]
pub(super) struct DocumentFacts {
    /// Guids of the document.
    guids: HashSet<[u8; 16]>,
    /// Guids that different articles share.
    pub(super) void: HashSet<[u8; 16]>,
    /// Number of distinct records for each address with its fragment.
    wholes: HashMap<String, u32>,
    /// Number of distinct records for each address without its fragment.
    bases: HashMap<String, u32>,
    /// Number of distinct records for each link with a date.
    dated: HashMap<Alias, u32>,
    /// Number of distinct records for each date.
    dates: HashMap<Timestamp, u32>,
    /// The channel's own link.
    own_link: Option<String>,
}

/// The names of a record.
#[derive(Debug)]
pub(super) struct Names {
    /// Hash of its guid.
    pub(super) guid: Option<[u8; 16]>,
    /// Its link.
    pub(super) address: Option<Address>,
    /// The source's own code, in its canonical form and as listed.
    pub(super) code: Option<(InfoCode, String)>,
    /// Hash of the listed content.
    pub(super) hash: ContentHash,
}

impl Names {
    fn of(source: &Source, entry: &Entry) -> Self {
        let code = source.code.as_ref().and_then(|rule| rule.listed(entry));
        let code = code.map(|listed| {
            (InfoCode::new(source.code_space.clone(), &source.canonical_code(&listed)), listed)
        });
        Self {
            guid: entry.guid.as_deref().map(guid_hash),
            address: entry.link.as_deref().and_then(Address::of),
            code,
            hash: listed_hash(entry),
        }
    }
}

impl DocumentFacts {
    /// Returns the facts, and the names of each record.
    pub(super) fn of(source: &Source, document: &Document) -> (Self, Vec<Names>) {
        let own_link = document.link.as_deref().and_then(Address::of);
        let mut facts = Self { own_link: own_link.map(|own| own.whole().into_owned()), ..Self::default() };
        let names: Vec<Names> = document.entries.iter().map(|entry| Names::of(source, entry)).collect();
        let mut seen: HashSet<(String, &str, Option<&str>)> = HashSet::new();
        for (entry, names) in document.entries.iter().zip(&names) {
            let text = entry.content.as_deref().or(entry.summary.as_deref());
            let again = names.address.as_ref().is_some_and(|address| {
                !seen.insert((address.whole().into_owned(), entry.title.as_str(), text))
            });
            if again {
                // The same article under the same address counts once.
                continue;
            }
            if let Some(address) = &names.address {
                *facts.wholes.entry(address.whole().into_owned()).or_default() += 1;
                *facts.bases.entry(address.base().to_owned()).or_default() += 1;
            }
            if let Some(date) = entry.published {
                *facts.dates.entry(date).or_default() += 1;
                let dated = names.address.as_ref().map(|address| dated_link(&address.whole(), date));
                *facts.dated.entry(dated.unwrap_or_else(|| dated_link("", date))).or_default() += 1;
            }
        }
        facts.find_void(&document.entries, &names);
        (facts, names)
    }

    /// Finds guids that different articles share.
    fn find_void(&mut self, entries: &[Entry], names: &[Names]) {
        let mut first_of: HashMap<[u8; 16], usize> = HashMap::new();
        for (at, (entry, own)) in entries.iter().zip(names).enumerate() {
            let Some(guid) = own.guid else { continue };
            self.guids.insert(guid);
            let first = *first_of.entry(guid).or_insert(at);
            let (Some(other), Some(others)) = (entries.get(first), names.get(first)) else { continue };
            if first != at && own.hash != others.hash && are_other_articles((other, others), (entry, own)) {
                self.void.insert(guid);
            }
        }
    }

    /// Returns whether the document has a guid.
    pub(super) fn has_guid(&self, guid: &[u8; 16]) -> bool {
        self.guids.contains(guid)
    }

    /// Returns whether an address belongs to one record only, and is not that of the whole feed.
    pub(super) fn identifies(&self, address: &Address) -> bool {
        let whole = address.whole();
        self.wholes.get(&*whole) == Some(&1) && self.own_link.as_deref() != Some(&*whole)
    }

    /// Returns whether an address without its fragment belongs to one record only.
    pub(super) fn page_identifies(&self, address: &Address) -> bool {
        self.bases.get(address.base()) == Some(&1) && self.own_link.as_deref() != Some(address.base())
    }

    /// Returns whether several records have this address.
    pub(super) fn is_shared(&self, address: &Address) -> bool {
        self.wholes.get(&*address.whole()).is_some_and(|count| *count > 1)
    }

    /// Returns the alias of a record's link with its date, where no other record has both.
    pub(super) fn dated(&self, address: &Address, entry: &Entry) -> Option<Alias> {
        let alias = dated_link(&address.whole(), entry.published?);
        (self.dated.get(&alias) == Some(&1)).then_some(alias)
    }

    /// Returns whether a date identifies a record: no other has it, and it is not a whole hour, which programs
    /// give to many.
    pub(super) fn is_own_date(&self, date: Timestamp) -> bool {
        self.dates.get(&date) == Some(&1) && date.unix() % 3_600 != 0
    }
}

/// Returns whether two records under one guid are different articles: their titles, links and texts differ, or
/// all but the title, or all but a link.
fn are_other_articles((a, own): (&Entry, &Names), (b, other): (&Entry, &Names)) -> bool {
    let new_link = match (&own.address, &other.address) {
        (Some(a), Some(b)) => Some(a.whole() != b.whole()),
        _ => None,
    };
    let Compared { title, text, date } = compare_entries(a, b);
    let all_new = title == Some(false) && text != Some(true);
    let texts_new = text == Some(false) && date == Some(false);
    match new_link {
        Some(true) => all_new || texts_new,
        Some(false) => all_new && date == Some(false),
        None => all_new && texts_new,
    }
}

/// Compares two records as they are listed.
pub(super) fn compare_entries(a: &Entry, b: &Entry) -> Compared {
    let text = |entry: &Entry| clip(&plain_text(entry), caps::EXCERPT);
    let date = |entry: &Entry| entry.published.or(entry.updated);
    compare((&a.title, &text(a), date(a)), (&b.title, &text(b), date(b)))
}
