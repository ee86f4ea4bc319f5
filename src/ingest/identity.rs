//! How an InfoCode is found (RULES 1.1 to 1.9). Reads the store, writes nothing.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::article::{Draft, draft, head};
use crate::model::{ContentHash, Document, Entry, InfoCode, Signs, Timestamp};
use crate::parse::{link, text};
use crate::source::Source;
use crate::store::{Alias, AliasKind, Result, Sighting, Store};

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

/// Finds the identity of every record of a document.
///
/// # Errors
/// Those of the store.
pub fn identify(store: &dyn Store, source: &Source, document: Document) -> Result<Identified> {
    let (facts, names) = Facts::of(&document);
    let known_void = store.void_guids(&source.id, &facts.guids)?;
    let mut void: HashSet<[u8; 16]> =
        facts.guids.iter().zip(known_void).filter(|(_, void)| *void).map(|(guid, _)| *guid).collect();
    let mut found =
        Identified { void: facts.void.difference(&void).copied().collect(), ..Identified::default() };
    found.void.sort_unstable();
    void.extend(&facts.void);
    let search = Search { store, source, facts: &facts, void: &void };
    let mut taken = HashSet::new();
    for (entry, names) in document.entries.into_iter().zip(names) {
        match search.one(entry, names)? {
            Ok(listed) => {
                if taken.insert(listed.code.clone()) {
                    found.listed.push(listed);
                }
            }
            Err(reason) => found.held.push(reason),
        }
    }
    let codes: Vec<InfoCode> = found.listed.iter().map(|listed| listed.code.clone()).collect();
    for (listed, sighting) in found.listed.iter_mut().zip(store.sightings(&source.id, &codes)?) {
        listed.sighting = sighting;
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
    /// The channel's own link, canonical.
    own_link: Option<String>,
}

/// What a record itself is known by.
struct Names {
    /// Hash of its guid.
    guid: Option<[u8; 16]>,
    /// Its link, canonical.
    link: Option<String>,
}

impl Facts {
    /// The facts, and the names of each record.
    fn of(document: &Document) -> (Self, Vec<Names>) {
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
            names.push(Names { guid, link });
        }
        (facts, names)
    }

    /// A link that stands for one record only, and not for the whole feed.
    fn identifies(&self, canonical: &str) -> bool {
        self.links.get(canonical) == Some(&1) && self.own_link.as_deref() != Some(canonical)
    }
}

struct Search<'a> {
    store: &'a dyn Store,
    source: &'a Source,
    facts: &'a Facts,
    void: &'a HashSet<[u8; 16]>,
}

impl Search<'_> {
    /// One record's identity, or why it is held back.
    fn one(&self, mut entry: Entry, names: Names) -> Result<std::result::Result<Listed, String>> {
        // What the article's own page gives is looked for when it is there.
        let missing = if self.source.article.is_some() { Vec::new() } else { self.source.missing(&entry) };
        if !missing.is_empty() {
            return Ok(Err(format!("{}: no {}", shown(&entry), missing.join(", no "))));
        }
        let plain = entry.content.as_deref().or(entry.summary.as_deref()).unwrap_or_default();
        if entry.title.is_empty() && plain.trim().is_empty() && entry.link.is_none() {
            return Ok(Err(format!("{}: neither title nor text nor link", shown(&entry))));
        }
        let guid = names.guid.filter(|guid| !self.void.contains(guid));
        let canonical = names.link.filter(|link| self.facts.identifies(link));
        let mut aliases: Vec<Alias> = Vec::new();
        let mut unread = false;
        let (code, rule) = if let Some(rule) = &self.source.code {
            let Some(listed) = rule.listed(&entry) else {
                return Ok(Err(format!(
                    "{}: its code is missing or does not match `code.pattern`",
                    shown(&entry)
                )));
            };
            let canonical = self.source.canonical_code(&listed);
            entry.code = Some(listed);
            // Its own code says all: nothing else needs to lead to it.
            (InfoCode::new(self.source.code_space.clone(), &canonical), Rule::Code)
        } else {
            aliases.extend(guid.map(|g| (AliasKind::Guid, g)));
            let known = aliases.first().map(|guid| self.store.aliased(&self.source.id, *guid)).transpose()?;
            aliases.extend(canonical.as_ref().map(|l| (AliasKind::Link, hash(&["link", l]))));
            if let Some(known) = known.flatten() {
                // Most records are those of the poll before: their text is read where something is new.
                unread = true;
                (known, Rule::Guid)
            } else {
                aliases.extend(text_hash(&entry).map(|t| (AliasKind::Text, t)));
                self.derive(&entry, guid, canonical.as_deref(), &aliases)?
            }
        };
        let hash = listed_hash(&entry);
        Ok(Ok(Listed { entry, code, rule, guid, aliases, unread, hash, sighting: None }))
    }

    /// The identity of a record of a source without codes of its own, whose guid is not known.
    fn derive(
        &self,
        entry: &Entry,
        guid: Option<[u8; 16]>,
        canonical: Option<&str>,
        aliases: &[Alias],
    ) -> Result<(InfoCode, Rule)> {
        let id = &self.source.id;
        let space = self.source.code_space.clone();
        if guid.is_some() {
            for alias in aliases.iter().filter(|(kind, _)| *kind != AliasKind::Guid) {
                if let Some(known) = self.store.aliased(id, *alias)?
                    && self.same_item(&known, alias.0, entry)?
                {
                    return Ok((known, Rule::SameItem));
                }
            }
            return Ok((
                InfoCode::derived(space, &["guid", entry.guid.as_deref().unwrap_or_default()]),
                Rule::Guid,
            ));
        }
        if let Some(canonical) = canonical {
            let known = self.store.aliased(id, (AliasKind::Link, hash(&["link", canonical])))?;
            return Ok((known.unwrap_or_else(|| InfoCode::derived(space, &["link", canonical])), Rule::Link));
        }
        let plain = entry.content.as_deref().or(entry.summary.as_deref()).unwrap_or_default();
        let plain = text::html_to_text(head(plain));
        Ok((InfoCode::derived(space, &["text", &entry.title, &plain]), Rule::Text))
    }

    /// RULES 1.6: the known item's old guid is gone, and its link with a further sign, or its title and text, say
    /// that it is the same; also of an item that is out, or was erased.
    fn same_item(&self, known: &InfoCode, kind: AliasKind, entry: &Entry) -> Result<bool> {
        let sighting = self.store.sightings(&self.source.id, std::slice::from_ref(known))?.pop().flatten();
        let Some(old) = sighting else { return Ok(false) };
        if old.guid.is_some_and(|guid| self.facts.guids.contains(&guid)) {
            return Ok(false);
        }
        let item = self.store.item(known)?;
        if kind == AliasKind::Text {
            let before = item.map_or(old.last, |item| item.published);
            let here = entry.published.unwrap_or(old.last);
            return Ok(here.since(before).abs() <= SAME_TEXT_WITHIN);
        }
        let signs = match item {
            Some(item) => Some(Signs::of(&item)),
            None => self.store.tombstone(known)?.and_then(|tombstone| tombstone.signs),
        };
        let Some(signs) = signs else { return Ok(true) };
        let Draft { title, excerpt, .. } = draft(self.source, entry);
        let date = entry.published.or(entry.updated);
        Ok(signs.agree(&Signs::new(known, &title, &excerpt, date)))
    }
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
