//! The trees of the database, with the keys and values of each.

/// The trees, in the order in which transactions index them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TreeId {
    /// code → place of its text, its first listing, and the item
    Item,
    /// category, published, code → 1 shown or 0 straight to the archive, first arrival number, last
    CatTime,
    /// category, quarter of a hundred → slots of the log (`slots`)
    CatSeq,
    /// code, source → sighting, and the event that it began with, except for an item's first listing
    Seen,
    /// source → number of aliases; source, group, part → aliases with their codes (`alias`)
    Alias,
    /// category → its record
    Category,
    /// `n` name or `s` slug → category
    CategoryKey,
    /// generation → category
    Changed,
    /// path → article or redirect, if its name does not give it (`paths`)
    Path,
    /// code, number → revision
    Revision,
    /// name → counter or fixed setting
    Sys,
    /// source → its state
    Source,
    /// id → source number
    SourceKey,
    /// source, guid hash → nothing
    Void,
    /// code → tombstone
    Tomb,
    /// generation, part → codes: items in the order of their last change
    Touched,
    /// number, chunk → compression dictionary
    Dict,
    /// code, number → event
    History,
    /// generation → time at which the outputs first showed it
    Published,
    /// category, hundred → generations under which it was sealed, and last changed
    Seal,
    /// category, generation, hundred → nothing: sealed hundreds in the order of their last change
    Resealed,
    /// code, first generation → place of the text, and the item, of an earlier form
    Version,
    /// file of texts → its live bytes
    TextFile,
    /// kind, key → a small record of another room (`small_records`)
    Record,
}

impl TreeId {
    /// All trees in the order of their numbers.
    pub(crate) const ALL: [Self; 24] = [
        Self::Item,
        Self::CatTime,
        Self::CatSeq,
        Self::Seen,
        Self::Alias,
        Self::Category,
        Self::CategoryKey,
        Self::Changed,
        Self::Path,
        Self::Revision,
        Self::Sys,
        Self::Source,
        Self::SourceKey,
        Self::Void,
        Self::Tomb,
        Self::Touched,
        Self::Dict,
        Self::History,
        Self::Published,
        Self::Seal,
        Self::Resealed,
        Self::Version,
        Self::TextFile,
        Self::Record,
    ];

    /// Returns its name on the disk.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Item => "item",
            Self::CatTime => "cat_time",
            Self::CatSeq => "cat_seq",
            Self::Seen => "seen",
            Self::Alias => "alias",
            Self::Category => "cat",
            Self::CategoryKey => "cat_key",
            Self::Changed => "changed",
            Self::Path => "path",
            Self::Revision => "rev",
            Self::Sys => "sys",
            Self::Source => "source",
            Self::SourceKey => "source_key",
            Self::Void => "void",
            Self::Tomb => "tomb",
            Self::Touched => "touched",
            Self::Dict => "dict",
            Self::History => "history",
            Self::Published => "published",
            Self::Seal => "seal",
            Self::Resealed => "resealed",
            Self::Version => "version",
            Self::TextFile => "text_file",
            Self::Record => "record",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_stands_where_its_number_says() {
        for (number, tree) in TreeId::ALL.into_iter().enumerate() {
            assert_eq!(tree as usize, number, "{}", tree.name());
        }
    }
}
