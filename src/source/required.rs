//! The fields that a source may require of its records.

use crate::model::Entry;

/// A field that a record must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Required {
    /// A title.
    Title,
    /// A date.
    Date,
    /// A link.
    Link,
    /// A text.
    Text,
}

impl Required {
    /// Every field with its name in the config.
    pub const NAMES: [(&'static str, Self); 4] =
        [("title", Self::Title), ("date", Self::Date), ("link", Self::Link), ("text", Self::Text)];

    /// Returns whether `entry` lacks the field.
    #[must_use]
    pub fn missing_in(self, entry: &Entry) -> bool {
        match self {
            Self::Title => entry.title.is_empty(),
            Self::Date => entry.published.is_none(),
            Self::Link => entry.link.is_none(),
            Self::Text => entry.content.is_none() && entry.summary.is_none(),
        }
    }

    /// Returns its name in the config.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, value)| *value == self).map_or("", |(name, _)| name)
    }
}
