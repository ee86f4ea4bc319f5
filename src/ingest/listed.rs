//! A listed record with its identity, and the rule that found it.

use super::identity_keys::TextAliases;
use crate::model::{ContentHash, Entry, InfoCode};
use crate::parse::text;
use crate::store::{Alias, Sighting};

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
    /// What is to lead to it from now on, without its text.
    pub(super) aliases: Vec<Alias>,
    /// Of the entry as it is; [`Listed::entry_mut`] forgets them.
    pub(super) text: TextAliases,
    /// Its text has to lead to it however short it is: it has no link of its own.
    pub(super) by_short_text: bool,
    /// Hash of what the list says.
    pub hash: ContentHash,
    /// What the source listed before under this code.
    pub sighting: Option<Sighting>,
}

impl Listed {
    /// Returns what is to lead to it from now on.
    #[must_use]
    pub fn aliases(&self) -> Vec<Alias> {
        let short = if self.by_short_text { self.text.short(&self.entry) } else { None };
        self.aliases.iter().copied().chain(self.text.long(&self.entry)).chain(short).collect()
    }

    /// Returns what the source sent, to be completed.
    pub(super) fn entry_mut(&mut self) -> &mut Entry {
        self.text = TextAliases::default();
        &mut self.entry
    }

    /// Returns whether the list says what it said before.
    pub(super) fn is_unchanged(&self) -> bool {
        self.sighting.as_ref().is_some_and(|seen| seen.listed == self.hash)
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

/// Returns how a record that cannot be ingested is named to people.
pub(super) fn shown(entry: &Entry) -> String {
    let name =
        entry.code.as_deref().or(entry.guid.as_deref()).or(entry.link.as_deref()).unwrap_or(&entry.title);
    if name.is_empty() { "a record without any name".to_owned() } else { text::clip(name, 40) }
}
