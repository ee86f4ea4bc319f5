//! The search for the identities of a document's records: by guid, link and text, each with signs that must
//! agree.

use std::collections::HashSet;

use super::document_facts::{DocumentFacts, Names};
use super::identity_keys::{TextAliases, guid_hash, guid_name, link_alias, plain_text, titled_link};
use super::listed::{Listed, Rule, shown};
use super::lookup::Lookup;
use super::same_article::{Compare, Demand};
use crate::model::{Entry, InfoCode};
use crate::parse::address::{self, Address};
use crate::source::Source;
use crate::store::{Alias, AliasKind, Basis, Known, Name, Sighting};

/// A record whose identity is searched for.
pub(super) struct Record {
    pub(super) entry: Entry,
    names: Names,
    text: TextAliases,
    /// Its identity, once that is certain.
    found: Option<Found>,
}

/// An identity.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) code: InfoCode,
    pub(super) rule: Rule,
    /// The sighting of the source under this code.
    sighting: Option<Sighting>,
}

impl Found {
    fn of(known: &Known, rule: Rule) -> Option<Self> {
        Some(Self { code: known.code.clone()?, rule, sighting: known.sighting.clone() })
    }
}

impl Record {
    /// Returns a record that can be ingested, or the reason why it cannot.
    pub(super) fn new(source: &Source, mut entry: Entry, mut names: Names) -> Result<Self, String> {
        // Fields that the article's own page gives are checked when it has been fetched.
        let missing = if source.article.is_some() { Vec::new() } else { source.missing(&entry) };
        if !missing.is_empty() {
            return Err(format!("{}: no {}", shown(&entry), missing.join(", no ")));
        }
        let plain = entry.content.as_deref().or(entry.summary.as_deref()).unwrap_or_default();
        if entry.title.is_empty() && plain.trim().is_empty() && entry.link.is_none() {
            return Err(format!("{}: neither title nor text nor link", shown(&entry)));
        }
        let mut found = None;
        if source.code.is_some() {
            let (code, listed) = names.code.take().ok_or_else(|| {
                format!("{}: its code is missing or does not match `code.pattern`", shown(&entry))
            })?;
            entry.code = Some(listed);
            found = Some(Found { code, rule: Rule::Code, sighting: None });
        }
        Ok(Self { entry, names, text: TextAliases::default(), found })
    }

    fn is_open(&self) -> bool {
        self.found.is_none()
    }
}

/// A name that may find a record's item, and what else must agree.
struct Way {
    name: Name,
    rule: Rule,
    demand: Demand,
}

impl Way {
    fn alias(alias: Alias, rule: Rule, demand: Demand) -> Self {
        Self { name: Name::Alias(alias), rule, demand }
    }

    fn code(code: InfoCode, rule: Rule, demand: Demand) -> Self {
        Self { name: Name::Code(code), rule, demand }
    }
}

/// The search for the identities of a document's records.
pub(super) struct Search<'a> {
    source: &'a Source,
    facts: &'a DocumentFacts,
    /// Guids that identify no article.
    void: HashSet<[u8; 16]>,
}

impl<'a> Search<'a> {
    /// Creates a search with the void guids of the document.
    pub(super) fn new(source: &'a Source, facts: &'a DocumentFacts) -> Self {
        Self { source, facts, void: facts.void.clone() }
    }

    /// Returns the names that find most records: the source's own code, the guid, and the link if there is no
    /// guid.
    pub(super) fn first_names(record: &Record) -> Vec<Name> {
        if let Some(found) = &record.found {
            return vec![Name::Code(found.code.clone())];
        }
        match record.names.guid {
            Some(guid) => vec![guid_name(guid)],
            None => Self::link_names(record),
        }
    }

    /// Adds the guids that are void for the source.
    pub(super) fn find_void(&mut self, lookup: &Lookup<'_>, records: &[Record]) {
        let guids = records.iter().filter_map(|record| record.names.guid);
        self.void
            .extend(guids.filter(|guid| lookup.known(&guid_name(*guid)).is_some_and(|known| known.void)));
    }

    /// Identifies a record whose guid is known with the same content.
    pub(super) fn identify_unchanged_by_guid(&self, lookup: &Lookup<'_>, record: &mut Record) {
        let Some(guid) = record.names.guid.filter(|_| record.is_open()) else { return };
        if let Some(known) = lookup.known(&guid_name(guid)).filter(|known| is_unchanged(known, record)) {
            let rule = if self.void.contains(&guid) { Rule::SameItem } else { Rule::Guid };
            record.found = Found::of(known, rule);
        }
    }

    /// Returns the links of a record that is not identified yet.
    pub(super) fn link_names(record: &Record) -> Vec<Name> {
        let Some(address) = record.names.address.as_ref().filter(|_| record.is_open()) else {
            return Vec::new();
        };
        let mut names = vec![Name::Alias(link_alias(&address.whole()))];
        if address.fragment().is_some() {
            names.push(Name::Alias(link_alias(address.base())));
        }
        names
    }

    /// Identifies a record whose link is known with the same content.
    pub(super) fn identify_unchanged_by_link(&self, lookup: &Lookup<'_>, record: &mut Record) {
        // A changed guid of its own is checked first.
        let has_item = self.own_guid(record).is_some_and(|guid| lookup.code(&guid_name(guid)).is_some());
        if has_item {
            return;
        }
        for name in Self::link_names(record) {
            let known = lookup.known(&name).filter(|known| is_unchanged(known, record));
            if let Some(known) = known.filter(|known| !self.is_listed_elsewhere(known, record)) {
                let rule = if self.own_guid(record).is_some() { Rule::SameItem } else { Rule::Link };
                record.found = Found::of(known, rule);
                return;
            }
        }
    }

    /// Returns the item of an open record's guid.
    pub(super) fn code_of_guid(&self, lookup: &Lookup<'_>, record: &Record) -> Option<InfoCode> {
        let guid = self.own_guid(record).filter(|_| record.is_open())?;
        lookup.code(&guid_name(guid)).cloned()
    }

    /// Identifies a record by its guid, or finds that the guid is void because its item is another story (RULES
    /// 1.7).
    pub(super) fn judge_guid(&mut self, lookup: &Lookup<'_>, record: &mut Record) {
        let Some(code) = self.code_of_guid(lookup, record) else { return };
        let Some(guid) = record.names.guid else { return };
        let sighting = lookup.known(&guid_name(guid)).and_then(|known| known.sighting.as_ref());
        let by_link = Self::link_names(record).iter().any(|name| lookup.code(name) == Some(&code));
        let basis = lookup.basis(&code).cloned().unwrap_or_default();
        let compare = Compare::new(self.source, self.facts, &record.entry, &record.names);
        if compare.is(Demand::Guid, &code, &basis, sighting, by_link) || is_nothing(&basis) {
            record.found = Some(Found { code, rule: Rule::Guid, sighting: sighting.cloned() });
        } else {
            self.void.insert(guid);
        }
    }

    /// Returns all further names of a record that is not identified yet.
    pub(super) fn further_names(&self, record: &Record) -> Vec<Name> {
        if !record.is_open() {
            return Vec::new();
        }
        self.ways(record).into_iter().map(|way| way.name).collect()
    }

    /// Returns the codes of items that a record may be, and those that it would get.
    pub(super) fn candidate_codes(&self, lookup: &Lookup<'_>, record: &Record) -> Vec<InfoCode> {
        let names = self.further_names(record);
        names.iter().filter_map(|name| lookup.code(name).cloned()).collect()
    }

    /// Returns the guids that were not known as void.
    pub(super) fn newly_void(&self, lookup: &Lookup<'_>) -> Vec<[u8; 16]> {
        let known = |guid: &[u8; 16]| lookup.known(&guid_name(*guid)).is_some_and(|known| known.void);
        let mut void: Vec<_> = self.void.iter().copied().filter(|guid| !known(guid)).collect();
        void.sort_unstable();
        void
    }

    /// Returns the identity of a record, once all its names were looked up.
    pub(super) fn identity(&self, lookup: &Lookup<'_>, record: &Record) -> Found {
        let found = record.found.clone().or_else(|| self.known_item(lookup, record));
        found.unwrap_or_else(|| self.new_item(lookup, record, &HashSet::new()))
    }

    /// Returns a record with its identity.
    pub(super) fn listed(&self, lookup: &Lookup<'_>, record: Record, found: Found) -> Listed {
        let Found { code, rule, sighting } = found;
        let by_code = || lookup.known(&Name::Code(code.clone())).and_then(|known| known.sighting.clone());
        let sighting = sighting.or_else(by_code);
        let own_code = rule == Rule::Code;
        Listed {
            guid: self.own_guid(&record),
            aliases: if own_code { Vec::new() } else { self.aliases(&record) },
            by_short_text: !own_code && !self.has_own_link(&record),
            hash: record.names.hash,
            entry: record.entry,
            text: record.text,
            code,
            rule,
            sighting,
        }
    }

    /// Returns the aliases of a record from now on, without that of its text.
    fn aliases(&self, record: &Record) -> Vec<Alias> {
        let mut aliases: Vec<Alias> =
            self.own_guid(record).map(|guid| (AliasKind::Guid, guid)).into_iter().collect();
        let Some(address) = &record.names.address else { return aliases };
        if self.facts.identifies(address) {
            aliases.push(link_alias(&address.whole()));
        }
        if address.fragment().is_some() && self.facts.page_identifies(address) {
            aliases.push(link_alias(address.base()));
        }
        if self.facts.is_shared(address) {
            aliases.extend(self.facts.dated(address, &record.entry));
            aliases.push(titled_link(&address.whole(), &record.entry.title));
        }
        aliases
    }

    /// Returns the guid, unless it is void.
    pub(super) fn own_guid(&self, record: &Record) -> Option<[u8; 16]> {
        record.names.guid.filter(|guid| !self.void.contains(guid))
    }

    fn has_own_link(&self, record: &Record) -> bool {
        record.names.address.as_ref().is_some_and(|address| self.facts.identifies(address))
    }

    /// Returns all ways to the item of a record that its guid does not find, the most certain first.
    fn ways(&self, record: &Record) -> Vec<Way> {
        let mut ways = Vec::new();
        self.ways_by_guid(record, &mut ways);
        if let Some(address) = &record.names.address {
            self.ways_by_link(record, address, &mut ways);
        }
        if let Some(guid) = record.names.guid.filter(|guid| self.void.contains(guid)) {
            ways.push(Way::alias((AliasKind::Guid, guid), Rule::SameItem, Demand::TwoSigns));
        }
        let rule = if self.own_guid(record).is_some() { Rule::SameItem } else { Rule::Text };
        ways.extend(record.text.long(&record.entry).map(|text| Way::alias(text, rule, Demand::LongText)));
        if !self.has_own_link(record) {
            ways.extend(
                record.text.short(&record.entry).map(|text| Way::alias(text, rule, Demand::ShortText)),
            );
        }
        if self.own_guid(record).is_none() {
            ways.push(Way::code(self.text_code(record).0, Rule::Text, Demand::Text));
        }
        ways
    }

    fn ways_by_guid(&self, record: &Record, ways: &mut Vec<Way>) {
        let (Some(_), Some(guid)) = (self.own_guid(record), record.entry.guid.as_deref()) else { return };
        let space = &self.source.code_space;
        let code = |guid: &str| InfoCode::derived(space.clone(), &["guid", guid]);
        ways.push(Way::code(code(guid), Rule::Guid, Demand::Guid));
        for (at, other) in address::other_spellings(guid).iter().enumerate() {
            // The first differs in its scheme only; `www.` may be another site.
            let demand = if at == 0 { Demand::Guid } else { Demand::Sign };
            ways.push(Way::alias((AliasKind::Guid, guid_hash(other)), Rule::SameItem, demand));
            ways.push(Way::code(code(other), Rule::SameItem, demand));
        }
    }

    fn ways_by_link(&self, record: &Record, address: &Address, ways: &mut Vec<Way>) {
        let with_guid = self.own_guid(record).is_some();
        let rule = if with_guid { Rule::SameItem } else { Rule::Link };
        let own = self.facts.identifies(address);
        let demand = match (with_guid, own) {
            (true, true) => Some(Demand::Sign),
            (false, true) => Some(Demand::Link),
            // Other records share it, or it is the link of the whole feed.
            (false, false) => Some(Demand::TwoSigns),
            (true, false) => Some(Demand::TitleAndSign),
        };
        if let Some(demand) = demand {
            ways.push(Way::alias(link_alias(&address.whole()), rule, demand));
            if address.fragment().is_some() && self.facts.page_identifies(address) {
                ways.push(Way::alias(link_alias(address.base()), rule, demand));
            }
            ways.extend(
                address.earlier_forms().iter().map(|form| Way::alias(link_alias(form), rule, demand)),
            );
        }
        let dated = self.facts.dated(address, &record.entry);
        ways.extend(dated.map(|dated| Way::alias(dated, rule, Demand::Sign)));
        let titled = titled_link(&address.whole(), &record.entry.title);
        ways.push(Way::alias(titled, rule, Demand::TwoSigns));
        if !with_guid && own {
            let mut forms = vec![address.code_form(), address.base().to_owned()];
            forms.extend(address.earlier_forms());
            let code = |form: &String| InfoCode::derived(self.source.code_space.clone(), &["link", form]);
            ways.extend(forms.iter().map(|form| Way::code(code(form), Rule::Link, Demand::Link)));
        }
    }

    /// Returns the item of a record, by the first way that finds one and passes the comparison.
    fn known_item(&self, lookup: &Lookup<'_>, record: &Record) -> Option<Found> {
        let compare = Compare::new(self.source, self.facts, &record.entry, &record.names);
        self.ways(record).into_iter().find_map(|way| {
            let known = lookup.known(&way.name)?;
            let code = known.code.clone()?;
            let basis = lookup.basis(&code)?;
            let own_guid = way.demand == Demand::Guid || way.demand == Demand::Text;
            if is_nothing(basis) && known.sighting.is_none() {
                return None;
            }
            // A withdrawn item stays withdrawn, even under a second guid beside its first one.
            if !own_guid && basis.tombstone.is_none() && self.is_listed_elsewhere(known, record) {
                return None;
            }
            let demand = raised(way.demand, &compare, basis);
            let by_link = matches!(way.rule, Rule::Link);
            let is = compare.is(demand, &code, basis, known.sighting.as_ref(), by_link);
            if is { Found::of(known, way.rule) } else { None }
        })
    }

    /// Returns whether another record of the document has the guid under which an item was listed last.
    fn is_listed_elsewhere(&self, known: &Known, record: &Record) -> bool {
        let old = known.sighting.as_ref().and_then(|seen| seen.guid);
        old.is_some_and(|old| {
            Some(old) != record.names.guid && self.facts.has_guid(&old) && !self.void.contains(&old)
        })
    }

    /// Returns a new item with the first code that its source can be trusted for, that no other story has, and
    /// that is not `taken`.
    pub(super) fn new_item(&self, lookup: &Lookup<'_>, record: &Record, taken: &HashSet<InfoCode>) -> Found {
        let space = || self.source.code_space.clone();
        let guid = self.own_guid(record).and(record.entry.guid.as_deref());
        let by_guid = guid.map(|guid| (InfoCode::derived(space(), &["guid", guid]), Rule::Guid));
        let link = record.names.address.as_ref().filter(|address| self.facts.identifies(address));
        let by_link = link.map(|link| (InfoCode::derived(space(), &["link", &link.code_form()]), Rule::Link));
        let free =
            |(code, _): &(InfoCode, Rule)| !taken.contains(code) && lookup.basis(code).is_none_or(is_nothing);
        let first = by_guid.into_iter().chain(by_link).find(free);
        let (code, rule) = first.unwrap_or_else(|| self.text_code(record));
        Found { code, rule, sighting: None }
    }

    fn text_code(&self, record: &Record) -> (InfoCode, Rule) {
        let parts = ["text", &record.entry.title, &plain_text(&record.entry)];
        (InfoCode::derived(self.source.code_space.clone(), &parts), Rule::Text)
    }
}

/// Returns what must agree beside a link with another fragment, or a host with or without `www.`.
fn raised(demand: Demand, compare: &Compare<'_>, basis: &Basis) -> Demand {
    if !matches!(demand, Demand::Link | Demand::Sign) {
        return demand;
    }
    let Some(item) = &basis.item else { return demand };
    if compare.is_other_part_than(item) {
        Demand::TwoSigns
    } else if compare.is_other_host_name_than(item) {
        Demand::Sign
    } else {
        demand
    }
}

fn is_unchanged(known: &Known, record: &Record) -> bool {
    known.code.is_some() && known.sighting.as_ref().is_some_and(|seen| seen.listed == record.names.hash)
}

fn is_nothing(basis: &Basis) -> bool {
    basis.item.is_none() && basis.tombstone.is_none()
}
