//! How an InfoCode is found (RULES 1.1 to 1.9). Reads the store, writes nothing.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::draft::{Draft, draft, head};
use super::lookup::Lookup;
use crate::model::{ContentHash, Document, Entry, InfoCode, Signs, Timestamp};
use crate::parse::{link, text};
use crate::source::Source;
use crate::store::{Alias, AliasKind, Known, Name, Result, Sighting, Store};

/// Characters of text from which equal title and text mean the same item (RULES 1.6).
const SAME_TEXT_FROM: usize = 200;
/// Seconds between two listings of the same text that still are one item (RULES 1.6).
const SAME_TEXT_WITHIN: i64 = 7 * 86_400;

/// A record with its identity.
#[derive(Debug, Clone)]
pub struct Listed {
    /// What the source sent.
    pub entry: Entry,
    /// Its identity.
    pub code: InfoCode,
    /// By which rule.
    pub rule: Rule,
    /// Hash of its guid, where it is not void.
    pub guid: Option<[u8; 16]>,
    /// What is to lead to it from now on; without its text where [`Listed::aliases`] has yet to read that.
    aliases: Vec<Alias>,
    /// The alias of its text is not made yet.
    unread: bool,
    /// Hash of what the list says.
    pub hash: ContentHash,
    /// What the source listed before under this code.
    pub sighting: Option<Sighting>,
}

impl Listed {
    /// What is to lead to it from now on.
    #[must_use]
    pub fn aliases(&self) -> Vec<Alias> {
        let text = if self.unread { text_hash(&self.entry) } else { None };
        self.aliases.iter().copied().chain(text.map(|text| (AliasKind::Text, text))).collect()
    }
}

/// Which rule found an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The source's own code.
    Code,
    /// Its guid.
    Guid,
    /// Its canonical link.
    Link,
    /// Its title and text.
    Text,
    /// A known item under a new guid.
    SameItem,
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Code => "code",
            Self::Guid => "guid",
            Self::Link => "link",
            Self::Text => "text",
            Self::SameItem => "alias",
        })
    }
}

/// All records of a document.
#[derive(Debug, Default)]
pub struct Identified {
    /// Those that can be taken in, each code once, in the order of the document.
    pub listed: Vec<Listed>,
    /// Those held back, each with its reason.
    pub held: Vec<String>,
    /// Guids that turned out void in this document.
    pub void: Vec<[u8; 16]>,
}

/// Finds the identity of every record of a document. The store is asked once for all of them, and once more for
/// those that are new to it.
///
/// # Errors
/// Those of the store.
pub fn identify(store: &dyn Store, source: &Source, document: Document) -> Result<Identified> {
    let (facts, names) = Facts::of(source, &document);
    let mut lookup = Lookup::new(store, &source.id);
    lookup.ask(names.iter().flat_map(Names::asked_first).collect())?;
    let known_void = |guid: &[u8; 16]| lookup.known(&guid_name(*guid)).is_some_and(|known| known.void);
    let (before, newly): (Vec<_>, Vec<_>) = facts.void.iter().copied().partition(known_void);
    let mut found = Identified { void: newly, ..Identified::default() };
    found.void.sort_unstable();
    let void = facts.guids.iter().copied().filter(known_void).chain(before).chain(found.void.iter().copied());
    let search = Search { source, facts: &facts, void: void.collect() };
    let mut records = Vec::with_capacity(names.len());
    for (entry, names) in document.entries.into_iter().zip(names) {
        match search.record(&lookup, entry, names) {
            Ok(record) => records.push(record),
            Err(reason) => found.held.push(reason),
        }
    }
    lookup.ask(records.iter().flat_map(Record::asked_further).collect())?;
    let named = records.iter().flat_map(Record::other_names).filter_map(|name| lookup.code(&name).cloned());
    let candidates = named.collect();
    lookup.ask_bases(candidates)?;
    let mut taken = HashSet::new();
    for record in records {
        let listed = search.listed(&lookup, record);
        if taken.insert(listed.code.clone()) {
            found.listed.push(listed);
        }
    }
    Ok(found)
}

/// What the document as a whole says about guids and links.
#[derive(Debug, Default)]
struct Facts {
    guids: Vec<[u8; 16]>,
    /// Guids that stand for different links in this document (RULES 1.7).
    void: HashSet<[u8; 16]>,
    /// How often each canonical link stands in it.
    links: HashMap<String, u32>,
    /// How often each link that several have stands in it with a date.
    dated: HashMap<[u8; 16], u32>,
    /// The channel's own link, canonical.
    own_link: Option<String>,
}

/// What a record itself is known by.
struct Names {
    /// Hash of its guid.
    guid: Option<[u8; 16]>,
    /// Its link, canonical.
    link: Option<String>,
    /// The source's own code, in its canonical form and as listed.
    code: Option<(InfoCode, String)>,
}

impl Names {
    /// What tells most records: the guid, and the source's own code.
    fn asked_first(&self) -> Vec<Name> {
        let code = self.code.as_ref().map(|(code, _)| Name::Code(code.clone()));
        self.guid.map(guid_name).into_iter().chain(code).collect()
    }
}

/// A record on its way to an identity.
struct Record {
    entry: Entry,
    guid: Option<[u8; 16]>,
    /// What it is, and by which rule: in the end, or where nothing else leads to an item.
    own: (InfoCode, Rule),
    /// Its code or its guid says so: nothing else is looked for.
    is_known: bool,
    /// What is to lead to it; without its text where its identity is known.
    aliases: Vec<Alias>,
}

impl Record {
    /// What else may lead to an item, of a record whose guid does not.
    fn other_names(&self) -> Vec<Name> {
        let aliases = self.aliases.iter().filter(|_| !self.is_known);
        aliases.filter(|(kind, _)| *kind != AliasKind::Guid).map(|alias| Name::Alias(*alias)).collect()
    }

    fn asked_further(&self) -> Vec<Name> {
        let own = (!self.is_known).then(|| Name::Code(self.own.0.clone()));
        self.other_names().into_iter().chain(own).collect()
    }
}

impl Facts {
    /// The facts, and the names of each record.
    fn of(source: &Source, document: &Document) -> (Self, Vec<Names>) {
        let mut facts =
            Self { own_link: document.link.as_deref().and_then(link::canonical), ..Self::default() };
        let mut link_of: HashMap<[u8; 16], Option<String>> = HashMap::new();
        let mut names = Vec::with_capacity(document.entries.len());
        for entry in &document.entries {
            let link = entry.link.as_deref().and_then(link::canonical);
            if let Some(link) = &link {
                *facts.links.entry(link.clone()).or_default() += 1;
            }
            let guid = entry.guid.as_deref().map(guid_hash);
            if let Some(guid) = guid {
                facts.guids.push(guid);
                let first = link_of.entry(guid).or_insert_with(|| link.clone());
                if *first != link {
                    facts.void.insert(guid);
                }
            }
            let code = source.code.as_ref().and_then(|rule| rule.listed(entry));
            let code = code.map(|listed| (own_code(source, &listed), listed));
            names.push(Names { guid, link, code });
        }
        for (entry, names) in document.entries.iter().zip(&names) {
            if let (Some(link), Some(date)) = (names.link.as_deref(), entry.published)
                && facts.is_shared(link)
            {
                *facts.dated.entry(dated(link, date)).or_default() += 1;
            }
        }
        (facts, names)
    }

    /// What a record is known by whose link several have: that link with its date, where only it has both.
    fn shared(&self, canonical: &str, entry: &Entry) -> Option<Alias> {
        let alias = dated(canonical, entry.published.filter(|_| self.is_shared(canonical))?);
        (self.dated.get(&alias) == Some(&1)).then_some((AliasKind::Link, alias))
    }

    fn is_shared(&self, canonical: &str) -> bool {
        self.links.get(canonical).is_some_and(|count| *count > 1)
    }

    /// A link that stands for one record only, and not for the whole feed.
    fn identifies(&self, canonical: &str) -> bool {
        self.links.get(canonical) == Some(&1) && self.own_link.as_deref() != Some(canonical)
    }
}

struct Search<'a> {
    source: &'a Source,
    facts: &'a Facts,
    void: HashSet<[u8; 16]>,
}

impl Search<'_> {
    /// One record with what its code or guid says, or why it is held back.
    fn record(
        &self,
        lookup: &Lookup<'_>,
        mut entry: Entry,
        names: Names,
    ) -> std::result::Result<Record, String> {
        self.sound(&entry)?;
        let guid = names.guid.filter(|guid| !self.void.contains(guid));
        if self.source.code.is_some() {
            let (code, listed) = names.code.ok_or_else(|| {
                format!("{}: its code is missing or does not match `code.pattern`", shown(&entry))
            })?;
            let own = (code, Rule::Code);
            entry.code = Some(listed);
            // Its own code says all: nothing else needs to lead to it.
            return Ok(Record { entry, guid, own, is_known: true, aliases: Vec::new() });
        }
        let shared = names.link.as_deref().and_then(|link| self.facts.shared(link, &entry));
        let canonical = names.link.filter(|link| self.facts.identifies(link));
        let link = canonical.as_ref().map(|link| (AliasKind::Link, hash(&["link", link])));
        let link = link.or(shared.filter(|_| guid.is_some()));
        let mut aliases: Vec<Alias> =
            guid.map(|guid| (AliasKind::Guid, guid)).into_iter().chain(link).collect();
        if let Some(code) = guid.and_then(|guid| lookup.code(&guid_name(guid))) {
            let own = (code.clone(), Rule::Guid);
            return Ok(Record { entry, guid, own, is_known: true, aliases });
        }
        aliases.extend(text_hash(&entry).map(|text| (AliasKind::Text, text)));
        let own = self.derived(&entry, guid, canonical.as_deref());
        Ok(Record { entry, guid, own, is_known: false, aliases })
    }

    /// Refuses what cannot be taken in.
    fn sound(&self, entry: &Entry) -> std::result::Result<(), String> {
        // What the article's own page gives is looked for when it is there.
        let missing = if self.source.article.is_some() { Vec::new() } else { self.source.missing(entry) };
        if !missing.is_empty() {
            return Err(format!("{}: no {}", shown(entry), missing.join(", no ")));
        }
        let plain = entry.content.as_deref().or(entry.summary.as_deref()).unwrap_or_default();
        if entry.title.is_empty() && plain.trim().is_empty() && entry.link.is_none() {
            return Err(format!("{}: neither title nor text nor link", shown(entry)));
        }
        Ok(())
    }

    /// The identity of a record that nothing leads to.
    fn derived(&self, entry: &Entry, guid: Option<[u8; 16]>, canonical: Option<&str>) -> (InfoCode, Rule) {
        let space = self.source.code_space.clone();
        match (guid, canonical) {
            (Some(_), _) => {
                let guid = entry.guid.as_deref().unwrap_or_default();
                (InfoCode::derived(space, &["guid", guid]), Rule::Guid)
            }
            (None, Some(link)) => (InfoCode::derived(space, &["link", link]), Rule::Link),
            (None, None) => {
                let plain = entry.content.as_deref().or(entry.summary.as_deref()).unwrap_or_default();
                let plain = text::html_to_text(head(plain));
                (InfoCode::derived(space, &["text", &entry.title, &plain]), Rule::Text)
            }
        }
    }

    /// A record with its identity, once all was asked.
    fn listed(&self, lookup: &Lookup<'_>, record: Record) -> Listed {
        // Most records are those of the poll before: their text is read where something is new.
        let unread = record.is_known && record.own.1 == Rule::Guid;
        let (code, rule) = self.named(lookup, &record).unwrap_or_else(|| record.own.clone());
        let names = [Name::Code(code.clone())].into_iter();
        let names = names.chain(record.guid.map(guid_name)).chain(record.other_names());
        let mut seen =
            names.filter_map(|name| lookup.known(&name)).filter(|known| known.code.as_ref() == Some(&code));
        let sighting = seen.next().and_then(|known| known.sighting.clone());
        let Record { entry, guid, aliases, .. } = record;
        Listed { hash: listed_hash(&entry), entry, code, rule, guid, aliases, unread, sighting }
    }

    /// The item that a record's link or text leads to.
    fn named(&self, lookup: &Lookup<'_>, record: &Record) -> Option<(InfoCode, Rule)> {
        let mut names = record.other_names().into_iter().filter_map(|name| match name {
            Name::Alias((kind, _)) => lookup.known(&name).map(|known| (kind, known)),
            Name::Code(_) => None,
        });
        if record.guid.is_some() {
            let same = |(kind, known): (AliasKind, &Known)| {
                known.code.clone().filter(|code| self.same_item(lookup, (code, known), kind, &record.entry))
            };
            return names.find_map(same).map(|code| (code, Rule::SameItem));
        }
        let link = names.find(|(kind, _)| *kind == AliasKind::Link)?;
        link.1.code.clone().map(|code| (code, Rule::Link))
    }

    /// RULES 1.6: the known item's old guid is gone, and its link with a further sign, or its title and text, say
    /// that it is the same; also of an item that is out, or was erased.
    fn same_item(
        &self,
        lookup: &Lookup<'_>,
        (code, known): (&InfoCode, &Known),
        kind: AliasKind,
        entry: &Entry,
    ) -> bool {
        let (Some(old), Some(basis)) = (&known.sighting, lookup.basis(code)) else { return false };
        // What is out stays so under a second guid beside its first one, too.
        let out = basis.tombstone.as_ref();
        if out.is_none() && old.guid.is_some_and(|guid| self.facts.guids.contains(&guid)) {
            return false;
        }
        let left = out.and_then(|tombstone| tombstone.signs);
        if kind == AliasKind::Text {
            let gone = || left.and_then(|signs| signs.date()).unwrap_or(old.last);
            let before = basis.item.as_ref().map_or_else(gone, |item| item.published);
            let here = entry.published.unwrap_or(old.last);
            return here.since(before).abs() <= SAME_TEXT_WITHIN;
        }
        // As it is stored, and as its source gave it since it went.
        let known: Vec<Signs> = basis.item.as_ref().map(Signs::of).into_iter().chain(left).collect();
        if known.is_empty() {
            return true;
        }
        let Draft { title, excerpt, .. } = draft(self.source, entry);
        let date = entry.published.or(entry.updated);
        let here = Signs::new(code, &title, &excerpt, date);
        known.iter().any(|signs| signs.agree(&here))
    }
}

/// A code that a source gives, in its canonical form.
fn own_code(source: &Source, listed: &str) -> InfoCode {
    InfoCode::new(source.code_space.clone(), &source.canonical_code(listed))
}

fn guid_name(guid: [u8; 16]) -> Name {
    Name::Alias((AliasKind::Guid, guid))
}

/// What a list says of a record, without its dates.
fn listed_hash(entry: &Entry) -> ContentHash {
    let enclosures: Vec<&str> = entry.enclosures.iter().map(|e| e.url.as_str()).collect();
    let tags = entry.categories.join("\n");
    let authors: Vec<&str> = entry.authors.iter().map(|a| a.name.as_str()).collect();
    ContentHash::of(&[
        ("title", &entry.title),
        ("link", entry.link.as_deref().unwrap_or_default()),
        ("summary", entry.summary.as_deref().unwrap_or_default()),
        ("content", entry.content.as_deref().unwrap_or_default()),
        ("tags", &tags),
        ("media", entry.media_name.as_deref().unwrap_or_default()),
        ("authors", &authors.join("\n")),
        ("enclosures", &enclosures.join("\n")),
        ("picture", entry.picture.as_deref().unwrap_or_default()),
    ])
}

/// Title and text, where the text is long enough to tell articles apart.
fn text_hash(entry: &Entry) -> Option<[u8; 16]> {
    let html = entry.content.as_deref().or(entry.summary.as_deref())?;
    let long = |text: &str| text.chars().nth(SAME_TEXT_FROM - 1).is_some();
    if !long(html) {
        return None;
    }
    let plain = text::html_to_text(head(html));
    long(&plain).then(|| hash(&["text", &entry.title, &plain]))
}

/// The hash under which a guid is kept.
pub(super) fn guid_hash(guid: &str) -> [u8; 16] {
    hash(&["guid", guid])
}

/// A link and a date as one name.
fn dated(link: &str, date: Timestamp) -> [u8; 16] {
    hash(&["dated link", link, &date.unix().to_string()])
}

fn hash(parts: &[&str]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    let mut short = [0; 16];
    short.copy_from_slice(&digest[..16]);
    short
}

/// How a record that cannot be taken in is named to people.
fn shown(entry: &Entry) -> String {
    let name =
        entry.code.as_deref().or(entry.guid.as_deref()).or(entry.link.as_deref()).unwrap_or(&entry.title);
    if name.is_empty() { "a record without any name".to_owned() } else { text::clip(name, 40) }
}

/// The order in which new items enter: oldest first, ties by code.
#[must_use]
pub fn entry_order(a: (Timestamp, &InfoCode), b: (Timestamp, &InfoCode)) -> std::cmp::Ordering {
    a.0.cmp(&b.0).then_with(|| a.1.cmp(b.1))
}
