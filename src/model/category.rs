//! Categories, each usually a newspaper.

use serde::{Deserialize, Serialize};

use super::{Slug, Timestamp};

/// The store's number of a category; never shown. 0 is the whole site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CategoryId(pub u32);

impl CategoryId {
    /// The whole site, which has a window, a generation and an arrival order like any category.
    pub const SITE: Self = Self(0);
}

/// A category as the store keeps it; name and slug are one pair, which never changes (RULES 5.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// Number in the store.
    pub id: CategoryId,
    /// Name in addresses and on disk.
    pub slug: Slug,
    /// Name for people.
    pub name: String,
    /// Grows with every change of what the category publishes (RULES 4.1).
    pub generation: u64,
    /// Time at which that change was stored: `updated` of its feeds (RULES 2.2).
    pub changed_at: Timestamp,
    /// `published` of its newest item.
    pub newest: Option<Timestamp>,
    /// The last arrival number given. Every new item gets one, and an item whose hundred is sealed gets another
    /// one when it changes or is withdrawn.
    pub arrivals: u32,
}

impl Category {
    /// Arrival numbers of one archive document or page (RULES 3.2).
    pub const HUNDRED: u32 = 100;

    /// Returns the number of sealed hundreds.
    #[must_use]
    pub fn sealed(&self) -> u32 {
        self.arrivals / Self::HUNDRED
    }

    /// Returns the number of hundreds, the open one included.
    #[must_use]
    pub fn hundreds(&self) -> u32 {
        self.arrivals.div_ceil(Self::HUNDRED)
    }
}

/// A category as the config names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CategoryChoice {
    /// Name for people; empty if only the slug is given.
    pub name: String,
    /// Slug, if the config sets one.
    pub slug: Option<Slug>,
}

impl CategoryChoice {
    /// Returns the slug that the category gets if it is new.
    #[must_use]
    pub fn own_slug(&self) -> Slug {
        self.slug.clone().unwrap_or_else(|| Slug::from_name(&self.name))
    }
}
