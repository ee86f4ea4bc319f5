//! A listed record with its identity, and the rule that found it.

use super::identity_keys::TextAliases;
use crate::model::{ContentHash, Entry, InfoCode};
use crate::parse::text;
use crate::store::{Alias, Sighting};

/// A record with its identity.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The entry as the source sent it.
    pub entry: Entry,
    /// Its identity.
    pub code: InfoCode,
    /// The rule that found the identity.
    pub rule: Rule,
    /// Hash of its guid, where it is not void.
    pub guid: Option<[u8; 16]>,
    /// Aliases of the item from now on, without those of its text.
    pub(super) aliases: Vec<Alias>,
    /// Aliases of the entry's text; [`Listed::entry_mut`] clears them.
    pub(super) text: TextAliases,
    /// Whether a text of any length becomes an alias, because the record has no link of its own.
    pub(super) by_short_text: bool,
    /// Hash of the listed content.
    pub hash: ContentHash,
    /// The sighting of the source under this code.
    pub sighting: Option<Sighting>,
}

impl Listed {
    /// Returns the aliases of the item from now on.
    #[must_use]
    pub fn aliases(&self) -> Vec<Alias> {
        let short = if self.by_short_text { self.text.short(&self.entry) } else { None };
        self.aliases.iter().copied().chain(self.text.long(&self.entry)).chain(short).collect()
    }

    /// Returns the entry, to be completed.
    pub(super) fn entry_mut(&mut self) -> &mut Entry {
        self.text = TextAliases::default();
        &mut self.entry
    }

    /// Returns whether the listed content is the same as before.
    pub(super) fn is_unchanged(&self) -> bool {
        self.sighting.as_ref().is_some_and(|seen| seen.listed == self.hash)
    }
}

/// The rules that find an identity.
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

/// Returns the name of a record in messages about why it cannot be ingested.
pub(super) fn shown(entry: &Entry) -> String {
    let name =
        entry.code.as_deref().or(entry.guid.as_deref()).or(entry.link.as_deref()).unwrap_or(&entry.title);
    if name.is_empty() { "a record without any name".to_owned() } else { text::clip(name, 40) }
}
