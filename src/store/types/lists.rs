//! Lists of items, and what stands at paths.

use serde::{Deserialize, Serialize};

use crate::model::{InfoCode, Timestamp};

/// What of a category is kept; both unset keeps all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// The newest so many.
    pub items: Option<usize>,
    /// Those published within so many seconds.
    pub age: Option<i64>,
}

/// Which items of a category are wanted, newest first by (`published`, code).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// At least this many, if there are.
    pub items: usize,
    /// And all that are at most this many seconds older than the newest.
    pub age: i64,
    /// But never more than this.
    pub most: usize,
    /// Items that went straight to the archive as well.
    pub archived: bool,
}

/// A hundred of a category's log, the latest first; each item once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage<T> {
    /// What came, or was changed later than its own hundred.
    pub entries: Vec<T>,
    /// What went.
    pub gone: Vec<Gone>,
}

/// An item that left a category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// Which.
    pub code: InfoCode,
    /// When.
    pub at: Timestamp,
}

/// What stands under an arrival number of a category's log; `C` names the item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Slot<C> {
    /// An item that came in.
    Arrived(C),
    /// One that went straight to the archive.
    Archived(C),
    /// One that was changed after the hundred of its last number was sealed.
    Again {
        /// That number.
        before: u32,
        /// The item.
        code: C,
    },
    /// One that went.
    Gone {
        /// When.
        at: Timestamp,
        /// The item.
        code: C,
    },
}

impl<C> Slot<C> {
    /// The item it is about.
    pub fn code(&self) -> &C {
        match self {
            Self::Arrived(code)
            | Self::Archived(code)
            | Self::Again { code, .. }
            | Self::Gone { code, .. } => code,
        }
    }

    /// The same with another name of its item; `None` where that has none.
    pub fn named<D>(self, name: impl FnOnce(C) -> Option<D>) -> Option<Slot<D>> {
        Some(match self {
            Self::Arrived(code) => Slot::Arrived(name(code)?),
            Self::Archived(code) => Slot::Archived(name(code)?),
            Self::Again { before, code } => Slot::Again { before, code: name(code)? },
            Self::Gone { at, code } => Slot::Gone { at, code: name(code)? },
        })
    }
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AtPath {
    /// The article's own page.
    Article(InfoCode),
    /// Moved to this path (without leading slash).
    Redirect(String),
}
