//! How an InfoCode is found (RULES 1.1 to 1.9). Reads the store, writes nothing.

use std::collections::{HashMap, HashSet};

use super::document_facts::{DocumentFacts, compare_entries};
use super::identity_keys::{guid_hash, guid_name};
use super::identity_search::{Record, Search};
use super::lookup::Lookup;
use crate::model::{Compared, Document, Entry, InfoCode, Timestamp};
use crate::source::Source;
use crate::store::{Result, Store};

pub use super::listed::{Listed, Rule};

/// All records of a document.
#[derive(Debug, Default)]
pub struct Identified {
    /// Records that can be ingested, each code once, in the order of the document.
    pub listed: Vec<Listed>,
    /// Records that are held back, each with its reason.
    pub held: Vec<String>,
    /// Guids that were found to be void in this document.
    pub void: Vec<[u8; 16]>,
}

/// Finds the identity of every record of a document. One read of the store is enough for records that are
/// unchanged under their guid, or their link where they have none; further reads are for the others.
///
/// # Errors
/// Those of the store.
pub fn identify(store: &dyn Store, source: &Source, document: Document) -> Result<Identified> {
    let (facts, names) = DocumentFacts::of(source, &document);
    let mut lookup = Lookup::new(store, &source.id);
    let mut found = Identified::default();
    let mut search = Search::new(source, &facts);
    let mut records = Vec::with_capacity(names.len());
    for (entry, names) in document.entries.into_iter().zip(names) {
        match Record::new(source, entry, names) {
            Ok(record) => records.push(record),
            Err(reason) => found.held.push(reason),
        }
    }
    lookup.ask(records.iter().flat_map(Search::first_names).collect())?;
    search.find_void(&lookup, &records);
    for record in &mut records {
        search.identify_unchanged_by_guid(&lookup, record);
    }
    lookup.ask(records.iter().flat_map(Search::link_names).collect())?;
    for record in &mut records {
        search.identify_unchanged_by_link(&lookup, record);
    }
    lookup.ask_bases(records.iter().filter_map(|record| search.code_of_guid(&lookup, record)).collect())?;
    for record in &mut records {
        search.judge_guid(&lookup, record);
    }
    lookup.ask(records.iter().flat_map(|record| search.further_names(record)).collect())?;
    let candidates = records.iter().flat_map(|record| search.candidate_codes(&lookup, record)).collect();
    lookup.ask_bases(candidates)?;
    found.void = search.newly_void(&lookup);
    found.listed = one_for_each_code(&search, &lookup, records);
    Ok(found)
}

/// Returns the records with their identities. Of several records of one article, the unchanged one is kept,
/// else the first; another article under the same code gets its own.
fn one_for_each_code(search: &Search<'_>, lookup: &Lookup<'_>, records: Vec<Record>) -> Vec<Listed> {
    let mut listed: Vec<Listed> = Vec::with_capacity(records.len());
    let mut at_code: HashMap<InfoCode, usize> = HashMap::new();
    let mut taken: HashSet<InfoCode> = HashSet::new();
    for record in records {
        let mut found = search.identity(lookup, &record);
        if let Some(first) = at_code.get(&found.code).and_then(|at| listed.get_mut(*at)) {
            let guid = search.own_guid(&record);
            let same = match (guid, first.guid) {
                (Some(guid), Some(other)) => guid == other || are_equal(&record.entry, &first.entry),
                _ => are_one_article(&record.entry, &first.entry),
            };
            if found.rule == Rule::Code || same {
                let own = search.listed(lookup, record, found);
                if own.is_unchanged() && !first.is_unchanged() {
                    *first = own;
                }
                continue;
            }
            found = search.new_item(lookup, &record, &taken);
            if taken.contains(&found.code) {
                continue;
            }
        }
        taken.insert(found.code.clone());
        at_code.insert(found.code.clone(), listed.len());
        listed.push(search.listed(lookup, record, found));
    }
    listed
}

/// Returns whether two records with one item are one article: two signs agree, or one agrees and no other can
/// be compared.
fn are_one_article(a: &Entry, b: &Entry) -> bool {
    let compared = compare_entries(a, b);
    let Compared { title, text, date } = compared;
    let differs = [title, text, date].contains(&Some(false));
    compared.count() >= 2 || (compared.count() == 1 && !differs)
}

/// Returns whether two records with two guids are still one article: their titles agree, and neither
/// text nor date differs.
fn are_equal(a: &Entry, b: &Entry) -> bool {
    let Compared { title, text, date } = compare_entries(a, b);
    title == Some(true) && text != Some(false) && date != Some(false)
}

/// Returns the order in which new items are stored: oldest first, ties by code.
#[must_use]
pub fn entry_order(a: (Timestamp, &InfoCode), b: (Timestamp, &InfoCode)) -> std::cmp::Ordering {
    a.0.cmp(&b.0).then_with(|| a.1.cmp(b.1))
}

/// Returns the name under which a source's guid is looked up.
pub(super) fn name_of_guid(guid: &str) -> crate::store::Name {
    guid_name(guid_hash(guid))
}
