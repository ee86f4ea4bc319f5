//! Lists of items, and what paths resolve to.

use serde::{Deserialize, Serialize};

use crate::model::{InfoCode, Timestamp};

/// The retention of a category; with both unset, everything is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// Keep the newest items up to this number.
    pub items: Option<usize>,
    /// Keep the items published within this many seconds.
    pub age: Option<i64>,
}

/// A window of a category: which items to return, newest first by (`published`, code).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// At least this many, if there are that many.
    pub items: usize,
    /// In addition, all that are at most this many seconds older than the newest.
    pub age: i64,
    /// Never more than this many.
    pub most: usize,
    /// Whether to include items that went straight to the archive.
    pub archived: bool,
}

/// A hundred of a category's log, latest first; each item once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage<T> {
    /// Items that arrived, or that changed after their own hundred was sealed.
    pub entries: Vec<T>,
    /// Items that left.
    pub gone: Vec<Gone>,
}

/// An item that left a category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// Its code.
    pub code: InfoCode,
    /// When it left.
    pub at: Timestamp,
}

/// The entry under an arrival number of a category's log; `C` names the item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Slot<C> {
    /// An item that arrived.
    Arrived(C),
    /// An item that went straight to the archive.
    Archived(C),
    /// An item that changed after the hundred of its last number was sealed.
    Again {
        /// That number.
        before: u32,
        /// The item.
        code: C,
    },
    /// An item that left.
    Gone {
        /// When it left.
        at: Timestamp,
        /// The item.
        code: C,
    },
}

impl<C> Slot<C> {
    /// Returns the item it is about.
    pub fn code(&self) -> &C {
        match self {
            Self::Arrived(code)
            | Self::Archived(code)
            | Self::Again { code, .. }
            | Self::Gone { code, .. } => code,
        }
    }

    /// Maps the name of its item; `None` if `name` returns `None`.
    pub fn named<D>(self, name: impl FnOnce(C) -> Option<D>) -> Option<Slot<D>> {
        Some(match self {
            Self::Arrived(code) => Slot::Arrived(name(code)?),
            Self::Archived(code) => Slot::Archived(name(code)?),
            Self::Again { before, code } => Slot::Again { before, code: name(code)? },
            Self::Gone { at, code } => Slot::Gone { at, code: name(code)? },
        })
    }
}

/// What a path resolves to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AtPath {
    /// The article's own page.
    Article(InfoCode),
    /// A redirect to this path (without leading slash).
    Redirect(String),
}
